"""The Rocket.Chat test server, checked with clients that are not ours; and our texts, with the vendor's own parser."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
import requests

from automation_bots.chat.rocketchat.text import escape, fence
from tests.fakes.rocketchat import RocketChatServer
from tests.support.chatbot import ROOT

pytestmark = pytest.mark.slow
CLIENTS = Path(os.environ.get("ROCKETCHAT_CLIENTS", ROOT / ".venv"))
HERE = ROOT / "tests" / "fakes" / "rocketchat" / "clients"
SHOWN_AS_IT_IS = {"PLAIN_TEXT", "LINE_BREAK", "PARAGRAPH", "LINK"}
PIECES = [*"*_~`@\\[]()<>!|:-+. 8)D/ab\n= ", "http://x.y", "@all", "@joe", ":smile:", "```", "foo.com", ":)",
          "\\(", "\\[", "color:#fff", "- ", "1. ", "> ", "<http://a|b>", "![", "](", "||", "# "]  # fmt: skip


@pytest.fixture(scope="module")
def server():
    """Give a server with one bot in one room."""
    with RocketChatServer() as server:
        server.bot = server.run(server.world.person, "netbot", password="pw", roles=("user", "bot"))
        server.room = server.run(server.world.room, "c", "general", server.bot["_id"])["_id"]
        yield server


def steps(*command):
    """What a client says it saw, by step."""
    environment = {**os.environ, "NODE_PATH": str(CLIENTS / "rocketchat-clients" / "node_modules")}
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {line["step"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}


def test_the_vendors_own_client_talks_to_it(server):
    saw = steps("node", HERE / "vendor.js", server.url, "netbot", "pw", server.room)
    assert saw["logged in"] == {"uid": server.bot["_id"], "token": True}
    about = {"roomParticipant": True, "roomType": "c", "roomName": "general"}
    assert saw["heard"] == {"same": True, "date": "number", "about": about}
    assert (saw["edited"], saw["reacted"]) == ("edited", {":thumbsup:": {"usernames": ["netbot"]}})
    assert (saw["thread"], saw["resumed"]) == ("in the thread", True)


def test_it_refuses_the_vendors_own_client_as_the_real_one_does(server):
    saw = steps("node", HERE / "vendor.js", server.url, "netbot", "pw", server.room)
    assert (saw["wrong password"], saw["bad token"], saw["not mine"]) == (403, 403, "not-allowed")
    assert (saw["bad emoji"], saw["gone"]) == (400, 400)


def test_two_python_clients_talk_to_it(server):
    python = CLIENTS / "rocketchat-python" / "bin" / "python"
    saw = steps(python, HERE / "python_clients.py", server.url, "netbot", "pw", server.room)
    assert (saw["me"], saw["posted"], saw["edited"], saw["file"]) == ("netbot", "from Python", "edited", "a.txt")
    assert saw["reactions"] == {":white_check_mark:": {"usernames": ["netbot"]}}
    assert saw["history"][:2] == ["", "edited"]
    assert (saw["realtime heard"], saw["realtime rooms"], saw["realtime resumed"]) == ("over the websocket", True, True)
    assert saw["too long"] == saw["bad emoji"] == saw["gone"] == "RocketApiException"


def call(server, method, path, *, token=None, **how):
    uid = server.bot["_id"]
    token = token or server.run(server.world.token, uid)
    headers = {"X-Auth-Token": token, "X-User-Id": uid}
    reply = requests.request(method, f"{server.url}/api/v1/{path}", headers=headers, timeout=10, **how)
    return reply.status_code, reply.json(), reply.headers


@pytest.mark.parametrize(
    ("path", "body", "kind", "words"),
    [
        ("chat.sendMessage", {}, "invalid-params", "must have required property 'message'"),
        ("chat.sendMessage", {"message": {"rid": 7}}, "invalid-params", "must be string"),
        ("chat.sendMessage", {"message": {"rid": "none", "msg": "x"}}, None, "error-invalid-room"),
        ("chat.update", {"roomId": "r", "msgId": "m", "text": "t", "x": 1}, "invalid-params", "additional properties"),
        ("chat.update", {"roomId": "r", "msgId": "none", "text": "t"}, None, 'No message found with the id of "none".'),
        ("chat.react", {"messageId": "none", "emoji": "x"}, "error-message-not-found", "does not match"),
        ("im.create", {"username": "nobody"}, "error-invalid-user", "Invalid user"),
    ],
)
def test_what_the_real_server_refuses_is_refused_with_its_words(server, path, body, kind, words):
    status, answer, _ = call(server, "POST", path, json=body)
    assert (status, answer["success"], answer.get("errorType")) == (400, False, kind)
    assert words in answer["error"]


def test_without_the_role_of_a_bot_ten_calls_a_minute_are_all(server):
    ana = server.run(server.world.person, "ana")
    headers = {"X-User-Id": ana["_id"], "X-Auth-Token": server.run(server.world.token, ana["_id"])}
    replies = [requests.get(f"{server.url}/api/v1/me", headers=headers, timeout=10) for _ in range(11)]
    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    assert "You must wait 60 seconds" in replies[-1].json()["error"]
    assert replies[-1].headers["X-RateLimit-Remaining"] == "0"


def test_a_wrong_token_and_a_wrong_call_are_told_apart(server):
    assert call(server, "GET", "me", token="no such")[0] == 401
    assert call(server, "GET", "no.such.call")[0] == 404


# -- our texts


def parsed(texts):
    environment = {**os.environ, "NODE_PATH": str(CLIENTS / "rocketchat-clients" / "node_modules")}
    given = json.dumps(texts)
    done = subprocess.run(
        ["node", str(HERE / "parse.js")], input=given, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kinds(node):
    """All kinds of markup in what the parser found."""
    if isinstance(node, list):
        return set().union(*map(kinds, node))
    if not isinstance(node, dict):
        return set()
    inner = kinds(list(node["value"].values()) if isinstance(node.get("value"), dict) else node.get("value"))
    return inner | ({node["type"]} if "type" in node else set())


def words(node):
    if isinstance(node, list):
        return "".join(map(words, node))
    if node["type"] == "LINK":
        return words(node["value"]["label"])
    value = node.get("value", "")
    return value if isinstance(value, str) else words(value)


def test_whatever_a_device_prints_is_no_markup_for_the_vendors_parser():
    dice = random.Random(6)
    texts = ["".join(dice.choice(PIECES) for _ in range(dice.randint(1, 14))) for _ in range(3000)]
    found = parsed([escape(text) for text in texts])
    strange = [(text, tree) for text, tree in zip(texts, found, strict=True) if kinds(tree) - SHOWN_AS_IT_IS]
    assert strange == []


@pytest.mark.parametrize(
    "text",
    ["*a* _b_ `c` ~d~", "<@U1> <!here> @here @all &amp; <b>", "snake_case_name", "a -> b => c", "10:20:30 fe80::1:2",
     "C:\\Users\\ana", "web1.example.com is up", "https://x.example/a_b?c=d*e", ":smile: :)", "5 * 3 * 2", "||x||"],
)  # fmt: skip
def test_a_text_is_shown_as_it_is(text):
    (tree,) = parsed([escape(text)])
    assert words(tree).replace("\u200b", "") == text


def test_a_fence_is_ended_by_nothing_inside():
    dice = random.Random(7)
    texts = [
        "line *one*\n```\n@here\n`x` ``\nend",
        *("".join(dice.choice([*PIECES, "`", "\n"]) for _ in range(9)) for _ in range(900)),
    ]
    trees = parsed([fence(text) for text in texts])
    assert {tuple(node["type"] for node in tree) for tree in trees} == {("CODE",)}
    shown = ["\n".join(words(line["value"]) for line in tree[0]["value"]).replace("\u200b", "") for tree in trees]
    assert shown[0] == texts[0]


def test_the_number_of_a_job_can_be_copied():
    assert escape("#42 done → !job 42 output web3") == "#42 done → !job 42 output web3"
