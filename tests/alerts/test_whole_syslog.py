"""A whole bot that hears syslog: what a device says is one message in a room; a rule on what the bot itself tells."""

import re
import socket

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.events import Event
from automation_bots.model import Outcome, Status
from tests.alerts.sources.heard import free_port
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
TOML = """
name = "netbot"
backend = "Test"
[events]
room = "#noc"
[events.sources.sl]
kind = "syslog"
udp = {port}
"""
POLICY = """
people: {ana: {test: ana, groups: [admins]}}
rules: [{name: all, who: admins, may: [everything]}]
"""
HOSTS = "all: {vars: {driver: fake}, hosts: {core1: {ansible_host: 127.0.0.1}, core2: {ansible_host: 127.0.0.2}}}"
RULES = """
- name: what failed is told
  when: {kind: job, fields: {state: failed}}
  do: {post: "#noc"}
"""


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    port = free_port()
    folder = write_folder(tmp_path_factory.mktemp("bot"), toml=TOML.format(port=port), policy=POLICY, hosts=HOSTS,
                          files={"rules.yml": RULES})  # fmt: skip
    with ChatBot(folder, drivers=(Fake({"core2": Outcome("core2", Status.FAILED, "no")}),)) as made:
        made.port = port
        yield made


def said(bot, text, sender="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind((sender, 0))
        device.sendto(f"<187>54: *Nov 30 19:00:01.123: {text}".encode(), ("127.0.0.1", bot.port))


def test_a_link_that_goes_down_is_one_message_and_its_return_edits_it(bot):
    said(bot, "%LINK-3-UPDOWN: Interface Gi0/3, changed state to down")
    number = re.search(r"▲ (A\d+) core1: link Gi0/3 down", bot.hears("link Gi0/3 down"))[1]
    said(bot, "%LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/3, changed state to down")
    said(bot, "%LINK-3-UPDOWN: Interface Gi0/3, changed state to up")
    assert bot.hears(f"■ {number}").count("over after") == 1
    assert sum("link Gi0/3 down" in text for _, text in bot.surface.said) - len(bot.surface.edited) == 1


def test_what_a_device_writes_calls_nobody_and_shows_no_secret(bot):
    said(bot, "%SYS-3-CPUHOG: @here <!channel> snmp-server community s3cretRO RO")
    wait(lambda: "CPUHOG" in bot.asks("!events core1"), 60)
    assert "s3cretRO" not in str(bot.surface.said)


def test_a_job_that_failed_is_told_by_a_rule_and_one_that_did_not_leaves_nothing(bot):
    bot.asks("!uptime on core1", "#1")
    bot.asks("!uptime on core2", r"event \d+ #2 uptime on core2: failed", seconds=60)
    assert [one.event.fields["job"] for one in bot.automation.store.events.latest(99) if one.event.kind == "job"] == [
        "2"
    ]


def test_what_a_monitor_tells_is_listed_and_not_told_again_in_the_room_of_alerts(bot):
    change = {"target": "core2", "device": "core2", "was": "up", "now": "down", "text": "core2 down"}
    told = {"monitor": 3, "title": "ping core2", "person": "ana", "changes": (change,), "devices": ("core2",)}
    bot.automation.bus.publish(Event("bot", "bot/monitor/3/down", told))
    wait(lambda: "core2 down" in bot.asks("!alerts core2"), 60)
    said(bot, "%LINK-3-UPDOWN: Interface Gi0/9, changed state to down")
    bot.hears("link Gi0/9 down", 60)
    assert not [text for room, text in bot.surface.said if room == "#noc" and "core2 down" in text]
