"""Traps as snmptrapd hands them over: what they are called, what they are about, and what is kept of them."""

from datetime import UTC, datetime

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources.traps.event import Reading, event
from automation_bots.alerts.sources.traps.handover import read
from automation_bots.alerts.sources.traps.names import known
from automation_bots.errors import BadPayload

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
HEAD = "localhost\nUDP: [192.0.2.1]:42863->[127.0.0.1]:162\n.1.3.6.1.2.1.1.3.0 0:0:22:41.88\n"
LINK = ".1.3.6.1.2.1.2.2.1"


def body(trap, *lines, head=HEAD):
    return "\n".join([f"{head}.1.3.6.1.6.3.1.1.4.1.0 {trap}", *lines, ""]).encode()


READING = Reading("traps")


def heard(trap, *lines, head=HEAD, reading=READING):
    return event(read(body(trap, *lines, head=head)), reading, NOW)


def test_a_link_down_and_the_up_without_any_words_are_of_one_alert():
    down = heard(".1.3.6.1.6.3.1.1.5.3", f"{LINK}.1.3 3", f'{LINK}.2.3 "Gi0/3"', f"{LINK}.8.3 2")
    up = heard(".1.3.6.1.6.3.1.1.5.4", f"{LINK}.1.3 3")
    assert (down.phase, up.phase) == (Phase.FIRING, Phase.RESOLVED)
    assert down.fingerprint == up.fingerprint == "192.0.2.1/link:3"
    assert (down.what, up.what, down.about) == ("link 3 (Gi0/3) down", "link 3 down", "192.0.2.1")
    assert down.text == "linkDown: ifIndex 3, ifDescr Gi0/3, ifOperStatus down"


def test_the_trap_says_that_a_link_is_down_and_not_the_state_that_comes_with_it():
    assert heard(".1.3.6.1.6.3.1.1.5.3", f"{LINK}.1.3 3", f"{LINK}.8.3 1").phase is Phase.FIRING


@pytest.mark.parametrize(
    ("trap", "value", "thing"),
    [
        (".1.3.6.1.6.3.1.1.5.3", ".1.3.6.1.2.1.31.1.1.1.1.12 \"xe-0/0/1\"", "link:12"),
        (".1.3.6.1.2.1.15.0.2", ".1.3.6.1.2.1.15.3.1.7.192.0.2.7 192.0.2.7", "BGP:192.0.2.7"),
        (".1.3.6.1.2.1.15.7.2", ".1.3.6.1.2.1.15.3.1.14.192.0.2.7 \"04 00 \"", "BGP:192.0.2.7"),
        (".1.3.6.1.4.1.9.9.187.0.6", ".1.3.6.1.4.1.9.9.187.1.2.5.1.3.1.4.192.0.2.7 1", "BGP:192.0.2.7"),
        (".1.3.6.1.4.1.9.9.187.0.6",
         ".1.3.6.1.4.1.9.9.187.1.2.5.1.3.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1 1", "BGP:2001:db8::1"),
        (".1.3.6.1.4.1.318.0.5", ".1.3.6.1.4.1.318.2.3.3.0 \"on battery\"", "mains"),
    ],
)  # fmt: skip
def test_what_is_down_is_known_by_a_value_or_by_the_index_of_one(trap, value, thing):
    found = heard(trap, value)
    assert (found.phase, found.fingerprint) == (Phase.FIRING, f"192.0.2.1/{thing}")


def test_a_link_down_that_does_not_say_which_link_is_told_as_it_is():
    found = heard(".1.3.6.1.6.3.1.1.5.3")
    assert (found.phase, found.fingerprint, found.what) == (Phase.SINGLE, "", "linkDown")


