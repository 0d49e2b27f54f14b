"""What the bot says of itself: !status, and the figures for Prometheus."""

import json
import logging
import re
import socket
import urllib.request
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from automation_bots.drivers.fake import Fake
from automation_bots.model import Severity
from tests.alerts.site import FIRED
from tests.fakes.prometheus import Prometheus
from tests.support.chatbot import BOT_TOML, HOSTS, ROOT, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def chat(tmp_path_factory, port):
    toml = f"{BOT_TOML}\n[metrics]\nport = {port}\n"
    hosts = f"{HOSTS}    here: {{hosts: {{here1: {{ansible_host: 127.0.0.1}}}}}}\n"
    folder = write_folder(tmp_path_factory.mktemp("health"), toml=toml, hosts=hosts)
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        yield chat


def figures(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_status_tells_everybody_how_it_is_and_admins_what_is_inside(chat):
    logging.getLogger("test").error("the disk smells\nof smoke")
    everybody, admin = chat.asks("!status", "is up", who="joe"), chat.asks("!status", "is up", who="ana")
    assert "chat        connected" in everybody and "smoke" not in everybody and "disk" not in everybody
    assert "workers     0 of 50 busy" in everybody
    assert "error the disk smells of smoke" in admin
    assert re.search(r"record +\d+ (kB|MB)\ndisk +\d+ (GB|TB) free", admin)


def test_figures_count_what_the_record_counts(chat, port):
    before = figures(port)
    chat.asks("!service status nginx on web", "done", who="joe")
    chat.asks("!patch on web", "No: patch", who="joe")
    after = figures(port)
    news = {key: after[key] - before.get(key, 0) for key in after}
    assert news["automation_bots_outcomes_total", "ok"] == 3
    assert news["automation_bots_records_total", "ended"] == news["automation_bots_records_total", "denied"] == 1
    assert news["automation_bots_job_seconds_count", "service"] == 1
    assert after["automation_bots_chat_connected",] == after["automation_bots_record_answers",] == 1
    assert after["automation_bots_jobs", "running"] == 0 and after["automation_bots_workers",] == 50


def test_monitors_can_be_scraped_target_by_target(chat, port, tmp_path):
    number = chat.asks("!monitor ping here every 1s", r"M\d+ ping", who="ana").split()[0]
    wait(lambda: figures(port).get(("automation_bots_monitor_up", number, "here1")) == 1, 30)
    assert figures(port)["automation_bots_monitors",] == 1
    assert 0 < figures(port)["automation_bots_monitor_latency_seconds", number, "here1"] < 2
    with Prometheus(tmp_path, f"127.0.0.1:{port}") as prometheus:
        [(labels, value)] = prometheus.query(f'automation_bots_monitor_up{{monitor="{number}"}}')
    assert (labels["target"], value) == ("here1", 1)
    chat.asks(f"!unmonitor {number}", "ended", who="ana")
    assert ("automation_bots_monitor_up", number, "here1") not in figures(port)


def test_events_and_alerts_can_be_scraped(chat, port):
    chat.automation.alerts.intake.take([FIRED, replace(FIRED, fingerprint="g", severity=Severity.CRITICAL), FIRED])
    found = figures(port)
    assert found["automation_bots_events_total", "am"] == 3
    assert (found["automation_bots_alerts", "high"], found["automation_bots_alerts", "critical"]) == (1, 1)
    wait(lambda: figures(port)["automation_bots_events_unfollowed",] == 0, 10)


def test_every_figure_of_the_dashboard_exists(chat, port):
    chat.asks("!uptime on web1", "done", who="joe")
    logging.getLogger("test").warning("one")
    known = {key[0] for key in figures(port)}
    dashboard = json.loads((ROOT / "deploy/grafana.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    wanted = {name for text in expressions for name in re.findall(r"(?:automation_bots|process)_\w+", text)}
    assert len(expressions) > 10
    assert wanted <= known


def test_figures_are_off_unless_switched_on_and_a_taken_port_does_not_stop_the_bot(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        toml = f"{BOT_TOML}\n[metrics]\nport = {taken.getsockname()[1]}\n"
        with ChatBot(write_folder(tmp_path / "one", toml=toml), drivers=(Fake(),)) as chat:
            assert "is up" in chat.asks("!status", "up", who="joe")
