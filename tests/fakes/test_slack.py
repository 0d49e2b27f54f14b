"""The test server for Slack is as strict as Slack, by Slack's own clients in Python and JavaScript."""

import os
import queue
import time
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.fakes.slack import SlackLab
from tests.fakes.slack.node import CLIENTS, NodeClient
from tests.fakes.slack.people import buttons

pytestmark = pytest.mark.slow  # starts servers
NODE = Path(os.environ.get("SLACK_CLIENTS", CLIENTS))


@pytest.fixture
def lab():
    with SlackLab() as lab:
        lab.links.ack_seconds = 0.4
        lab.ana = lab.person("ana")
        lab.ops = lab.room("ops", lab.ana)
        yield lab


@pytest.fixture
def web(lab):
    return WebClient(lab.space.bot_token, base_url=lab.url)


@pytest.fixture
def heard(lab):
    """What arrives at slack_sdk's Socket Mode client, which acknowledges what is not to be kept quiet about."""
    arrived = queue.Queue()

    def listener(client, request):
        if request.payload.get("event", {}).get("type") != "team_join":  # of those who were there before
            arrived.put(request)
        if request.payload.get("event", {}).get("text") != "keep quiet" or request.retry_attempt:
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id))

    client = SocketModeClient(lab.space.app_token, web_client=WebClient(base_url=lab.url), concurrency=1)
    client.socket_mode_request_listeners.append(listener)
    client.connect()
    lab.wait_for(lambda: lab.links.open)
    yield arrived
    client.close()


def refusal(call, **arguments):
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return refused.value.response


# -- slack_sdk


def test_what_is_said_is_heard_with_slacks_entities_and_links(lab, heard):
    lab.say(lab.ana, lab.ops, "show a < b & c on web1.example.com")
    event = heard.get(timeout=5).payload["event"]
    assert event["text"] == "show a &lt; b &amp; c on <http://web1.example.com|web1.example.com>"
    assert (event["user"], event["channel"], event["channel_type"]) == (lab.ana, lab.ops, "channel")


def test_what_is_not_acknowledged_comes_again(lab, heard):
    lab.say(lab.ana, lab.ops, "keep quiet")
    first, second = heard.get(timeout=5), heard.get(timeout=5)
    assert (first.retry_attempt, second.retry_attempt, second.retry_reason) == (0, 1, "timeout")
    assert first.payload["event_id"] == second.payload["event_id"]
    assert first.envelope_id != second.envelope_id


def test_a_connection_is_opened_anew_when_slack_asks_for_it(lab, heard):
    lab.refresh("refresh_requested")
    lab.wait_for(lambda: [name for name, _ in lab.calls].count("apps.connections.open") == 2)
    lab.wait_for(lambda: len(lab.links.open) == 1)
    lab.say(lab.ana, lab.ops, "still there?")
    assert heard.get(timeout=10).payload["event"]["text"] == "still there?"


def test_edits_and_removals_are_told_as_such(lab, heard):
    ts = lab.say(lab.ana, lab.ops, "one")
    lab.edit(lab.ops, ts, "two")
    lab.remove(lab.ops, ts)
    events = [heard.get(timeout=5).payload["event"] for _ in range(3)]
    assert [event.get("subtype") for event in events] == [None, "message_changed", "message_deleted"]
    assert (events[1]["message"]["text"], events[1]["previous_message"]["text"]) == ("two", "one")


def test_a_file_goes_up_in_three_steps_and_comes_down_with_the_token_only(lab, web):
    web.files_upload_v2(channel=lab.ops, filename="a.txt", content="some text", initial_comment="here")
    [message] = lab.messages(lab.ops)
    assert (message["text"], message["files"][0]["size"]) == ("here", 9)
    names = [name for name, _ in lab.calls]
    assert names == ["files.getUploadURLExternal", "files.completeUploadExternal"]


def test_429_says_how_long_and_the_sdk_waits(lab):
    patient = WebClient(lab.space.bot_token, base_url=lab.url, retry_handlers=[RateLimitErrorRetryHandler()])
    lab.busy("chat.postMessage", 1)
    began = time.monotonic()
    assert patient.chat_postMessage(channel=lab.ops, text="x")["ok"]
    assert time.monotonic() - began >= 1


