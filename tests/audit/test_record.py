"""The record proves itself: signed checkpoints find what the chain cannot, exports for an auditor, syslog."""

import csv
import hashlib
import io
import json
import re
import socket
import socketserver
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.audit import checkpoints, export, syslog
from automation_bots.audit.checkpoints import Checkpoint, Checkpoints, Signer
from automation_bots.cli import main as cli
from automation_bots.commands import help_text
from automation_bots.drivers.fake import Fake
from automation_bots.errors import BadCommand, StoreError
from automation_bots.model import Caller, Job, Outcome, Place, Risk, State, Status
from automation_bots.store import AuditKind, BrokenAudit, Store, Subject, audit
from tests.fakes import rsyslogd
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

ANA = Subject("ana", Caller("slack", "U1", "Ana"), Place("slack", "C1"), "patch", ("web1", "web2"))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self):
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def store(data):
    store = Store.open(data, clock=Clock())
    for number in range(20):
        store.record(AuditKind.DENIED, {"reason": f"no {number}", "parameters": {"name": "nginx"}}, ANA)
    yield store
    store.close()


@pytest.fixture
def signer(data, store):
    return Signer.of_file(data / "keys/record.key")


def sql(data, *statements):
    with sqlite3.connect(data / "bot.db") as connection:
        for statement in statements:
            connection.execute(statement)


def written_anew(data, first):
    """Somebody who has the database writes all rows from one on anew, hashes and head included."""
    with sqlite3.connect(data / "bot.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY seq")]
        for before, row in zip([None, *rows], rows, strict=False):
            row["prev"] = before["hash"] if before else audit.START
            row["person"] = "eve" if row["seq"] == first else row["person"]
            row["hash"] = audit.hash_of(row)
            values = (row["person"], row["prev"], row["hash"], row["seq"])
            connection.execute("UPDATE audit SET person = ?, prev = ?, hash = ? WHERE seq = ?", values)
        connection.execute("UPDATE audit_head SET hash = ?", (rows[-1]["hash"],))


def signed(store, signer, *numbers):
    rows = {row.seq: row.hash for row in store.audit_after(0)}
    return checkpoints.checked([signer.sign("netbot", n, rows[n], NOON) for n in numbers], signer.public)


# -- checkpoints


def test_a_record_written_wholly_anew_holds_by_itself_and_not_against_a_checkpoint(data, store, signer):
    known = signed(store, signer, 5, 10, 20)
    assert store.verify_audit(known) == 20
    written_anew(data, 8)
    assert store.verify_audit() == 20
    with pytest.raises(BrokenAudit, match="record 10 is not the one that was signed") as caught:
        store.verify_audit(known)
    assert caught.value.seq == 10


def test_an_end_that_was_cut_off_with_its_note_shows_against_a_checkpoint(data, store, signer):
    known = signed(store, signer, 18)
    hash_ = store.audit_after(14, 1)[0].hash
    sql(data, "DELETE FROM audit WHERE seq > 15", f"UPDATE audit_head SET seq = 15, hash = '{hash_}'")
    with pytest.raises(StoreError, match="list of devices of audit record 16"):
        store.verify_audit()
    sql(data, "DELETE FROM audit_devices WHERE seq > 15")
    assert store.verify_audit() == 15
    with pytest.raises(BrokenAudit, match="record 16 is missing, and all after it: record 18"):
        store.verify_audit(known)


def test_a_single_changed_record_is_still_named_itself(data, store, signer):
    known = signed(store, signer, 20)
    sql(data, "UPDATE audit SET person = 'eve' WHERE seq = 7")
    with pytest.raises(BrokenAudit, match="record 7 was changed"):
        store.verify_audit(known)


@pytest.mark.parametrize(
    "change", [{"seq": 4}, {"hash": "0" * 64}, {"at": "x"}, {"bot": "other"}, {"signature": "AA=="}]
)
def test_a_checkpoint_that_was_changed_is_none(store, signer, change):
    made = signer.sign("netbot", 3, "ab" * 32, NOON)
    with pytest.raises(StoreError, match="signature that is not of this key"):
        checkpoints.checked([replace(made, **change)], signer.public)


def test_a_checkpoint_of_another_key_is_none(tmp_path, signer):
    other = Signer.of_file(tmp_path / "other.key")
    with pytest.raises(StoreError, match="not of this key"):
        checkpoints.checked([other.sign("netbot", 3, "ab" * 32, NOON)], signer.public)


