"""The throttle: exclusion and order per device, limits, turns between people."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.jobs.counters import Entry, Start
from automation_bots.jobs.throttle import Caps, admit
from automation_bots.model import Limits, Risk
from tests.support.bounds import examples
from tests.support.cost import in_yardsticks

pytestmark = pytest.mark.slow
DAILY = Limits(rate=(1, 86_400))


def entry(number, *devices, risk=Risk.CHANGE, person="ana", **more):
    return Entry(number, person, "text/#ops", "patch", risk, frozenset(devices), **more)


def read(number, *devices, **more):
    return entry(number, *devices, risk=Risk.READ, **more)


def test_a_change_holds_its_devices_alone():
    answer = admit([entry(2, "web1")], [entry(1, "web1", "web2")], Caps(), held={})
    assert answer.start == ()
    assert answer.waits[2] == "waits for web1 (#1 is changing it)"


def test_reads_do_not_wait_for_changes():
    assert admit([read(2, "web1")], [entry(1, "web1")], Caps(), held={}).start == (2,)


def test_a_younger_change_does_not_overtake_on_a_device():
    answer = admit([entry(2, "web1", "web2"), entry(3, "web2")], [entry(1, "web1")], Caps(), held={})
    assert answer.start == ()
    assert answer.waits[3] == "waits for web2 (#2 is before it)"


def test_an_interrupted_change_holds_its_devices_against_changes_only():
    answer = admit([entry(2, "web1"), read(3, "web1")], [], Caps(), held={"web1": 1})
    assert answer.start == (3,)
    assert "#1 was interrupted" in answer.waits[2]


def test_what_is_said_about_an_alert_waits_for_no_session_and_takes_none():
    said = [read(number, "web1", drivers=("alerts",)) for number in (1, 2)]
    assert admit([said[1]], [read(3, "web1"), read(4, "web1")], Caps(device=2), held={}).start == (2,)
    assert admit([read(5, "web1")], [*said, read(3, "web1")], Caps(device=2), held={}).start == (5,)


def test_reads_share_a_device_up_to_its_session_slots():
    answer = admit([read(n, "web1") for n in range(1, 6)], [], Caps(device=3), held={})
    assert answer.start == (1, 2, 3)


def test_a_flood_of_one_person_delays_only_that_person():
    flood = [read(n, f"d{n}", person="joe") for n in range(1, 101)]
    answer = admit([*flood, read(101, "web1", person="ana")], [], Caps(bot=2), held={})
    assert set(answer.start) == {1, 101}


def test_rates_say_when_to_expect_a_start():
    recent = [Start(100.0, read(1, "a")), Start(101.0, read(2, "a"))]
    answer = admit([read(3, "a")], [], Caps(rates={"person": (2, 10)}), held={}, recent=recent, now=102.0)
    assert answer.waits[3].startswith("waits 8 s")


def test_a_rules_own_limit_counts_this_person_and_operation():
    limited = [read(n, f"d{n}", limits=Limits(concurrent=1)) for n in (1, 2)]
    assert admit(limited, [], Caps(), held={}).start == (1,)


def test_limits_of_drivers_and_sites_count():
    caps = Caps(driver={"ansible": 1}, site={"*": 1})
    queued = [
        read(1, "a", drivers=("ansible",)),
        read(2, "b", drivers=("ansible",)),
        read(3, "c", sites=("x",)),
        read(4, "d", sites=("x",)),
    ]
    assert admit(queued, [], caps, held={}).start == (1, 3)


JOBS = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from("abcde"), min_size=1),
        st.sampled_from([Risk.READ, Risk.CHANGE]),
        st.sampled_from(["ana", "joe", "bea"]),
    ),
    max_size=25,
)


@settings(max_examples=examples(300))
@given(JOBS, st.integers(1, 6), st.randoms())
def test_order_and_exclusion_per_device_hold_for_any_jobs(jobs, bot, random):
    queued = [entry(n, *devices, risk=risk, person=person) for n, (devices, risk, person) in enumerate(jobs, 1)]
    running, started, caps = [], [], Caps(bot=bot, person=4, device=2)
    for _ in range(200):
        for number in admit(queued, running, caps, held={}).start:
            job = next(e for e in queued if e.number == number)
            queued.remove(job)
            running.append(job)
            started.append(job)
        check(running, caps)
        if running:
            running.pop(random.randrange(len(running)))
    assert not queued, "every job starts in the end"
    for device in "abcde":
        changes = [e.number for e in started if e.risk is Risk.CHANGE and device in e.devices]
        assert changes == sorted(changes), "first come, first served"


def check(running, caps):
    assert len(running) <= caps.bot
    for device in "abcde":
        here = [e for e in running if device in e.devices]
        assert sum(e.risk is Risk.CHANGE for e in here) <= 1
        assert sum(e.risk is Risk.READ for e in here) <= caps.device


def test_a_change_that_waits_for_an_acknowledgement_keeps_nobody_from_its_other_devices():
    answer = admit([entry(2, "web1", "web2"), entry(3, "web2", person="joe")], [], Caps(), held={"web1": 1})
    assert answer.start == (3,)


def test_a_change_that_waits_for_its_rate_keeps_nobody_from_its_devices():
    recent = [Start(0.0, entry(1, "web1", limits=DAILY))]
    queued = [entry(2, "web1", limits=DAILY), entry(3, "web1", person="joe")]
    answer = admit(queued, [], Caps(), held={}, recent=recent, now=60.0)
    assert answer.start == (3,)
    assert answer.waits[2] == "waits 23 h 59 min: the rule may start 1 jobs in 1 d"


def test_a_long_queue_with_rates_is_looked_through_in_no_time():
    recent = [Start(float(n), entry(n, "web1", person=f"p{n % 50}")) for n in range(10_000)]
    queued = [entry(n, f"d{n}", person=f"p{n % 50}", limits=DAILY) for n in range(10_000)]
    look = partial(admit, queued, [], Caps(rates={"person": (5, 60.0)}), held={}, recent=recent, now=10_000.0)
    assert in_yardsticks(look, 20) < 20


def limited(number, *devices, person="ana", caps=(), rates=(), **more):
    return entry(number, *devices, person=person, limits=Limits(caps=caps, rates=rates), **more)


@pytest.mark.parametrize(
    ("per", "first", "second", "waits"),
    [
        ("bot", {}, {"person": "joe"}, True),
        ("person", {}, {"person": "joe"}, False),
        ("person", {}, {}, True),
        ("operation", {}, {"person": "joe"}, True),
        ("place", {}, {"person": "joe"}, True),
        ("driver", {"drivers": ("ssh",)}, {"drivers": ("ssh", "ansible")}, True),
        ("driver", {"drivers": ("ssh",)}, {"drivers": ("ansible",)}, False),
        ("site", {"sites": ("madrid",)}, {"sites": ("madrid",)}, True),
        ("site", {"sites": ("madrid",)}, {"sites": ("porto",)}, False),
        ("device", {}, {}, False),
    ],
)
def test_a_rule_limits_its_jobs_per_what_it_says(per, first, second, waits):
    caps = (("look", per, 1),)
    answer = admit([limited(2, "d2", caps=caps, **second)], [limited(1, "d1", caps=caps, **first)], Caps(), held={})
    assert bool(answer.waits) is waits
    assert not waits or 'by rule "look"' in answer.waits[2]


def test_the_jobs_of_another_rule_do_not_count():
    other = limited(1, "d1", caps=(("other", "bot", 1),))
    assert admit([limited(2, "d2", caps=(("look", "bot", 1),))], [other], Caps(), held={}).start == (2,)


def test_a_rate_per_device_says_how_long_the_next_one_waits():
    rates = (("look", "device", 1, 600.0),)
    recent = [Start(100.0, limited(1, "d1", rates=rates))]
    queued = [limited(2, "d1", rates=rates), limited(3, "d2", rates=rates)]
    answer = admit(queued, [], Caps(), held={}, recent=recent, now=200.0)
    assert answer.start == (3,)
    assert answer.waits[2].startswith("waits 8 min 20 s: ")


NAMES = st.sampled_from("ab")
PER = st.sampled_from(["bot", "person", "place", "operation", "driver", "site", "device"])
LIMITS = st.builds(
    Limits,
    concurrent=st.none() | st.integers(1, 2),
    rate=st.none() | st.just((1, 50.0)),
    caps=st.lists(st.tuples(NAMES, PER, st.integers(1, 3)), max_size=2).map(tuple),
    rates=st.lists(st.tuples(NAMES, PER, st.integers(1, 3), st.sampled_from([10.0, 50.0])), max_size=2).map(tuple),
)
ANYTHING = st.builds(
    Entry, number=st.just(0), person=NAMES, place=NAMES, operation=NAMES, risk=st.sampled_from(list(Risk)),
    devices=st.frozensets(st.sampled_from("abcd"), min_size=1), drivers=st.sampled_from([(), ("a",), ("a", "b")]),
    sites=st.sampled_from([(), ("a",), ("b",)]), limits=LIMITS,
)  # fmt: skip
COUNTS = st.dictionaries(NAMES, st.integers(0, 4))
CAPS = st.builds(
    Caps, bot=st.integers(1, 8), person=st.integers(1, 4), place=st.integers(1, 4), device=st.integers(1, 3),
    driver=COUNTS, site=COUNTS, operation=COUNTS,
    rates=st.dictionaries(st.sampled_from(["person", "place", "operation:a"]), st.just((3, 50.0))),
)  # fmt: skip


@settings(max_examples=examples(300))
@given(st.lists(ANYTHING, max_size=12), st.lists(st.tuples(st.integers(0, 60), ANYTHING), max_size=8), CAPS)
def test_a_pass_starts_all_that_it_may_keeps_every_limit_and_gives_a_reason_for_the_rest(jobs, before, caps):
    queued = [replace(job, number=number) for number, job in enumerate(jobs, 100)]
    recent = [Start(float(at), job) for at, job in sorted(before, key=lambda start: start[0])]
    answer = admit(queued, [], caps, held={"d": 1}, recent=recent, now=60.0)
    started, waiting = [e for e in queued if e.number in answer.start], [e for e in queued if e.number in answer.waits]
    assert len(started) + len(waiting) == len(queued) and all(answer.waits.values())
    starts = [*recent, *(Start(60.0, job) for job in started)]
    again = admit(waiting, started, caps, held={"d": 1}, recent=starts, now=60.0).start
    # Only where the first pass reached the rate of an older change, which kept its place until then.
    assert all("is before it" in answer.waits[number] for number in again)
    by_number = {job.number: job for job in queued}
    for place, number in enumerate(answer.start, 1):
        now_running = [by_number[number] for number in answer.start[:place]]
        keeps_its_limits(by_number[number], caps, now_running, [*recent, *(Start(60.0, job) for job in now_running)])


def keeps_its_limits(job, caps, running, starts):
    """Count anew, by a simpler way, what ran and had started when a job did, itself included."""
    names = {"bot": lambda _: [""], "person": lambda e: [e.person], "place": lambda e: [e.place],
             "operation": lambda e: [e.operation], "driver": lambda e: e.drivers, "site": lambda e: e.sites,
             "own": lambda e: [e.person + e.operation], "device": lambda e: e.devices}  # fmt: skip

    def most(jobs, per):
        return max((sum(name in names[per](other) for other in jobs) for name in names[per](job)), default=0)

    def since(seconds):
        return [start.entry for start in starts if start.at > 60.0 - seconds]

    limits = job.limits
    assert most(running, "bot") <= caps.bot and most(running, "own") <= (limits.concurrent or 99)
    assert most(running, "person") <= caps.person and most(running, "place") <= caps.place
    for per, cap in (("driver", caps.driver), ("operation", caps.operation), ("site", caps.site)):
        assert all(sum(name in names[per](e) for e in running) <= cap.get(name, 99) for name in names[per](job))
    for per, key in (("person", "person"), ("place", "place"), ("operation", f"operation:{job.operation}")):
        assert most(since(50.0), per) <= caps.rates.get(key, (99, 0))[0]
    assert limits.rate is None or most(since(50.0), "own") <= 1
    for rule, per, cap in limits.caps:
        assert most([e for e in running if (rule, per) in [c[:2] for c in e.limits.caps]], per) <= cap
    for rule, per, cap, seconds in limits.rates:
        assert most([e for e in since(seconds) if (rule, per) in [r[:2] for r in e.limits.rates]], per) <= cap
