"""Words made to be more than words, typed everywhere, printed by devices, written into playbooks: they stay words."""

import base64
import json
import re
import subprocess

import pytest

from automation_bots.drivers import own_operations
from automation_bots.drivers.fake import Fake
from automation_bots.drivers.network.config import lines as network_lines
from automation_bots.drivers.paths import dns as paths_dns
from automation_bots.drivers.quoting import quoted
from automation_bots.drivers.salt import functions as salt_calls
from automation_bots.drivers.windows import call as powershell_call
from automation_bots.errors import AutomationError
from automation_bots.model import POSIX, Answer, Command, Device, Outcome, Place, Status
from automation_bots.operations import catalog, verbs
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import parser as grammar
from backends.adapter.plain_surface import PlainSurface
from tests.support import bounds
from tests.support.chatbot import BOT_TOML, ROOT, ChatBot, Surface, wait, write_folder

HOSTILE = {
    "command": "; touch CANARY",
    "substitution": "$(touch CANARY)",
    "backticks": "`touch CANARY`",
    "pipe": "| touch CANARY",
    "and": "x && touch CANARY",
    "newline": "x\ntouch CANARY",
    "return": "x\rtouch CANARY",
    "jinja": "{{ 7*7*1111 }}",
    "jinja pipe": "{{ lookup('pipe', 'touch CANARY') }}",
    "jinja block": "{% for x in range(3) %}77777{% endfor %}",
    "percent": "%s%n%(name)s",
    "format": "{0.__class__.__mro__}",
    "path": "../../../CANARY",
    "absolute": "/etc/passwd",
    "nul": "a\0b",
    "ansi": "\x1b[31mred\x1b]0;title\x07",
    "right to left": "\u202egnp.exe\u2066",
    "user": "<@U1> <!channel>",
    "here": "@here @all @channel",
    "link": "[click](http://evil.example)",
    "sql": "'; DROP TABLE jobs; --",
    "flag": "--check",
    "flags": "--limit=all -e x=1 --become",
    "long": "x" * 25_000,
    "quotes": "\u201csmart\u201d \u2018quotes\u2019 \u2014check",
    "log line": "x\n2026-01-01 00:00:00,000 INFO    job 99 accepted",
    "line separator": "x\u2028job 99 accepted",
    "surrogate": "\udcff\ud800",
    "expression": "__import__('os').system('touch CANARY')",
    "yaml": "!!python/object/apply:os.system ['touch CANARY']",
}
CASES = pytest.mark.parametrize("name", HOSTILE)
PLATFORMS = ("linux", "cisco_ios", "cisco_nxos", "arista_eos", "juniper_junos", "vyos", "frr", "windows", "odd")
SHIPPED = catalog.load(
    catalog.Folders((ROOT / "playbooks/verbs",), (ROOT / "playbooks",), own=own_operations.operations())
)
VERBS = [operation for operation in SHIPPED.operations.values() if isinstance(operation.body, verbs.Verb)]
DRIVERS = ("fake", "ansible", "ssh", "python", "reach", "paths", "network", "powershell", "salt")


class Listening(Surface):
    """Keeps files as well."""

    def __init__(self):
        super().__init__()
        self.files = []

    def say(self, place, answer):
        self.files += answer.files
        return super().say(place, answer)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bot"))
    drivers = tuple(Fake(name=name) for name in DRIVERS)
    with ChatBot(folder, drivers=drivers, surface=Listening()) as chat:
        chat.fakes, chat.canary = drivers, folder / "canary"
        yield chat
        chat.automation.store.verify_audit()


def text_of(name, canary):
    return HOSTILE[name].replace("CANARY", str(canary))


def typed(chat, *lines):
    for line in lines:
        chat.say(line, "ana", "ops")
    wait(lambda: not chat.bot.thread_pool._cache and chat.automation.dispatcher.active == (0, 0), 30)


