"""A real PostgreSQL server on a socket of its own; each user of it gets an empty schema."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, text


def programs() -> Path | None:
    """Where the server's programs are; None when there are none."""
    found = shutil.which("pg_ctl") or next(iter(sorted(Path("/").glob("usr/lib/postgresql/*/bin/pg_ctl"))), None)
    return Path(found).parent if found else None


class Postgres:
    """It refuses to run as root, so then another user runs it."""

    def __enter__(self) -> Self:
        self._programs = programs()
        if self._programs is None:
            raise FileNotFoundError("no PostgreSQL server programs (pg_ctl): apt install postgresql")
        self._place = tempfile.TemporaryDirectory(prefix="pg", dir="/tmp")
        self.folder, self._numbers = self._place.name, itertools.count(1)
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody")
        self._run("initdb", "-U", "bot", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self._url = f"postgresql+psycopg://bot@/postgres?host={self.folder}"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._place.cleanup()

    def start(self) -> None:
        options = f"-c fsync=off -c listen_addresses='' -k {self.folder}"  # programs are killed here, never the machine
        self._run("pg_ctl", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def stop(self) -> None:
        """As a crash: every session is cut, nothing is said good-bye to."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def fresh(self) -> str:
        """Return the URL of an empty schema."""
        name, engine = f"bot{next(self._numbers)}", create_engine(self._url)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        engine.dispose()
        return f"{self._url}&options=-csearch_path%3D{name}"

    def _run(self, program: str, *words: str) -> None:
        argv = [str(self._programs / program), "-D", f"{self.folder}/data", *words]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._user)
