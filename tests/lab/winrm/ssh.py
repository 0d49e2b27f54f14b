"""OpenSSH for Windows as the driver meets it: an SSH server whose commands end at the stand-in for PowerShell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh

_PWSH = Path(__file__).with_name("pwsh.py")
USER, PASSWORD = "bot", "geheim"


class _Login(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


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
    process.exit(await child.wait())


@contextlib.contextmanager
def windows(folder: Path) -> Iterator[dict[str, Any]]:
    """Give the inventory variables of the device; its host key is in `folder/known_hosts`."""
    loop, ready, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    key, found = asyncssh.generate_private_key("ssh-ed25519"), {}

    async def serve() -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_Login,
            server_host_keys=[key],
            process_factory=lambda process: _run(process, folder),
            encoding=None,
        )
        found["port"] = server.get_port()
        ready.set()
        await ended.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the SSH server did not start")
    public = key.export_public_key().decode()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{found['port']} {public}")
    try:
        yield {"ansible_connection": "ssh", "ansible_shell_type": "powershell", "ansible_host": "127.0.0.1",
               "ansible_port": found["port"], "ansible_user": USER}  # fmt: skip
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
