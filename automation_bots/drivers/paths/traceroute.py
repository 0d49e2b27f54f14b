"""The way to one address, hop by hop, by traceroute or tracepath; TCP too, as far as this machine allows."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

from automation_bots.drivers import Task
from automation_bots.drivers.paths.hops import Hop, hop, joined, last_answer, lines, typical
from automation_bots.drivers.paths.names import Names
from automation_bots.drivers.paths.probe import Finding, Tell
from automation_bots.drivers.paths.system_tools import Printed, Tools
from automation_bots.errors import DriverError, in_words
from automation_bots.model import Status, one_line

_PROBES = 3
_WAIT_SECONDS = 1.5
_NAME_SECONDS = 2.0  # how long the end waits for names
_TCP_SECONDS = 3.0
_NO_PRIVILEGE = "do not have enough privileges"


class Route:
    """Traces one address after the other; safe to share between threads."""

    def __init__(self, task: Task, tools: Tools, names: Names, find: Callable[[str], str | None]) -> None:
        self._tools = tools
        self._names = names
        self._port = int(task.parameters.get("tcp") or 0)
        self._hops = int(task.parameters.get("hops") or 20)
        self._deadline = task.deadline
        self._traceroute, self._tracepath = find("traceroute"), find("tracepath")
        if not (self._traceroute or self._tracepath):
            raise DriverError("neither traceroute nor tracepath is installed here; try: apt install traceroute")

    def __call__(self, address: str, tell: Tell) -> Finding | None:
        """Trace, telling the hops as they come; None when stopped."""
        trace = _Trace(self._names, tell)
        printed = self._run(address, trace, tcp=bool(self._port and self._traceroute))
        note = "" if self._traceroute or not self._port else "for the way of TCP packets: apt install traceroute"
        if printed and _NO_PRIVILEGE in printed.text:
            note = f"TCP packets need a privilege: sudo setcap cap_net_raw+ep {_real(self._traceroute)}"
            printed = self._run(address, trace, tcp=False)
        if printed is None:
            return None
        trace.settle(min(_NAME_SECONDS, self._deadline - time.monotonic()))
        return self._finding(address, trace, printed, note)

    def _run(self, address: str, trace: _Trace, *, tcp: bool) -> Printed | None:
        return self._tools.run(self._argv(address, tcp=tcp), trace.line)

    def _argv(self, address: str, *, tcp: bool) -> list[str]:
        if not self._traceroute:
            return [self._tracepath or "", "-n", "-m", str(self._hops), "--", address]
        method = ["-T", "-p", str(self._port)] if tcp else []
        often = ["-q", str(_PROBES), "-w", str(_WAIT_SECONDS), "-m", str(self._hops)]
        return [self._traceroute, "-n", *often, *method, "--", address]

    def _finding(self, address: str, trace: _Trace, printed: Printed, note: str) -> Finding:
        opened = _opened(address, self._port) if self._port else ""
        status, summary = _concluded(address, trace.hops, printed)
        if opened:
            summary = f"{summary}; {opened}"
            if status is Status.OK and opened.endswith("does not answer"):
                status = Status.UNREACHABLE
        more = [f"({note}; these hops are of UDP packets)"] if note else []
        said = [] if trace.hops else [printed.text]
        return Finding(status, summary, "\n".join([*trace.lines(), *said, *([opened] if opened else []), *more]))


class _Trace:
    """The hops so far."""

    def __init__(self, names: Names, tell: Tell) -> None:
        self.hops: list[Hop] = []
        self._names = names
        self._tell = tell

    def line(self, text: str) -> None:
        """Take a line of the tool."""
        if new := hop(text):
            self.hops = joined(self.hops, new)
            self._tell(self.lines())

    def lines(self) -> list[str]:
        """Write the hops with the names that are known by now."""
        return lines(self.hops, self._names)

    def settle(self, seconds: float) -> None:
        """Give the names a little more time."""
        self._names.settle([address for one in self.hops for address in one.addresses], seconds)


def _concluded(address: str, hops: list[Hop], printed: Printed) -> tuple[Status, str]:
    """Say how far it came, and whether that is the device."""
    last = last_answer(hops)
    if not hops:
        said = printed.text.strip().splitlines()
        silent = "unreachable" in printed.text or "send failed" in printed.text
        why = one_line(said[-1]) if said else f"exit status {printed.code}"
        return (Status.UNREACHABLE, "no route to its network") if silent else (Status.FAILED, why)
    if last is None:
        return Status.UNREACHABLE, f"no answer from any of {hops[-1].number} hops"
    if last.mark:
        return Status.UNREACHABLE, f"{last.refusal}, says {last.addresses[-1]}"
    if address not in last.addresses:
        return Status.UNREACHABLE, f"lost after hop {last.number} ({last.addresses[-1]})"
    took = f", {typical(last)}" if last.times_ms else ""
    return Status.OK, f"{last.number} hop{'' if last.number == 1 else 's'}{took}"


def _opened(address: str, port: int) -> str:
    """Say what the port answers to a real connection."""
    try:
        socket.create_connection((address, port), _TCP_SECONDS).close()
    except ConnectionRefusedError:
        return f"TCP {port} is refused"
    except TimeoutError:
        return f"TCP {port} does not answer"
    except OSError as error:
        return f"TCP {port}: {in_words(error).lower()}"
    return f"TCP {port} is open"


def _real(tool: str | None) -> str:
    """A capability belongs to the file itself, and Debian's traceroute is a link to a link."""
    return str(Path(tool or "traceroute").resolve())
