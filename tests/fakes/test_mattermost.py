"""The test server answers as the real Mattermost did, and clients of others work on it."""

import asyncio
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from mattermostautodriver import TypedDriver
from mattermostautodriver.exceptions import InvalidOrMissingParameters, NotEnoughPermissions, TooManyRequests

from tests.chat.networks.mattermost import Mattermost
from tests.fakes.mattermost.replay import Replay, captured
from tests.fakes.mattermost.server import Server
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "mattermost" / "clients"
INSTALLED = Path(os.environ.get("MATTERMOST_CLIENTS", Path(__file__).parents[2] / ".venv"))


def replayed(entries):
    with Server() as server:
        server.api.hub.challenge_seconds = 0.3
        replay = Replay(server)
        asyncio.run(replay.run(entries))
        return replay.differences


def test_the_captured_traffic_of_a_real_server_gets_the_same_answers():
    differences = replayed(captured())
    assert not differences, "\n".join(differences)


def test_a_difference_would_be_seen():
    entries = captured()[:26]
    entries[6]["reply"]["id"] = "api.another.error"
    entries[8]["status"] = 200
    entries[25]["frame"]["data"]["channel_type"] = "P"
    entries.append({"kind": "ws", "as": "opsbot", "dir": "closed", "code": None})
    assert [one.partition(" ")[2].partition(" ")[0] for one in replayed(entries)] == ["7", "9", "27"]


@pytest.fixture(scope="module")
def net():
    net = Mattermost(buttons=False)
    net.ana = net.human("ana")
    net.here = net.room(net.ana)
    yield net
    net.close()


@contextmanager
def running(command):
    """A client of others, connected; it ends with the test."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    said = []
    try:
        while "connected" not in (line := process.stderr.readline()):
            assert line, said
            said.append(line)
        yield said
    finally:
        process.terminate()
        process.communicate(timeout=10)


def echoed(net, name):
    """Say something to a bot of others; return its answer, the file, and the reactions."""
    asked = net.say(net.ana, net.here, f"echo hello {name}")
    seen = lambda: net.seen(net.ana, net.here)  # noqa: E731
    wait(lambda: any(one.text == f"hello {name}" and one.thread == asked for one in seen()), 20, seen)
    wait(lambda: any(one.files and one.files[0][0].startswith(name) for one in seen()), 20, seen)
    file = next(one.files[0][1] for one in seen() if one.files and one.files[0][0].startswith(name))
    return file, next(one.reactions for one in seen() if one.id == asked)


def token(net):
    return net.environment()["MATTERMOST_TOKEN"]


def test_the_javascript_client_of_mattermost_itself_works_on_it(net):
    wait(lambda: not net.server.sockets("netbot"), 10)
    modules = INSTALLED / "mattermost-clients" / "node_modules"
    with running(["node", HERE / "echo.js", modules, net.server.url, token(net)]) as said:
        wait(lambda: net.server.sockets("netbot"), 10)
        assert echoed(net, "js") == (b"from JavaScript", ("white_check_mark",))
    assert any("refused 404 app.post.get.app_error" in line for line in said)


def test_a_bot_framework_of_others_works_on_it(net):
    wait(lambda: not net.server.sockets("netbot"), 10)
    python, port = INSTALLED / "mmpy" / "bin" / "python", str(net.server.port)
    with running([python, HERE / "echo_mmpy.py", "127.0.0.1", port, token(net)]):
        wait(lambda: net.server.sockets("netbot"), 10)
        assert echoed(net, "mmpy") == (b"from mmpy-bot", ("white_check_mark",))


@pytest.fixture
def driver(net):
    options = {"url": "127.0.0.1", "port": net.server.port, "scheme": "http", "token": token(net), "max_retries": 0}
    driver = TypedDriver(options)
    driver.login()
    return driver


def test_the_typed_driver_reads_what_it_answers(net, driver):
    post = driver.posts.create_post(net.here, "typed")
    driver.posts.patch_post(post["id"], message="edited")
    reaction = {"user_id": driver.client.userid, "post_id": post["id"], "emoji_name": "eyes"}
    assert driver.reactions.save_reaction(reaction)["emoji_name"] == "eyes"
    found = driver.posts.get_posts_for_channel(net.here, since=post["create_at"] - 1)
    assert found["posts"][post["id"]]["message"] == "edited"
    assert driver.users.get_user("me")["username"] == "netbot"


def test_it_raises_the_errors_that_it_raises_on_a_real_server(net, driver):
    with pytest.raises(NotEnoughPermissions):
        driver.posts.create_post("a" * 26, "x")
    with pytest.raises(InvalidOrMissingParameters):
        driver.posts.create_post(net.here, "x", root_id="b" * 26)
    net.server.api.limiter.busy_calls, net.server.api.limiter.busy_seconds = 1, 3
    with pytest.raises(TooManyRequests) as caught:
        driver.posts.create_post(net.here, "x")
    assert caught.value.retry_after == 3