def test_a_checkpoint_is_a_line_of_json_that_anybody_can_check(signer):
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    line = json.loads(signer.sign("netbot", 3, "ab" * 32, NOON).line)
    text = json.dumps({**line, "signature": ""}, sort_keys=True, separators=(",", ":"))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signer.public))
    key.verify(base64.b64decode(line["signature"]), text.encode())


def test_checkpoints_are_made_only_when_the_record_has_grown(tmp_path, store, signer):
    posted = []
    file = tmp_path / "kept/checkpoints.jsonl"
    maker = Checkpoints(signer, "netbot", store.audit_head, file, posted.append)
    assert maker.make(NOON).seq == 20 and maker.make(NOON) is None
    store.record(AuditKind.OPENED)
    assert [maker.make(NOON).seq, *(c.seq for c in checkpoints.read(file))] == [21, 20, 21]
    assert [c.seq for c in posted] == [20, 21]


def test_the_private_key_is_for_its_owner_and_stays(data, signer):
    assert (data / "keys/record.key").stat().st_mode & 0o777 == 0o600
    assert Signer.of_file(data / "keys/record.key").public == signer.public
    assert (data / "keys/record.pub").read_text().strip() == signer.public


@pytest.mark.parametrize("text", ["hello", "{}", '{"bot": 1}', "[]"])
def test_a_file_that_holds_no_checkpoint_is_named_with_its_line(tmp_path, text):
    (tmp_path / "c").write_text(f"\n{text}\n")
    with pytest.raises(StoreError, match="c, line 2: this is no checkpoint"):
        checkpoints.read(tmp_path / "c")


# -- export


def test_a_spreadsheet_gets_no_formula(store):
    evil = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "＝1", "=cmd|' /C calc'!A0"]
    for text in evil:
        store.record(AuditKind.UNKNOWN_COMMAND, {"reason": text}, Subject(operation=text, person=text))
    rows = list(csv.reader(io.StringIO(export.as_csv(store.audit_after(20)))))
    cells = [cell for row in rows[1:] for cell in (row[3], row[8], row[13])]
    assert len(cells) == 30 and all(cell.startswith("'") for cell in cells)


def test_each_entry_is_one_line_with_readable_columns(store):
    store.record(AuditKind.DENIED, {"reason": "one\ntwo"}, ANA)
    lines = export.as_csv(store.audit_after(0)).split("\r\n")
    assert len(lines) == 1 + 21 + 1
    row = dict(zip(*csv.reader([lines[0], lines[1]]), strict=True))
    assert (row["person"], row["what"], row["devices"], row["device names"]) == ("ana", "denied", "2", "web1, web2")
    assert (row["parameters"], row["reason"]) == ("name=nginx", "no 0")


def test_the_outcome_of_each_device_and_a_digest_of_all_that_was_printed_stand_in_columns(tmp_path):
    store = Store.open(tmp_path / "columns")
    asked = Job(
        0,
        State.QUEUED,
        "ana",
        ANA.caller,
        Place("text", "ops"),
        "look",
        {},
        "web",
        ("web1", "web2"),
        Risk.READ,
        ("fake",),
    )
    number = store.add_job(asked).number
    store.start(number)
    said = [Outcome("web1", Status.OK, "fine", "all\nwell"), Outcome("web2", Status.FAILED, "no", "")]
    store.add_outcomes(number, said)
    store.finish(number, State.FAILED)
    rows = list(csv.DictReader(io.StringIO(export.as_csv(store.audit_after(0)))))
    store.close()
    ended = rows[-1]
    assert (ended["ok"], ended["failed"], ended["changed"], ended["more"]) == ("web1", "web2", "", "")
    line = f"web1 {hashlib.sha256(b'all' + bytes([10]) + b'well').hexdigest()}\n"
    assert ended["output SHA-256"] == hashlib.sha256(line.encode()).hexdigest()


def test_the_note_of_an_approval_stands_in_its_column(store):
    store.record(AuditKind.APPROVED, {"requester": "joe", "note": "after lunch"}, ANA)
    row = store.audit_after(20)[0]
    assert next(csv.DictReader(io.StringIO(export.as_csv([row]))))["note"] == "after lunch"
    assert "after lunch" in help_text.audit_row(row, "Europe/Madrid")


