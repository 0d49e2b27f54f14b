"""What is said back to a real Alertmanager, and what is silenced there."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.alerts.book import AlertBook
from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.server_look import ServerLook
from automation_bots.alerts.silences import Silences
from automation_bots.alerts.sources import alertmanager as source
from automation_bots.alerts.sources import registry
from automation_bots.drivers.alerts.alertmanager import AlertmanagerBack
from automation_bots.drivers.alerts.back import SILENCE, UNSILENCE, Deed
from automation_bots.drivers.alerts.http import Server
from automation_bots.errors import DriverError
from automation_bots.model import Phase, ReportedEvent
from automation_bots.store import Store
from tests.fakes.alertmanager import PROGRAM, Alertmanager

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PROGRAM, reason="apt install prometheus-alertmanager")]
SETTINGS = registry.settings_of("am", {"kind": "alertmanager", "token": "a-token-of-a-test"})
NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Alertmanager(tmp_path_factory.mktemp("am")) as running:
        yield running


class Site:
    """A record with one alert of the server, and what looks at both."""

    def __init__(self, server, folder):
        self.server, self.store = server, Store.open(folder)
        self.later = timedelta(0)
        self.labels = {"alertname": f'Odd "{next(NAMES)}"', "device": "core1", "path": 'C:\\a,b{c}="é"\n'}
        [found] = server.fire(self.labels)
        self.fingerprint = found["fingerprint"]
        started = datetime.fromisoformat(found["startsAt"]) + timedelta(microseconds=456)  # its messages are more exact
        self.intake = EventIntake(self.store.events, lambda event: event.device, lambda: None)
        self.back = AlertmanagerBack(Server(server.url))
        self.book = AlertBook(self.store.alerts, self.intake, {"am": self.back}, lambda: "UTC", self.now)
        self.silences = self.look(self.back)
        self.intake.take([ReportedEvent("am", "alertmanager", "Odd", self.now(), Phase.FIRING, device="core1",
                                        fingerprint=self.fingerprint, started=started)])  # fmt: skip

    def look(self, back):
        return ServerLook("am", Silences(back, self.now).other, self.store.alerts, self.intake, 30)

    def now(self):
        return datetime.now(UTC) + self.later

    @property
    def alert(self):
        [alert] = self.store.alerts.latest(10)
        return alert

    def tell(self, what, **more):
        deed = Deed(what, "ana", audit=42, **more)
        said = self.back.tell(self.alert, deed)
        self.book.keep(self.alert, deed)
        return said

    def silence(self, note="maintenance"):
        self.until = self.now() + timedelta(hours=2)
        return self.tell(SILENCE, note=note, until=self.until)

    @property
    def there(self):
        return [(one["createdBy"], one["comment"]) for one in self.server.silenced(self.fingerprint)]


@pytest.fixture
def site(server, tmp_path):
    made = Site(server, tmp_path)
    yield made
    made.store.close()


def test_a_silence_names_the_person_and_the_record_and_ends_when_it_was_said(site):
    assert site.silence() == "silenced in Alertmanager"
    [there] = site.server.silenced(site.fingerprint)
    assert (there["createdBy"], there["comment"]) == ("ana", "maintenance (ana, from chat, #42)")
    assert abs(datetime.fromisoformat(there["endsAt"]) - site.until) < timedelta(seconds=1)


def test_a_silence_is_of_one_alert_whatever_stands_in_its_labels(site):
    [other] = site.server.fire({**site.labels, "path": "C:\\a"})
    site.silence()
    assert site.server.silenced(other["fingerprint"]) == []


def test_whoever_silences_others_with_it_hears_how_many(site):
    site.server.fire({**site.labels, "peer": "192.0.2.7"})
    assert site.silence() == "silenced in Alertmanager; with it 1 more, whose labels match too"


def test_a_silence_is_taken_back(site):
    site.silence()
    assert site.tell(UNSILENCE) == "its silence in Alertmanager was ended"
    assert (site.there, site.alert.muted) == ([], None)


def test_a_wider_silence_of_somebody_else_stays_and_is_named(site):
    site.server.silence("joe", "the whole site", device="core1")
    site.silence()
    assert "a wider silence of joe (the whole site) stays" in site.tell(UNSILENCE)
    with pytest.raises(DriverError, match="a wider silence of joe"):
        site.tell(UNSILENCE)
    for one in site.server.silenced(site.fingerprint):
        site.server.call("DELETE", f"/silence/{one['id']}")


def test_an_alert_that_is_gone_there_cannot_be_silenced(site):
    site.server.fire(site.labels, minutes=-1)
    with pytest.raises(DriverError, match="no longer has A1"):
        site.silence()


def test_what_is_silenced_there_is_shown_here_once_and_its_end_too(site):
    made = site.server.silence("joe", "known", alertname=site.labels["alertname"])
    for _ in range(3):
        site.silences.look()
    assert (site.alert.muted_why, site.store.events.last()) == ("joe: known", 2)
    site.server.call("DELETE", f"/silence/{made}")
    site.silences.look()
    assert (site.alert.muted, site.store.events.last()) == (None, 3)


def test_what_was_silenced_here_is_no_news_from_there(site):
    site.silence()
    before = site.store.events.last()
    site.silences.look()
    assert (site.store.events.last(), site.alert.muted_why) == (before, "ana: maintenance")


def test_the_end_of_what_is_silenced_is_found_out(site):
    site.silence()
    site.server.fire(site.labels, minutes=-1)
    site.later = timedelta(minutes=20)  # a server that has just begun may not know yet
    site.silences.look()
    assert site.alert.firing
    site.silences.look()
    assert not site.alert.firing


def test_a_young_server_that_lacks_an_alert_ends_nothing(site):
    site.silence()
    site.server.fire(site.labels, minutes=-1)
    for _ in range(4):
        site.silences.look()
    assert site.alert.firing


def test_a_server_that_is_away_changes_nothing_and_is_named(site):
    away = AlertmanagerBack(Server("http://127.0.0.1:9"))
    looks = site.look(away)
    assert (looks.look(), "cannot be reached" in looks.problem, site.alert.firing) == (30, True, True)


def labelled(site, **settings):
    """The way back with other settings, and another alert of a pair of senders."""
    table = {"kind": "alertmanager", "token": "a-token-of-a-test", "url": site.server.url, **settings}
    return source.back(registry.settings_of("am", table), lambda path: path)


def test_a_silence_can_be_of_some_labels_and_is_taken_back_by_them(site):
    [pod] = site.server.fire({**site.labels, "path": "another pod"})
    site.back = labelled(site, silence=["alertname", "device", "no such label"])
    assert site.silence() == "silenced in Alertmanager; with it 1 more, whose labels match too"
    assert len(site.server.silenced(pod["fingerprint"])) == 1
    site.tell(UNSILENCE)
    assert site.server.silenced(pod["fingerprint"]) == []


def test_labels_that_make_no_other_alert_are_left_out_of_silences(site):
    replicas = site.server.fire(*({**site.labels, "replica": name} for name in "ab"))
    site.back = labelled(site, ignore=["replica"])
    [known] = {one.fingerprint for one in site.back.present() if "replica" in one.labels}
    site.intake.take([ReportedEvent("am", "alertmanager", "Pair", site.now(), Phase.FIRING, fingerprint=known)])
    pair = next(alert for alert in site.store.alerts.latest(10) if alert.fingerprint == known)
    site.back.tell(pair, Deed(SILENCE, "ana", "pair", site.now() + timedelta(hours=1), 42))
    assert all(len(site.server.silenced(one["fingerprint"])) == 1 for one in replicas)


def test_settings_make_a_way_back_only_where_they_say_where(tmp_path):
    table = {"kind": "alertmanager", "token": "a-token-of-a-test"}
    assert source.back(SETTINGS, lambda _: tmp_path) is None
    assert source.back(registry.settings_of("am", {**table, "url": "http://am:9093"}), lambda _: tmp_path)


def test_a_comment_from_chat_is_shown_with_the_alert(site):
    site.book.keep(site.alert, Deed("comment", "ana", "provider called", audit=43))
    assert site.alert.comment == "ana: provider called"
