"""The Ansible driver against real ansible-playbook runs on this machine."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from automation_bots import drivers
from automation_bots.drivers import Cancel, Task, only_its_own
from automation_bots.drivers.ansible.control_masters import Masters
from automation_bots.drivers.ansible.driver import Ansible, ansible_playbook
from automation_bots.drivers.ansible.outcomes import reason, sentence
from automation_bots.errors import DriverError
from automation_bots.model import (
    CONTROLLER,
    Caller,
    Command,
    Device,
    Job,
    Operation,
    Outcome,
    Place,
    Risk,
    State,
    Status,
)
from automation_bots.operations import catalog, playbooks
from automation_bots.operations.covered import Covered
from automation_bots.processes.ansible_content import Content
from tests.drivers.ansible.left_over import left_over

pytestmark = [pytest.mark.slow, pytest.mark.works, pytest.mark.timeout(100)]
LOCAL = {"ansible_connection": "local"}
INJECTION = "{{ lookup('pipe', 'id') }} $HOME `id` {% raw %}"


@dataclass
class Heard:
    """A report that remembers, and can act on what it hears."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    said: str = ""
    on_progress: object = None

    def outcome(self, outcome):
        self.order.append(outcome.device)
        self.outcomes.setdefault(outcome.device, outcome)

    def remark(self, text):
        self.said = text

    def progress(self, text):
        self.words.append(text)
        if self.on_progress:
            self.on_progress(text)


@dataclass(frozen=True)
class Verb:
    """A verb as the driver sees it."""

    argv: tuple[str, ...]

    def command(self, platform, parameters):
        words = tuple(word.format(**parameters) for word in self.argv)
        return Command(words) if platform == "linux" else None


