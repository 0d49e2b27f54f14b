"""Many devices, few answers: what the chat shows of them."""

import io
import zipfile

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Outcome, Status
from tests.support.chatbot import BOT_TOML, ChatBot, write_folder

SHOW = "help: Show\nrisk: read\nlinux: [look]\nexamples: ['!look on web1']\n"
HOSTS = "all:\n  vars: {driver: fake}\n  hosts: {'web[1:45]': {}}\n"


def driver():
    outcomes = {
        f"web{number}": _said(f"Debian 12  \nkernel {6 + (number > 42)}\nuser ana\n") for number in range(1, 46)
    }
    return Fake({**outcomes, "web45": Outcome("", Status.FAILED, "no such file", "no such file\nbye", exit_code=3)})


def _said(text):
    return Outcome("", Status.OK, text.split("\n")[0], text, exit_code=0)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    files = {"playbooks/verbs/look.yml": SHOW}
    folder = write_folder(tmp_path_factory.mktemp("same"), toml=BOT_TOML, hosts=HOSTS, files=files)
    with ChatBot(folder, drivers=(driver(),)) as chat:
        yield chat


@pytest.mark.slow
def test_the_recap_says_what_is_the_same_and_what_differs(chat):
    said = chat.asks("!look on all", "done in")
    assert "44 ok, 1 failed · 42 devices: same; 2 differ: web43, web44" in said
    assert "no such file (exit code 3)" in said
    assert "── 42 devices: same: web1–web42\nDebian 12\nkernel 6\nuser ana" in said
    assert "- kernel 6\n+ kernel 7" in said


@pytest.mark.slow
def test_every_output_is_to_be_had_as_one_text_or_a_file_each(chat):
    chat.asks("!look on all", "done in")
    number = chat.jobs[0].number
    assert "── web45\nno such file\nbye" in chat.asks(f"!job {number} output")
    assert "kernel 7" in chat.asks(f"!job {number} output web44")
    assert f"job-{number}-outputs.zip" in chat.asks(f"!job {number} outputs")


@pytest.mark.slow
def test_the_zip_has_one_file_a_device(chat):
    chat.asks("!look on all", "done in")
    context = chat.automation.groups["jobs"]
    file = context._outputs(chat.jobs[0]).files[0]
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert len(archive.namelist()) == 45
        assert archive.read("web45.txt") == b"no such file\nbye"
