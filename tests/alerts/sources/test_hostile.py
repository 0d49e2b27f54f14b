"""Whatever stands in a body of Zabbix, Grafana or LibreNMS: events with texts in them, or a refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.alerts.sources import grafana, librenms, registry, zabbix
from automation_bots.errors import BadPayload
from tests.alerts.sources.test_grafana import DISK
from tests.alerts.sources.test_librenms import DOWN
from tests.alerts.sources.test_zabbix import LIFE
from tests.support.bounds import examples

NOW = datetime(2026, 12, 1, tzinfo=UTC)
STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["0001.01.01", "9999.12.31", "00:00:00", "999999d 1s", "1e400", "9" * 400, "{EVENT.ID}", "[[[["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
SENDERS = {
    "zabbix": (zabbix.read, LIFE[5]["body"]),
    "librenms": (librenms.read, DOWN),
    "grafana": (grafana.read, {"version": "1", "status": "firing", "alerts": [DISK], "truncatedAlerts": 0}),
}


@pytest.mark.parametrize("kind", SENDERS)
@settings(max_examples=examples(60))
@given(data=st.data())
def test_a_body_with_anything_in_it_is_events_with_texts_or_refused(kind, data):
    read, good = SENDERS[kind]
    wanted = registry.settings_of(kind, {"kind": kind, "token": "a-token-of-a-test"})
    body = {**good, **data.draw(st.dictionaries(st.sampled_from(sorted(good)), STRANGE, min_size=1, max_size=4))}
    try:
        events = read(json.dumps(body).encode("utf-8", "surrogatepass"), {}, wanted, NOW)
    except BadPayload:
        return
    for event in events:
        texts = (event.what, event.about, event.text, event.fingerprint, event.by, event.done, event.note)
        assert all(isinstance(text, str) for text in (*texts, *event.fields, *event.fields.values()))


@pytest.mark.parametrize("kind", SENDERS)
@given(body=st.binary(max_size=200))
@settings(max_examples=examples(60))
def test_any_bytes_are_events_or_refused(kind, body):
    wanted = registry.settings_of(kind, {"kind": kind, "token": "a-token-of-a-test"})
    try:
        SENDERS[kind][0](body, {}, wanted, NOW)
    except BadPayload:
        return
