"""`!config` from a file that was sent in a chat room, judged, approved and made; and no password is read on the way."""

from __future__ import annotations

import re

import pytest

from automation_bots.redaction.patterns import MARK
from tests.chat.harness import Talk
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.memory import Memory
from tests.chat.networks.plain import Plain
from tests.fakes.clis import PASSWORD, USER, Shelf
from tests.fakes.clis_config import Ios

pytestmark = pytest.mark.slow
TOP = '[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'
RULES = """
  - name: ports and accounts, with a second pair of eyes
    who: support
    may: [config]
    on: core
    with: {lines: ["interface *", "description *", "username *", "snmp-server *"]}
    needs: approval by leads"""
LINES = """\
interface Gi0/1
 description to the other
snmp-server community R34dTh1s RO
username ops secret 0 Hunter2Pass
"""
FORBIDDEN = "interface Gi0/1\n description x\nrouter bgp 65001\n"
SECRET = re.compile("R34dTh1s|Hunter2Pass|0ldC0mm|Newer-C0mm")
BEFORE = ("hostname core1", "interface Gi0/1", "interface Gi0/1\tdescription old", "snmp-server community 0ldC0mm RO")


@pytest.fixture(scope="module", params=[Memory, Mattermost, Plain])
def net(request):
    net = request.param()
    yield net
    net.close()


@pytest.fixture(scope="module")
def router(net):
    return Ios("core1", *BEFORE)


@pytest.fixture(scope="module")
def talk(net, router, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bot")
    with Shelf(folder / "known_hosts") as shelf:
        login = f"driver: network, platform: cisco_ios, ansible_user: {USER}, ansible_password: {PASSWORD}"
        host = f"{{{login}, ansible_host: 127.0.0.1, ansible_port: {shelf.put(router)}}}"
        files = {"inventory/hosts.yml": f"all: {{children: {{core: {{hosts: {{core1: {host}}}}}}}}}\n"}
        with Talk(net, folder, top=TOP, rules=RULES, files=files) as talk:
            yield talk


@pytest.fixture(autouse=True)
def _as_before(router):
    router.running = BEFORE


def send(talk, command, lines):
    """Send the lines as a file, where the network has files; else they stand below the command."""
    if hasattr(talk.net, "send"):
        talk.net.send(talk.joe, talk.room, command, "change.txt", lines.encode())
    else:
        talk.say(f"{command}\n{lines}", talk.joe)


def everything(talk):
    """All that anybody can read in the room."""
    return "\n".join(
        f"{post.text}\n{b''.join(content for _, content in post.files).decode()}" for post in talk.answers()
    )


def test_a_file_with_a_line_that_is_not_allowed_is_refused(talk, router):
    send(talk, "!config core1", FORBIDDEN)
    assert "config on core1" in talk.hears(r"^No: ").text
    assert router.running == BEFORE


def test_the_approver_reads_the_difference_without_passwords_and_then_it_is_made(talk, router):
    send(talk, "!config core1 --expect interfaces --stay 0", LINES)
    question = talk.hears(r"joe asks for approval", seconds=40)
    number = int(re.search(r"#(\d+)", question.text)[1])
    assert "+ interface Gi0/1 │ description to the other" in question.text
    assert f"+ snmp-server community {MARK} RO" in question.text
    assert f"+ username ops secret 0 {MARK}" in question.text
    assert router.running == BEFORE
    talk.say(f"!approve {number}", talk.kim)
    talk.hears(rf"#{number} .*done in .*1 changed", seconds=60)
    assert "username ops secret 0 Hunter2Pass" in router.running
    assert "interface Gi0/1\tdescription to the other" in router.running
    assert not SECRET.findall(everything(talk))


def test_what_differs_from_a_backup_is_shown_without_passwords(talk, router):
    talk.asks("!backup core1", r"done in .*1 ok")
    router.running = (*BEFORE[:-1], "snmp-server community Newer-C0mm RO")
    _, answer = talk.asks("!config diff core1", r"config-diff on core1 done in .*1 ok")
    assert f"+ snmp-server community {MARK} RO" in answer.text
    talk.asks(f"!job {talk.jobs[0].number} output", "config-diff")
    assert not SECRET.findall(everything(talk))
    data = talk.bot.automation.data
    kept = {path for path in data.rglob("*") if path.is_file() and "0ldC0mm" in _text(path)}
    assert {path.relative_to(data).parts[0] for path in kept} == {"network"}
    assert {oct(path.stat().st_mode & 0o077) for path in kept} == {"0o0"}


def _text(path):
    return path.read_bytes().decode("latin-1")
