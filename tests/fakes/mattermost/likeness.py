"""Compares what was captured with what came: the same but for ids, times and secrets."""

from __future__ import annotations

import json
import re

_ID = re.compile(r"(?<![a-z0-9])[a-z0-9]{26}(?![a-z0-9])")
_SINCE = re.compile(r"since=(\d+)")
_TIME = 1_600_000_000_000  # milliseconds; larger numbers are times
_LOCAL = "http://127.0.0.1:8066"  # where the captured integration was


class Likeness:
    """Learns which captured id is which one here."""

    def __init__(self):
        self.ids: dict[str, str] = {}
        self.times: dict[str, int] = {}
        self.differences: list[str] = []
        self.where = ""

    def put_in(self, value, address: str = ""):
        """Turn what a client said then into what it says now."""
        if isinstance(value, str):
            value = self.ids.get(value, value).replace(_LOCAL, address or _LOCAL)
            value = _SINCE.sub(lambda found: f"since={self.times[found.group(1)]}", value)
            return _ID.sub(lambda found: self.ids.get(found.group(), found.group()), value)
        if isinstance(value, list):
            return [self.put_in(one, address) for one in value]
        if isinstance(value, dict):
            return {key: self.put_in(one, address) for key, one in value.items()}
        return value

    def same(self, expected, got, path: str = "") -> None:
        """Note every difference."""
        if isinstance(expected, dict) and isinstance(got, dict):
            self._dicts(expected, got, path)
        elif isinstance(expected, list | tuple) and isinstance(got, list | tuple):
            if len(expected) != len(got):
                self._note(path, f"{len(expected)} of them", f"{len(got)} of them: {json.dumps(got[-3:])[:600]}")
            for number, (one, other) in enumerate(zip(expected, got, strict=False)):
                self.same(one, other, f"{path}[{number}]")
        elif isinstance(expected, str) and isinstance(got, str):
            self._strings(expected, got, path)
        elif _times(expected, got):
            self.times[str(expected)] = got
        elif type(expected) is not type(got) or expected != got:
            self._note(path, expected, got)

    def _dicts(self, expected: dict, got: dict, path: str) -> None:
        expected = {self.put_in(key): value for key, value in expected.items()}
        if set(expected) != set(got):
            self._note(path, f"without {sorted(set(got) - set(expected))}", f"{sorted(set(expected) - set(got))}")
        for key in expected:
            if key in got:
                self.same(expected[key], got[key], f"{path}.{key}")

    def _strings(self, expected: str, got: str, path: str) -> None:
        if expected == "<token>":
            return
        if expected[:1] in "{[" and expected[:1] == got[:1] and expected:
            self.same(json.loads(expected), json.loads(got), f"{path}(json)")
        elif path.endswith("trigger_id"):
            self.ids[expected] = got
        else:
            self._bind(expected, got)
            if self.put_in(expected) != got:
                self._note(path, expected, got)

    def _bind(self, expected: str, got: str) -> None:
        for one, other in zip(_ID.findall(expected), _ID.findall(got), strict=False):
            if one not in self.ids and other not in self.ids.values():
                self.ids[one] = other

    def _note(self, path: str, expected, got) -> None:
        self.differences.append(f"{self.where} {path}: captured {expected!r}, here {got!r}")


def _times(expected, got) -> bool:
    return isinstance(expected, int) and isinstance(got, int) and expected > _TIME and got > _TIME
