"""Zabbix's API as servers of all ages answer: where the token goes, and their errors in words."""

from datetime import UTC, datetime

import pytest

from automation_bots.drivers.alerts.back import ACKNOWLEDGE, CLOSE, SILENCE, Deed, Unsure
from automation_bots.drivers.alerts.http import Server
from automation_bots.drivers.alerts.zabbix import ZabbixBack
from automation_bots.errors import DriverError
from automation_bots.model import Alert
from tests.drivers.alerts.answering import Answering

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ALERT = Alert(12, "zabbix", "zabbix", "4711", NOW, "BGP", NOW, NOW)
NOT_AUTHORISED = {"code": -32602, "message": "Invalid params.", "data": "Not authorised."}


def zabbix(version, *, header=True, body=True, error=None):
    """A server of a version that takes the token where it is said to."""

    def reply(_method, _path, headers, sent):
        if sent["method"] == "apiinfo.version":
            assert "auth" not in sent and "Authorization" not in headers
            return 200, {"jsonrpc": "2.0", "result": version, "id": 1}
        if "auth" in sent and version >= "7.2":
            return 200, {
                "error": {"code": -32600, "message": "Invalid request.", "data": 'unexpected parameter "auth"'}
            }
        told = (header and headers.get("Authorization") == "Bearer good") or (body and sent.get("auth") == "good")
        return 200, {"error": error} if error else {"result": {}} if told else {"error": NOT_AUTHORISED}

    return Answering(reply)


def tell(server, what=ACKNOWLEDGE, note="on it", until=None, token="good"):
    return ZabbixBack(Server(server.url, token)).tell(ALERT, Deed(what, "ana", note, until, 42))


@pytest.mark.parametrize(
    ("version", "where"),
    [
        ("6.0.14", {"header": False}),
        ("7.0.1", {"body": False}),
        ("7.4.7", {"body": False}),
        ("7.0.1", {"header": False}),
    ],
)  # the last: Apache with PHP-FPM, which loses the header
def test_the_token_goes_where_the_version_takes_it(version, where):
    with zabbix(version, **where) as server:
        assert tell(server) == "acknowledged in Zabbix"


def test_the_person_and_the_number_of_the_record_stand_in_the_message():
    with zabbix("7.0.0") as server:
        tell(server)
    assert server.asked[-1][3]["params"] == {
        "eventids": ["4711"], "action": 6, "message": "on it (ana, from chat, #42)"
    }  # fmt: skip


def test_a_note_of_any_length_fits_and_stays_one_line():
    with zabbix("7.0.0") as server:
        tell(server, note="x\n" * 3_000)
    message = server.asked[-1][3]["params"]["message"]
    assert len(message) < 2_048 and "\n" not in message and message.endswith("(ana, from chat, #42)")


def test_one_problem_is_suppressed_where_the_server_can_and_muted_here_where_it_cannot():
    until = datetime(2026, 12, 1, 10, tzinfo=UTC)
    with zabbix("6.4.0") as server:
        assert tell(server, SILENCE, until=until) == "suppressed in Zabbix"
        assert server.asked[-1][3]["params"]["suppress_until"] == int(until.timestamp())
    with zabbix("6.0.14") as server:
        assert tell(server, SILENCE, until=until).startswith("here alone")
        assert [sent["method"] for *_, sent in server.asked] == ["apiinfo.version"]


@pytest.mark.parametrize(
    ("version", "hint"), [("6.0.14", "is it whole, enabled, not expired?"), ("7.4.0", "CGIPassAuth")]
)
def test_a_token_that_is_not_taken_is_told_with_what_to_look_at(version, hint):
    with zabbix(version) as server, pytest.raises(DriverError, match=hint):
        tell(server, token="bad")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No permissions to referred object or it does not exist!", "read-write rights"),
        ("Cannot close problem: trigger does not allow manual closing.", "Allow manual close"),
        ("something\nnew", "Zabbix refused it: something new"),
    ],
)
def test_errors_of_status_200_are_errors(said, words):
    error = {"code": -32500, "message": "Application error.", "data": said}
    with zabbix("7.0.0", error=error) as server, pytest.raises(DriverError, match=words):
        tell(server, CLOSE)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"<html>login</html>"), "does not answer as Zabbix does"),
        ((200, {"result": "seven"}), "does not answer as Zabbix does"),
        ((302, b""), "sends elsewhere"),
        ((404, b""), "no such page"),
        ((503, {"message": "away"}), "status 503: away"),
    ],
)
def test_what_is_no_zabbix_is_told_as_that(answer, words):
    with Answering(lambda *_: answer) as server, pytest.raises(DriverError, match=words):
        tell(server)


def test_nobody_knows_what_became_of_a_call_that_was_cut():
    def reply(_method, _path, _headers, sent):
        return (200, {"result": "7.0.0"}) if sent["method"] == "apiinfo.version" else None

    with Answering(reply) as server, pytest.raises(Unsure, match="may have done it all the same"):
        tell(server)


def test_a_server_that_is_away_was_told_nothing():
    with Answering(lambda *_: None) as server:
        url = server.url
    back = ZabbixBack(Server(url, "good"))
    assert "cannot be reached" in back.trouble() and not _is_unsure(back)


def _is_unsure(back):
    with pytest.raises(DriverError) as raised:
        back.tell(ALERT, Deed(ACKNOWLEDGE, "ana"))
    return isinstance(raised.value, Unsure)


@pytest.mark.parametrize("url", ["{}", "{}/", "{}/api_jsonrpc.php"])
def test_the_address_may_be_that_of_the_front_end_or_of_the_api(url):
    with zabbix("7.0.0") as server:
        assert ZabbixBack(Server(url.format(server.url), "good")).trouble() == ""
        assert server.asked[-1][1] == "/api_jsonrpc.php"
