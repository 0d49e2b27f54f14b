"""docs/start.md, typed as it stands: from an empty folder to an approved command and a backup.

What needs root is done below a folder as if that were the machine; systemd, the chat network and the device are
a socket, the tests' Mattermost and a real OpenSSH server.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat.networks.mattermost import Mattermost
from tests.fakes.sshd import Sshd
from tests.support.chatbot import ROOT, wait

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs/start.md").read_text()
_BLOCK = re.compile(r"^```(\w+)(?: file=start/(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MAIN = f"{shlex.quote(sys.executable)} -m automation_bots.cli.main"


class Reader:
    """Somebody who does what the page says, in its order."""

    def __init__(self, folder: Path, net: Mattermost, sshd: Sshd) -> None:
        self.here, self.machine, self.net, self.sshd = folder / "automation-bots", folder / "machine", net, sshd
        self.here.mkdir()
        self.machine.mkdir()
        for name in ("Makefile", ".venv"):
            (self.here / name).symlink_to(ROOT / name)
        self.bot, self.typed, self.said = None, [], ""
        self.ana, self.joe = net.human("ana"), net.human("joe")
        self.room = net.room(self.ana, self.joe)
        self.names = {"https://chat.corp.example": net.server.url, "the-id-of-your-room": self.room}
        self.names |= {"192.0.2.11}": f"{sshd.addresses[0]}, ansible_port: {sshd.port}}}", ": ops}": f": {sshd.user}}}"}

    @property
    def installed(self) -> Path:
        return self.machine / "opt/automation-bots"

    def write(self, name: str, text: str) -> None:
        """What the page says to write; with the names of these servers."""
        for word, own in self.names.items():
            text = text.replace(word, own)
        folder = self.installed if name.startswith("policy") else self.here
        (folder / "bots/netbot" / {"hosts.yml": "inventory/hosts.yml"}.get(name, name)).write_text(text)

    def type(self, line: str) -> str:
        """Type a line; gives what it said."""
        self.typed.append(line)
        for begin, way in _WAYS.items():
            if line.startswith(begin):
                return way(self, line)
        return self.run(line)

    def run(self, line: str, *, given: str = "", folder: Path | None = None, code: int = 0, **environment: str) -> str:
        around = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        done = subprocess.run(
            line, shell=True, cwd=folder or self.here, input=given, capture_output=True, text=True, env=around
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == code, f"{line}\n{self.said}"
        return self.said

    def make(self, line: str) -> str:
        """What the Makefile says behind its set-up, which takes a network and a minute."""
        told = self.run(f"make -n -s {line.removeprefix('sudo ').removeprefix('make ')}").split("tools/setup run && ")[
            1
        ]
        root = f" --root {self.machine}" if line.startswith("sudo") else ""
        return self.run(told.strip().replace(".venv/bin/automation-bots", _MAIN) + root)

    def command(self, line: str) -> str:
        """The installed command, as /usr/local/bin/automation-bots calls it."""
        words = line.removeprefix("sudo automation-bots").replace(" /var/", f" {self.machine}/var/")
        code = 1 if words.startswith(" doctor") else 0  # this machine lacks what a real one has
        return self.run(_MAIN + words, given="yes\n", folder=self.installed, code=code, **self.surroundings())

    def surroundings(self) -> dict[str, str]:
        secrets = self.machine / "etc/automation-bots/netbot"
        data = {
            "AUTOMATION_BOTS_DATA": str(self.machine / "var/lib/automation-bots"),
            "PYTHONPATH": str(self.installed),
        }
        return {**data, "CREDENTIALS_DIRECTORY": str(secrets)}

    def copy_key(self, line: str) -> str:
        key = self.here / shlex.split(line)[2]
        with (self.sshd.home / "keys").open("a") as keys:
            keys.write(key.read_text())
        return ""

    def put_token(self, line: str) -> str:
        path = line.split(" /")[-1]
        return self.run(
            f"install -m 400 /dev/stdin {self.machine}/{path}", given=self.net.environment()["MATTERMOST_TOKEN"]
        )

    def set_up(self, line: str) -> str:
        """A minute and a network: only that it is there, and whole."""
        assert (self.installed / "requirements.txt").is_file()
        return self.run(f"sh -n {self.machine}{line.split()[2]}")

    def packages(self, line: str) -> str:
        return self.run(f"dpkg -s {line.partition('-y ')[2]}")

    def start(self, _line: str) -> str:
        """As systemd would: what the unit says, with a socket that it is told on."""
        unit = next(self.machine.glob("etc/systemd/system/*@.service")).read_text()
        words = re.search(r"^ExecStart=\S+ (.*)$", unit, re.MULTILINE)[1].replace("%i", "netbot")
        self.heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.heard.bind(str(self.machine / "notify"))
        self.heard.settimeout(60)
        around = {**os.environ, **self.surroundings(), "NOTIFY_SOCKET": str(self.machine / "notify")}
        command = [
            sys.executable,
            "-m",
            "automation_bots.cli.main",
            *words.replace("/opt", f"{self.machine}/opt").split(),
        ]
        with (self.machine / "journal").open("w") as journal:
            self.bot = subprocess.Popen(command, cwd=self.installed, env=around, stdout=journal, stderr=journal)
        return ""

    def status(self, _line: str) -> str:
        while b"READY=1" not in (words := self.heard.recv(4000)):
            pass
        assert b"Mattermost: connected" in words
        return ""

    def hears(self, who, line: str, pattern: str) -> str:
        """Say a line in the room; gives what the bot answers once it matches."""
        first = self.net.say(who, self.room, line)
        found = []

        def answered():
            posts = [one.text for one in self.net.seen(who, self.room) if one.thread == first or first == ""]
            found[:] = [text for text in posts if re.search(pattern, text, re.DOTALL)]
            return found

        journal = self.machine / "journal"
        wait(
            answered,
            60,
            lambda: f"{line}: {[one.text for one in self.net.seen(who, self.room)]}\n{journal.read_text()[-2000:]}",
        )
        return found[-1]

    def end(self) -> None:
        if self.bot:
            self.bot.terminate()
            self.bot.wait(60)
            self.heard.close()


_WAYS = {
    "sudo apt-get": Reader.packages,
    "cd ": lambda *_: "",
    "make ": Reader.make,
    "sudo make": Reader.make,
    "ssh-copy-id": Reader.copy_key,
    "sudo PYTHON": Reader.set_up,
    "sudo install": Reader.put_token,
    "sudo automation-bots": Reader.command,
    "sudo systemctl enable": Reader.start,
    "systemctl status": Reader.status,
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    net = Mattermost(buttons=False)
    try:
        with Sshd(folder / "sshd") as sshd:
            reader = Reader(folder, net, sshd)
            try:
                yield reader
            finally:
                reader.end()
    finally:
        net.close()


def test_the_twelve_steps_lead_to_an_approved_command_and_a_backup(reader):
    said = []
    for kind, name, text in _BLOCK.findall(PAGE):
        if kind == "sh":
            said += [reader.type(line.partition("  #")[0]) for line in text.splitlines()]
        elif name:
            reader.write(name, text)
        elif "!whoami" in text:
            for who, word in ((reader.ana, "the-id-of-ana"), (reader.joe, "the-id-of-joe")):
                reader.names[word] = re.search(r"\b[a-z0-9]{26}\b", reader.hears(who, "!whoami", "I do not know you"))[
                    0
                ]
        else:
            approved(reader)
    assert "all is well" in "".join(said)
    assert (reader.machine / "var/backups/automation-bots/first.tar.gz").is_file()


def approved(reader):
    """What joe and ana say in step 11."""
    wait(lambda: "ops" in reader.hears(reader.joe, "!whoami", "."), 30)
    assert "1 ok" in reader.hears(reader.joe, "!uptime on web1", "done in.*load average")
    number = re.search(r"#(\d+)", reader.hears(reader.joe, "!service restart nginx on web1", "approv"))[1]
    assert "approved by ana" in reader.hears(reader.ana, f"!approve {number}", "approved by ana")


def test_every_command_of_the_page_is_typed(reader):
    lines = [line for kind, _, text in _BLOCK.findall(PAGE) if kind == "sh" for line in text.splitlines()]
    assert reader.typed == lines


def test_the_page_has_twelve_steps_at_most():
    assert 5 < len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) <= 12
