"""The contract on Slack, and what only Slack has: slash commands, forms, its own faults and those of other backends."""

import re

import pytest

from automation_bots.model import Answer, Mention, Place
from tests.chat.contract import *  # noqa: F403
from tests.chat.harness import Talk, wait
from tests.chat.networks.slack import SlackNet
from tests.fakes.slack.people import buttons

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give the network."""
    net = SlackNet()
    yield net
    net.close()


@pytest.fixture(scope="module")
def slack(driver, tmp_path_factory):
    """A workspace of its own with a bot, since the contract's last test revokes the token of the other."""
    net = SlackNet()
    room = f"#room-{len(net.lab.space.channels)}"
    rules = f'- {{name: not here, who: kim, deny: ["service restart *"], where: ["{room}"]}}'
    with Talk(net, tmp_path_factory.mktemp("slack"), (driver,), rules=rules) as talk:
        talk.lab = net.lab
        yield talk
    assert net.lab.front.unknown == []  # nothing was sent that Slack does not know
    net.close()


def posts(slack):
    return [given for name, given in slack.lab.calls if name == "chat.postMessage"]


def test_a_rule_for_a_room_by_its_name_holds_there_from_the_start(slack):
    slack.asks("!service restart nginx on web1", 'denied by rule "not here"', who=slack.kim)


def test_somebody_whom_the_workspace_does_not_know_is_named_and_the_question_stands(slack):
    called = (Mention(slack.kim.id, "kim"), Mention("U0NOBODY99", "lee"))
    slack.surface.say(Place("slack", slack.room), Answer("who is there?", mentions=called))
    assert slack.hears("To: kim, lee").pings == ()


# -- slash commands and forms


def test_a_slash_command_needs_no_prefix_and_shows_the_room_what_was_typed(slack):
    command = slack.lab.slash(slack.ana.id, slack.room, "uptime on web1")
    slack.hears(r"uptime on web1 done in")
    assert command.answer == {"response_type": "in_channel"}


def test_a_slash_command_where_the_bot_is_not_says_how_to_invite_it(slack):
    room = slack.lab.room("elsewhere", slack.ana.id, with_bot=False)
    command = slack.lab.slash(slack.ana.id, room, "uptime on web1")
    slack.lab.wait_for(command.acknowledged.is_set)
    assert command.answer["text"].startswith("I am not in this room. Type /invite @netbot first")


def test_a_slash_command_between_two_people_is_answered_directly(slack):
    room = slack.lab.room("", slack.ana.id, slack.joe.id, kind="im", with_bot=False)
    slack.lab.slash(slack.ana.id, room, "whoami")
    slack.hears("ana", room="")


def form_of(slack, text, who=None):
    before = set(slack.lab.space.views)
    slack.lab.slash((who or slack.ana).id, slack.room, text)
    wait(lambda: set(slack.lab.space.views) - before, 10)
    [view] = set(slack.lab.space.views) - before
    return slack.lab.space.views[view]


def test_what_a_slash_command_leaves_out_is_asked_for_in_one_form(slack):
    view = form_of(slack, "service")
    assert [block["block_id"] for block in view["blocks"]] == ["action", "name", "devices"]
    slack.lab.fill_in(slack.ana.id, view["id"], {"action": "restart", "name": "form-a", "devices": "web1, web2"})
    slack.hears(r"service restart form-a on web1, web2 .*done in")


def test_a_form_keeps_what_was_typed_already(slack):
    view = form_of(slack, 'service restart --reason "because of this" on web3')
    assert [block["block_id"] for block in view["blocks"]] == ["name"]
    slack.lab.fill_in(slack.ana.id, view["id"], {"name": "form-b"})
    slack.hears(r"service restart form-b on web3 .*done in")
    assert [job.reason for job in slack.jobs if "form-b" in str(job.parameters)] == ["because of this"]


def test_a_form_gives_no_right(slack):
    view = form_of(slack, "service", who=slack.joe)
    slack.lab.fill_in(slack.joe.id, view["id"], {"action": "stop", "name": "form-c", "devices": "web1"})
    slack.hears(r"^No: service on web1 is for admins")


def test_a_form_counts_for_whom_it_was_opened_and_once(slack):
    view = form_of(slack, "uptime")
    slack.lab.fill_in(slack.kim.id, view["id"], {"devices": "web1"})
    slack.hears("has run out, and nothing was done")


def test_who_may_not_use_an_operation_sees_no_form(slack):
    stranger, before = slack.net.human("eve"), len(slack.lab.space.views)
    slack.lab.slash(stranger.id, slack.room, "service")
    slack.hears(f"do not know you.*{stranger.id}")
    assert len(slack.lab.space.views) == before


