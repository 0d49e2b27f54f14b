"""PowerShell over SSH: the same call and the same answer, carried by the SSH process and its open connections."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation_bots.drivers import Task
from automation_bots.drivers.ssh import outcomes as ssh_endings
from automation_bots.drivers.ssh.access import LoginFailed, access_to
from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.drivers.ssh.frames import Frame
from automation_bots.drivers.ssh.process import SshShare
from automation_bots.drivers.stopped import is_over
from automation_bots.drivers.windows.answer import WindowsAnswer
from automation_bots.drivers.windows.call import ARGUMENTS, Broken, Call
from automation_bots.drivers.windows.login import executable_of
from automation_bots.errors import DriverError
from automation_bots.model import Device, Status

_ROOM = 2  # base64 and the frame around it need more than what they carry
_STOP_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class SshPowerShell:
    """Logs in as the SSH driver does: same keys, host keys, jump hosts."""

    ssh: Ssh

    def run(self, device: Device, secrets: Mapping[str, str], call: Call, heard: WindowsAnswer, task: Task) -> bool:
        """Run one call; return False when it was stopped."""
        folder = task.workdir / f"powershell-{task.devices.index(device)}"
        order = {
            "device": 0,
            "access": access_to(device, secrets, self.ssh.around).plain(),
            "work": _work(device, call, heard.limit, folder / "said"),
        }
        try:
            with self.ssh.worker.share() as share:
                share.begin(self.ssh.terms(tells_begin=False))
                task.cancel.call(share.nudge)
                share.run([order])
                frame = _frame(share, task)
            if frame is None:
                return False
            return _heard(frame, folder / "said", heard)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _work(device: Device, call: Call, limit: int, spill: Path) -> dict[str, Any]:
    return {
        "text": " ".join([executable_of(device), *ARGUMENTS]),
        "keep_stdin": False,
        "password": "",
        "prompt": "",
        "pty": False,
        "limit": limit * _ROOM,
        "spill": str(spill),
        "input": call.document().decode(),
    }


def _frame(share: SshShare, task: Task) -> Frame | None:
    """Wait for how it ended; what is stopped still gives word."""
    while not is_over(task):
        if (frame := share.frame(task.seconds_left)) is not None and "device" in frame.head:
            return frame
    share.stop()
    frame = share.frame(_STOP_SECONDS)
    while frame is not None and "device" not in frame.head:
        frame = share.frame(_STOP_SECONDS)
    return frame


def _heard(frame: Frame, spill: Path, heard: WindowsAnswer) -> bool:
    head = frame.head
    if "problem" in head:
        raise LoginFailed(head["problem"], Status(head["status"]))
    if head.get("stopped"):
        raise LoginFailed("stopped before it began")
    out, err = ssh_endings.streams(spill, frame)
    heard.out(out.head)
    heard.err(err.head)
    heard.end()
    heard.cut = heard.cut or out.total > len(out.head)
    ran = head["ran"]
    if ran["stopped"]:
        return False
    if not ran["connected"]:
        raise Broken("SSH")
    if not ran["accepted"]:
        raise DriverError("the device takes the login but no command this way (SSH exec)")
    heard.exit_code = ran["exit_code"] if heard.exit_code is None else heard.exit_code
    return True
