"""Rooms and alerts: one message a life, edited; storms share one; nothing is lost, nothing is told twice."""

from dataclasses import replace
from datetime import timedelta

from tests.alerts.site import BODIES, FIRED, NOW, OVER, many


def test_an_alert_has_one_message_that_is_edited_to_its_end(site):
    site.takes(FIRED)
    site.turn(times=2)
    assert site.room.messages[0].startswith("▲ A1 web1: DiskFull: 95 % used · high, since 09:00 UTC, am")
    site.takes(OVER)
    site.turn()
    assert site.room.messages == ["■ A1 web1: DiskFull: 95 % used · over after 4 min"]


def test_a_repeat_edits_nothing(site):
    site.takes(FIRED)
    site.turn(times=2)
    site.takes(FIRED)
    site.turn()
    assert (len(site.room.messages), site.room.edits) == (1, 0)


def test_the_buttons_are_its_commands(site):
    site.takes(FIRED)
    site.turn(times=2)
    assert "!ack A1 · !mute A1 1h" in site.room.messages[0]


def test_who_acknowledged_is_in_the_message(site):
    site.takes(FIRED)
    site.turn(times=2)
    from automation_bots.store import Subject

    site.store.alerts.change(1, lambda one: replace(one, acknowledged='ana: "on it"'), Subject("ana"), {})
    site.turn()
    assert 'ana: "on it"' in site.room.messages[0]
    assert "!ack" not in site.room.messages[0]


def test_of_500_alerts_at_once_there_is_one_message_and_each_is_counted(site):
    site.takes(*many(500))
    site.turn(times=3)
    assert len(site.room.messages) == 1
    assert site.room.messages[0].startswith("▲ 500 alerts since 09:00 UTC · DiskFull 500")
    assert len(site.store.alerts.folded(1)) == 500


def test_500_alerts_that_trickle_in_within_a_minute_make_five_messages(site):
    for start in range(0, 500, 10):
        site.takes(*many(500)[start : start + 10])
        site.turn(1.2)
    site.turn(5, times=3)
    assert len(site.room.messages) <= 5
    shown = sum(int(text.split()[1]) if "alerts since" in text else 1 for text in site.room.messages)
    assert shown == 500


def test_the_end_of_a_storm_is_one_edit(site):
    site.takes(*many(100))
    site.turn(times=3)
    site.takes(*(replace(OVER, fingerprint=f"f{n}", device=f"sw{n}") for n in range(100)))
    site.turn(3)
    assert "100 alerts" in site.room.messages[0]
    assert "all over" in site.room.messages[0]
    assert (len(site.room.messages), site.room.edits) == (1, 1)


def test_a_storm_is_told_by_the_groups_that_explain_it(site):
    site.groups = {"access": [f"sw{n}" for n in range(20)], "core": ["sw0", "core2", "core3"]}
    site.takes(*many(20))
    site.turn(times=3)
    assert "(access: all 20)" in site.room.messages[0]


def test_where_nothing_can_be_edited_an_end_is_told_within_the_same_five(plain_site):
    site = plain_site
    site.takes(*many(3))
    site.turn(times=2)
    site.takes(*(replace(OVER, fingerprint=f"f{n}", device=f"sw{n}") for n in range(3)))
    site.turn(times=2)
    assert site.room.messages[-1].startswith("■ 3 alerts")
    assert len(site.room.messages) == 4


def test_500_where_nothing_can_be_edited_are_five_messages_a_minute_at_most(plain_site):
    site = plain_site
    for start in range(0, 500, 10):
        site.takes(*many(500)[start : start + 10])
        site.turn(1.2)
    assert len(site.room.messages) <= 5
    site.turn(20, times=6)
    assert site.store.alerts.untold(999) == []


def test_what_was_not_told_before_a_kill_is_told_after_it(site):
    site.takes(FIRED)
    site.store.close()
    site.begin()
    site.turn(times=2)
    assert len(site.room.messages) == 1