@dataclass
class Bench:
    """A folder with an inventory of local devices, and a way to run operations on them."""

    folder: Path
    heard: Heard = field(default_factory=Heard)
    cancel: Cancel = field(default_factory=Cancel)
    driver: Ansible = field(default_factory=Ansible)
    seconds: float = 240  # a busy machine takes a minute for what takes ten seconds else

    def write(self, text, name="play.yml"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def playbook(self, text, *devices, **parameters):
        return self.run(playbooks.load(self.write(text)), *devices, **parameters)

    def run(self, operation, *devices, check=False, variables=None, covered=None, further=None, **parameters):
        job = Job(
            1, State.RUNNING, "ana", Caller("text", "1"), Place("text", "room"), operation.name, parameters, "all",
            devices, operation.risk_of(parameters), ("ansible",), check=check,
        )  # fmt: skip
        known = LOCAL if variables is None else variables
        task = Task(
            job, operation, tuple(Device(name, variables=known) for name in devices), self.folder / "work",
            time.monotonic() + self.seconds, self.cancel, inventory=tuple(self.folder.glob("inventory.yml")),
            covered=catalog.covered(operation) if covered is None else covered,
            further=further or partial(_further, here=operation.controller or not devices),
        )  # fmt: skip
        task.workdir.mkdir(exist_ok=True)
        self.driver.run(task, self.heard)
        assert not list((self.folder / "work").iterdir()), "the run left files"
        assert not left_over(self.folder), "the run left processes"
        return self.heard.outcomes


def _further(contact, *, here):
    return "" if here and contact.here else only_its_own(contact)


@pytest.fixture
def bench(tmp_path):
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    gone = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o BatchMode=yes"}
    hosts = dict.fromkeys(("web1", "web2", "web3", "db1"), local) | {"gone": gone}
    (tmp_path / "inventory.yml").write_text(
        json.dumps({"all": {"hosts": hosts, "children": {"db": {"hosts": {"db1": {}}}}}})
    )
    bench = Bench(tmp_path)
    yield bench
    bench.driver.close()


def statuses(outcomes):
    return {name: str(outcome.status) for name, outcome in outcomes.items()}


TOUCH = """
- hosts: all
  gather_facts: false
  tasks:
    - name: touch
      ansible.builtin.file: {path: "{{ playbook_dir }}/was-{{ inventory_hostname }}", state: touch}
    - name: refuse
      ansible.builtin.fail: {msg: "the disk is full\\nreally"}
      when: inventory_hostname == "web2"
- hosts: all
  gather_facts: false
  tasks: [{name: say, ansible.builtin.debug: {msg: "all is well"}}]
"""


def test_each_device_gets_its_own_outcome_and_no_other_device_is_touched(bench):
    outcomes = bench.playbook(TOUCH, "web1", "web2", "gone")
    assert statuses(outcomes) == {"web1": "changed", "web2": "failed", "gone": "unreachable"}
    assert outcomes["web2"].summary == "[refuse] the disk is full really"
    assert "Connection refused" in outcomes["gone"].summary
    assert outcomes["web1"].summary == "changed: touch"
    assert "[say] ok\n  all is well" in outcomes["web1"].output
    assert outcomes["web1"].seconds > 0
    assert bench.heard.order[-1] == "web1", "failures are told when they happen"
    assert bench.heard.words[0] == "TASK [touch]"
    assert not (bench.folder / "was-web3").exists()
    assert not (bench.folder / "was-db1").exists()


COPY = """
- hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.copy: {dest: "{{ playbook_dir }}/motd", content: "new\\n"}}]
"""


def test_check_shows_the_difference_and_changes_nothing(bench):
    file = bench.write("old\n", "motd")
    outcome = bench.playbook(COPY, "web1", check=True)["web1"]
    assert outcome.status is Status.CHANGED
    assert "-old\n" in outcome.output
    assert "+new" in outcome.output
    assert file.read_text() == "old\n"


SLEEP = """
- hosts: all
  gather_facts: false
  tasks: [{name: wait, ansible.builtin.shell: "trap '' TERM; sleep 61.23"}]
"""


def test_cancel_in_the_middle_leaves_no_process_and_says_that_the_outcome_is_unknown(bench):
    def cancel(_):
        threading.Timer(1.0, bench.cancel.set, ["cancelled by joe"]).start()

    bench.heard.on_progress = cancel
    started, sleep = time.monotonic(), f"61.{time.monotonic_ns() % 1_000_000:06}"
    outcomes = bench.playbook(SLEEP.replace("61.23", sleep), "web1", "web2")
    assert time.monotonic() - started < 50  # the playbook would take over a minute
    assert statuses(outcomes) == {"web1": "unknown", "web2": "unknown"}
    assert outcomes["web1"].summary.startswith("cancelled by joe after ")
    until = time.monotonic() + 10
    while left := subprocess.run(["pgrep", "-f", f"sleep {sleep}"], capture_output=True).stdout:
        assert time.monotonic() < until, left  # what was killed may still be on its way out


def test_cancelled_before_it_began_starts_nothing(bench):
    bench.cancel.set("cancelled")
    assert statuses(bench.playbook(TOUCH, "web1")) == {"web1": "cancelled"}
    assert not (bench.folder / "was-web1").exists()


def test_a_hanging_playbook_ends_at_the_time_limit(bench):
    bench.seconds = 2.0
    operation = replace(playbooks.load(bench.write(SLEEP)), risk=Risk.READ)
    outcome = bench.run(operation, "web1")["web1"]
    assert outcome.status is Status.CANCELLED
    assert outcome.summary.startswith("time limit after ")


MUCH = """
- hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.shell: "head -c 12000000 /dev/zero | tr '\\\\0' x"}]
"""


@pytest.mark.timeout(400)
def test_many_megabytes_of_output_are_cut_and_do_not_fill_the_memory(bench):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = bench.playbook(MUCH, "web1")["web1"]
    assert outcome.status is Status.CHANGED
    assert outcome.output.endswith("x\n  [output cut at 1 MB]")
    assert len(outcome.output) < 1_000_100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_ansible_killed_by_the_system_leaves_the_outcome_unknown(bench):
    command = ["pkill", "-9", "-P", str(os.getpid()), "-f", "bin/ansible-playbook"]
    bench.heard.on_progress = lambda _: threading.Timer(0.7, subprocess.run, [command]).start()
    outcome = bench.playbook(SLEEP, "web1")["web1"]
    assert outcome.status is Status.UNKNOWN
    assert outcome.summary.startswith("ansible-playbook was killed by signal 9")


@pytest.mark.parametrize(
    ("play", "said"),
    [
        ("- hosts: all\n  tasks: [{comand: date}]\n", "couldn't resolve module/action 'comand'"),
        (
            "- hosts: all\n  roles: [nope]\n",
            "nope is not there, neither beside the playbook nor installed (play.yml, l",
        ),
        ("- hosts: nothing\n  tasks: []\n", "no play of the playbook is for this device"),
    ],
)
def test_a_playbook_that_cannot_run_says_so_in_one_sentence(bench, play, said):
    outcomes = bench.playbook(play, "web1", "web2")
    assert statuses(outcomes) == {"web1": "failed", "web2": "failed"}
    assert said in outcomes["web1"].summary
    assert str(bench.folder) not in outcomes["web1"].summary


ECHO = """
- hosts: "{{ devices }}"
  gather_facts: false
  vars: {inner: "{{ word }}"}
  tasks:
    - ansible.builtin.debug: {msg: "<{{ inner }}> <{{ words[0] }}>"}
    - ansible.builtin.command: {argv: [printf, "%s", "{{ word }}"], expand_argument_vars: false}
"""


def test_what_people_type_is_never_a_template_in_a_playbook(bench):
    outcome = bench.playbook(ECHO, "web1", word=INJECTION, words=(INJECTION,))["web1"]
    assert f"<{INJECTION}> <{INJECTION}>" in outcome.output
    assert "uid=" not in outcome.output
    assert outcome.output.endswith(f"  {INJECTION}")


def test_what_people_type_is_never_a_template_or_shell_in_a_verb(bench):
    verb = Operation("say", "", driver="ansible", body=Verb(("printf", "%s", "{word}")))
    outcome = bench.run(verb, "web1", word=INJECTION)["web1"]
    assert outcome.output == INJECTION
    assert outcome.status is Status.CHANGED


WORDS = ("true", "007", "null", "1.10", "2026-01-01", "[1]", "", " é😀\x7f\u2028 ", "two\nlines\\n", "!unsafe x", "'\"")


def test_what_people_type_arrives_exactly_as_it_is(bench):
    outcome = bench.run(Operation("say", "", body=Verb(("printf", "%s|", *WORDS))), "web1")["web1"]
    assert outcome.output == "".join(f"{word}|" for word in WORDS)
    bench.heard = Heard()
    play = "- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: '{{ words | to_json }}'}}]\n"
    assert json.loads(bench.playbook(play, "web1", words=WORDS)["web1"].output.partition("\n")[2]) == list(WORDS)


def test_a_verb_gives_what_the_command_printed_and_its_exit_code(bench):
    verb = Operation(
        "look",
        "",
        risk=Risk.READ,
        driver="ansible",
        body=Verb(("sh", "-c", "echo one; echo two; echo bad >&2; exit {code}")),
    )
    good = bench.run(verb, "web1", "web2", code=0, check=True)["web2"]
    assert (good.status, good.output, good.summary, good.exit_code) == (Status.OK, "one\ntwo", "one", 0)
    bench.heard = Heard()
    bad = bench.run(verb, "web1", code=3)["web1"]
    assert (bad.status, bad.output, bad.summary, bad.exit_code) == (Status.FAILED, "one\ntwo\nbad", "bad", 3)


def test_a_preview_of_a_verb_that_changes_runs_nothing(bench):
    verb = Operation("touch", "", body=Verb(("touch", "{file}")))
    outcome = bench.run(verb, "web1", check=True, file=str(bench.folder / "made"))["web1"]
    assert outcome.status is Status.UNKNOWN
    assert not (bench.folder / "made").exists()


def test_without_inventory_files_a_device_brings_its_own_variables(bench):
    (bench.folder / "inventory.yml").unlink()
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    verb = Operation("true", "", body=Verb(("true",)))
    names = ("w*b", "2001:db8::1", "web1")
    assert statuses(bench.run(verb, *names, variables=local)) == dict.fromkeys(names, "changed")


def test_a_platform_without_a_command_is_skipped(bench):
    outcomes = bench.run(Operation("x", "", body=Verb(("true",))), "web1", variables={"platform": "frr"})
    assert outcomes["web1"].summary == "no command for platform frr"
    assert outcomes["web1"].status is Status.SKIPPED


FORGIVING = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: ignored, ansible.builtin.command: "false", ignore_errors: true, changed_when: false}
    - block: [{name: broken, ansible.builtin.fail: {msg: sorry}}]
      rescue: [{name: mend, ansible.builtin.debug: {msg: mended}}]
    - {name: hidden, ansible.builtin.command: "echo s3cret", no_log: true, changed_when: false}
    - {name: gate, ansible.builtin.pause: {prompt: "Really?"}}
