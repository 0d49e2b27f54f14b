"""The Ansible driver: playbooks as they are, and verbs as one command, on exactly the devices of the task."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.ansible.connection_check import answering
from automation_bots.drivers.ansible.control_masters import Masters
from automation_bots.drivers.ansible.outcomes import Recorder
from automation_bots.drivers.ansible.preload.servers import Servers
from automation_bots.drivers.ansible.process import MARK, Program, run
from automation_bots.drivers.ansible.run_files import Files, Plan, for_playbook, for_verb, plan
from automation_bots.errors import DriverError
from automation_bots.model import NOTHING
from automation_bots.operations.playbooks import Playbook
from automation_bots.processes.ansible_content import Content

_PASSED_ON = ("HOME", "SSH_AUTH_SOCK")
_DEFAULTS = {
    "LANG": "C.UTF-8",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
}
_SAYS_PIPELINING = re.compile(r"^\s*pipelining\s*[=:]", re.MULTILINE)
_FIXED = {
    "ANSIBLE_STDOUT_CALLBACK": "bot_events",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_NOCOLOR": "True",
    "ANSIBLE_LOCALHOST_WARNING": "False",
    # there is nobody to ask: an ansible.cfg that is for a terminal must not end the run
    "ANSIBLE_ASK_PASS": "False",
    "ANSIBLE_ASK_VAULT_PASS": "False",
    "ANSIBLE_BECOME_ASK_PASS": "False",
}


class Ansible:
    """Runs ansible-playbook through ansible-runner.

    When a run ends, everything it started on this machine is ended, also what a task left behind on purpose on a
    `connection: local` device; `environment: {AUTOMATION_BOTS_RUN: ""}` on that task lets it live. Only connections of
    ssh stay open, for the next run on the same device, as long as ControlPersist says (60 seconds).
    """

    name = "ansible"

    def __init__(  # noqa: PLR0913 - each a setting of bot.toml
        self,
        *,
        forks: int = defaults.ANSIBLE_FORKS,
        vault_password_file: Path | None = None,
        environment: Mapping[str, str] = NOTHING,
        output_limit: int = defaults.OUTPUT_LIMIT,
        masters: Masters | None = None,
        content: Content | None = None,
        preload: bool = True,
    ) -> None:
        self._forks = forks
        self._vault_password_file = vault_password_file
        self._environment = environment
        self._output_limit = output_limit
        self._masters = masters or Masters()
        self._content = content or Content()
        self._servers = Servers(lambda: self._masters.sockets) if preload else None

    def close(self) -> None:
        """End what is kept for the next run: Ansible in memory, and connections."""
        if self._servers is not None:
            self._servers.close()
        self._masters.close()

    def run(self, task: Task, report: Report) -> None:
        """Run the playbook or verb of the task, reporting outcomes as they are known."""
        body = task.operation.body
        if isinstance(body, Playbook):
            self._playbook(task, report, body)
        else:
            self._verb(task, report)

    def _playbook(self, task: Task, report: Report, playbook: Playbook) -> None:
        if not task.devices and task.operation.devices in {"required", "one"}:
            return  # without a device a playbook runs on this machine, which has to be meant
        if not playbook.path.is_file():
            raise DriverError(f"the playbook {playbook.path.name} is gone; put it back, or reload the commands")
        given = {**_passed_on(), **self._environment}
        recorder = Recorder(task, report, verb=False, told=partial(self._content.told, given=given, home=playbook.home))
        found = self._content.environment(given, playbook.home, playbook.above[1:])
        self._play(task, recorder, partial(for_playbook, task, playbook), found, raw=False)

    def _verb(self, task: Task, report: Report) -> None:
        commands: Plan = plan(task)
        recorder = Recorder(task, report, verb=True)
        for device, platform in commands.without.items():
            recorder.skip(device, platform)
        if commands.of:
            self._play(task, recorder, partial(for_verb, task, commands), {}, raw=True)

    def _play(
        self, task: Task, recorder: Recorder, write: Callable[[Path], Files], content: Mapping[str, str], *, raw: bool
    ) -> None:
        program = ansible_playbook()
        mark = secrets.token_hex(8)
        door = self._masters.sockets / f"ask-{mark}"  # there, since the path of a socket may have 100 characters
        with _folder(task.workdir) as folder, answering(task, door):
            files = write(folder)
            extra = {
                **content,
                MARK: mark,
                "AUTOMATION_BOTS_DEVICES": str(files.allowed),
                "AUTOMATION_BOTS_DOOR": str(door),
                "AUTOMATION_BOTS_CONTROLLER": "1" if task.operation.controller else "0",
                "AUTOMATION_BOTS_OUTPUT_LIMIT": str(self._output_limit),
                "AUTOMATION_BOTS_RAW": "1" if raw else "0",
                "AUTOMATION_BOTS_FILES": str(files.approved),
                "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._masters.sockets),
            }
            environment = {**self._surroundings(program, files.cwd), **extra}
            argv = self._argv(program, task, files)
            ending = run(
                Program(
                    argv=self._servers.command(argv, environment, files.cwd) if self._servers else argv,
                    cwd=files.cwd,
                    environment=environment,
                    folder=folder,
                    deadline=task.deadline,
                    cancel=task.cancel,
                    hand_back=partial(Servers.hand_back, mark, Path(environment["ANSIBLE_LOCAL_TEMP"])),
                    longest_line=12 * self._output_limit + 65_536,  # JSON needs up to 12 bytes for a character
                ),
                partial(_line, recorder, mark),
            )
        recorder.close(ending)

    def _argv(self, program: Path, task: Task, files: Files) -> tuple[str, ...]:
        argv = [str(program), "--forks", str(self._forks), "--limit", f"@{files.limit}", "-e", f"@{files.variables}"]
        for source in files.inventory:
            argv += ["-i", source]
        if self._vault_password_file is not None:
            argv += ["--vault-password-file", str(self._vault_password_file)]
        if task.check:
            argv += ["--check", "--diff"]
        return (*argv, str(files.playbook))

    def _surroundings(self, program: Path, folder: Path) -> dict[str, str]:
        """Return the little of the bot's environment that Ansible needs; tokens of chat networks stay here."""
        ours = {**_passed_on(), **_DEFAULTS, **_pipelining(folder, self._environment), **self._environment, **_FIXED}
        ours["PATH"] = f"{program.parent}{os.pathsep}{ours.get('PATH') or os.environ.get('PATH', os.defpath)}"
        for kind, folder_ in (("CALLBACK", "callback"), ("ACTION", "actions")):
            name, plugins = f"ANSIBLE_{kind}_PLUGINS", str(Path(__file__).parent / folder_)
            ours[name] = os.pathsep.join(filter(None, (plugins, ours.get(name))))
        return ours


