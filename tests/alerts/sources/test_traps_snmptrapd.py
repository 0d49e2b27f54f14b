"""Traps of the real snmptrap through the real snmptrapd, with the files of `deploy/`, to the bot's own listener."""

import pytest

from automation_bots.alerts.event import Phase
from automation_bots.alerts.sources.traps.source import SOURCE, TrapSettings
from automation_bots.app.alerts import _receiver
from automation_bots.http_in.server import HttpServer
from tests.alerts.sources.heard import NOW, Intake
from tests.fakes.snmptrapd import VERSION_3, Snmptrapd

pytestmark = pytest.mark.slow
TOKEN = "a-token-of-this-test-alone"
IF = "1.3.6.1.2.1.2.2.1"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    intake = Intake()
    server = HttpServer(
        "127.0.0.1", 0, [_receiver(SOURCE, TrapSettings(name="traps", kind="trap", token=TOKEN), intake, lambda: NOW)],
        lambda: NOW,
    )  # fmt: skip
    server.start()
    url = f"http://127.0.0.1:{server.port}/hooks/traps"
    with Snmptrapd(tmp_path_factory.mktemp("snmptrapd"), url, TOKEN) as snmptrapd:
        yield intake, snmptrapd
    server.stop()


@pytest.fixture
def sent(site):
    """Send, and return what came of it."""
    intake, snmptrapd = site

    def send(*values, count=1, **how):
        intake.events.clear()
        snmptrapd.sends(*values, **how)
        return intake.has(count)[-1]

    return send


def test_a_link_down_of_version_2c_is_an_alert_that_its_up_ends(sent):
    down = sent("1.3.6.1.6.3.1.1.5.3", f"{IF}.1.3", "i", "3", f"{IF}.2.3", "s", "Gi0/3", f"{IF}.8.3", "i", "2")
    up = sent("1.3.6.1.6.3.1.1.5.4", f"{IF}.1.3", "i", "3")
    assert (down.phase, up.phase, down.fingerprint) == (Phase.FIRING, Phase.RESOLVED, up.fingerprint)
    assert (down.about, down.what) == ("127.0.0.1", "link 3 (Gi0/3) down")


def test_a_bgp_session_lost_is_told_by_version_3_encrypted(sent):
    found = sent("1.3.6.1.2.1.15.0.2", "1.3.6.1.2.1.15.3.1.7.192.0.2.7", "a", "192.0.2.7",
                 "1.3.6.1.2.1.15.3.1.14.192.0.2.7", "x", "0400", by=VERSION_3)  # fmt: skip
    assert (found.fields["name"], found.fingerprint) == ("bgpBackwardTransition", "127.0.0.1/BGP:192.0.2.7")
    assert found.fields["bgpPeerLastError"] == "04 00"


def test_an_inform_is_answered_and_told(sent):
    assert sent("1.3.6.1.6.3.1.1.5.1", program="snmpinform").what == "coldStart"


def test_a_trap_that_nobody_knows_comes_by_its_number_whatever_it_holds(sent):
    text = 'two\n.1.3.6.1.6.3.1.1.4.1.0 .1.3.6.1.6.3.1.1.5.1\n"lines" \\'
    found = sent("1.3.6.1.4.1.9.9.9999.0.1", "1.3.6.1.4.1.9.9.9999.1", "s", text)
    assert (found.what, found.fields["1.3.6.1.4.1.9.9.9999.1"]) == ("1.3.6.1.4.1.9.9.9999.0.1", text)


def test_of_a_trap_with_a_wrong_community_nothing_is_heard(site, sent):
    intake, snmptrapd = site
    intake.events.clear()
    snmptrapd.sends("1.3.6.1.6.3.1.1.5.5", by=("-v", "2c", "-c", "guessed"))
    snmptrapd.sends("1.3.6.1.6.3.1.1.5.2")
    assert [one.what for one in intake.has(1)] == ["warmStart"]


def test_a_trap_of_version_1_keeps_no_community(sent):
    found = sent("1.3.6.1.4.1.318", by=("-v", "1", "-c", "testing"), version_1=("198.51.100.9", "6", "5", ""))
    assert (found.what, found.about) == ("mains down", "127.0.0.1") and "testing" not in repr(found)
