"""IRC: Errbot's own backend on a real ngircd, with people who use the `irc` package."""

import contextlib
import re
import socket
import subprocess
import threading
import time
from dataclasses import replace
from itertools import count

import irc.bot
import irc.client

from tests.chat.harness import Human, Seen
from tests.chat.networks.plain import PlainBot
from tests.support.chatbot import wait

_COLOURS = re.compile(r"\x03(\d{1,2}(,\d{1,2})?)?|[\x02\x0f\x16\x1d\x1f]")
_CONF = """
[Global]
Name = irc.lab.test
Info = lab
Listen = 127.0.0.1
Ports = {port}
[Limits]
ConnectRetry = 1
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 20
MaxJoins = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""


class Irc:
    """A server, people and the bot; see `tests.chat.harness.Net`. A line is a message on IRC, and none has an id."""

    backend, needs_invite, top = "IRC", True, 'mention = ["netbot"]\n'

    def __init__(self, folder):
        self.port, self.names, self.rooms = _free_port(), count(1), []
        self.lock, self.lines = threading.RLock(), {}  # (nick of the reader, room or nick) → [(id, author, text)]
        self.numbers, self.people = count(1), {}
        self.conf = folder / "ngircd.conf"
        self.conf.write_text(_CONF.format(port=self.port))
        self.server, self.relay = None, Relay(self.port)
        self._up()
        self.reactor = irc.client.Reactor()
        for kind in ("pubmsg", "privmsg"):
            self.reactor.add_global_handler(kind, self._heard)
        self.bot_joined = set()
        self.reactor.add_global_handler("join", self._joined)
        self.ended = threading.Event()
        threading.Thread(target=self._listen, name="people on IRC", daemon=True).start()

    def _up(self):
        self.server = subprocess.Popen(
            ["/usr/sbin/ngircd", "-f", str(self.conf), "-n"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait(lambda: _open(self.port), 10, lambda: "ngircd does not listen")

    def _listen(self):
        while not self.ended.is_set():
            self.reactor.process_once(0.05)

    def running(self, net, folder, drivers):
        return IrcBot(net, folder, drivers)

    @property
    def errbot(self):
        return {
            "IRC_ACL_PATTERN": "{user}@{host}",
            "IRC_CHANNEL_RATE": 0,
            "IRC_PRIVATE_RATE": 0,
            "CHATROOM_PRESENCE": tuple(self.rooms),
            "CHATROOM_FN": "netbot",
            "CORE_PLUGINS": ("Plugins", "Health", "ChatRoom"),
        }

    def settings(self):
        return {"nickname": "netbot", "username": "netbot", "server": "127.0.0.1", "port": self.relay.port}

    def environment(self):
        return {}

    # -- people

    def human(self, name, *, robot=False):
        nick = f"{name}{next(self.names)}"
        self.people[f"~{nick}@127.0.0.1"] = connection = self.reactor.server()
        connection.connect("127.0.0.1", self.port, nick, username=nick)
        wait(connection.is_connected, 10)
        wait(lambda: connection.real_nickname == nick and connection.features is not None, 10)
        return Human(f"~{nick}@127.0.0.1", name)

    def rename(self, who, name):
        nick = f"{name}x{next(self.names)}"  # a name belongs to one person at a time
        self.people[who.id].nick(nick)
        wait(lambda: self.people[who.id].real_nickname == nick, 10)

    def room(self, *people):
        room = f"#room{next(self.names)}"
        for who in people:
            self.people[who.id].join(room)
        self.rooms.append(room)
        return room

    def say(self, who, room, text, *, thread="", mention=False):
        return self._say(who, room, f"netbot: {text}" if mention else text)

    def _say(self, who, room, text):
        number = str(next(self.numbers))
        with self.lock:  # all of a room have read it before the bot can answer
            for reader in self.people if room else (who.id,):
                self.lines.setdefault((reader, room), []).append((number, who.id, text))
        self.people[who.id].privmsg(room or "netbot", text)
        return number

    def _heard(self, connection, event):
        if event.source.nick != "netbot":
            return
        reader = next(id_ for id_, one in self.people.items() if one is connection)
        text = _COLOURS.sub("", event.arguments[0])
        room = event.target if event.target.startswith("#") else ""
        with self.lock:
            self.lines.setdefault((reader, room), []).append((str(next(self.numbers)), "bot", text))

    def _joined(self, connection, event):
        if event.source.nick == "netbot":
            self.bot_joined.add(event.target)

    def seen(self, who, room):
        """Lines of one author with nobody between them read as one message."""
        found = []
        with self.lock:
            for number, author, text in self.lines.get((who.id, room), ()):
                if found and found[-1].author == author:
                    found[-1] = replace(found[-1], text=f"{found[-1].text}\n{text}")
                else:
                    found.append(Seen(number, author, text))
        return found

    # -- what happens to the network

    def cut(self):
        """Nobody keeps what is said to a room before the bot is in it again."""
        self.bot_joined.clear()
        self.relay.cut()
        wait(lambda: self.bot_joined >= set(self.rooms), 30)

    def down(self, *, is_down):
        self.relay.is_down = is_down
        self.relay.cut()

    def close(self):
        self.ended.set()
        for connection in self.people.values():
            connection.disconnect()
        self.relay.close()
        self.server.terminate()
        self.server.wait(10)


class IrcBot(PlainBot):
    """A bot that Errbot's IRC backend serves until it is interrupted."""

    def start(self):
        # The library waits a minute before it comes back; a test need not.
        self.errbot.conn.recon = irc.bot.ExponentialBackoff(min_interval=1, max_interval=1)
        self.thread.start()
        wait(lambda: self.automation.started, 20)
        wait(lambda: set(self.net.rooms) <= set(self.errbot.conn.channels), 20)

    def stop(self):
        def interrupt():
            raise KeyboardInterrupt

        self.automation.dispatcher.hurry()
        self.errbot.conn.reactor.scheduler.execute_after(0, interrupt)
        self.thread.join(30)
        assert not self.thread.is_alive(), "the bot did not end"
        self.errbot.thread_pool.terminate()


class Relay:
    """Stands between the bot and the server, so that only the bot's connection is cut."""

    def __init__(self, port):
        self.to, self.is_down, self.open = port, False, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, name="relay", daemon=True).start()

    def _serve(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            if self.is_down:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            self.open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()

    def cut(self):
        while self.open:
            _shut(self.open.pop())

    def close(self):
        self.cut()
        _shut(self.listener)


def _pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    _shut(target)


def _shut(one):
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True


def _free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
