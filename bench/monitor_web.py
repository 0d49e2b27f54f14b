"""Verdicts of web addresses beside Debian's blackbox exporter: nginx answers in many ways, both look at the same."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automation_bots.sweep import web
from automation_bots.sweep.probes import GOOD, POOR
from automation_bots.sweep.web import Wanted
from bench.figures import Figure
from bench.folders import workspace
from tests.fakes import certificates
from tests.support.chatbot import wait

PEER = "prometheus-blackbox-exporter"
STATUSES = (204, 301, 401, 404, 429, 500, 503)
NGINX = """daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl; root {folder};
ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
location /drop {{ return 444; }} location /loop {{ return 302 /loop; }} location /moved {{ return 302 /500; }}
{places} }} }}
"""


def run() -> list[Figure]:
    """How many verdicts are others; nothing where one of the two is not installed."""
    if not shutil.which(PEER) or not shutil.which("nginx"):
        return []
    with workspace() as folder, _running(folder) as (ask, plain, secure):
        (folder / "page").write_text("all fine")
        cases = list(_cases(folder, plain, secure))
        other = [url for module, url, wanted in cases if ask(module, url) != _ours(url, wanted)]
    return [Figure("monitor_web.other_verdicts", len(other), f"of {len(cases)} {' '.join(other)}", 0.0)]


def _ours(url: str, wanted: Wanted) -> bool:
    return asyncio.run(web.look(url, wanted, 5.0))[0] in {GOOD, POOR}


def _cases(folder: Path, plain: int, secure: int) -> Iterator[tuple[str, str, Wanted]]:
    for path in ("page", "drop", "loop", "moved", *map(str, STATUSES)):
        yield "usual", f"http://127.0.0.1:{plain}/{path}", Wanted()
        yield "only200", f"http://127.0.0.1:{plain}/{path}", Wanted(status="200")
        yield "text", f"http://127.0.0.1:{plain}/{path}", Wanted(text="all fine", status="2xx")
    trusting = Wanted(ca=str(folder / "ca.pem"), days=0)
    for host in ("127.0.0.1", "localhost"):  # the certificate is of the first one
        yield "trusting", f"https://{host}:{secure}/page", trusting
        yield "usual", f"https://{host}:{secure}/page", Wanted()
    for url in (
        f"https://127.0.0.1:{plain}/",
        f"http://127.0.0.1:{secure}/",
        "http://127.0.0.1:1/",
        "http://x.invalid/",
    ):
        yield "usual", url, Wanted()


@contextmanager
def _running(folder: Path) -> Iterator[tuple[object, int, int]]:
    """Both programs; gives a way to ask the peer, and the ports of nginx."""
    certificates.make(folder)
    plain, secure, peer = _free(), _free(), _free()
    places = " ".join(f"location /{code} {{ return {code}; }}" for code in STATUSES)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, plain=plain, secure=secure, places=places))
    (folder / "peer.yml").write_text(json.dumps({"modules": dict(_modules(folder))}))
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder])
    options = (f"--config.file={folder / 'peer.yml'}", f"--web.listen-address=127.0.0.1:{peer}", "--log.level=error")
    exporter = subprocess.Popen([PEER, *options])

    def ask(module: str, url: str) -> bool:
        words = urllib.parse.urlencode({"module": module, "target": url})
        with urllib.request.urlopen(f"http://127.0.0.1:{peer}/probe?{words}", timeout=10) as answer:
            return b"probe_success 1" in answer.read()

    try:
        wait(lambda: all(map(_listens, (plain, secure, peer))), 30)
        yield ask, plain, secure
    finally:
        for program in (exporter, server):
            program.terminate()
            program.wait()


def _modules(folder: Path) -> Iterator[tuple[str, object]]:
    usual = {"preferred_ip_protocol": "ip4", "follow_redirects": False}
    below_400 = {"valid_status_codes": list(range(200, 400))}
    yield "usual", {"prober": "http", "http": usual | below_400}
    yield "only200", {"prober": "http", "http": usual | {"valid_status_codes": [200]}}
    yield "text", {"prober": "http", "http": usual | {"fail_if_body_not_matches_regexp": ["all fine"]}}
    trust = {"tls_config": {"ca_file": str(folder / "ca.pem")}}
    yield "trusting", {"prober": "http", "http": usual | below_400 | trust}


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
