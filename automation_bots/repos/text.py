"""What is said about repositories of plugins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from automation_bots import render
from automation_bots.model import Answer, one_line
from automation_bots.repos.installer import Ready
from automation_bots.repos.values import Contents, Installed


def shown(ready: Ready, code: str, prefix: str) -> Answer:
    """Everything that an admin should know before a confirmation."""
    contents, old = ready.contents, ready.replaces
    facts = [
        ("from", one_line(ready.source.url, 150)),
        ("commit", ready.commit.id),
        ("version", ready.commit.tag or contents.version or "no tag, no version"),
        ("needs", ", ".join(contents.requirements) or "no packages"),
        *_plugins(contents, prefix),
        *(("its code", lookup) for lookup in contents.reach),
        *(_changes(contents, old, prefix) if old else ()),
    ]
    what = (
        f"This would update {ready.source.name} from {old.version}" if old else f"This would install {old_name(ready)}"
    )
    text = f"{what}. Nothing of it has run yet; once installed it can do whatever the bot can, so read it first."
    return Answer(text, render.table(facts), f"→ !repos confirm {code}")


def old_name(ready: Ready) -> str:
    """How people call what is about to be installed."""
    return f"{ready.source.name} {ready.commit.tag or ready.contents.version}".rstrip()


def _plugins(contents: Contents, prefix: str) -> Iterable[tuple[str, str]]:
    for plugin in contents.plugins:
        yield "plugin", plugin.name
        yield from (("  command", prefix + name.replace("_", " ")) for name in plugin.commands)
        yield from (("  answers to", pattern) for pattern in plugin.patterns)
        yield from (("  also", lookup) for lookup in plugin.also)


def _changes(new: Contents, old: Installed, prefix: str) -> Iterable[tuple[str, str]]:
    was, now = set(old.contents.commands), set(new.commands)
    changes = (("new commands", now - was), ("gone commands", was - now))
    yield from ((what, ", ".join(sorted(prefix + one for one in names))) for what, names in changes if names)
    if needs := sorted(set(new.requirements) - set(old.contents.requirements)):
        yield "newly needs", ", ".join(needs)
    yield from (("newly", lookup) for lookup in sorted(set(new.reach) - set(old.contents.reach)))


def done(repo: Installed, old: Installed | None, prefix: str) -> Answer:
    """What was installed, and who may use it."""
    what = f"{repo.name} is updated from {old.version} to" if old else f"{repo.name} is installed:"
    names = [prefix + name.replace("_", " ") for name in repo.contents.commands]
    rule = f" Rules name them: {', '.join(repo.contents.commands[:6])}." if names else ""
    text = f"{what} {repo.version} ({repo.commit[:12]})."
    if names:
        text += f" {', '.join(names[:12])}: for admins only, until a rule of the policy names them.{rule}"
    if repo.packages:
        text += f" With {', '.join(repo.packages[:12])}."
    return Answer(text, hint="→ !repos")


def listed(installed: Mapping[str, Installed], problems: Iterable[str], now: datetime) -> Answer:
    """What is installed."""
    hint = "→ !repos install <address>@<tag> · update <name> · remove <name>"
    trouble = "\n".join(problems)
    if not installed:
        return Answer("No plugins from elsewhere are installed.", trouble, hint)
    rows = [
        (one.name, one.version, one.commit[:12], f"{one.by}, {render.age(one.at, now)}", one_line(one.url, 100))
        for one in installed.values()
    ]
    table = render.table(rows)
    return Answer(
        f"{render.many(len(rows), 'repository').replace('repositorys', 'repositories')} of plugins:",
        "\n".join(part for part in (table, trouble) if part),
        hint,
    )


def found(rows: Iterable[tuple[str, str, str]], words: str) -> Answer:
    """What an index says."""
    listed_ = list(rows)
    if not listed_:
        return Answer(f"The index has nothing about {one_line(words, 60)!r}.")
    hint = "→ !repos install <address>@<tag>"
    return Answer(f"{len(listed_)} found:", render.table(listed_, limit=render.LINES_SHOWN), hint)


def record(repo: Installed) -> dict[str, Any]:
    """What the record keeps."""
    return {
        "reason": f"{repo.name} {repo.version} ({repo.commit[:12]})",
        "url": repo.url,
        "ref": repo.ref,
        "commit": repo.commit,
        "digest": repo.digest,
        "commands": list(repo.contents.commands),
        "packages": list(repo.packages),
    }
