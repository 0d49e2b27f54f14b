"""Callback plugin: tells the bot what ansible-playbook does, a JSON line each, with texts cut where they are made."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.executor.task_executor import TaskExecutor
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: bot_events
    type: stdout
    short_description: Tell Automation Bots what happens
    description: One line of JSON for each event on standard output. Started by the ansible driver only.
"""

DIFF_LIMIT = 100_000  # difflib takes minutes on more, and nobody reads it in a chat
NOT_ALLOWED = 99  # exit code: a play reached for a device that was not decided on, or its files are others
_HERE = ("localhost", "127.0.0.1", "::1")  # Ansible's own names for this machine
_VAGUE = (
    *("non-zero return code", "MODULE FAILURE", "One or more items failed", "Error executing command."),
    "Module result deserialization failed",
)
_COMMANDS = {"command", "shell", "raw", "script", "win_command", "win_shell", "expect"}
_NAMES = ("name", "key", "id", "path")  # of an item that is a table: by what people know it
_ITEM = 60
_REASON_SECONDS = 5.0
_QUIET = {"changed", "failed", "skipped", "invocation", "ansible_facts", "warnings", "deprecations", "exception"}


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible ships no types
    """Write events; stop everything when a task is about to start on a device that is not in the list."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "bot_events"

    def __init__(self) -> None:
        super().__init__()
        self._mark = os.environ["AUTOMATION_BOTS_RUN"]
        self._limit = int(os.environ["AUTOMATION_BOTS_OUTPUT_LIMIT"])
        self._raw = os.environ.get("AUTOMATION_BOTS_RAW") == "1"
        self._allowed = set(json.loads(Path(os.environ["AUTOMATION_BOTS_DEVICES"]).read_text(encoding="utf-8")))
        self._room: dict[str, int] = {}
        self._plays: list[str] = []  # their ids, in their order
        self._inventory: frozenset[str] = frozenset()  # before any play has added hosts
        _look_at_each_connection(os.environ["AUTOMATION_BOTS_DOOR"])
        self._keep_to(Path(os.environ["AUTOMATION_BOTS_FILES"]))

    def _keep_to(self, approved: Path) -> None:
        files = _approved_files()(**json.loads(approved.read_text(encoding="utf-8")))
        if changed := files.changed():  # what was read so far may be another file than the job's
            self._tell("refused", file=changed)
            os._exit(NOT_ALLOWED)
        files.watch()

    def _tell(self, event: str, **fields: Any) -> None:
        # The mark is secret to this run, so no output of a device can pass for an event.
        sys.stdout.write(f"\n{self._mark}{json.dumps({'event': event, **fields}, default=str)}\n")
        sys.stdout.flush()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """The playbook is read; nothing has run yet."""
        plays = playbook.get_plays()
        self._plays = [play._uuid for play in plays]
        if plays:
            self._begin(plays[0].get_variable_manager()._inventory)
        self._tell("plays", names=[play.get_name() for play in plays])

    def _begin(self, inventory: Any) -> None:
        """Remember the inventory as it is; where the playbook may, its plays for this machine are in the limit too."""
        self._inventory = frozenset(inventory.hosts)
        if os.environ["AUTOMATION_BOTS_CONTROLLER"] == "1" and inventory._subset:
            names = [name for name in _HERE if name not in self._inventory]  # else it is a device as any other
            inventory._subset = [*inventory._subset, *names]
            self._allowed.update(names)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play (or its next batch) starts."""
        known = play.get_variable_manager().get_vars(play=play)
        self._tell(
            "play",
            name=play.get_name(),
            number=self._plays.index(play._uuid),
            hosts=[str(name) for name in known.get("ansible_play_hosts_all", ())],
            batch=[str(name) for name in known.get("ansible_play_batch", ())],
            **self._left_out(play),
        )

    def _left_out(self, play: Any) -> dict[str, Any]:
        """Which hosts the play names beyond those that it may run on: this machine, hosts it made up, other devices."""
        inventory = play.get_variable_manager()._inventory
        hosts = inventory.get_hosts(play.hosts, ignore_limits=True, ignore_restrictions=True)
        left = [host for host in hosts if host.get_name() not in self._allowed]
        names = {host.get_name() for host in left if not host.implicit}
        return {
            "pattern": play.hosts if isinstance(play.hosts, str) else ",".join(map(str, play.hosts)),
            "controller": any(host.implicit for host in left),
            "added": sorted(names - self._inventory),
            "others": sorted(names & self._inventory)[:10],
        }

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002, FBT001 - Ansible's signature
        """A task starts."""
        self._tell("task", name=task.get_name())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler starts."""
        self._tell("task", name=task.get_name())

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Ansible is about to start a worker for this host, and waits for us: the last moment to say no."""
        name = host.get_name()
        if name not in self._allowed:
            self._tell("refused", host=name)
            # An exception would only be a warning to Ansible.
            os._exit(NOT_ALLOWED)
        self._tell("start", host=name, task=task.get_name(), background=bool(task.async_val and not task.poll))

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task ended well on a host."""
        self._result(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task did not apply to a host."""
        self._result(result, "skipped")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - Ansible's signature
        """A task failed on a host."""
        status = "ignored" if ignore_errors else "failed"
        stops_all = bool(result.task.any_errors_fatal or result.task.run_once)
        self._result(result, status, final=not ignore_errors and not _may_be_rescued(result.task), stops_all=stops_all)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host could not be reached."""
        ignored = bool(result.task.ignore_unreachable)
        self._result(result, "ignored" if ignored else "unreachable", final=not ignored)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Too many hosts failed: the play stops."""
        self._tell("stopped")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """All plays are over; what Ansible counted is what decides."""
        self._tell("stats", hosts={str(name): stats.summarize(name) for name in stats.processed})

    def _result(self, result: Any, status: str, *, final: bool = False, stops_all: bool = False) -> None:
        values = result.result
        host = result.host.get_name()
        self._tell(
            "result",
            host=host,
            status=status,
            task=_title(result),
            unforeseen=_unforeseen(result.task, values) if status == "skipped" else {},
            message=_message(values)[:500],
            said=_said(result.task, values)[:500],
            unasked=_unasked(result.task)[:120],
            text=self._cut(host, "\n".join(part for part in self._text(result.task, values) if part)),
            rc=values.get("rc") if isinstance(values.get("rc"), int) else None,
            final=final,
            stops_all=stops_all and final,
        )

    def _text(self, task: Any, values: Mapping[str, Any]) -> Iterator[str]:
        if self._raw:
            yield from self._streams(values)
            return
        items = values.get("results")
        if not isinstance(items, list):
            yield from self._one(task, values)
            return
        for item in items:
            if isinstance(item, Mapping):
                text = "\n".join(part for part in self._one(task, item) if part)
                yield f"({_item(item)}) {text}".rstrip()

    def _one(self, task: Any, values: Mapping[str, Any]) -> Iterator[str]:
        if "censored" in values:
            yield str(values["censored"])
            return
        if values.get("diff"):
            yield self._diff(values["diff"])
        message = values.get("msg")
        if message and not values.get("skipped"):
            yield self._short(message)
        yield self._short(values.get("stdout", ""))
        yield self._short(values.get("stderr", ""))
        if task.action in {"debug", "ansible.builtin.debug"} and "msg" not in values:
            shown = {k: v for k, v in values.items() if k not in _hidden(task, values) and not k.startswith("_")}
            yield self._short(shown) if shown else ""

    def _streams(self, values: Mapping[str, Any]) -> Iterator[str]:
        out, err = self._short(values.get("stdout", "")), self._short(values.get("stderr", ""))
        yield out
        if not out or values.get("rc"):
            # `nginx -t` and its kind say everything on standard error.
            yield err

    def _short(self, value: Any) -> str:
        if isinstance(value, str):
            return value[: self._limit + 1]
        return json.dumps(value, indent=2, default=str, ensure_ascii=False)[: self._limit + 1]

    def _diff(self, diff: Any) -> str:
        parts = [part for part in (diff if isinstance(diff, list) else [diff]) if isinstance(part, dict)]
        sizes = [len(str(part.get(side) or "")) for part in parts for side in ("before", "after")]
        if max(sizes, default=0) > DIFF_LIMIT:
            return "(the difference is too large to show)"
        return str(self._get_diff(parts)).strip("\n")

    def _cut(self, host: str, text: str) -> str:
        text = text.encode("utf-8", "replace").decode("utf-8")
        room = self._room.get(host, self._limit)
        if room < 0 or not text:
            return ""
        self._room[host] = room - len(text)
        return text if len(text) <= room else f"{text[:room]}\n[output cut at {_size(self._limit)}]"


