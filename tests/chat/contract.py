"""What every chat network must do, as tests that know no network: each one gives the fixture `net`.

from tests.chat.contract import *   # in tests/chat/<network>/test_contract.py, beside a fixture `net` of scope "module"

README.md in this folder says which network runs how much of it.
"""

import re
import time

import pytest

from automation_bots.chat.client import Rejected
from automation_bots.model import Answer, Button, File, Mention, Place
from automation_bots.surface import MessageRef
from tests.chat import transcript
from tests.chat.harness import HUGE
from tests.support.bounds import rounds
from tests.support.chatbot import wait

NASTY = (
    "*a* _b_ `c` ~d~ <@{joe}> <!here> @here @channel @all [x](http://y.example) &amp; <b> # no heading\n```\nend @here"
)

engine = pytest.mark.engine  # decided above all clients: README.md says where it runs
WIRE = {"approval", "files", "progress"}  # transcripts in which clients click, send files and edit


def restarts(driver, device):
    return sum(1 for _, operation, name in driver.ran if (operation, name) == ("service", device))


# -- say, thread, mention, direct


def test_a_command_is_answered_where_it_was_said(talk):
    message, answer = talk.asks("!whoami", "ana")
    assert answer.thread in ({message} if talk.threads else {""})
    assert not answer.pings


def test_a_mention_means_the_bot(talk):
    talk.asks("whoami", "joe", who=talk.joe, mention=True)


def test_in_a_direct_message_nothing_stands_before_a_command(talk):
    _, answer = talk.asks("whoami", "joe", who=talk.joe, room="")
    assert answer.thread == ""


def test_a_command_in_a_thread_is_answered_in_that_thread(talk):
    first = talk.say("let us look at web1")
    _, answer = talk.asks("!uptime on web1", "#\\d+", thread=first)
    assert answer.thread == (first if talk.threads else "")


def test_who_is_not_known_is_told_so_by_id(talk, net, stranger):
    net.room(stranger)
    _, answer = talk.asks("whoami", "do not know you", who=stranger, room="")
    assert stranger.id in answer.text


@engine
def test_commands_of_one_thread_are_answered_in_their_order(talk):
    first = talk.say("many questions")
    for number in range(12):
        talk.say(f"!nosuch{number}x", thread=first)
    talk.hears("nosuch11x")
    said = [int(n) for post in talk.answers() for n in re.findall(r"(?m)^.*?nosuch(\d+)x", post.text)]
    assert said == list(range(12))


def test_a_room_is_found_by_what_people_call_it(talk):
    name = talk.surface.room_name(talk.room)
    named = {"slack", "mattermost", "rocketchat"}  # elsewhere the name is the id, or an alias that somebody has to give
    expected = {name: talk.room} if talk.network in named else {}
    assert (talk.surface.room_ids(["no-such-room", name]) or {}) == expected


# -- edits, reactions, files


def test_a_job_is_one_message_that_is_edited_until_its_end(talk):
    _, first = talk.asks("!reboot on web1", r"#\d+ ")
    number = re.search(r"#\d+ ", first.text)[0]
    last = talk.hears(f"{number}.* done in ")
    assert [post.id for post in talk.answers() if number in post.text] == [last.id]
    assert last.edited
    assert last.id == first.id


def test_an_own_message_can_be_edited_after_a_restart(talk):
    place = Place(talk.network, talk.room)
    ref = talk.surface.say(place, Answer("the state is red"))
    talk.stop()
    talk.start()
    talk.surface.edit(ref, Answer("the state is green"))
    assert talk.hears("the state is green").id == ref.id


def test_a_button_is_its_command_typed_by_whoever_clicks(talk, net):
    answer = Answer("web1 is slow", buttons=(Button("Look", "uptime on web1"),))
    talk.bot.automation.notices.say(Place(talk.network, talk.room), answer)
    post = talk.hears("web1 is slow")
    if not talk.surface.capabilities.buttons:
        assert "\n→ !uptime on web1" in post.text
        return
    net.choose(talk.joe, talk.room, post.id, "Look")
    wait(lambda: [(job.operation, job.person) for job in talk.jobs[:1]] == [("uptime", "joe")], 15)
    talk.hears(rf"#{talk.jobs[0].number} uptime on web1 done")


