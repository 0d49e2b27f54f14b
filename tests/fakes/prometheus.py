"""A real Prometheus on loopback, which scrapes one address each second."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self


class Prometheus:
    """Use as a context manager; `query` asks it."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        scrape = {"job_name": "bot", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
        (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={self._folder}/prometheus.yml", f"--storage.tsdb.path={self._folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{self._port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def query(self, text: str, seconds: float = 60) -> list[tuple[dict[str, str], float]]:
        """Ask until there is an answer: (labels, value) of each series."""
        words, end = urllib.parse.urlencode({"query": text}), time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{words}", timeout=5) as answer:
                    found: list[Any] = json.load(answer)["data"]["result"]
            except OSError:
                found = []
            if found:
                return [(one["metric"], float(one["value"][1])) for one in found]
            time.sleep(0.1)
        raise TimeoutError(f"Prometheus knows nothing of {text}")
