"""What is said of other bots and of what they answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from automation_bots import render
from automation_bots.model import Answer, Conclusion, File, Job, State, Status, one_line
from automation_bots.peers.messages import Reply, Step

LINES = 20  # that are shown of each of several bots
_STATES = {
    State.DONE.value: Status.OK,
    "answered": Status.OK,
    State.CANCELLED.value: Status.CANCELLED,
    State.WITHDRAWN.value: Status.CANCELLED,
    State.INTERRUPTED.value: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What came of asking one bot, in the end or as far as it is known."""

    bot: str
    status: Status
    text: str
    block: str = ""
    hint: str = ""
    files: tuple[File, ...] = ()
    seconds: float = 0.0
    answered: bool = False  # else that is why there is no answer


def status_of(reply: Reply) -> Status:
    """What an end there is here."""
    return Status.FAILED if reply.step is Step.REFUSED else _STATES.get(reply.state, Status.FAILED)


def summary(reply: Reply) -> str:
    """One line on it."""
    return named(reply.sender, reply.answer.text)


def named(bot: str, text: str) -> str:
    """Say whose job it is: `winbot #207 …`; all else with the name before it."""
    first, _, rest = text.partition("\n")
    line = one_line(first, 500)
    if not line:
        return bot
    said = f"{bot} {line}" if line.startswith("#") else line if line.startswith(bot) else f"{bot}: {line}"
    return f"{said}\n{rest}" if rest else said


def said(reply: Reply, seconds: float) -> Said:
    """What a bot said in the end."""
    answer = reply.answer
    line, _, rest = named(reply.sender, answer.text).partition("\n")
    block = "\n".join(part for part in (rest, answer.block) if part)
    return Said(reply.sender, status_of(reply), line, block, answer.hint, answer.files, seconds, answered=True)


def late(job: Job, reply: Reply, clear: Callable[[str], str]) -> Answer:
    """What came after the job here had ended."""
    answer = reply.answer
    files = tuple(file if file.text is None else File.of_text(file.name, clear(file.text)) for file in answer.files)
    whole = replace(answer, text=f"#{job.number}: {named(reply.sender, answer.text)}", files=files)
    return replace(whole, text=clear(whole.text), block=clear(whole.block), hint=clear(whole.hint))


def conclusion(found: Sequence[Said], *, several: bool) -> Conclusion:
    """What stands in the recap of the job that asked."""
    if not several:
        one = found[0]  # what went wrong stands in a line of its own
        return Conclusion("" if one.status in render.NEED_A_PERSON else one.text, _parts(one), one.files)
    away, answered = [one for one in found if not one.answered], [one for one in found if one.answered]
    text = f"{render.many(len(answered), 'bot')} answered"
    text += f", {len(away)} did not: {', '.join(sorted(one.bot for one in away))}" if away else ""
    cut = [_short(one) for one in (*sorted(answered, key=lambda one: one.seconds), *away)]
    files = tuple(replace(file, name=f"{one.bot}-{file.name}") for one in found for file in one.files)
    whole = tuple(File.of_text(f"{one.bot}.txt", one.block) for one in found if one.block.count("\n") >= LINES)
    return Conclusion(text, "\n\n".join(cut), (*files, *whole))


def _parts(one: Said) -> str:
    return "\n".join(part for part in (one.block, one.hint) if part)


def _short(one: Said) -> str:
    lines = one.block.splitlines()
    shown = lines[:LINES]
    if len(lines) > LINES:
        shown.append(f"… and {len(lines) - LINES} more lines, in {one.bot}.txt")
    took = f" · {render.duration(one.seconds)}" if one.seconds else ""
    return "\n".join([f"── {one.text}{took}", *shown, *([one.hint] if one.hint else [])])


def line(found: Sequence[Said]) -> str:
    """All of it in a line: what one said, or whose answer is not as it should be."""
    bad = [one.bot for one in found if one.status is not Status.OK]
    if len(found) == 1:
        return found[0].text
    return f"{', '.join(bad)} did not answer as it should be" if bad else f"{render.many(len(found), 'bot')} answered"


def worst(found: Sequence[Said]) -> Status:
    """What all of it is together."""
    order = (Status.FAILED, Status.UNREACHABLE, Status.UNKNOWN, Status.CANCELLED)
    return next((status for status in order if any(one.status is status for one in found)), Status.OK)