def test_a_view_needs_a_fresh_trigger_and_no_long_title(lab, web):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": [{"type": "divider"}]}
    answer = refusal(web.views_open, trigger_id=lab.space.trigger(), view=view)
    assert "must be less than 25 characters [json-pointer:/view/title/text]" in str(answer["response_metadata"])
    assert refusal(web.views_open, trigger_id="1.2.3", view=view)["error"] == "invalid_trigger_id"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"type": "divider", "colour": "red"}, "invalid additional property: colour [json-pointer:/blocks/0]"),
        ({"type": "carousel"}, "unsupported type: carousel [json-pointer:/blocks/0/type]"),
        (
            {"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}},
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ),
    ],
)
def test_blocks_are_checked(lab, web, block, message):
    answer = refusal(web.chat_postMessage, channel=lab.ops, text="x", blocks=[block])
    assert (answer["error"], answer["response_metadata"]["messages"]) == ("invalid_blocks", [f"[ERROR] {message}"])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C404", "text": "x"}, "channel_not_found"),
        ({"channel": "#elsewhere", "text": "x"}, "not_in_channel"),
        ({"channel": "#ops", "text": ""}, "no_text"),
        ({"channel": "#ops", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "#ops", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ({"channel": "#old", "text": "x"}, "is_archived"),
        ({"channel": "", "text": "x"}, "invalid_arguments"),
    ],
)
def test_posts_that_slack_refuses(lab, web, arguments, error):
    lab.room("elsewhere", lab.ana, with_bot=False)
    lab.space.channels[lab.room("old")].archived = True
    assert refusal(web.chat_postMessage, **arguments)["error"] == error


def test_only_own_messages_are_edited(lab, web):
    ts = lab.say(lab.ana, lab.ops, "mine")
    assert refusal(web.chat_update, channel=lab.ops, ts=ts, text="x")["error"] == "cant_update_message"
    assert refusal(web.chat_delete, channel=lab.ops, ts=ts)["error"] == "cant_delete_message"
    assert refusal(web.chat_update, channel=lab.ops, ts="1.1", text="x")["error"] == "message_not_found"


def test_a_missing_scope_is_named(lab, web):
    lab.space.scopes.remove("chat:write")
    answer = refusal(web.chat_postMessage, channel=lab.ops, text="x")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert "chat:write" not in answer["provided"]


def test_tokens_are_judged(lab, web):
    wrong = WebClient("xoxb-wrong", base_url=lab.url)
    assert refusal(wrong.auth_test)["error"] == "invalid_auth"
    assert refusal(WebClient(base_url=lab.url).auth_test)["error"] == "not_authed"
    assert refusal(web.apps_connections_open, app_token=lab.space.bot_token)["error"] == "not_allowed_token_type"
    lab.revoke()
    assert refusal(web.auth_test)["error"] == "token_revoked"


# -- JavaScript


@pytest.fixture(scope="module")
def javascript():
    """One run of Slack's JavaScript clients, as far as they come by themselves."""
    with SlackLab() as lab:
        lab.links.ack_seconds = 0.4
        lab.ana = lab.person("ana")
        lab.ops = lab.room("ops", lab.ana)
        lab.busy("chat.update", 1)
        lab.broken("reactions.add")
        with NodeClient(lab, lab.ops, NODE) as client:
            client.asked = client.tells("ready")
            yield lab, client


def test_the_javascript_clients_log_in_say_edit_react_and_upload_through_429_and_503(javascript):
    lab, client = javascript
    assert client.tells("auth") == lab.space.me
    first, asked, file = lab.messages(lab.ops)[:3]
    assert (first["text"], first["reactions"][0]["name"]) == ("hello again", "eyes")
    assert buttons(asked) == ["yes"]
    assert (file["thread_ts"], file["files"][0]["name"]) == (first["ts"], "a.txt")


def test_the_javascript_clients_are_refused_as_by_slack(javascript):
    assert javascript[1].tells("refusals") == {
        "no such channel": "channel_not_found",
        "unknown field": "invalid_blocks",
        "unknown block": "invalid_blocks",
        "no text": "no_text",
        "twice": "already_reacted",
        "no emoji": "invalid_name",
        "too long": "msg_too_long",
        "wrong token": "invalid_auth",
        "unknown method": "unknown_method",
    }


def test_the_javascript_clients_hear_clicks_commands_and_forms(javascript):
    lab, client = javascript
    lab.click(lab.ana, lab.ops, client.asked, "yes")
    client.tells("block_actions", "yes")
    command = lab.slash(lab.ana, lab.ops, "ping all")
    view = client.tells("view")
    assert command.answer == {"text": "heard"}
    bad, good = (lab.fill_in(lab.ana, view, {"word": word}) for word in ("bad", "good"))
    lab.wait_for(lambda: good.acknowledged.is_set() and bad.acknowledged.is_set())
    assert (bad.answer, good.answer) == ({"response_action": "errors", "errors": {"word": "not that"}}, {})


def test_the_javascript_clients_get_again_what_they_did_not_acknowledge(javascript):
    lab, client = javascript
    lab.say(lab.ana, lab.ops, "keep quiet")
    client.tells("message", {"text": "keep quiet", "subtype": "", "again": 0, "own": False})
    client.tells("message", {"text": "keep quiet", "subtype": "", "again": 1, "own": False})


def test_the_javascript_clients_connect_anew_when_slack_asks_for_it(javascript):
    lab, client = javascript
    lab.refresh("refresh_requested")
    client.tells("connected", 2)
    lab.react(lab.ana, lab.ops, client.asked, "tada")
    client.tells("reaction", "tada")
