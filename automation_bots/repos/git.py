"""Fetches with git and writes files itself: nothing is checked out, so no hook, filter or submodule ever runs."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from automation_bots.config.repos import RepoSettings
from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import TooMuchPrinted, run
from automation_bots.processes.own import inherited
from automation_bots.repos import address as sources
from automation_bots.repos.values import Commit, Source

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.bigFileThreshold": "1m",  # so that a huge file is looked at in pieces
    "credential.helper": "",
    "fetch.unpackLimit": "1",  # everything in one file, whose size is limited
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",  # an allowed host must not lead to another
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "20",
    "protocol.allow": "never",
    "submodule.recurse": "false",
    "transfer.bundleURI": "false",
    "transfer.fsckObjects": "true",
}
_SSH = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ClearAllForwardings=yes"
_KEPT = "LANG|SSH_AUTH_SOCK|https_proxy|HTTPS_PROXY|no_proxy|NO_PROXY|SSL_CERT_FILE"
_TREE_BYTES = 4_000_000
_SSH_FAILED = "fatal: Could not read from remote repository"
_KILLED_FOR_SIZE = -int(signal.SIGXFSZ)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a repository may cost."""

    megabytes: int = RepoSettings().megabytes
    seconds: float = RepoSettings().seconds
    files: int = 3000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a commit's tree."""

    mode: str
    kind: str
    id: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Git:
    """A bare repository of our own in `folder`, which takes what is fetched."""

    folder: Path
    limits: Limits = Limits()
    ca: Path | None = None  # whose certificates are believed, instead of those of this machine

    def fetch(self, source: Source) -> Commit:
        """Fetch the tag or commit that is wanted, else what the default branch has now."""
        self._run("init", "-q", "--bare", "--template=", "--", str(self.folder / "git"), inside=False)
        if sources.is_commit(source.ref):
            return self._fetch_commit(source)
        wanted = f"refs/tags/{source.ref}" if source.ref else "HEAD"
        try:
            self._fetch(source, f"+{wanted}:refs/wanted")
        except BadRepository as error:
            if source.ref and "remote ref" in str(error):
                raise BadRepository(self._no_tag(source)) from error
            raise
        return Commit(self._commit("refs/wanted"), source.ref)

    def _fetch_commit(self, source: Source) -> Commit:
        try:
            self._fetch(source, f"+{source.ref}:refs/wanted")
        except BadRepository:  # not every server gives a commit by its id
            self._fetch(source, "+refs/heads/*:refs/all/*", "+refs/tags/*:refs/tags/*", whole=True)
        try:
            return Commit(self._commit(source.ref))
        except BadRepository as error:
            raise BadRepository(f"{source.name} has no commit {source.ref[:12]} on a branch or tag.") from error

    def _fetch(self, source: Source, *specs: str, whole: bool = False) -> None:
        depth = () if whole else ("--depth=1",)
        options = ("fetch", "-q", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *depth)
        self._run(*options, "--", source.url, *specs, source=source)

    def _commit(self, name: str) -> str:
        return self._run("rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}").decode().strip()

    def tags(self, source: Source) -> list[str]:
        """The tags that the source offers, newest version first; names that nobody could type are left out."""
        listed = self._run("ls-remote", "-q", "--tags", "--refs", "--", source.url, source=source, inside=False)
        names = [line.partition(b"refs/tags/")[2].decode("utf-8", "replace") for line in listed.splitlines()]
        good = [name for name in names if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,99}", name)]
        return sorted(good, key=_version, reverse=True)

    def _no_tag(self, source: Source) -> str:
        tags = self.tags(source)
        there = f"there are {', '.join(tags[:8])}" if tags else "it has no tags; a whole commit id can be given"
        return f"{source.name} has no tag {one_line(source.ref, 60)!r}; {there}."

    # -- what is in it

    def tree(self, commit: str) -> list[Entry]:
        """List every entry of a commit, without checking anything out."""
        listed = self._run("ls-tree", "-r", "-z", "-l", "--full-tree", commit, limit=_TREE_BYTES)
        entries = []
        for line in listed.split(b"\0")[:-1]:
            facts, _, path = line.partition(b"\t")
            mode, kind, id_, size = facts.decode().split()
            try:
                name = path.decode("utf-8")
            except UnicodeDecodeError as error:
                raise BadRepository(f"A file's name is no text: {one_line(repr(path), 80)}.") from error
            entries.append(Entry(mode, kind, id_, int(size) if size.isdigit() else 0, name))
        return entries

    def contents(self, entries: Sequence[Entry]) -> list[bytes]:
        """Read the files' contents, in the same order."""
        asked = "".join(f"{entry.id}\n" for entry in entries).encode()
        total = sum(entry.size + 200 for entry in entries) + 1000
        data, found, at = self._run("cat-file", "--batch", typed=asked, limit=total), [], 0
        for entry in entries:
            end = data.index(b"\n", at)
            if data[at:end] != f"{entry.id} blob {entry.size}".encode():
                raise BadRepository(f"{one_line(entry.path, 80)} cannot be read from the repository.")
            found.append(data[end + 1 : end + 1 + entry.size])
            at = end + 2 + entry.size
        return found

    # -- running git

    def _run(
        self, *words: str, source: Source | None = None, inside: bool = True, typed: bytes = b"", limit: int = 0
    ) -> bytes:
        settings = {**_SETTINGS, **{f"protocol.{name}.allow": "always" for name in _protocols(source)}}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        where = [f"--git-dir={self.folder / 'git'}"] if inside else []
        most = limit or self.limits.megabytes * 1_000_000
        command = ["/bin/sh", "-c", f'ulimit -f {most // 512 + 2}; exec "$@"', "sh", "git", *options, *where, *words]
        program = Program(command=command, environment=self._environment(), folder=self.folder)
        try:
            ended = run(program, typed, seconds=self.limits.seconds, most=most + 1024)
        except TimeoutError as error:
            raise BadRepository(f"git took more than {self.limits.seconds:g} s and was ended.") from error
        except TooMuchPrinted as error:
            raise BadRepository(self._too_large()) from error
        if ended.code:
            raise BadRepository(self._reason(ended.code, ended.err[:4000].decode(errors="replace"), source))
        return ended.out

    def _reason(self, code: int, said: str, source: Source | None) -> str:
        killed = code in {_KILLED_FOR_SIZE, 128 - _KILLED_FOR_SIZE} or "signal 25" in said or "File too large" in said
        if killed or self._filled():
            return self._too_large()
        lines = _telling(said.splitlines())
        what = f"{source.url} cannot be fetched" if source else "The repository cannot be read"
        return f"{one_line(what, 200)}: {one_line(' '.join(lines), 300) or f'git ended with {code}'}"

    def _too_large(self) -> str:
        return f"That is larger than {self.limits.megabytes} MB; see [repos] megabytes in bot.toml."

    def _filled(self) -> bool:
        """Whether a part of git was ended for its size, which the whole does not say."""
        packs = (self.folder / "git" / "objects" / "pack").glob("tmp_pack_*")
        return any(path.stat().st_size >= self.limits.megabytes * 1_000_000 for path in packs)

    def _environment(self) -> dict[str, str]:
        kept = inherited(_KEPT)
        # the last of them is not read by every build of git's TLS
        if authorities := str(self.ca or "") or kept.get("SSL_CERT_FILE"):
            kept["GIT_SSL_CAINFO"] = authorities
        return {
            **kept,
            "TMPDIR": str(self.folder),  # by which what a killed bot left running is found
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "SSH_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": _SSH,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }


def _telling(lines: Sequence[str]) -> Sequence[str]:
    """The lines of git's that say why; where git only says that ssh failed, ssh has said why before."""
    end = next((place for place, line in enumerate(lines) if line.startswith(_SSH_FAILED)), 0)
    return lines[:end] or [line for line in lines if line.startswith(("fatal:", "error:"))] or lines


def _protocols(source: Source | None) -> tuple[str, ...]:
    if source is None:
        return ()
    scheme, mark, _ = source.url.partition("://")
    return (scheme if mark else "ssh",)


def _version(tag: str) -> tuple[bool, Version, str]:
    """Order tags: those that are versions by their version, all others behind them."""
    try:
        return True, Version(tag.rpartition("/")[2]), tag
    except InvalidVersion:
        return False, Version("0"), tag
