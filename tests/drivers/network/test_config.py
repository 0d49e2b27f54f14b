"""Configuring two real FRR routers, each test with routers of its own: what breaks BGP goes back by itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.network import own_operations as ops
from automation_bots.drivers.network.archive import Archive
from automation_bots.model import Status
from tests.drivers.network.bench import process_for_devices
from tests.fakes.frr import Frr, wait

pytestmark = pytest.mark.slow
BREAKS_BGP = ("router bgp 65001", " neighbor 10.255.0.2 remote-as 64999")
ROUTE = ("ip route 198.51.100.0/24 blackhole",)


@pytest.fixture
def frr() -> Iterator[Frr]:
    with Frr() as lab:
        yield lab


def test_check_shows_the_difference_and_sends_nothing(chat, r1, frr):
    outcome = chat.one(ops.CONFIG, r1, lines=ROUTE, check=True)
    assert outcome.output == "+ ip route 198.51.100.0/24 blackhole"
    assert "198.51.100.0" not in frr.routers[0].ask("show running-config")


def test_a_plan_names_only_what_is_new_in_a_section(chat, r1):
    outcome = chat.one(ops.CONFIG, r1, lines=("interface wire0", " description to r2"), check=True)
    assert outcome.output == "+ interface wire0 │ description to r2"


def test_a_change_is_made_told_and_taken_back(chat, r1, frr):
    heard = chat.run(ops.CONFIG, r1, lines=("interface wire0", " description to r2"), expect=("bgp",), stay=1)
    assert heard.outcomes["r1"].status is Status.CHANGED
    assert "+ interface wire0 │ description to r2" in heard.conclusions[0].block
    assert "description to r2" in frr.routers[0].ask("show running-config")
    assert chat.one(ops.ROLLBACK, r1, job=42).status is Status.CHANGED
    assert "description to r2" not in frr.routers[0].ask("show running-config")


def test_a_change_that_breaks_bgp_is_rolled_back_by_itself(chat, r1, frr):
    wait(frr.routers[0].established, 20)
    before = frr.routers[0].ask("show running-config")
    outcome = chat.one(ops.CONFIG, r1, lines=BREAKS_BGP, expect=("bgp",), within=5)
    assert outcome.status is Status.FAILED
    assert "BGP neighbour 10.255.0.2 not back" in outcome.summary
    assert "rolled back" in outcome.summary
    assert frr.routers[0].ask("show running-config") == before
    wait(frr.routers[0].established, 20)


def test_a_neighbour_that_is_removed_comes_back_with_all_it_had(chat, r1, frr):
    wait(frr.routers[0].established, 20)
    before = frr.routers[0].ask("show running-config")
    outcome = chat.one(ops.CONFIG, r1, lines=("no router bgp 65001",), expect=("bgp",), within=2)
    assert outcome.status is Status.FAILED
    assert frr.routers[0].ask("show running-config") == before
    wait(frr.routers[0].established, 20)


def test_a_line_that_is_refused_takes_back_those_before_it(chat, r1, frr):
    outcome = chat.one(ops.CONFIG, r1, lines=(*ROUTE, "nonsense 1"))
    assert outcome.status is Status.FAILED
    assert "refuses 'nonsense 1'" in outcome.summary
    assert "198.51.100.0" not in frr.routers[0].ask("show running-config")


def test_a_cancelled_change_goes_back(chat, r1, frr):
    wait(frr.routers[0].established, 20)
    cancel = Cancel()
    threading.Timer(3, cancel.set, ("ana said stop",)).start()
    outcome = chat.one(ops.CONFIG, r1, lines=BREAKS_BGP, expect=("bgp",), within=60, cancel=cancel)
    assert outcome.status is Status.CANCELLED
    assert "ana said stop" in outcome.summary
    assert "64999" not in frr.routers[0].ask("show running-config")


def test_what_a_change_replaces_is_kept_before_it_begins(chat, r1, frr):
    """Whoever is killed in the middle, there is a way back."""
    values = {"lines": ("interface wire0", " description to r2"), "expect": ("interfaces",), "stay": 60}
    job = threading.Thread(target=chat.one, args=(ops.CONFIG, r1), kwargs=values)
    job.start()
    wait(lambda: "description to r2" in frr.routers[0].ask("show running-config"), 20)
    os.kill(process_for_devices(), signal.SIGKILL)
    job.join(20)
    assert chat.one(ops.ROLLBACK, r1, job=42).status is Status.CHANGED
    assert "description to r2" not in frr.routers[0].ask("show running-config")


def test_a_change_whose_way_back_cannot_be_kept_is_not_begun(chat, r1, frr, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "changes").touch()
    outcome = chat.one(ops.CONFIG, r1, lines=ROUTE)
    assert (outcome.status, "nothing was sent" in outcome.summary) == (Status.FAILED, True)
    assert "198.51.100.0" not in frr.routers[0].ask("show running-config")


def test_a_change_that_was_taken_back_leaves_nothing_to_roll_back(chat, r1):
    chat.one(ops.CONFIG, r1, lines=("hostname x", "no such line"))
    assert "changed no configuration here" in chat.one(ops.ROLLBACK, r1, job=42).summary


def test_a_rollback_is_refused_when_somebody_changed_it_since(chat, r1, frr):
    chat.run(ops.CONFIG, r1, lines=ROUTE)
    frr.routers[0].ask("configure terminal", "ip route 203.0.113.0/24 blackhole")
    refused = chat.one(ops.ROLLBACK, r1, job=42)
    assert (refused.status, refused.output) == (Status.FAILED, "+ ip route 203.0.113.0/24 blackhole")
    assert chat.one(ops.ROLLBACK, r1, job=42, anyway=True).status is Status.CHANGED
    assert "blackhole" not in frr.routers[0].ask("show running-config")


@pytest.mark.parametrize(
    "line", ["end", "do reload", "write memory", "exit", "commit", "ip route x ; reload", "conf t"]
)
def test_what_is_no_configuration_is_never_sent(chat, r1, line):
    outcome = chat.one(ops.CONFIG, r1, lines=(line,))
    assert outcome.status is Status.FAILED
    assert repr(line)[:8] in outcome.summary


# --- what the router refuses


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("router bgp 65001", " neighbor 10.9.9.9 description x"), "% Specify remote-as or peer-group commands first"),
        (("router bgp 65001", " neighbor 10.255.0.2 peer-group GRP"), "% Configure the peer-group first"),
        (("router bgp 65009", " neighbor 10.9.9.9 remote-as 1"), "refuses 'router bgp 65009': BGP is already running"),
        ((*ROUTE, "ip route 198.51.100.0/33 blackhole"), "% Unknown command"),
    ],
)
def test_a_change_that_was_refused_was_not_made(chat, r1, frr, lines, words):
    outcome = chat.one(ops.CONFIG, r1, lines=lines)
    assert outcome.status is Status.FAILED
    assert words in outcome.summary
    assert "198.51.100.0" not in frr.routers[0].ask("show running-config")


def test_what_is_so_already_is_ok_and_what_left_no_trace_is_not(chat, r1):
    bgp = "router bgp 65001"
    ok = chat.one(ops.CONFIG, r1, lines=(bgp, " neighbor 10.255.0.2 remote-as 65002", " no neighbor 10.9.9.9"))
    assert (ok.status, ok.summary) == (Status.OK, "nothing to change: it is so already")
    shown_nowhere = chat.one(
        ops.CONFIG, r1, lines=(bgp, " address-family ipv4 unicast", "  neighbor 10.255.0.2 activate")
    )
    assert shown_nowhere.status is Status.FAILED
    assert "'neighbor 10.255.0.2 activate'" in shown_nowhere.summary


# --- the archive


def test_what_a_job_replaced_is_forgotten_with_the_job(tmp_path):
    archive = Archive(tmp_path, keep_days=30)
    for job, days in ((1, 40), (2, 10)):
        archive.remember(job, "r1", {"before": "x"})
        old = time.time() - days * 86_400
        os.utime(tmp_path / "changes" / f"{job}-r1.cfg", (old, old))
    archive.tidy()
    assert [archive.replaced(job, "r1") is not None for job in (1, 2)] == [False, True]


def test_a_backup_is_kept_in_git_and_readable_by_nobody_else(chat, r1, r2, tmp_path):
    heard = chat.run(ops.BACKUP, r1, r2)
    assert {outcome.output for outcome in heard.outcomes.values()} == {""}
    assert heard.conclusions[0].text == "2 for the first time."
    configs = tmp_path / "data" / "configs"
    assert {path.stat().st_mode & 0o777 for path in configs.glob("*.cfg")} == {0o600}
    assert configs.stat().st_mode & 0o777 == 0o700


def test_what_was_changed_since_the_backup_is_shown(chat, r1, frr):
    chat.run(ops.BACKUP, r1)
    frr.routers[0].ask("configure terminal", "ip route 203.0.113.0/24 blackhole")
    assert chat.one(ops.DIFF, r1).output == "+ ip route 203.0.113.0/24 blackhole"
    assert chat.run(ops.BACKUP, r1).conclusions[0].text == "1 other than in the backup before."
    frr.routers[0].ask("configure terminal", "no ip route 203.0.113.0/24 blackhole")
    assert chat.one(ops.DIFF, r1, since="1").summary == "as in the backup"
    assert chat.one(ops.HISTORY, r1).summary == "2 versions"


def test_without_a_backup_the_next_step_is_named(chat, r1):
    assert "!backup r1" in chat.one(ops.DIFF, r1).summary
