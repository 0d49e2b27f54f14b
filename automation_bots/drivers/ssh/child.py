"""The SSH process: one asyncio loop for all jobs of a bot. It ends when the bot hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import getpass
import os
import resource
import socket
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncssh

from automation_bots.drivers.ssh import exec as ssh_exec
from automation_bots.drivers.ssh import frames as ssh_frames
from automation_bots.drivers.ssh.access import Access, LoginFailed
from automation_bots.drivers.ssh.host_key_check import Trust
from automation_bots.drivers.ssh.keys import Keys
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.drivers.ssh.pool import Link, Pool, Terms
from automation_bots.errors import in_words

_RETRIES = 4  # of opening a session before anything was begun
_SLOT_SECONDS = 0.1
_THREADS = 64


class Job:
    """One job's share: how many devices at once, and on what terms."""

    def __init__(self, number: int, settings: Mapping[str, Any], shared: Shared) -> None:
        self.number = number
        self.tells_begin = bool(settings["tells_begin"])
        self.room = asyncio.Semaphore(settings["parallel"])
        self.tasks: set[asyncio.Task[None]] = set()
        self.terms = Terms(
            trust=shared.trust(settings["known_hosts"]),
            keys=shared.keys(tuple(settings["key_files"]), allow_agent=settings["agent"]),
            connect_seconds=settings["connect_seconds"],
            keep_seconds=settings["keep_seconds"],
            keep=settings["keep"],
        )


class Shared:
    """What all jobs share: files that were read, the agent, the connections."""

    def __init__(self) -> None:
        self.pool = Pool()
        self._trust: dict[str, Trust] = {}
        self._keys: dict[tuple[tuple[str, ...], bool], Keys] = {}

    def trust(self, path: str) -> Trust:
        """Return the host keys of one file."""
        return self._trust.setdefault(path, Trust(KnownHosts(Path(path))))

    def keys(self, files: tuple[str, ...], *, allow_agent: bool) -> Keys:
        """Return the bot's own keys."""
        made = Keys([Path(file) for file in files], allow_agent=allow_agent)
        return self._keys.setdefault((files, allow_agent), made)


class Server:
    """Takes orders of the bot, and tells it what came of them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._shared = Shared()
        self._jobs: dict[int, Job] = {}
        self._unsaid: list[bytes] = []

    async def serve(self) -> None:
        """Work until the bot has gone."""
        while (frame := await ssh_frames.aread(self._reader)) is not None:
            self._take(frame.head)
        self._shared.pool.close()

    def _take(self, head: dict[str, Any]) -> None:
        number = head["job"]
        if head["do"] == "begin":
            self._jobs[number] = Job(number, head["settings"], self._shared)
        elif head["do"] == "run":
            job = self._jobs[number]
            for order in head["orders"]:
                task = asyncio.ensure_future(self._one(job, order))
                job.tasks.add(task)
                task.add_done_callback(job.tasks.discard)
        elif head["do"] == "stop":
            # One turn later: a task that is cancelled before its first step ends without a word.
            for task in list(self._jobs[number].tasks):
                asyncio.get_running_loop().call_soon(task.cancel)
        elif head["do"] == "end":
            self._jobs.pop(number, None)

    async def _one(self, job: Job, order: dict[str, Any]) -> None:
        head: dict[str, Any] = {"job": job.number, "device": order["device"]}
        body = b""
        began = asyncio.get_running_loop().time()
        try:
            async with job.room:
                began = asyncio.get_running_loop().time()
                session = await self._ran(job, order)
                out, err = session.out, session.err
                head["ran"] = session.ran.head()
                head["out"] = [len(out.head), out.spilled, out.total]
                head["err"] = [len(err.head), err.spilled, err.total]
                head["tail"] = err.tail.decode("utf-8", "replace")
                body = bytes(out.head + err.head)
        except LoginFailed as error:
            head["problem"], head["status"] = str(error), error.status.value
        except asyncio.CancelledError:
            head["stopped"] = True
        except Exception as error:  # noqa: BLE001 - one device's surprise is that device's outcome
            head["problem"], head["status"] = (
                f"an error inside the bot: {type(error).__name__}: {in_words(error)}",
                "failed",
            )
        head["seconds"] = asyncio.get_running_loop().time() - began
        await self._say(head, body)

    async def _ran(self, job: Job, order: dict[str, Any]) -> ssh_exec.Session:
        access, work = Access.of_plain(order["access"]), ssh_exec.SshRequest(**order["work"])
        link, session = await self._begun(job, access, work)
        try:
            if job.tells_begin:
                await self._say({"job": job.number, "device": order["device"], "begun": True})
            await session.over.wait()
        except asyncio.CancelledError:
            session.stop()
        finally:
            session.close()
            ran = session.ran
            self._shared.pool.give(link, job.terms, good=ran.connected and ran.accepted and not ran.stopped)
        return session

    async def _begun(self, job: Job, access: Access, work: ssh_exec.SshRequest) -> tuple[Link, ssh_exec.Session]:
        """Give the line to the device, on another connection where one that was kept turns out to be dead."""
        pool, terms = self._shared.pool, job.terms
        for left in range(_RETRIES, -1, -1):
            link = await pool.take(access, terms)
            session, was_fresh, others = ssh_exec.Session(work), link.fresh, False
            try:
                await ssh_exec.opened(link.conn, session, access.where, terms.connect_seconds)
            except ssh_exec.NoSlot:
                if others := link.used > 1:
                    pool.full(link)
                pool.give(link, terms, good=others)
                if not left or (was_fresh and not others):
                    raise
                await asyncio.sleep(_SLOT_SECONDS)
            except BaseException as error:  # the connection is given back in any case
                pool.give(link, terms, good=False)
                if not isinstance(error, LoginFailed) or was_fresh or not left:
                    raise
            else:
                return link, session
        raise AssertionError

    async def _say(self, head: dict[str, Any], body: bytes = b"") -> None:
        # What is said in the same moment goes in one piece: each piece wakes the bot.
        if not self._unsaid:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsaid.append(ssh_frames.packed(head, body))
        with contextlib.suppress(OSError):  # the bot has gone; `serve` sees it too
            await self._writer.drain()

    def _flush(self) -> None:
        self._writer.write(b"".join(self._unsaid))
        self._unsaid.clear()


async def _main() -> None:
    # Names are resolved in threads, and a slow DNS must not make five hundred devices wait in line.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    sock = socket.socket(fileno=os.dup(0))
    reader, writer = await asyncio.open_unix_connection(sock=sock, limit=1 << 20)
    await Server(reader, writer).serve()


def main() -> None:
    """Run until the bot has gone."""
    asyncssh.set_log_level("CRITICAL")  # a dropped connection is an outcome with a sentence, not a log line
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ.setdefault("LOGNAME", getpass.getuser())  # asyncssh asks for each connection, which reads a file
    gc.set_threshold(50_000, 20, 50)  # connections are many objects that live long
    asyncio.run(_main())
    sys.stdout.flush()
    os._exit(0)  # threads of the resolver must not hold the end up


if __name__ == "__main__":
    main()
