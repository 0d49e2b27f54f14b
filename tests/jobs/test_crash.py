"""The bot is killed in the middle of its work: what is told, held, repeated and gone on with after the next start."""

import random
import socket
import time
from collections import Counter

import pytest

from automation_bots.drivers.ansible.control_masters import Masters
from automation_bots.model import FINAL, State
from tests.support.bounds import rounds
from tests.support.chatbot import ChatBot, wait, write_folder
from tests.support.crashing import Victim
from tests.support.program import Program, survivors, write_bot

pytestmark = [pytest.mark.slow, pytest.mark.works]

TOML = 'backend = "Test"\n[limits]\njobs = 4\n[drivers.ssh]\nknown_hosts = "{known_hosts}"\n'
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
"""
LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'
HOSTS = f"all: {{hosts: {{here: {LOCAL}, there: {LOCAL}, far: {{ansible_host: 127.77.0.1}}}}}}\n"
# Each run leaves a line where it began and one where it ended: what counts is what devices saw, not what the bot says.
FUNCTION = '''
import subprocess


def {name}(token: str, devices: list[str], seconds: float = 0.3) -> str:
    """Leave a trace. Example: !{name} a on here

    Risk: {risk}
    """
    subprocess.run(["sh", "-c", f"echo begin {{token}} >> {trace}; sleep {{seconds}}; echo end {{token}} >> {trace}"])
    return "done"
'''
PLAYBOOK = """
# bot:
#   help: Leave a trace
#   risk: change
#   parameters: {{token: {{}}, seconds: {{type: float, default: 0.3}}}}
- hosts: "{{{{ devices }}}}"
  gather_facts: false
  tasks:
    - ansible.builtin.command:
        argv:
          - sh
          - -c
          - "echo begin {{{{ token }}}} >> {trace}; sleep {{{{ seconds }}}}; echo end {{{{ token }}}} >> {trace}"
"""


def write(folder, trace, sshd=None):
    files = {
        "plugins/write.py": FUNCTION.format(name="write", risk="change", trace=trace),
        "plugins/look.py": FUNCTION.format(name="look", risk="read", trace=trace),
        "playbooks/play.yml": PLAYBOOK.format(trace=trace),
    }
    hosts = HOSTS
    if sshd is not None:
        login = f"ansible_port: {sshd.port}, ansible_user: {sshd.user}, ansible_ssh_private_key_file: {sshd.key_file}"
        hosts = HOSTS.replace("127.77.0.1}", f"{sshd.addresses[0]}, {login}}}")
    toml = TOML.format(known_hosts=sshd.known_hosts if sshd else "known_hosts")
    return write_folder(folder, toml=toml, policy=POLICY, hosts=hosts, files=files)


class Trace:
    """What the devices saw."""

    def __init__(self, path):
        self.path = path
        path.touch()
        path.chmod(0o666)  # the user of the SSH server writes here too

    def count(self, word):
        return Counter(line.split()[1] for line in self.path.read_text().splitlines() if line.startswith(word))


def told(chat, room, pattern):
    wait(lambda: any(where == room and pattern in text for where, text in chat.surface.said), 30)


@pytest.fixture(scope="module")
def trace(sshd):
    return Trace(sshd.home / f"trace-{time.monotonic_ns()}")


@pytest.fixture(scope="module")
def chat(tmp_path_factory, sshd, trace):
    """A bot after it was killed while #1 to #4 ran and #5 to #7 waited."""
    folder = write(tmp_path_factory.mktemp("crash") / "netbot", trace.path, sshd)
    victim = Victim(folder)
    over_ssh = f"!run sh -c 'echo begin far >> {trace.path}; sleep 40; echo end far >> {trace.path}' on far"
    commands = (
        (State.RUNNING, "ana ops !write one seconds=40 on here"),
        (State.RUNNING, "joe lobby !look two seconds=40 on here"),
        (State.RUNNING, "ana - !play three seconds=40 on there"),
        (State.RUNNING, f"ana ops {over_ssh}"),
        (State.QUEUED, "joe - !look five on here"),
        (State.QUEUED, "ana ops !write six on here"),
        (State.QUEUED, "ana ops !write seven on here,there"),
    )
    for number, (state, words) in enumerate(commands, 1):
        victim.say(*words.split(" ", 2))
        victim.until(number, state)
    wait(lambda: set(trace.count("begin")) == {"one", "two", "three", "far"}, 60, lambda: str(trace.count("begin")))
    victim.kill()
    with ChatBot(folder) as chat:
        yield chat


def test_what_ran_is_interrupted_and_told_in_the_place_that_asked(chat):
    told(chat, "ops", "#1 write one seconds=40.0 on here interrupted")
    told(chat, "lobby", "#2 look two seconds=40.0 on here interrupted")
    told(chat, "ana", "#3 play three seconds=40.0 on there interrupted")
    told(chat, "ops", "#4 run")
    assert [job.state for job in chat.jobs[::-1][:4]] == [State.INTERRUPTED] * 4
    assert "!ack 1" in next(text for _, text in chat.surface.said if text.startswith("#1 "))


