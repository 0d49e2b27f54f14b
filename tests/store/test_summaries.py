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
    assert store.earlier(now) == {second.number: {"web2": "unreachable"}, first.number: {"web1": "ok", "web3": "ok"}}


def test_values_that_only_change_the_view_make_no_other_question(store, job):
    first = asked(store, job, Status.OK, parameters={"words": ("version",)})
    now = store.add_job(job(parameters={"words": ("version",), "diff": True}))
    assert store.earlier(now) == {}
    assert set(store.earlier(now, ignoring=("diff",))) == {first.number}


def test_other_operations_may_have_asked_the_same(store, job):
    first = asked(store, job, Status.OK, operation="ping")
    now = store.add_job(job(operation="reach"))
    assert set(store.earlier(now, ("ping", "reach"))) == {first.number}


def test_many_devices_are_found_again_in_the_last_job_alone_and_what_is_new_in_none(store, job):
    many = tuple(f"d{number}" for number in range(1_200))
    asked(store, job, Status.FAILED, devices=many)
    last = asked(store, job, Status.OK, devices=many)
    now = store.add_job(job(devices=(*many, "new")))
    assert [(number, set(of.values())) for number, of in store.earlier(now).items()] == [(last.number, {"ok"})]


def test_of_a_device_that_the_last_jobs_did_not_ask_the_tenth_before_tells(store, job):
    first = asked(store, job, Status.FAILED, devices=("web1", "web2"))
    for _ in range(12):
        asked(store, job, Status.OK, devices=("web2",))
    assert store.earlier(store.add_job(job(devices=("web1",)))) == {first.number: {"web1": "failed"}}
