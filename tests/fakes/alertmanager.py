"""A real Alertmanager on loopback: `fire` gives it alerts as Prometheus does, `url` is its API."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
_CONF = {
    "route": {
        "receiver": "bot", "group_by": ["..."], "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h"
    },
}  # fmt: skip


class Alertmanager:
    """Use as a context manager; what it sends goes to `hook`, with a token. `route` has other settings of its route."""

    def __init__(self, folder: Path, hook: str = "", token: str = "", *, max_alerts: int = 0, **route: object) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        webhook = {"url": hook, "max_alerts": max_alerts, "http_config": {"authorization": {"credentials": token}}}
        receiver = {"name": "bot", "webhook_configs": [webhook] if hook else []}
        conf = {"route": {**_CONF["route"], **route}, "receivers": [receiver]}
        (folder / "am.yml").write_text(json.dumps(conf))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [str(PROGRAM), f"--config.file={self._folder}/am.yml", f"--storage.path={self._folder}/data",
             f"--web.listen-address=127.0.0.1:{self._port}", "--cluster.listen-address="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.call("GET", "/status")
            except OSError:
                time.sleep(0.05)
                continue
            return self
        raise TimeoutError("Alertmanager does not answer")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask its API."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2{path}", sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fire(self, *labels: dict[str, str], minutes: float = 60) -> list[dict[str, Any]]:
        """Let alerts go on for so long (or end, for less than none); returns those that it has with these labels."""
        now = datetime.now(UTC)
        times = {"endsAt": (now + timedelta(minutes=minutes)).isoformat()}
        if minutes > 0:  # else it begins, for Alertmanager, when it ends
            times["startsAt"] = now.isoformat()
        self.call("POST", "/alerts", [{"labels": one, "annotations": {}, **times} for one in labels])
        return [one for one in self.call("GET", "/alerts") if one["labels"] in labels]

    def silence(self, by: str, comment: str, minutes: float = 60, **matchers: str) -> str:
        """Silence as a person does in its own pages; returns the id."""
        now = datetime.now(UTC)
        wanted = [{"name": key, "value": value, "isRegex": False, "isEqual": True} for key, value in matchers.items()]
        body = {"matchers": wanted, "startsAt": now.isoformat(), "createdBy": by, "comment": comment,
                "endsAt": (now + timedelta(minutes=minutes)).isoformat()}  # fmt: skip
        return str(self.call("POST", "/silences", body)["silenceID"])

    def silenced(self, fingerprint: str) -> list[dict[str, Any]]:
        """The silences on an alert."""
        [found] = [one for one in self.call("GET", "/alerts") if one["fingerprint"] == fingerprint]
        return [one for one in self.call("GET", "/silences") if one["id"] in found["status"]["silencedBy"]]
