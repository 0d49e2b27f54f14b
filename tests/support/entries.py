"""The ways into the bot beside typing: a real web server for webhooks, flows, threads."""

import json
import logging
import socket
import urllib.request
from contextlib import contextmanager

from automation_bots.model import Place
from tests.support.chatbot import ROOT, wait

PLUGINS = [str(ROOT / "errbot-plugins"), str(ROOT / "tests/support/plugins")]
CORE = ("Plugins", "Health", "Flows", "Utils", "Backup", "Help", "ChatRoom", "Webserver")
ERRBOT = {"CORE_PLUGINS": CORE}


def place_of(msg):
    """As a backend does whose network has threads."""
    room = str(msg.to) if msg.is_group else str(msg.frm)
    return Place("test", room, msg.extras.get("thread", ""), direct=not msg.is_group)


@contextmanager
def webserver(chat):
    """Errbot's own web server, on a free port of loopback; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chat.bot.automation_place = place_of
    manager = chat.bot.plugin_manager
    manager.set_plugin_configuration("Webserver", {"HOST": "127.0.0.1", "PORT": port, "SSL": None})
    logging.getLogger("werkzeug").disabled = True
    manager.reload_plugin_by_name("Webserver")
    wait(lambda: manager.plugins["Webserver"].server, 20)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        manager.deactivate_plugin("Webserver")


def post(url, what, who):
    """Post to the webhook of the plugin from elsewhere."""
    body, kind = json.dumps({"who": who}).encode(), {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/outside/{what}/", body, kind), timeout=20) as answer:
        return answer.read().decode()


def idle(chat):
    """Wait until nothing is on its way: no command, no step of a flow, no job."""
    bot = chat.bot

    def quiet():
        flows = bot.flow_executor
        return not (bot.thread_pool._cache or flows._pool._cache) and chat.automation.dispatcher.active == (0, 0)

    wait(quiet, 20)
