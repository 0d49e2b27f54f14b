"""What a room hears of its monitors; every turn and every look is the test's own."""

from datetime import timedelta

import pytest

from automation_bots.errors import BadCommand
from automation_bots.model import Outcome, State, Status
from automation_bots.monitors import text
from automation_bots.store import AuditKind, Subject
from tests.monitors.site import ROOM, Site

MADRID = [f"m{number}" for number in range(30)]
BY = Subject("ana", None, ROOM)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "data")
    yield site
    site.close()


@pytest.fixture
def plain(tmp_path):
    """A room in which nothing can be edited."""
    site = Site(tmp_path / "data", edits=False)
    yield site
    site.close()


def test_one_message_shows_how_all_of_it_is(site):
    site.ping("core1", "core2")
    assert site.live == "M1 ping core (2), every 5 s"
    site.looks(times=4)
    assert "core1 ▃▃▃▃ 1.0 ms · core2 ▃▃▃▃ 1.0 ms" in site.live
    assert site.told == []


def test_an_outage_is_one_line_that_says_when_it_is_over(site):
    site.ping("core1", "core2")
    site.looks(times=4)
    site.looks(times=4, down={"core2"})
    assert site.told == ["M1 14:00 core2 down, 3 of 3 lost"]
    site.looks(times=1)
    assert site.told == ["M1 14:00 core2 down, 3 of 3 lost · back after 20 s"]


def test_where_nothing_can_be_edited_the_end_of_an_outage_is_a_line_of_its_own(plain):
    plain.ping("core1", "core2")
    plain.looks(times=4)
    plain.looks(times=4, down={"core2"})
    plain.looks(times=1)
    assert plain.room.messages == [
        "M1 ping core (2), every 5 s",
        "M1 14:00 core2 down, 3 of 3 lost",
        "M1 14:00 core2 up again after 20 s",
    ]


def test_many_that_go_down_at_once_are_one_message_with_a_count_and_the_site(tmp_path):
    site = Site(tmp_path / "data", groups={"site madrid": MADRID})
    names = [*MADRID, *(f"p{number}" for number in range(10))]
    site.ping(*names)
    site.looks(times=3)
    site.looks(times=12, down=set(MADRID))
    assert site.told == ["M1 14:00 30 of 40 down (site madrid: all 30)\n→ !monitor 1"]
    site.looks(times=1, down=set(MADRID[:12]))
    assert site.told == ["M1 14:00 30 of 40 down (site madrid: all 30) · 18 are back\n→ !monitor 1"]
    site.looks(times=2)
    assert "30 of 40 down (site madrid: all 30) · all are back after" in site.told[0]
    assert len(site.told) == 1
    site.close()


def test_a_storm_that_goes_on_for_a_minute_stays_one_message(site):
    names = [f"r{number}" for number in range(60)]
    site.ping(*names)
    site.looks(times=3)
    for wave in (12, 30, 48):
        site.looks(times=4, down=set(names[:wave]))
    assert len(site.told) == 1
    assert "48 of 60 down" in site.told[0]


def test_the_bots_own_loss_of_network_is_said_as_that_and_not_as_outages(tmp_path):
    site = Site(tmp_path / "data", routes=frozenset({"192.0.2.254"}))
    site.ping(*MADRID)
    site.looks(times=3, gateway=True)
    site.looks(times=8, gateway=False, down="all")
    assert len(site.told) == 1
    assert site.told[0].startswith("M1 14:00 the bot itself reaches nothing: its gateway does not answer.")
    site.looks(times=2, gateway=True)
    assert "reaches the network again after" in site.told[0]
    assert len(site.told) == 1
    site.close()


def test_all_that_is_down_behind_a_gateway_that_answers_is_an_outage(tmp_path):
    site = Site(tmp_path / "data", routes=frozenset({"192.0.2.254"}))
    site.ping("core1", "core2")
    site.looks(times=3, gateway=True)
    site.looks(times=6, gateway=True, down="all")
    assert site.told[0] == "M1 14:00 core1 down, 3 of 3 lost\nM1 14:00 core2 down, 3 of 3 lost"
    site.close()


NEAR = {"routes": frozenset({"192.0.2.126"}), "near": ["192.0.2.0/30"]}  # r0, r1 and r2 are in the bot's own network
FAR = [f"r{number}" for number in range(3, 12)]


