"""The commands of the network driver as people type them, through a whole bot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Outcome, Status
from tests.fakes.clis import PASSWORD, USER, Cli, Manner, Shelf
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    folder: Path = tmp_path_factory.mktemp("bot")
    with Shelf(folder / "known_hosts") as shelf:
        login = f"driver: network, platform: cisco_ios, ansible_user: {USER}, ansible_password: {PASSWORD}"
        hosts = f"all:\n  vars: {{{login}}}\n  children:\n    web:\n      hosts:\n"
        for name in ("sw1", "sw2"):
            hosts += f"        {name}: {{ansible_host: 127.0.0.1, ansible_port: {shelf.put(Cli(name, Manner()))}}}\n"
        hosts += "    here: {hosts: {box1: {driver: fake, platform: linux}}}\n"
        fake = Fake({"box1": Outcome("box1", Status.OK, "a linux", "a linux")})
        with ChatBot(write_folder(folder, toml=TOML, hosts=hosts), drivers=(fake,)) as chat:
            yield chat


def test_a_table_of_two_devices_with_the_columns_that_were_asked_for(chat):
    said = chat.asks("!show version | columns version,hostname on web", "done in .*2 ok")
    assert said.splitlines()[1].split() == ["device", "version", "hostname"]
    assert said.splitlines()[3].split() == ["sw2", "15.0(2)SE11", "sw2"]


def test_a_question_to_devices_of_several_drivers_hides_none_of_the_answers(chat):
    said = chat.asks("!version on sw1,box1", "done in .*2 ok")
    lines = [line.split() for line in said.splitlines()[1:]]
    assert lines[0] == ["device", "sw1"]
    assert ["software_image", "C2960-LANBASEK9-M"] in lines and ["version", "15.0(2)SE11"] in lines
    assert ["box1", "ok", "a", "linux"] in lines


@pytest.mark.parametrize("pipe", ["csv", "columns hostname"])
def test_what_can_be_no_table_has_no_columns_and_no_csv_file(chat, pipe):
    said = chat.asks(f"!show running-config | {pipe} on sw1", "done in .*1 failed")
    assert "no table is known of this answer" in said


def test_the_same_question_again_says_what_is_other(chat):
    chat.asks("!show version on sw1", "done in .*1 ok")
    chat.asks("!show version --diff on sw1", "done in .*1 ok")
    assert chat.jobs[0].counts == {"ok": 1}
    assert chat.automation.store.outcomes(chat.jobs[0].number)[0].summary == "same as the last time"


def test_a_backup_tells_no_line_of_the_configuration(chat):
    assert "hostname" not in chat.asks("!backup web", "done .*2 ok")
    chat.asks("!config diff sw1", "done in .*1 ok")
    chat.asks("!config diff sw1 0", "done in .*1 ok")
    assert chat.automation.store.outcomes(chat.jobs[0].number)[0].summary == "as in the backup"


def test_two_words_are_one_command(chat):
    chat.asks("!backup sw1", "done in .*1 ok")
    assert "commit" in chat.asks("!config history sw1", "config-history on sw1 done .*1 ok")
    assert "There is no job #999" in chat.asks("!config rollback 999")


def test_lines_are_asked_for_when_none_are_given(chat):
    assert "Which lines?" in chat.asks("!config sw1")
    chat.asks("cancel", "Nothing was done")


def test_what_a_rule_does_not_allow_is_not_sent(chat):
    assert "No" in chat.asks("!config sw1\n```\nhostname x\n```", who="joe")
