"""The same command on as many devices with asyncssh alone: as little as a script can do and still check host keys."""

from __future__ import annotations

import asyncio
import gc
import sys
import time

import asyncssh

from automation_bots.drivers.ssh import algorithms as ssh_algorithms

COMMAND = "show version"


async def main(port: int, known_hosts: str, key: str, count: int, parallel: int) -> None:
    known, room = asyncssh.read_known_hosts(known_hosts), asyncio.Semaphore(parallel)
    keys = asyncssh.load_keypairs(key)
    algorithms = ssh_algorithms.chosen(legacy=False, wishes={})
    connections = []

    async def first() -> str:
        async with room:
            connection = await asyncssh.connect(
                "127.0.0.1", port, config=None, known_hosts=known, client_keys=keys, agent_path=None,
                username="bench", **algorithms,
            )  # fmt: skip
            connections.append(connection)
            return (await connection.run(COMMAND, check=True)).stdout

    async def again(connection: asyncssh.SSHClientConnection) -> str:
        async with room:
            return (await connection.run(COMMAND, check=True)).stdout

    began = time.perf_counter()
    answers = await asyncio.gather(*(first() for _ in range(count)))
    once = time.perf_counter()
    answers += await asyncio.gather(*map(again, connections))
    twice = time.perf_counter()
    singles = []
    for _ in range(20):
        at = time.perf_counter()
        await again(connections[0])
        singles.append(time.perf_counter() - at)
    assert len(answers) == 2 * count
    assert len(set(answers)) == 1
    print(once - began, twice - once, sorted(singles)[10])


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 50)  # as the bot's own process has it
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
