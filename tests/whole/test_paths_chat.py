"""`!traceroute`, `!mtu` and `!dns` as people type them, in a real bot."""

import pytest

from tests.fakes.nameserver import Nameserver
from tests.fakes.netns import Row
from tests.support.chatbot import HOSTS, ChatBot, write_folder

pytestmark = pytest.mark.slow  # starts bots and makes networks

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
"""
FAR = "10.77.3.2"


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    """A bot that lives on the first of five machines in a row, all of whose threads are there."""
    folder = tmp_path_factory.mktemp("bot")
    hosts = HOSTS
    for name, address in (("web1", FAR), ("web2", "10.97.0.9"), ("vault1", "192.0.2.9")):
        hosts = hosts.replace(f"{name}: {{}}", f"{name}: {{ansible_host: {address}}}")
    row = Row(5)
    try:
        row.refuse(3, "blackhole", "10.97.0.0/24")
        write_folder(folder, policy=POLICY, hosts=hosts)
        with row.all[0].inside(), Nameserver(folder) as server, ChatBot(folder) as bot:
            bot.server = server.address
            yield bot
    finally:
        row.remove()


def test_the_hops_are_in_the_recap(chat):
    said = chat.asks("!traceroute web1", "done in")
    assert "traceroute on web1 done in" in said
    assert f"4   {FAR}" in said


def test_the_spelling_with_a_port(chat):
    assert "TCP 443 is refused" in chat.asks("!traceroute web1 --tcp 443", "done in")


def test_the_live_message_shows_the_hops_so_far(chat):
    live = chat.asks("!traceroute web2", "░ 0/1(.|\\n)*10.77.1.2")
    assert [line.split()[1] for line in live.splitlines()[1:3]] == ["10.77.0.2", "10.77.1.2"]
    assert "2   10.77.1.2" in chat.hears("lost after hop 2")


def test_the_mtu_is_in_the_recap(chat):
    said = chat.asks("!mtu web1", "done in")
    assert "1500 bytes  passes" in said
    assert "MTU 1500 bytes, as much as this machine sends" in said


def test_a_name_is_asked_for_with_its_type_and_server(chat):
    assert "10 mail.lab.test." in chat.asks(f"!dns lab.test MX server={chat.server}", "done in")


def test_a_device_is_known_to_dns_questions_but_only_to_those_who_may_see_it(chat):
    ask = f"!dns vault1 server={chat.server}"
    assert "vault1 is 192.0.2.9 in the inventory" in chat.asks(ask, r"done|failed in")
    assert "192.0.2.9" not in chat.asks(ask, r"done|failed in", who="joe")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!dns", "Which name?"),
        ("!dns -x", "name cannot be '-x'"),
        ("!dns example.com ANY", "type must be one of A, AAAA"),
        ("!dns example.com server=-f", "server cannot be '-f'"),
        ("!traceroute web1 --tcp http", "tcp must be a whole number"),
        ("!traceroute web1 --tcp 0", "tcp must be 1–65535"),
        ("!traceroute web1 --udp 5", "traceroute has no parameter 'udp'"),
        ("!mtu", "On which devices?"),
        ("!mtu nosuch", "No device or group 'nosuch'"),
    ],
)
def test_what_is_typed_wrong_is_answered_with_what_would_be_right(chat, typed, said):
    assert said in chat.asks(typed, said)