def test_the_json_carries_what_is_hashed(store):
    for entry in json.loads(export.as_json(store.audit_after(0))):
        assert hashlib.sha256(entry["original"].encode()).hexdigest() == entry["hash"]


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("from 2026-03-01 to 2026-03-02", "2026-03-01T00:00", "2026-03-03T00:00"),
        ("from 2026-03-01T10:30 to 2026-03-01T11:00+01:00", None, None),
        ("from 2026-03-01", "2026-03-01T00:00", "2026-03-02T12:00:01"),
    ],
)
def test_a_period_includes_both_its_days(words, since, until):
    if since is None:
        with pytest.raises(BadCommand, match="ends before it begins"):
            export.period(words.split(), NOON)
        return
    found = tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until))
    assert export.period(words.split(), NOON) == found


@pytest.mark.parametrize(
    "words", ["", "from", "from x", "from 2026-13-01", "from 2026-03-01 until 2026-03-02", "to 2026-01-01"]
)
def test_a_period_that_cannot_be_read_says_how_to_write_it(words):
    with pytest.raises(BadCommand, match="2026-11-"):
        export.period(words.split(), NOON)


# -- offline


@pytest.fixture
def run(capsys):
    def run(*words):
        code = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out + printed.err

    return run


def test_the_offline_verifier_takes_a_data_folder_and_names_the_first_bad_record(run, data, store, signer):
    assert run("audit", "verify", data)[0] == 0
    sql(data, "UPDATE audit SET body = '{}' WHERE seq = 3")
    code, said = run("audit", "verify", data)
    assert code == 1 and "Audit record 3 was changed" in said


def test_the_offline_verifier_compares_with_checkpoints_from_elsewhere(run, tmp_path, data, store, signer):
    file = tmp_path / "kept.jsonl"
    file.write_text(signer.sign("netbot", 12, store.audit_after(11, 1)[0].hash, NOON).line + "\n")
    words = ("audit", "verify", data, "--checkpoints", file, "--key", signer.public)
    code, said = run(*words)
    assert code == 0 and "agrees with 1 signed checkpoint, the newest of record 12" in said
    written_anew(data, 2)
    code, said = run(*words)
    assert code == 1 and "record 12 is not the one that was signed" in said
    assert run("audit", "key", data) == (0, f"{signer.public}\n")


def test_the_offline_verifier_says_when_there_is_nothing_to_compare_with(run, data, store):
    assert "no checkpoint to compare it with" in run("audit", "verify", data)[1]


@pytest.mark.parametrize("words", [("verify", "nowhere"), ("export", "nowhere", "--from", "2026-01-01"), ("key", ".")])
def test_a_folder_that_is_no_bots_is_refused(run, tmp_path, words):
    code, said = run("audit", words[0], tmp_path / words[1], *words[2:])
    assert code == 1 and "bot.toml: cannot be read" in said


def test_the_record_is_exported_offline(run, tmp_path, data, store):
    code, said = run("audit", "export", data, "--from", "2026-03-02", "--out", tmp_path / "x.csv")
    assert (code, said) == (0, f"20 entries written to {tmp_path / 'x.csv'}\n")
    assert len(list(csv.reader((tmp_path / "x.csv").open(newline="")))) == 21
    code, said = run("audit", "export", data, "--from", "2026-03-02", "--to", "2026-03-02", "--format", "json")
    assert len(json.loads(said)) == 20


# -- syslog

_5424 = re.compile(rb"<(\d+)>1 (\S+) (\S+) (\S+) (\d+) (\S+) - \xef\xbb\xbf(\{.*\})", re.DOTALL)


def parsed(data):
    found = _5424.fullmatch(data)
    assert found, data
    return int(found[1]), found[6].decode(), json.loads(found[7])


@pytest.mark.parametrize("family", ["udp", "unix"])
def test_new_records_reach_a_datagram_server(tmp_path, store, family):
    kind = socket.AF_UNIX if family == "unix" else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log") if family == "unix" else ("127.0.0.1", 0))
        server.settimeout(5)
        url = f"unix:{tmp_path}/log" if family == "unix" else f"udp://127.0.0.1:{server.getsockname()[1]}"
        sender = syslog.Syslog(url, tmp_path / "seq", "netbot")
        assert sender.catch_up(store) == 20  # what is old is not sent
        store.record(AuditKind.DENIED, {"reason": "no"}, ANA)
        sender.catch_up(store)
        priority, kind, document = parsed(server.recv(65_536))
        sender.close()
    assert (priority, kind, document["user"]["name"]) == (13 * 8 + 4, "denied", "ana")


