"""The listener, called as senders and strangers call it."""

import hmac
import socket
from datetime import UTC, datetime

import pytest
import requests

from automation_bots.errors import BadPayload, StoreError
from automation_bots.http_in.receiver import Proof, Receiver
from automation_bots.http_in.server import HttpServer

GOOD = {"Authorization": "Bearer right-token"}


class Heard:
    """What receivers took; or what they raise."""

    def __init__(self):
        self.bodies, self.raises = [], None

    def take(self, body, _headers):
        if self.raises:
            raise self.raises
        self.bodies.append(body)


def _server(heard, **more):
    proof = Proof(token="right-token")
    signed = Proof(secret="key", signature_header="X-Signature")
    receivers = [Receiver("am", proof, heard.take, 2_048), Receiver("rare", proof, heard.take, 2_048, 1),
                 Receiver("hmac", signed, heard.take, 2_048, 1),
                 Receiver("slow", proof, heard.take, body_seconds=0.2)]  # fmt: skip
    server = HttpServer("127.0.0.1", 0, receivers, lambda: datetime.now(UTC), **more)
    server.start()
    return server


@pytest.fixture(scope="module")
def shared():
    heard = Heard()
    server = _server(heard)
    yield server, heard
    server.stop()


@pytest.fixture
def heard(shared):
    heard = shared[1]
    heard.bodies, heard.raises = [], None
    return heard


@pytest.fixture
def call(shared):
    def call(path="/hooks/am", body=b"{}", method="POST", **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()} or GOOD
        return requests.request(method, f"http://127.0.0.1:{shared[0].port}{path}", data=body, headers=given, timeout=9)

    return call


@pytest.fixture
def raw(shared):
    """Send bytes as they are; return the status, or nothing where the line was cut."""

    def send(text, close=False):
        with socket.create_connection(("127.0.0.1", shared[0].port), 9) as line:
            line.sendall(text.encode())
            if close:
                line.shutdown(socket.SHUT_WR)
            said = line.recv(200).decode(errors="replace")
        return int(said.split()[1]) if said else None

    return send


def test_what_is_taken_is_answered_202_with_nothing_more(call, heard):
    said = call(body=b'{"a": 1}')
    assert (said.status_code, said.content, heard.bodies) == (202, b"", [b'{"a": 1}'])


@pytest.mark.parametrize("path", ["/hooks/am", "/hooks/none", "/", "/hooks/", "/hooks/am/", "/metrics", "/hooks/../am"])
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_without_a_token_everything_is_401_without_a_word(call, heard, path, method):
    said = call(path, method=method, Authorization="Bearer wrong")
    assert said.status_code in {401, 429}
    assert (said.content, heard.bodies) == (b"", [])


def test_who_has_the_token_is_heard_whatever_a_neighbour_guesses(call, heard):
    guessed = {call(Authorization=f"Bearer {n}").status_code for n in range(40)}
    assert 429 in guessed
    assert call().status_code == 202
    assert len(heard.bodies) == 1


def test_who_signs_is_heard_however_often_strangers_call(call, heard):
    strangers = {call("/hooks/hmac", X_Signature="0" * 64).status_code for _ in range(4)}
    right = hmac.new(b"key", b"{}", "sha256").hexdigest()
    assert strangers <= {401, 429}
    assert call("/hooks/hmac", X_Signature=right).status_code == 202
    assert call("/hooks/hmac", X_Signature=right).status_code == 429  # it calls too often itself


def test_only_post_is_for_events(call):
    assert call(method="GET").status_code == 405


def test_too_much_is_429_with_the_time_to_wait(call):
    first, second = call("/hooks/rare"), call("/hooks/rare")
    assert (first.status_code, second.status_code) == (202, 429)
    assert 0 < int(second.headers["Retry-After"]) <= 60


def test_what_cannot_be_kept_is_503_so_that_it_comes_again(call, heard):
    heard.raises = StoreError("the disk is full")
    said = call()
    assert (said.status_code, said.content, said.headers["Retry-After"]) == (503, b"", "10")


def test_what_is_not_as_agreed_is_400(call, heard):
    heard.raises = BadPayload("alerts is no list")
    assert (call().status_code, call().content) == (400, b"")


def test_what_goes_wrong_inside_is_500_without_a_word_and_the_next_is_heard(call, heard):
    heard.raises = RuntimeError("secret detail")
    assert (call().status_code, call().content) == (500, b"")
    heard.raises = None
    assert call().status_code == 202


def test_a_body_that_is_too_long_is_not_read(call, heard):
    assert call(body=b"x" * 3_000).status_code == 413
    assert call(body=(b"x" * 500 for _ in range(9))).status_code == 413  # without a length
    assert heard.bodies == []


def test_a_packed_body_is_not_unpacked(call, heard):
    assert call(body=b"x", Content_Encoding="gzip", **GOOD).status_code == 415
    assert heard.bodies == []


def test_a_cut_body_is_not_taken(raw, heard):
    head = "POST /hooks/am HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right-token\r\n"
    assert raw(f'{head}Content-Length: 50\r\n\r\n{{"a": 1}}', close=True) in {400, None}
    assert heard.bodies == []


def test_a_body_that_comes_too_slowly_is_not_waited_for(raw, heard):
    head = "POST /hooks/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right-token\r\n"
    assert raw(f'{head}Content-Length: 50\r\n\r\n{{"a"') == 408
    assert heard.bodies == []


def test_two_lengths_are_refused(raw, heard):
    head = "POST /hooks/am HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right-token\r\n"
    assert raw(f"{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}x") == 400
    assert raw(f"{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400
    assert heard.bodies == []


def test_http_1_0_is_heard_as_nginx_speaks_it(raw, heard):
    assert raw("POST /hooks/am HTTP/1.0\r\nAuthorization: Bearer right-token\r\nContent-Length: 2\r\n\r\n{}") == 202
    assert heard.bodies == [b"{}"]


def test_a_body_without_a_right_signature_is_401(call, heard):
    assert call("/hooks/hmac", X_Signature="0" * 64).status_code in {401, 429}
    assert heard.bodies == []


def test_a_port_that_is_taken_is_a_problem_in_words():
    taken = socket.create_server(("127.0.0.1", 0))
    server = HttpServer("127.0.0.1", taken.getsockname()[1], [], lambda: datetime.now(UTC))
    server.start()
    server.stop()
    taken.close()
    assert "Address already in use" in server.problem or "address already in use" in server.problem


@pytest.mark.parametrize(("peer", "forwarded", "caller"), [
    ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # no proxy of ours: it may say what it likes
    ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
    ("127.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),  # what stands before it was said by whoever called
    ("127.0.0.1", "198.51.100.7, 127.0.0.1", "198.51.100.7"),
    ("127.0.0.1", "", "127.0.0.1"),
])  # fmt: skip
def test_only_a_proxy_of_ours_is_believed_whom_it_speaks_for(peer, forwarded, caller):
    server = HttpServer("127.0.0.1", 0, [], lambda: datetime.now(UTC), ["127.0.0.0/8"])
    assert server.caller(peer, forwarded) == caller
