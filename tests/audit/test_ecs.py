"""The ECS copy: complete, in order, private, and never in the way."""

import hashlib
import json
import logging
import os
import stat
import time
from datetime import UTC, datetime

import pytest

from automation_bots.audit import ecs, syslog
from automation_bots.audit.ecs import EcsLog, ecs_of
from automation_bots.store import AuditKind, AuditRow
from automation_bots.store.audit import START, hash_of
from automation_bots.store.codec import canonical
from automation_bots.store.schema import stamp
from tests.support import ecs_schema

pytestmark = [pytest.mark.slow, pytest.mark.works]

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, UTC)
BODY = {"devices": ["web1", "web2"], "parameters": {"name": "nginx"}, "risk": "change"}


class Rows:
    """A record in memory."""

    def __init__(self):
        self.rows = []
        self.listeners = []

    def add(self, kind=AuditKind.ACCEPTED, body=BODY, **changes):
        fields = {"seq": len(self.rows) + 1, "at": stamp(NOON), "kind": str(kind), "person": "ana", "network": "slack",
                  "caller": "U1", "place": "C1", "operation": "service", "devices": 2, "job": 42,
                  "body": canonical(body), "prev": self.rows[-1].hash if self.rows else START, **changes}  # fmt: skip
        row = AuditRow(**{**fields, "at": NOON, "body": body, "hash": hash_of(fields)})
        self.rows.append(row)
        for listener in self.listeners:
            listener()

    def audit_after(self, seq, limit=500):
        return [row for row in self.rows if row.seq > seq][:limit]

    def on_commit(self, listener):
        self.listeners.append(listener)


@pytest.fixture
def rows():
    return Rows()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.json"


def events(path):
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]


def sequences(path):
    return [event["sequence"] for event in events(path)]


def test_a_row_has_the_names_of_the_schema(rows):
    rows.add()
    document = ecs_of(rows.rows[0])
    original, digest = document["event"].pop("original"), document["event"].pop("hash")
    assert hashlib.sha256(original.encode()).hexdigest() == digest
    assert document == {
        "@timestamp": "2026-03-01T12:00:00.000005Z",
        "ecs": {"version": "8.11.0"},
        "message": "#42 service accepted on 2 devices by ana",
        "event": {"kind": "event", "category": ["process"], "type": ["info"], "action": "accepted", "sequence": 1,
                  "outcome": "unknown"},
        "labels": {"job": "42", "operation": "service", "network": "slack", "place": "C1", "risk": "change",
                   "parameters": '{"name":"nginx"}'},
        "user": {"name": "ana", "id": "slack:U1"},
        "related": {"hosts": ["web1", "web2"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (AuditKind.STARTED, {}, ("process", "start", "unknown")),
        (AuditKind.ENDED, {"state": "done"}, ("process", "end", "success")),
        (AuditKind.ENDED, {"state": "failed"}, ("process", "end", "failure")),
        (AuditKind.INTERRUPTED, {"state": "interrupted"}, ("process", "end", "unknown")),
        (AuditKind.DENIED, {"reason": "no"}, ("api", "denied", "failure")),
        (AuditKind.RELOADED, {}, ("configuration", "change", "success")),
        (AuditKind.APPROVED, {}, ("api", "allowed", "success")),
        ("of a newer version", {}, ("process", "info", "unknown")),
    ],
)
def test_every_kind_has_a_meaning_in_the_schema(rows, kind, body, expected):
    rows.add(kind, body)
    event = ecs_of(rows.rows[0])["event"]
    assert (event["category"], event["type"], event["outcome"]) == ([expected[0]], [expected[1]], expected[2])


BODIES = (
    {}, BODY, {"state": "done", "counts": {"ok": 2}}, {"state": "failed", "error": "e" * 5_000},
    {"reason": "r" * 5_000, "digest": "d" * 64, "pattern": "p" * 5_000, "parameters": {"text": "x" * 5_000}},
    {"devices": [f"d{number}" for number in range(2_000)], "state": None, "risk": "read"},
)  # fmt: skip


@pytest.fixture(scope="module", params=ecs_schema.VERSIONS)
def schema(request):
    return ecs_schema.Schema(request.param)


@pytest.mark.parametrize("kind", [*AuditKind, "of a newer version"])
def test_every_entry_fits_the_published_schema(rows, kind, schema):
    for body in BODIES:
        rows.add(kind, body)
        rows.add(kind, body, person="", caller="", operation="", devices=0, job=None, place="", network="")
        rows.add(kind, body, person="p" * 300, caller="c" * 300, operation="o" * 300, place="r" * 300)
    documents = [json.loads(json.dumps(ecs_of(row))) for row in rows.rows]
    assert [schema.mistakes(document) for document in documents] == [[]] * len(rows.rows)


def test_the_entries_name_a_version_that_they_were_checked_against():
    assert ecs.ECS_VERSION in ecs_schema.VERSIONS


@pytest.mark.parametrize("limit", [None, 60_000])
def test_what_goes_to_syslog_fits_the_published_schema_also_when_it_is_shortened(rows, schema, limit):
    rows.add(AuditKind.DENIED, {"reason": "r" * 300, "devices": [f"d{number}" for number in range(9_000)]})
    text = syslog.message(rows.rows[0], "netbot", limit)
    document = text[text.index(b"{") :]
    assert schema.mistakes(json.loads(document)) == []


def test_what_the_copy_says_of_itself_fits_the_published_schema(rows, path, schema):
    rows.add()
    EcsLog(path).catch_up(rows)
    older = Rows()
    older.add(AuditKind.DENIED)
    EcsLog(path).catch_up(older)
    documents = [json.loads(line) for line in path.read_text().splitlines()]
    assert [document["event"]["kind"] for document in documents] == ["event", "alert"]
    assert [schema.mistakes(document) for document in documents] == [[]] * 2


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("event", {"category": "process"}), ("event", {"type": ["denied"]}), ("event", {"sequence": "7"}),
        ("event", {"outcome": "fine"}), ("labels", {"job": 42}), ("labels", {"nested": {"a": "b"}}),
        ("labels", {"long": "x" * 2_000}), ("user", {"role": "admin"}), ("event", {"kind": "audit"}),
        ("event", {"category": ["audit"]}), ("event", {"created": "yesterday"}), ("event", {"start": 1772366400}),
        ("event", {"duration": 1.5}), ("event", {"url": ["a"]}), ("user", {"group": "netops"}),
        ("user", {"name": {"first": "ana"}}), ("user", {"roles": "admin"}), ("related", {"ip": ["core1"]}),
        ("related", {"hosts": "web1"}), ("related", {"hosts": [1]}), ("event", {"severity": True}),
        ("user", {"risk": {"static_score": "high"}}), ("ecs", {"version": 8.11}),
    ],
)  # fmt: skip
def test_the_check_against_the_schema_finds_what_does_not_fit(rows, schema, part, value):
    rows.add()
    document = ecs_of(rows.rows[0])
    document[part] |= value
    assert schema.mistakes(document)