class Frames(socketserver.StreamRequestHandler):
    """Octet counting, as RFC 6587 has it."""

    def handle(self):
        while length := b"".join(iter(lambda: self.rfile.read(1).strip(), b"")):
            self.server.got.append(self.rfile.read(int(length)))


def tcp_server(port=0):
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", port), Frames)
    server.daemon_threads, server.got = True, []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def test_over_tcp_nothing_is_lost_while_the_server_is_away(tmp_path, store):
    (tmp_path / "seq").write_text("18")
    server = tcp_server()
    port = server.server_address[1]
    sender = syslog.Syslog(f"tcp://127.0.0.1:{port}", tmp_path / "seq", "netbot")
    sender.catch_up(store)
    wait(lambda: len(server.got) == 2, 5)
    sender.forget()
    server.shutdown()
    server.server_close()
    store.record(AuditKind.OPENED)
    with pytest.raises(ConnectionRefusedError):
        sender._copy(store)
    again = tcp_server(port)
    sender._copy(store)
    wait(lambda: again.got, 5)
    sender.close()
    again.shutdown()
    again.server_close()
    assert [parsed(x)[2]["event"]["sequence"] for x in server.got + again.got] == [19, 20, 21]
    assert (tmp_path / "seq").read_text() == "21"


def test_a_real_server_gets_thousands_over_one_connection_and_what_it_missed_when_it_is_back(tmp_path, store):
    if not rsyslogd.PROGRAM:
        pytest.skip("needs rsyslogd: apt install rsyslog")
    (tmp_path / "seq").write_text("0")
    with rsyslogd.Rsyslogd(tmp_path) as server:
        sender = syslog.Syslog(f"tcp://127.0.0.1:{server.port}", tmp_path / "seq", "netbot")
        with store._database.write() as connection:
            for number in range(1500):
                audit.append(connection, NOON, AuditKind.DENIED, ANA, {"reason": f"no {number}"})
        sender._copy(store)
        first = sender._socket
        assert first is not None and sender.behind(store) == 0
        store.record(AuditKind.OPENED)
        sender._copy(store)
        assert sender._socket is first
        wait(lambda: heard(server) == list(range(1, 1522)), 60, lambda: str(len(heard(server))))
        server.stop()
        store.record(AuditKind.OPENED)
        with pytest.raises(ConnectionRefusedError):
            sender._copy(store)
        assert sender.behind(store) == 1
        server.start()
        sender._copy(store)
        wait(lambda: heard(server)[-1] == 1522, 60)
        sender.close()


def heard(server):
    lines = server.heard.read_text(errors="replace").splitlines() if server.heard.exists() else []
    return [json.loads(line[line.index("{") :])["event"]["sequence"] for line in lines]


def test_a_record_too_long_for_a_datagram_goes_without_its_devices(store):
    many = Subject("ana", devices=tuple(f"switch-{n}.site.corp.example" for n in range(5000)))
    store.record(AuditKind.DENIED, {"reason": "no"}, many)
    row = store.audit_after(20)[0]
    assert len(syslog.message(row, "netbot")) > 100_000
    short = syslog.message(row, "netbot", 60_000)
    assert len(short) < 60_000 and parsed(short)[2]["event"]["hash"] == row.hash


def test_hostile_words_stay_in_one_syslog_message(store):
    store.record(AuditKind.UNKNOWN_COMMAND, {}, Subject(operation="a\n<13>1 forged", person="é\x00"))
    data = syslog.message(store.audit_after(20)[0], "net bot\n")
    assert b"\n" not in data and parsed(data)[1] == "unknown-command"


# -- in chat


@pytest.fixture
def chat(tmp_path):
    toml = BOT_TOML + '[places]\nlog = "auditors"\n[record]\ncheckpoint_minutes = 0.001\ncheckpoint_room = "#log"\n'
    with ChatBot(write_folder(tmp_path, toml=toml), drivers=(Fake(),)) as chat:
        yield chat