"""


def test_ignored_and_rescued_failures_are_no_failures_and_no_log_is_kept(bench):
    outcome = bench.playbook(FORGIVING, "web1")["web1"]
    assert outcome.status is Status.OK
    forgiven = "mended; rescued: broken; failed, ignored: ignored"
    assert outcome.summary == f"{forgiven}; went on without an answer, since nobody was asked: Really?"
    assert "s3cret" not in outcome.output
    assert "[broken] failed\n  sorry" in outcome.output


ROLLING = """
- hosts: all
  serial: {serial}
  gather_facts: false
  any_errors_fatal: true
  tasks: [{{ansible.builtin.command: "false", when: inventory_hostname == "web1"}}, {{ansible.builtin.debug: }}]
"""


def test_devices_that_a_stopped_playbook_never_reached_are_told_so(bench):
    outcomes = bench.playbook(ROLLING.format(serial=1), "web1", "web2")
    assert statuses(outcomes) == {"web1": "failed", "web2": "cancelled"}
    assert "because web1 failed" in outcomes["web2"].summary


def test_devices_whose_play_was_stopped_under_them_have_not_succeeded(bench):
    outcomes = bench.playbook(ROLLING.format(serial=2), "web1", "web2")
    assert outcomes["web2"].summary == "stopped before the end, because web1 failed"
    assert outcomes["web2"].status is Status.FAILED


REPLACED = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: first.yml
    - ansible.builtin.include_tasks: second.yml
    - ansible.builtin.script: run.sh
"""


