"""A check of documents against the published definitions of the Elastic Common Schema, as they lie in tests/ecs.

The files there hold the facts (name, type, allowed values) of each field set that a record of commands could use, as
Elasticsearch B.V. publishes them under the Apache License 2.0. An index made by these definitions (Filebeat's and
Logstash's templates are) refuses a document of another shape, and does not index what is too long.
"""

import base64
import binascii
import ipaddress
import json
import re
from pathlib import Path

VERSIONS = ("8.11.0", "9.3.0")
OWN = re.compile(r"labels\.[a-z_]+")  # where the schema lets everybody put names of their own
IGNORED_ABOVE = 1024  # characters of a keyword, where the definition names no other number
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")  # strict_date_optional_time_nanos


class Schema:
    """One version of it."""

    def __init__(self, version):
        published = json.loads((Path(__file__).parent / "ecs" / f"{version}.json").read_text())
        assert published["version"] == version
        self.fields = published["fields"]
        self._objects = {above for name in self.fields for above in _above(name)}
        self._allowed = published["allowed"]
        self._types_of_category = published["types_of_category"]

    def mistakes(self, document):
        """What an index by the schema would refuse, lose or file wrongly."""
        found = [self._mistake(name, value) for name, value in _leaves(document)]
        return [one for one in found if one] + self._uncategorized(document["event"])

    def _mistake(self, name, value):
        if clash := self._clash(name):
            return f"{name} is a value here, and {clash} in the schema"
        kind = self.fields.get(name) or (OWN.fullmatch(name) and self.fields["labels"].split(" of ")[1])
        if kind is None or not _fits(kind, value):
            return f"{name} is {kind or 'not in the schema'}, not {value!r}"
        wrong = [word for word in _each(value) if word not in self._allowed.get(name, [word])]
        return f"{name} may not be {wrong}" if wrong else ""

    def _clash(self, name):
        """An object of the schema that is a value in the document, or the other way round."""
        scalar = [one for one in _above(name) if not self.fields.get(one, "object").startswith(("object", "flattened"))]
        return "an object" if name in self._objects else "".join(scalar)

    def _uncategorized(self, event):
        """The types of event that go with none of the event's categories."""
        known = {word for category in event["category"] for word in self._types_of_category.get(category, ())}
        return [f"{event['category']} does not go with {word}" for word in event["type"] if word not in known]


def _above(name):
    """The objects that a field lies in."""
    parts = name.split(".")
    return {".".join(parts[:depth]) for depth in range(1, len(parts))}


def _leaves(document, above=""):
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _each(value):
    return value if isinstance(value, list) else [value]


def _fits(kind, value):
    if kind.endswith("[]"):
        return isinstance(value, list) and all(_fits(kind[:-2], one) for one in value)
    name, _, limit = kind.partition(" up to ")
    if name in {"keyword", "constant_keyword"}:
        return isinstance(value, str) and len(value) <= int(limit or IGNORED_ABOVE)
    return name in _CHECKS and bool(_CHECKS[name](value))


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value):
    return isinstance(value, str)


def _is_date(value):
    return isinstance(value, str) and _DATE.fullmatch(value)


def _is_address(value):
    try:
        return isinstance(value, str) and ipaddress.ip_address(value)
    except ValueError:
        return False


def _is_bytes(value):
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True)
    except binascii.Error:
        return False


_CHECKS = {
    "long": _is_whole, "float": _is_number, "scaled_float": _is_number, "date": _is_date, "ip": _is_address,
    "boolean": lambda value: isinstance(value, bool), "match_only_text": _is_text, "wildcard": _is_text,
    "not indexed": _is_text, "binary": _is_bytes,
}  # fmt: skip