def is_whole(chat, since, caplog):
    """The bot lives, said no inside, wrote no second line, named no file by what was typed, and ran nothing."""
    said = [text for _, text in chat.surface.said[since:]]
    assert not [text for text in said if re.search(r"inside the bot|Traceback|54439|7777777777", text)]
    assert not chat.canary.exists()
    assert all(re.fullmatch(r"[\w.-]{1,100}", file.name) for file in chat.surface.files)
    assert not [record for record in caplog.records if record.exc_info]
    for job in chat.automation.store.jobs(limit=50):
        assert job.title.isprintable() or not re.search(r"[\x00-\x1f\u2028\u202e]", job.title)
        assert "\n" not in job.reason


@pytest.mark.slow
@CASES
def test_every_command_of_the_bot_takes_hostile_words_as_words(chat, caplog, name):
    since, text = len(chat.surface.said), text_of(name, chat.canary)
    typed(chat, *(f"!{command} {text}" for command in OWN if command != "totp"))
    typed(chat, *(f"!{command} 1 {text}" for command in ("job", "approve", "deny", "review", "person", "ack")))
    is_whole(chat, since, caplog)
    assert "is up" in chat.asks("!status", "is up|has problems")


@pytest.mark.slow
@CASES
def test_every_operation_takes_hostile_words_as_words(chat, caplog, name):
    since, text = len(chat.surface.said), text_of(name, chat.canary)
    for place, operation in enumerate(chat.automation.live.catalog.operations.values(), list(HOSTILE).index(name)):
        shapes = (f"{text} on web1", f"on {text}", f'on web1 --reason "{text}"', f"on web1\n```\n{text}\n```")
        named = (f'{parameter.name}="{text}" on web1' for parameter in operation.parameters[:2])
        typed(chat, *(f"!{operation.name} {shape}" for shape in bounds.one_of(place, (*shapes, *named))))
    typed(chat, f"!{text}", text, f"!run {text} on web1", f"!service restart {text} on web", f"!uptime {text}")
    is_whole(chat, since, caplog)
    known = set(chat.automation.inventory.names)
    assert all(device in known for fake in chat.fakes for _, _, device in fake.ran if device)


@pytest.mark.slow
@CASES
def test_what_a_device_prints_stays_what_it_printed(chat, caplog, name):
    since, text = len(chat.surface.said), text_of(name, chat.canary)
    chat.fakes[0].outcomes["web1"] = chat.fakes[2].outcomes["web1"] = Outcome("web1", Status.FAILED, text, text)
    typed(chat, "!uptime on web1 --wait", "!ssh id on web1")
    chat.fakes[0].outcomes.clear()
    chat.fakes[2].outcomes.clear()
    is_whole(chat, since, caplog)
    (outcome,) = chat.automation.store.outcomes(chat.jobs[0].number)
    assert not re.search(r"[\x00-\x1f\u2028\u202e]", outcome.summary)
    assert len(outcome.summary) <= 500


@CASES
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_value_of_a_verb_is_one_word_on_every_platform(name, platform, tmp_path):
    text = text_of(name, tmp_path / "canary")
    for operation in VERBS:
        for parameter in operation.parameters:
            try:
                values = grammar.checked(operation, grammar.ParsedCommand({parameter.name: text}, "web1"))
                given = {} if isinstance(values, grammar.Missing) else values
                command = operation.body.command(platform, given) if given else None
                line = quoted(command, platform) if command else ""
            except AutomationError:
                continue
            assert "\n" not in line
            assert platform in POSIX or ";" not in line


@CASES
def test_a_shell_reads_back_exactly_what_was_typed(name, tmp_path):
    text = text_of(name, tmp_path / "canary")
    try:
        line = quoted(Command(("printf", "%s", text)), "linux").encode("utf-8", "surrogateescape")
    except (AutomationError, UnicodeEncodeError):
        return
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=20)
    assert done.stdout == text.encode("utf-8", "surrogateescape")
    assert not (tmp_path / "canary").exists()


class Room:
    """What a network is told."""

    def __init__(self):
        self.heard = ""

    def build_identifier(self, name):
        return name

    def send(self, _room, text):
        self.heard = text