def test_a_reaction_can_be_put(talk):
    ref = talk.surface.say(Place(talk.network, talk.room), Answer("something to react to"))
    talk.surface.react(ref, "Approve")
    wait(lambda: talk.hears("something to react to").reactions, 10)


def test_a_file_comes_back_as_it_was_sent(talk):
    content = bytes(range(256)) * 40
    talk.surface.upload(Place(talk.network, talk.room), File("blob.bin", content))
    post = talk.hears(r"blob\.bin")
    assert dict(post.files)["blob.bin"] == content


def test_a_picture_below_a_message_is_renewed_and_stands_there_once(talk):
    if not talk.surface.capabilities.picture_seconds:
        return
    ref = talk.surface.say(Place(talk.network, talk.room), Answer("a live message"))
    first = talk.surface.show_picture(ref, File("live.png", b"one"))
    talk.surface.show_picture(ref, File("live.png", b"two"), first)
    wait(lambda: [post.files for post in talk.answers(thread=ref.id)] == [(("live.png", b"two"),)], 10)


def test_the_text_of_an_attached_file_is_the_text_of_the_command(talk, net, driver):
    text = "“smart” — lines\nof a  file\n\twith tabs\n"
    net.send(talk.ana, talk.room, "!note on web1", "change.txt", text.encode())
    wait(lambda: any(task.operation.name == "note" for task in driver.tasks), 15)
    task = next(task for task in driver.tasks if task.operation.name == "note")
    assert task.parameters["lines"] == text


@engine
def test_a_file_that_is_no_text_is_refused_with_a_sentence(talk, net):
    net.send(talk.ana, talk.room, "!note on web1", "photo.bin", b"\x00\x01\x02")
    talk.hears(r"photo\.bin is too long or no text")


# -- questions and approvals


@engine
def test_a_missing_value_is_asked_for_and_the_next_words_answer_it(talk):
    message, _ = talk.asks("!uptime", "On which devices")
    talk.asks("web2", r"#\d+ uptime on web2", thread=message if talk.threads else "")


@engine
def test_just_answering_in_the_room_answers_the_one_question_that_is_open_there(talk):
    talk.asks("!uptime", "On which devices")
    talk.asks("web2", r"#\d+ uptime on web2")


@engine
def test_a_file_without_words_answers_a_question(talk):
    if not talk.surface.capabilities.files:
        pytest.skip("no files here")
    talk.asks("!uptime", "On which devices")
    talk.net.send(talk.ana, talk.room, "", "devices.txt", b"web3")
    talk.hears(r"#\d+ uptime on web3")


def asked(talk):
    _, answer = talk.asks("!service restart nginx on db1", "waits for approval", who=talk.joe)
    number = int(re.search(r"#(\d+)", answer.text)[1])
    question = talk.hears(f"#{number} joe asks for approval")
    can = talk.surface.capabilities
    if can.buttons or can.reactions:  # reactions follow one by one
        wait(lambda: len(talk.hears(f"#{number} joe asks for approval").choices) == 3, 10)
        question = talk.hears(f"#{number} joe asks for approval")
    return number, question


def test_an_approver_clicks_and_it_runs(talk, net, driver):
    before = restarts(driver, "db1")
    number, question = asked(talk)
    offered = ("Approve", "Deny", "Details")  # where they are reactions, each is put by a call of its own
    wait(lambda: talk.hears(f"#{number} joe asks for approval").choices == offered, 10)
    net.choose(talk.kim, talk.room, question.id, "Approve")
    talk.hears(f"#{number} service restart nginx on db1 is approved by kim")
    talk.hears(f"#{number} .*done in")
    assert restarts(driver, "db1") == before + 1


