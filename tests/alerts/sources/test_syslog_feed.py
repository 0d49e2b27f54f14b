"""From messages to events: whose they are, which are kept, and what is said of those that are not."""

from ipaddress import ip_network

import pytest

from automation_bots.alerts.devices import FIELDS
from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources.syslog.feed import Feed, Wanted
from automation_bots.alerts.sources.syslog.kept import NOISE, Kept
from automation_bots.errors import StoreError
from tests.alerts.sources.heard import NOW, Intake

DEVICES = {"192.0.2.1": "core1", "core1": "core1", "core2": "core2"}
DOWN = b"<187>54: *Nov 30 19:00:01.123: %LINK-3-UPDOWN: Interface Gi0/3, changed state to down"
UP = DOWN.replace(b"to down", b"to up")
RELAYED = b"<187>Nov 30 19:00:01 core2 54: *Nov 30 19:00:01.123: %LINK-3-UPDOWN: Interface Gi0/3, changed state to down"


class Site:
    def __init__(self, **wanted):
        self.intake, self.seconds = Intake(), 100.0
        self.feed = Feed(Wanted("sl", **wanted), self.intake, lambda name: DEVICES.get(name, ""), lambda: NOW,
                         lambda: self.seconds)  # fmt: skip

    def hears(self, *messages, sender="192.0.2.1"):
        for message in messages:
            self.feed.hear(sender, message)
        while self.feed.round():
            pass
        return self.intake.events


def test_a_message_is_of_the_device_that_has_the_address_of_its_sender():
    found = Site().hears(b"<187>54: core2: *Nov 30 19:00:01.123: %SYS-3-CPUHOG: core2 host=core2 is busy")
    assert [(one.device, one.about, one.what, one.severity) for one in found] == [
        ("core1", "192.0.2.1", "SYS-3-CPUHOG", Severity.HIGH)
    ]


def test_no_field_of_a_message_names_the_device():
    message = b'<187>date=2026-04-23 time=12:32:47 devname="f1" level="error" hostname="core2" host=core2 msg="m"'
    fields = Site(networks=[ip_network("198.51.100.0/24")]).hears(message, sender="198.51.100.7")[0].fields
    assert fields["said_hostname"] == "core2" and not set(FIELDS) & set(fields)


def test_a_relay_is_believed_whose_message_it_passes_on():
    found = Site(relays={"198.51.100.5"}).hears(RELAYED, sender="198.51.100.5")
    assert [(one.device, one.about) for one in found] == [("core2", "core2")]


@pytest.mark.parametrize(("address", "device"), [(b"192.0.2.1", "core1"), (b"198.51.100.9", "")])
def test_the_address_that_a_relay_heard_it_from_is_worth_more_than_the_name_in_the_message(address, device):
    message = b"<187>2026-11-30T19:03:57.6+00:00 %b 54: core2: *Nov 30 19:00:01.1: %%SYS-3-CPUHOG: x" % address
    found = Site(relays={"198.51.100.5"}).hears(message, sender="198.51.100.5")
    assert [(one.device, one.about) for one in found] == [(device, address.decode())]


def test_who_is_no_relay_is_not_believed_and_a_stranger_is_told_once():
    found = Site().hears(RELAYED, RELAYED, sender="198.51.100.5")
    assert [(one.what, one.about, one.device) for one in found] == [("unknown sender", "198.51.100.5", "")]
    assert "[events.sources.sl]" in found[0].text


def test_strangers_of_a_network_are_heard_under_their_address():
    found = Site(networks=[ip_network("198.51.100.0/24")]).hears(DOWN, sender="198.51.100.7")
    assert [(one.device, one.about) for one in found] == [("", "198.51.100.7")]


def test_an_address_that_the_inventory_does_not_know_can_be_named():
    assert Site(devices={"203.0.113.1": "core1"}).hears(DOWN, sender="203.0.113.1")[0].device == "core1"


def test_what_goes_down_and_comes_back_is_one_thing():
    site = Site()
    down, up = site.hears(DOWN)[-1], site.hears(UP)[-1]
    assert (down.phase, up.phase) == (Phase.FIRING, Phase.RESOLVED)
    assert down.fingerprint == up.fingerprint == "core1/link:Gi0/3"


def test_of_what_flaps_within_a_moment_the_last_word_counts():
    assert [one.phase for one in Site().hears(DOWN, UP, DOWN, UP)] == [Phase.RESOLVED]


