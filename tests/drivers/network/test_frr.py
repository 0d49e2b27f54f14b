"""The network driver on two real FRR routers with a live BGP session between them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Command, Device, Operation, Risk, Status
from automation_bots.operations import verbs
from tests.drivers.contract import Lab, LoginContract, Logins
from tests.drivers.network.bench import LIMIT, driver, router
from tests.drivers.ssh.bench import closed_port, secrets, verb
from tests.fakes.frr import Frr, wait

pytestmark = pytest.mark.slow
_NUMBERS = itertools.count(100)
ROOT = Path(__file__).resolve().parents[3]


def processes_with(words: str) -> bool:
    wanted = words.encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if wanted in place.read_bytes().replace(b"\0", b" "):
                return True
        except OSError:
            continue
    return False


class TestContract(LoginContract):
    @pytest.fixture
    def lab(self, frr: Frr, tmp_path: Path, request) -> Lab:
        first, second = frr.routers
        mine = next(_NUMBERS)
        address, tag = f"127.0.0.{mine}", f"198.51.{mine}.0/24"
        good = (router(frr, first), router(frr, second), router(frr, first, "r3"))

        def printed(text: str) -> Operation:
            first.ask("configure terminal", "interface wire0", f"description {text}")
            request.addfinalizer(lambda: first.ask("configure terminal", "interface wire0", "no description"))
            return verb("show", "interface", "description", platform="frr")

        network = driver(frr.known_hosts, tmp_path / "data")
        return Lab(
            driver=network,
            good=good,
            broken=Device("bad1", variables={**good[0].variables, "platform": "cisco_ios"}),
            unreachable=Device("gone1", variables={**good[0].variables, "ansible_port": closed_port()}),
            hello=verb("find", "hello-interval", platform="frr", cisco_ios=Command(("show", "nonsense"))),
            slow=verb("ping", address, platform="frr", risk=Risk.CHANGE),
            loud=verb("list", platform="frr"),
            touch=ops.snippet("touch", f"ip route {tag} blackhole"),
            touched=lambda: tag in first.ask("show running-config"),
            still_running=lambda: processes_with(f"ping {address}"),
            output_limit=LIMIT,
            secrets=secrets(ansible_password=frr.password),
            logins=Logins(
                count=lambda: (first.folder / "sshd.log").read_text().count("Accepted password"),
                password=frr.password,
                prints=printed,
                wrong=(network, good[0], secrets(ansible_password="guessed-wrong")),
                wrong_password="guessed-wrong",
            ),
        )


# --- reading


def test_what_was_shown_is_the_routers_own_words(chat, r1, r2):
    outcomes = chat.run(ops.SHOW, r1, r2, command=("version",)).outcomes
    assert outcomes["r1"].output.startswith("FRRouting 8")
    assert "(r2)" in outcomes["r2"].summary


def test_only_lines_that_match_are_kept(chat, r1):
    outcome = chat.one(ops.SHOW, r1, command=("interface", "brief"), match="wire")
    assert outcome.output.split()[0] == "wire0"
    assert "\n" not in outcome.output


@pytest.mark.parametrize(
    "words", [("version;", "reload"), ("version", "|", "tee", "x"), ("run\x03",), ("ip", "?"), ("a", ">", "b")]
)
def test_a_read_that_could_do_more_is_refused(chat, r1, words):
    outcome = chat.one(ops.SHOW, r1, command=words)
    assert outcome.status is Status.FAILED
    assert not outcome.output


def test_bgp_is_a_table_of_both_routers(chat, r1, r2):
    wait(lambda: "Established" in chat.one(_verb("bgp"), r1).output, 20)
    block = chat.run(_verb("bgp"), r1, r2).conclusions[0].block
    assert block.splitlines()[0].split()[:3] == ["device", "vrf", "neighbor"]
    assert block.count("Established") == 2


def test_a_route_says_where_packets_go(chat, r1, frr):
    wait(frr.routers[0].established, 20)
    wait(lambda: "10.255.0.2" in chat.one(_verb("route"), r1, destination="192.0.2.2").output, 10)


def test_interfaces_are_a_table(chat, r1):
    assert "wire0      yes  yes" in chat.one(_verb("interfaces"), r1).output


def _verb(name: str):
    return verbs.load(ROOT / f"playbooks/verbs/{name}.yml")


# --- logging in


def test_a_wrong_password_is_told(chat, r1):
    chat.known = {"ansible_password": "wrong"}
    outcome = chat.one(ops.SHOW, r1, command=("version",))
    assert outcome.status is Status.UNREACHABLE
    assert "authentication failed for user" in outcome.summary


def test_an_unknown_host_key_is_shown_and_not_trusted(chat, r1, tmp_path):
    chat.network = driver(tmp_path / "none", tmp_path / "data")
    outcome = chat.one(ops.SHOW, r1, command=("version",))
    assert outcome.status is Status.UNREACHABLE
    assert "is not known: it offers ssh-ed25519 SHA256:" in outcome.summary


def test_a_changed_host_key_is_no_reason_to_log_in(chat, r1, frr, tmp_path):
    first, second = frr.known_hosts.read_text().splitlines()
    wrong = tmp_path / "swapped"
    wrong.write_text(f"{first.split(' ', 1)[0]} {second.split(' ', 1)[1]}\n")
    chat.network = driver(wrong, tmp_path / "data")
    outcome = chat.one(ops.SHOW, r1, command=("version",))
    assert outcome.status is Status.FAILED
    assert "changed" in outcome.summary
