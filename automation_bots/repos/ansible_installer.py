"""Fetches roles and collections by the rules of `!repos`; ansible-galaxy puts them into a folder of the bot's own."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from automation_bots.errors import BadRepository, in_words
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import run
from automation_bots.processes.own import inherited
from automation_bots.repos import checkout
from automation_bots.repos.ansible_requirements import GALAXY, Wanted
from automation_bots.repos.git import Git, Limits

_KEPT = "LANG|LC_ALL|.*_proxy|.*_PROXY|SSL_CERT_FILE|SSL_CERT_DIR"
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One that is wanted, as it was found: the commit of a repository, and the file or folder to install it from."""

    wanted: Wanted
    path: Path | None = None  # none: ansible-galaxy fetches it itself
    commit: str = ""
    name: str = ""  # as its content says


@dataclass(frozen=True, slots=True)
class AnsibleInstaller:
    """Everything is installed anew beside what is there, then counts at once; what fails changes nothing."""

    folder: Path  # the bot's own: `current` in it leads to what counts
    limits: Limits
    ca: Path | None = None
    galaxy: bool = False  # whether what collections need besides may come from Galaxy

    def staging(self) -> Path:
        """Make a folder for what is fetched."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="fetched-", dir=self.folder))

    def fetch(self, wanted: Sequence[Wanted], staged: Path) -> tuple[Fetched, ...]:
        """Fetch all that lies in repositories and on web servers; nothing of it runs."""
        return tuple(self._fetch(one, staged / str(number)) for number, one in enumerate(wanted))

    def _fetch(self, wanted: Wanted, place: Path) -> Fetched:
        place.mkdir()
        if wanted.is_file:
            return _looked_at(Fetched(wanted, Path(wanted.place)))
        if wanted.is_download:
            return _looked_at(Fetched(wanted, self._download(wanted.place, place / "content.tar.gz")))
        if wanted.source is None:
            return Fetched(wanted)
        git = Git(place, self.limits, self.ca)
        commit = git.fetch(wanted.source)
        checkout.write(git, commit.id, place / "code", text_only=False)
        shutil.rmtree(place / "git")
        code = (place / "code" / wanted.inside).resolve()
        if not code.is_relative_to((place / "code").resolve()) or not code.is_dir():
            raise BadRepository(f"{wanted.source.name} has no folder {one_line(wanted.inside, 60)!r}.")
        if wanted.kind == "collection":
            return _looked_at(Fetched(wanted, code, commit.id))
        with tarfile.open(place / "role.tar.gz", "w:gz") as bundle:  # the form in which ansible-galaxy takes a role
            bundle.add(code, wanted.name)
        return Fetched(wanted, place / "role.tar.gz", commit.id)

    def _download(self, address: str, target: Path) -> Path:
        most = self.limits.megabytes * 1_000_000
        request = urllib.request.Request(address, headers={"User-Agent": "automation-bots"})  # noqa: S310 - https only
        context = ssl.create_default_context(cafile=self.ca)
        opener = urllib.request.build_opener(_Straight, urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                data = answer.read(most + 1)
        except (OSError, urllib.error.URLError) as error:
            raise BadRepository(f"{one_line(address, 150)} cannot be fetched: {in_words(error)}.") from error
        if len(data) > most:
            raise BadRepository(f"{one_line(address, 150)} is larger than {self.limits.megabytes} MB.")
        target.write_bytes(data)
        return target

    def install(self, fetched: Sequence[Fetched], staged: Path) -> list[tuple[str, str, str]]:
        """Install all of it; returns kind, name and version of what is there now."""
        new = Path(tempfile.mkdtemp(prefix="content-", dir=self.folder))
        new.chmod(0o755)
        try:
            for kind in ("role", "collection"):
                (new / f"{kind}s").mkdir()
                if mine := [one for one in fetched if one.wanted.kind == kind]:
                    self._galaxy(kind, mine, new / f"{kind}s", staged)
            found = list(installed(new))
            self._swap(new)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return found

    def _galaxy(self, kind: str, fetched: Sequence[Fetched], target: Path, staged: Path) -> None:
        entries = [_role_entry(one) if kind == "role" else _collection_entry(one) for one in fetched]
        listed = staged / f"{kind}s.yml"
        listed.write_text(yaml.safe_dump({f"{kind}s": entries}), encoding="utf-8")
        options = ["-r", str(listed), "-p", str(target), "--force"]
        options += ["--no-deps"] if kind == "role" or not self.galaxy else []
        program = Path(sys.executable).with_name("ansible-galaxy")
        if not program.is_file():
            raise BadRepository(f"ansible-galaxy is not in {program.parent}: pip install ansible-core")
        environment = {
            **inherited(_KEPT),
            **({"SSL_CERT_FILE": str(self.ca)} if self.ca else {}),
            "HOME": str(staged),
            "TMPDIR": str(staged),
            "ANSIBLE_HOME": str(staged / "home"),
            "ANSIBLE_LOCAL_TEMP": str(staged / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(target),
            "LC_ALL": "C.UTF-8",
        }
        command = [str(program), kind, "install", *options]
        try:
            ended = run(Program(command=command, environment=environment, folder=staged), seconds=self.limits.seconds)
        except TimeoutError as error:
            raise BadRepository(f"ansible-galaxy took more than {self.limits.seconds:g} s and was ended.") from error
        said = (ended.err + ended.out).decode(errors="replace")
        # for a role that cannot be had it warns, and may end well
        bad = [line for line in said.splitlines() if line.startswith(("ERROR", "[ERROR]", "[WARNING]: - "))]
        if ended.code or any("was NOT installed" in line or "[ERROR]" in line for line in bad):
            raise BadRepository(f"ansible-galaxy: {one_line(' '.join(bad) or said, 400)}")

    def _swap(self, new: Path) -> None:
        """Let the new folder count, and keep the one before, which a run of this moment may use."""
        link, fresh = self.folder / "current", self.folder / f"{new.name}.link"
        before = link.resolve() if link.is_symlink() else None
        fresh.symlink_to(new.name)
        fresh.replace(link)
        for old in self.folder.glob("content-*"):
            if old not in {new, before}:
                shutil.rmtree(old, ignore_errors=True)


class _Straight(urllib.request.HTTPRedirectHandler):
    """An allowed host must not lead to another."""

    def redirect_request(self, req: urllib.request.Request, *_: Any, **__: Any) -> None:
        """Refuse it; the library's name."""
        raise BadRepository(f"{one_line(req.full_url, 150)} leads elsewhere; name the address that it leads to.")