@pytest.mark.parametrize("late", ["second.yml", "run.sh"])
def test_a_file_that_is_replaced_while_the_playbook_runs_is_not_run(bench, late):
    bench.write("- {name: pause, ansible.builtin.pause: {seconds: 1}}\n", "first.yml")
    bench.write("- ansible.builtin.debug: {msg: as approved}\n", "second.yml")
    bench.write("#!/bin/sh\ntrue\n", "run.sh")
    evil = bench.folder / "evil"
    task = f"- ansible.builtin.file: {{path: {evil}, state: touch}}\n"
    other = f"#!/bin/sh\ntouch {evil}\n" if late == "run.sh" else task
    bench.heard.on_progress = lambda words: bench.write(other, late) if "pause" in words else None
    outcomes = bench.playbook(REPLACED, "web1")
    assert not evil.exists()
    assert statuses(outcomes) == {"web1": "failed"}
    assert f"{late} was changed after" in outcomes["web1"].summary + outcomes["web1"].output


PULLED = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: first.yml
    - ansible.builtin.include_vars: {dir: vars}
    - ansible.builtin.debug: {msg: "{{ late | default('as approved') }}"}
"""


def test_a_file_that_comes_into_a_covered_folder_while_the_playbook_runs_is_not_read(bench):
    bench.write("- {name: pause, ansible.builtin.pause: {seconds: 1}}\n", "first.yml")
    bench.write("early: true\n", "vars/early.yml")
    bench.heard.on_progress = lambda words: bench.write("late: evil\n", "vars/late.yml") if "pause" in words else None
    outcomes = bench.playbook(PULLED, "web1")
    assert statuses(outcomes) == {"web1": "failed"}
    assert "late.yml is not among the files" in outcomes["web1"].summary + outcomes["web1"].output


def test_a_file_that_was_replaced_before_ansible_read_it_stops_the_run(bench):
    operation = playbooks.load(bench.write("- hosts: all\n  gather_facts: false\n  tasks: [{debug: }]\n"))
    outcomes = bench.run(operation, "web1", covered=Covered(dict.fromkeys(catalog.covered(operation).files, "00" * 32)))
    assert "play.yml was changed after the job was accepted" in outcomes["web1"].summary


def test_a_playbook_for_other_devices_is_skipped_where_it_does_not_apply(bench):
    outcomes = bench.playbook(
        "- hosts: db\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n", "web1", "db1"
    )
    assert statuses(outcomes) == {"web1": "skipped", "db1": "ok"}


def test_a_group_of_the_same_name_does_not_widen_the_run(bench):
    inventory = json.loads((bench.folder / "inventory.yml").read_text())
    inventory["all"]["children"]["web1"] = {"hosts": {"db1": {}}}
    (bench.folder / "inventory.yml").write_text(json.dumps(inventory))
    bench.playbook(TOUCH, "web1")
    assert not (bench.folder / "was-db1").exists()


def test_even_without_the_limit_no_other_device_is_touched(bench):
    (bench.folder / "devices.json").write_text('["web2"]')
    surroundings = {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(drivers.__file__).parent / "ansible" / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "bot_events",
        "AUTOMATION_BOTS_RUN": "",
        "AUTOMATION_BOTS_OUTPUT_LIMIT": "1000",
        "AUTOMATION_BOTS_DEVICES": str(bench.folder / "devices.json"),
        "AUTOMATION_BOTS_FILES": str(bench.write('{"wanted": {}}', "files.json")),
        "AUTOMATION_BOTS_DOOR": str(bench.folder / "door"),
        "AUTOMATION_BOTS_CONTROLLER": "0",
    }
    command = [str(ansible_playbook()), "-i", str(bench.folder / "inventory.yml"), str(bench.write(TOUCH))]
    ended = subprocess.run(command, env={**os.environ, **surroundings}, capture_output=True)
    assert ended.returncode == 99
    assert b'"refused", "host": "web1"' in ended.stdout
    assert not list(bench.folder.glob("was-*"))


def test_an_operation_without_devices_runs_here_once(bench):
    play = "- hosts: localhost\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: {msg: here}}]\n"
    outcomes = bench.run(replace(playbooks.load(bench.write(play)), devices="none"))
    assert [(o.device, o.status, o.summary) for o in outcomes.values()] == [("", Status.OK, "here")]


def test_a_playbook_that_needs_devices_does_not_run_here_without_them(bench):
    play = "- hosts: all\n  gather_facts: false\n  tasks: [{file: {path: '{{ playbook_dir }}/was', state: touch}}]\n"
    assert bench.playbook(play) == {}
    assert not (bench.folder / "was").exists()


def test_vaulted_variables_of_the_inventory_are_read_with_the_password_file(bench):
    password = bench.write("open sesame\n", "password")
    tool = str(Path(sys.executable).with_name("ansible-vault"))
    command = [tool, "encrypt_string", "--vault-password-file", str(password), "pears", "--name", "fruit"]
    bench.write(subprocess.run(command, capture_output=True, text=True, check=True).stdout, "group_vars/all.yml")
    bench.driver = Ansible(vault_password_file=password)
    play = '- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: {msg: "{{ fruit }}"}}]\n'
    assert bench.playbook(play, "web1")["web1"].summary == "pears"
    bench.driver.close()
    bench.driver, bench.heard = Ansible(), Heard()
    assert bench.playbook(play, "web1")["web1"].status is Status.FAILED


PROMPTS = """
- hosts: all
  gather_facts: false
  vars_prompt:
    - {name: release, prompt: Which release, private: false}
    - {name: mode, prompt: Mode, default: fast, private: false}
  tasks: [{ansible.builtin.debug: {msg: "{{ release }} {{ mode }}"}}]