def test_a_trap_that_nobody_knows_is_shown_by_its_number_with_all_that_came():
    found = heard(".1.3.6.1.4.1.9.9.9999.0.1", '.1.3.6.1.4.1.9.9.9999.7.4 "odd"')
    assert (found.what, found.severity) == ("1.3.6.1.4.1.9.9.9999.0.1", Severity.UNKNOWN)
    assert found.text == "trap 1.3.6.1.4.1.9.9.9999.0.1 of Cisco: 1.3.6.1.4.1.9.9.9999.7.4 odd"


def test_a_name_of_ones_own_is_used():
    reading = Reading("traps", own={"1.3.6.1.4.1.10642.1.0.1": "printerError"})
    assert heard(".1.3.6.1.4.1.10642.1.0.1", reading=reading).what == "printerError"


def test_a_name_in_a_trap_names_no_device():
    fields = heard(".1.3.6.1.6.3.1.1.5.1", '.1.3.6.1.2.1.1.5.0 "core2"').fields
    assert fields["said_sysName"] == "core2" and "sysName" not in fields


VERSION_1 = (
    ".1.3.6.1.6.3.18.1.3.0 198.51.100.9",
    '.1.3.6.1.6.3.18.1.4.0 "s3cret"',
    ".1.3.6.1.6.3.1.1.4.3.0 .1.3.6.1.4.1.9",
)


def test_the_community_of_a_trap_is_kept_nowhere():
    assert "s3cret" not in repr(heard(".1.3.6.1.6.3.1.1.5.1", *VERSION_1))


def test_whom_a_trap_is_of_is_believed_only_where_a_relay_passed_it_on():
    strange = heard(".1.3.6.1.6.3.1.1.5.1", *VERSION_1)
    passed = heard(".1.3.6.1.6.3.1.1.5.1", *VERSION_1, reading=Reading("traps", relays=frozenset({"192.0.2.1"})))
    assert (strange.about, passed.about) == ("192.0.2.1", "198.51.100.9")


def test_a_text_of_several_lines_is_one_value_and_forges_no_other():
    lines = f'{LINK}.2.3 "a \\"b\\"\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.6.3.1.1.5.4\nc\\\\"'
    found = heard(".1.3.6.1.6.3.1.1.5.3", lines, f"{LINK}.1.3 3")
    assert (found.fields["name"], found.fields["ifIndex"]) == ("linkDown", "3")
    assert found.fields["ifDescr"] == 'a "b"\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.6.3.1.1.5.4\nc\\'


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ('"63 61 66 C3 A9 "', "café"),
        ('"07 EA 0C 01 0A 00 00 00 "', "07 EA 0C 01 0A 00 00 00"),
        ('"00 01 FF \n80 41 "', "00 01 FF 80 41"),
        ('"44 65 76 69 63 65 \n 20 32 "', "Device 2"),
        ('""', ""),
        ("0:0:1:2.00", "0:0:1:2.00"),
    ],
)
def test_bytes_that_are_a_text_are_one_again(printed, value):
    assert read(body(".1.3.6.1.6.3.1.1.5.1", f".1.3.6.1.4.1.1.1 {printed}")).values[0][1] == value


@pytest.mark.parametrize(
    "line", ["UDP/IPv6: [2001:db8::1]:57239", "TCP: [2001:db8::1]:1->[::]:162", "UDP: [2001:db8::1%eth0]:5"]
)
def test_the_sender_is_found_on_every_transport(line):
    assert read(body(".1.3.6.1.6.3.1.1.5.1", head=f"<UNKNOWN>\n{line}\n")).sender == "2001:db8::1"


@pytest.mark.parametrize(
    "wrong", [b"", b"\xff\xfe", b"a\nb\nc", HEAD.encode(), body("IF-MIB::linkDown"), b"{}", b"localhost\n" * 9]
)
def test_what_is_no_trap_is_refused_in_words(wrong):
    with pytest.raises(BadPayload, match="names"):
        read(wrong)


def test_pairs_of_the_table_are_of_one_thing():
    states = {}
    for named in known().traps.values():
        if named.of:
            states.setdefault((named.of, named.key[:1]), set()).add(named.up)
    assert states and all(both == {True, False} for both in states.values())
