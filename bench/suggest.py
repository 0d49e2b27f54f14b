"""How often what was meant is said: words mistyped or of other tools, and sentences; figures are what goes wrong.

Two halves: `suggest_ours.yml` was written beside the code, `suggest_others.yml` by somebody who had not seen it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import yaml

from automation_bots.app.bot import Bot
from automation_bots.model import Person, Place
from automation_bots.pipeline import suggested
from automation_bots.pipeline.suggested import Asker
from automation_bots.policy import gate
from automation_bots.suggestions.meaning import Meaning
from bench.figures import Figure, quantile
from bench.folders import workspace

HERE = Path(__file__).parent
HALVES = [half for half in ("ours", "others") if (HERE / f"suggest_{half}.yml").exists()]
POLICY = """
people:
  ana: {text: "@ana", groups: [admins]}
  joe: {text: "@joe"}
rules:
  - {name: all, who: admins, may: [everything]}
  - {name: few, who: joe, may: [uptime, disk], on: web1}
"""
HOSTS = {"web": ["web1", "web2"], "core": ["core1", "core2"], "db": ["db1"]}
HIDDEN = ("core", "db1", "web2", "reboot", "service")


def run() -> list[Figure]:
    with workspace() as place:
        bot = Bot(_folder(place / "bot"), {"AUTOMATION_BOTS_DATA": str(place / "data")}, read_only=True)
        meaning = Meaning()
        try:
            return _figures(bot, meaning)
        finally:
            meaning.stop()


def _figures(bot: Bot, meaning: Meaning) -> list[Figure]:
    ana, joe = (_asker(bot, bot.live.policy.people[name], meaning) for name in ("ana", "joe"))
    found, seconds = [], []
    began = time.perf_counter()
    suggested.lines(ana, "what is the first question of all")
    found.append(Figure("suggest.first_question", 1_000 * (time.perf_counter() - began), "ms"))
    for half in HALVES:
        cases = yaml.safe_load((HERE / f"suggest_{half}.yml").read_text())
        wrong = [(typed, line, got) for typed, line in cases["typed"] if (got := _first(ana, typed)) != line]
        _tell(half, wrong)
        found.append(Figure(f"suggest.{half}.typed.wrong", 100 * len(wrong) / len(cases["typed"]), "%", 5))
        ranks = [_rank(ana, sentence, names.split(), seconds) for sentence, names in cases["sentences"]]
        count = len(ranks)
        found.append(Figure(f"suggest.{half}.sentences.not_first", 100 * sum(r != 0 for r in ranks) / count, "%", 45))
        found.append(Figure(f"suggest.{half}.sentences.not_in_three", 100 * sum(r > 2 for r in ranks) / count, "%", 25))
        everything = [typed for typed, _ in (*cases["typed"], *cases["sentences"])]
        told = [(typed, line) for typed in everything for line in suggested.lines(joe, typed)]
        seen = [line for typed, line in told if set(line.replace(",", " ").split()) & set(HIDDEN) - set(typed.split())]
        found.append(Figure(f"suggest.{half}.names_not_to_be_seen", len(seen), "", 0))
    found.append(Figure("suggest.sentence.p99", 1_000 * quantile(seconds, 0.99), "ms", 300))
    found.append(Figure("suggest.memory_of_the_child", meaning.megabytes, "MB", 150))
    return found


def _first(asker: Asker, typed: str) -> str:
    return next(iter(suggested.by_words(asker, typed)), "")


def _rank(asker: Asker, sentence: str, names: list[str], seconds: list[float]) -> int:
    """At which place the first right command stands, among all of those."""
    began = time.perf_counter()
    found = suggested.lines(asker, sentence)
    seconds.append(time.perf_counter() - began)
    spelled = [line.replace(" ", "-") for line in found]
    return next((place for place, line in enumerate(spelled) if any(f"{line}-".startswith(f"{n}-") for n in names)), 9)


def _tell(half: str, wrong: list[tuple[str, str, str]]) -> None:
    for typed, line, got in wrong:
        print(f"{half}: {typed!r} is {line!r}, not {got!r}")


def _asker(bot: Bot, person: Person, meaning: Meaning) -> Asker:
    scope, place = bot.live.scope, Place("text", "@x", direct=True)
    every = bot.live.catalog.operations.values()
    usable = [one for one in every if gate.usable(scope, person, one, place) is not None]
    return Asker(bot.live, person, usable, meaning.nearest)


def _folder(folder: Path) -> Path:
    files: dict[str, Any] = {
        "bot.toml": 'name = "bench"\nbackend = "Text"\n[inventory]\nresolve = false\n',
        "policy.yml": POLICY,
        "inventory/hosts.yml": json.dumps(
            {"all": {"children": {group: {"hosts": dict.fromkeys(names)} for group, names in HOSTS.items()}}}
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
