"""What the doctor sees of the servers that are told what people do about alerts."""

import os

import pytest

from automation_bots.config.bot_folder import BotFolder
from automation_bots.doctor.servers import look
from tests.drivers.alerts.answering import Answering
from tests.support.chatbot import write_folder

TOML = """name = "netbot"
backend = "Test"
[http]
port = 8080
[events.sources.zb]
kind = "zabbix"
token = "env:TOKEN"
url = "{url}"
api_token = "env:TOKEN"
[events.sources.am]
kind = "alertmanager"
token = "env:TOKEN"
"""


@pytest.fixture
def lines(tmp_path):
    def seen(reply, **environment):
        with Answering(reply) as server:
            folder = write_folder(tmp_path / "bot", toml=TOML.format(url=server.url))
            given = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "PATH": os.environ["PATH"], **environment}
            return list(look(BotFolder(folder, given, untouched=True), None))

    return seen


def answers(**result):
    return lambda _method, _path, _headers, sent: (
        200,
        {"result": "7.0.0"} if sent["method"] == "apiinfo.version" else result,
    )


def test_a_server_that_takes_the_bots_token_is_named_with_what_it_can_be_told(lines):
    [line] = lines(answers(result=[]), TOKEN="a-token-of-a-test")
    assert line == (
        "ok", "events of zb: can be told acknowledge, close, comment, silence, unacknowledge, unsilence"
    )  # fmt: skip


def test_a_token_that_is_not_taken_is_wrong(lines):
    [(mark, text)] = lines(answers(error={"code": -32602, "data": "Not authorized."}), TOKEN="a-token-of-a-test")
    assert mark == "WRONG" and "api_token: is it whole, enabled, not expired" in text


def test_a_token_that_is_not_there_is_wrong(lines):
    [(mark, text)] = lines(answers(result=[]))
    assert mark == "WRONG" and "the environment has no TOKEN" in text
