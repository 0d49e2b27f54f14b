"""What published backends for Errbot do wrong on every network cannot happen here; docs/chat.md has the whole list."""

import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from errbot.backend_plugin_manager import BackendPluginManager
from errbot.backends.base import Room
from errbot.bootstrap import CORE_BACKENDS
from errbot.core import ErrBot

from backends.adapter import installed
from tests.chat.harness import Talk
from tests.chat.networks.memory import Memory
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow  # bots are started

JOINS = """from errbot import BotPlugin


class Joins(BotPlugin):
    told = []

    def callback_room_joined(self, room, *more):
        self.told.append(room)

    callback_room_left = callback_room_topic = callback_room_joined
"""
OURS = ["AutomationText", "Matrix", "Mattermost", "RocketChat", "Slack"]


def loaded(name):
    """Load a backend by Errbot's own manager."""
    manager = BackendPluginManager(
        SimpleNamespace(), "errbot.backends", name, ErrBot, CORE_BACKENDS, str(installed.HERE)
    )
    return [kind for _, kind in manager.plugin_info.load_plugin_classes("errbot.backends", ErrBot)]


@pytest.mark.parametrize("name", OURS)
def test_errbot_finds_each_backend_and_one_class_in_it(name):
    [kind] = loaded(name)
    assert issubclass(kind, ErrBot)
    assert Path(sys.modules[kind.__module__].__file__).is_relative_to(installed.HERE)


def test_no_backend_takes_a_common_name_from_the_plugins():
    for name in OURS:
        loaded(name)
    bare = {path.stem for path in installed.HERE.rglob("*.py")} & set(sys.modules)
    files = [Path(getattr(sys.modules[name], "__file__", None) or "/") for name in bare]
    assert [path for path in files if path.is_relative_to(installed.HERE)] == []


@pytest.fixture(scope="module")
def talk(tmp_path_factory, driver):
    """A bot with Errbot's own commands for rooms, which is told to join one."""
    net, folder = Memory(), tmp_path_factory.mktemp("joins")
    (folder / "joins.plug").write_text("[Core]\nName = Joins\nModule = joins\n")
    (folder / "joins.py").write_text(JOINS)
    net.plugins = [str(folder)]
    net.errbot = {"CORE_PLUGINS": ("ChatRoom",), "CHATROOM_PRESENCE": ("R1",), "CHATROOM_FN": "netbot"}
    with Talk(net, tmp_path_factory.mktemp("rooms"), (driver,)) as talk:
        yield talk
    net.close()


def test_a_bot_that_is_told_to_join_rooms_starts_and_lists_them(talk):
    assert "ChatRoom" in talk.bot.errbot.plugin_manager.plugins
    talk.asks("!whoami", "ana")
    talk.asks("!room list", "rooms")


def test_no_plugin_is_told_of_the_bot_where_it_expects_a_room(talk):
    talk.net.say(talk.ana, talk.net.room(talk.ana), "come in")
    talk.settled()
    told = talk.bot.errbot.plugin_manager.plugins["Joins"].told
    assert [room for room in told if not isinstance(room, Room)] == []


def test_what_many_threads_deliver_at_once_is_answered_once_each(talk):
    def type_all(thread):
        for number in range(20):
            talk.say(f"!nosuch{thread}x{number}y")

    threads = [threading.Thread(target=type_all, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    typed = sorted(f"{thread}x{number}" for thread in range(10) for number in range(20))

    def said():
        return sorted(found for post in talk.answers() for found in re.findall(r"^.*?nosuch(\d+x\d+)y", post.text))

    wait(lambda: len(said()) >= len(typed), 20, said)
    talk.settled()
    assert said() == typed


def test_what_a_room_watches_is_told_in_the_room_and_not_in_the_thread_of_the_answer(talk):
    talk.asks("!watch jobs on web1", "I tell here of jobs on web1")
    talk.say("uptime on web1", room="")
    assert talk.hears(r"uptime on web1 done.* · ana").thread == ""
    talk.asks("!unwatch 1", "W1 ended")
