"""The system's nginx and Caddy in front of a port, with the files of `deploy/`; without TLS, on a port of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
CADDY = shutil.which("caddy")
_MAIN = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/automation-bots.conf;
}}
"""


def nginx(folder: Path, port: int, behind: int, burst: int = 400) -> list[str]:
    """Write its files, and say how it is started; its own limit of calls is that of `deploy/` with a burst of 40."""
    text = (DEPLOY / "nginx" / "automation-bots.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    text = text.replace("burst=40", f"burst={burst}").replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    own = [line for line in text.splitlines() if not line.strip().startswith("ssl_certificate")]
    (folder / "automation-bots.conf").write_text("\n".join(own))
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    return [str(NGINX), "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def caddy(folder: Path, port: int, behind: int) -> list[str]:
    """Write its file, and say how it is started."""
    text = (DEPLOY / "caddy" / "Caddyfile").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    text = text.replace("bot.corp.example {", f"http://127.0.0.1:{port} {{\n\tbind 127.0.0.1")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return [str(CADDY), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


class Proxy:
    """One of them, while the block runs."""

    def __init__(self, made, folder: Path, behind: int) -> None:
        if not (NGINX and CADDY):
            pytest.skip("needs nginx and Caddy: apt install nginx-light caddy")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder, self._command = folder, made(folder, self.port, behind)

    def __enter__(self) -> Proxy:
        environment = {**os.environ, "HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder)}
        with (self._folder / "said").open("w") as said:
            self._process = subprocess.Popen(self._command, env=environment, stdout=said, stderr=said)
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError(f"{self._command[0]} does not listen: {(self._folder / 'said').read_text()}")
            time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
