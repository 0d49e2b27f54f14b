"""A look at a web address: what a server answers word by word, what a proxy says, whom to trust."""

import asyncio
import contextlib
import ssl

import pytest

from automation_bots.sweep import web
from automation_bots.sweep.probes import BAD, GOOD, NOTHING, POOR
from automation_bots.sweep.web import Wanted
from tests.fakes import certificates
from tests.fakes.proxy import Proxy

OK = "HTTP/1.1 200 OK\r\n"


class Server:
    """Answers every request with the same bytes, and notes the requests."""

    def __init__(self, answer, *, tls=None, holds=False):
        self.answer, self.tls, self.holds, self.asked = answer.encode("latin-1"), tls, holds, []

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, EOFError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
            if self.holds:
                await reader.read()
        writer.close()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()


def looked(answer, path="/", seconds=5.0, scheme="http", tls=None, holds=False, **wanted):
    """What one look saw, and what was asked."""

    async def look():
        async with Server(answer, tls=tls, holds=holds) as server:
            found = await web.look(f"{scheme}://127.0.0.1:{server.port}{path}", Wanted(**wanted), seconds)
            return (found[0], found[2]), server.asked

    return asyncio.run(look())


@pytest.mark.parametrize(
    ("status", "wanted", "seen"),
    [
        ("204 No Content", "", GOOD), ("301 Moved", "", GOOD), ("404 Not Found", "", BAD), ("503 Busy", "", BAD),
        ("301 Moved", "200", BAD), ("301 Moved", "2xx,301", GOOD), ("401 Who", "2XX,401", GOOD),
        ("500 Oops", "5xx", GOOD),
    ],
)  # fmt: skip
def test_a_status_is_good_below_400_or_where_it_was_wanted(status, wanted, seen):
    assert looked(f"HTTP/1.1 {status}\r\n\r\n", status=wanted)[0][0] == seen


def test_a_redirect_is_told_with_where_it_leads_and_not_followed():
    found, asked = looked("HTTP/1.1 302 Found\r\nLocation: https://login.corp.example/\x07\r\n\r\n")
    assert found == (GOOD, "302 Found, leads to https://login.corp.example/?")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        f"{OK}\r\nall fine",
        f"{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nall f\r\n3;x=y\r\nine\r\n0\r\n\r\n",
        f"{OK}Content-Length: 8\r\n\r\nall fine",
        f"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{OK}\r\nall fine",
        f"{OK}Content-Type: text/html; charset=latin-1\r\n\r\n{'x' * 200_000}all fine",
    ],
)
def test_a_text_is_found_however_the_answer_comes(answer):
    assert looked(answer, text="all fine")[0][0] == GOOD


@pytest.mark.parametrize(("body", "seen"), [("all fine", GOOD), ("all fine, but could not connect", BAD)])
def test_a_text_that_must_not_be_there_is_bad(body, seen):
    assert looked(f"{OK}\r\n{body}", text="fine", without="could not connect")[0][0] == seen


def test_a_text_with_accents_is_found_in_both_usual_encodings():
    assert looked(f"{OK}\r\nça va", text="ça va")[0][0] == GOOD
    assert looked(f"{OK}\r\n{'ça va'.encode().decode('latin-1')}", text="ça va")[0][0] == GOOD


@pytest.mark.parametrize(
    "size", ["Content-Length: 3\r\n\r\nall", "Transfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n"]
)
def test_a_server_that_keeps_the_connection_open_is_not_waited_for(size):
    assert looked(OK + size, text="fine", holds=True)[0] == (BAD, "200 OK, but the text is not there")


def test_a_line_of_the_answer_that_looks_like_a_chunk_is_text():
    assert looked(f"{OK}\r\nhits\r\n200\r\nend", text="200")[0][0] == GOOD


