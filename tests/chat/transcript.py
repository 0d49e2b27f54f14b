"""Plays a transcript on a network: people type and click, and what the bot says is compared line by line."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support.chatbot import wait

FOLDER = Path(__file__).parent / "transcripts"
ALL = sorted(FOLDER.glob("*.txt"))
_LINE = re.compile(r"(\w+)(?: \((direct|thread)\))?\s{2,}(\S.*)")
_MARKS = re.compile("[\u200b\u2060\ufeff]")  # of no width: they keep a name from being called
_SECONDS = 30


@dataclass
class Step:
    who: str
    where: str
    text: str
    more: list
    line: int


def read(path):
    """The steps of a file."""
    steps = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            steps[-1].more.append(line.strip())
            continue
        found = _LINE.fullmatch(line.rstrip())
        assert found, f"{path.name}, line {number}: neither a person nor the bot: {line!r}"
        steps.append(Step(found[1], found[2] or "", found[3], [], number))
    return steps


class Play:
    """One transcript being played."""

    def __init__(self, talk, path):
        self.talk, self.path = talk, path
        self.numbers, self.used, self.messages = {}, set(), {}
        self.room, self.viewer, self.command = talk.room, talk.ana, ""
        self.states, self.read = {}, {}
        self.before = max((job.number for job in talk.bot.automation.store.jobs(limit=1)), default=0)
        self._skip()

    def run(self):
        for step in read(self.path):
            self.step = step
            getattr(self, f"_{step.who}", self._person)(step)

    # -- people

    def _person(self, step):
        talk = self.talk
        who, text = getattr(talk, step.who), self._filled(step.text)
        if click := re.fullmatch(r"\[(\w+)\]", text):
            return self._choose(who, click[1])
        if step.where == "direct":
            self.room, self.viewer = "", who
            self._skip()
        elif step.where != "thread":
            self.room, self.viewer = talk.room, talk.ana
        thread = self.command if step.where == "thread" and talk.threads else ""
        message = talk.say(text, who, self.room, thread=thread)
        if step.where != "thread":
            self.command = message
        return None

    def _choose(self, who, choice):
        number, can = list(self.numbers.values())[-1], self.talk.surface.capabilities
        if not (can.buttons or can.reactions):
            self.talk.say(f"!{choice.lower()} {number}", who)
            return
        asked = []

        def offered():  # the signs to react with may come a moment after the question
            posts = self.talk.answers()
            asked[:] = [post for post in posts if choice in post.choices and f"#{number} " in post.text]
            return bool(asked)

        wait(offered, _SECONDS, lambda: f"{self.path.name}: nobody can click on {choice} of #{number}")
        self.talk.net.choose(who, self.talk.room, asked[-1].id, choice)

    # -- the bot

    def _bot(self, step):
        self._hear(step)

    def _same(self, step):
        can = self.talk.surface.capabilities
        self._hear(step, self.messages.get(self._number(step)) if can.edits else None)

    def _show(self, step):
        if self.talk.surface.capabilities.edits:
            self._same(step)

    def _file(self, step):
        if not self.talk.surface.capabilities.files:
            step.text, step.more = step.more[0], step.more[1:]
            self._hear(step)
            return
        name = self._filled(step.text)
        post = self.talk.hears(f"^{re.escape(name)}$", self.room, self.viewer)
        content = dict(post.files)[name].decode()
        assert [line for line in step.more if line not in content.split("\n")] == []

    def _hear(self, step, message=None):
        found = []

        def heard():
            for state in self._look():
                # An edit may be quicker than this look: then the first words of a message were never seen alone.
                if (state in self.used) if message is None else (state[0] != message):
                    continue
                if match := self._matches(step, state[1]):
                    found[:] = [state, match]
                    return True
            return False

        wait(heard, _SECONDS, lambda: self._unheard(step))
        state, match = found
        self._take(state, match.end())
        self.numbers.update(match.groupdict())
        self.messages.setdefault(self._number(step), state[0])

    def _unheard(self, step):
        new = [text for state, text in self.states if (state, text) not in self.used]
        return f"{self.path.name}, line {step.line}: the bot did not say {self._filled(step.text)!r}, but {new}"

    def _matches(self, step, text):
        match = re.search(f"(?m)^{self._pattern(step.text)}", text)
        if match and any(int(number) <= self.before for number in match.groupdict().values()):
            return None  # what is said late about a job of another transcript
        rest = all(re.search(f"(?m)^\\s*{self._pattern(line)}", text) for line in step.more)
        return match if rest else None

    def _look(self):
        """Every state of every message of the bot that was seen so far."""
        for post in self.talk.answers(self.room, self.viewer):
            self.states[post.id, _MARKS.sub("", post.text)[self.read.get(post.id, 0) :]] = None
        return list(self.states)

    def _take(self, state, end):
        """This was understood; where nothing is edited, only up to there: what follows may be the next answer."""
        self.used.add(state)
        if not self.talk.surface.capabilities.edits:
            self.read[state[0]] = self.read.get(state[0], 0) + end
            self.states = {other: None for other in self.states if other[0] != state[0]}

    def _skip(self):
        """What was said before counts no more."""
        for state in self._look():
            self._take(state, len(state[1]))

    def _pattern(self, text):
        parts, known = re.split(r"\{(\w*)\}", self._filled(text)), set()
        for number, name in list(enumerate(parts))[1::2]:
            hole = f"(?P={name})" if name in known else f"(?P<{name}>\\d+)"
            parts[number] = hole if name else ".*?"
            known.add(name)
        parts[::2] = map(re.escape, parts[::2])
        return "".join(parts)

    def _filled(self, text):
        for name, number in self.numbers.items():
            text = text.replace(f"{{{name}}}", number)
        return text

    def _number(self, step):
        found = re.search(r"#(\d+)", self._filled(step.text))
        return found[1] if found else ""
