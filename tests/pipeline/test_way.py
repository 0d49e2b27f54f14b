"""The way of a command where somebody tries to learn or to get more than is meant for them."""

import sys
from types import SimpleNamespace

import pytest

from automation_bots.app.bot import Bot
from automation_bots.drivers.fake import Fake
from automation_bots.errors import BadParameter
from automation_bots.model import Answer, Caller, Operation, Outcome, Parameter, Place, State, Status
from automation_bots.operations.parameters import check
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.questions import Question, Questions
from automation_bots.store import retention
from backends.text.automation_text import TextSurface
from tests.support.chatbot import BOT_TOML, HOSTS, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
VERB = "help: Say it\nparameters: {{word: {{match: '{}'}}}}\nlinux: [echo, '{{word}}']\n"
NOTE = "# bot:\n#   help: Note\n#   risk: read\n#   devices: none\n#   parameters: {text: {text: true}}\n"
NOTE += "- hosts: all\n  vars: {password: hunter22}\n"
FILES = {"playbooks/verbs/say.yml": VERB.format(r"\w+"), "playbooks/note.yml": NOTE}


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    hosts = HOSTS + "    switches: {hosts: {sw1: {platform: cisco_ios}}}\n"
    folder = write_folder(tmp_path_factory.mktemp("way"), files=FILES, hosts=hosts)
    with ChatBot(folder, drivers=(Fake(), Fake(name="ansible"))) as chat:
        yield chat


@pytest.mark.parametrize("text", ["!uptime on web1,{}", "!uptime on {},web1", "!uptime on {}", "!devices {}"])
def test_a_hidden_device_is_unknown_in_the_same_words_as_one_that_does_not_exist(chat, text):
    hidden = chat.asks(text.format("vault1"), "No device", who="joe")
    assert hidden.replace("vault1", "X") == chat.asks(text.format("zebra9"), "No device", who="joe").replace(
        "zebra9", "X"
    )


def test_a_hidden_device_is_not_offered_when_devices_are_asked_for(chat):
    assert "vault1" not in chat.asks("!uptime", "On which devices", who="joe")
    chat.asks("web1 web2", "uptime on web1, web2", who="joe")
    chat.hears("uptime .*done")


def test_a_retry_takes_the_values_that_the_file_allows_now(chat):
    number = chat.asks("!say hello on web1", r"#\d+ say", who="ana").split()[0][1:]
    chat.hears("say .*done")
    (chat.folder / "playbooks/verbs/say.yml").write_text(VERB.format("bye"))
    chat.automation.live.look()
    chat.asks(f"!retry {number}", "word cannot be 'hello'", who="ana")


def test_a_failed_operation_without_devices_can_be_retried(chat):
    fake = Fake(name="ansible")
    fake.run = lambda task, report: report.outcome(Outcome("", Status.FAILED, "no"))
    chat.automation.dispatcher._context.drivers["ansible"].behind = fake
    answer = chat.asks("!note\n```\none\n```", r"#\d+ note .*failed", who="ana")
    number = answer.split()[0][1:]
    chat.asks(f"!retry {number} failed", r"#\d+ note .*failed", who="ana")
    assert chat.jobs[0].retry_of == int(number)
    assert chat.automation.store.outcomes(chat.jobs[0].number)[0].summary == "no"


def test_a_code_block_alone_is_the_text_and_not_the_line(chat):
    chat.asks("!note\n```\nvlan 10\nvlan 20\n```", r"#\d+ note", who="ana")
    assert chat.jobs[0].parameters == {"text": "vlan 10\nvlan 20"}


def test_what_a_job_printed_is_for_those_who_may_run_it(chat):
    number = chat.asks("!run cat shadow on web1", r"#\d+ run", who="ana").split()[0][1:]
    chat.hears("run .*done")
    assert "No: what" in chat.asks(f"!job {number} output", who="joe")
    assert "done" not in chat.asks(f"!job {number}", r"\n\n", who="joe").split("\n\n")[1]
    assert "done" in chat.asks(f"!job {number} output", who="ana")
    number = chat.asks("!uptime on web1", r"#\d+ uptime", who="ana").split()[0][1:]
    chat.hears("uptime .*done")
    assert "done" in chat.asks(f"!job {number} output", who="joe")


def test_a_playbook_is_shown_without_the_secrets_in_it(chat):
    assert "hunter22" not in chat.asks("!playbook show note", "vars", who="ana")


def test_secrets_of_the_drivers_programs_are_cut_out_of_what_they_print(tmp_path):
    toml = BOT_TOML + '[drivers.python.environment]\nTOKEN = "env:TOKEN"\nMODE = "fast"\n'
    bot = Bot(write_folder(tmp_path, toml=toml), {"TOKEN": "hunter22", "AUTOMATION_BOTS_DATA": str(tmp_path / "d")})
    assert "hunter22" not in bot.redactor.text("hunter22")
    assert bot.redactor.text("fast") == "fast"
    bot.stop()


