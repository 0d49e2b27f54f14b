"""The way of a command through the real Errbot: typed words in, answers and outcomes out."""

import re

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Outcome, State, Status
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def fake():
    return Fake()


@pytest.fixture
def chat(tmp_path, fake):
    with ChatBot(write_folder(tmp_path), drivers=(fake,)) as chat:
        yield chat


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One bot for the tests that leave nothing behind."""
    with ChatBot(write_folder(tmp_path_factory.mktemp("shared")), drivers=(Fake(),)) as chat:
        yield chat


def test_a_command_is_accepted_run_and_told_in_the_room_that_asked(chat, fake):
    assert chat.asks("!uptime on web", who="joe", room="ops") == "#1 uptime on web1, web2, web3"
    assert chat.hears("#1 uptime .*done").startswith("#1 uptime on web1, web2, web3 done in")
    assert {room for room, _ in chat.surface.said} == {"ops"}
    assert sorted(device for _, _, device in fake.ran) == ["web1", "web2", "web3"]


def test_a_refusal_says_why_and_what_would_be_allowed(chat, fake):
    answer = chat.asks("!service restart nginx on web1,db1", who="joe")
    assert "No: service on db1 is for admins" in answer
    assert "web1" in answer
    assert fake.ran == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("!uptme on web", "Did you mean  !uptime on web"),
        ("!uptime on wbe", "Did you mean web"),
        ("!uptime on vault1", "No device or group 'vault1'"),
        ("!service explode nginx on web", "action must be one of"),
        ("!service restart ngin* on web", "may mean several; name one"),
        ("!service restart nginx web1 batch=3", "has no parameter 'batch'"),
        ("!service restart --now on web", "has no parameter|must not begin with"),
        ("!uptime on 'web", "A quote is not closed"),
        ("!uptime on web --check", "cannot show beforehand"),
        ("!job 99", "There is no job #99|no job"),
        ("!job x", "is no job number"),
        ("!" + "x" * 100_000, "No operation"),
        ("!uptime on " + "w" * 100_000, "characters; I read at most"),
        ("!uptime on " + ",".join(["web1"] * 3000), "characters|words"),
        ("!!", "No operation"),
        ("!devices nowhere", "No device or group"),
    ],
)
def test_wrong_input_gets_a_clear_sentence(shared, text, answer):
    said = shared.asks(text, who="joe")
    assert re.search(answer, said), said
    assert "Traceback" not in said


def test_a_stranger_is_refused_and_told_the_own_id(chat, fake):
    assert "I do not know you. Your id on test is eve" in chat.asks("!uptime on web", who="eve")
    assert "I do not know you" in chat.asks("!help", who="eve")
    assert "I do not know you" in chat.asks("!nonsense", who="eve")
    assert fake.ran == []


def test_what_phones_do_to_text_is_undone(chat, fake):
    chat.asks("!service restart nginx on web1 —reason “it hangs”", "#1 service restart nginx on web1")
    chat.hears("done")
    assert chat.jobs[0].reason == "it hangs"


def test_a_missing_parameter_is_asked_for_and_the_answer_completes_the_command(chat, fake):
    asked = chat.asks("!service on web1", who="joe", room="ops")
    assert "Which action? (status, start, stop, restart, enable, disable)" in asked
    assert "action must be one of" in chat.asks("dance", who="joe", room="ops")
    assert "Which name?" in chat.asks("restart", who="joe", room="ops")
    chat.say("sshd", who="kim", room="ops")  # somebody else's words answer nothing
    chat.asks("nginx", "#1 service restart nginx on web1", who="joe", room="ops")
    chat.hears("done")


def test_missing_devices_are_asked_for(chat):
    assert "On which devices?" in chat.asks("!uptime", who="joe")
    chat.asks("web1, web2", "#1 uptime on web1, web2", who="joe")
    chat.hears("#1 .*done")
    chat.asks("!uptime", "On which devices?", who="joe")
    chat.asks("cancel", "^Nothing was done.$", who="joe")


def test_help_shows_only_what_this_person_may_do(shared):
    chat = shared
    look, change = (chat.asks(f"!help {topic}", f"(?m)^{topic} [(]", who="joe") for topic in ("look", "change"))
    assert "!uptime" in look and "!service" in change
    assert "!reboot" not in change and "!patch" not in change
    assert "!reboot" in chat.asks("!help change", "(?m)^change [(]", who="ana")
    usage = chat.asks("!help service", "usage", who="joe")
    assert "!service <status|start|stop|restart|enable|disable> <name> on <devices>" in usage
    assert "vault1" not in usage


def test_failures_come_first_with_their_reason_and_what_to_type(chat, fake):
    fake.outcomes["web3"] = Outcome("web3", Status.FAILED, "Unit nginx.service not found", "long\noutput\n", 0.1, 5)
    answer = chat.asks("!service restart nginx on web", "failed", who="joe")
    assert answer.splitlines()[0].endswith("2 changed, 1 failed")
    assert answer.splitlines()[1].split()[:2] == ["web3", "failed"]
    assert "!job 1 output web3" in answer and "!retry 1 failed" in answer
    assert "long\noutput" in chat.asks("!job 1 output web3", "long", who="joe")
    fake.outcomes.clear()
    chat.asks("!retry 1 failed", "#2 service restart nginx on web3", who="joe")
    chat.hears("#2 .* done")


def test_jobs_and_queue_and_cancel(chat, fake):
    fake.seconds = 30
    chat.asks("!service restart nginx on web1", "#1", who="joe")
    assert "waits for web1 (#1 is changing it)" in chat.asks("!service restart nginx on web1", "#2", who="kim")
    assert "#2" in chat.asks("!queue", "wait", who="joe")
    assert "running" in chat.asks("!jobs running", "running", who="joe")
    assert "No: #1 is joe's" in chat.asks("!cancel 1", who="kim")
    chat.asks("!cancel 2", "cancelled", who="kim")
    chat.asks("!cancel 1", "being cancelled", who="joe")
    chat.hears("#1 service restart nginx on web1 cancelled")
    wait(lambda: chat.jobs[1].state is State.CANCELLED, 5)
    assert [device for _, _, device in fake.ran] == ["web1"]


def test_progress_is_shown_in_the_one_message_of_the_job(chat, fake):
    fake.seconds = 0.6
    chat.asks("!uptime on web", "#1 uptime on", who="joe")
    chat.hears(r"#1 █+░* \d/3 · \d ok")
    chat.hears("#1 uptime .*done")


def test_quiet_and_wait_say_less(chat):
    assert chat.asks("!uptime on web --wait", who="joe").startswith("#1 uptime on web1, web2, web3 done")
    chat.asks("!uptime on web --quiet", "#2 uptime .*done", who="joe")
    assert chat.surface.said[-1][1].count("\n") == 0


def test_the_record_tells_who_did_what_and_holds_together(chat):
    chat.asks("!uptime on web", "done", who="joe")
    chat.asks("!service restart nginx on db1", "No:", who="joe")
    rows = chat.asks("!audit", "entries", who="ana")
    assert "accepted" in rows and "started" in rows and "ended" in rows and "denied" in rows
    assert "The record is whole" in chat.asks("!audit verify", who="ana")
    assert "is for admins" in chat.asks("!audit", who="joe")
    copy = chat.automation.data / "log" / "audit.jsonl"
    wait(lambda: copy.exists() and "denied" in copy.read_text(), 10)


def test_a_direct_message_needs_no_prefix_and_a_room_takes_a_mention(chat):
    assert "#1" in chat.asks("uptime on web1", who="joe")
    assert "#2" in chat.asks("@netbot uptime on web1", "#2", who="joe", room="ops")
    assert "#3" in chat.asks("@netbot: !uptime on web1", "#3", who="joe", room="ops")
    before = len(chat.surface.said)
    chat.say("uptime on web1 is what I would type", who="joe", room="ops")
    chat.asks("!whoami", "You are joe", who="joe", room="ops")
    assert len(chat.jobs) == 3, chat.surface.said[before:]


def test_the_bot_answers_others_while_a_driver_hangs(chat, fake):
    fake.seconds = 60
    for _ in range(12):
        chat.say("!uptime on web1", who="joe")
    assert "You are kim" in chat.asks("!whoami", "You are", who="kim", seconds=1)


def test_files_come_and_go_without_a_restart_and_a_broken_one_is_named_to_admins(chat):
    plugins = chat.folder / "plugins"
    plugins.mkdir()
    (plugins / "hello.py").write_text(
        'def hello(name: str) -> str:\n    """Say hello.\n\n    Risk: read\n    """\n    return f"Hello {name}"\n'
    )
    wait(lambda: "hello" in chat.bot.commands, 10)
    chat.asks("!hello ana", "#1 hello ana done(.|\n)*Hello ana", who="joe")
    (plugins / "broken.py").write_text("def broken(:\n")
    assert "broken.py, line 1" in chat.hears("A file is wrong")
    assert chat.surface.said[-1][0] == "ana", "only admins hear of it"
    (plugins / "hello.py").unlink()
    wait(lambda: "hello" not in chat.bot.commands, 10)
    assert "No operation" in chat.asks("!hello ana", who="joe")
    assert "#2" in chat.asks("!uptime on web1", who="joe")


def test_a_broken_policy_refuses_everybody_until_it_is_mended(chat):
    good = (chat.folder / "policy.yml").read_text()
    (chat.folder / "policy.yml").write_text("people: [")
    wait(lambda: chat.automation.live.policy_problem, 10)
    chat.hears("The rules cannot be read, so everybody is refused .*policy.yml")
    assert "ana" in [room for room, text in chat.surface.said if text.startswith("The rules cannot be read")]
    for who in ("joe", "ana", "stranger"):
        assert "No: the rules cannot be read" in chat.asks("!uptime on web1", who=who)
    (chat.folder / "policy.yml").write_text(good)
    wait(lambda: not chat.automation.live.policy_problem, 10)
    assert "#1" in chat.asks("!uptime on web1", who="joe")


def test_admins_hear_of_a_denial_that_denies_nothing(chat):
    policy = chat.folder / "policy.yml"
    policy.write_text(policy.read_text() + "  - {name: never, who: everyone, deny: [reboo]}\n")
    chat.hears('rule "never" denies nothing by this: .reboo. is no operation of this bot')
    assert "denies nothing" in next(text for room, text in reversed(chat.surface.said) if room == "ana")


def test_a_bot_with_another_prefix_writes_all_its_commands_with_it(tmp_path):
    asked = (
        "?help",
        "?help jobs",
        "?help uptime",
        "?jobs x",
        "?uptme on web1",
        "?job 99",
        "?freeze",
        "?can",
        "?repos x",
    )
    with ChatBot(write_folder(tmp_path, toml=f'{BOT_TOML}prefix = "?"\n'), drivers=(Fake(),)) as chat:
        said = [chat.asks(line) for line in asked]
        chat.say("?uptime on web1")
        told = chat.hears("done in")
    assert [text for text in (*said, told) if re.search(r"(?<!\w)![a-z]", text)] == []
    assert [text for text in said if not re.search(r"\?[a-z]", text)] == []
