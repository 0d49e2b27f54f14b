"""Real git repositories with plugins in them, and real wheels, made by the tests."""

import base64
import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

PLUG = "[Core]\nName = {name}\nModule = {module}\nVersion = {version}\n"
CODE = '''
from errbot import BotPlugin, arg_botcmd, botcmd, re_botcmd
from automation_bots import mixin
{more}

class {name}(mixin.ThrottledMixin, BotPlugin):
    """Greets."""

    @botcmd
    def hello(self, msg, args):
        """Greet."""
        return "{says}"

    @botcmd
    def bounce(self, msg, args):
        """Take the way of a command."""
        return self.submit(msg, "service", devices="web1", action="restart", name="nginx")

    @re_botcmd(pattern=r"good (morning|evening)", prefixed=False)
    def polite(self, msg, match):
        """Greet back."""
        return "{says}"
'''
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
PLAIN = {**IDENTITY, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder, *words, typed=None):
    environment = {**os.environ, **PLAIN}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, input=typed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def code(says="hello", more="", name="Greeter"):
    return CODE.format(says=says, more=more, name=name)


def files(says="hello", more="", version="1.0", **others):
    plug = PLUG.format(name="Greeter", module="greeter", version=version)
    return {"greeter.plug": plug, "greeter.py": code(says, more), **others}


def commit(folder, contents, tag=""):
    """Write files (None deletes one) and commit them; returns the commit's id."""
    for name, text in contents.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, contents=None, tag="v1.0"):
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, files() if contents is None else contents, tag)
    return folder


def tree(folder, *entries):
    """Commit a tree that no checkout would make: entries are (mode, kind, path, content or id)."""
    lines = []
    for mode, kind, name, content in entries:
        id_ = content if kind != "blob" else git(folder, "hash-object", "-w", "--stdin", typed=content)
        lines.append(f"{mode} {kind} {id_}\t{name}\0")
    made = git(folder, "mktree", "-z", "--missing", typed="".join(lines))
    git(folder, "update-ref", "refs/heads/main", git(folder, "commit-tree", "-m", "x", made))


def wheel(folder: Path, name, version, text, needs=()):
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    contents = {
        f"{name}.py": text,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in contents.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, data in {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            file.writestr(path, data)


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