def _look_at_each_connection(door: str) -> None:
    """Ask the bot before each task where its connection leads, which is known only then, in the task's own process."""
    ready = TaskExecutor._set_connection_options

    def asked(executor: Any, variables: Any, templar: Any) -> Any:
        found = ready(executor, variables, templar)
        task, connection = executor._task, executor._connection
        question = {
            "on": str(task.delegate_to or executor._host.get_name()),
            "here": connection.transport == "local",
            "address": str(_option(connection, "host", "remote_addr") or executor._play_context.remote_addr or ""),
            "port": _option(connection, "port"),
        }
        if why := _answer(door, question):
            templar.available_variables = executor._job_vars  # else Ansible cannot name the item of a loop
            raise AnsibleError(why)
        _hear_out(connection)
        return found

    TaskExecutor._set_connection_options = asked


def _hear_out(connection: Any) -> None:
    """Let an ssh that takes nothing tell why: Ansible gives it a millisecond to end, then names no reason at all."""
    if (send := getattr(connection, "_send_initial_data", None)) is None:
        return

    def patiently(fh: Any, in_data: bytes, ssh_process: Any) -> None:
        try:
            send(fh, in_data, ssh_process)
        except AnsibleConnectionFailure:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ssh_process.wait(_REASON_SECONDS)
                return  # it has ended: its own reason is read next
            raise

    connection._send_initial_data = patiently