def test_a_dead_uplink_behind_a_gateway_that_answers_is_no_outage(tmp_path):
    site = Site(tmp_path / "data", **NEAR)
    site.ping(*(f"r{number}" for number in range(12)))
    site.looks(times=3, gateway=True)
    site.looks(times=6, gateway=True, down={*FAR, "r1"})
    assert site.told[0].startswith(
        "M1 14:00 nothing beyond the bot's gateway is reached: none of 9 hosts there answers."
    )
    assert site.told[1:] == ["M1 14:00 r1 down, 3 of 3 lost"]
    site.looks(times=2, gateway=True, down={"r1"})
    assert "reaches the network again after" in site.told[0]
    assert len(site.told) == 2
    site.close()


@pytest.mark.parametrize(
    ("answers", "said"), [(True, "9 of 12 down"), (False, "none of the reference addresses answers")]
)
def test_reference_addresses_tell_a_dead_uplink_from_outages(tmp_path, answers, said):
    site = Site(tmp_path / "data", references=("203.0.113.9",), **NEAR)
    site.ping(*(f"r{number}" for number in range(12)))
    site.looks(times=3, gateway=True, reference=True)
    site.looks(times=6, gateway=True, reference=answers, down=set(FAR))
    assert said in site.told[0]
    assert len(site.told) == 1
    site.close()


def test_reads_of_what_is_behind_a_dead_uplink_wait_and_others_go_on(tmp_path):
    site = Site(tmp_path / "data", **NEAR)
    site.ping(*(f"r{number}" for number in range(12)))
    for name, host in (("near", "192.0.2.1"), ("far", "192.0.2.9")):
        site.read(f"uptime on {name}", name, host=host)
        site.brings((name, "up"))
    site.looks(times=3, gateway=True)
    site.looks(times=80, gateway=True, down=set(FAR))
    assert [site.store.job(number).devices for number in site.asked[2:]] == [("near",)]
    site.close()


def test_what_is_still_down_when_the_network_is_back_is_told_then(tmp_path):
    site = Site(tmp_path / "data", routes=frozenset({"192.0.2.254"}))
    site.ping(*MADRID)
    site.looks(times=3, gateway=True)
    site.looks(times=6, gateway=False, down="all")
    site.looks(times=6, gateway=True, down={"m7"})
    assert "m7 down" in site.told[-1]
    site.close()


def test_coming_and_going_is_told_once(site):
    site.ping("core1")
    for _ in range(8):
        site.looks(times=3, down={"core1"})
        site.looks(times=2)
    assert len([one for one in site.told if "core1 down" in one]) <= 3
    assert any("flaps" in one for one in site.told)


def test_silence_of_the_prober_is_told_as_that(site):
    site.ping("core1")
    site.looks(times=2)
    site.turns(120)
    assert site.told == ["M1 no look since 14:00: nobody can say how it is"]


def test_what_is_muted_is_told_when_that_is_over_if_it_is_still_so(site):
    number = site.ping("core1", "core2")
    site.looks(times=2)
    site.monitors.mute(number, "core1", site.now + timedelta(minutes=2), "ana: line card", BY)
    site.looks(times=6, down={"core1"})
    assert site.told == []
    site.looks(times=24, down={"core1"})
    assert site.told == ["M1 14:00 core1 down, 3 of 3 lost"] or "core1 down" in site.told[0]


def test_a_muted_monitor_is_quiet_whatever_it_watches_and_says_so(site):
    number = site.read("uptime on web", "web1")
    site.brings(("web1", "up"))
    site.monitors.mute(number, "", site.now + timedelta(hours=1), "ana: audit", BY)
    site.turns(300)
    site.brings(("web1", "no route", Status.UNREACHABLE))
    site.turns(5)
    assert site.told == []
    assert "muted until 15:00" in site.live


def test_somebody_who_looks_after_an_outage_stands_beside_it(site):
    number = site.ping("core1", "core2")
    site.looks(times=2)
    site.looks(times=4, down={"core2"})
    site.monitors.acknowledge(number, "core2", "ana: on it", BY)
    site.turns(1)
    assert site.told == ["M1 14:00 core2 down, 3 of 3 lost · ana: on it"]
    assert site.store.audit_rows(limit=1)[0].body["what"] == "acknowledged"


def test_it_ends_in_its_time_and_says_how_it_went(site):
    site.ping("core1", "core2", until=site.now + timedelta(seconds=60))
    site.looks(times=4)
    site.looks(times=4, down={"core2"})
    site.looks(times=6)
    assert site.told[-1].startswith("M1 ended: core1 100 % · core2 66.67 %, down once, 20 s")
    assert site.monitors.running() == []
    assert site.prober.probes == {}


def test_it_ends_with_the_right_of_whoever_began_it(site):
    site.ping("core1")
    site.looks(times=2)
    site.denied = "No: ping on core1 is not allowed to you by any rule."
    site.monitors.reconsider()
    site.turns(1)
    assert "ended (ana may no longer look there: ping on core1 is not allowed" in site.told[-1]