@pytest.mark.slow
def test_checkpoints_are_posted_to_the_room_and_check_against_the_record(chat):
    line = chat.hears(r"Checkpoint of the record of netbot: \d+ entries").splitlines()[-1]
    public = chat.asks("!audit key").splitlines()[1]
    known = checkpoints.checked([Checkpoint(**json.loads(line))], public)
    assert {room for room, text in chat.surface.said if text.startswith("Checkpoint")} == {"auditors"}
    assert chat.automation.store.verify_audit(known) > 0


@pytest.mark.slow
def test_the_end_is_signed_when_the_bot_stops(tmp_path, run):
    folder = write_folder(tmp_path)
    with ChatBot(folder, drivers=(Fake(),)):
        pass
    code, said = run("audit", "verify", folder / "data/netbot")
    newest = checkpoints.read(folder / "data/netbot/log/checkpoints.jsonl")[-1].seq
    assert code == 0 and f"the newest of record {newest}" in said and f"whole: {newest} entries" in said


# -- nothing is left out


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """One bot for all: each test looks at entries of a kind of its own."""
    with ChatBot(write_folder(tmp_path_factory.mktemp("plain")), drivers=(Fake(),)) as chat:
        yield chat


def reasons(chat, kind):
    return [(row.person, row.operation, row.body["reason"]) for row in chat.automation.store.audit_rows(kind=kind)]


@pytest.mark.slow
def test_words_that_make_no_command_are_in_the_record(plain):
    plain.asks("!uptime on vault1", "No device or group", who="joe")
    plain.asks("!service explode nginx on web1", "must be one of")
    (_, _, wrong), found = reasons(plain, AuditKind.REJECTED)
    assert found[:2] == ("joe", "uptime") and "'vault1'" in found[2] and "action must be one of" in wrong


@pytest.mark.slow
def test_a_question_that_nobody_answered_is_in_the_record(plain):
    plain.asks("!uptime", "On which devices", who="joe")
    plain.asks("!whoami", "You are joe", who="joe")
    plain.asks("!uptime", "On which devices", who="joe")
    plain.asks("!about", who="joe")
    plain.asks("!uptime on web1", "done in", who="joe")
    plain.asks("!uptime", "On which devices", who="joe")
    plain.asks("cancel", "Nothing was done", who="joe")
    plain.asks("!uptime", "On which devices", who="kim")
    questions = plain.automation.pipeline._questions
    questions.clock = lambda: __import__("time").monotonic() + 301
    plain.asks("!uptime on web1", "done in", who="joe")
    assert reasons(plain, AuditKind.ABANDONED) == [
        ("kim", "uptime", "no answer"),
        ("joe", "uptime", "cancelled"),
        ("joe", "uptime", "another command was typed"),
        ("joe", "uptime", "another command was typed"),
    ]


@pytest.mark.slow
def test_what_changes_the_plugins_is_in_the_record_without_passwords(plain):
    plain.asks("!repos install https://me:s3cret-word@git.example/x/y.git", seconds=30)
    plain.asks("!plugin reload People", seconds=30)
    rows = plain.automation.store.audit_rows(kind=AuditKind.INSTALLED)
    assert [(row.operation, row.body["what"]) for row in rows] == [("plugin_reload", "People")]
    assert "s3cret-word" not in str(plain.automation.store.audit_rows(limit=500))


@pytest.mark.slow
def test_a_reload_of_the_configuration_is_in_the_record(plain):
    policy = plain.folder / "policy.yml"
    policy.write_text(policy.read_text() + "# a note\n")
    wait(lambda: plain.automation.store.audit_rows(kind=AuditKind.RELOADED), 10)
    assert plain.automation.store.audit_rows(kind=AuditKind.RELOADED)[0].body["what"] == "policy"


@pytest.mark.slow
def test_the_record_is_exported_in_chat_by_those_whom_a_rule_lets(plain):
    day = datetime.now(UTC).date()
    plain.asks("!uptime on web1", "done in", who="joe")
    said = plain.asks(f"!audit export from {day} csv json", "entries from")
    assert '"accepted","joe"' in said and '"original"' in said
    assert "No: audit" in plain.asks(f"!audit export from {day}", who="joe")
    assert "no day; write 2026-11-30" in plain.asks("!audit export from yesterday")
    assert "no entry" in plain.asks("!audit export from 2020-01-01 to 2020-01-02")
    assert plain.automation.store.audit_rows(kind=AuditKind.EXPORTED)[0].body["entries"] > 3
