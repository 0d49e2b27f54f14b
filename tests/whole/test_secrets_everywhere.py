"""A secret that a driver, a playbook, a plugin or an error prints in any form is found nowhere afterwards."""

import base64
import json
import logging
import socket
import threading
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from automation_bots.errors import DriverError
from automation_bots.health import logs
from automation_bots.model import Conclusion, File, Outcome, Status
from tests.redaction.test_redact_known import FORMS
from tests.support.bounds import examples
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder
from tests.support.watching import watched

pytestmark = [pytest.mark.slow, pytest.mark.works]
TOML = f"""{BOT_TOML}
[drivers.python.environment]
APP_TOKEN = "file:token"
[record]
syslog = "unix:SYSLOG"
checkpoint_minutes = 0.01
checkpoint_room = "#ops"
"""
PLAIN = "abcdefghjkmnpqrstuvwxyz23456789"  # what the grammar takes as it is
SEQ = "data/netbot/log/syslog.seq"
CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
# fewer characters of their own would be found in harmless text as well: zeros are in many numbers
SECRETS = st.text(CHARACTERS, min_size=10, max_size=40).filter(lambda text: len(set(text)) > 7)
FUNCTION = '''
import os, time

def told(seconds: float = 0) -> str:
    """Say what the environment holds. Example: !told"""
    time.sleep(seconds)
    return "it is " + os.environ["APP_TOKEN"] + "."
'''