# -- group messages


@pytest.fixture(scope="module")
def group(slack):
    """A conversation of ana, joe, kim and the bot beside all rooms."""
    people = (slack.ana.id, slack.joe.id, slack.kim.id)
    return slack.lab.room("mpdm-ana--joe--kim--netbot-1", *people, kind="mpim")


def test_in_a_group_message_the_bot_is_called_as_in_a_room(slack, group):
    message, answer = slack.asks("!whoami", "ana", room=group)
    assert (answer.thread, answer.pings) == (message, ())
    slack.asks("whoami", "joe", who=slack.joe, room=group, mention=True)
    before = len(slack.answers(group))
    slack.say("whoami", room=group)
    slack.asks("!uptime on web1", "done in", room=group, thread=message)
    assert len(slack.answers(group)) == before + 1


def test_a_change_is_asked_for_and_approved_by_a_click_in_a_group_message(slack, group, driver):
    before = len(driver.ran)
    message, _ = slack.asks("!service restart group on db1", "waits for approval", who=slack.joe, room=group)
    question = slack.hears("joe asks for approval", group, thread="")
    slack.net.choose(slack.joe, group, question.id, "Approve")
    slack.hears("nobody approves their own", group, thread="")
    slack.net.choose(slack.kim, group, question.id, "Approve")
    slack.hears("service restart group on db1 .*done in", group, thread=message)
    assert len(driver.ran) == before + 1


def test_what_was_said_in_a_group_message_while_the_bot_was_away_is_read(slack, group):
    slack.stop()
    message = slack.say("!uptime on web2,web3", room=group)
    slack.start()
    slack.hears("uptime on web2, web3 .*done in", group, thread=message)


# -- what went wrong in other backends


def test_a_long_answer_in_a_thread_is_several_messages_and_none_overwrites_another(slack):
    first, lines = slack.say("a long talk"), [f"line {number:03} ".ljust(100, "x") for number in range(90)]
    edits = sum(1 for name, _ in slack.lab.calls if name == "chat.update")
    slack.surface.say(Place("slack", slack.room, first), Answer("long", "\n".join(lines[:39])))
    slack.surface.say(Place("slack", slack.room, first), Answer("long too", "\n".join(lines[39:78])))
    slack.hears("line 077", thread=first)
    said = [line for post in slack.answers(thread=first) for line in post.text.split("\n") if line.startswith("line ")]
    assert said == lines[:78]
    assert sum(1 for name, _ in slack.lab.calls if name == "chat.update") == edits


def test_a_command_costs_the_call_that_answers_it_and_talk_costs_none(slack):
    slack.settled()
    before = len(slack.lab.calls)
    for number in range(20):
        slack.say(f"talk {number}", who=slack.joe)
    slack.asks("!nosuchthing", "nosuchthing")
    assert [name for name, _ in slack.lab.calls[before:]] == ["chat.postMessage"]


def test_an_event_whose_acknowledgement_was_lost_runs_once(slack, driver):
    slack.lab.links.deaf, slack.lab.links.ack_seconds = True, 0.3
    before = len(driver.ran)
    slack.asks("!uptime on web1", "done in")
    delivery = slack.lab.links.delivered[-1]
    wait(lambda: max(d.attempts for d in slack.lab.links.delivered[-12:]) >= 3, 10)
    slack.lab.links.deaf = False
    slack.settled()
    assert len(driver.ran) == before + 1, delivery


def test_a_mention_that_slack_tells_twice_runs_once(slack, driver):
    before = len(driver.ran)
    ts = slack.say("uptime on web2", mention=True)
    message = slack.lab.space.channels[slack.room].messages[ts]
    event = {**message, "type": "app_mention", "channel": slack.room, "event_ts": ts}
    slack.lab.do(lambda: slack.lab.links.event(event))
    slack.hears("uptime on web2 done in")
    slack.settled()
    assert len(driver.ran) == before + 1


def test_an_edit_that_only_adds_a_link_preview_runs_nothing(slack, driver):
    message = slack.say("!uptime on web3")
    slack.hears("uptime on web3 done in")
    before = len(driver.ran)
    slack.lab.edit(slack.room, message, "!uptime on web3")
    slack.settled()
    assert len(driver.ran) == before


def test_an_integration_without_a_user_runs_nothing(slack, driver):
    before = len(driver.ran)
    slack.lab.robot_says(slack.room, "!uptime on web1")
    slack.settled()
    assert len(driver.ran) == before


