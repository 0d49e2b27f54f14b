"""The process of one Python command: runs as a script of its own, with the standard library only, and starts fast.

It gets one JSON line on stdin, then sends JSON lines on a pipe of its own. Each is answered with one byte before the
command goes on, so that what was printed before an outcome belongs to that outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import AsyncGenerator, Generator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Never

_PR_SET_PDEATHSIG = 1
_CODE = (".py", ".so")  # of this only what was approved is read from the command's folder; its data are its own


class Channel:
    """Where the command's messages go."""

    def __init__(self, request: Mapping[str, Any], answers: int) -> None:
        self._fd: int = request["fd"]
        self._answers = answers
        self._limit: int = request["limit"]
        self._mark: str = request["mark"]
        self._statuses: list[str] = request["statuses"]

    def tell(self, kind: str, **values: Any) -> None:
        """Send one message and wait until it was taken."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # the command may have closed them
                stream.flush()
        shown = {key: self._cut(value) if isinstance(value, str) else value for key, value in values.items()}
        line = json.dumps({"kind": kind, **shown}).encode() + b"\n"
        while line:
            line = line[os.write(self._fd, line) :]
        if not os.read(self._answers, 1):
            os._exit(1)  # the bot is gone: nobody would hear the rest

    def _cut(self, text: str) -> str:
        return text if len(text) <= self._limit else text[: self._limit] + self._mark

    def item(self, item: Any) -> None:
        """Send what the command yielded: a text is progress, three values are a device's outcome."""
        if isinstance(item, str):
            self.tell("progress", text=item)
        elif isinstance(item, tuple | list) and len(item) == 3:
            self.outcome(*item)
        elif item is not None:
            raise TypeError(f'yield a text, or (device, "ok", text); got {type(item).__name__}')

    def outcome(self, device: Any, status: Any, text: Any) -> None:
        """Send one device's outcome; without a status it is the good one of the command's risk."""
        if status is not None and status not in self._statuses:
            raise ValueError(f"status must be one of {', '.join(self._statuses)}; got {str(status)[:40]!r}")
        self.tell("outcome", device=str(getattr(device, "name", device)), status=status, text=_text(text))


def main() -> None:
    """Run the command of the request on stdin."""
    _die_with_the_bot()
    request = json.loads(sys.stdin.buffer.readline())
    if os.getppid() != request["parent"]:
        os._exit(1)  # the bot died before the kernel knew that this process shall die with it
    answers = os.dup(0)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)  # a command that asks gets "end of file" instead of hanging
    os.set_inheritable(request["fd"], False)  # noqa: FBT003 - takes no keywords
    signal.signal(signal.SIGTERM, _leave)
    _limit_memory(request["memory"])
    _keep_to_what_was_approved(request)
    # last, so that a command called dns.py never hides an installed package
    sys.path += [request["folder"], request["ours"]]
    channel = Channel(request, answers)
    kind, values = _ran(request, channel)
    channel.tell(kind, **values)
    os._exit(0)  # a thread that the command left behind must not keep it alive


def _keep_to_what_was_approved(request: Mapping[str, Any]) -> None:
    place = Path(request["ours"]) / "automation_bots" / "processes" / "approved_files.py"
    watched = _module("approved_files", place).ApprovedFiles(request["approved"], request["places"], _CODE)
    watched.watch()


def _die_with_the_bot() -> None:
    with contextlib.suppress(OSError, AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit("stopped")  # an exception, so that `finally:` and `with` of the command clean up


def _limit_memory(size: int | None) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if size:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _ran(request: Mapping[str, Any], channel: Channel) -> tuple[str, dict[str, Any]]:
    path = Path(request["path"])
    try:
        value = _driven(_loaded(path, request["function"])(**_arguments(request)), channel)
        if isinstance(value, Mapping) and request["devices"]:
            for device, result in value.items():
                status, text = result if isinstance(result, tuple) else (None, result)
                channel.outcome(device, status, text)
            value = None
        return "end", {"text": _text(value)}
    except SystemExit as error:
        return _left(error, path)
    except BaseException as error:  # noqa: BLE001 - the boundary of the user's code: everything becomes a sentence
        return _failed(error, path)


def _loaded(path: Path, name: str) -> Any:
    return getattr(_module(f"command_{name}", path), name)


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look their module up
    spec.loader.exec_module(module)
    return module


def _arguments(request: Mapping[str, Any]) -> dict[str, Any]:
    arguments = dict(request["arguments"])
    devices = request["devices"]
    if "objects" in request["wants"]:
        from automation_bots.model import Device  # only for commands that ask for more

        devices = [Device(**{**device, "groups": frozenset(device["groups"])}) for device in devices]
    if "devices" in request["wants"] and devices:
        arguments["devices"] = devices
    if "device" in request["wants"]:
        arguments["device"] = devices[0]
    if "check" in request["wants"]:
        arguments["check"] = request["check"]
    return arguments


def _driven(value: Any, channel: Channel) -> Any:
    """Run what the call returned to its end: generator, coroutine, or nothing more to do."""
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    if inspect.isasyncgen(value):
        return asyncio.run(_steps_async(value, channel))
    if not inspect.isgenerator(value):
        return value
    with contextlib.closing(value):  # stopped between two steps, it cleans up while it is heard
        return _steps(value, channel)


def _steps(steps: Generator[Any, Never, Any], channel: Channel) -> Any:
    while True:
        try:
            item = next(steps)
        except StopIteration as end:
            return end.value
        try:
            channel.item(item)
        except (TypeError, ValueError) as error:
            steps.throw(error)  # so that the error names the line of the yield


async def _steps_async(steps: AsyncGenerator[Any, Never], channel: Channel) -> None:
    async for item in steps:
        channel.item(item)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {item}" for key, item in value.items())
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _left(error: SystemExit, path: Path) -> tuple[str, dict[str, Any]]:
    if error.code in {None, 0}:
        return "end", {"text": ""}
    if isinstance(error.code, int):
        return "failed", {"text": f"{path.name} ended with sys.exit({error.code})", "code": error.code}
    return "failed", {"text": str(error.code), "code": 1}


def _failed(error: BaseException, path: Path) -> tuple[str, dict[str, Any]]:
    """Name the error and the last line of the user's own files; their part of the traceback is for the output."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == path.parent]
    places = [(Path(f.filename).name, f.lineno, f.name, f.line) for f in frames]
    message = error.msg if isinstance(error, SyntaxError) else _message(error)
    if isinstance(error, SyntaxError) and error.filename:
        places.append((Path(error.filename).name, error.lineno, "", (error.text or "").strip()))
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    where = f", {places[-1][0]} line {places[-1][1]}" if places else f", {path.name}"
    trace = [f"{file} line {line}{f', in {name}' if name else ''}\n    {code}" for file, line, name, code in places]
    first = said.partition("\n")[0][:300]
    return "failed", {"text": first + where, "output": "\n".join([*trace[-20:], said])}


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's own __str__ may fail too
        return "its text cannot be shown"


if __name__ == "__main__":
    main()