def _pipelining(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Pipe modules to devices, unless the ansible.cfg that counts has its own word on it, which a variable would hide.

    1.4 times faster over ssh, and no module file left on the device; `ansible_pipelining` of a device counts before it.
    """
    home = Path(environment.get("HOME") or os.environ.get("HOME") or "/")
    named = environment.get("ANSIBLE_CONFIG")
    places = (
        [Path(named)] if named else [folder / "ansible.cfg", home / ".ansible.cfg", Path("/etc/ansible/ansible.cfg")]
    )
    text = next((path.read_text(errors="replace") for path in places if path.is_file()), "")
    return {} if _SAYS_PIPELINING.search(text) else {"ANSIBLE_PIPELINING": "True"}


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def ansible_playbook() -> Path:
    """Find ansible-playbook beside the Python that runs the bot, so that both are of one environment."""
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.is_file():
        raise DriverError(f"ansible-playbook is not in {program.parent}: pip install ansible-core")
    return program


@contextmanager
def _folder(workdir: Path) -> Iterator[Path]:
    workdir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ansible-", dir=workdir.resolve()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _line(recorder: Recorder, mark: str, line: str) -> None:
    if not line.startswith(mark):
        return
    try:
        event = json.loads(line.removeprefix(mark))
    except ValueError:
        return  # cut off when Ansible was killed
    recorder.take(event)