class Leaky:
    """Prints a secret in every form, on every way that a driver has, and fails with it."""

    name = "fake"
    secret = ""

    def run(self, task, report):
        every = "\n".join(forms(self.secret))
        half = self.secret[: len(self.secret) // 2 + 3]
        report.progress(f"now {self.secret}", every.splitlines())
        report.conclude(Conclusion(f"all {self.secret}", every, (File.of_text("all.txt", every),)))
        report.outcome(
            Outcome("web1", Status.FAILED, f"no: {self.secret}", f"{every}\n{half}\n[output cut at 99 bytes]")
        )
        logging.getLogger("of.a.library").warning("trying %s", self.secret)
        if len(task.devices) > 1:
            raise (DriverError if task.job.number % 2 else ValueError)(f"cannot log in with {self.secret}")


def forms(secret):
    raw = secret.encode()
    yield secret
    yield json.dumps({"a": secret})
    yield json.dumps({"a": secret}, ensure_ascii=False)
    yield f"key: '{secret}'"
    yield quote(secret, safe="")
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(b"user:" + raw).decode()
    yield f"https://app:{quote(secret, safe='')}@db/x?{secret}"
    yield from (form(secret) for form in FORMS.values())


def traces(secret):
    """What would give the secret away: itself, its first half, and the two as programs write them."""
    raw = secret.encode()
    half = secret[: len(secret) // 2 + 3].encode()
    written = {form(secret).encode() for name, form in FORMS.items() if "lines" not in name}
    return {half, base64.b64encode(raw)[: len(raw) * 8 // 6], *written}


def kept(folder):
    """All that the bot leaves behind: record, log, checkpoints, outputs."""
    return b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())


class Syslog:
    """A syslog server on a socket, which keeps what it is sent."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.messages = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        while message := self.socket.recv(100_000):
            self.messages.append(message)

    @property
    def heard(self):
        return b"\n".join(self.messages)


@pytest.fixture(scope="module")
def syslog(tmp_path_factory):
    return Syslog(tmp_path_factory.mktemp("log") / "s")


@pytest.fixture(scope="module")
def chat(tmp_path_factory, syslog):
    toml = TOML.replace("SYSLOG", syslog.socket.getsockname())
    folder = write_folder(tmp_path_factory.mktemp("leak"), toml=toml, files={"token": "x", "plugins/told.py": FUNCTION})
    (folder / "token").write_text("t0ken-of-the-application")
    (folder / "token").chmod(0o600)
    leaky = Leaky()
    with ChatBot(folder, drivers=(leaky,)) as chat:
        root, before = logging.getLogger(), list(logging.getLogger().handlers)
        logs.to_file(folder / "data" / "log" / "bot.log", chat.automation.redactor)
        chat.leaky = leaky
        yield chat
        for handler in [handler for handler in root.handlers if handler not in before]:
            root.removeHandler(handler)
            handler.close()


@settings(max_examples=examples(10), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(secret=SECRETS)
def test_no_secret_survives_in_store_log_chat_file_or_syslog(chat, syslog, secret):
    chat.leaky.secret = secret
    chat.automation.redactor.add([secret])
    typed = secret if secret.isascii() and secret.isalnum() else "none"  # the grammar reads quotes and dashes
    since = len(chat.surface.said)
    chat.asks("!uptime on web1 --wait", "done in|failed")
    chat.asks(f'!uptime on web1,web2 --wait --reason "{typed}"', "done in|failed")
    chat.asks(f"!job {chat.jobs[0].number} output", ".")
    wait(lambda: chat.automation.dispatcher.active == (0, 0), 10)
    assert_nowhere(chat, syslog, since, secret)


def assert_nowhere(chat, syslog, since, secret):
    told = chat.automation.store.audit_head()[0]
    wait(lambda: int((chat.folder / SEQ).read_text() or 0) >= told, 10, lambda: "the syslog server was not told")
    said = "\n".join(text for _, text in chat.surface.said[since:]).encode("utf-8", "replace")
    for trace in traces(secret):
        assert trace not in said
        assert trace not in kept(chat.folder)
        assert trace not in syslog.heard


TYPED = [
    *("{}", "uptime on {}", "uptime {}", "service restart {} on web1", "devices {}", "help {}", "job {}", "jobs {}"),
    *("can {} on web", "can uptime on {}", "cancel {}", "retry {} failed", "undo {}", "told seconds={}", "playbook {}"),
    *("uptime on web1 {}=1", "uptime on web1 --{}", "uptime on web1 --when {}", "uptime on web1 --reason {}"),
    *("audit {}", "approve {}", "device trust {}", "freeze {} 1h", "totp {}", "link {}", "repos install {}"),
]


@settings(max_examples=examples(2), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    secret=st.text("abcdefghjkmnpqrstuvwxyz23456789", min_size=10, max_size=20).filter(lambda text: len(set(text)) > 7)
)
def test_a_known_secret_that_somebody_types_is_not_repeated(chat, syslog, secret):
    chat.automation.redactor.add([secret])
    chat.leaky.secret = secret
    for line in TYPED:
        for who, typed in (("ana", secret), ("kim", f"web1,{secret}"), ("stranger", secret)):
            since = len(chat.surface.said)
            chat.asks("!" + line.format(typed), who=who)
            said = [text for _, text in chat.surface.said[since:]]
            assert not [text for text in said if secret in text], (line, who)
    wait(lambda: chat.automation.dispatcher.active == (0, 0), 10)
    assert_nowhere(chat, syslog, 0, secret)


def test_checkpoints_are_posted_and_kept_without_what_was_said(chat):
    wait(lambda: any("Checkpoint of the record" in text for _, text in chat.surface.said), 10)
    assert b"signature" in (chat.folder / "data/netbot/log/checkpoints.jsonl").read_bytes()


def test_a_token_is_in_no_process_list_and_only_in_the_environment_that_needs_it(chat):
    token = b"t0ken-of-the-application"
    with watched() as seen:
        told = chat.asks("!told seconds=1 --wait", "it is|failed", seconds=30)
    assert "it is ‹redacted›." in told
    assert token not in kept(chat.folder)
    assert not [words for words, _ in seen if token in words]
    holders = {words for words, environment in seen if token in environment}
    assert holders
    assert all(b"drivers/python/child.py" in words for words in holders)
