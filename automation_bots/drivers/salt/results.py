"""What a minion returned becomes an outcome: states counted and named, commands by their exit code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from automation_bots.drivers.output import cut, first_line, last_line
from automation_bots.drivers.salt.functions import Call
from automation_bots.model import Outcome, Risk, Status, one_line

_LEFT_OUT = "(Salt left the answer out: it is longer than max_event_size of the minion or the master)"
_NAMED = 3  # failed states in the summary


def outcome(device: str, call: Call, risk: Risk, data: Mapping[str, Any], limit: int) -> Outcome:
    """Judge one return, as the event stream or the job cache has it."""
    value = _whole(data.get("return"))
    if call.is_state and isinstance(value, dict) and all(_is_state(entry) for entry in value.values()):
        return _states(device, value, limit)
    if call.function == "cmd.run_all" and isinstance(value, dict) and "retcode" in value:
        return _command(device, value, risk, limit)
    text = _text(value)
    failed = bool(data.get("retcode")) or data.get("success") is False
    status = Status.FAILED if failed else Status.CHANGED if risk is Risk.CHANGE else Status.OK
    summary = first_line(text) or ("failed" if failed else "")
    return Outcome(device, status, one_line(summary, 300), cut(text, limit), exit_code=_code(data.get("retcode")))


def _whole(value: Any) -> Any:
    """Say what a text of Salt's own means: minions send it instead of what is too long for them."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return _LEFT_OUT if value == "VALUE_TRIMMED" else value


def _command(device: str, value: Mapping[str, Any], risk: Risk, limit: int) -> Outcome:
    out, err, code = str(value.get("stdout") or ""), str(value.get("stderr") or ""), _code(value.get("retcode"))
    text = cut("\n".join(part for part in (out, err) if part), limit)
    if code:
        return Outcome(device, Status.FAILED, last_line(err.encode()) or f"exit code {code}", text, exit_code=code)
    return Outcome(device, Status.CHANGED if risk is Risk.CHANGE else Status.OK, first_line(text), text, exit_code=code)


def _is_state(entry: object) -> bool:
    return isinstance(entry, dict) and "result" in entry


def _states(device: str, states: Mapping[str, Mapping[str, Any]], limit: int) -> Outcome:
    entries = sorted(states.items(), key=lambda item: item[1].get("__run_num__", 0))
    failed = [(key, state) for key, state in entries if state["result"] is False]
    would = sum(state["result"] is None for _, state in entries)
    changed = sum(bool(state.get("changes")) and state["result"] is True for _, state in entries)
    text = cut("\n".join(line for key, state in entries for line in _lines(key, state)), limit)
    if failed:
        names = "; ".join(
            f"{_name(key, state)}: {one_line(str(state.get('comment')), 80)}" for key, state in failed[:_NAMED]
        )
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        done = f" ({changed} changed before)" if changed else ""
        return Outcome(
            device, Status.FAILED, f"{len(failed)} of {len(entries)} states failed: {names}{more}{done}", text
        )
    if would:
        names = ", ".join(_name(key, state) for key, state in entries if state["result"] is None)
        return Outcome(
            device, Status.SKIPPED, one_line(f"would change {would} of {len(entries)} states: {names}", 300), text
        )
    status = Status.CHANGED if changed else Status.OK
    return Outcome(
        device,
        status,
        f"{changed} of {len(entries)} states changed" if changed else f"{len(entries)} states in place",
        text,
    )


def _name(key: str, state: Mapping[str, Any]) -> str:
    return one_line(str(state.get("__id__") or key.split("_|-")[1 if "_|-" in key else 0]), 80)


def _lines(key: str, state: Mapping[str, Any]) -> list[str]:
    words = {True: "changed" if state.get("changes") else "ok", False: "FAILED", None: "would change"}
    head = (
        f"{words.get(state['result'], '?'):<12} {_name(key, state)}: {one_line(str(state.get('comment') or ''), 200)}"
    )
    changes = state.get("changes")
    return [head, *(f"  {line}" for line in _text(changes).splitlines())] if changes else [head]


def _text(value: Any) -> str:
    if value is None or value == {} or value == []:
        return ""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    if isinstance(value, dict | list):
        return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False)).rstrip()
    return str(value).rstrip("\n")


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
