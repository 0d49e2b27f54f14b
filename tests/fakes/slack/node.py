"""Slack's own JavaScript clients as a process that tells what they see."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.fakes.slack import SlackLab

HERE = Path(__file__).parent
CLIENTS = HERE.parent.parent.parent / ".venv" / "slack-clients"  # installed by tools/setup


class NodeClient:
    """A bot on Slack's JavaScript clients."""

    def __init__(self, lab: SlackLab, channel: str, clients: Path = CLIENTS) -> None:
        self._command = ["node", str(HERE / "client.mjs"), lab.url, lab.space.bot_token, lab.space.app_token, channel]
        self._environment = {**os.environ, "SLACK_CLIENTS": str(clients)}
        self._lines: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._seen: list[tuple[str, Any]] = []

    def __enter__(self) -> NodeClient:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.communicate("end\n", timeout=20)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith("{"):  # the clients' own log is among them
                told = json.loads(line)
                self._lines.put((told["what"], told["value"]))

    def tells(self, what: str, value: Any = None, seconds: float = 15) -> Any:
        """Wait until it tells this, and return what it tells of it."""
        for name, told in self._seen:
            if name == what and value in (None, told):
                return told
        while True:
            name, told = self._lines.get(timeout=seconds)
            self._seen.append((name, told))
            if name == what and value in (None, told):
                return told
