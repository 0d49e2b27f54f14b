"""Which of the two lanes a device's share takes: our own reader on asyncssh, or netmiko in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from automation_bots.drivers.network.messages import DeviceReply, DeviceRequest, Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session import prompt_reader
from automation_bots.drivers.network.session.open_sessions import OpenSessions
from automation_bots.drivers.network.show import tables
from automation_bots.errors import in_words
from automation_bots.text import filters

_CHANGES = {"config", "restore"}


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """Runs one device's share; whatever goes wrong with it is its outcome."""

    limits: tuple[int, int]  # characters of an answer, and of a whole configuration, of which a part would be none
    stopping: threading.Event
    parallel: asyncio.Semaphore
    threads: ThreadPoolExecutor  # of libraries that poll; more of them make each slower
    waiting: ThreadPoolExecutor  # of those that only wait for this loop
    kept: OpenSessions
    keep: Callable[[str, str], bool]  # a device, and what a change is about to replace there

    async def run(self, work: DeviceRequest) -> DeviceReply:
        """Return what came of it."""
        async with self.parallel:
            if self.stopping.is_set():
                return DeviceReply("cancelled", "not started")
            try:
                if work.kind in {"show", "running"} and work.platform in prompt_reader.DIALECTS:
                    with contextlib.suppress(prompt_reader.NoPrompt):
                        return await self._read(work)
                await self.kept.drop(work.device)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._executor(work), self._slow, work, loop)
            except Problem as problem:
                return DeviceReply(problem.status, str(problem))
            except Exception as error:  # noqa: BLE001 - the boundary of the libraries: everything becomes a sentence
                status = "unknown" if work.kind in _CHANGES and not work.values["check"] else "failed"
                return DeviceReply(status, f"{type(error).__name__}: {in_words(error)}")

    async def _read(self, work: DeviceRequest) -> DeviceReply:
        line = await self.kept.take(work, self.limits[work.kind == "running"])
        try:
            text = await line.reader.ask(line.reader.asks_for(work))
            hint = line.reader.hint
        except BaseException:
            await self.kept.spoil(line)
            raise
        self.kept.give(line)
        if work.kind == "running":
            return DeviceReply(kept={"running": prompt_reader.config_of(text, work.platform, hint)})
        found = answer(work, text)
        return replace(found, summary=found.summary + hint) if found.status == "failed" and hint else found

    def _slow(self, work: DeviceRequest, loop: asyncio.AbstractEventLoop) -> DeviceReply:
        from automation_bots.drivers.network.session.cli import Cli

        cli = Cli(work, loop, partial(self._keep, work.device), self.limits[1])
        return _SLOW[work.kind](cli, self.stopping)

    def _executor(self, work: DeviceRequest) -> ThreadPoolExecutor:
        from automation_bots.drivers.network.config import platforms

        return self.waiting if work.kind in _CHANGES and platforms.only_waits(work) else self.threads

    def _keep(self, device: str, before: str) -> None:
        """Nothing is sent to a device before the way back is written down, so that it outlives the bot."""
        if not self.keep(device, before):
            raise Problem("what it would replace could not be written down, so nothing was sent; see the bot's log")


def answer(work: DeviceRequest, text: str) -> DeviceReply:
    """Judge what a command printed, and make a table of it where that is possible."""
    if error := judge.refusal(text, work.platform):
        return DeviceReply("failed", error, text)
    text = judge.without_stamp(text, work.platform)
    if chosen := work.values.get("filters"):
        return DeviceReply("ok", "", filters.applied(text, chosen))
    command = work.values["command"]
    if work.values.get("as_table") and not tables.can_be(work.platform, command):
        return DeviceReply("failed", "no table is known of this answer, so there are no columns and no CSV file", text)
    table = tables.parsed(work.platform, command, text)
    if table and work.values.get("facts"):
        table = tables.facts(work.platform, table)
    header, rows = table or ((), ())
    return DeviceReply("ok", "", text, header, rows)


def _show(cli: Any, _stopping: threading.Event) -> DeviceReply:
    from automation_bots.drivers.network.session.netmiko_cli import said

    with cli.opened() as connection, said():
        return answer(cli.work, str(connection.send_command(cli.work.values["command"])))


def _getter(cli: Any, _stopping: threading.Event) -> DeviceReply:
    from automation_bots.drivers.network.show import getters

    name = cli.work.values["getter"]
    return DeviceReply(
        "ok", header=getters.HEADERS[name], rows=getters.rows(cli, name, cli.work.values.get("target", ""))
    )


def _config(cli: Any, stopping: threading.Event) -> DeviceReply:
    from automation_bots.drivers.network.config.change import Change

    return Change(cli, stopping).run()


def _restore(cli: Any, _stopping: threading.Event) -> DeviceReply:
    from automation_bots.drivers.network.config.change import restore

    return restore(cli)


def _running(cli: Any, _stopping: threading.Event) -> DeviceReply:
    from automation_bots.drivers.network.config.platforms import running_config

    with cli.opened() as connection:
        return DeviceReply(kept={"running": running_config(cli.work, connection)})


_SLOW: dict[str, Callable[[Any, threading.Event], DeviceReply]] = {
    "show": _show,
    "send": _show,
    "getter": _getter,
    "config": _config,
    "restore": _restore,
    "running": _running,
}