@pytest.mark.parametrize(
    ("text", "thing", "phase"),
    [
        ("%BGP-5-ADJCHANGE: neighbor 192.0.2.7 vpn vrf A Down BGP Notification", "BGP:192.0.2.7", Phase.FIRING),
        ("%ROUTING-BGP-5-ADJCHANGE : neighbor 192.0.2.7 Up (VRF: default)", "BGP:192.0.2.7", Phase.RESOLVED),
        ("%BGP-5-ADJCHANGE: peer 192.0.2.7 (VRF default AS 1) old state Established event Stop new state Idle",
         "BGP:192.0.2.7", Phase.FIRING),
        ("RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.7 (External AS 2) changed state from OpenConfirm to"
         " Established (event RecvKeepAlive)", "BGP:192.0.2.7", Phase.RESOLVED),
        ("%OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.4 on Gi2.45 from FULL to DOWN, Neighbor Down",
         "OSPF:192.0.2.4 on Gi2.45", Phase.FIRING),
        ("%ROUTING-ISIS-5-ADJCHANGE : Adjacency to r1 (Gi0/0/0) (L2) Down, Interface state down",
         "IS-IS:r1 (Gi0/0/0)", Phase.FIRING),
        ("%LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet28 (to core2, rack 7), changed state to down",
         "link:Ethernet28", Phase.FIRING),
        ("%ISIS-4-ISIS_ADJCHG: L1 Neighbor State Change for SystemID 1920.0000.2006 on et7 to UP",
         "IS-IS:1920.0000.2006 on et7", Phase.RESOLVED),
        ("alarmd[1]: Alarm set: Pwr supply color=YELLOW, class=CHASSIS, reason=PEM 1 Fan Fail", "alarm:PEM 1 Fan Fail",
         Phase.FIRING),
        ("craftd[1]: Minor alarm cleared, RE 0 /var partition usage is high", "alarm:RE 0 /var partition usage is high",
         Phase.RESOLVED),
        ("%%10IFNET/3/PHY_UPDOWN: Physical state on the interface GigabitEthernet1/0/1 changed to down.",
         "link:GigabitEthernet1/0/1", Phase.FIRING),
        ("bgp[1]: %ROUTING-BGP-5-ADJCHANGE_DETAIL : neighbor 192.0.2.7 Down - BGP Notification sent", "BGP:192.0.2.7",
         Phase.FIRING),
        ("%ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/33 is down (Link failure)", "link:Ethernet1/33",
         Phase.FIRING),
        ("%%01IFNET/4/IF_STATE(l)[4997]:Interface Gi0/0/8 has turned into UP state.", "link:Gi0/0/8", Phase.RESOLVED),
        ("SNMP_TRAP_LINK_DOWN: ifIndex 502, ifAdminStatus up(1), ifOperStatus down(2), ifName xe-0/0/1",
         "link:xe-0/0/1", Phase.FIRING),
    ],
)  # fmt: skip
def test_states_are_read_in_the_words_of_each_platform(text, thing, phase):
    found = Site().hears(f"<188>{text}".encode())[0]
    assert (found.fingerprint, found.phase) == (thing and f"core1/{thing}", phase)


def test_what_goes_from_one_state_to_another_and_is_up_in_neither_is_no_news():
    text = b"BGP peer 192.0.2.7 (External AS 2) changed state from Active to Connect (event Stop)"
    assert Site().hears(b"<188>rpd[1]: RPD_BGP_NEIGHBOR_STATE_CHANGED: " + text) == []


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (b"<189>%SYS-5-CONFIG_I: Configured from console", True),
        (b"<188>%SW_MATM-4-MACFLAP_NOTIF: Host", True),
        (b"<190>%SEC-6-IPACCESSLOGP: list 177 denied", False),
        (b"<187>%UGLY-3-THING: on and on", False),
        (b"<164>Sep 14 2026 09:33:47 asa1 : %ASA-4-106023: Deny icmp src outside", False),
        (b"no priority, so nobody knows how bad it is", True),
    ],
)
def test_a_busy_router_floods_nothing(message, kept):
    assert bool(Site(kept=Kept(never=("UGLY-*", *NOISE))).hears(message)) is kept


def test_of_many_alike_some_are_kept_and_the_rest_is_counted():
    site = Site(alike=3)
    assert len(site.hears(*[b"<188>%%SW_MATM-4-MACFLAP_NOTIF: Host %d" % n for n in range(40)])) == 3
    site.seconds += 61
    assert site.hears()[-1].text == "37 more SW_MATM-4-MACFLAP_NOTIF of core1 were left out: more than 3 a minute"


def test_what_goes_on_for_hours_is_told_now_and_then_with_all_that_was_left_out():
    site = Site(alike=1)
    for _ in range(120):
        site.hears(b"<188>%SW_MATM-4-MACFLAP_NOTIF: Host", b"<188>%SW_MATM-4-MACFLAP_NOTIF: Host")
        site.seconds += 61
    told = [int(one.fields["count"]) for one in site.intake.events if one.what == "messages left out"]
    assert len(told) <= 13 and sum(told) > 105


def test_a_flood_of_one_sender_is_counted_and_keeps_no_other_out():
    site = Site(per_second=2, alike=1000)
    assert len(site.hears(*[b"<187>%A-3-B: x"] * 500)) == 20  # within ten seconds
    assert site.hears(b"<187>%A-3-B: x", sender="core2")[-1].device == "core2"
    site.seconds += 11
    assert site.hears()[-1].text == "480 messages of core1 were left out: more than 2 a second"


def test_what_waits_for_the_record_is_bounded_and_the_rest_is_counted():
    site = Site(per_second=10_000)
    for _ in range(2_000):
        site.feed.hear("192.0.2.1", b"<187>" + b"x" * 8_000)
    assert site.hears()[-1].text == "1,001 messages were left out: the record was too slow"


def test_while_the_record_is_away_nothing_is_lost_and_nothing_comes_twice():
    site = Site()
    site.intake.away = True
    with pytest.raises(StoreError):
        site.hears(DOWN)
    site.intake.away = False
    assert [one.phase for one in site.hears(b"<187>%A-3-B: x")] == [Phase.FIRING, Phase.SINGLE]


def test_a_message_that_breaks_its_reading_keeps_no_other_from_being_read():
    site = Site()
    site.feed._device = lambda written: DEVICES[written]
    site.feed.hear("not an address", DOWN)
    assert [one.device for one in site.hears(DOWN)] == ["core1"]


def test_who_was_heard_is_known_also_of_what_is_not_kept():
    site = Site()
    site.hears(b"<190>%SEC-6-IPACCESSLOGP: list 177 denied")
    assert site.feed.heard == {"core1": NOW} and not site.intake.events
