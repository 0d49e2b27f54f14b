"""Slack's client by itself: what its errors mean, its settings, the link, the proxy, the doctor."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from pydantic import ValidationError

from automation_bots.chat.client import Away, Busy, Down, IdempotencyKey, Rejected, Revoked
from automation_bots.chat.slack import doctor as slack_doctor
from automation_bots.chat.slack.client import SlackClient
from automation_bots.chat.slack.web_api import SlackSettings
from automation_bots.model import File
from tests.fakes.proxy import Proxy
from tests.fakes.slack import SlackLab
from tests.support.chatbot import ROOT, wait

pytestmark = pytest.mark.slow  # starts a server


class Sink:
    """Keeps what it is given."""

    def __init__(self):
        self.got, self.refused, self.is_stopping = [], [], False

    def heard(self, event):
        (self.refused if self.is_stopping else self.got).append(event)
        return not self.is_stopping

    chosen = heard


@pytest.fixture(scope="module")
def workspace():
    with SlackLab() as lab:
        lab.ana = lab.person("ana")
        lab.ops = lab.room("ops", lab.ana)
        yield lab


@pytest.fixture
def lab(workspace):
    yield workspace
    workspace.space.revoked = ""
    workspace.space.scopes[:] = slack_doctor.SCOPES
    workspace.front.faults.clear()
    workspace.cut()  # no connection of one test hears what the next one says
    workspace.wait_for(lambda: not workspace.links.open)


def client(lab, **more):
    tokens = {"bot_token": lab.space.bot_token, "app_token": lab.space.app_token}
    return SlackClient(SlackSettings(**{**tokens, "url": lab.url, **more}))


@pytest.fixture
def linked(lab):
    """A client that is connected, with what it hears."""
    connected, sink = client(lab), Sink()
    connected.connect(sink)
    connected.got, connected.sink = sink.got, sink
    yield connected
    connected.close()


def test_a_room_that_the_bot_has_just_come_into_has_its_name(lab, linked):
    room = lab.room("newcomers", lab.ana)
    lab.do(lambda: lab.links.event({"type": "member_joined_channel", "user": lab.space.me, "channel": room}))
    wait(lambda: linked.room_name(room) == "newcomers", 10)


def test_what_was_said_before_the_bot_came_in_is_not_for_it(lab, linked):
    since, room = datetime.now(UTC) - timedelta(seconds=1), lab.room("before", lab.ana)
    lab.say(lab.ana, room, "!reboot on web1")
    lab.say(lab.space.me, room, "<@bot> has joined the channel", subtype="channel_join")
    lab.say(lab.ana, room, "!uptime on web1")
    assert [heard.text for heard in linked.missed(since) if heard.room == room] == ["!uptime on web1"]


# -- errors


def test_429_says_how_long(lab):
    lab.busy("chat.postMessage", 7)
    with pytest.raises(Busy) as busy:
        client(lab).post(lab.ops, "x")
    assert busy.value.seconds == 7


@pytest.mark.parametrize("status", [500, 502, 503])
def test_5xx_is_a_network_that_is_away(lab, status):
    lab.broken("chat.update", status)
    with pytest.raises(Away, match=str(status)):
        client(lab).edit(lab.ops, "1.1", "x")


def test_a_network_that_is_away_may_say_for_how_long(lab):
    lab.broken("chat.postMessage", 503, seconds=7)
    with pytest.raises(Down) as caught:
        client(lab).post(lab.ops, "x")
    assert caught.value.seconds == 7


def test_nobody_listening_is_a_network_that_is_away(lab):
    with pytest.raises(Away, match="cannot be reached"):
        client(lab, url="http://127.0.0.1:9/api/").post(lab.ops, "x")


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive"])
def test_a_token_that_is_not_valid_any_more_is_said_so(lab, error):
    lab.space.revoked = error
    with pytest.raises(Revoked, match=error):
        client(lab).post(lab.ops, "x")


def test_a_missing_scope_is_named_with_what_to_do(lab):
    lab.space.scopes.remove("chat:write")
    with pytest.raises(Rejected, match=r"lacks the scope chat:write; add it under OAuth & Permissions"):
        client(lab).post(lab.ops, "x")


@pytest.mark.parametrize(("room", "why"), [("C404", "no such room"), ("#elsewhere", "/invite")])
def test_a_room_that_cannot_be_written_to_is_one_posts_trouble(lab, room, why):
    lab.room("elsewhere", lab.ana, with_bot=False)
    with pytest.raises(Rejected, match=why):
        client(lab).post(room, "x")


def test_a_file_that_could_not_be_sent_is_tried_again_where_slack_is_away(lab):
    lab.broken("files.completeUploadExternal")
    with pytest.raises(Away):
        client(lab).upload(lab.ops, File("a.txt", b"x"))


def test_an_empty_file_and_one_in_a_thread_arrive(lab):
    first = lab.say(lab.ana, lab.ops, "files, please")
    for content in (b"", b"some"):
        client(lab).upload(lab.ops, File("a.txt", content), first)
    assert [m["thread_ts"] for m in lab.messages(lab.ops)[-2:]] == [first, first]


@pytest.mark.parametrize("in_thread", [True, False])
def test_what_may_have_arrived_is_looked_for_before_it_is_said_again(lab, linked, in_thread):
    one = linked
    thread = lab.say(lab.ana, lab.ops, "a thread") if in_thread else ""
    began, first = datetime.now(UTC), one.post(lab.ops, "well", thread, once=IdempotencyKey("k1"))
    assert one.post(lab.ops, "well", thread, once=IdempotencyKey("k1", began)) == first
    assert one.post(lab.ops, "well", thread, once=IdempotencyKey("k2", began)) != first
    file = one.upload(lab.ops, File("once.txt", b"x"), thread)
    assert one.upload(lab.ops, File("once.txt", b"x"), thread, IdempotencyKey("k3", began)) == file
    assert one.upload(lab.ops, File("once.txt", b"xy"), thread, IdempotencyKey("k4", began)) != file


def test_where_nothing_can_be_read_it_is_said_again(lab):
    lab.space.scopes.remove("channels:history")
    began, first = datetime.now(UTC), client(lab).post(lab.ops, "well", once=IdempotencyKey("k5"))
    assert client(lab).post(lab.ops, "well", once=IdempotencyKey("k5", began)) != first


def test_what_was_sent_can_be_taken_back(lab):
    one = client(lab)
    before = len(lab.messages(lab.ops))
    message, file = one.post(lab.ops, "a trial"), one.upload(lab.ops, File("a.txt", b"x"))
    one.delete(lab.ops, message)
    one.delete(lab.ops, file)
    assert len(lab.messages(lab.ops)) == before


def test_a_reaction_that_is_there_already_is_fine(lab):
    one = client(lab)
    message = one.post(lab.ops, "well?")
    one.react(lab.ops, message, "Approve")
    one.react(lab.ops, message, "Approve")
    assert [entry["name"] for entry in lab.messages(lab.ops)[-1]["reactions"]] == ["white_check_mark"]


# -- the link


def test_connecting_says_who_one_is_and_hears_from_then_on(lab, linked):
    assert (linked.me, linked.my_name) == (lab.space.me, "netbot")
    lab.say(lab.ana, lab.ops, "hello")
    wait(lambda: linked.got, 5)
    assert (linked.got[0].sender, linked.got[0].sender_name, linked.got[0].text) == (lab.ana, "ana", "hello")


def test_socket_mode_turned_off_ends_the_link_for_good(lab, linked):
    lab.refresh("link_disabled")
    with pytest.raises(Revoked, match="Socket Mode was turned off"):
        linked.wait()


def test_a_cut_ends_the_link_and_says_so(lab, linked):
    lab.cut()
    with pytest.raises(Away, match=r"cut|ended"):
        linked.wait()


def test_a_line_that_goes_dead_without_a_cut_is_noticed(lab):
    with Proxy() as proxy:
        one, since = client(lab, proxy=proxy.url), time.monotonic()
        one.pulse = (0.1, 0.5)
        one.connect(Sink())
        threading.Timer(1.0, proxy.freeze).start()  # until then its pings are answered
        with pytest.raises(Away):
            one.wait()
        one.close()
    assert time.monotonic() - since > 1.4


def test_a_move_that_fails_leaves_the_old_connection_alone(lab, linked):
    opened = lambda: [name for name, _ in lab.calls].count("apps.connections.open")  # noqa: E731
    before = opened()
    lab.broken("apps.connections.open")
    lab.refresh("warning")
    lab.wait_for(lambda: opened() > before)
    lab.say(lab.ana, lab.ops, "still here?")
    wait(lambda: "still here?" in [heard.text for heard in linked.got], 5)


def test_what_a_stopping_bot_does_not_take_is_not_acknowledged(lab, linked):
    question, linked.sink.is_stopping = linked.post(lab.ops, "well?", choices=("Approve",)), True
    click = lab.click(lab.ana, lab.ops, question, "Approve")
    lab.say(lab.ana, lab.ops, "at the end")
    wait(lambda: len(linked.sink.refused) == 2, 5)
    linked.sink.is_stopping = False
    wait(lambda: "at the end" in [heard.text for heard in linked.got], 10)
    assert not click.acknowledged.is_set()


def test_closing_is_quick_and_leaves_no_thread(lab):
    one = client(lab)
    one.connect(Sink())
    one.close()
    one.wait()
    assert not [thread for thread in threading.enumerate() if thread.name == "slack-link" and thread.is_alive()]


def test_an_app_token_without_its_right_is_for_an_admin_to_mend(lab):
    lab.space.app_scopes.clear()
    with pytest.raises(Revoked, match="connections:write"):
        client(lab).connect(Sink())
    lab.space.app_scopes.append("connections:write")


def test_a_bot_that_may_read_no_lists_works_with_ids(lab):
    lab.space.scopes[:] = ["chat:write", "channels:history", "im:history"]
    one, sink = client(lab), Sink()
    one.connect(sink)
    lab.say(lab.ana, lab.ops, "who am I?")
    wait(lambda: sink.got, 5)
    one.close()
    assert (sink.got[0].sender, sink.got[0].sender_name) == (lab.ana, "")


def test_all_traffic_goes_through_the_proxy(lab):
    with Proxy() as proxy:
        one, sink = client(lab, proxy=proxy.url), Sink()
        one.connect(sink)
        lab.send_file(lab.ana, lab.ops, "a.txt", b"some text", "look")
        wait(lambda: sink.got, 5)
        assert sink.got[0].files[0].fetch() == b"some text"
        one.close()
    assert {"POST /api/auth.test", f"CONNECT 127.0.0.1:{lab.port}"} <= set(proxy.seen)
    assert any(seen.startswith("GET /files-pri/") for seen in proxy.seen)


def test_the_token_goes_only_where_slack_keeps_files(lab):
    file = {"name": "a.txt", "size": 3, "url_private": "https://evil.example/a.txt"}
    with pytest.raises(Rejected, match="not kept at Slack"):
        client(lab)._fetch(file)


def test_a_file_that_may_not_be_read_is_refused_and_no_login_page(lab, linked):
    lab.space.scopes.remove("files:read")
    lab.send_file(lab.ana, lab.ops, "b.txt", b"secret", "look")
    wait(lambda: [heard for heard in linked.got if heard.files], 5)
    with pytest.raises(Rejected, match="is files:read granted"):
        linked.got[-1].files[0].fetch()


# -- settings, doctor, manifest


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bot_token": "xapp-1"}, "is no bot token; it begins with xoxb-"),
        ({"app_token": "xoxb-1"}, "is no app-level token; it begins with xapp-"),
        ({"tokn": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_explained(wrong, message):
    with pytest.raises(ValidationError, match=message):
        SlackSettings(**{"bot_token": "xoxb-1", "app_token": "xapp-1", **wrong})


def examined(lab):
    return list(client(lab).examine())


def test_the_doctor_finds_nothing_wrong_with_what_the_manifest_makes(lab):
    lab.space.scopes[:] = slack_doctor.SCOPES
    assert {state for state, _ in examined(lab)} == {"ok"}


@pytest.mark.parametrize("scope", slack_doctor.SCOPES)
def test_the_doctor_names_a_missing_scope(lab, scope):
    lab.space.scopes[:] = [name for name in slack_doctor.SCOPES if name != scope]
    wrong = [text for state, text in examined(lab) if state == "WRONG"]
    assert [text.split(":  ")[0].startswith(f"the scope {scope} is missing: ") for text in wrong] == [True]


def test_the_doctor_tells_a_wrong_token_and_one_without_its_right(lab):
    [(state, text)] = client(lab, bot_token="xoxb-no").examine()
    assert (state, text) == ("WRONG", "Slack refuses the bot: Slack does not know the token (invalid_auth) (bot_token)")
    lab.space.app_scopes.clear()
    told = dict(examined(lab))
    lab.space.app_scopes.append("connections:write")
    assert "connections:write" in told["WRONG"]


def test_the_doctor_looks_at_every_room_and_person_that_is_named(lab):
    one, old = client(lab), lab.room("old", lab.ana)
    lab.space.channels[old].archived = True
    elsewhere, gone = lab.room("elsewhere2", lab.ana, with_bot=False), lab.person("gone")
    lab.space.users[gone].deleted = True
    assert [one.examine_room(room) for room in (lab.ops, old, elsewhere)] == [
        "",
        "the room is archived; unarchive it, or name another one",
        "the bot is not in that room; type /invite there, with its name",
    ]
    assert [one.examine_person(lab.ana), "@gone is deactivated" in one.examine_person(gone)] == ["", True]
    for ask, id_, why in ((one.examine_room, "C404", "no such room"), (one.examine_person, "U404", "no such person")):
        with pytest.raises(Rejected, match=why):
            ask(id_)


def test_the_doctor_compares_the_clocks(lab):
    lab.space.ahead_seconds = 90
    ahead = client(lab).network_time() - datetime.now(UTC)
    lab.space.ahead_seconds = 0
    assert 89 < ahead.total_seconds() < 93


def test_names_and_rooms_are_read_once_however_often_the_link_is_cut(lab):
    one, before = client(lab), len(lab.calls)
    for _ in range(3):
        one.connect(Sink())
        lab.cut()
        with pytest.raises(Away):
            one.wait()
    one.close()
    asked = [name for name, _ in lab.calls[before:]]
    assert [
        asked.count(name) for name in ("users.list", "users.conversations", "users.info", "conversations.info")
    ] == [
        1,
        1,
        0,
        0,
    ]


EVENTS = {"message.channels": "channels:history", "message.groups": "groups:history", "message.im": "im:history",
          "message.mpim": "mpim:history", "reaction_added": "reactions:read", "team_join": "users:read",
          "user_change": "users:read", "member_joined_channel": "channels:read", "channel_left": "channels:read",
          "channel_rename": "channels:read", "group_left": "groups:read", "group_rename": "groups:read"}  # fmt: skip


def test_the_manifest_asks_for_every_event_that_is_read_and_for_the_scope_of_each():
    manifest = yaml.safe_load((ROOT / "deploy/slack-manifest.yml").read_text())
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert set(EVENTS.values()) <= set(manifest["oauth_config"]["scopes"]["bot"])


def test_the_doctor_says_how_to_invite_a_bot_that_is_nowhere(lab):
    with SlackLab(list(slack_doctor.SCOPES)) as empty:
        assert ("NOTE", "rooms: the bot was invited to none. Type /invite @netbot where it shall listen") in examined(
            empty
        )


def test_the_manifest_asks_for_the_scopes_that_are_needed_and_no_more():
    manifest = yaml.safe_load((ROOT / "deploy/slack-manifest.yml").read_text())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == set(slack_doctor.SCOPES)
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