"""


def test_a_playbook_that_asks_questions_gets_its_answers_from_the_chat(bench):
    assert bench.playbook(PROMPTS, "web1", release="7.1")["web1"].summary == "7.1 fast"


PIPED = """
- hosts: all
  gather_facts: false
  tasks: [{debug: {msg: "piped {{ lookup('config', 'ANSIBLE_PIPELINING') }}"}}]
"""


def test_modules_are_piped_unless_an_ansible_cfg_has_its_own_word(bench):
    bench.playbook(PIPED, "web1")
    assert "piped True" in bench.heard.outcomes["web1"].output
    bench.write("[ssh_connection]\npipelining = false\n", "ansible.cfg")
    bench.heard = Heard()
    bench.playbook(PIPED, "web1")
    assert "piped False" in bench.heard.outcomes["web1"].output


def test_the_environment_of_the_bot_stays_with_the_bot(bench, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-1")
    bench.driver = Ansible(environment={"HOME": str(bench.folder), "COLOUR": "blue"})
    verb = Operation("env", "", risk=Risk.READ, body=Verb(("env",)))
    words = bench.run(verb, "web1")["web1"].output.splitlines()
    assert "COLOUR=blue" in words
    assert "ANSIBLE_HOST_KEY_CHECKING=True" in words
    assert not [word for word in words if "xoxb" in word]
    assert not list((bench.folder / ".ansible").rglob("ansible-*"))


def test_without_ansible_the_error_names_the_package(bench, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(bench.folder / "python"))
    with pytest.raises(DriverError, match="pip install ansible-core"):
        bench.playbook(TOUCH, "web1")


def test_without_ansible_runner_the_error_names_the_package(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "ansible_runner.config.command", None)
    with pytest.raises(DriverError, match="pip install ansible-runner"):
        bench.playbook(TOUCH, "web1")


def test_a_listener_that_fails_does_not_leave_ansible_running(bench):
    def fail(_):
        raise OSError("the database is gone")

    bench.heard.on_progress = fail
    with pytest.raises(OSError, match="the database is gone"):
        bench.playbook(SLEEP, "web1")
    assert not left_over(bench.folder)


@pytest.fixture
def sshd(tmp_path):
    """A real SSH server on a free port of loopback, and the variables to reach it."""
    server = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(server).exists() or os.getuid() != 0:
        pytest.skip("needs sshd, and root to start it")
    for name in ("hostkey", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    port = free_port()
    Path("/run/sshd").mkdir(exist_ok=True)
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {(tmp_path / 'hostkey.pub').read_text()}")
    options = {"ListenAddress": "127.0.0.1", "Port": port, "HostKey": tmp_path / "hostkey", "PidFile": "none",
               "UsePAM": "no", "AuthorizedKeysFile": tmp_path / "key.pub", "StrictModes": "no",
               "PermitRootLogin": "yes"}  # fmt: skip
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    process = subprocess.Popen([server, "-D", "-e", "-f", "/dev/null", *words], stderr=subprocess.DEVNULL)
    yield {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "root",
           "ansible_ssh_private_key_file": str(tmp_path / "key"), "ansible_python_interpreter": sys.executable,
           "ansible_ssh_common_args": f"-o UserKnownHostsFile={tmp_path / 'known'}"}  # fmt: skip
    process.terminate()
    process.wait()


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def use_ssh(bench, variables):
    bench.write(json.dumps({"all": {"hosts": {"ssh1": variables}}}), "inventory.yml")


PAUSES = """
- hosts: all
  gather_facts: false
  tasks: [{command: hostname}, {pause: {seconds: 1}}, {command: hostname}]
