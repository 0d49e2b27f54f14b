"""A NAPALM driver for FRR: candidates compared and replaced by FRR's own frr-reload, with a timer that goes back.

It reads over the netmiko connection that it is given, and changes the router of the lab where it runs: what a commit
with `revert_in` leaves behind is a process of the router's own, as on a device that goes back by itself.
Optional arguments: `folder` of the router, `hurry` by which the timer is divided.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from napalm.base.base import NetworkDriver
from napalm.base.exceptions import CommitError, MergeConfigException, ReplaceConfigException

RELOAD = "/usr/lib/frr/frr-reload.py"
# What a router that nobody confirms to does: wait, and go back unless this very commit was confirmed meanwhile.
_TIMER = 'sleep {seconds}; [ "$(cat {mark})" = {commit} ] && {reload} && rm -f {mark}'


class FrrLabDriver(NetworkDriver):
    """Load, compare, commit with a timer, confirm, roll back."""

    def __init__(self, hostname: str, username: str, password: str, timeout: int = 60, optional_args: Any = None):
        self.hostname, self.username, self.password, self.timeout = hostname, username, password, timeout
        self._folder = Path(optional_args["folder"])
        self._hurry = int(optional_args.get("hurry", 1))
        self._wanted = self._folder / "candidate.conf"
        self._before = self._folder / "before.conf"
        self._mark = self._folder / "pending"
        self._settings = self._folder / "reload"  # frr-reload wants a setting of its own that the lab's vtysh has not
        self._settings.mkdir(exist_ok=True)
        (self._settings / "vtysh.conf").write_text("service integrated-vtysh-config\n")
        self._replace = False

    def open(self) -> None:
        self.device = self._netmiko_open("cisco_ios")

    def close(self) -> None:
        self._netmiko_close()

    def get_config(self, retrieve: str = "all", **_more: Any) -> dict[str, str]:
        return {"running": self.device.send_command("show running-config"), "candidate": "", "startup": ""}

    def load_merge_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        self._replace = False
        self._load(config)
        self._checked(MergeConfigException)

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        self._replace = True
        self._load(config)
        self._checked(ReplaceConfigException)

    def compare_config(self) -> str:
        text = "" if not self._wanted.exists() else self._wanted.read_text()
        if not self._replace:
            known = {line.strip() for line in self._running().splitlines()}
            return "\n".join(f"+ {line}" for line in text.splitlines() if line.strip() not in {*known, "exit"})
        said = self._run(*self._reload("--test", self._wanted)).stdout
        lines = [line for line in said.splitlines() if line.strip() and not line.startswith(("Lines To", "===="))]
        # frr-reload spells out how a line goes: by its `no`, unless that is what is wanted.
        gone = {line for line in lines if line.startswith("no ") and line not in text.splitlines()}
        return "\n".join(f"- {line[3:]}" if line in gone else f"+ {line}" for line in lines)

    def commit_config(self, message: str = "", revert_in: int | None = None) -> None:
        if message:
            raise NotImplementedError
        self._before.write_text(self._running())
        if revert_in is not None:
            commit = secrets.token_hex(8)
            self._mark.write_text(commit)
            words = " ".join(map(str, self._reload("--reload", self._before)))
            script = _TIMER.format(
                seconds=max(1, revert_in // self._hurry), mark=self._mark, commit=commit, reload=words
            )
            subprocess.Popen(["sh", "-c", script], start_new_session=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self._put(self._wanted, whole=self._replace)

    def has_pending_commit(self) -> bool:
        return self._mark.exists()

    def confirm_commit(self) -> None:
        if not self._mark.exists():
            raise CommitError("No pending commit-confirm found!")
        self._mark.unlink()

    def discard_config(self) -> None:
        self._wanted.unlink(missing_ok=True)

    def rollback(self) -> None:
        self._mark.unlink(missing_ok=True)
        self._put(self._before, whole=True)

    def _load(self, config: str | None) -> None:
        self._wanted.write_text(config or "")

    def _checked(self, wrong: type[Exception]) -> None:
        """Have vtysh parse the candidate without effect."""
        done = self._run(*self._vtysh(), "-C", "-f", self._wanted)
        if found := re.search(r"% .*|line \d+: .*", done.stdout + done.stderr):
            self.discard_config()
            raise wrong(found.group())

    def _put(self, path: Path, *, whole: bool) -> None:
        done = self._run(*(self._reload("--reload", path) if whole else (*self._vtysh(), "-f", path)))
        if done.returncode:
            raise CommitError(done.stdout + done.stderr)

    def _running(self) -> str:
        text = self._run(*self._vtysh(), "-c", "show running-config").stdout
        return text.partition("Current configuration:\n!\n")[2]

    def _vtysh(self) -> tuple[Any, ...]:
        return ("/usr/bin/vtysh", "--vty_socket", self._folder, "--config_dir", self._folder)

    def _reload(self, what: str, path: Path) -> tuple[Any, ...]:
        places = ("--vty_socket", self._folder, "--confdir", self._settings, "--rundir", self._folder)
        return (_python(), RELOAD, what, "--stdout", *places, path)

    def _run(self, *argv: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=60, check=False)


def _python() -> str:
    system = Path("/usr/bin/python3")  # frr-reload's own libraries are the system's
    return str(system) if system.exists() else sys.executable
