"""What devices really send as syslog, in the forms of many of them, with names and addresses of ours."""

import pytest

from automation_bots.alerts.sources.syslog.parse import TEXT_LIMIT, parse
from automation_bots.redaction.mark import MARK
from automation_bots.redaction.redactor import Redactor
from tests.support.cost import in_yardsticks

UPDOWN = "%LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/3, changed state to down"
CISCO = [  # what stands in front, the names in it, the clock
    ("2360957: Jan  6 2026 20:52:12.861: ", (), "Jan  6 2026 20:52:12.861"),
    (": Jan  6 2026 20:52:12.861: ", (), "Jan  6 2026 20:52:12.861"),
    ("54: core1: *Nov 30 19:00:01.123: ", ("core1",), "*Nov 30 19:00:01.123"),
    ("54: core1: .Nov 30 19:00:01: ", ("core1",), ".Nov 30 19:00:01"),
    ("core1: Jul 14 2026 08:23:43.398 UTC: ", ("core1",), "Jul 14 2026 08:23:43.398 UTC"),
    ("312: core1: May 6 16:13:09.123 UTC+05:30: ", ("core1",), "May 6 16:13:09.123 UTC+05:30"),
    ("312: core1: Nov 23 22:23:27.833 NewYork: ", ("core1",), "Nov 23 22:23:27.833 NewYork"),
    ("421370: 421366: Nov 23 22:23:27: ", (), "Nov 23 22:23:27"),
    ("9121: core1: 008944: 13w1d: ", ("core1",), "13w1d"),
    ("82: 00:20:10: ", (), "00:20:10"),
    ("3132783: 2001:db8::: 3132779: Jul 14 2026 08:23:43.398 UTC: ", ("2001:db8::",), "Jul 14 2026 08:23:43.398 UTC"),
    ('208: [syslog@9 s_sn="127" s_id="core1:6"]: 000204: *Jan  1 2026 23:25:10.989: ', (), "*Jan  1 2026 23:25:10.989"),
    ("Jul 13 08:23:43 192.0.2.2 core1: 312: Jul 14 2026 08:23:43 UTC: ", ("192.0.2.2", "core1"),
     "Jul 14 2026 08:23:43 UTC"),
    ("2026-11-30T19:03:57.6+00:00 192.0.2.2 54: core1: *Nov 30 19:00:01.1: ", ("192.0.2.2", "core1"),
     "*Nov 30 19:00:01.1"),
    ("2026 Apr 20 13:15:07 leaf7 ", ("leaf7",), "2026 Apr 20 13:15:07"),
    ("leaf7: 2026 Jul 28 14:42:46 UTC: ", ("leaf7",), "2026 Jul 28 14:42:46 UTC"),
    ("May  2 15:21:27 leaf7 : 2026 May  2 15:21:27.206 UTC: ", ("leaf7",), "2026 May  2 15:21:27.206 UTC"),
    ("94307: xr1 LC/0/2/CPU0:Jul  7 20:16:14.834 : ifmgr[214]: ", ("xr1",), "Jul  7 20:16:14.834"),
    ("Oct 7 07:19:44 xr1 RP/0/RP0/CPU0:Oct 7 07:19:43.630 UTC: ifmgr[310]: ", ("xr1",), "Oct 7 07:19:43.630 UTC"),
    ("Feb  6 09:42:36 eos1 Ebra: ", ("eos1",), "Feb  6 09:42:36"),
    ("Sep 14 2026 09:33:47 asa1 : ", ("asa1",), "Sep 14 2026 09:33:47"),
    ("192.0.2.1 ", ("192.0.2.1",), ""),
    ("1 2026-02-20T15:10:35.073589+00:00 sonic1 bgpd 83 - -  ", ("sonic1",), "2026-02-20T15:10:35.073589+00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("front", "hosts", "clock"), CISCO)
def test_a_mnemonic_is_found_behind_whatever_stands_in_front_of_it(front, hosts, clock):
    line = parse(f"<189>{front}{UPDOWN}".encode())
    assert (line.mnemonic, line.hosts, line.clock) == ("LINEPROTO-5-UPDOWN", hosts, clock)
    assert line.text.startswith("Line protocol on Interface")


@pytest.mark.parametrize(
    ("message", "what", "severity"),
    [
        ("<149>Apr 16 11:04:17 e1 Rib: %BGP-3-NOTIFICATION: received", "BGP-3-NOTIFICATION", 3),
        ("<188>%2SWPORT-W-LOCKPORTACTIVE: A packet", "2SWPORT-W-LOCKPORTACTIVE", 4),
        ("<29>2026-7-23 01:00:34.270.1 hw1 %%01IFNET/4/IF_STATE(l)[4997]:Interface", "IFNET-4-IF_STATE", 4),
        ("<28>Jul 20 21:45:59 j1 mib2d[24]: SNMP_TRAP_LINK_DOWN: ifIndex 502", "SNMP_TRAP_LINK_DOWN", 4),
        ("<14>1 2026-02-20T15:10:35Z j1 mgd 3046 UI_LOGOUT_EVENT [junos@2636.1 user=\"a\"] x", "UI_LOGOUT_EVENT", 6),
        ("<14>Jul 20 21:45:59 j1 RT_FLOW: RT_FLOW_SESSION_DENY: denied", "RT_FLOW_SESSION_DENY", 6),
        ("<166>1 2026-02-20T15:10:35.07+00:00 s1 bgpd 83 - -  %ADJCHANGE: neighbor", "ADJCHANGE", 6),
        ('<187>date=2026-04-23 time=12:32:47 devname="f1" type="event" level="error" logdesc="IPsec error" msg="m"',
         "IPsec error", 3),
        ("<14>Mar 31 22:50:49 pa1 1,2026/03/31 22:50:49,0,SYSTEM,auth,0,2026/03/31 22:50:49,,auth-fail,,0,0,general,"
         "medium,\"failed, for admin\",1138", "auth-fail", 4),
        ("<134>Dec  1 10:00:01 f5 warning tmm[23068]: 01260013:4: SSL Handshake failed", "tmm", 6),
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "su", 2),
        ("no priority and no form", "syslog", None),
        ("<999>no priority", "syslog", None),
    ],
)  # fmt: skip
def test_a_message_is_called_by_its_own_name_and_is_as_bad_as_it_says(message, what, severity):
    line = parse(message.encode())
    assert (line.what, line.severity) == (what, severity)


@pytest.mark.parametrize(
    ("message", "hosts", "what"),
    [
        ('1 2026-02-20T15:10:35Z j1 mgd 3046 UI_COMMIT [j@2636 a="b"] x', ("192.0.2.9", "j1"), "UI_COMMIT"),
        ('date=2026-04-23 devname="f1" level="error" logdesc="IPsec error"', ("192.0.2.9", "f1"), "IPsec error"),
        ("54: core1: *Nov 30 19:00:01.1: %SYS-5-CONFIG_I: x", ("192.0.2.9", "core1"), "SYS-5-CONFIG_I"),
        ("Jul 20 21:45:59 j1 mgd[7]: UI_COMMIT: x", ("192.0.2.9", "j1"), "UI_COMMIT"),
        ("kernel: eth0 is down", ("192.0.2.9",), "kernel"),
        ("<190>54: core1: *Nov 30 19:00:01.1: %SYS-5-CONFIG_I: x", ("192.0.2.9", "core1"), "SYS-5-CONFIG_I"),
    ],
)
def test_behind_a_relays_own_time_and_the_senders_address_stands_any_form(message, hosts, what):
    line = parse(f"<187>2026-11-30T19:03:57.69+00:00 192.0.2.9 {message}".encode())
    assert (line.hosts, line.what) == (hosts, what)


def test_secrets_in_a_command_that_a_device_tells_of_are_found():
    line = parse(b"<189>54: %PARSER-5-CFGLOG_LOGGEDCMD: User:ana  logged command:tacacs-server key Tac4csKey")
    assert Redactor().text(line.text) == f"User:ana  logged command: tacacs-server key {MARK}"


def test_structured_data_is_read_with_what_is_escaped_in_it():
    line = parse(
        b'<165>1 2026-10-11T22:14:15.003Z h1 app - ID47 [a@1 x="say \\"hi\\" \\]" y="2"][b@2 z=""] \xef\xbb\xbftext'
    )
    assert dict(line.fields) == {"a@1.x": 'say "hi" ]', "a@1.y": "2", "b@2.z": "", "message_id": "ID47"}
    assert (line.hosts, line.program, line.text) == (("h1",), "app", "text")


def test_what_only_begins_as_structured_data_is_a_text():
    assert "[a@1 x=" in parse(b'<165>1 2026-10-11T22:14:15.003Z h1 app - ID47 [a@1 x="never closed').text


def test_bytes_that_are_no_utf8_are_a_text_all_the_same():
    assert parse(b"<13>Feb  5 17:32:18 h1 app: caf\xe9").text == "café"


def test_a_text_is_cut_and_fields_are_few():
    many = " ".join(f'f{n}="{n}"' for n in range(500))
    line = parse(f'<189>devname="f1" {many} msg="{"x" * 9000}"'.encode())
    assert len(line.fields) <= 40 and len(parse(b"<13>" + b"x" * 9000).text) == TEXT_LIMIT


@pytest.mark.parametrize(
    "unit", ["a ", "1: ", "a: ", "[", "%", "%A-", '[a b="', "Jan  1 10:00:00 ", "1,", "::", 'a="\\']
)
def test_no_message_takes_long_to_read(unit):
    text = (unit * (8000 // len(unit))).encode()
    assert in_yardsticks(lambda: [parse(text) for _ in range(10)], 1) < 1
