"""One program under ansible-runner, with everything it starts: its lines as they come, and its certain end."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation_bots.drivers import Cancel
from automation_bots.errors import DriverError
from automation_bots.processes.marked import end_all

MARK = "AUTOMATION_BOTS_RUN"  # in the environment of all that belongs to a run, but of no ControlPersist master
_STDERR_LIMIT = 64_000


@dataclass(slots=True)
class Ending:
    """How a run came to its end."""

    code: int = 0
    stopped: str = ""  # why we ended it; empty when it ended by itself
    errors: str = ""  # what it wrote to standard error
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, and when it has to be over."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    folder: Path  # the run's own; ansible-runner keeps its files there
    deadline: float
    cancel: Cancel
    longest_line: int
    hand_back: Callable[[], None] = lambda: None  # ends what is Ansible itself, before what it started


@dataclass(slots=True)
class _Run:
    program: Program
    mark: str
    wake: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    ending: Ending = field(default_factory=Ending)

    def end(self) -> None:
        """End all that belongs to it and is still there."""
        self.program.hand_back()
        end_all(self.mark)


def run(program: Program, line: Callable[[str], None]) -> Ending:
    """Start the program, pass on each line it prints, and return when it and all that it started are gone."""
    runner = _ansible_runner()
    started = time.monotonic()
    this = _Run(program, program.environment[MARK])
    reading, writing = os.pipe()
    threads = (
        threading.Thread(target=_launch, args=(this, runner, writing), name="ansible", daemon=True),
        threading.Thread(target=_guard, args=(this,), name="ansible-guard", daemon=True),
    )
    program.cancel.call(this.wake.set)
    for thread in threads:
        thread.start()
    try:
        with os.fdopen(reading, "rb") as stream:
            for text in _lines(stream, program.longest_line):
                line(text)
    finally:
        this.wake.set()  # nothing may go on when whoever listens has failed
        for thread in threads:
            thread.join()
    this.ending.errors = _text(program.folder / "stderr")
    this.ending.seconds = time.monotonic() - started
    return this.ending


def _ansible_runner() -> Any:
    try:
        import ansible_runner.config.command as config
        import ansible_runner.runner as runner
    except ImportError as error:
        raise DriverError("the package ansible-runner is missing: pip install ansible-runner") from error
    return config.CommandConfig, runner.Runner


def _launch(this: _Run, parts: Any, writing: int) -> None:
    program = this.program
    configure, runner = parts
    try:
        with (program.folder / "stderr").open("wb") as errors, Path(os.devnull).open("rb") as nothing:
            config = configure(
                private_data_dir=str(program.folder / "runner"),
                host_cwd=str(program.cwd),
                runner_mode="subprocess",  # its other mode gives the child a terminal, where a prompt would hang
                input_fd=nothing,
                output_fd=writing,
                error_fd=errors,
                ident="run",
                quiet=True,
            )
            config.prepare_run_command(*_detached(program.argv))
            config.env = dict(program.environment)  # runner would pass on the bot's whole environment, tokens included
            config.suppress_output_file = True
            this.ending.code = runner(config).run()[1]
    finally:
        this.over.set()
        this.wake.set()
        # What is left would hold the pipe open, such as children of an Ansible that was killed.
        this.end()
        os.close(writing)


def _detached(argv: tuple[str, ...]) -> tuple[str, list[str]]:
    """Put the program into a session of its own: no terminal to ask on, no Ctrl-C meant for the bot."""
    setsid = shutil.which("setsid")
    command = [setsid, *argv] if setsid else list(argv)
    return command[0], command[1:]


def _guard(this: _Run) -> None:
    this.wake.wait(max(0.0, this.program.deadline - time.monotonic()))
    if this.over.is_set():
        return
    this.ending.stopped = (this.program.cancel.why or "cancelled") if this.program.cancel.is_set() else "time limit"
    while not this.over.is_set():
        # Again and again: cancelled in its first milliseconds, the program may not even be there yet.
        this.end()
        this.over.wait(0.1)


def _lines(stream: Any, longest: int) -> Iterator[str]:
    while piece := stream.readline(longest):
        yield piece.decode("utf-8", "replace")


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_STDERR_LIMIT).decode("utf-8", "replace")