@engine
def test_a_question_calls_who_may_approve_and_not_who_asked(talk):
    number, question = asked(talk)
    assert question.pings == ((talk.kim.id,) if hasattr(talk.bot.errbot, "client") else ())
    talk.hears("To: .*" if question.pings else "To: kim")
    talk.asks(f"!withdraw {number}", "is withdrawn", who=talk.joe)


@engine
def test_nobody_approves_their_own_by_a_click(talk, net, driver):
    before = restarts(driver, "db1")
    number, question = asked(talk)
    net.choose(talk.joe, talk.room, question.id, "Approve")
    talk.hears("nobody approves their own")
    net.choose(talk.kim, talk.room, question.id, "Deny")
    talk.hears(f"#{number} .*is denied")
    assert restarts(driver, "db1") == before


@engine
def test_words_always_approve(talk):
    number, _ = asked(talk)
    talk.asks(f"!approve {number} go", f"#{number} .*is approved by kim", who=talk.kim)
    talk.hears(f"#{number} .*done in")


def test_a_denial_given_while_the_bot_was_away_counts_once(talk, net, driver):
    before = restarts(driver, "db1")
    number, question = asked(talk)
    talk.stop()
    net.react(talk.kim, talk.room, question.id, "Deny")
    talk.start()
    talk.hears(f"#{number} .*is denied")
    talk.stop()
    talk.start()
    talk.settled()
    said = [post for post in talk.answers() if re.search(f"#{number} .*(is denied|waits no longer)", post.text)]
    assert (restarts(driver, "db1"), len(said)) == (before, 1)


@engine
def test_an_approval_given_while_the_bot_was_away_has_to_be_given_again(talk, net, driver):
    before = restarts(driver, "db1")
    number, question = asked(talk)
    talk.stop()
    net.react(talk.kim, talk.room, question.id, "Approve")
    talk.start()
    talk.hears("I was away when you chose Approve, and did nothing. Choose again")
    talk.stop()
    talk.start()
    talk.settled()
    assert len([post for post in talk.answers() if f"or type !approve {number}" in post.text]) == 1
    assert restarts(driver, "db1") == before
    talk.asks(f"!approve {number}", f"#{number} .*is approved by kim", who=talk.kim)
    talk.hears(f"#{number} .*done in")


@engine
def test_a_denial_that_was_typed_while_the_bot_was_away_counts(talk):
    number, _ = asked(talk)
    talk.stop()
    talk.say(f"!deny {number} not now", who=talk.kim)
    talk.start()
    talk.hears(f"#{number} .*is denied")


# -- long answers, and answers that look like markup


def test_a_long_answer_is_split_between_its_lines(talk):
    width = int(talk.surface.capabilities.message_size * 2.2 / 30)
    lines = [f"line {number:03} ".ljust(width, "x") for number in range(30)]
    talk.surface.say(Place(talk.network, talk.room), Answer("a long answer", "\n".join(lines)))
    talk.hears("line 029")
    said = [line for post in talk.answers() for line in post.text.split("\n") if line.startswith("line ")]
    assert said == lines


@engine
def test_more_than_a_screen_is_a_file_with_its_beginning_in_front(talk):
    talk.surface.say(Place(talk.network, talk.room), Answer("#7000 interfaces", HUGE, "→ !job 7000"))
    if not talk.surface.capabilities.files:
        talk.hears(r"(?s)#7000 interfaces.*Ethernet1/9 ")
        return
    assert dict(talk.hears(r"^job-7000\.txt$").files)["job-7000.txt"].decode() == HUGE
    assert "Ethernet1/9 is up\n… 590 more lines, all of it in job-7000.txt" in talk.hears("#7000 interfaces").text


@engine
def test_a_whole_output_comes_as_a_file(talk):
    _, first = talk.asks("!interfaces on web1", r"#\d+ .*done")
    number = re.search(r"#(\d+)", first.text)[1]
    talk.say(f"!job {number} output web1")
    post = talk.hears(f"job-{number}-web1.txt" if talk.surface.capabilities.files else "Ethernet1/9 ")
    assert not post.files or HUGE in post.files[0][1].decode()


