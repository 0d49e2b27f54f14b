"""The part of the published Elastic Common Schema 8.11 that the copy of the record uses, and a check against it.

From elastic.co/guide/en/ecs/8.11: the tables of the field sets base, ecs, event, related and user, and the allowed
values of the categorization fields. An index made by its templates refuses or loses what does not fit.
"""

import re

VERSION = "8.11.0"
TYPES = {  # field: its type in the index, with [] where the schema wants an array
    "@timestamp": "date", "message": "match_only_text", "labels.*": "keyword", "ecs.version": "keyword",
    "event.action": "keyword", "event.category": "keyword[]", "event.hash": "keyword", "event.kind": "keyword",
    "event.original": "not indexed", "event.outcome": "keyword", "event.reason": "keyword", "event.sequence": "long",
    "event.type": "keyword[]", "user.id": "keyword", "user.name": "keyword", "related.hosts": "keyword[]",
}  # fmt: skip
KINDS = {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"}
OUTCOMES = {"success", "failure", "unknown"}
EXPECTED = {  # of event.category: the types of event that go with it
    "api": "access admin allowed change creation deletion denied end info start user",
    "configuration": "access change creation deletion info",
    "file": "access change creation deletion info",
    "package": "access change deletion info installation start",
    "process": "access change end info start",
}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")  # strict_date_optional_time_nanos
IGNORED_ABOVE = 1024  # characters of a keyword; a longer one is not indexed


def mistakes(document):
    """What an index by the schema would refuse, lose or file wrongly."""
    found = [f"{name}: {value!r}" for name, value in _leaves(document) if not _fits(name, value)]
    event = document["event"]
    found += [f"kind {event['kind']}"] * (event["kind"] not in KINDS)
    found += [f"outcome {event['outcome']}"] * (event["outcome"] not in OUTCOMES)
    types = {word for category in event["category"] for word in EXPECTED.get(category, "").split()}
    return found + [f"{event['category']} does not go with {word}" for word in event["type"] if word not in types]


def _leaves(document, above=""):
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def _fits(name, value):
    kind = TYPES.get("labels.*" if re.fullmatch(r"labels\.[a-z_]+", name) else name, "not in the schema")
    if kind.endswith("[]"):
        return isinstance(value, list) and all(_is(kind[:-2], one) for one in value)
    return _is(kind, value)


def _is(kind, value):
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if kind == "date":
        return bool(_DATE.fullmatch(value))
    if kind == "keyword":
        return isinstance(value, str) and len(value) <= IGNORED_ABOVE
    return kind in {"match_only_text", "not indexed"} and isinstance(value, str)
