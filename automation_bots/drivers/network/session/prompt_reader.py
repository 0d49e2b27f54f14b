"""Read a device's command line on asyncssh: prompt, enable, paging and errors of the common platforms. Reads only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import asyncssh

from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session import connection as ssh
from automation_bots.drivers.network.session.typed_line import Steps, T, TypedLine, affirmed, asked
from automation_bots.drivers.output import mark, size

_KEPT_AT_END = 4096
_STILL_SECONDS = 3.0  # in which a command line that was left open has to answer
_PROMPT = re.compile(r"(?:^|[\r\n])([\w.@()/:~\[\]-]{1,80}?)([>#%$])\s?$")
# Names with blanks and signs, a time in front: so much is a prompt only when nothing follows for a while.
_ODD_PROMPT = re.compile(r"(?:^|[\r\n])([^\r\n]{1,120}?)([>#%$])\s?$")
_STILL = 0.4  # seconds of silence after which what looks like a prompt is one
_ECHO_SHOWN = 12  # characters of a command that a narrow screen shows, however it scrolls
_NAME_SHOWN = 16  # characters of a long name that every platform shows in its prompt, in any mode
_NARROW = 75  # columns: what is longer with its prompt breaks or scrolls on a screen that has 80
_SAVE_SECONDS = 120  # that a device may be silent while it saves
_OWN_PATIENCE = 0.5  # of the time for a prompt; netmiko, which knows more devices, has the rest
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[=>78]|\][^\x07]*\x07)")
_BACK = re.compile(r"[^\x08\r\n]\x08")
_AT_BEGIN = re.compile(r"(^|[\r\n])\x08+")
_MORE = re.compile(r"[ \t]*(?:<-+ ?|-+ ?\(?)more(?: [\d%, /lines]*)?\)?(?: ?-+>?)?[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one platform is made to print without pages and on a wide screen, and whether it has an enable mode."""

    paging: str
    width: str = ""  # empty: it has no word for it, or nobody knows it
    enable: bool = True
    config: str = "show running-config"
    save: str = "write memory"


_CISCO = ("terminal length 0", "terminal width 511")
DIALECTS = {
    "cisco_ios": Dialect(*_CISCO),
    "cisco_xe": Dialect(*_CISCO),
    "cisco_nxos": Dialect(*_CISCO, enable=False, save="copy running-config startup-config"),
    "cisco_xr": Dialect(*_CISCO, enable=False),
    "arista_eos": Dialect(*_CISCO),
    "juniper_junos": Dialect(
        "set cli screen-length 0",
        "set cli screen-width 511",
        enable=False,
        config="show configuration | display set",
    ),
    "frr": Dialect("terminal length 0", enable=False),
    "vyos": Dialect(
        "set terminal length 0",
        "set terminal width 512",
        enable=False,
        config="show configuration commands",
    ),
}