def test_markup_of_a_device_is_shown_and_calls_nobody(talk):
    nasty = NASTY.replace("{joe}", talk.joe.id)
    answer = Answer(f"begin {nasty}", f"block {nasty}", f"{nasty} finish")
    talk.surface.say(Place(talk.network, talk.room), answer)
    post = talk.hears(r"(?s)begin \*a\* _b_.* finish")  # a plain network says it in several lines
    assert post.pings == ()
    for part in ("*a* _b_ `c` ~d~", f"<@{talk.joe.id}>", "<!here>", "[x](http://y.example)", "&amp; <b>", "finish"):
        assert part in _plain(post.text)


def test_an_answer_calls_whom_it_is_for_and_nobody_who_stands_in_its_text(talk):
    text = f"who looks at this? @here <@{talk.joe.id}> @{talk.joe.name}"
    called = Answer(text, mentions=(Mention(talk.kim.id, "kim"), Mention("nobody-9", "lee")))
    talk.surface.say(Place(talk.network, talk.room), called)
    post = talk.hears("To: .*lee" if hasattr(talk.bot.errbot, "client") else "To: kim, lee")
    assert post.pings == ((talk.kim.id,) if hasattr(talk.bot.errbot, "client") else ())


def _plain(text):
    """Without the marks of no width that keep a name from being called."""
    return re.sub("[\u200b\u2060\ufeff]", "", text)


# -- the same words everywhere


PLAYED = [pytest.param(path, marks=() if path.stem in WIRE else engine, id=path.stem) for path in transcript.ALL]


@pytest.mark.parametrize("path", PLAYED)
def test_a_transcript_gives_the_same_answers_on_every_network(talk, path):
    transcript.Play(talk, path).run()


# -- at most once


def test_a_message_that_comes_twice_runs_once(talk, net, driver):
    message = talk.say("!service restart twice on web1")
    talk.hears("service restart twice on web1 done in")
    before = len(driver.ran)
    net.deliver_again(talk.room, message)
    talk.settled()
    assert len(driver.ran) == before


@engine
def test_a_message_that_comes_again_after_a_restart_runs_no_second_time(talk, net, driver):
    message = talk.say("!service restart thrice on web1")
    talk.hears("service restart thrice on web1 done in")
    before = len(driver.ran)
    talk.stop()
    talk.start()
    net.deliver_again(talk.room, message)
    talk.settled()
    assert len(driver.ran) == before


def test_an_edit_is_no_command(talk, net, driver):
    message, before = talk.say("good morning"), len(driver.ran)
    net.edit(talk.ana, talk.room, message, "!service restart edited on web1")
    command, _ = talk.asks("!uptime on web1", "done in")
    net.edit(talk.ana, talk.room, command, "!uptime on web2")
    talk.settled()
    assert len(driver.ran) == before + 1


def test_a_robot_runs_nothing_unless_the_policy_names_it(talk, net):
    other = net.human("alerts", robot=True)
    room = net.room(other, talk.robot, talk.ana)
    net.say(other, room, "!whoami")
    talk.asks("!whoami", "robo", who=talk.robot, room=room)
    assert len(talk.answers(room)) == 1


def test_another_name_is_still_the_same_person(talk, net):
    net.rename(talk.joe, "ana2")
    net.rename(talk.kim, "joe2")
    talk.asks("!whoami", "joe", who=talk.joe)
    talk.asks("!whoami", "kim", who=talk.kim)


# -- the link


def quiet(talk, net):
    """How many calls are made while nothing is said to the bot."""
    before = net.calls()
    time.sleep(0.3)
    return net.calls() - before