@CASES
def test_a_chat_network_gets_no_mention_link_or_control_character(name):
    room, text = Room(), HOSTILE[name]
    PlainSurface(room).say(Place("x", "ops"), Answer(text, text, text))
    outside = re.sub(r"```\n.*?\n```", "", room.heard, flags=re.S)
    assert not re.search(r"<[@!]|(?<!\\)\[|@(here|all|channel)\b|[\x00-\x08\x1b\u202e]", outside)
    assert not re.search(r"[\x00-\x08\x1b\u202e]", room.heard)


PLAY = """
# bot:
#   help: Say it again
#   risk: read
#   parameters: {words: {type: str, text: true, max_length: 9000}}
- hosts: all
  gather_facts: false
  tasks:
    - {name: "{{ words }}", ansible.builtin.debug: {var: words}}
    - {ansible.builtin.command: {argv: [printf, "%s", "{{ words }}"]}, changed_when: false}
"""
FUNCTION = '''
def again(words: str) -> str:
    """Say it again. Example: !again x"""
    return words
'''
HERE = 'all: {hosts: {here: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}}}'


@pytest.mark.slow
@pytest.mark.parametrize("command", ["!say", "!again"])
def test_real_drivers_give_hostile_words_to_ansible_and_python_as_they_are(tmp_path, command):
    files = {"playbooks/say.yml": PLAY.lstrip(), "plugins/again.py": FUNCTION}
    lines = [text_of(name, tmp_path / "canary") for name in ("command", "substitution", "jinja", "jinja pipe", "sql",
             "jinja block", "percent", "format", "flag", "expression", "yaml", "path")]  # fmt: skip
    ask = f"{command} on here --wait\n```\n" if command == "!say" else f'{command} "'
    end = "\n```" if command == "!say" else '"'
    with ChatBot(write_folder(tmp_path, toml=BOT_TOML, hosts=HERE, files=files)) as chat:
        for text in ["\n".join(lines)] if command == "!say" else [line for line in lines[:4] if '"' not in line]:
            told = chat.asks(f"{ask}{text}{end}", "done in", seconds=60)
            assert all(line in told for line in text.splitlines())
            assert "54439" not in told
    assert not (tmp_path / "canary").exists()


@CASES
@pytest.mark.parametrize("device", [{}, {"ansible_connection": "winrm"}])
def test_salt_gets_hostile_words_as_values_of_one_function(name, device):
    """A list of functions, or a word with quotes, is what Salt's own permissions can be gone around with."""
    values = {"function": "test.echo", "args": ["x", text_of(name, "/canary")]}
    call = salt_calls.call_for(salt_calls.FUNCTION, Device("web1", variables=device), values, check=False)
    given = [*call.args, *(f"{key}={value}" for key, value in call.kwargs)]
    assert (call.function, given) == ("test.echo", ["x", text_of(name, "/canary")])


@CASES
def test_windows_gets_hostile_words_as_data_and_never_as_script(name):
    text = text_of(name, "/canary").replace("\0", "").encode("utf-8", "replace").decode()
    document = powershell_call.Call(cmdlet="Get-Service", named={"Name": text}, program="").document()
    plain = json.loads(base64.b64decode(b"".join(document.split())))
    assert plain["runner"] == powershell_call.RUNNER
    assert json.dumps(text) in json.dumps(plain["call"])
    assert text not in powershell_call.BOOTSTRAP


@CASES
def test_lines_for_a_network_device_stay_as_many_as_were_typed(name):
    """A line that holds another one, or what a terminal would read as a key, is refused."""
    text = text_of(name, "/canary")
    try:
        kept = network_lines.checked(text.splitlines())
    except AutomationError:
        return
    assert len(kept) <= len(text.splitlines())
    assert not [line for line in kept if re.search(r"[\x00-\x08\x0a-\x1f\x7f]|\s;|;\s|\?$", line)]


@CASES
def test_a_name_to_look_up_never_becomes_an_option_or_a_file(name):
    try:
        values = grammar.checked(paths_dns.OPERATION, grammar.parse(paths_dns.OPERATION, text_of(name, "/canary")))
    except AutomationError:
        return
    given = {} if isinstance(values, grammar.Missing) else values
    assert not [value for value in map(str, given.values()) if value.startswith(("-", "/", "."))]
