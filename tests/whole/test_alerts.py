"""A whole bot and a real Alertmanager; and a bot that is killed in the middle of a storm."""

import json
import random
import socket
import threading
import time
from contextlib import closing

import pytest
import requests

from automation_bots.store import Store
from tests.alerts.site import BODIES, told
from tests.fakes.alertmanager import Alertmanager
from tests.support.chatbot import POLICY, ChatBot, wait, write_folder
from tests.support.crashing import Victim

pytestmark = pytest.mark.slow
TOKEN = "t" * 32
HOSTS = "all: {vars: {driver: fake}, hosts: {'sw[000:299]': {}, core1: {ansible_host: 192.0.2.1}}}"
TOML = """
name = "netbot"
backend = "Test"
[http]
port = {port}
[events]
room = "ops"
[events.sources.am]
kind = "alertmanager"
token = "file:am.token"
{more}
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def folder(tmp_path):
    """Write a bot's folder."""

    def write(port, more=""):
        made = write_folder(
            tmp_path / "netbot", toml=TOML.format(port=port, more=more), policy=POLICY, hosts=HOSTS,
            files={"am.token": TOKEN},
        )  # fmt: skip
        (made / "am.token").chmod(0o600)
        return made

    return write


def post(port, body, token=TOKEN):
    url = f"http://127.0.0.1:{port}/hooks/am"
    return requests.post(url, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code


def test_a_real_storm_is_few_messages_all_of_it_is_countable_and_its_end_is_seen(folder, port, tmp_path):
    labels = [{"alertname": "Storm", "device": f"sw{n:03}", "severity": "warning"} for n in range(300)]
    conf = {"group_by": ["alertname"], "group_interval": "1s", "max_alerts": 20}
    with Alertmanager(tmp_path, f"http://127.0.0.1:{port}/hooks/am", TOKEN, **conf) as manager:
        with ChatBot(folder(port, f'url = "{manager.url}"\npoll_seconds = 5')) as chat:
            manager.fire(*labels)
            chat.hears(r"▲ 21 alerts since .*\n.*280 alerts are not in Alertmanager's message", seconds=30)
            chat.hears("▲ 301 alerts since", seconds=30)
            chat.asks("!alerts | count", "301 alerts go on", seconds=20)
            chat.asks("!alerts sw123", "▲  A.*  sw123  warning", seconds=20)
            manager.fire(*labels, minutes=0)
            chat.hears("■ 301 alerts since .* · all over", seconds=60)
            posts = len(chat.surface.said) - len(chat.surface.edited)
        assert posts <= 5 + 2  # and what was asked for


def test_an_alert_is_seen_acknowledged_and_over(folder, port, tmp_path):
    hook = f"http://127.0.0.1:{port}/hooks/am"
    labels = {"alertname": "BGPDown", "instance": "192.0.2.1:9100", "severity": "critical"}
    with Alertmanager(tmp_path, hook, TOKEN) as manager, ChatBot(folder(port)) as chat:
        manager.fire(labels)
        chat.hears("▲ A1 core1: BGPDown · critical, since", seconds=30)
        chat.asks("!ack A1 on it", 'A1 is acknowledged \\(ana: "on it"\\)')
        chat.hears('▲ A1 core1: BGPDown · critical, since .* · ana: "on it"', seconds=20)
        manager.fire(labels, minutes=0)
        chat.hears('■ A1 core1: BGPDown · over after .* · ana: "on it"', seconds=30)
        chat.asks("!event A1", "event 2 .*resolved\n.*event 1 .*firing")


def test_what_is_answered_202_survives_a_kill_and_is_told_after_it(folder, port):
    made, kept = folder(port), set()
    storm, chance = told(BODIES[2]), random.Random(5)

    def call(life):
        for number in range(400):
            alert = {**storm["alerts"][0], "fingerprint": f"f{life}-{number}"}
            try:
                if post(port, json.dumps({**storm, "alerts": [alert], "truncatedAlerts": 0})) == 202:
                    kept.add(alert["fingerprint"])
            except requests.RequestException:
                return

    for life in range(2):
        victim, wanted = Victim(made), len(kept) + 20
        caller = threading.Thread(target=call, args=(life,))
        caller.start()
        wait(lambda wanted=wanted: len(kept) > wanted, 30)
        time.sleep(chance.uniform(0, 0.5))
        victim.kill()
        caller.join(30)
    with closing(Store.open(made / "data" / "netbot")) as store:
        found = {alert.fingerprint for alert in store.alerts.latest(10_000)}
        assert kept <= found
    with ChatBot(made) as chat:
        wait(lambda: not chat.automation.store.alerts.untold(1), 40)
        assert chat.automation.store.verify_audit()


def test_a_person_sees_alerts_of_devices_that_one_sees(folder, port):
    body = told(BODIES[1])
    with ChatBot(folder(port)) as chat:
        assert post(port, BODIES[0]) == 202
        assert post(port, json.dumps(body)) == 202
        assert post(port, json.dumps(body), token="wrong") == 401
        chat.asks("!alerts", "1 alert goes on .*BGPDown", who="kim")
        chat.asks("!alerts", "3 alerts go on", who="ana")
        chat.asks("!alerts", "3 alerts go on", who="kim", room="ops")  # where they are told
        chat.asks("!event A1", "There is no alert A1", who="kim")
        chat.asks("!ack A1", "There is no alert A1", who="kim")