def test_it_goes_on_after_a_restart_in_the_same_message(site):
    site.ping("core1", "core2")
    site.looks(times=3)
    site.looks(times=4, down={"core2"})
    site.restart()
    site.looks(times=2, down={"core2"})
    assert site.live.startswith("M1 ping core (2), every 5 s")
    assert "core2" in site.live
    assert "down since 14:00" in site.live
    assert len(site.told) == 1  # the outage is no news


def test_a_read_is_asked_at_its_times_and_its_condition_is_told(site):
    site.read("disk on web", "web1", "web2", condition="used > 90")
    df = "Filesystem  Use%  Mounted\n/dev/vda1   {}%   /\n"
    site.brings(("web1", df.format(50)), ("web2", df.format(93)))
    site.turns(5)
    assert site.told == ["M1 14:00 web2: /dev/vda1 Use% 93%"]
    site.turns(300)
    assert len(site.asked) == 2
    site.brings(("web1", df.format(50)), ("web2", df.format(60)))
    site.turns(5)
    assert site.told == ["M1 14:00 web2: /dev/vda1 Use% 93% · fine again after 5 min 5 s"]


def test_a_read_that_brings_nothing_is_never_fine(site):
    site.read("disk on web", "web1", condition="used > 90")
    site.brings(("web1", "no route", Status.UNREACHABLE))
    site.turns(5)
    assert site.told == ["M1 14:00 web1: I cannot say how it is: no route"]
    assert "unknown" in str(site.monitors.figures().targets) and site.monitors.figures().targets["unknown"] == 1


def test_more_looks_than_all_monitors_may_take_are_refused(site):
    with pytest.raises(BadCommand, match="3,000 looks a second"):
        site.ping(*(f"r{number}" for number in range(3000)), interval=1.0)


def test_news_wait_for_a_chat_network_that_is_away(site):
    site.ping("core1", "core2")
    site.looks(times=2)
    site.room.away = True
    site.looks(times=4, down={"core2"})
    site.room.away = False
    for task in site.monitors._teller._queue:
        task.not_before = 0.0
    site.turns(1)
    assert any("core2 down" in one for one in site.told)


def test_a_read_that_does_not_come_back_is_told_and_one_that_came_back_unheard_is_found(site):
    site.read("disk on web", "web1", condition="used > 90")
    site.turns(305)
    assert site.told == ["M1 14:05 web1: I cannot say how it is: #1 before it has not ended"]
    site.store.add_outcomes(1, [Outcome("web1", Status.OK, "", "name  used\n/     95%\n")])
    site.store.finish(1, State.DONE)
    site.turns(305)
    assert "used 95%" in site.told[-1]
    assert len(site.asked) == 2


def test_errors_of_interfaces_are_told_from_the_second_look_on_which_comes_soon(site):
    table = "interface  in_errors  out_errors  in_bytes  out_bytes\nGi0/1      {}          0           9         9\n"
    site.read("interface errors on core1", "core1", operation="counters")
    site.brings(("core1", table.format(7)))
    site.turns(30)
    assert len(site.asked) == 2 and not site.told
    site.brings(("core1", table.format(13)))
    site.turns(5)
    assert site.told == ["M1 14:00 core1: Gi0/1 in_errors +6, 12 a minute"]
    site.turns(300)
    site.brings(("core1", "no route", Status.UNREACHABLE))
    site.turns(5)
    assert "I cannot say how it is: no route" in "\n".join(site.told)


def test_what_is_told_is_published_too_with_what_it_was_before(site):
    site.ping("core1", "core2")
    site.looks(times=4)
    site.looks(times=4, down={"core2"})
    (event,) = site.published
    assert (event.tag, event.data["devices"]) == ("bot/monitor/1/down", ("core2",))
    (change,) = event.data["changes"]
    assert (change["target"], change["was"], change["now"], change["since"]) == ("core2", "up", "down", site.at(20))


def test_thousands_that_go_down_at_once_are_one_event_for_whoever_listens(site):
    site.ping(*(f"r{number}" for number in range(1_200)))
    site.looks(times=3)
    site.looks(times=4, down={f"r{number}" for number in range(1_100)})
    assert [(event.tag, len(event.data["changes"])) for event in site.published] == [("bot/monitor/1/down", 1_100)]


def test_an_end_and_a_loss_of_the_own_network_are_published(site):
    site.routes = {"192.0.2.254"}
    number = site.ping("core1")
    site.looks(times=3, gateway=True)
    site.looks(times=4, down="all", gateway=False)
    site.looks(times=1, gateway=True)
    site.monitors.end(number, "enough")
    assert [event.tag for event in site.published] == ["bot/network/lost", "bot/network/back", "bot/monitor/1/ended"]