def test_what_was_said_but_not_noted_before_a_kill_is_said_once(site):
    site.takes(FIRED)
    site.turn(times=2)
    site.store.alerts.told([replace(site.store.alerts.find(1), message="", told=0, shown="")])
    site.store.close()
    site.begin()
    site.turn(times=2)
    assert len(site.room.messages) == 1


def test_while_the_network_is_away_alerts_wait_and_are_told_in_one_message(site):
    site.room.away = True
    for one in many(8):
        site.takes(one)
        site.turn(10)
    site.room.away = False
    site.turn(10, times=2)
    assert len(site.room.messages) == 1
    assert site.room.messages[0].startswith("▲ 8 alerts")


def test_a_room_that_refuses_is_a_trouble_until_it_takes_them(site):
    site.room.refuses = True
    site.takes(FIRED)
    site.turn(times=2)
    assert "#netops" in site.teller.problem
    site.room.refuses = False
    site.turn(times=2)
    assert (len(site.room.messages), site.teller.problem) == (1, "")


def test_no_more_than_some_hundreds_wait_for_a_room_that_refuses(site):
    site.room.refuses = True
    site.takes(*many(700))
    site.turn(times=3)
    assert len(site.store.alerts.untold(999)) == 500


def test_of_a_muted_alert_nothing_new_is_said(plain_site):
    from automation_bots.store import Subject

    site = plain_site
    site.takes(FIRED)
    site.turn(times=2)
    until = NOW + timedelta(hours=1)
    site.store.alerts.change(1, lambda one: replace(one, muted=until, muted_why="ana"), Subject("ana"), {})
    site.takes(OVER)
    site.turn(times=2)
    assert len(site.room.messages) == 1


def test_what_strangers_wrote_stays_in_one_line(site):
    site.takes(replace(FIRED, what="x\nA9 forged", text="\n\n@here `a`\nsecond line"))
    site.turn(times=2)
    first = site.room.messages[0].splitlines()[0]
    assert "x A9 forged" in first
    assert "@here `a`" in first
    assert "second line" not in site.room.messages[0]


def test_the_captured_storm_says_how_many_were_left_out(site):
    site.hears(BODIES[2])
    site.turn(times=3)
    assert "480 alerts are not in Alertmanager's message" in site.room.messages[0]


def test_an_end_of_what_was_never_told_is_no_message(site):
    site.takes(OVER)
    site.turn(times=2)
    assert site.room.messages == []
    assert site.store.alerts.untold(9) == []


def test_what_began_and_ended_while_the_network_was_away_is_told_once(site):
    site.room.away = True
    site.takes(FIRED)
    site.turn(times=2)
    site.takes(OVER)
    site.room.away = False
    site.turn(times=2)
    assert [text.split()[0] for text in site.room.messages] == ["■"]


def test_one_message_that_a_network_cannot_take_keeps_no_other_from_being_told(site):
    say = site.room.say

    class Picky(type(site.room)):
        def say(self, place, answer):
            if "poison" in answer.text:
                raise ValueError("no such letter")
            return say(place, answer)

    site.room.__class__ = Picky
    site.takes(replace(FIRED, fingerprint="p", text="poison"), FIRED)
    site.turn(times=3)
    assert ["A2" in text for text in site.room.messages] == [True]
    assert site.store.alerts.untold(9) == []


def test_what_no_network_can_write_is_replaced_before_it_is_kept(site):
    site.takes(replace(FIRED, what="x\ud800", text="y\udfff\x00", fields={"\ud800": "\ud801"}))
    site.turn(times=2)
    assert site.room.messages[0].encode()
    assert str(site.store.alerts.find(1)).encode()


def test_what_fires_again_after_its_end_was_told_is_a_message_of_its_own(site):
    site.takes(FIRED)
    site.turn(times=2)
    site.takes(OVER)
    site.turn(times=2)
    site.takes(replace(FIRED, at=OVER.at + timedelta(hours=1)))
    site.turn(times=3)
    assert [text.split()[0] for text in site.room.messages] == ["■", "▲"]
