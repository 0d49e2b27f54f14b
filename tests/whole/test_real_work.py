"""What people type, through the whole bot, to real devices: OpenSSH, Ansible over it and here, Python commands."""

import re

import pytest

from automation_bots.model import State
from tests.drivers.ssh.bench import closed_port
from tests.fakes import strange
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

TOML = """
backend = "Test"
[limits]
person = 50
place = 50
[drivers.ssh]
known_hosts = "known_hosts"
agent = false
connect_seconds = 5
[drivers.ansible.environment]
ANSIBLE_HOST_KEY_CHECKING = "False"
"""
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
"""
HOSTS = """
all:
  vars: {{ansible_user: {sshd.user}, ansible_port: {sshd.port}, platform: linux}}
  children:
    good:
      vars: {{ansible_ssh_private_key_file: {sshd.key_file}}}
      hosts: {{s1: {{ansible_host: 127.77.0.1}}, s2: {{ansible_host: 127.77.0.2}}, s3: {{ansible_host: 127.77.0.3}}}}
    bad:
      vars: {{ansible_ssh_private_key_file: {sshd.key_file}}}
      hosts:
        wrong: {{ansible_host: 127.77.0.1, ansible_ssh_private_key_file: "", ansible_password: not-the-password}}
        stranger: {{ansible_host: 127.77.0.4}}
        refused: {{ansible_host: 127.0.0.1, ansible_port: {closed}}}
        broken: {{ansible_host: 127.0.0.1, ansible_port: {broken}}}
    here:
      hosts: {{loc: {{ansible_connection: local, ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"}}}}
"""
GREET = """
# bot:
#   help: Leave a greeting in a file
#   risk: change
#   parameters: {who: {match: "[a-z]+"}, path: {type: str}}
#   examples: ["!greet ana path=/tmp/x on loc"]
- hosts: "{{ devices }}"
  gather_facts: false
  tasks:
    - ansible.builtin.copy: {content: "hello {{ who }}", dest: "{{ path }}.{{ inventory_hostname }}", mode: "0644"}
"""
BARE = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
"""
HANG = """
# bot:
#   help: Never end
#   risk: read
#   time_limit: 3
- hosts: "{{ devices }}"
  gather_facts: false
  tasks:
    - ansible.builtin.command: {argv: [sleep, "600"]}
"""
COUNT = '''
import time
from collections.abc import Iterator


def count(to: int) -> Iterator[str]:
    """Count slowly. Example: !count 3

    Risk: read
    """
    for number in range(to):
        yield f"at {number}"
        time.sleep(0.3)
'''
FLOOD = '''
def flood() -> str:
    """Print 50 MB. Example: !flood

    Risk: read
    Time limit: 60 s
    """
    for _ in range(50):
        print("x" * 999 * 1000)
    return "printed"
'''
FILES = {
    "playbooks/greet.yml": GREET,
    "playbooks/bare.yml": BARE,
    "playbooks/hang.yml": HANG,
    "plugins/count.py": COUNT,
    "plugins/flood.py": FLOOD,
}


@pytest.fixture(scope="module")
def chat(tmp_path_factory, sshd):
    folder = tmp_path_factory.mktemp("real") / "netbot"
    known = [line for line in sshd.known_hosts.read_text().splitlines() if "127.77.0.4" not in line]
    with strange.server(strange.broken_handshake) as broken:
        hosts = HOSTS.format(sshd=sshd, closed=closed_port(), broken=broken)
        write_folder(folder, toml=TOML, policy=POLICY, hosts=hosts, files={**FILES, "known_hosts": "\n".join(known)})
        with ChatBot(folder) as chat:
            yield chat


def ends(chat, text, who="ana", seconds=60):
    """Type it, and wait for the end of its job."""
    number = re.match(r"#(\d+)", chat.asks(text, r"^#\d+ ", who=who))[1]
    ended = chat.hears(rf"^#{number} [a-z].* (done|failed|cancelled)\b", seconds)
    assert "Traceback" not in ended
    return ended


def job(chat, ended):
    return chat.automation.store.job(int(re.match(r"#(\d+)", ended)[1]))


def test_a_verb_reaches_real_devices(chat):
    ended = ends(chat, "!uptime on good", who="joe")
    assert re.match(r"#\d+ uptime on s1, s2, s3 done in .*: 3 ok", ended)
    assert ended.count("load average") == 3


def test_devices_that_cannot_be_reached_say_why_and_the_others_answer(chat):
    ended = ends(chat, "!uptime on all", who="joe")
    assert "4 ok" in ended
    rows = {line.split()[0]: line for line in ended.splitlines()[1:] if line.strip()}
    for device, why in {
        "wrong": "failed|unreachable.*(password|log in|login)",
        "stranger": "host key .* is not known: it offers .*SHA256:.*trust",
        "refused": "refused",
        "broken": "unreachable",
    }.items():
        assert re.search(why, rows[device]), rows[device]
    first = [line.split()[0] for line in ended.splitlines()[1:5]]
    assert set(first) == {"wrong", "stranger", "refused", "broken"}, "what needs a person comes first"


def test_a_service_is_asked_for(chat):
    ended = ends(chat, "!service status no-such-unit on s1", who="joe")
    assert re.search(r"s1 +failed +.*(no-such-unit|systemctl|connect to bus)", ended), ended


def test_free_commands_are_for_whom_a_rule_allows_them(chat):
    assert "No: run on s1" in chat.asks("!run id on s1", "No", who="joe")
    assert "uid=" in ends(chat, "!run id on s1")
    assert "$(id) ; `id`" in ends(chat, "!run printf %s '$(id) ; `id`' on s1"), "nothing that is typed reaches a shell"


def test_a_device_that_closes_half_way_is_told(chat):
    ended = ends(chat, "!run sh -c 'echo half; sleep 0.2; kill -9 $PPID' on s1,s2")
    assert re.search(r"s1 +(unknown|failed|unreachable) .*the connection broke half-way", ended), ended
    assert "3 ok" in ends(chat, "!uptime on good"), "the next command gets a new connection"


def test_a_playbook_runs_over_ssh_and_here_and_check_changes_nothing(chat, sshd, tmp_path):
    sshd.home.chmod(0o777)
    path = sshd.home / "greeting"
    ended = ends(chat, f"!greet ana path={path} on s1,loc --check")
    assert "2 changed" in ended and not list(sshd.home.glob("greeting*"))
    ended = ends(chat, f"!greet ana path={path} on s1,loc")
    assert "2 changed" in ended
    assert {file.name: file.read_text() for file in sshd.home.glob("greeting*")} == {
        "greeting.s1": "hello ana",
        "greeting.loc": "hello ana",
    }
    assert "2 ok" in ends(chat, f"!greet ana path={path} on s1,loc"), "the second time there is nothing to change"
    assert "who cannot be 'a; reboot'" in chat.asks(f"!greet 'a; reboot' path={path} on loc", who="ana")


def test_a_playbook_that_says_nothing_about_itself_is_for_admins(chat):
    assert "is for admins" in chat.asks("!bare on loc", who="joe")
    ended = ends(chat, "!bare on s2,loc")
    assert "2 ok" in ended, "though it says hosts: all, it ran on the two"


def test_a_python_command_shows_progress_and_can_be_cancelled(chat):
    number = re.match(r"#(\d+)", chat.asks("!count 1000", r"^#\d+ count", who="joe"))[1]
    chat.hears(rf"#{number} .*at \d+")
    assert f"#{number} is being cancelled" in chat.asks(f"!cancel {number}", "cancelled", who="joe")
    chat.hears(rf"#{number} count 1000 cancelled", 5)


def test_what_hangs_ends_at_its_time_limit(chat):
    ended = ends(chat, "!hang on loc", who="joe", seconds=40)
    assert "time limit" in ended
    assert job(chat, ended).state is State.FAILED


def test_fifty_megabytes_are_cut_and_others_get_their_answers_meanwhile(chat):
    for text in ("!flood", "!run sh -c 'yes xxxxxxx | head -c 50000000' on s1,s2,s3", "!facts on loc", "!count 10"):
        chat.say(text)
    answered = 0
    wait(lambda: chat.automation.dispatcher.active != (0, 0), 30)
    while chat.automation.dispatcher.active != (0, 0):
        assert "You are joe" in chat.asks("!whoami", "You are joe", who="joe", room="other")
        answered += 1
    assert answered > 3
    wait(lambda: chat.automation.dispatcher.active == (0, 0), 120)
    for which in chat.jobs[:4]:
        kept = [chat.automation.store.output(which.number, device) for device in which.devices or ("",)]
        assert all(len(text) < 1_100_000 for text in kept)
        if "flood" in which.title or "yes" in which.title:
            assert all("cut" in text[-200:] for text in kept), [text[-200:] for text in kept]


def test_all_at_once_and_the_record_holds_together(chat):
    texts = ["!uptime on all", "!bare on good,loc", "!count 3", "!disk on good", "!memory on s1", "!ping good"] * 3
    before = len(chat.jobs)
    for number, text in enumerate(texts):
        chat.say(text, "ana", f"room{number % 3}")
    wait(lambda: len(chat.jobs) == before + len(texts), 30)
    wait(lambda: all(job.told for job in chat.jobs), 120)
    bad = [(job.title, job.counts) for job in chat.jobs[: len(texts)] if job.state is not State.DONE]
    assert [title for title, _ in bad] == ["uptime"] * 3, bad
    assert chat.automation.store.verify_audit()
