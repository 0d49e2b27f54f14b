"""What the timer takes, runs, misses and says, on a clock that the test moves."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text as sql

from automation_bots.errors import BadCommand, StoreError
from automation_bots.events import Bus
from automation_bots.model import Answer, Caller, Occurrence, Person, Place, Schedule, ScheduleState, State, Tells
from automation_bots.policy.policy import Policy
from automation_bots.schedules import recurrence
from automation_bots.schedules.own_answers import OwnAnswers, OwnContext
from automation_bots.schedules.timer import ScheduleContext, ScheduleTimer
from automation_bots.store import Store, Subject
from automation_bots.store.schedules import _row
from tests.store.conftest import JOB
from tests.support.chatbot import Surface, wait

pytestmark = pytest.mark.slow  # writes files

ANA, ROOM = Caller("test", "ana"), Place("test", "ops")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURLY, NIGHTLY = "0 * * * *", "30 2 * * *"


class Times:
    """A timer on a record of its own; `ran` are the times at which something was begun."""

    def __init__(self, folder, now=NOON):
        self.folder, self.now, self.ran, self.refuses, self.looks = folder, now, [], "", False
        self.surface, self.admins, self.away, self.ends = Surface(), [], False, True
        self.people({"ana"})
        self.says = Answer("2 jobs:", "#2\n#1")
        self.bus, self.lead, self.asked_of, self.when = Bus(), None, [], []
        self.live_again()

    def people(self, names, problem=""):
        persons = {name: Person(name, ids={"test": name}) for name in names}
        self.policy = Policy(persons, {("test", name): person for name, person in persons.items()}, problem=problem)

    def live_again(self):
        self.store = Store.open(self.folder, clock=lambda: self.now)
        self.own = OwnAnswers(OwnContext(self.store.schedules, self.answer, str, self.place, failures=3))
        self.timer = ScheduleTimer(
            ScheduleContext(
                self.store.schedules, lambda: self.policy, lambda: self.now, self.run, self.own, self.asks,
                lambda _: self.looks, self.place,
                lambda answer: self.admins.append(str(answer)), self.bus, lambda _: ("web1",),
                failures=3,
            )
        )  # fmt: skip

    def answer(self, schedule, occurrence):
        self.ran.append(occurrence.at)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def asks(self, schedule, occurrence):
        self.asked_of.append(occurrence.at)
        return self.lead

    def place(self, _place):
        if self.away:
            raise OSError("away")
        return self.surface

    def run(self, schedule, occurrence, when=None):
        if self.refuses:
            return Answer(self.refuses)
        number = self.store.add_job(replace(JOB, place=ROOM, occurrence=occurrence)).number
        self.ran.append(occurrence.at)
        self.when.append(self.now)
        self.store.start(number)
        if self.ends:
            self.store.finish(number, State.DONE)
        return None

    def add(self, cron="", zone="UTC", command="patch", **fields):
        when = recurrence.Recurrence("as said", zone, cron=cron, **fields)
        due = when.next(self.now)
        made = Schedule(
            0, "ana", ANA, ROOM, command, "on web", times=recurrence.kept(when), due=due, ahead=True, asks=due
        )
        return self.store.schedules.add(made)

    def until(self, then, step):
        while self.now < then:
            self.now += step
            self.timer.round()

    @property
    def said(self):
        return [text for _, text in self.surface.said]

    def schedule(self, number=1):
        return self.store.schedules.find(number)


@pytest.fixture
def times(tmp_path):
    found = Times(tmp_path / "data")
    yield found
    found.store.close()


def test_each_time_comes_once_and_never_drifts_however_late_one_looks(times):
    times.add(every=HOUR, anchor=NOON)
    for late in (1, 40, 0, 59, 3):
        times.now = times.schedule().due + timedelta(seconds=late)
        times.timer.round()
        times.timer.round()
    assert times.ran == [NOON + n * HOUR for n in range(1, 6)]


def test_one_sleeps_until_the_next_time_and_looks_at_the_clock_now_and_then(times):
    assert times.timer.round() == 60
    times.add(HOURLY)
    assert times.timer.round() == 60
    times.now += timedelta(minutes=59, seconds=50)
    assert times.timer.round() == 10


def test_of_twenty_changes_that_were_due_in_eight_hours_of_silence_none_runs_and_one_message_names_them(times):
    for number in range(20):
        times.add(f"{number * 3} {13 + number % 6} * * *", command=f"patch{number}")
    times.now += 8 * HOUR
    times.timer.round()
    times.timer.round()
    (message,) = times.said
    assert (times.ran, message.split(":")[0]) == (
        [],
        "20 times of 20 schedules were missed, and no change is made up for",
    )
    assert all(f"S{n + 1} patch{n} on web" in message for n in range(20))


def test_of_a_change_that_was_missed_again_and_again_the_message_says_how_often(times):
    times.add("*/24 * * * *")
    times.now += 8 * HOUR + timedelta(minutes=10)
    times.timer.round()
    assert times.ran == []
    assert "24 times, from 2026-03-02 12:24 UTC to 2026-03-02 20:00 UTC" in times.said[0]
    times.now = times.schedule().due
    times.timer.round()
    assert (len(times.ran), len(times.said)) == (1, 1)


def test_a_read_that_was_missed_runs_once_late_and_nobody_hears_of_it(times):
    times.looks = True
    times.add(HOURLY)
    times.now += 8 * HOUR + timedelta(minutes=10)
    times.timer.round()
    assert (times.ran, times.said) == ([NOON + 8 * HOUR], [])
    assert times.store.schedules.history(1, 9)[0].missed == 7


def test_a_change_of_one_time_that_was_missed_is_over(times):
    times.add(once=NOON + HOUR)
    times.now += 2 * HOUR
    times.timer.round()
    assert (times.schedule().state, times.ran) == (ScheduleState.OVER, [])
    assert "One time of a schedule was missed" in times.said[0]


@pytest.mark.parametrize(("day", "expected"), [((3, 29), ["03:00 CEST"]), ((10, 25), ["02:30 CEST"])])
def test_a_change_in_the_hour_that_the_clocks_skip_or_repeat_runs_once(tmp_path, day, expected):
    night = datetime(2026, *day, tzinfo=ZoneInfo("Europe/Madrid"))
    times = Times(tmp_path / "data", night.astimezone(UTC))
    times.add(NIGHTLY, "Europe/Madrid")
    times.until(times.now + timedelta(hours=4), timedelta(minutes=1))
    times.store.close()
    assert [f"{at.astimezone(night.tzinfo):%H:%M %Z}" for at in times.ran] == expected


def test_a_clock_that_is_set_back_by_a_day_lets_nothing_come_twice_and_that_is_said(times):
    times.add(HOURLY)
    times.until(NOON + 3 * HOUR, HOUR / 2)
    times.now -= DAY
    times.timer.round()
    times.until(NOON + 5 * HOUR, HOUR / 2)
    assert times.ran == [NOON + n * HOUR for n in (1, 2, 3, *range(-20, 1), 4, 5)]
    assert ["went back by 1 d: no time" in text for text in times.admins] == [True]


def test_a_clock_that_is_set_ahead_by_a_day_and_back_lets_nothing_come_twice(times):
    times.add(HOURLY)
    times.until(NOON + HOUR, HOUR / 2)
    times.now += DAY + HOUR / 2
    times.timer.round()
    times.now -= DAY + HOUR / 2
    times.until(NOON + 2 * DAY, HOUR / 2)
    assert sorted({NOON + n * HOUR for n in range(1, 49)} - set(times.ran)) == [NOON + 25 * HOUR]  # told as missed
    assert len(times.ran) == len(set(times.ran)) == 47
    assert ["24 times, from" in text for text in times.said] == [True]


def test_after_a_clock_that_stood_years_ahead_schedules_go_on(times):
    times.add(HOURLY)
    times.now += 2000 * DAY + HOUR / 2
    times.timer.round()
    times.store.close()
    times.now = NOON
    times.live_again()
    times.until(NOON + 2 * HOUR, HOUR / 2)
    assert times.ran == [NOON + HOUR, NOON + 2 * HOUR]


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_clock_does_no_time_is_taken_twice(times, seed):
    chance = random.Random(seed)
    times.add(HOURLY)
    times.looks = bool(seed % 2)
    for _ in range(60):
        times.now += chance.choice([HOUR / 3, HOUR, HOUR, -HOUR, 5 * HOUR, DAY, -DAY])
        times.timer.round()
    assert len(times.ran) == len(set(times.ran))
    assert {job.occurrence.at for job in times.store.jobs(limit=1000)} == set(times.ran)


def test_without_its_owner_nothing_runs_and_the_room_and_the_admins_hear_of_it(times):
    times.add(HOURLY)
    times.people({"joe"})
    times.away = True
    times.until(NOON + 3 * HOUR, HOUR / 2)
    times.away = False
    times.until(NOON + 5 * HOUR, HOUR / 2)
    assert (times.ran, times.schedule().state) == ([], ScheduleState.PAUSED)
    assert len(times.said) == len(times.admins) == 1, "although the room could not be told at first"
    assert "ana, who made it, is no longer in the policy with that account" in times.said[0]
    assert "→ an admin: !schedule 1 owner <person>" in times.said[0]


def test_while_the_rules_cannot_be_read_nothing_runs_and_nothing_is_paused(times):
    times.add(HOURLY)
    times.people((), problem="policy.yml is wrong")
    times.until(NOON + 6 * HOUR, HOUR / 2)
    assert (len(times.said), times.schedule().state) == (1, ScheduleState.ACTIVE)
    times.people({"ana"})
    times.until(NOON + 7 * HOUR, HOUR / 2)
    assert times.ran == [NOON + 7 * HOUR]


def test_what_is_refused_three_times_in_a_row_is_paused_and_says_so(times):
    times.add(HOURLY)
    times.refuses = "No: web is frozen."
    times.until(NOON + 9 * HOUR, HOUR / 2)
    first, second = times.said
    assert "S1 patch on web did not run at 2026-03-02 13:00 UTC: No: web is frozen." in first
    assert "paused, since that was 3 times in a row" in second
    assert "!schedule 1 resume" in second
    assert len(times.store.schedules.history(1, 9)) == 3


def test_it_waits_for_its_own_end(times):
    times.add(HOURLY)
    times.ends = False
    times.until(NOON + 4 * HOUR, HOUR / 2)
    assert (times.ran, len(times.said)) == ([NOON + HOUR], 1)
    assert "the time before it has not ended" in times.said[0]
    times.store.finish(1, State.DONE)
    times.ends = True
    times.until(NOON + 5 * HOUR, HOUR / 2)
    assert (times.ran[1:], times.schedule().failures) == ([NOON + 5 * HOUR], 0)


def test_a_room_that_cannot_be_told_now_is_told_later_and_once(times):
    times.add(once=NOON + HOUR)
    times.now += 2 * HOUR
    times.away = True
    assert times.timer.round() <= 30
    times.away = False
    for _ in range(3):
        times.timer.round()
    assert len(times.said) == 1


def test_ten_thousand_schedules_cost_nothing_while_nothing_is_due(times):
    body = _row(times.add("0 2 * * *"))["body"]
    with times.store._database.write() as connection:
        rows = "INSERT INTO schedules (state, person, due, body) VALUES ('active', 'ana', :due, :body)"
        connection.execute(sql(rows), [{"body": body, "due": "2026-03-03T02:00:00.000000Z"}] * 10_000)
        plans = [
            str(connection.execute(sql(f"EXPLAIN QUERY PLAN {query}")).all())
            for query in (
                "SELECT * FROM schedules WHERE due <= '2026-03-02' ORDER BY due, number LIMIT 9",
                "SELECT min(due) FROM schedules",
                "SELECT min(asks) FROM schedules",
                "SELECT * FROM schedules WHERE asks <= '2026-03-02' ORDER BY asks, number LIMIT 9",
                "SELECT * FROM occurrences WHERE told = 0",
                "SELECT * FROM occurrences JOIN jobs ON jobs.number = occurrences.job WHERE occurrences.result = ''",
            )
        ]
    assert [plan for plan in plans if "SCAN" in plan or "INDEX" not in plan] == []
    assert times.timer.round() == 60


def test_one_that_cannot_be_read_keeps_no_other_from_its_times_and_is_tried_now_and_then(times):
    broken = times.add(HOURLY)
    times.add(HOURLY)
    lost = replace(broken, times={**broken.times, "zone": "Mars/Base"})
    assert times.store.schedules.change(broken, lost, "test", Subject())
    times.now += HOUR
    assert times.timer.round() == 10
    assert [job.occurrence.schedule for job in times.store.jobs()] == [2]


@pytest.mark.parametrize(
    ("lead", "hour"),
    [(timedelta.max, 14), (5 * HOUR, 21)],  # a rule gives approvers less time than the bot asks ahead
)
def test_approvers_are_asked_hours_before_a_time_and_once(times, lead, hour):
    times.add("0 2 * * *")
    times.lead, times.ends = lead, False
    times.until(NOON + 14 * HOUR, HOUR / 2)
    assert (times.ran, times.when) == ([datetime(2026, 3, 3, 2, tzinfo=UTC)], [NOON.replace(hour=hour)])
    times.until(NOON + 20 * HOUR, HOUR / 2)
    assert len(times.ran) == 1


def test_where_nobody_has_to_be_asked_each_time_is_looked_at_once_and_comes_as_it_is_due(times):
    times.add("0 2 * * *")
    times.until(NOON + 15 * HOUR, HOUR / 2)
    assert (times.asked_of, times.when) == ([NOON + 14 * HOUR], [NOON + 14 * HOUR])


def test_what_is_void_since_something_changed_is_asked_anew_while_its_time_is_to_come(times):
    times.add("0 2 * * *")
    times.lead, times.ends = timedelta.max, False
    times.until(NOON + 3 * HOUR, HOUR / 2)
    with times.store._database.write() as connection:
        connection.execute(sql("UPDATE jobs SET state = 'void'"))
    times.until(NOON + 4 * HOUR, HOUR / 2)
    assert times.ran == [NOON + 14 * HOUR] * 2
    assert [one.job for one in times.store.schedules.history(1, 9)] == [2]
    assert times.schedule().failures == 0


def test_about_the_next_time_nobody_is_asked_while_the_last_goes_on(times):
    times.add(HOURLY)
    times.lead, times.ends = timedelta.max, False
    times.timer.round()
    assert times.ran == [NOON + HOUR]
    times.until(NOON + HOUR / 2, HOUR / 2)
    assert times.ran == [NOON + HOUR]
    times.store.finish(1, State.DONE)
    times.until(NOON + HOUR, HOUR / 2)
    assert times.ran == [NOON + HOUR, NOON + 2 * HOUR]


def test_whoever_follows_events_hears_what_ran_what_was_refused_and_what_was_missed(times):
    times.add(HOURLY)
    with times.bus.listen("bot/schedule/1/*") as events:
        times.until(NOON + HOUR, HOUR / 2)
        times.timer.round()
        times.refuses = "No: web is frozen."
        times.until(NOON + 2 * HOUR, HOUR / 2)
        times.now += 5 * HOUR + HOUR / 2
        times.timer.round()
        ran, refused, missed = (events.next(1) for _ in range(3))
    assert [event.tag.rpartition("/")[2] for event in (ran, refused, missed)] == ["ran", "refused", "missed"]
    assert (ran.data["job"], ran.data["state"], ran.data["at"]) == (1, "done", NOON + HOUR)
    assert (refused.data["reason"], missed.data["times"]) == ("No: web is frozen.", 5)


# -- the bot is killed


class Dies(Times):
    """Every write after the n-th one fails, as if it were dead."""

    def live_again(self):
        super().live_again()
        left, begin = count(), self.store._database.write

        def write():
            if next(left) >= self.writes:
                raise StoreError("dead")
            return begin()

        self.store._database.write = write


@pytest.mark.parametrize("writes", range(7))
def test_whatever_was_written_last_a_change_runs_once_or_is_told(tmp_path, writes):
    Dies.writes = 10**9
    times = Dies(tmp_path / "data")
    times.add(HOURLY)
    times.store.close()
    times.now, Dies.writes = NOON + HOUR, writes + 1  # the first write opens the record
    times.live_again()
    for life in (times.timer.begin, times.timer.round):
        try:
            life() if life is not times.timer.begin else times.store.schedules.lose()
        except StoreError:
            continue
    times.store.close()
    Dies.writes = 10**9
    times.live_again()
    times.store.recover()
    times.store.schedules.lose()
    times.timer.round()
    assert len(times.ran) <= 1
    assert len(times.store.jobs()) == len(times.ran) or not times.ran
    assert times.ran or ["not begun" in text for text in times.said] == [True]
    assert times.store.verify_audit()
    times.store.close()


def test_an_occurrence_is_a_value():
    assert Occurrence(1, NOON) == Occurrence(1, NOON)


# -- commands of the bot itself


def done(times, many=1):
    """Wait until so many times have come to something, and what came of the last one."""
    wait(lambda: not times.own.is_busy(1) and len(times.store.schedules.history(1, 9)) == many, 10)
    return times.store.schedules.history(1, 9)[0]


def test_a_command_of_the_bot_itself_is_answered_at_its_time_where_it_was_set(times):
    times.add(HOURLY, command="jobs")
    times.until(NOON + HOUR, HOUR)
    assert (done(times).result, times.said) == ("done", ["S1 jobs on web: 2 jobs:\n#2\n#1"])
    times.timer.round()
    assert len(times.said) == 1


def test_of_such_an_answer_only_what_is_other_than_before_is_told(times):
    made = times.add(HOURLY, command="jobs")
    assert times.store.schedules.change(made, replace(made, tells=Tells.CHANGE), "test", Subject())
    for number in range(1, 4):
        times.until(NOON + number * HOUR, HOUR)
        done(times, number)
        times.says = Answer("2 jobs:", "#3\n#2") if number == 2 else times.says
    assert times.said[1:] == ["S1 jobs on web: other than before (− then, + now)\n+#3\n-#1"]


@pytest.mark.parametrize("said", [Answer("No: that is not for you."), BadCommand("Which one?"), ValueError("inside")])
def test_a_no_and_what_breaks_are_told_once_and_pause_it_in_the_end(times, said):
    times.add(HOURLY, command="freeze")
    times.says = said
    for number in range(1, 4):
        times.until(NOON + number * HOUR, HOUR)
        done(times, number)
        times.timer.round()
    assert times.schedule().state is ScheduleState.PAUSED
    assert [("inside" in text, "did not run" in text) for text in times.said] == [(type(said) is ValueError, True)] * 2
    assert "ValueError" not in str(times.said)


def test_a_change_of_the_bot_itself_is_not_made_up_for_and_a_kill_leaves_it_unknown(times):
    made = times.add(HOURLY, command="freeze")
    times.now += HOUR
    assert times.store.schedules.take(made, times.now, times.now + HOUR)
    times.timer._store.lose()
    times.now += 3 * HOUR / 2
    times.timer.round()
    assert times.ran == []
    assert "I was killed at that moment, and cannot say whether it was done" in times.said[0]
    assert "2026-03-02 14:00 UTC" in times.said[0]
