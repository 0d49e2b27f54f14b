"""OpenSSH for Windows as the driver meets it: an SSH server whose commands end at the stand-in for PowerShell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh

_PWSH = Path(__file__).with_name("pwsh.py")
USER, PASSWORD = "bot", "geheim"


class _Login(asyncssh.SSHServer):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        known = (username, password) == (USER, PASSWORD)
        with (self._folder / "logins").open("a") as log:
            log.write("in\n" if known else "refused\n")
        return known


async def _run(process: asyncssh.SSHServerProcess[bytes], folder: Path) -> None:
    argv = [sys.executable, str(_PWSH), *(process.command or "").split()]
    child = await asyncio.create_subprocess_exec(
        *argv,
        env={**os.environ, "LAB_WINDOWS": str(folder)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    ended, gone = asyncio.ensure_future(child.wait()), asyncio.ensure_future(process.wait_closed())
    await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        child.kill()  # what OpenSSH does to a session whose connection is gone
    process.exit(await ended)


async def _serve(folder: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Login(folder),
        server_host_keys=[key],
        process_factory=lambda process: _run(process, folder),
        encoding=None,
    )
    port = server.get_port()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    print(port, flush=True)  # noqa: T201 - what the parent waits for
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


def logins_in(folder: Path) -> int:
    """How often somebody logged in."""
    return (folder / "logins").read_text().split().count("in")


@contextlib.contextmanager
def windows(folder: Path) -> Iterator[dict[str, Any]]:
    """Give the inventory variables of the device, a process of its own; its host key is in `folder/known_hosts`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-m", "tests.fakes.winrm.ssh", str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, env=environment, **pipes) as process:
        port = process.stdout.readline()
        if not port:
            raise RuntimeError("the SSH server did not start")
        yield {"ansible_connection": "ssh", "ansible_shell_type": "powershell", "ansible_host": "127.0.0.1",
               "ansible_port": int(port), "ansible_user": USER}  # fmt: skip
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