def test_messages_that_are_no_commands_cost_no_call(talk, net):
    talk.asks("!whoami", "ana")
    talk.settled()  # opens the room that it asks in
    time.sleep(1)
    before = net.calls()
    for number in range(30):
        talk.say(f"chatter {number}", who=(talk.ana, talk.joe, talk.kim)[number % 3])
    talk.settled()
    assert net.calls() - before <= 1 + quiet(talk, net)  # the answer to the one command, with which it was settled


def test_after_a_cut_the_bot_is_back(talk, net):
    net.cut()
    talk.asks("!whoami", "ana")


def test_what_was_said_during_a_cut_is_not_lost(talk, net):
    net.down(is_down=True)
    message = talk.say("!uptime on web3")
    time.sleep(0.3)
    net.down(is_down=False)
    talk.hears("uptime on web3 done|was away", thread=message if talk.threads else None, seconds=40)


def test_while_the_bot_was_away_looks_are_done_and_changes_have_to_be_repeated(talk, driver):
    talk.stop()
    look, change = talk.say("!uptime on web1,web2"), talk.say("!service restart late on web1")
    before = len(driver.ran)
    talk.start()
    talk.hears(r"uptime on web1, web2.* done in", thread=look if talk.threads else None)
    talk.hears("I was away, please repeat: .*restart late", thread=change if talk.threads else None)
    assert [ran[1] for ran in driver.ran[before:]] == ["uptime"] * 2


@engine
def test_what_is_older_than_the_limit_has_to_be_repeated(talk, driver):
    talk.stop()
    toml = talk.folder / "bot.toml"
    toml.write_text(toml.read_text() + "away_seconds = 0\n")
    talk.say("!uptime on web2,web3")
    before = len(driver.ran)
    talk.start()
    talk.hears("I was away, please repeat: .*uptime on web2,web3")
    assert len(driver.ran) == before
    toml.write_text(toml.read_text().replace("away_seconds = 0\n", ""))
    talk.stop()
    talk.start()


def test_a_burst_of_messages_loses_no_command(talk):
    people, many = (talk.ana, talk.joe, talk.kim), rounds(150, 500)
    words = [f"!nosuch{number}y" if number % 50 == 0 else f"talk {number}" for number in range(many)]
    talk.say_all([(people[number % 3], text) for number, text in enumerate(words)])
    for number in range(0, many, 50):
        talk.hears(f"nosuch{number}y", seconds=60)


def test_a_refusal_with_429_delays_and_loses_nothing(talk, net):
    net.limit(3, 0.4)
    began = time.monotonic()
    for number in range(5):
        talk.say(f"!nosuch{number}z")
    for number in range(5):
        talk.hears(f"nosuch{number}z", seconds=30)
    assert time.monotonic() - began >= 0.4


def test_the_end_of_a_job_is_told_when_the_network_is_back(talk, net):
    _, first = talk.asks("!reboot on web2", r"#\d+ ")
    net.down(is_down=True)
    time.sleep(1.5)
    net.down(is_down=False)
    number = re.search(r"#\d+ ", first.text)[0]
    talk.hears(f"{number}.* done in ", seconds=60)


def test_a_post_that_fails_for_good_is_in_the_status(talk):
    with pytest.raises(Rejected):
        talk.surface.say(Place(talk.network, "no-such-room-0"), Answer("nobody hears this"))
    talk.asks("!status", r"1 post never said, the last one in no-such-room-0")


@engine
def test_a_message_without_a_reference_is_said_anew(talk):
    talk.surface.edit(MessageRef(Place(talk.network, talk.room), ""), Answer("said anew"))
    talk.hears("said anew")


def test_revoked_credentials_end_the_bot_with_a_code_of_their_own(talk, net):
    net.revoke()
    bot = talk.bot
    wait(lambda: not bot.thread.is_alive(), 40, lambda: f"it lives on: {bot.errbot.link.trouble!r}")
    talk.bot = None
    assert bot.exit_code == 77
    assert "not accepted" in bot.errbot.link.revoked


__all__ = [name for name in globals() if name.startswith("test_")]