"""


def masters(sockets):
    return subprocess.run(["pgrep", "-f", rf"{sockets}/.*\[mux\]"], capture_output=True).stdout.split()


def test_over_ssh_a_connection_serves_the_next_run_and_ends_with_the_bot(bench, sshd):
    use_ssh(bench, sshd)
    assert statuses(bench.playbook(PAUSES, "ssh1")) == {"ssh1": "changed"}
    sockets = bench.driver._masters.sockets
    kept = masters(sockets)
    assert (len(kept), stat.S_IMODE(sockets.stat().st_mode)) == (1, 0o700)
    bench.heard = Heard()
    assert statuses(bench.playbook(PAUSES, "ssh1")) == {"ssh1": "changed"}
    assert masters(sockets) == kept
    bench.driver.close()
    assert not masters(sockets)
    assert not sockets.exists()


def test_a_job_that_is_cancelled_cuts_off_no_other_on_the_same_connection(bench, sshd, tmp_path_factory):
    other = Bench(tmp_path_factory.mktemp("other"), driver=bench.driver)
    for each in (bench, other):
        use_ssh(each, sshd)
    bench.playbook(PAUSES, "ssh1")
    bench.heard = Heard(on_progress=lambda _: other.cancel.set("ana said stop"))
    stopped = threading.Thread(target=other.playbook, args=(PAUSES, "ssh1"))
    stopped.start()
    assert statuses(bench.playbook(PAUSES, "ssh1")) == {"ssh1": "changed"}
    stopped.join()
    assert "ana said stop" in other.heard.outcomes["ssh1"].summary


def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(tmp_path):
    left = Masters(tmp_path)
    left.folder.symlink_to(tmp_path)
    other = left.sockets
    assert other != left.folder
    Masters(tmp_path).close()
    assert left.folder.is_symlink()
    left.folder.unlink()
    left.close()
    assert not other.exists()


def test_sockets_whose_folder_was_taken_away_get_a_new_one():
    masters = Masters()
    first = masters.sockets
    assert masters.sockets == first
    first.rmdir()
    first.symlink_to("/")
    second = masters.sockets
    first.unlink()
    masters.close()
    assert second != first
    assert not second.exists()


def test_over_ssh_an_unknown_host_key_is_refused(bench, sshd):
    (bench.folder / "known").write_text("")
    use_ssh(bench, sshd)
    outcome = bench.run(Operation("x", "", body=Verb(("true",))), "ssh1")["ssh1"]
    assert outcome.status is Status.UNREACHABLE
    assert "Host key verification failed" in outcome.summary


ERRORS = """\x1b[1;35m[WARNING]: noise\x1b[0m
\x1b[0;31m[ERROR]: no such thing in /srv/roles:/root/roles
Origin: /srv/x/play.yml:3:5

3 - x
\x1b[0m"""


DENIED = "Make sure this host can be reached over ssh: ana@192.0.2.1: Permission denied (publickey,password)."
WRONG = "Invalid/incorrect username/password. Skipping remaining 5 retries to prevent account lockout: no"


def test_a_refused_login_is_told_as_by_the_other_drivers():
    assert reason(DENIED) == "authentication failed for user ana on 192.0.2.1; it takes publickey,password"
    assert reason(WRONG).startswith("authentication failed: invalid/incorrect username/password. Skipping")
    assert reason("web1: Permission denied") == "web1: Permission denied"


def test_a_sudo_that_wants_a_terminal_is_told_with_what_to_set():
    assert reason("sudo: sorry, you must have a tty to run sudo").endswith(
        "→ ansible_pipelining: false for this device in the inventory"
    )


def test_the_sentence_has_no_colour_no_warnings_and_no_paths():
    assert sentence(ERRORS) == "no such thing (play.yml, line 3)"
    assert sentence("[WARNING]: noise\nTraceback\nValueError: what\n") == "ValueError: what"
    broken = "ERROR: Error reading config file (x.cfg): errors: '<string>'\n\t[line 2]: 'y'\n\nTraceback\nlast\n"
    assert sentence(broken) == "Error reading config file (x.cfg): errors: '<string>' [line 2]: 'y'"


def test_a_missing_vault_password_is_told_with_its_setting_and_no_number_of_the_system():
    for text in ("EOFError (ctrl-d) on prompt for (prod)", "Attempting to decrypt but no vault secrets found."):
        assert sentence(f"[ERROR]: {text}").endswith("see vault_password_file in [inventory] of bot.toml")
    assert reason("[Errno None] Unable to connect to port 1") == "Unable to connect to port 1"


def test_the_reason_of_a_failure_comes_first_and_not_how_far_ansible_had_come():
    far = "Task failed: Finalization of task args for 'ansible.builtin.debug' failed: Error while resolving value for "
    assert reason(f"{far}'msg': No filter named 'x'.") == "'msg': No filter named 'x'."
    assert reason(f"web: {far}'_raw_params': 'x' is undefined") == "web: 'x' is undefined"


LOOPS = """
- hosts: all
  gather_facts: false
  tasks:
    - {debug: {var: item.port}, loop: [{name: web, port: 80}, {port: 22}], when: item.port > 30}
    - {command: "false", loop: [{x: 1, y: 2}, {name: second}], loop_control: {loop_var: it}, ignore_errors: true}
    - {debug: {msg: "{{ nowhere }}"}}
"""


def test_items_are_called_by_their_names_and_what_is_undefined_can_be_asked_for(bench):
    outcome = bench.playbook(LOOPS, "web1")["web1"]
    assert '(web) {\n    "item.port": 80\n  }\n  ({"port": 22})\n' in outcome.output
    assert '({"x": 1, "y": 2}) non-zero return code' in outcome.output and "(second) non-zero" in outcome.output
    assert "'nowhere' is undefined → `# vars: nowhere` in the first comments" in outcome.summary


REPORT = """
{header}
- name: Collect
  hosts: web1,web2
  gather_facts: false
  tasks:
    - ansible.builtin.command: echo {{{{ inventory_hostname }}}}
      register: found
    - ansible.builtin.add_host: {{name: "sw9", groups: added}}
    - ansible.builtin.group_by: {{key: grouped}}
- name: Write a report
  hosts: localhost
  gather_facts: false
  tasks:
    - name: write
      ansible.builtin.copy: {{content: "{{{{ hostvars.web1.found.stdout }}}}", dest: "{{{{ playbook_dir }}}}/report"}}
- name: Of the group
  hosts: grouped
  gather_facts: false
  tasks: [{{name: say, ansible.builtin.debug: {{msg: "as a group"}}}}]
- name: Of databases
  hosts: db
  gather_facts: false
  tasks: [{{ansible.builtin.debug: {{msg: "not asked for"}}}}]
"""
MADE_UP = """
- name: Made up
  hosts: added
  gather_facts: false
  tasks: [{ansible.builtin.debug: {msg: "who are you"}}]
"""


def test_a_play_for_the_bots_own_machine_runs_where_the_header_says_so(bench):
    outcomes = bench.playbook(REPORT.format(header="# bot:\n#   controller: true"), "web1")
    assert statuses(outcomes) == {"web1": "changed", CONTROLLER: "changed"}
    assert (bench.folder / "report").read_text() == "web1"
    assert "as a group" in outcomes["web1"].output
    assert bench.heard.said == 'not run: play "Of databases" (for db1, not asked for)'


def test_plays_that_were_left_out_are_named_with_the_reason(bench):
    with pytest.raises(DriverError) as error:
        bench.playbook(REPORT.format(header="") + MADE_UP, "web1")
    assert not (bench.folder / "report").exists()
    assert str(error.value) == (
        "play \"Write a report\" was not run: it is for the bot's own machine, and the playbook's header does not say "
        'controller: true; play "Made up" was not run: it is for sw9, which the playbook itself added and nobody '
        "decided on"
    )


DELEGATES = """
- hosts: web1
  gather_facts: false
  tasks:
    - name: elsewhere
      ansible.builtin.file: {path: "{{ playbook_dir }}/was-{{ item }}", state: touch}
      delegate_to: "{{ item }}"
      ignore_errors: true
      loop: [db1, web2, "{{ via }}"]
    - name: here
      ansible.builtin.file: {path: "{{ playbook_dir }}/was-here", state: touch}
      delegate_to: localhost
      ignore_errors: true
    - name: not at all
      ansible.builtin.command: /bin/true
      delegate_to: db1
      when: false
"""


def test_a_task_that_is_delegated_works_only_where_it_may(bench):
    outcome = bench.playbook(
        DELEGATES, "web1", further=lambda at: "" if at.device == "web2" else f"{at.device} is frozen", via="web3"
    )["web1"]
    assert [path.name for path in bench.folder.glob("was-*")] == ["was-web2"]
    assert "failed, ignored: elsewhere, here" in outcome.summary
    assert all(f"{name} is frozen" in outcome.output for name in ("db1", "web3", "localhost"))


FORETOLD = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: one, ansible.builtin.command: /bin/true}
    - {name: two, ansible.builtin.shell: "true", when: false}
    - {name: three, ansible.builtin.raw: "true"}
    - {name: four, ansible.builtin.debug: {msg: well}}
"""


def test_a_preview_says_which_commands_it_cannot_know(bench):
    outcome = bench.playbook(FORETOLD, "web1", check=True)["web1"]
    assert (outcome.status, outcome.summary) == (Status.UNKNOWN, "not known beforehand (2 commands)")
    assert "[one] not known beforehand" in outcome.output and "[two] skipped" in outcome.output


def test_roles_above_the_playbook_and_content_of_the_bot_are_found_and_what_is_missing_is_named(bench, tmp_path):
    made = tmp_path / "galaxy" / "content-1"
    bench.write("- debug: {msg: installed}", "galaxy/content-1/roles/mine/tasks/main.yml")
    (tmp_path / "galaxy" / "current").symlink_to(made.name)
    bench.write("- debug: {msg: above}", "repo/roles/theirs/tasks/main.yml")
    bench.write("- ios_facts:", "repo/plays/net/facts.yml")
    steps = "[{include_role: {name: mine}}, {include_role: {name: theirs}}, {include_tasks: facts.yml}]"
    play = bench.write(f"- hosts: all\n  gather_facts: false\n  tasks: {steps}", "repo/plays/net/site.yml")
    bench.driver = Ansible(content=Content(tmp_path / "galaxy", "install it"))
    outcome = bench.run(playbooks.load(play, tmp_path / "repo"), "web1")["web1"]
    assert "installed" in outcome.output and "above" in outcome.output
    lack = "the module ios_facts needs the collection cisco.ios, which is not installed"
    assert lack in outcome.summary and outcome.summary.endswith("→ install it")