def test_a_file_goes_to_the_room_by_its_id_and_into_the_thread(slack):
    first = slack.say("a file, please")
    slack.surface.say(Place("slack", slack.room, first), Answer("much", "\n".join("x" * 9 for _ in range(500))))
    slack.hears(r"answer\.txt", thread=first)
    given = [given for name, given in slack.lab.calls if name == "files.completeUploadExternal"][-1]
    assert (given["channel_id"], given["thread_ts"]) == (slack.room, first)


def test_buttons_go_when_a_question_is_decided(slack):
    slack.asks("!service restart nginx on db1", "waits for approval", who=slack.joe)
    question = slack.hears(r"joe asks for approval")
    assert buttons(slack.lab.space.channels[slack.room].messages[question.id]) == ["Approve", "Deny", "Details"]
    slack.net.choose(slack.kim, slack.room, question.id, "Deny")
    slack.hears("is denied")
    wait(lambda: not slack.hears(r"joe asks for approval").choices, 10)


@pytest.mark.parametrize(("sign", "said"), [("x", "is denied"), ("white_check_mark", "is approved by kim")])
def test_a_reaction_answers_a_question_as_a_click_does(slack, sign, said):
    _, answer = slack.asks("!service restart reacted on db1", "waits for approval", who=slack.joe)
    number = re.search(r"#(\d+)", answer.text)[1]
    question = slack.hears(f"#{number} joe asks for approval")
    slack.lab.react(slack.ana.id, slack.room, question.id, "tada")
    slack.lab.react(slack.kim.id, slack.room, question.id, sign)
    slack.hears(f"#{number} .*{said}")


def test_names_in_words_and_links_made_of_host_names_are_plain(slack):
    heard = []
    slack.bot.errbot.client._sink.heard, before = heard.append, slack.bot.errbot.client._sink.heard
    slack.say(f"see web1.example.com or ops@corp.example & <@{slack.joe.id}> <!here>")
    wait(lambda: heard, 10)
    slack.bot.errbot.client._sink.heard = before
    assert heard[0].text == "see web1.example.com or ops@corp.example & @joe @here"


def test_a_slash_command_that_comes_again_runs_once(slack, driver):
    slack.settled()  # what was asked before it has run
    before = len(driver.ran)
    slack.lab.slash(slack.ana.id, slack.room, "uptime on ~web[3]")
    slack.hears("uptime on web3 done in")
    slack.lab.replay()
    slack.settled()
    assert len(driver.ran) == before + 1


def test_a_room_is_called_by_its_name_where_approvers_are_asked(slack):
    slack.asks("!service restart named on db1", "waits for approval", who=slack.joe)
    assert f"in #{slack.lab.space.channels[slack.room].name}" in slack.hears("joe asks for approval.*named").text


def test_a_message_that_cannot_be_read_ends_no_link_and_is_in_the_log(slack, caplog):
    slack.lab.do(
        lambda: slack.lab.links.event({"type": "message", "channel": slack.room, "ts": "no time", "user": "U1"})
    )
    slack.asks("!whoami", "ana")
    assert "a message from Slack could not be taken" in caplog.text


# -- the link


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_slack_moves_the_connection_and_nothing_is_lost(slack, reason):
    slack.lab.wait_for(lambda: slack.lab.links.open)
    old = slack.lab.links.open[0]
    slack.lab.refresh(reason)
    slack.asks(f"!moved{reason}", f"moved{reason}")
    slack.lab.wait_for(lambda: old not in slack.lab.links.open and len(slack.lab.links.open) == 1)
    assert slack.bot.errbot.link.trouble == ""


def test_a_cut_without_a_farewell_is_noticed_at_once(slack):
    slack.lab.wait_for(lambda: slack.lab.links.open)
    slack.lab.do(lambda: [link._req.transport.write_eof() for link in slack.lab.links.open])
    wait(lambda: slack.bot.errbot.link.trouble, 2)
    wait(lambda: not slack.bot.errbot.link.trouble, 20)


def test_answers_in_threads_that_were_missed_are_read(slack, driver):
    first = slack.say("an old thread")
    slack.settled()
    slack.stop()
    slack.say("!uptime on web1,web2,web3", thread=first)
    slack.start()
    slack.hears(r"uptime on web1, web2, web3 .*done in", thread=first)


def test_tokens_are_in_no_log(slack, caplog):
    with caplog.at_level("DEBUG"):
        slack.asks("!whoami", "ana")
        slack.lab.cut()
        wait(lambda: slack.bot.errbot.link.trouble == "", 20)
    assert slack.lab.space.bot_token not in caplog.text
    assert slack.lab.space.app_token not in caplog.text