def test_a_wrong_secret_value_is_not_repeated():
    with pytest.raises(BadParameter) as caught:
        check(Parameter("password", match="[a-z]+", secret=True), "hunter22")
    assert "hunter22" not in str(caught.value)


def test_forgotten_questions_do_not_pile_up():
    questions, operation = Questions(), Operation("dns", "h")
    for number in range(50):
        place = Place("test", "ops", thread=str(number))
        question = Question(
            Caller("test", "joe"), place, operation.name, grammar.ParsedCommand(), grammar.Missing(None)
        )
        questions.ask(question, ())
        questions._open[question.key] = (question, 0.0)
    assert len(questions._open) == 1


def test_what_a_device_prints_does_not_move_the_cursor_of_a_terminal(capsys):
    surface = TextSurface(SimpleNamespace(prompting=False))
    surface.say(Place("text", "x"), Answer("done", "a\x1b[2Jb\x1b]0;t\x07c\r\td"))
    sys.stdout.flush()
    assert capsys.readouterr().out == "done\nab]0;tc\td\n"


def test_a_retry_is_the_same_request_with_its_batches_reason_and_flags(chat):
    text = "!service restart nginx on web1,web2 --canary 1 --pause-after=1 --reason CHG-7 --quiet"
    number = int(chat.asks(text, r"#\d+ service", who="ana").split()[0][1:])
    pauses(chat, number)
    chat.asks(f"!cancel {number}", "cancelled", who="ana")
    wait(lambda: chat.automation.store.job(number).state is State.CANCELLED, 20)
    chat.asks(f"!retry {number}", r"#\d+ service", who="ana")
    wait(lambda: chat.jobs[0].number != number, 20)  # what was said first may be how the other one ended
    first, again = chat.automation.store.job(number), chat.jobs[0]
    pauses(chat, again.number)
    assert (again.canary, again.reason, again.quiet, again.devices) == (first.canary, "CHG-7", True, first.devices)
    assert again.retry_of == number
    chat.asks(f"!cancel {again.number}", "cancelled", who="ana")


def pauses(chat, number):
    """Wait until a job has changed one device and goes no further."""
    wait(lambda: chat.automation.store.job(number).counts == {"changed": 1}, 20)


def test_of_what_was_forgotten_it_is_said_and_nothing_is_offered_that_changes_all_devices(chat):
    chat.asks("!service status nginx on web1,web2", "done in .*: 2 ok", who="ana")
    job = chat.jobs[0]
    with chat.automation.store._database.write() as connection:
        retention.forget_details(connection, [job.number])
    for text in ("!job {}", "!job {} output", "!job {} outputs", "!retry {} failed"):
        said = chat.asks(text.format(job.number), "was forgotten after its time", who="ana")
        assert "2 ok" in said or "2 changed" in said
        assert f"!retry {job.number}" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!UPTIME on WEB", r"#\d+ uptime on web1, web2, web3"),
        ("!Uptime on Web1", r"#\d+ uptime on web1"),
        ("!sudo service nginx restart on web1", r"#\d+ service restart nginx on web1"),
        ("!get-service spooler on web1", "ps can do nothing on web1, which is linux"),
        ("!conf t", "Which lines"),
        ("!device WEB1", "^web1\nplatform"),
    ],
)
def test_capitals_and_habits_mean_what_they_say(chat, text, said):
    chat.asks(text, said)
    chat.say("cancel")


def test_what_no_device_of_a_request_has_a_way_for_is_refused_and_not_offered(chat):
    assert "reboot can do nothing on sw1, which is cisco_ios" in chat.asks("!reboot on sw1", "reboot")
    assert "skipped" in chat.asks("!reboot on sw1,web1 --wait", "done in") or chat.jobs[0].devices == ("sw1", "web1")
    may = chat.asks("!device sw1", "you may")
    assert "uptime" in may
    assert "reboot" not in may
    assert "sw1" not in chat.asks("!help reboot", "usage")


LOG = "one error\ntwo fine\nthree error of ana's\n"


def test_what_stands_behind_a_bar_is_done_to_the_answer_of_any_command(chat):
    fake = chat.automation.dispatcher._context.drivers["fake"].behind
    fake.outcomes["uptime"] = Outcome("", Status.OK, "one error", LOG)
    said = chat.asks("!uptime on web1 | include error --wait", r"done in")
    assert "two fine" not in said
    assert "three error" in said
    assert "uptime | include error on web1" in said
    assert "= 2" in chat.asks("!uptime web | include error | count --wait", r"done in")
    number = chat.jobs[0].number
    assert "= 2" in chat.asks(f"!job {number} output web1", "Number")
    assert "= 2" in chat.asks(f"!retry {number}", r"done in")
    table = chat.asks("!uptime web1,web2 | match fine | csv --wait", r"done in")
    assert '"web2","two fine"' in table
    assert "nothing is left" in chat.asks("!uptime on web1 | include nowhere --wait", r"done in")
    fake.outcomes.clear()