def test_nothing_that_ran_is_started_again_and_none_of_its_processes_here_goes_on(chat, trace):
    assert [trace.count("begin")[token] for token in ("one", "two", "three", "far")] == [1, 1, 1, 1]
    assert not survivors(f"echo begin one >> {trace.path}", 5)
    assert not survivors(f"echo begin three >> {trace.path}", 5)
    assert not [run.name for run in (chat.automation.data / "runs").iterdir() if run.name[:6] <= "job-4-"]


def test_a_read_goes_on_and_holds_nothing(chat, trace):
    wait(lambda: chat.automation.store.job(5).state is State.DONE, 30)
    told(chat, "joe", "#5 look five on here done")
    assert set(chat.automation.store.holds().values()) == {1, 3, 4}


def test_changes_wait_for_the_held_devices_and_the_queue_says_why(chat, trace):
    queue = chat.asks("!queue", "jobs wait", who="ana")
    assert "#6  write six    ana  waits for here: #1 was interrupted there and is not acknowledged" in queue
    assert "#7  write seven" in queue
    assert "held by #1" in " ".join(chat.asks("!device here", "platform", who="ana").split())
    assert not {"six", "seven"} & set(trace.count("begin"))


def test_after_the_acknowledgement_the_waiting_change_runs_once(chat, trace):
    assert "No: ana or an admin acknowledges #1" in chat.asks("!ack 1", who="joe")
    assert "#1 is acknowledged; here can be changed again" in chat.asks("!ack 1", "acknowledged", who="ana")
    wait(lambda: chat.automation.store.job(6).state is State.DONE, 30)
    assert chat.automation.store.job(7).state is State.QUEUED, "there is still held by #3"
    chat.asks("!ack 3", "acknowledged", who="ana")
    wait(lambda: chat.automation.store.job(7).state is State.DONE, 30)
    assert (trace.count("begin")["six"], trace.count("end")["six"], trace.count("end")["seven"]) == (1, 1, 1)


def test_what_was_interrupted_can_be_asked_for_again(chat, trace):
    assert "#2" not in chat.asks("!jobs running", who="ana")
    chat.asks("!retry 2", "#8 look two seconds=40.0 on here", who="joe")
    wait(lambda: trace.count("begin")["two"] == 2, 30)
    chat.asks("!cancel 8", "being cancelled", who="joe")
    chat.hears("#8 .* cancelled")


def test_the_record_holds_together_over_the_crash(chat):
    assert "The record is whole" in chat.asks("!audit verify", who="ana")
    assert "interrupted" in chat.asks("!audit job=1", "entries", who="ana")


def test_connections_that_ansible_kept_for_a_killed_bot_end_with_the_next_start(tmp_path, sshd, trace):
    folder = write(tmp_path / "netbot", trace.path, sshd)
    victim = Victim(folder)
    victim.say("ana", "ops", "!play eight seconds=0 on far")
    victim.until(1, State.DONE)
    victim.kill()
    sockets = Masters(folder / "data" / "netbot").folder
    assert survivors(f"ssh: {sockets}/", 0)
    with ChatBot(folder):
        assert not survivors(f"ssh: {sockets}/", 0)
        assert not sockets.exists()


def test_a_second_bot_on_the_same_data_is_refused_by_name(tmp_path):
    folder, data = write_bot(tmp_path / "twin"), tmp_path / "data"
    with Program("run", folder, data=data) as first:
        first.asks("!whoami", "You are admin")
        with Program("run", folder, data=data) as second:
            assert second.ends() == 1
        assert f"pid {first.process.pid} on {socket.gethostname()}" in second.said
        assert "Traceback" not in second.said
        assert first.asks("!whoami", "You are admin")


def test_killed_again_and_again_at_any_moment_no_change_runs_twice(tmp_path):
    trace, chance = Trace(tmp_path / "trace"), random.Random(3)
    folder = write(tmp_path / "netbot", trace.path)
    for number in range(rounds(3, 30)):
        victim = Victim(folder)
        for command in range(4):
            verb = chance.choice(["write", "write", "write", "look", "play"])
            victim.say("ana", "ops", f"!{verb} t{number}.{command} on {chance.choice(['here', 'there', 'here,there'])}")
        time.sleep(chance.uniform(0, 3))
        victim.kill()
    with ChatBot(folder) as chat:
        _acknowledge_everything(chat)
        began, ended = trace.count("begin"), trace.count("end")
        for job in chat.jobs:
            token = job.parameters["token"]
            seen = (job.number, job.state.value, began[token], ended[token])
            once = len(job.devices) if job.operation == "play" else 1  # a function runs once for all devices
            assert seen[2:] == (once, once) if job.state is State.DONE else seen[2] <= once, seen
        assert not chat.automation.store.untold()
        assert chat.automation.store.verify_audit()


def _acknowledge_everything(chat):
    def settled():
        for number in set(chat.automation.store.holds().values()):
            chat.say(f"!ack {number}")
        return all(job.state in FINAL and job.told for job in chat.jobs)

    wait(settled, 120, lambda: str([(job.number, job.state) for job in chat.jobs]))
