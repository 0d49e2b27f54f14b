"""syslog from programs of others: logger straight to the bot, and rsyslog as a relay with the file of `deploy/`."""

import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from automation_bots.alerts.sources.syslog.source import SyslogSettings, SyslogSource, noted
from tests.alerts.sources.heard import NOW, Intake, context, free_port
from tests.fakes import rsyslogd

pytestmark = pytest.mark.slow
DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "rsyslog" / "60-automation-bots.conf"


if not rsyslogd.PROGRAM:
    pytest.skip("needs rsyslogd: apt install rsyslog", allow_module_level=True)


@contextmanager
def listening(folder, **settings):
    folder.mkdir(exist_ok=True)
    intake, port = Intake(), free_port()
    wanted = SyslogSettings(name="sl", kind="syslog", udp=port, tcp=port, **settings)
    source = SyslogSource(
        wanted, context(intake, {"127.0.0.1": "here", "127.0.0.7": "core1", "core1": "core1"}, folder), 0.05
    )
    source.start()
    assert not source.problem
    try:
        yield intake, port
    finally:
        source.stop()


def logger(port, *options, text="%SYS-3-TEST: hello"):
    subprocess.run(["logger", "-n", "127.0.0.1", "-P", str(port), "-p", "local7.err", *options, text], check=True)


@pytest.mark.parametrize("way", [("-d",), ("-T",), ("-T", "--octet-count")])
@pytest.mark.parametrize("form", ["--rfc3164", "--rfc5424"])
def test_logger_is_understood_on_every_way_and_in_both_forms(tmp_path, way, form):
    with listening(tmp_path) as (intake, port):
        logger(port, *way, form, "-t", "prog")
        found = intake.has(1)[0]
    assert (found.device, found.what, found.fields["program"], found.text) == ("here", "SYS-3-TEST", "prog", "hello")


def test_who_was_heard_when_is_written_down_for_the_doctor(tmp_path):
    with listening(tmp_path) as (intake, port):
        logger(port, "-d")
        intake.has(1)
    assert noted(tmp_path, "sl") == {"here": NOW}


def test_rsyslog_passes_on_what_a_device_said_and_from_where_although_it_cannot_read_it_itself(tmp_path):
    said = (
        "54: core9: *Nov 30 19:00:01.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/3, changed state to down"
    )
    with listening(tmp_path / "bot", relays=["127.0.0.1"]) as (intake, port):
        own = DEPLOY.read_text().replace('port="5514"', f'port="{port}"').replace('"127.0.0.1" and', '"127.0.0.9" and')
        with rsyslogd.Rsyslogd(tmp_path, own) as relay:
            relay.hears(f"<187>{said}", sender="127.0.0.7")
            found = intake.has(1)[0]
    assert (found.device, found.about, found.fingerprint) == ("core1", "127.0.0.7", "core1/link:Gi0/3")
    assert (found.fields["device_time"], found.fields["sequence"]) == ("*Nov 30 19:00:01.123", "54")


def test_what_rsyslog_can_read_itself_it_passes_on_whole_as_well(tmp_path):
    with listening(tmp_path / "bot", relays=["127.0.0.1"]) as (intake, port):
        own = DEPLOY.read_text().replace('port="5514"', f'port="{port}"').replace('"127.0.0.1" and', '"127.0.0.9" and')
        with rsyslogd.Rsyslogd(tmp_path, own) as relay:
            relay.hears('<187>1 2026-02-20T15:10:35Z j1 mgd 7 UI_ERROR [j@2636 user="ana"] x', sender="127.0.0.7")
            found = intake.has(1)[0]
    assert (found.device, found.what, found.fields["j@2636.user"]) == ("core1", "UI_ERROR", "ana")


def test_what_rsyslog_passes_on_in_its_own_form_is_read_too(tmp_path):
    with listening(tmp_path / "bot", relays=["127.0.0.1"]) as (intake, port):
        own = f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="udp")'
        with rsyslogd.Rsyslogd(tmp_path, own) as relay:
            relay.hears("<187>Dec  1 10:00:00 core1 %SYS-3-CPUHOG: Task ran too long", sender="127.0.0.7")
            found = intake.has(1)[0]
    assert (found.device, found.what) == ("core1", "SYS-3-CPUHOG")


def test_a_port_that_is_taken_is_told_and_stops_nothing(tmp_path):
    with listening(tmp_path) as (_, port):
        second = SyslogSource(SyslogSettings(name="b", kind="syslog", tcp=port), context(Intake(), {}, tmp_path))
        second.start()
        assert second.problem == f"cannot listen on 127.0.0.1 tcp port {port}: Address already in use"
        second.stop()