@pytest.mark.parametrize(
    ("answer", "said"),
    [("", "hung up without an answer"), ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "what answers speaks no HTTP"),
     (f"{OK}{'x: y' * 300_000}", "the answer's head has no end")],
)  # fmt: skip
def test_what_is_no_answer_is_bad(answer, said):
    assert looked(answer)[0] == (BAD, said)


def test_what_does_not_answer_in_time_is_bad():
    assert looked("", seconds=0.1, holds=True)[0] == (BAD, "no answer within 0.1 s")


def test_an_answer_that_takes_longer_than_it_may_is_degraded():
    found, _ = looked(f"{OK}\r\n", within=0.001)
    assert (found[0], found[1].startswith("200 OK, took ")) == (POOR, True)
    assert looked(f"{OK}\r\n", within=5_000)[0] == (GOOD, "200 OK")


def test_a_path_is_asked_for_as_a_url_may_be_written():
    _, asked = looked(f"{OK}\r\n", path="/größe mit?q=ä&r=%20[1]")
    assert asked[0].startswith("GET /gr%C3%B6%C3%9Fe%20mit?q=%C3%A4&r=%20[1] HTTP/1.1\r\n")


# -- certificates


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificates.make(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    return folder, tls


def test_an_authority_of_ones_own_is_believed_where_its_file_is_named(secure):
    folder, tls = secure
    found, _ = looked(f"{OK}\r\n", scheme="https", tls=tls, ca=str(folder / "ca.pem"), days=0)
    assert found == (GOOD, "200 OK, certificate ends in 0 days")
    assert "certificate: unable to get local issuer" in looked(f"{OK}\r\n", scheme="https", tls=tls)[0][1]


@pytest.mark.parametrize(("days", "seen"), [(0, GOOD), (1, POOR), (30, POOR)])
def test_a_certificate_that_ends_before_it_may_is_told(secure, days, seen):
    folder, tls = secure
    assert looked(f"{OK}\r\n", scheme="https", tls=tls, ca=str(folder / "ca.pem"), days=days)[0][0] == seen


def test_authorities_that_cannot_be_read_say_nothing_of_the_address(secure):
    folder, tls = secure
    found, _ = looked(f"{OK}\r\n", scheme="https", tls=tls, ca=str(folder / "nosuch.pem"))
    assert (found[0], "nosuch.pem cannot be read" in found[1]) == (NOTHING, True)


# -- proxies


def test_a_plain_address_is_asked_of_the_proxy_and_a_secure_one_through_it(secure):
    folder, tls = secure
    with Proxy() as proxy:
        assert looked(f"{OK}\r\n", path="/x", proxy=proxy.url)[0][0] == GOOD
        found, _ = looked(f"{OK}\r\n", scheme="https", tls=tls, ca=str(folder / "ca.pem"), days=0, proxy=proxy.url)
    assert found[0] == GOOD
    assert proxy.seen[0] == "GET /x"
    assert proxy.seen[1].startswith("CONNECT 127.0.0.1:")


@pytest.mark.parametrize(
    ("answer", "seen", "said"),
    [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", NOTHING, "the proxy 127.0.0.1 says 407"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", BAD, "the proxy cannot reach it: 502"),
        ("", NOTHING, "the proxy 127.0.0.1 hung up"),
    ],
)
def test_what_a_proxy_refuses_says_nothing_of_the_address(answer, seen, said):
    async def look():
        async with Server(answer) as proxy:
            via = f"http://ana:s%20t@127.0.0.1:{proxy.port}"
            return await web.look("https://www.corp.example", Wanted(proxy=via), 5.0), proxy.asked

    found, asked = asyncio.run(look())
    assert (found[0], found[2].startswith(said)) == (seen, True)
    assert "Proxy-Authorization: Basic YW5hOnMgdA==" in asked[0]


def test_a_proxy_that_is_away_says_nothing_of_the_address():
    found = asyncio.run(web.look("http://www.corp.example", Wanted(proxy="http://127.0.0.1:1"), 5.0))
    assert found == (NOTHING, None, "the proxy 127.0.0.1 cannot be reached: refused")
