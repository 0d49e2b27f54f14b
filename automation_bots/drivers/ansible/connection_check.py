"""Questions of a running Ansible: where a connection leads, judged before each task; what another bot is asked."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automation_bots.drivers import Contact, Task
from automation_bots.model import Device, one_line

log = logging.getLogger(__name__)
_QUESTION_SECONDS = 10.0


@contextmanager
def answering(task: Task, path: Path) -> Iterator[None]:
    """Answer on this socket for as long as the run lasts."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(str(path))
        wire.listen(128)
        thread = threading.Thread(target=_serve, args=(wire, task), name="ansible-connections", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)  # else the thread goes on waiting on the closed one
            thread.join()
            path.unlink(missing_ok=True)


def _serve(wire: socket.socket, task: Task) -> None:
    while True:
        try:
            connection, _ = wire.accept()
        except OSError:
            return
        threading.Thread(target=_one, args=(connection, task), name="ansible-question", daemon=True).start()


def _one(connection: socket.socket, task: Task) -> None:
    """Answer one question; another bot takes its time, and keeps no connection waiting."""
    with connection, suppress(OSError):
        connection.settimeout(_QUESTION_SECONDS)
        with connection.makefile("rwb") as stream:
            line = stream.readline(65_536)
            connection.settimeout(None)
            stream.write(json.dumps(_answer(task, line)).encode() + b"\n")


def _answer(task: Task, line: bytes) -> dict[str, Any]:
    with suppress(ValueError, TypeError, AttributeError):
        if wanted := json.loads(line).get("ask"):
            return asdict(task.ask(task, str(wanted)))
    return {"why": _judged(lambda question: why_not(task, question), line)}


def _judged(judge: Callable[[Mapping[str, Any]], str], line: bytes) -> str:
    try:
        return judge(json.loads(line))
    except Exception:  # whatever went wrong, what nobody has judged is not allowed
        log.exception("a connection of a playbook could not be judged")
        return "the bot could not find out whether it may work there; an admin finds it in the log"


def why_not(task: Task, question: Mapping[str, Any]) -> str:
    """Why this run may not work where a connection leads; empty: it may."""
    name, address, port = str(question["on"]), str(question["address"]), question["port"]
    device = next((device for device in task.devices if device.name == name), None)
    here = bool(question["here"])
    if device is not None and here == _is_here(device) and (here or address in {"", device.address}):
        return ""
    return task.further(Contact(one_line(name), address, int(port) if port else None, device is not None, here))


def _is_here(device: Device) -> bool:
    """Whether the inventory says that the device is this machine."""
    return device.variables.get("ansible_connection") == "local"