def grown(site, *counts, name="Gi0/1"):
    """Each look of a device brings so many bytes more."""
    site.read("interface traffic on core1", "core1", operation="counters")
    for number, count in enumerate(counts):
        site.brings(("core1", f"interface  in_bytes  out_bytes\n{name}      {count}        0\n"))
        site.turns(31 if not number else 301)


def test_the_bars_of_interfaces_are_there_after_a_restart(site):
    grown(site, 0, 10**9, 2 * 10**9, 9 * 10**9)
    before = site.monitors.watch(1).views()[0]
    site.restart()
    after = site.monitors.watch(1).views()[0]
    assert len(before.track.recent) == 3
    assert text.sparks(after) == text.sparks(before)


def test_each_interface_has_a_history_of_its_own_also_after_a_restart(site):
    grown(site, 0, 10**9)
    site.restart()
    grown(site, 0, 10**9)
    parts = site.store.monitors.parts(1)
    assert [(one.name, one.facts["unit"]) for one in parts] == [("Gi0/1 in", "Mbit/s"), ("Gi0/1 out", "Mbit/s")]
    assert len(site.monitors.recorder.looks(parts[0].id, 0.0)) == 1


def test_a_restart_in_the_middle_of_an_outage_still_knows_what_is_usual(site):
    site.ping("core1")
    site.looks(times=20)
    site.restart()
    track = site.monitors.watch(1).tracks[1]
    assert (len(track.recent), round(track.usual_ms, 2)) == (20, 1.0)


def test_what_was_seen_long_before_a_restart_is_not_how_it_is_now(site):
    site.ping("core1")
    site.looks(times=20)
    site.now += timedelta(hours=3)
    site.restart()
    assert site.monitors.watch(1).tracks[1].recent == ()


@pytest.fixture
def drawn(tmp_path):
    """A room in which a picture below a message can be renewed each minute."""
    site = Site(tmp_path / "data", pictures=60.0)
    yield site
    site.close()


def test_the_live_message_has_a_picture_that_is_renewed_and_not_repeated(drawn):
    drawn.ping("core1")
    drawn.looks(times=30)
    assert drawn.draws() == [("0", "M1.png", "")]
    drawn.looks(times=12)
    assert drawn.draws()[1:] == [("0", "M1.png", "1")]


def test_after_an_hour_a_picture_comes_each_ten_minutes_or_with_news(drawn):
    drawn.ping("core1", interval=60.0)
    for _ in range(75):
        drawn.looks(every=60)
        drawn.draws()
    before = len(drawn.room.pictures)
    drawn.looks(every=60, times=3)
    assert len(drawn.draws()) == before
    drawn.looks(every=60, times=4, down="all")
    assert len(drawn.draws()) == before + 1


def test_after_a_restart_the_picture_of_before_is_renewed(drawn):
    drawn.ping("core1")
    drawn.looks(times=6)
    drawn.draws()
    drawn.restart()
    drawn.looks(times=6)
    assert drawn.draws()[-1] == ("0", "M1.png", "1")


def test_who_takes_the_picture_away_gets_no_other_one(drawn):
    drawn.ping("core1")
    drawn.looks(times=6)
    drawn.room.away = True
    drawn.draws()
    drawn.looks(times=40)
    assert len(drawn.draws()) == 1


def test_where_no_picture_can_be_renewed_none_is_drawn(site):
    site.ping("core1")
    site.looks(times=30)
    assert site.draws() == []


def test_of_reads_that_told_nothing_only_the_newest_stays(site):
    site.read("disk on web", "web1", condition="used > 90")
    for used in (10, 20, 30, 95, 96, 97):
        site.brings(("web1", f"name  used\n/     {used}%\n"))
        site.turns(301)
    kept = [number for number in site.asked if site.store.outcomes(number)]
    assert kept == [1, 4, 6]  # the first one, the one that was told, the newest
    (row,) = site.store.audit_rows(kind=AuditKind.MONITOR_SAW)
    assert (row.body["look"], len(row.body["output_sha256"])) == (4, 64)


def test_what_came_back_while_it_was_muted_is_told_then_with_how_long_it_lasted(site):
    site.ping("core1", "core2")
    site.looks(times=4)
    site.looks(times=12, down={"core2"})
    site.monitors.mute(1, "", site.now + timedelta(minutes=10), "ana: cabling", BY)
    site.looks(times=150)
    assert site.told == ["M1 14:00 core2 down, 3 of 3 lost · back after 60 s"]
