"""A bot of a chat network in a process of its own, as it runs for its users: the network and its people are elsewhere.

It says on its output when the network has taken a post about a line; told on its input, it posts without any command.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from automation_bots.drivers.fake import Fake
from automation_bots.model import Answer, Place
from automation_bots.surface import Waiting
from bench.bots import log_to_file
from tests.chat.harness import running
from tests.chat.networks.irc import IrcBot

LINE = re.compile(r"(?<= hello )p\d+n\d+")
_KINDS = {"running": running, "IrcBot": IrcBot}
_NETWORK = ("backend", "plug", "plugins", "backend_folder", "errbot", "rooms")


class Elsewhere:
    """Such a process, seen from the one that has the network: it takes the place of a bot that runs here."""

    def __init__(self, net: Any, folder: Path, drivers: object) -> None:  # noqa: ARG002 - as `running` is made
        self.heard: dict[str, float] = {}
        self.me, self.threads = "", False
        self._net, self._folder = net, folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it hears."""
        net = self._net
        kind = "IrcBot" if net.backend == "IRC" else "running"
        told = {name: getattr(net, name) for name in _NETWORK if hasattr(net, name)}
        told |= {"settings": net.settings(), "environment": net.environment()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.chat_bot", self._folder, kind, json.dumps(told, default=str)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        ready = json.loads(self._line() or '["", false]')
        self.me, self.threads = ready
        threading.Thread(target=self._listen, daemon=True).start()

    def post(self, room: str, thread: str, line: str) -> None:
        """Let it post such a line."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([room, thread, line]) + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait(60)

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _listen(self) -> None:
        while told := self._line():
            line, at = json.loads(told)
            self.heard.setdefault(line, at)


def _listening(post: Callable[..., Any], text_of: Callable[[Any], str]) -> Callable[..., Any]:
    """Say when the network has taken a post about a line; the clock is the same in all processes."""

    def listening(*args: Any) -> Any:
        posted = post(*args)
        if found := LINE.search(text_of(args)):
            _say([found[0], time.perf_counter()])
        return posted

    return listening


def _say(told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main(folder: str, kind: str, told: str) -> None:
    """Be the bot until the input ends."""
    said = json.loads(told)
    settings, environment = said.pop("settings"), said.pop("environment")
    net = SimpleNamespace(settings=lambda: settings, environment=lambda: environment, **said)
    bot = _KINDS[kind](net, Path(folder), (Fake(),))
    log_to_file(bot.automation)
    bot.start()
    surface, client = bot.errbot.automation_surface, getattr(bot.errbot, "client", None)
    if client is None:
        surface.say = _listening(surface.say, lambda args: args[1].text)
    else:
        client.post = _listening(client.post, lambda args: args[1])

    def post(room: str, thread: str, line: str) -> None:
        with contextlib.suppress(Waiting):  # it is said all the same
            surface.say(Place(net.backend.lower(), room, thread), Answer(f"#0 hello {line}"))

    _say([bot.me, bot.threads])
    for asked in sys.stdin:
        threading.Thread(target=post, args=json.loads(asked)).start()
    bot.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
