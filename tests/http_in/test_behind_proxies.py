"""The bot behind the real nginx and the real Caddy, with the files of `deploy/`."""

import contextlib
import socket
from datetime import UTC, datetime
from functools import partial

import pytest

from automation_bots.http_in.receiver import Proof, Receiver
from automation_bots.http_in.server import HttpServer
from tests.fakes.reverse_proxies import Proxy, caddy, nginx

pytestmark = pytest.mark.slow
TOKEN = "a-token-of-this-test-alone"
MOST = 8_388_608


@pytest.fixture(scope="module")
def bot():
    taken = []
    receivers = [Receiver("a", Proof(token=TOKEN), lambda body, headers: taken.append(body), MOST, 100_000)]
    server = HttpServer("127.0.0.1", 0, receivers, lambda: datetime.now(UTC), ["127.0.0.1"])
    server.start()
    yield server, taken
    server.stop()


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def behind(bot, request, tmp_path_factory):
    server, taken = bot
    with Proxy(request.param, tmp_path_factory.mktemp(request.param.__name__), server.port) as proxy:
        yield request.param.__name__, proxy.port, taken


def status(port, body=b"{}", *headers, token=TOKEN, sender="127.0.0.1", method="POST", path="/hooks/a", length=None):
    known = [f"Content-Length: {len(body) if length is None else length}", *headers]
    text = "\r\n".join(
        [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", *known]
    )
    with socket.create_connection(("127.0.0.1", port), source_address=(sender, 0)) as talk:
        talk.settimeout(60)
        with contextlib.suppress(OSError):  # it has answered already
            talk.sendall(f"{text}\r\nConnection: close\r\n\r\n".encode() + body)
        if length is not None:
            talk.shutdown(socket.SHUT_WR)
        return int((talk.recv(1_000).split() or [b"", b"0"])[1])


def test_a_good_call_is_taken(behind):
    _, port, taken = behind
    taken.clear()
    assert status(port, b'{"good": 1}') == 202 and taken == [b'{"good": 1}']


def test_whoever_has_no_token_hears_401_and_other_ways_are_closed(behind):
    _, port, _ = behind
    assert status(port, token="guessed") == 401
    assert status(port, method="GET") == 403 and status(port, path="/metrics") == 404


def test_a_body_that_is_too_long_is_refused_and_nothing_of_it_is_taken(behind):
    name, port, taken = behind
    taken.clear()
    assert status(port, b"x" * (MOST + 1)) in ({413} if name == "nginx" else {413, 502})
    assert taken == []


def test_a_body_that_was_cut_on_its_way_is_not_taken(behind):
    _, port, taken = behind
    taken.clear()
    status(port, b'{"a": 1}', length=5_000)  # Caddy answers 200 to a caller who has hung up
    assert status(port, b'{"b": 1}') == 202 and taken == [b'{"b": 1}']


def test_whoever_guesses_is_slowed_down_by_his_own_address_whatever_he_says_it_is(behind):
    name, port, _ = behind
    mine, neighbour = ("127.0.0.5", "127.0.0.6") if name == "nginx" else ("127.0.0.7", "127.0.0.8")
    said = [f"X-Forwarded-For: 198.51.100.{n}" for n in range(90)]
    assert {status(port, b"", one, token="x", sender=mine) for one in said} == {401, 429}
    assert status(port, token="x", sender=neighbour) == 401


def test_while_the_bot_is_away_the_sender_hears_that_it_shall_come_again_and_not_too_often(tmp_path):
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        with Proxy(partial(nginx, burst=40), tmp_path, gone.getsockname()[1]) as proxy:
            assert status(proxy.port) == 503
            assert {status(proxy.port) for _ in range(120)} == {503, 429}
