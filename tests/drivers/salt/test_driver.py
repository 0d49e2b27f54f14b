"""The Salt driver against a real Salt."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from automation_bots.drivers import no_secrets
from automation_bots.drivers.salt.api import Login
from automation_bots.drivers.salt.driver import Salt as Driver
from automation_bots.drivers.salt.driver import operations
from automation_bots.errors import DriverError
from automation_bots.model import Command, Device, Risk, Status
from tests.drivers.contract import Bench, Lab, LoginContract, Logins
from tests.drivers.ssh.bench import LIMIT, verb
from tests.fakes.salt import Salt

pytestmark = pytest.mark.slow
WEB1, WEB2, DB1 = (Device(name) for name in ("web1", "web2", "db1"))
SALT, STATE, GRAINS, MINIONS, JOBS = operations()


def login_to(salt: Salt, **more) -> Login:
    return replace(Login(salt.url, "opsbot", salt.password, "file"), **more)


@pytest.fixture(scope="module")
def shared(salt: Salt) -> Iterator[Driver]:
    driver = Driver(login_to(salt), answer_seconds=2, output_limit=LIMIT)
    yield driver
    driver.close()


@pytest.fixture
def bench(shared: Driver, tmp_path: Path) -> Bench:
    (tmp_path / "work").mkdir()
    return Bench(shared, tmp_path / "work")


def called(bench: Bench, function: str, *args: str, on=WEB1, **options):
    values = {"function": function, "args": args}
    return bench.run(SALT, on, parameters=values, **options)[on.name]


def stopped_once_it_said_that_it_works(salt: Salt, driver: Driver) -> None:
    with driver.bus.listen("salt/job/*/ret/db1") as events:
        while (event := events.next(30)) is not None and event.data.get("fun") != "saltutil.find_job":
            pass
    salt.stop("db1")


class TestContract(LoginContract):
    @pytest.fixture
    def lab(self, salt: Salt, shared: Driver, tmp_path: Path) -> Lab:
        wrong = Driver(login_to(salt, password="wrong-1"))
        wrong.close()  # so that it follows no events, which would be refused all the time
        trace = salt.folder / "work" / tmp_path.name
        sleep = f"6{time.time_ns() % 10**8 / 10**8}"
        return Lab(
            driver=shared,
            good=(WEB1, WEB2, DB1),
            broken=Device("bad1", variables={"salt_minion": "web1", "platform": "posix"}),
            unreachable=Device("gone1"),
            hello=verb("echo", "hello", posix=Command(("false",))),
            slow=verb("sleep", sleep, risk=Risk.CHANGE),
            loud=verb("sh", "-c", f"yes | head -c {LIMIT * 3}"),
            touch=verb("touch", str(trace), risk=Risk.CHANGE),
            touched=trace.exists,
            still_running=lambda: bool(salt.running(f"sleep {sleep}")),
            output_limit=LIMIT,
            logins=Logins(
                count=salt.logins,
                password=salt.password,
                prints=lambda said: verb("echo", said),
                wrong=(wrong, WEB1, no_secrets),
                wrong_password="wrong-1",
            ),
        )


class TestCalls:
    def test_a_function_answers_minion_by_minion(self, bench: Bench):
        outcomes = bench.run(SALT, WEB1, DB1, parameters={"function": "test.ping"})
        assert {name: outcome.output for name, outcome in outcomes.items()} == {"web1": "True", "db1": "True"}

    def test_a_minion_is_told_as_soon_as_it_returns(self, bench: Bench):
        sleep = "sleep {{ 5 if grains.id == 'db1' else 0 }}"
        values = {"function": "cmd.run", "args": (sleep, "template=jinja")}
        outcomes = bench.run(SALT, WEB1, DB1, parameters=values)
        assert outcomes["web1"].seconds + 3 < outcomes["db1"].seconds

    def test_the_inventory_says_what_the_minion_is_called(self, bench: Bench):
        front = Device("front", variables={"salt_minion": "web2"})
        assert called(bench, "grains.get", "id", on=front).output == "web2"

    @pytest.mark.parametrize(
        "word", ["; id", "$(id)", "{{ grains.id }}", "['test.ping', 'cmd.run']", "a b", "ü'\"", "-n"]
    )
    def test_words_arrive_as_they_are(self, bench: Bench, word: str):
        assert called(bench, "test.echo", word).output == word
        assert bench.run(verb("printf", "<%s>", word), WEB1)["web1"].output == f"<{word}>"

    def test_a_value_by_name_is_given_by_name(self, bench: Bench):
        output = called(bench, "test.arg", "7", "name=a; id", "flag=true").output
        assert "name: a; id" in output
        assert "flag: true" in output
        assert "- 7" in output

    def test_a_name_that_salt_keeps_to_itself_is_refused(self, bench: Bench):
        outcome = called(bench, "test.arg", "__pub_user=root")
        assert (outcome.status, "keeps to itself" in outcome.summary) == (Status.FAILED, True)

    def test_a_function_that_is_not_there_is_a_failure(self, bench: Bench):
        outcome = called(bench, "nosuch.thing")
        assert outcome.status is Status.FAILED
        assert "nosuch.thing" in outcome.summary

    def test_a_command_that_fails_says_so(self, bench: Bench):
        outcome = bench.run(verb("sh", "-c", "echo out; echo bad >&2; exit 3"), WEB1)["web1"]
        assert (outcome.status, outcome.summary, outcome.output, outcome.exit_code) == (
            Status.FAILED, "bad", "out\nbad", 3)  # fmt: skip

    def test_an_answer_that_salt_leaves_out_is_told_in_words(self, bench: Bench):
        outcome = called(bench, "cmd.run", "head -c 3000000 /dev/zero | tr '\\0' x")
        assert "Salt left the answer out" in outcome.summary
        assert "max_event_size" in outcome.output

    def test_grains_are_told(self, bench: Bench):
        switch = Device("core1", variables={"platform": "cisco_ios"})
        outcomes = bench.run(GRAINS, WEB1, DB1, switch, parameters={"items": ("role", "id")})
        assert outcomes["db1"].output == "role: db\nid: db1"
        assert outcomes["core1"].status is Status.SKIPPED and "no way to this device" in outcomes["core1"].summary

    def test_the_salt_function_of_a_change_is_only_told_with_check(self, bench: Bench):
        outcome = called(bench, "cmd.run", "id", check=True)
        assert (outcome.status, outcome.summary) == (Status.SKIPPED, "would call: cmd.run id")


class TestStates:
    def test_a_preview_names_what_would_change_and_changes_nothing(self, bench: Bench, salt: Salt):
        salt.trace.unlink(missing_ok=True)
        for options in ({"check": True}, {}):
            outcome = bench.run(STATE, WEB1, parameters={"sls": "touch", "test": not options}, **options)["web1"]
            assert outcome.status is Status.SKIPPED
            assert outcome.summary == f"would change 1 of 1 states: {salt.trace}"
            assert not salt.trace.exists()

    def test_a_state_changes_once(self, bench: Bench, salt: Salt):
        salt.trace.unlink(missing_ok=True)
        first = bench.run(STATE, WEB1, parameters={"sls": "touch"})["web1"]
        again = bench.run(STATE, WEB1, parameters={"sls": "touch"})["web1"]
        assert (first.status, first.summary) == (Status.CHANGED, "1 of 1 states changed")
        assert (again.status, again.summary) == (Status.OK, "1 states in place")

    def test_failed_states_are_named(self, bench: Bench):
        outcome = bench.run(STATE, WEB1, parameters={"sls": "broken"})["web1"]
        assert outcome.status is Status.FAILED
        assert outcome.summary.startswith("1 of 2 states failed: wrong: ")

    def test_a_state_that_is_not_there_is_a_failure(self, bench: Bench):
        outcome = bench.run(STATE, WEB1, parameters={"sls": "nosuch"})["web1"]
        assert outcome.status is Status.FAILED
        assert "nosuch" in outcome.output


class TestTrouble:
    def test_a_dead_minion_is_named_and_holds_nobody_up(self, bench: Bench, salt: Salt):
        salt.stop("db1")
        try:
            outcomes = bench.run(SALT, WEB1, DB1, parameters={"function": "test.ping"}, seconds=60)
            assert bench.seconds < 50
            assert outcomes["web1"].status is Status.OK
            assert outcomes["db1"].status is Status.UNREACHABLE
            assert "minion db1 does not answer" in outcomes["db1"].summary
            assert bench.run(MINIONS, seconds=60)[""].output.splitlines()[0].startswith("2 up, 1 down")
        finally:
            salt.start("db1")
            salt.wait_for_minions("db1")

    def test_a_long_function_is_waited_for(self, bench: Bench):
        assert called(bench, "test.sleep", "7").output == "True"

    def test_a_minion_that_dies_at_work_leaves_a_change_unknown(self, bench: Bench, salt: Salt, shared: Driver):
        killer = threading.Thread(target=stopped_once_it_said_that_it_works, args=(salt, shared))
        killer.start()
        try:
            outcome = called(bench, "cmd.run", "sleep 50", on=DB1, seconds=40)
            assert (outcome.status, "no longer answers" in outcome.summary) == (Status.UNKNOWN, True)
        finally:
            killer.join()
            salt.start("db1")
            salt.wait_for_minions("db1")

    def test_a_master_that_restarts_loses_no_answer(self, bench: Bench, salt: Salt):
        def restart():
            salt.stop("master")
            salt.start("master")

        timer = threading.Timer(2, restart)
        timer.start()
        outcome = called(bench, "test.sleep", "12", seconds=90)
        timer.join()
        salt.wait_for_minions()
        assert outcome.status is Status.CHANGED
        assert bench.run(SALT, WEB1, parameters={"function": "test.ping"})["web1"].status is Status.OK

    def test_an_api_that_restarts_is_found_again(self, bench: Bench, salt: Salt, shared: Driver):
        salt.stop("api")
        with pytest.raises(DriverError, match="cannot be reached"):
            called(bench, "test.ping")
        salt.start("api")
        salt.wait_for_minions()
        assert called(bench, "test.ping").status is Status.OK
        assert shared.stream.wait(30)

    def test_without_the_event_stream_answers_are_fetched(self, salt: Salt, tmp_path: Path):
        driver = Driver(login_to(salt), answer_seconds=2)
        driver.close()
        outcomes = Bench(driver, tmp_path).run(SALT, WEB1, WEB2, parameters={"function": "test.ping"})
        assert {outcome.status for outcome in outcomes.values()} == {Status.OK}

    def test_a_wrong_password_says_where_to_look(self, salt: Salt, tmp_path: Path):
        driver = Driver(login_to(salt, password="wrong"))
        with pytest.raises(DriverError, match=r"refused the login of 'opsbot' \(eauth file\)"):
            Bench(driver, tmp_path).run(SALT, WEB1, parameters={"function": "test.ping"})
        driver.close()

    def test_what_salt_does_not_allow_is_told_from_an_old_token(self, salt: Salt, tmp_path: Path):
        driver = Driver(login_to(salt, user="viewer"))
        run = Bench(driver, tmp_path).run
        with pytest.raises(DriverError, match=r"does not allow cmd.run on these minions to 'viewer'"):
            run(SALT, WEB1, parameters={"function": "cmd.run", "args": ("id",)})
        driver.api._token = "0" * 40
        assert run(SALT, WEB1, parameters={"function": "test.ping"})["web1"].status is Status.OK
        driver.close()

    def test_several_functions_in_one_call_are_never_sent(self, salt: Salt, shared: Driver):
        with shared.api.session() as session:
            sent = session.publish(["web1"], ["test.ping", "cmd.run"], [[], ["id"]])  # type: ignore[arg-type]
            time.sleep(1)
            assert "uid=" not in str(session.job(sent.jid))

    def test_a_private_authority_is_trusted_only_when_named(self, salt: Salt, tmp_path: Path):
        with salt.tls() as url:
            stranger = Driver(login_to(salt, url=url))
            with pytest.raises(DriverError, match=r"certificate of .* is not trusted"):
                Bench(stranger, tmp_path).run(SALT, WEB1, parameters={"function": "test.ping"})
            stranger.close()
            driver = Driver(login_to(salt, url=url, ca=salt.ca))
            outcomes = Bench(driver, tmp_path).run(SALT, WEB1, parameters={"function": "test.ping"})
            driver.close()
        assert outcomes["web1"].status is Status.OK


class TestMaster:
    def test_neither_master_nor_minion_nor_api_is_root(self, salt: Salt):
        found = chain(*(salt.running(name) for name in ("salt-master", "salt-minion", "salt-api")))
        processes = [Path(f"/proc/{pid}") for pid in found]
        owners = {it.owner() for it in processes if (it / "comm").read_text().strip() != "runuser"}
        assert owners == {salt.user}
        assert "root" not in owners

    def test_minions_are_up_or_wait_for_their_key(self, bench: Bench, salt: Salt):
        salt.add_minion("new1")
        salt.start("new1")
        waiting = salt.folder / "master" / "pki" / "minions_pre" / "new1"
        end = time.monotonic() + 30
        while not waiting.exists() and time.monotonic() < end:
            time.sleep(0.1)
        output = bench.run(MINIONS)[""].output
        salt.stop("new1")
        salt.command("salt-key", "--yes", "--delete", "new1")
        assert output.splitlines()[0] == "3 up, 0 down, 1 waiting for their key"
        assert "new1                     waits for its key to be accepted" in output

    def test_jobs_of_salt_are_listed_without_their_values(self, bench: Bench):
        called(bench, "test.echo", "hunter2")
        output = bench.run(JOBS)[""].output
        assert "test.echo by opsbot" in output
        assert "hunter2" not in output