def _role_entry(one: Fetched) -> dict[str, str]:
    if one.path is not None:
        return {"src": f"file://{one.path}", "name": one.wanted.name, "version": one.wanted.version or one.commit[:12]}
    version = {"version": one.wanted.version} if one.wanted.version else {}
    return {"src": one.wanted.called, "name": one.wanted.name, **version}


def _collection_entry(one: Fetched) -> dict[str, str]:
    if one.path is not None:
        return {"name": str(one.path), "type": "dir" if one.path.is_dir() else "file"}
    server = {"source": one.wanted.place} if one.wanted.place != GALAXY else {}
    return {"name": one.wanted.name, "version": one.wanted.version or "*", **server}


def _looked_at(one: Fetched) -> Fetched:
    """Learn a collection's name; refuse one that needs others by their address, which may be any."""
    if one.wanted.kind == "role" or one.path is None:
        return one
    facts = _facts(one.path)
    for needed in map(str, facts.get("dependencies") or {}):
        if not re.fullmatch(r"\w+\.\w+", needed):
            raise BadRepository(f"It needs {one_line(needed, 100)}: an address that no requirements.yml names.")
    return replace(one, name=f"{facts.get('namespace')}.{facts.get('name')}")


def _facts(path: Path) -> Mapping[str, Any]:
    try:
        if path.is_dir():
            facts = yaml.safe_load((path / "galaxy.yml").read_text(encoding="utf-8"))
        else:
            with tarfile.open(path) as bundle:
                member = bundle.extractfile("MANIFEST.json")
                facts = json.loads(member.read())["collection_info"] if member else {}
    except (OSError, KeyError, ValueError, tarfile.TarError, yaml.YAMLError) as error:
        raise BadRepository(f"It is no collection: {one_line(in_words(error), 150)}.") from error
    return facts if isinstance(facts, Mapping) else {}


def installed(content: Path) -> Iterator[tuple[str, str, str]]:
    """Kind, name and version of all roles and collections in a folder."""
    for path in sorted((content / "roles").glob("*")):
        facts = path / "meta" / ".galaxy_install_info"
        version = yaml.safe_load(facts.read_text(encoding="utf-8"))["version"] if facts.is_file() else ""
        yield "role", path.name, str(version or "")
    for manifest in sorted((content / "collections" / "ansible_collections").glob("*/*/MANIFEST.json")):
        info: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
        yield "collection", f"{info['namespace']}.{info['name']}", str(info["version"])
