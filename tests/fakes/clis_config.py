"""Scripted EOS, Junos, IOS and IOS XR command lines whose configuration can be changed and goes back by itself.

They follow the vendors' published behaviour of candidates and commit timers, and prove what is sent and in which
order, no more.
"""

from __future__ import annotations

import difflib
import json
import re
import shlex
import threading
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.clis import Cli, Manner

KNOWN = {"interface", "router", "description", "neighbor", "hostname", "ip", "shutdown", "set", "delete", "username",
         "snmp-server"}  # fmt: skip
INVALID = "% Invalid input detected at '^' marker."


class Configurable(Cli):
    """What is the same for all: lines in sections, and a timer after which what ran before runs again."""

    impatient = False  # goes back at the next login already
    silent: tuple[str, ...] = ()  # lines that it takes without a word, and forgets

    def __init__(self, name: str, *lines: str) -> None:
        super().__init__(name, Manner())
        self.running: tuple[str, ...] = lines
        self.heard: list[str] = []
        self.saved = 0
        self.says: dict[str, str] = {}  # what it says to a line that it does not take
        self._timer: threading.Timer | None = None
        self._before: tuple[str, ...] = lines

    @property
    def locked(self) -> bool:
        """Whether it lets nobody log in, since the port that leads to it is shut."""
        return any(line.endswith("\tshutdown") for line in self.running)

    @property
    def pending(self) -> bool:
        """Whether it goes back unless it is confirmed."""
        return self._timer is not None

    def try_out(self, lines: tuple[str, ...], minutes: float) -> None:
        self._before, self.running = self.running, lines
        self._timer = threading.Timer(minutes * 60, self.go_back)
        self._timer.daemon = True
        self._timer.start()

    def keep(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def go_back(self) -> None:
        self.keep()
        self.running = self._before

    def talk(self) -> Talk:
        """Begin a session."""
        if self.impatient and self.pending:
            self.go_back()  # as if its time were over
        return self.kind(self)

    kind: Any = None


class Talk:
    """One session: its mode, and the answer to each line."""

    def __init__(self, device: Any) -> None:
        self.device, self.mode, self.section = device, "", ""
        self.lines: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        return f"{self.device.name}{self.mode}#"

    def answer(self, line: str) -> str:
        line = line.strip()
        if line:
            self.device.heard.append(line)
        for pattern, method in self.commands():
            if found := re.fullmatch(pattern, line):
                return method(*found.groups())
        return self.edit(line) if self.mode and line else INVALID if line else ""

    def commands(self) -> Iterable[tuple[str, Callable[..., str]]]:
        raise NotImplementedError

    def edit(self, line: str) -> str:
        """One line of a candidate (or, on IOS, of what runs)."""
        if line in self.device.says or line in self.device.silent:
            return self.device.says.get(line, "")
        word = line.removeprefix("no ").split()[0]
        if word == "exit":
            self.section = ""
            return ""
        if word not in KNOWN:
            return INVALID
        if word in {"interface", "router", "hostname"}:
            self.section = ""
        known = [*self.lines]
        if not line.startswith("no "):
            self._add(known, line)
        elif (text := self._placed(line[3:])) in known:
            known = [it for it in known if it != text and not it.startswith(f"{text}\t")]
        self.lines = tuple(known)
        if word in {"interface", "router"} and not line.startswith("no "):
            self.section = line
        return ""

    def _placed(self, line: str) -> str:
        return f"{self.section}\t{line}" if self.section else line

    def _add(self, known: list[str], line: str) -> None:
        word, text = line.split()[0], self._placed(line)
        if word in {"description", "hostname"}:
            known[:] = [it for it in known if not it.startswith(self._placed(word))]
        if text not in known:
            known.append(text)


def shown(lines: Iterable[str]) -> str:
    """Print lines as a configuration, sections together."""
    tops = sorted({line.partition("\t")[0] for line in lines})
    inside = {top: [f"   {it.partition(chr(9))[2]}" for it in lines if it.startswith(f"{top}\t")] for top in tops}
    return "\n".join(part for top in tops for part in (top, *inside[top]))


class EosTalk(Talk):
    def commands(self):
        return (
            (r"terminal width 511", lambda: "Width set to 511 columns."),
            (r"terminal length 0", lambda: "Pagination disabled."),
            (r"show version \| json", lambda: json.dumps({"version": "4.30.1F", "uptime": 1000.0})),
            (r"show configuration sessions \| json", self._sessions),
            (r"show configuration sessions detail \| json", self._sessions),
            (r"show running-config", lambda: f"{shown(self.device.running)}\nend"),
            (r"show session-config named (\S+) diffs", self._diffs),
            (r"configure session (\S+)", self._open),
            (r"configure session (\S+) commit timer (\d+):(\d+):(\d+)", self._timed),
            (r"configure session (\S+) commit", self._commit),
            (r"configure session (\S+) abort", self._abort),
            (r"rollback clean-config", self._clean),
            (r"copy startup-config flash:rollback-0", lambda: "Copy completed successfully."),
            (r"write memory", self._save),
            (r"end", self._end),
        )

    def _sessions(self) -> str:
        states = {name: {"state": "pending"} for name in self.device.sessions}
        if self.device.pending:
            states[self.device.timed] = {"state": "pendingCommitTimer", "commitBy": 1300.0}
        return json.dumps({"sessions": states})

    def _open(self, name: str) -> str:
        self.name = name
        self.lines = self.device.sessions.setdefault(name, self.device.running)
        self.mode = f"(config-s-{name[:6]})"
        return ""

    def edit(self, line: str) -> str:
        said = super().edit(line)
        self.device.sessions[self.name] = self.lines
        return said

    def _clean(self) -> str:
        self.lines = self.device.sessions[self.name] = ()
        return ""

    def _diffs(self, name: str) -> str:
        old, new = shown(self.device.running).splitlines(), shown(self.device.sessions[name]).splitlines()
        files = ("system:/running-config", f"session:/{name}-session-config")
        return "\n".join(difflib.unified_diff(old, new, *files, lineterm="", n=1))

    def _timed(self, name: str, hours: str, minutes: str, seconds: str) -> str:
        self.device.timed = name
        self.device.try_out(self.device.sessions.pop(name), int(hours) * 60 + int(minutes) + int(seconds) / 60)
        return ""

    def _commit(self, name: str) -> str:
        if self.device.pending:
            self.device.keep()
        elif name in self.device.sessions:
            self.device.running = self.device.sessions.pop(name)
        else:
            return f"% Error: session {name} is not there"
        return ""

    def _abort(self, name: str) -> str:
        if self.device.pending and self.device.timed == name:
            self.device.go_back()
        self.device.sessions.pop(name, None)
        self.mode = ""
        return ""

    def _save(self) -> str:
        self.device.saved += 1
        return "Copy completed successfully."

    def _end(self) -> str:
        self.mode = self.section = ""
        return ""


class Eos(Configurable):
    kind = EosTalk

    def __init__(self, name: str, *lines: str, **more: Any) -> None:
        super().__init__(name, *lines, **more)
        self.sessions: dict[str, tuple[str, ...]] = {}
        self.timed = ""


class IosTalk(Talk):
    @property
    def prompt(self) -> str:
        """In configuration mode a long name is cut."""
        name = self.device.name[:20] if self.mode else self.device.prompt_text or self.device.name
        return f"{name}{self.mode}#"

    def commands(self):
        return (
            (r"terminal (?:width|length) \d+", lambda: ""),
            (r"show running-config", lambda: f"{shown(self.device.running)}\nend"),
            (r"show archive", self._archive),
            (r"show archive config rollback timer", self._timer),
            (r"configure terminal", self._configure),
            (r"configure terminal revert timer (\d+)", self._revert),
            (r"configure confirm", self._confirm),
            (r"configure revert now", self._now),
            (r"write mem(?:ory)?", self._save),
            (r"end", self._end),
        )

    def _save(self) -> str:
        if self.device.asks_to_save and not self.asked:
            self.asked = "write"
            return self.device.asks_to_save
        self.device.saved += not self.device.full
        return "% Error opening nvram:/startup-config (No space left)" if self.device.full else "[OK]"

    def _archive(self) -> str:
        return (
            "The maximum archive configurations allowed is 10."
            if self.device.archive
            else "Archive feature not enabled"
        )

    def _timer(self) -> str:
        return "Timer value: 3 min" if self.device.pending else "%No Rollback Confirmed Change pending"

    def _configure(self) -> str:
        self.mode = "(config)"
        return "Enter configuration commands, one per line.  End with CNTL/Z."

    def _revert(self, minutes: str) -> str:
        self.device.try_out(self.device.running, int(minutes))
        return self._configure()

    asked = ""  # the line that waits for an answer

    def answer(self, line: str) -> str:
        waiting, self.asked = self.asked, ""
        if waiting == "write":
            self.device.saved += 1
            return "Building configuration...\n[OK]"
        if waiting and line.strip() in {"", "yes"}:
            return self.edit(waiting)
        if not waiting and line.strip().startswith("no username "):
            self.device.heard.append(line.strip())
            self.asked = line.strip()
            return f"This operation will remove all username related configurations. {self.device.asks}"
        said = super().answer(line)
        return said if self.mode or not line else f"{self.device.stamp}{said}"

    def edit(self, line: str) -> str:
        self.lines = self.device.running
        said = super().edit(line)
        self.device.running = self.lines
        self.device.name = next((it.split()[1] for it in self.lines if it.startswith("hostname ")), self.device.name)
        self.mode = "(config-if)" if self.section else "(config)"
        return said

    def _confirm(self) -> str:
        self.device.keep()
        return ""

    def _now(self) -> str:
        self.device.go_back()
        return "Rollback Done"

    def _end(self) -> str:
        self.mode = self.section = ""
        return ""


class Ios(Configurable):
    kind = IosTalk
    archive = True
    asks = "Do you want to continue? [confirm]"
    full = False  # has no room for what is saved
    prompt_text = ""  # what `prompt` has put in place of its name, outside the configuration mode
    stamp = ""  # what `exec prompt timestamp` prints before each answer
    asks_to_save = ""


class JunosTalk(Talk):
    @property
    def prompt(self) -> str:
        return f"\r\n[edit]\r\nlab@{self.device.name}# " if self.mode else f"lab@{self.device.name}> "

    def commands(self):
        return (
            (r"set cli screen-width 511", lambda: "Screen width set to 511"),
            (r"set cli screen-length 0", lambda: "Screen length set to 0"),
            (r"set cli complete-on-space off", lambda: "Disabling complete-on-space"),
            (r"show configuration \| display set", lambda: "\n".join(self.device.running)),
            (r"configure", self._configure),
            (r"show \| compare", self._compare),
            (r"rollback (\d)", self._rollback),
            (r"commit confirmed (\d+) and-quit", self._confirmed),
            (r"commit and-quit", self._commit),
            (r"exit configuration-mode", self._end),
            (
                r"delete",
                lambda: "This will delete the entire configuration\nDelete everything under this level? [yes,no] (no) ",
            ),
            (r"yes", self._empty),
        )

    def _configure(self) -> str:
        self.mode, self.lines = "edit", self.device.running
        return "Entering configuration mode"

    def edit(self, line: str) -> str:
        if line in self.device.says or line in self.device.silent:
            return self.device.says.get(line, "")
        if not line.startswith(("set ", "delete ")):
            return "             ^\nsyntax error."
        known = [it for it in self.lines if it != line.replace("delete ", "set ", 1)]
        self.lines = tuple([*known, line] if line.startswith("set ") else known)
        return ""

    def _compare(self) -> str:
        old, new = self.device.running, self.lines
        lines = [*(f"-  {it[4:]};" for it in old if it not in new), *(f"+  {it[4:]};" for it in new if it not in old)]
        return "\n".join(["[edit]", *lines] if lines else [])

    def _rollback(self, number: str) -> str:
        self.lines = self.device.running if number == "0" else self.device._before
        return "load complete"

    def _empty(self) -> str:
        self.lines = ()
        return ""

    def _confirmed(self, minutes: str) -> str:
        if any("bad" in it for it in self.lines):
            return "error: configuration check-out failed"
        self.device.try_out(self.lines, int(minutes))
        self._named()
        self.mode = ""
        said = f"commit confirmed will be automatically rolled back in {minutes} minutes unless confirmed"
        return f"{said}\ncommit complete\nExiting configuration mode"

    def _commit(self) -> str:
        if self.device.pending:
            self.device.keep()
        if self.lines != self.device.running:
            self.device._before, self.device.running = self.device.running, self.lines
        self.mode = ""
        return "commit complete\nExiting configuration mode"

    def _named(self) -> None:
        """A host name that is committed stands in the prompt at once."""
        said = (line.split()[-1] for line in self.lines if line.startswith("set system host-name "))
        self.device.name = next(said, self.device.name)

    def _end(self) -> str:
        self.mode = ""
        return "Exiting configuration mode"


class Junos(Configurable):
    kind = JunosTalk


class VyosTalk(Talk):
    """The operational mode, and the configuration mode with its `[edit]`."""

    @property
    def prompt(self) -> str:
        return f"[edit]\r\nlab@{self.device.name}# " if self.mode else f"lab@{self.device.name}:~$ "

    def commands(self):
        if not self.mode:
            return (
                (r"set terminal (?:length 0|width 512)", lambda: ""),
                (r"show configuration commands", lambda: "\n".join(self.device.running)),
                (r"configure", self._configure),
            )
        return (
            (r"compare", self._compare),
            (r"commit", self._commit),
            (r"save", self._save),
            (r"exit( discard)?", self._exit),
        )

    def answer(self, line: str) -> str:
        said = super().answer(line)
        return f"\n  Invalid command: [{line.split()[0]}]\n" if said == INVALID else said

    def _configure(self) -> str:
        self.mode, self.lines = "edit", self.device.running
        return ""

    def edit(self, line: str) -> str:
        word, _, path = line.partition(" ")
        if line in self.device.says or line in self.device.silent:
            return self.device.says.get(line, "")
        if word not in {"set", "delete"}:
            return INVALID
        if path.split()[0] not in {"system", "interfaces", "service", "protocols", "firewall"}:
            return f"\n  Configuration path: [{path}] is not valid\n  {word.capitalize()} failed\n"
        return self._set(path) if word == "set" else self._delete(path)

    def _set(self, path: str) -> str:
        *nodes, leaf, value = shlex.split(path)
        quoted = leaf in {"host-name", "description", "address"}
        line = " ".join(["set", *nodes, leaf, f"'{value}'" if quoted else value])
        if line in self.lines:
            return f"\n  Configuration path: [{path}] already exists\n"
        one = " ".join(["set", *nodes, leaf, ""]) if leaf in {"host-name", "description"} else line
        self.lines = tuple(sorted([*(it for it in self.lines if not it.startswith(one)), line]))
        return ""

    def _delete(self, path: str) -> str:
        words = ["set", *shlex.split(path)]
        kept = tuple(it for it in self.lines if shlex.split(it)[: len(words)] != words)
        if kept == self.lines:
            return "\n  Nothing to delete (the specified node does not exist)\n"
        self.lines = kept
        return ""

    def _compare(self) -> str:
        old, new = self.device.running, self.lines
        lines = [*(f"- {it[4:]}" for it in old if it not in new), *(f"+ {it[4:]}" for it in new if it not in old)]
        return "\n".join(lines) or "No changes between working and active configurations."

    def _commit(self) -> str:
        if self.lines == self.device.running:
            return "No configuration changes to commit"
        if wrong := next((it for it in self.lines if "host-name" in it and "_" in it), ""):
            name = shlex.split(wrong)[-1]
            return (
                f"[ system host-name {name} ]\ninvalid host name {name}\n\n[[system host-name]] failed\nCommit failed"
            )
        self.device.running = self.lines
        for line in self.lines:
            if line.startswith("set system host-name "):
                self.device.name = shlex.split(line)[-1]
        return ""

    def _save(self) -> str:
        self.device.saved += 1
        return "Saving configuration to '/config/config.boot'...\nDone"

    def _exit(self, discard: str | None) -> str:
        if not discard and self.lines != self.device.running:
            return "Cannot exit: configuration modified.\nUse 'exit discard' to discard the changes and exit."
        self.mode = ""
        return "exit"


class Vyos(Configurable):
    kind = VyosTalk


class XrTalk(Talk):
    @property
    def prompt(self) -> str:
        return f"RP/0/RSP0/CPU0:{self.device.name}{self.mode}#"

    def commands(self):
        return (
            (r"terminal (?:width|length) \d+", lambda: ""),
            (r"show running-config", lambda: f"{shown(self.device.running)}\nend"),
            (r"configure terminal", self._configure),
            (r"show commit changes diff", self._compare),
            (r"commit (replace )?confirmed (\d+)", self._confirmed),
            (r"commit( replace)?", self._commit),
            (r"show configuration failed", self._failed),
            (r"rollback configuration last 1", self._rollback),
            (r"abort|end", self._end),
        )

    def _configure(self) -> str:
        self.mode, self.lines = "(config)", self.device.running
        self.alone, self.tried = (), False
        return ""

    def edit(self, line: str) -> str:
        whole, section = self.lines, self.section
        self.lines = self.alone  # what was entered by itself is what `commit replace` takes
        super().edit(line)
        self.alone, self.lines, self.section = self.lines, whole, section
        said = super().edit(line)
        self.mode = "(config-if)" if self.section else "(config)"
        return said

    def _compare(self) -> str:
        old, new = shown(self.device.running).splitlines(), shown(self.lines).splitlines()
        return "Building configuration...\n" + "\n".join(it for it in difflib.ndiff(old, new) if it[0] in "+-")

    def _failed(self) -> str:
        """What the page on committing shows: the line, and below it what stands against it."""
        refused = next(it for it in self.lines if "bad" in it).replace("\t", "\n ")
        return f"!! SEMANTIC ERRORS: This configuration was rejected\n{refused}\n!!% No such thing\n!\nend"

    def _confirmed(self, replace: str | None, seconds: str) -> str:
        if any("bad" in it for it in self.lines):
            return (
                "% Failed to commit one or more configuration items during a pseudo-atomic operation. All changes made "
                "have been reverted. Please issue 'show configuration failed [inheritance]' from this session to view "
                "the errors"
            )
        self.lines = self.alone if replace else self.lines
        self.device.try_out(self.lines, int(seconds) / 60)
        self.tried = True
        return ""

    def _commit(self, replace: str | None) -> str:
        self.device.keep()
        self.lines = self.alone if replace else self.lines
        if not self.tried and self.lines != self.device.running:
            self.device._before, self.device.running = self.device.running, self.lines
        return ""

    def _rollback(self) -> str:
        self.device.go_back()
        return "Loading Rollback Changes.\nCommitting.\nConfiguration successfully rolled back 1 commits."

    def _end(self) -> str:
        self.mode = self.section = ""
        return ""


class Xr(Configurable):
    kind = XrTalk
