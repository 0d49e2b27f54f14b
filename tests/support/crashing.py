"""A bot in a process of its own, for tests that kill it: each line of its input is `person room text`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from automation_bots.model import State
from automation_bots.processes import own
from automation_bots.store import Store
from tests.support.chatbot import ROOT, ChatBot, wait


class Victim:
    """A running bot on a folder; the test looks into its store from outside, and kills it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crashing", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, **own.python_path()},
        )
        assert self.process.stdout.readline() == "ready\n"
        self.store = Store.open(folder / "data" / folder.name, exclusive=False)

    def say(self, who: str, room: str, text: str) -> None:
        """Type as somebody in a room; `-` is a direct message."""
        self.process.stdin.write(f"{who} {room} {text}\n")
        self.process.stdin.flush()

    def until(self, number: int, state: State) -> None:
        """Wait until a job is in a state."""
        wait(lambda: any((j.number, j.state) == (number, state) for j in self.store.jobs(limit=100)), 60)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.store.close()
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def main() -> None:
    """Run until the input ends."""
    with ChatBot(Path(sys.argv[1])) as chat:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            who, room, text = line.rstrip("\n").split(" ", 2)
            chat.say(text, who, "" if room == "-" else room)


if __name__ == "__main__":
    main()