def _option(connection: Any, *names: str) -> Any:
    for name in names:
        try:
            return connection.get_option(name)
        except KeyError:
            continue
    return None


def _answer(door: str, question: Mapping[str, Any]) -> str:
    """Why the bot does not let this connection be; it says nothing else."""
    try:
        with socket.socket(socket.AF_UNIX) as wire, wire.makefile("rwb") as stream:
            wire.connect(door)
            stream.write(json.dumps(question, default=str).encode() + b"\n")
            stream.flush()
            return str(json.loads(stream.readline())["why"])
    except (OSError, ValueError):  # whatever it was, the answer would be no
        return f"the bot could not be asked whether it may work on {question['on']}"


def _title(result: Any) -> str:
    """The task's name, and on which host it was done if not on its own."""
    on = (result.result.get("_ansible_delegated_vars") or {}).get("ansible_delegated_host")
    return f"{result.task.get_name()} (on {on})" if on else str(result.task.get_name())


def _unforeseen(task: Any, values: Mapping[str, Any]) -> dict[str, int]:
    """What a preview left out because its effect is known only when it is done: {"command": 2}."""
    items = values.get("results")
    items = [i for i in items if isinstance(i, Mapping)] if isinstance(items, list) else [values]
    preview = context.CLIARGS.get("check")
    short = str(task.action).rpartition(".")[2]
    left = [i for i in items if preview and not _does_not_apply(i)]  # all of them were skipped
    return {"command" if short in _COMMANDS else f"task of {short}": len(left)} if left else {}


def _unasked(task: Any) -> str:
    """The question of a `pause` that waits for somebody; nobody is there, so Ansible goes on at once."""
    waits = {"prompt", "seconds", "minutes"} & set(task.args or ())
    if str(task.action).rpartition(".")[2] != "pause" or waits - {"prompt"}:
        return ""
    return str(task.args.get("prompt") or "press Enter to continue")


def _does_not_apply(item: Mapping[str, Any]) -> bool:
    """Whether its condition, its empty loop or what is there already keeps it from running in earnest too."""
    told = str(item.get("msg") or "")
    return bool(item.get("skip_reason") or item.get("skipped_reason") or item.get("false_condition")) or (
        bool(told) and "check mode" not in told
    )


def _approved_files() -> Any:
    """Load the class by its file: Ansible's Python need not know our package."""
    path = Path(__file__).parents[3] / "processes" / "approved_files.py"
    spec = importlib.util.spec_from_file_location("approved_files", path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # a file always has one
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module.ApprovedFiles


def _item(values: Mapping[str, Any]) -> str:
    if values.get("_ansible_no_log") or "censored" in values:
        return ""
    label = values.get("_ansible_item_label", values.get("item", ""))
    if isinstance(label, Mapping):
        label = next((label[key] for key in _NAMES if isinstance(label.get(key), str | int)), label)
    text = label if isinstance(label, str) else json.dumps(label, default=str, ensure_ascii=False)
    return text if len(text) <= _ITEM else f"{text[: _ITEM - 1]}…"


def _hidden(task: Any, values: Mapping[str, Any]) -> set[str]:
    """What `debug: var=…` did not ask for: how the task ended, and the item of its loop."""
    loop = str(values.get("ansible_loop_var", ""))
    return _QUIET | {"ansible_loop_var", "skip_reason", "false_condition"} | ({loop} - {task.args.get("var")})


def _message(values: Mapping[str, Any]) -> str:
    """Return what a person should read of a failure: vague messages of modules give way to what the program said."""
    if "censored" in values:
        return str(values["censored"])
    said = values.get("msg") or values.get("reason") or ""
    message = "; ".join(map(str, said)) if isinstance(said, list | tuple) else str(said)
    if message and not message.startswith(_VAGUE):
        return message
    results = [i for i in values.get("results") or () if isinstance(i, Mapping)]
    failed = [i for i in results if i.get("failed")] or [i for i in results if i.get("msg")][:1]
    if failed:
        said = [": ".join(part for part in (_item(item), _message(item)) if part) for item in failed[:5]]
        return "; ".join(said) + (f" and {len(failed) - 5} more" if len(failed) > 5 else "")
    for stream in ("stderr", "module_stderr", "stdout", "module_stdout"):
        lines = str(values.get(stream) or "")[-5000:].strip().splitlines()
        if lines:
            return lines[-1]
    return message


def _said(task: Any, values: Mapping[str, Any]) -> str:
    shows = task.action in {"debug", "ansible.builtin.debug"} and isinstance(values.get("msg"), str)
    return str(values["msg"]) if shows and not values.get("skipped") else ""


def _may_be_rescued(task: Any) -> bool:
    block = getattr(task, "_parent", None)
    while block is not None:
        if getattr(block, "rescue", None):
            return True
        block = getattr(block, "_parent", None)
    return False


def _size(limit: int) -> str:
    return f"{limit / 1_000_000:g} MB" if limit >= 1_000_000 else f"{limit / 1000:g} kB"