class _Screen(asyncssh.SSHClientSession[bytes]):
    """What the device has printed since the last question."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.more = asyncio.Event()
        self.closed = False
        self._heard = asyncio.get_running_loop().time()

    @property
    def silent_seconds(self) -> float:
        """Seconds since the device printed something, or was asked."""
        return asyncio.get_running_loop().time() - self._heard

    @property
    def is_still(self) -> bool:
        """Whether it has been silent for a while."""
        return self.silent_seconds >= _STILL * 0.9

    def ask(self) -> None:
        """Begin anew, for the next question."""
        self.text.clear()
        self._heard = asyncio.get_running_loop().time()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 - asyncssh's signature
        self.text += data
        self._heard = asyncio.get_running_loop().time()
        self.more.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
        self.closed = True
        self.more.set()


class NoPrompt(Problem):
    """Nothing that looks like a prompt came after the login; another way to read may know the device."""


class Reader:
    """One open command line; `ask` returns what one command printed."""

    def __init__(self, work: DeviceRequest, connection: asyncssh.SSHClientConnection, limit: int) -> None:
        self._work = work
        self._connection = connection
        self._dialect = DIALECTS[work.platform]
        self._limit = limit
        self._prompt = re.compile("")
        self._shown = ""  # the prompt as it stood there the last time
        self._screen = _Screen()
        self._used = 0.0
        self._opened = False
        self._wide = False
        self._most_silent = 0.0  # seconds; 0: as the inventory says

    async def open(self) -> None:
        """Get to a prompt that may look at everything."""
        self._channel = await ssh.shell(self._connection, lambda: self._screen)
        await self._until(self._at_prompt, "after the login")
        may_enable = self._dialect.enable and (self._work.login.enable or self._work.login.become)
        if may_enable and self._line().rstrip().endswith(">"):
            await self._enable()
        await self.ask(self._dialect.paging)
        self._opened = True
        self._remember_prompt()  # a banner may hold a line that looks like one; what stands after an answer is one

    async def again(self, work: DeviceRequest, limit: int) -> bool:
        """Whether a command line that was left open still answers; its name may be another by now."""
        self._work, self._limit, self._prompt = work, limit, re.compile("")
        if self._screen.closed:
            return False
        self._screen.ask()
        self._channel.write(b"\n")
        try:
            await asyncio.wait_for(self._until(self._at_prompt, "when it was used again"), _STILL_SECONDS)
        except (Problem, TimeoutError, OSError):
            return False
        self._remember_prompt()
        return True

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last answer."""
        return asyncio.get_running_loop().time() - self._used

    @property
    def hint(self) -> str:
        """Why it may refuse what others may ask."""
        return NOT_ENABLED if self._dialect.enable and self._line().rstrip().endswith(">") else ""

    def _remember_prompt(self) -> None:
        found = _PROMPT.search(self._line()) or _ODD_PROMPT.search(self._line())
        self._shown = found[0].strip("\r\n") if found else ""
        host = found[1].strip().partition("(")[0][:_NAME_SHOWN] if found else ""
        # A clock in the prompt runs, so any digits will do.
        self._prompt = re.compile(re.sub(r"\d+", r"\\d+", re.escape(host)))

    async def ask(self, command: str) -> str:
        """Send one line and return its answer without echo and prompt."""
        if len(self._line()) + len(command) >= _NARROW:
            await self.widen()
        self._type(command)
        text = await self._until(lambda line: self._answered(line, command), f"after {command!r}")
        self._check_size()
        self._used = asyncio.get_running_loop().time()
        return judge.without_echo(self._without_prompt(text), command).strip("\n")

    def _without_prompt(self, text: str) -> str:
        """Leave out the last line; but for what stands before the prompt, where the answer does not end its line."""
        text, _, last = text.rpartition("\n")
        end, last = self._shown.rstrip(), last.rstrip()
        if not end or not last.endswith(end):
            return text
        while last.endswith(end):
            last = last.removesuffix(end)
        return f"{text}\n{last}" if last else text

    async def widen(self) -> None:
        """Have it take long lines as they are: a narrow screen breaks or scrolls them."""
        if self._dialect.width and not self._wide:
            self._wide = True
            await self.ask(self._dialect.width)

    async def run(self, steps: Steps[T]) -> T:
        """Type what comes out, and give back what the device prints."""
        await self.widen()
        try:
            line = next(steps)
            while True:
                line = steps.send(await self._answer(line))
        except StopIteration as end:
            return cast("T", end.value)

    async def save(self) -> None:
        """Save for the next start."""
        text = await self._answer(TypedLine(self._dialect.save, seconds=_SAVE_SECONDS))
        while question := asked(text):
            text = await self._answer(affirmed(question))
        if said := judge.refusal(judge.without_echo(text, self._dialect.save), self._work.platform):
            raise Problem(f"the device does not save its configuration: {said}")

    async def _answer(self, line: TypedLine) -> str:
        """Type a line; return all that is printed up to the next prompt or question."""
        self._type(line.text)
        self._most_silent = line.seconds
        if line.moves:
            self._prompt = re.compile("")
        text = await self._until(lambda at: self._taken(at, line.echo), f"after {line.text!r}")
        self._most_silent = 0.0
        if line.moves:
            self._remember_prompt()
        return text

    def _taken(self, at: str, echo: str) -> bool:
        if not (self._at_prompt(at) or asked(at)):
            return False
        return echo in "".join(self._seen().split()) or self._screen.is_still

    def _type(self, text: str) -> None:
        self._screen.ask()
        try:
            self._channel.write(text.encode() + b"\n")
        except OSError as error:
            raise Problem("the device closed the session") from error

    def asks_for(self, work: DeviceRequest) -> str:
        """Return the command that reads what is wanted."""
        return self._dialect.config if work.kind == "running" else str(work.values["command"])

    async def _enable(self) -> None:
        self._type("enable")
        await self._until(lambda line: "assword" in line or self._at_prompt(line), "after enable")
        if not self._at_prompt(self._line()):
            self._type(self._work.login.enable)
            await self._until(lambda line: "assword" in line or self._at_prompt(line), "after the enable password")
        if not self._line().rstrip().endswith("#"):
            raise Problem("the enable password is refused; see ansible_become_password in the inventory")

    def _answered(self, line: str, command: str) -> bool:
        """A prompt counts only behind the echo of the command, or in silence: the one before it may come late."""
        echoed = command[:_ECHO_SHOWN].encode() in self._screen.text
        return self._at_prompt(line) and (echoed or self._screen.is_still)

    def _at_prompt(self, line: str) -> bool:
        found = _PROMPT.search(line) or (_ODD_PROMPT.search(line) if self._knows or self._screen.is_still else None)
        if found is not None and self._prompt.match(found[1].lstrip()):
            return True
        # An answer whose last line has no end.
        return bool(self._shown) and self._screen.is_still and line.rstrip().endswith(self._shown.rstrip())

    @property
    def _knows(self) -> bool:
        return bool(self._prompt.pattern)

    def _drop_log(self) -> None:
        """Take away the lines of a log that came behind the prompt: no other prompt follows them."""
        lines = _clean(self._seen()).rstrip("\n").split("\n")
        while len(lines) > 1 and judge.is_log(lines[-1].strip()):
            del lines[-1]
        if self._at_prompt(lines[-1]):
            self._screen.text[:] = "\n".join(lines).encode()

    async def _until(self, reached: Callable[[str], bool], when: str) -> str:
        while True:
            line = self._line()
            if reached(line):
                return _clean(self._seen())
            if _MORE.search(line):
                self._drop_more()
                self._channel.write(b" ")
            if self._screen.closed:
                raise Problem(f"the device closed the session {when}")
            if self._screen.is_still:
                self._drop_log()
                if reached(self._line()):
                    continue
            if not await self._goes_on(_STILL) and self._screen.silent_seconds > self._patience:
                last = self._line().strip()[-80:] or "nothing"
                said = f"the prompt did not come back within {self._patience:g} s {when}; the device shows: {last}"
                raise NoPrompt(said) if not self._opened else Problem(said)

    @property
    def _patience(self) -> float:
        """Seconds of silence; at the login half of them, since netmiko may know what this is."""
        return self._most_silent or self._work.read_seconds * (1 if self._opened else _OWN_PATIENCE)

    def _drop_more(self) -> None:
        text = self._screen.text
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        del text[end:]

    async def _goes_on(self, seconds: float) -> bool:
        """Wait for more; what is over the limit is dropped from the middle, since the prompt stands at the end."""
        screen = self._screen
        self._check_size()
        if len(screen.text) > 2 * self._limit:
            begins = len(screen.text) - _KEPT_AT_END
            whole = screen.text.find(b"\n", begins) + 1 or begins  # no half of a line, perhaps of a secret
            screen.text[self._limit + 1 : whole] = f"\n{mark(self._limit)}\n".encode()
        screen.more.clear()
        try:
            await asyncio.wait_for(screen.more.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _check_size(self) -> None:
        """A part of a configuration is none."""
        if self._work.kind != "show" and len(self._screen.text) > self._limit:
            raise Problem(
                f"its configuration is longer than {size(self._limit)}: see config_limit of [drivers.network]"
            )

    def _seen(self) -> str:
        return self._screen.text.decode("utf-8", "replace")

    def _line(self) -> str:
        """What stands in the last line, where the cursor is."""
        tail = _erased(_ANSI.sub("", self._screen.text[-400:].decode("utf-8", "replace")))
        return tail[tail.rfind("\n") + 1 :]


NOT_ENABLED = " (the command line is not in the enable mode: see ansible_become_password in the inventory)"


def config_of(text: str, platform: str, hint: str = "") -> str:
    """Return what a device showed as its configuration; a Problem when it refused."""
    if error := judge.refusal(text, platform):
        raise Problem(f"the device does not show its configuration: {error}{hint}")
    if not judge.is_whole(text, platform):
        raise Problem("the configuration that it shows has no end; a part of one is not kept")
    return judge.without_stamp(text, platform)


def _clean(text: str) -> str:
    lines = _erased(_ANSI.sub("", text)).replace("\r\r\n", "\n").replace("\r\n", "\n").split("\n")
    return "\n".join(line.rpartition("\r")[2] if not line.endswith("\r") else line.rstrip("\r") for line in lines)


def _erased(text: str) -> str:
    """Take back what the device erased by backspaces; at the beginning of a line there is nothing to erase."""
    while "\b" in text:
        text = _AT_BEGIN.sub(r"\1", _BACK.sub("", text))
    return text
