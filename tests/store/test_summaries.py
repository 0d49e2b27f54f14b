"""What drivers say of whole jobs, and what was said when the same was asked before."""

from automation_bots.model import Conclusion, File, Outcome, State, Status


def test_what_drivers_say_of_a_job_is_joined_and_its_files_keep_their_names_apart(store, job):
    number = store.add_job(job()).number
    store.conclude(number, Conclusion("3 up.", "web 3", (File("a.csv", b"1"),)))
    store.conclude(number, Conclusion("1 down.", "db 0", (File("a.csv", b"\x00\xff"),)))
    files = (File("a-2.csv", b"\x00\xff"), File("a.csv", b"1"))
    assert store.conclusion(number) == Conclusion("3 up. 1 down.", "web 3\n\ndb 0", files)


def asked(store, job, status, **changes):
    added = store.add_job(job(**changes))
    store.start(added.number)
    store.add_outcomes(added.number, [Outcome(device, status) for device in added.devices])
    store.finish(added.number, State.DONE)
    return added


def test_the_last_time_the_same_was_asked_is_found_for_each_device(store, job):
    first = asked(store, job, Status.OK)
    second = asked(store, job, Status.UNREACHABLE, devices=("web2",))
    asked(store, job, Status.FAILED, parameters={"name": "sshd"})
    asked(store, job, Status.FAILED, check=True)
    now = store.add_job(job())
    found = {device: (number, outcome.status) for device, (number, outcome) in store.earlier(now).items()}
    unreachable = (second.number, Status.UNREACHABLE)
    assert found == {"web1": (first.number, Status.OK), "web2": unreachable, "web3": (first.number, Status.OK)}


def test_values_that_only_change_the_view_make_no_other_question(store, job):
    first = asked(store, job, Status.OK, parameters={"words": ("version",)})
    now = store.add_job(job(parameters={"words": ("version",), "diff": True}))
    assert store.earlier(now) == {}
    assert {number for number, _ in store.earlier(now, ignoring=("diff",)).values()} == {first.number}


def test_other_operations_may_have_asked_the_same(store, job):
    first = asked(store, job, Status.OK, operation="ping")
    now = store.add_job(job(operation="reach"))
    assert {number for number, _ in store.earlier(now, ("ping", "reach")).values()} == {first.number}
