"""What the doctor sees of events: ports, and devices that have fallen silent."""

import os
import socket
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from automation_bots.alerts.sources.syslog.source import note
from automation_bots.config.bot_folder import BotFolder
from automation_bots.doctor.events import listens, look
from tests.alerts.sources.heard import free_port
from tests.support.chatbot import write_folder

TOML = 'name = "netbot"\nbackend = "Test"\n[events.sources.sl]\nkind = "syslog"\n'


@pytest.fixture
def lines(tmp_path):
    def seen(toml, heard=None):
        folder = write_folder(tmp_path / "bot", toml=TOML + toml)
        environment = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "PATH": os.environ["PATH"]}
        bot_folder = BotFolder(folder, environment, untouched=True)
        bot_folder.data.mkdir(parents=True, exist_ok=True)
        note(bot_folder.data, "sl", heard or {})
        return list(look(bot_folder, SimpleNamespace(inventory=SimpleNamespace(names=("core1",)))))

    return seen


def test_a_port_that_another_program_has_is_wrong(lines):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        taken = f"events of sl: another program listens on udp port {port}. End it, or choose another port"
        assert ("WRONG", taken) in lines(f"udp = {port}\n")


def test_a_free_port_and_that_devices_cannot_reach_it_are_said(lines):
    port = free_port()
    found = {text: mark for mark, text in lines(f"tcp = {port}\n")}
    assert found[f"events of sl: tcp port {port} is free"] == "ok"
    assert any("only programs of this machine reach 127.0.0.1" in text for text in found)
    assert any("no device was heard yet" in text for text in found)


def test_devices_that_have_fallen_silent_are_named(lines):
    now = datetime.now(UTC)
    heard = {"core1": now - timedelta(minutes=2), "core2": now - timedelta(days=3)}
    texts = [text for _, text in lines(f"udp = {free_port()}\n", heard)]
    assert "events of sl: 2 devices heard, core1 2 min ago" in texts
    assert "events of sl: not heard for more than a day: core2 (3 d)" in texts


def test_a_device_that_the_inventory_has_not_is_wrong(lines):
    found = lines(f'udp = {free_port()}\ndevices = {{"10.0.0.1" = "core1", "10.0.0.2" = "core9"}}\n')
    assert ("WRONG", "events of sl: devices names core9, which the inventory has not") in found


def test_an_open_tcp_port_is_seen():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listens("tcp", server.getsockname()[1]) is True