@pytest.mark.parametrize("name", ["host", "agent", "job", "log"])
def test_the_check_against_the_schema_finds_a_value_where_an_object_belongs(rows, schema, name):
    rows.add()
    assert schema.mistakes({**ecs_of(rows.rows[0]), name: "web1"})


def test_the_check_against_the_schema_takes_other_fields_of_it(rows, schema):
    rows.add()
    document = ecs_of(rows.rows[0])
    document["host"] = {"ip": ["192.0.2.1", "2001:db8::1"], "uptime": 5, "os": {"name": "Debian"}}
    document["event"] |= {"start": "2026-03-01T12:00:00Z", "risk_score": 1.5, "url": "https://chat.example/1"}
    assert schema.mistakes(document) == []


def test_hostile_words_stay_in_one_line(rows, path):
    rows.add(AuditKind.DENIED, {"reason": 'a\nb\u2028{"x":1}\x1b[0m'}, person="eve\n", operation="o\r\nx")
    EcsLog(path).catch_up(rows)
    assert len(path.read_text().splitlines()) == len(path.read_bytes().split(b"\n")) - 1 == 1
    assert events(path)[0]["reason"] == 'a b {"x":1} [0m'


def test_rows_written_while_nobody_copied_are_caught_up(rows, path):
    rows.add()
    rows.add()
    EcsLog(path).catch_up(rows)
    rows.add()
    EcsLog(path).catch_up(rows)
    assert sequences(path) == [1, 2, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("cut", [1, 100, 10_000])
def test_a_line_that_a_crash_cut_short_is_written_again(rows, path, cut):
    rows.add()
    rows.add()
    EcsLog(path).catch_up(rows)
    first = path.read_bytes().index(b"\n") + 1
    os.truncate(path, max(path.stat().st_size - cut, first + 1))
    EcsLog(path).catch_up(rows)
    assert sequences(path) == [1, 2]


def test_the_file_is_rotated_and_nothing_is_missing_or_twice(rows, path, tmp_path):
    for _ in range(20):
        rows.add()
    EcsLog(path, max_bytes=3_000, backups=30).catch_up(rows)
    path.unlink()  # as if the crash came between the rename and the next line
    last_backup = tmp_path / "audit.json.1"
    rows.add()
    EcsLog(path, max_bytes=3_000, backups=30).catch_up(rows)
    assert last_backup.stat().st_size <= 3_000
    assert sequences(path) == list(range(sequences(last_backup)[-1] + 1, 22))


def test_only_so_many_backups_are_kept(rows, path, tmp_path):
    for _ in range(30):
        rows.add()
    EcsLog(path, max_bytes=3_000, backups=2).catch_up(rows)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["audit.json", "audit.json.1", "audit.json.2"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())


def test_a_record_that_was_put_back_to_an_older_state_is_said(rows, path, caplog):
    for _ in range(3):
        rows.add()
    EcsLog(path).catch_up(rows)
    older = Rows()
    older.add(AuditKind.DENIED)
    EcsLog(path).catch_up(older)
    assert "has a row 3 that the record has not" in caplog.text
    older.add()
    EcsLog(path).catch_up(older)
    assert sequences(path) == [1, 2, 3, 1, 2]
    assert [event["action"] for event in events(path)] == ["accepted"] * 3 + ["copy differs", "accepted"]


def until(condition):
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_new_rows_are_followed(rows, path):
    log = EcsLog(path)
    log.follow(rows)
    rows.add()
    until(lambda: path.exists() and sequences(path) == [1])
    rows.add()
    log.close()
    assert sequences(path) == [1, 2]


@pytest.mark.slow
def test_a_full_disk_delays_the_copy_and_nothing_else(rows, path, caplog):
    caplog.set_level(logging.WARNING)
    path.symlink_to("/dev/full")
    log = EcsLog(path)
    log.follow(rows)
    rows.add()
    until(lambda: "failed, and is tried again" in caplog.text)
    path.unlink()
    rows.add()
    log.close()
    assert sequences(path) == [1, 2]
    assert caplog.text.count("is tried again") == 1
    assert "goes on" in caplog.text
