"""100 commands within one second from 20 people in one room, on every chat network; and what plain talk costs in calls.

The answer's time is taken beside what the network itself takes for the same posts at the same moments: people talk as
fast, and for each of their lines one line is posted without any command. A command's time begins when the network has
taken it: what the person's own client does before, such as reading all that others said, is no matter of the bot.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.chat_bot import LINE, Elsewhere
from bench.figures import Figure, quantile
from bench.folders import workspace
from tests.chat.harness import Talk
from tests.chat.networks.irc import Irc
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet
from tests.fakes.synapse import Synapse
from tests.support.chatbot import wait

PEOPLE, EACH, SECONDS = 20, 5, 1.0
VERB = {
    "playbooks/verbs/hello.yml": "help: Say hello\nrisk: read\n"
    'parameters: {name: {help: whom to greet}}\nlinux: {run: [echo, "{name}"]}\n'
}


def run() -> list[Figure]:
    logging.disable(logging.CRITICAL)
    try:
        with workspace() as folder, Synapse() as synapse:
            nets: dict[str, Callable[[], Any]] = {
                "slack": SlackNet,
                "mattermost": Mattermost,
                "rocketchat": RocketChat,
                "matrix": lambda: Matrix(synapse, encrypted=False),
                "matrix.encrypted": lambda: Matrix(synapse, encrypted=True),
                "irc": lambda: Irc(folder),
            }
            return [figure for name, net in nets.items() for figure in _measured(name, net, folder / name)]
    finally:
        logging.disable(logging.NOTSET)


def _measured(name: str, make: Callable[[], Any], folder: Path) -> list[Figure]:
    with ExitStack() as stack:
        net = make()
        stack.callback(net.close)
        people = [net.human(f"p{number}") for number in range(PEOPLE)]
        net.running = Elsewhere
        talk = Talk(net, folder, files=VERB)
        _know(folder / "policy.yml", net.backend.lower(), people)
        talk.room = net.room(talk.ana, *people)
        stack.enter_context(talk)
        crowd = Crowd(talk, people)
        crowd.talks()  # caches fill, keys are exchanged
        figures = [_calls(name, net, crowd)] if hasattr(net, "calls") else []
        least, spent = crowd.posted(), crowd.answered()
    beyond = quantile(spent, 0.99) - quantile(least, 0.99)
    return [
        *figures,
        Figure(f"chat.{name}.network.p50", median(least), "ms"),
        Figure(f"chat.{name}.network.p99", quantile(least, 0.99), "ms"),
        Figure(f"chat.{name}.answer.p50", median(spent), "ms"),
        Figure(f"chat.{name}.answer.p99", quantile(spent, 0.99), "ms"),
        Figure(f"chat.{name}.beyond.p99", beyond, "ms", 1_000),
    ]


def _calls(name: str, net: Any, crowd: Crowd) -> Figure:
    before = net.calls()
    crowd.talks()
    time.sleep(1)
    return Figure(f"chat.{name}.calls.of.talk", net.calls() - before, "calls", 0)


def _know(policy: Path, network: str, people: list[Any]) -> None:
    """Everybody of the crowd may say hello."""
    lines = "".join(f'  p{number}: {{{network}: "{who.id}", groups: [crowd]}}\n' for number, who in enumerate(people))
    text = policy.read_text().replace("people:\n", f"people:\n{lines}", 1)
    policy.write_text(f"{text}\n  - {{name: hello, who: crowd, may: [hello]}}\n")


class Crowd:
    """Twenty people, each with a thread where the network has them, who type at the same moments in every round."""

    def __init__(self, talk: Talk, people: list[Any]) -> None:
        self._talk, self._people = talk, people
        chance = random.Random(1)
        self._moments = [sorted(chance.uniform(0, SECONDS) for _ in range(EACH)) for _ in people]
        self._threads = [talk.say(f"I am p{number}", who) if talk.threads else "" for number, who in enumerate(people)]
        self._heard: dict[str, float] = talk.bot.heard

    def _post(self, line: str) -> None:
        """Let the bot post such a line without a command."""
        self._talk.bot.post(self._talk.room, self._threads[int(line[1:].split("n")[0])], line)

    def talks(self) -> None:
        """Let everybody type what is no command."""
        self._type("I say {0}")

    def posted(self) -> list[float]:
        """Milliseconds that the network takes for one post beside each line that is typed."""
        said = self._type("I say {0}", self._post)
        return self._spent(said)

    def answered(self) -> list[float]:
        """Milliseconds from each command to its answer; in each thread they come in the order of the commands."""
        spent = self._spent(self._type("!hello {0} on web1"))
        seen = [found[0] for post in self._talk.answers() for found in LINE.finditer(post.text)]
        for who in range(PEOPLE):
            mine = list(dict.fromkeys(line for line in seen if line.startswith(f"p{who}n")))
            assert mine == sorted(mine), f"answered in the order {mine}"
            assert len(mine) == EACH, f"answered only {mine}"
        return spent

    def _spent(self, said: dict[str, float]) -> list[float]:
        wait(lambda: said.keys() <= self._heard.keys(), 60, lambda: f"no answer: {said.keys() - self._heard.keys()}")
        return [max(0.0, self._heard[line] - at) * 1000 for line, at in said.items()]

    def _type(self, words: str, beside: Callable[[str], None] | None = None) -> dict[str, float]:
        """Return when each line was typed: when the network had taken it, or began to take what is posted beside it."""
        self._heard.clear()
        begun, said = time.perf_counter(), dict[str, float]()

        def typing(who: int) -> None:
            for number, at in enumerate(self._moments[who]):
                time.sleep(max(0.0, begun + at - time.perf_counter()))
                line = f"p{who}n{number}"
                if beside is not None:
                    said[line] = time.perf_counter()
                    beside(line)
                self._talk.say(words.format(line), self._people[who], thread=self._threads[who])
                said.setdefault(line, time.perf_counter())

        threads = [threading.Thread(target=typing, args=(who,)) for who in range(PEOPLE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return said
