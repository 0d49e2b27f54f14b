"""Puts the packages that a repository needs into a folder of its own; the bot's own packages are never touched."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import run
from automation_bots.processes.own import inherited
from automation_bots.repos import requirements as needed

_KEPT = "LANG|LC_ALL|HOME|PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE"
_AUTHORITIES = frozenset({"PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"})  # which outdo --cert


@dataclass(frozen=True, slots=True)
class Packages:
    """Where packages come from. Only wheels are taken: building anything else would run its code."""

    index: str = ""
    wheels: Path | None = None
    seconds: float = 120
    ca: Path | None = None

    def install(
        self, wanted: Sequence[str], folder: Path, scratch: Path, beside: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Install what the bot lacks; packages of other repositories, `beside` it in one process, set versions too."""
        if not wanted:
            return ()
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._resolve(wanted, scratch, beside)
        if found:
            (scratch / "exact.txt").write_text("".join(f"{name}\n" for name in found))
            self._pip(scratch, "--no-deps", "--no-compile", f"--target={folder}", f"-r{scratch / 'exact.txt'}")
        return found

    def _resolve(self, wanted: Sequence[str], scratch: Path, beside: Sequence[str]) -> tuple[str, ...]:
        """Let pip find out what is missing beside the bot's own packages, whose versions are given."""
        (scratch / "wanted.txt").write_text("".join(f"{line}\n" for line in wanted))
        constraints = "".join(f"{name}=={version}\n" for name, version in needed.own().items() if _plain(version))
        constraints += "".join(f"{line}\n" for line in dict.fromkeys(beside))
        (scratch / "constraints.txt").write_text(constraints)
        report = scratch / "report.json"
        files = (f"-r{scratch / 'wanted.txt'}", f"-c{scratch / 'constraints.txt'}")
        self._pip(scratch, "--dry-run", f"--report={report}", *files)
        listed: list[dict[str, Any]] = json.loads(report.read_text())["install"]
        names = [(str(one["metadata"]["name"]), str(one["metadata"]["version"])) for one in listed]
        if replaced := sorted(name for name, _ in names if canonicalize_name(name) in needed.own()):
            raise BadRepository(f"It would replace packages of the bot: {', '.join(replaced)}.")
        return tuple(sorted(f"{canonicalize_name(name)}=={Version(version)}" for name, version in names))

    def _pip(self, scratch: Path, *words: str) -> None:
        options = ["--no-input", "--disable-pip-version-check", "--no-cache-dir", "-q"]
        where = [f"--find-links={self.wheels}", "--no-index"] if self.wheels else []
        where += [f"--index-url={self.index}"] if self.index and not self.wheels else []
        where += [f"--cert={self.ca}"] if self.ca else []
        command = [sys.executable, "-I", "-m", "pip", "install", "--only-binary=:all:", *options, *where, *words]
        left_out = _AUTHORITIES if self.ca else frozenset()
        environment = {name: value for name, value in inherited(_KEPT).items() if name not in left_out}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(scratch)}
        try:
            ended = run(
                Program(command=command, environment=environment, folder=scratch), seconds=self.seconds, joined=True
            )
        except TimeoutError as error:
            raise BadRepository(f"pip took more than {self.seconds:g} s and was ended.") from error
        if ended.code:
            raise BadRepository(f"Its packages cannot be installed: {_reason(ended.out.decode(errors='replace'))}")


def _plain(version: str) -> bool:
    return bool(re.fullmatch(r"[0-9][0-9a-zA-Z.!+-]*", version))


def _reason(said: str) -> str:
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    text = re.sub(r"//[^/\s]*@", "//", " ".join(errors) or said)  # an index may carry a password in pip.conf
    return one_line(text, 400)
