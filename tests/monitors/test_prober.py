"""The process that probes again and again, with real sockets."""

import os
import signal
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from automation_bots.monitors.prober import Prober
from automation_bots.sweep.probes import BAD, GOOD, HTTP, NOTHING, PING, POOR, TCP, Probe
from tests.fakes import certificates
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


class Looks(list):
    """What a prober told, by target."""

    def of(self, number):
        return [look for look in self if look[0] == number]

    def seen(self, number, count=1):
        wait(lambda: len(self.of(number)) >= count, 60, lambda: f"{count} looks at {number}; there are {self}")
        return self.of(number)


@pytest.fixture
def looks():
    return Looks()


@pytest.fixture
def prober(looks):
    prober = Prober(looks.extend)
    yield prober
    prober.stop()


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_pings_connections_and_names_are_told_apart(prober, looks, listening):
    prober.watch(
        [
            Probe(1, PING, "127.0.0.1", 0.2),
            Probe(2, TCP, "127.0.0.1", 0.2, port=listening),
            Probe(3, TCP, "127.0.0.1", 0.2, port=closed_port()),
            Probe(4, PING, "nosuch.invalid", 0.2),
        ]
    )
    assert [look[4] for look in looks.seen(1, 3)] == [GOOD] * len(looks.of(1))
    assert looks.seen(2)[0][4] == GOOD
    assert looks.seen(3)[0][4:] == [BAD, "refused"]
    assert looks.seen(4)[0][4] == NOTHING
    assert looks.of(1)[0][3] < 2000.0


def test_a_failure_is_looked_at_again_soon_whatever_the_interval(prober, looks):
    prober.watch([Probe(1, TCP, "127.0.0.1", 3600.0, port=closed_port())])
    assert {look[4] for look in looks.seen(1, 3)} == {BAD}


def test_each_target_keeps_to_its_own_interval_and_how_late_it_was_is_known(prober, looks):
    prober.watch([Probe(1, PING, "127.0.0.1", 0.1), Probe(2, PING, "127.0.0.2", 3600.0)])
    looks.seen(1, 5)
    assert len(looks.of(2)) == 1
    assert prober.lateness.probes == len(looks)
    assert prober.lateness.median <= prober.lateness.p99 <= prober.lateness.worst


def test_what_is_left_is_looked_at_no_more_and_the_last_one_ends_the_process(prober, looks):
    prober.watch([Probe(1, PING, "127.0.0.1", 0.1), Probe(2, PING, "127.0.0.1", 0.1)])
    looks.seen(1), looks.seen(2)
    prober.leave([1])
    count = len(looks.of(1))
    looks.seen(2, len(looks.of(2)) + 5)
    assert len(looks.of(1)) <= count + 2  # those on their way
    prober.leave([2])
    assert prober.look_after() == ""


def test_a_prober_that_dies_is_told_and_goes_on(prober, looks):
    prober.watch([Probe(1, PING, "127.0.0.1", 0.1)])
    looks.seen(1)
    os.killpg(prober.pid, signal.SIGKILL)
    wait(prober.look_after, 30)
    looks.clear()
    assert looks.seen(1)[0][4] == GOOD
    assert prober.starts == 2


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        status = {"/missing": 404, "/moved": 301}.get(self.path, 200)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"all systems fine")

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_web_address_is_judged_by_status_and_text(prober, looks, page, listening):
    prober.watch(
        [
            Probe(1, HTTP, page, 1.0),
            Probe(2, HTTP, f"{page}/missing", 1.0),
            Probe(3, HTTP, page, 1.0, web={"text": "fine"}),
            Probe(4, HTTP, page, 1.0, web={"text": "broken"}),
            Probe(5, HTTP, f"https://127.0.0.1:{listening}", 1.0),
        ]
    )
    assert looks.seen(1)[0][4:] == [GOOD, "200 OK"]
    assert looks.seen(2)[0][4:] == [BAD, "404 Not Found"]
    assert looks.seen(3)[0][4] == GOOD
    assert looks.seen(4)[0][4:] == [BAD, "200 OK, but the text is not there"]
    assert looks.seen(5)[0][4] == BAD


@pytest.fixture
def secure(tmp_path):
    certificates.make(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_ends_soon_is_told_and_one_that_nobody_vouches_for_is_refused(looks, secure, tmp_path):
    no_proxy_of_ours = "https_proxy=http://127.0.0.1:1"  # what the environment says of proxies is not asked
    trusting = Prober(looks.extend, through=("env", f"SSL_CERT_FILE={tmp_path / 'ca.pem'}", no_proxy_of_ours))
    doubting = Prober(looks.extend)
    try:
        trusting.watch([Probe(1, HTTP, secure, 1.0)])
        doubting.watch([Probe(2, HTTP, secure, 1.0)])
        assert looks.seen(1)[0][4:] == [POOR, "200 OK, certificate ends in 0 days"]
        assert looks.seen(2)[0][4] == BAD
        assert "certificate" in looks.of(2)[0][5]
    finally:
        trusting.stop(), doubting.stop()
