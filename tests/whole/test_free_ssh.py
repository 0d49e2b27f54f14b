"""`!ssh`: free commands over SSH, for those whom a rule lets; answers that are the same are told once."""

import pytest

from tests.fakes.__main__ import inventory
from tests.support.chatbot import BOT_TOML, POLICY, ChatBot, write_folder

pytestmark = pytest.mark.slow

RULES = POLICY + '  - {name: looking, who: support, may: ["ssh cat *"], on: web}\n'


@pytest.fixture(scope="module")
def chat(tmp_path_factory, sshd):
    folder = write_folder(tmp_path_factory.mktemp("ssh"), toml=BOT_TOML, policy=RULES, hosts=inventory(sshd))
    (folder / "known_hosts").write_text(sshd.known_hosts.read_text())
    with ChatBot(folder) as chat:
        yield chat


def test_the_same_answer_of_several_devices_is_told_once(chat):
    said = chat.asks("!ssh printf 'a\\nb\\n' on web --wait", "done in", seconds=30)
    assert said.endswith("2 changed · 2 devices: same\n── 2 devices: same: web1, web2\na\nb")


def test_nothing_that_was_typed_reaches_a_shell(chat):
    said = chat.asks("!ssh echo $HOME ; id | cat `id` on web1 --wait", "done in", seconds=30)
    assert "$HOME ; id | cat `id`" in said


def test_a_failure_says_its_exit_code(chat):
    said = chat.asks("!ssh ls /nowhere on web1 --wait", "done in", seconds=30)
    assert "1 failed" in said
    assert "No such file or directory (exit code 2)" in said


def test_only_what_a_rule_allows_is_run(chat):
    assert "1 changed" in chat.asks("!ssh cat /etc/hostname on web1 --wait", "done in", who="joe", seconds=30)
    assert chat.asks("!ssh reboot on web1", who="joe").startswith("No: ssh on web1")
    assert chat.asks("!ssh uptime on web1", who="joe").endswith("→ !uptime on web1")
    assert chat.asks("!ssh cat /etc/hostname on db1", who="joe").startswith("No: ssh on db1")


def test_an_empty_word_arrives_as_a_word(chat):
    assert "[a][][ b]" in chat.asks('!ssh printf "[%s]" a "" " b" on web1 --wait', "done in", seconds=30)
    assert "the command is empty" in chat.asks('!ssh "" reboot on web1 --wait', "done in", seconds=30)
