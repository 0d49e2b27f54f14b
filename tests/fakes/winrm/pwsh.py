"""A stand-in for powershell.exe (and a little cmd.exe): understands the documents of our driver, and a few lines.

It does not run PowerShell. What it gets by `-EncodedCommand` must be exactly the bootstrap of the driver, or lines of
the few cmdlets that it has.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import fnmatch
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from automation_bots.drivers.windows.call import BOOTSTRAP, CMDLET, RUNNER

STATE = Path(os.environ.get("LAB_WINDOWS", "."))
SERVICES = {
    "w3svc": ["Running", "World Wide Web Publishing Service", "Automatic"],
    "spooler": ["Stopped", "Print Spooler", "Manual"],
    "größe": ["Running", "Überwachung", "Automatic"],
}
FILES = {"C:\\Logs": [("2026-11-01 10:00:00", 120, "app.log"), ("2026-11-02 11:30:00", 99000, "größe.txt")]}
CLASSES = {
    "Win32_OperatingSystem": {
        "Caption": "Stand-in for Windows", "Version": "10.0.0", "BuildNumber": "0",
        "LastBootUpTime": "2026-11-20 08:00:00",
        "LocalDateTime": "2026-11-23 20:00:00", "TotalVisibleMemorySize": 8388608, "FreePhysicalMemory": 4194304,
    }
}  # fmt: skip
EVENTS = [("2026-11-23 19:00:00", 7036, 4, "Service Control Manager",
           "The Print Spooler service entered the stopped state."),
          ("2026-11-23 18:00:00", 1000, 2, "Application Error", "Faulting application größe.exe"),
          ("2026-11-23 17:00:00", 41, 1, "Kernel-Power",
           "The system has rebooted without cleanly shutting down first.")]  # fmt: skip
LEVELS = {1: "Critical", 2: "Error", 3: "Warning", 4: "Information"}


class PsError(Exception):
    """One error record; `ends` is whether it ends the pipeline."""


@contextlib.contextmanager
def services() -> Iterator[dict[str, list[str]]]:
    """The services as they stand now; what is changed stays for the next process."""
    path = STATE / "services.json"
    with (STATE / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(path.read_text()) if path.exists() else {k: list(v) for k, v in SERVICES.items()}
        yield known
        path.write_text(json.dumps(known))


def listed(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def matching(names: Any, known: dict[str, list[str]]) -> Iterator[Any]:
    for wanted in listed("*" if names is None else names):
        found = [name for name in known if fnmatch.fnmatch(name.lower(), wanted.lower())]
        if not found and not any(c in wanted for c in "*?["):
            yield PsError(f"Cannot find any service with service name '{wanted}'.")
        yield from found


def get_service(a: dict[str, Any]) -> Iterator[Any]:
    with services() as known:
        for name in matching(a.get("Name"), known):
            if isinstance(name, PsError):
                yield name
            else:
                yield {"Status": known[name][0], "Name": name, "DisplayName": known[name][1]}


def control(verb: str, status: str) -> Callable[[dict[str, Any]], Iterator[Any]]:
    def act(a: dict[str, Any]) -> Iterator[Any]:
        with services() as known:
            for name in matching(a["Name"], known):
                if isinstance(name, PsError):
                    yield name
                elif a.get("WhatIf"):
                    what_if(f"{verb}-Service", f"{known[name][1]} ({name})")
                else:
                    known[name][0] = status

    return act


def set_service(a: dict[str, Any]) -> Iterator[Any]:
    with services() as known:
        for name in matching(a["Name"], known):
            if isinstance(name, PsError):
                yield name
            elif a.get("WhatIf"):
                what_if("Set-Service", f"{known[name][1]} ({name})")
            else:
                known[name][2] = a["StartupType"]


def what_if(action: str, target: str) -> None:
    say(f'What if: Performing the operation "{action}" on target "{target}".')


def get_child_item(a: dict[str, Any]) -> Iterator[Any]:
    for path in listed(a.get("LiteralPath", a.get("Path", "C:\\"))):
        if path not in FILES:
            yield PsError(f"Cannot find path '{path}' because it does not exist.")
        for when, length, name in FILES.get(path, ()):
            yield {"LastWriteTime": when, "Length": length, "Name": name}


def get_cim(a: dict[str, Any]) -> Iterator[Any]:
    known = CLASSES.get(a["ClassName"])
    if known is None:
        yield PsError("Invalid class ")
    else:
        yield {name: known[name] for name in listed(a.get("Property", list(known)))}


def get_event(a: dict[str, Any]) -> Iterator[Any]:
    wanted = {"LogName": a.get("LogName"), **(a.get("FilterHashtable") or {})}
    if not set(listed(wanted["LogName"])) <= {"System", "Application"}:
        yield PsError(f'There is not an event log on the localhost computer that matches "{wanted["LogName"]}".')
        return
    hits = [e for e in EVENTS if wanted.get("Level") in (None, e[2]) and wanted.get("ProviderName") in (None, e[3])]
    if not hits:
        yield PsError("No events were found that match the specified selection criteria.")
    for when, number, level, provider, message in hits[: int(a.get("MaxEvents", 100))]:
        yield {
            "TimeCreated": when,
            "Id": number,
            "LevelDisplayName": LEVELS[level],
            "ProviderName": provider,
            "Message": message,
        }


def set_content(a: dict[str, Any]) -> Iterator[Any]:
    if a.get("WhatIf"):
        what_if("Set Content", f"Path: {a['LiteralPath']}")
        return
    trace = STATE / "traces"
    trace.mkdir(exist_ok=True)
    (trace / base64.urlsafe_b64encode(str(a["LiteralPath"]).encode()).decode()[:200]).write_text(str(a.get("Value")))
    yield from ()


def remove(a: dict[str, Any]) -> Iterator[Any]:
    trace = STATE / "traces" / base64.urlsafe_b64encode(str(a["LiteralPath"]).encode()).decode()[:200]
    trace.unlink(missing_ok=True)
    yield from ()


def restart(a: dict[str, Any]) -> Iterator[Any]:
    if a.get("WhatIf"):
        what_if("Enable the Restart-Computer cmdlet", "localhost")
    else:
        (STATE / "restarted").touch()
    yield from ()


def sleep(a: dict[str, Any]) -> Iterator[Any]:
    time.sleep(float(a["Seconds"]))
    yield from ()


def echo(a: dict[str, Any]) -> Iterator[Any]:
    value = a["InputObject"]
    yield from (value if isinstance(value, list) else [value])


def loud(a: dict[str, Any]) -> Iterator[Any]:
    for number in range(int(a["TotalCount"])):
        yield f"line {number:05} " + "x" * 90


def write_error(a: dict[str, Any]) -> Iterator[Any]:
    yield PsError(a["Message"])


def processes(a: dict[str, Any]) -> Iterator[Any]:
    for number in range(3):
        yield {"Id": 100 + number, "CPU": 1.5 * number, "WorkingSet64": 10_000_000, "Name": f"proc{number}"}


CMDLETS: dict[str, tuple[Callable[[dict[str, Any]], Iterator[Any]], str]] = {
    "Get-Service": (get_service, "Name"), "Start-Service": (control("Start", "Running"), "Name"),
    "Stop-Service": (control("Stop", "Stopped"), "Name"), "Restart-Service": (control("Restart", "Running"), "Name"),
    "Set-Service": (set_service, "Name"),
    "Get-ChildItem": (get_child_item, "Path"), "Get-CimInstance": (get_cim, "ClassName"),
    "Get-WinEvent": (get_event, "LogName"), "Set-Content": (set_content, "LiteralPath"),
    "Remove-Item": (remove, "LiteralPath"),
    "Restart-Computer": (restart, ""), "Start-Sleep": (sleep, "Seconds"), "Write-Output": (echo, "InputObject"),
    "Get-Content": (loud, "TotalCount"), "Write-Error": (write_error, "Message"), "Get-Process": (processes, "Name"),
}  # fmt: skip
CHANGES = {"Start-Service", "Stop-Service", "Restart-Service", "Set-Service", "Set-Content", "Restart-Computer"}


def say(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8") + b"\r\n")
    sys.stdout.buffer.flush()


def record(**entry: Any) -> None:
    say("#AB " + base64.b64encode(json.dumps(entry).encode()).decode())


def run(name: str, named: dict[str, Any], given: list[Any]) -> Iterator[Any]:
    known = {cmdlet.lower(): cmdlet for cmdlet in CMDLETS}.get(name.lower())
    if known is None:
        yield PsError(
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
        )
        return
    act, positional = CMDLETS[known]
    if given and positional:
        named = {**named, positional: given[0] if len(given) == 1 else given}
    try:
        yield from act(named)
    except KeyError as error:
        yield PsError(f"Cannot process command because of one or more missing mandatory parameters: {error.args[0]}.")


def call(document: dict[str, Any]) -> None:
    if document["runner"] != RUNNER:
        raise SystemExit("not the runner of the driver")
    asked = document["call"]
    if asked["script"]:
        script(asked["script"], structured=True)
    elif asked["program"]:
        code = program([asked["program"], *asked["given"]], lambda text: record(k="t", v=text))
        record(k="z", c=code)
        return
    else:
        if asked["whatif"] and asked["cmdlet"] not in CHANGES:
            record(k="n")
            return
        named = {**asked["named"], **({"WhatIf": True} if asked["whatif"] else {})}
        tell(run(asked["cmdlet"], named, asked["given"]), asked["columns"])
    record(k="z", c=0)


def tell(items: Iterator[Any], columns: list[str]) -> None:
    for item in items:
        if isinstance(item, PsError):
            record(k="e", v=str(item), id="Lab")
        elif isinstance(item, dict):
            record(k="o", v={key: item.get(key) for key in columns} if columns else item)
        else:
            record(k="t", v=item)


def script(text: str, *, structured: bool) -> None:
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith(("#", "$ErrorActionPreference", "$ProgressPreference")):
            continue
        for words in commands(shlex.split(line)):
            if words[0] == "exit":
                sys.stdout.flush()
                os._exit(int(words[1]))
            items = script_line(words)
            if structured:
                tell(items, [])
            else:
                plain(items)


def commands(words: list[str]) -> Iterator[list[str]]:
    """One after the other, as a `;` at the end of a word parts them."""
    one: list[str] = []
    for word in words:
        one.append(word.removesuffix(";"))
        if word.endswith(";"):
            yield one
            one = []
    if one:
        yield one


def script_line(words: list[str]) -> Iterator[Any]:
    if not CMDLET.fullmatch(words[0]):
        yield from run(words[0], {}, [])
        return
    named: dict[str, Any] = {}
    given: list[Any] = []
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("-"):
            named[word[1:]] = next(rest, True)
        else:
            given.append(word)
    yield from run(words[0], named, given)


def plain(items: Iterator[Any]) -> None:
    for item in items:
        if isinstance(item, PsError):
            clixml(f"{item}\r\nAt line:1 char:1\r\n    + CategoryInfo          : NotSpecified: (:) [], Lab\r\n")
            os._exit(1)
        say(str(item))


def clixml(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "_x000D_").replace("\n", "_x000A_")
    sys.stderr.write(
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        f'<S S="Error">{escaped}</S></Objs>'
    )
    sys.stderr.flush()


def program(argv: list[str], tell: Callable[[str], None]) -> int:
    """A few programs of Windows."""
    name, *rest = argv
    if name in {"echo", "quser", "whoami", "hostname"}:
        tell(
            {"echo": " ".join(rest), "quser": "ana  console  1  Active", "whoami": "lab\\bot", "hostname": "LAB"}[name]
        )
        return 0
    if name == "exit":
        return int(rest[0])
    sys.stderr.write(
        f"'{name}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
    )
    return 1


def powershell(arguments: list[str]) -> None:
    lowered = [word.lower() for word in arguments]
    if "-encodedcommand" not in lowered:
        script(" ".join(arguments[lowered.index("-command") + 1 :]), structured=False)
        return
    text = base64.b64decode(arguments[lowered.index("-encodedcommand") + 1]).decode("utf-16-le")
    if text != BOOTSTRAP:
        script(text, structured=False)
        return
    document = base64.b64decode("".join(sys.stdin.read().split()), validate=True)
    call(json.loads(document))


def main() -> int:
    busy = STATE / "running"
    busy.mkdir(exist_ok=True, mode=0o777)
    mark = busy / str(os.getpid())

    def interrupted(*_: object) -> None:  # not an exception: one that comes while Python tidies up is lost
        mark.unlink(missing_ok=True)
        os._exit(130)

    signal.signal(signal.SIGINT, interrupted)  # where the tests run in the background it may be ignored
    mark.write_text(" ".join(sys.argv[1:])[:200])
    try:
        line = sys.argv[1] if len(sys.argv) == 2 else " ".join(sys.argv[1:])
        if line == "toolong":
            sys.stderr.write("The command line is too long.\r\n")
            return 1
        first, _, rest = line.strip().partition(" ")
        if first.strip('"').lower() in {"powershell", "powershell.exe"}:
            powershell(rest.split())
            return 0
        return program([first, *rest.split()], say)
    finally:
        mark.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
