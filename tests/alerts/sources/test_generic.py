"""Any JSON, by JMESPath expressions; the mappings of the docs on what their senders send."""

import json
import re
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources import generic, registry
from automation_bots.alerts.sources.registry import WrongSource
from automation_bots.errors import BadPayload
from tests.alerts.site import NOW

DOCS = (Path(__file__).parents[3] / "docs/events.md").read_text()
TABLES = {name: table for text in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
          for name, table in tomllib.loads(text).get("events", {}).get("sources", {}).items()}  # fmt: skip
KUMA = {"heartbeat": {"monitorID": 7, "status": 0, "time": "2026-12-01 09:00:00.123", "msg": "timeout of 48 s",
                      "important": True, "duration": 60},
        "monitor": {"id": 7, "name": "intranet", "url": "https://intranet.corp.example", "hostname": None},
        "msg": "[intranet] [Down] timeout"}  # fmt: skip
FALCO = {"output": "Shell spawned in a container", "priority": "Warning", "rule": "Terminal shell in container",
         "time": "2026-12-01T09:00:00.123456789Z", "hostname": "node-01", "tags": ["container"],
         "output_fields": {"proc.pid": 12345, "user.name": "root", "proc.tty": None}}  # fmt: skip
SENSU = {"timestamp": 1796115600, "check": {"metadata": {"name": "check-cpu"}, "status": 2, "output": "CPU 99 %\n"},
         "entity": {"metadata": {"name": "web1", "namespace": "default", "labels": {"site": "madrid"}}}}  # fmt: skip
PLAIN = {"kind": "json", "token": "t" * 16}


def read(table, body):
    return generic.read(json.dumps(body).encode(), {}, registry.settings_of("x", table), NOW)


def mapped(**where):
    return {**PLAIN, "map": where}


def test_the_mappings_of_the_docs_read_what_their_senders_send():
    (kuma,), (falco,), (sensu,) = read(TABLES["kuma"], KUMA), read(TABLES["falco"], FALCO), read(TABLES["sensu"], SENSU)
    assert (kuma.what, kuma.phase, kuma.fingerprint) == ("intranet", Phase.FIRING, "7")
    assert kuma.about == "https://intranet.corp.example"
    assert (falco.what, falco.phase, falco.severity) == (FALCO["rule"], Phase.SINGLE, Severity.WARNING)
    assert falco.fields == {"proc.pid": "12345", "user.name": "root"}
    assert (sensu.fingerprint, sensu.severity) == ("default/web1/check-cpu", Severity.CRITICAL)
    assert sensu.fields == {"site": "madrid"}


@pytest.mark.parametrize(("status", "phases"), [(0, [Phase.FIRING]), (1, [Phase.RESOLVED]), (2, [])])
def test_a_state_of_neither_list_is_nothing_to_tell(status, phases):
    body = {**KUMA, "heartbeat": {**KUMA["heartbeat"], "status": status}}
    assert [event.phase for event in read(TABLES["kuma"], body)] == phases


def test_the_senders_own_test_message_is_an_event_without_a_state():
    (event,) = read(TABLES["kuma"], {"heartbeat": None, "monitor": None, "msg": "Uptime Kuma test"})
    assert (event.what, event.phase) == ("Uptime Kuma test", Phase.SINGLE)


def test_alerts_that_could_not_be_told_apart_are_refused():
    body = {**KUMA, "heartbeat": {"status": 0}}
    with pytest.raises(BadPayload, match=r"fingerprint .* finds nothing"):
        read(TABLES["kuma"], body)


def test_each_event_of_a_list_is_one():
    table = mapped(each="items[]", what="n")
    assert [event.what for event in read(table, {"items": [{"n": "a"}, {"n": "b"}]})] == ["a", "b"]


@pytest.mark.parametrize("body", [{}, {"items": "x"}, [], 1, None])
def test_a_body_without_the_list_is_refused(body):
    with pytest.raises(BadPayload):
        read(mapped(each="items", what="n"), body)


def test_more_events_than_anybody_sends_are_refused():
    with pytest.raises(BadPayload, match="5,001 events"):
        read(mapped(each="@", what="n"), [{"n": "a"}] * 5_001)


def test_a_severity_that_nobody_knows_refuses_no_event():
    (event,) = read(mapped(what="n", severity="s"), {"n": "a", "s": "blue"})
    assert event.severity is Severity.UNKNOWN


def test_times_are_read_as_senders_write_them():
    table = mapped(what="n", state="s", resolved=["ok"], fingerprint="n", started="t")
    times = ["2026-12-01T10:00:00+01:00", 1796115600, "1796115600", 1796115600000, "2026-12-01T09:00:00.123456789Z"]
    found = [read(table, {"n": "a", "s": "bad", "t": time})[0].started.replace(microsecond=0) for time in times]
    assert found == [NOW] * 5
    assert read(table, {"n": "a", "s": "bad", "t": "yesterday"})[0].started is None


@pytest.mark.parametrize(("where", "said"), [
    ({"what": "a..b"}, "no JMESPath expression"),
    ({"what": "a", "state": "s"}, "resolved = .* and fingerprint are needed"),
    ({"what": "a", "resolved": ["x"]}, "values of state, which is missing"),
    ({"state": "s"}, "Field required|map.what"),
    ({"what": "a", "wat": "b"}, "not known|not permitted|wat"),
])  # fmt: skip
def test_a_wrong_mapping_is_told_with_its_key(where, said):
    with pytest.raises(WrongSource, match=said) as error:
        registry.settings_of("x", mapped(**where))
    assert error.value.where[:2] == ("x", "map")


KEYS = st.sampled_from(["heartbeat", "monitor", "status", "name", "check", "rule"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_whatever_comes_is_read_or_refused(body):
    for table in TABLES.values():
        if table["kind"] == "json":
            with suppress(BadPayload):
                assert all(event.what for event in read(table, body))
