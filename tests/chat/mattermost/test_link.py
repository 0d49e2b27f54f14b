"""The link: cuts, restarts, revoked tokens, a private authority."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.chat.client import Away, Rejected, Revoked
from automation_bots.chat.mattermost.client import MattermostClient
from automation_bots.chat.mattermost.settings import MattermostSettings
from tests.chat.mattermost.ear import Ear, settings
from tests.chat.networks.mattermost import Mattermost
from tests.fakes.proxy import Proxy

pytestmark = pytest.mark.slow


def test_a_cut_stream_goes_on_where_it_ended_and_asks_for_nothing(net, another):
    ear, client = Ear(), another()
    client.connect(ear)
    net.cut()
    with pytest.raises(Away):
        client.wait()
    sent = [net.say(net.ana, net.here, f"while away {number}") for number in range(150)]
    client.connect(ear)
    ear.message(sent[-1])
    assert [one.id for one in ear.messages if one.id in set(sent)] == sent
    assert list(client.missed(datetime.now(UTC) - timedelta(hours=1))) == []


def test_after_a_restart_of_the_server_what_was_missed_is_read(net, another):
    ear, client = Ear(), another()
    client.connect(ear)
    began = datetime.now(UTC)
    net.server.stop()
    net.server.start()
    with pytest.raises(Away):
        client.wait()
    sent = [net.say(net.ana, room, text) for room, text in ((net.here, "one"), ("", "two"), (net.here, "three"))]
    client.connect(ear)
    missed = [one for one in client.missed(began) if one.id in set(sent)]
    assert sorted(one.text for one in missed) == ["one", "three", "two"]
    assert [one.direct for one in missed if one.text == "two"] == [True]


def test_what_was_said_before_the_bot_came_in_is_not_for_it(net, another):
    client, began = another(), datetime.now(UTC) - timedelta(seconds=1)
    body = {"team_id": net.team, "name": "before", "display_name": "Before", "type": "O"}
    room = net.post(net.ana, "/channels", body)["id"]
    net.say(net.ana, room, "!reboot on web1")
    time.sleep(0.01)  # the server counts in milliseconds
    net.post(net.ana, f"/channels/{room}/members", {"user_id": net.bot.id})
    net.say(net.ana, room, "!uptime on web1")
    client._introduce()
    assert [one.text for one in client.missed(began) if one.room == room] == ["!uptime on web1"]


def test_more_than_the_server_lists_at_once_is_read_whole(net, another):
    client, began = another(), datetime.now(UTC)
    room = net.room(net.ana)
    for number in range(1300):
        net.server.do(net.server.api.posts.create, net.ana.id, {"channel_id": room, "message": str(number)})
    client._introduce()
    missed = [one.text for one in client.missed(began - timedelta(seconds=1)) if one.room == room]
    assert sorted(missed, key=int) == [str(number) for number in range(1300)]


def test_a_message_that_was_heard_and_edited_while_away_is_no_new_command(net, another):
    ear, client = Ear(), another()
    client.connect(ear)
    old = net.say(net.ana, net.here, "good morning")
    ear.message(old)
    net.server.stop()
    net.server.start()
    net.edit(net.ana, net.here, old, "!reboot all")
    client.connect(ear)
    assert [one.edited for one in client.missed(datetime.now(UTC) - timedelta(hours=1)) if one.id == old] == [True]


def test_a_line_that_goes_dead_without_a_cut_is_noticed(net, another, monkeypatch):
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client, since = another(timeout_seconds=1), time.monotonic()
        client.socket.heartbeat_seconds = 0.4
        client.connect(Ear())
        threading.Timer(1.0, proxy.freeze).start()  # until then its pings are answered
        with pytest.raises(Away):
            client.wait()
        assert time.monotonic() - since > 1.0
        client.close()


def test_a_token_that_is_revoked_while_connected_is_noticed(net):
    robot = net.human("shortlived", robot=True)
    given = {**net.settings(), "token": net._tokens[robot.id], "callback": "", "probe_seconds": 0.1}
    client = MattermostClient(MattermostSettings.model_validate(given))
    client.connect(Ear())
    token = net._call("GET", net.admin, f"/users/{robot.id}/tokens")[0]["id"]
    net.post(net.admin, "/users/tokens/revoke", {"token_id": token})
    with pytest.raises(Revoked, match=r"session_expired"):
        client.wait()
    client.close()


def test_a_wrong_token_is_said_at_once(net):
    given = {**net.settings(), "token": "x" * 26, "callback": ""}
    with pytest.raises(Revoked):
        MattermostClient(MattermostSettings.model_validate(given)).connect(Ear())


def test_a_server_that_does_not_answer_holds_nobody_up(net, another):
    client = another(timeout_seconds=0.3)
    net.server.api.limiter.hang_seconds, began = 2, time.monotonic()
    with pytest.raises(Away):
        client.connect(Ear())
    assert time.monotonic() - began < 1.5


def test_closing_ends_every_thread(net, another):
    client = another()
    client.connect(Ear())
    waiting = threading.Thread(target=client.wait)
    waiting.start()
    client.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert client._loop is None


def test_a_closed_link_leaves_the_token_in_no_log(net, another, caplog):
    caplog.set_level("DEBUG")
    client = another()
    client.connect(Ear())
    with pytest.raises(Rejected):
        client.post("no-such-room", "x")
    client.close()
    assert net.environment()["MATTERMOST_TOKEN"] not in caplog.text


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    net = Mattermost(tls=tmp_path_factory.mktemp("tls"), buttons=False)
    net.ana = net.human("ana")
    net.here = net.room(net.ana)
    yield net
    net.close()


def test_https_and_the_event_stream_trust_a_private_authority(private):
    ear, client = Ear(), MattermostClient(settings(private))
    client.connect(ear)
    said = private.say(private.ana, private.here, "over TLS")
    assert ear.message(said).text == "over TLS"
    assert client.post(private.here, "answer", said)
    client.close()


def test_without_that_authority_the_server_is_not_believed(private):
    client = MattermostClient(settings(private, ca=""))
    with pytest.raises(Away, match="certificate is not trusted; if a private authority signed it, say ca ="):
        client.connect(Ear())
