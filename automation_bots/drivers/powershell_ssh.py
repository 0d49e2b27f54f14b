"""PowerShell over SSH: the same call and the same answer, carried by an SSH session."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation_bots.drivers import Task
from automation_bots.drivers.endings import is_over
from automation_bots.drivers.powershell_access import executable_of
from automation_bots.drivers.powershell_answer import Heard
from automation_bots.drivers.powershell_call import ARGUMENTS, Broken, Call
from automation_bots.drivers.ssh_access import KnownHosts, access_to, load_session
from automation_bots.drivers.sudo import Line
from automation_bots.errors import DriverError
from automation_bots.model import Device

if TYPE_CHECKING:
    from automation_bots.drivers.ssh_session import Session

_FOUR_THIRDS = 2  # base64 and the frame around it need more room than what they carry


@dataclass(frozen=True, slots=True)
class SshPowerShell:
    """Logs in with the keys and host keys of the SSH driver."""

    known_hosts: KnownHosts
    key_files: tuple[Path, ...] = ()
    allow_agent: bool = True
    connect_seconds: float = 10

    def run(self, device: Device, secrets: Mapping[str, str], call: Call, heard: Heard, task: Task) -> bool:
        """Run one call; return False when it was stopped."""
        made = load_session()
        seconds = max(0.1, min(self.connect_seconds, task.seconds_left))
        keys = made.Keys(self.key_files, allow_agent=self.allow_agent)
        session = made.Session(access_to(device, secrets), keys, seconds=seconds, stopping=lambda: is_over(task))
        connecting = threading.Event()
        connecting.set()
        task.cancel.call(lambda: session.abort() if connecting.is_set() else None)
        try:
            session.open(self.known_hosts)
            connecting.clear()
            return _asked(session, executable_of(device), call, heard, task)
        finally:
            connecting.clear()
            session.close()


def _asked(session: Session, executable: str, call: Call, heard: Heard, task: Task) -> bool:
    from automation_bots.drivers.ssh_channel import Execution  # late: it needs paramiko

    line = Line(" ".join([executable, *ARGUMENTS]), keep_stdin=True)
    execution = Execution(session.transport, line, limit=heard.limit * _FOUR_THIRDS, seconds=session.seconds)
    if not execution.start():
        raise DriverError("the device takes the login but no command this way (SSH exec)")
    execution.give(call.document())
    ran = execution.run(lambda: is_over(task))
    heard.out(bytes(execution.out.head))
    heard.err(bytes(execution.err.head))
    heard.end()
    heard.cut = heard.cut or execution.out.total > len(execution.out.head)
    if not ran.stopped and not ran.connected:
        raise Broken("SSH")
    if heard.exit_code is None:
        heard.exit_code = ran.exit_code
    return not ran.stopped
