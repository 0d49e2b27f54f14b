"""What a bot of each version of the tables wrote: `python -m tests.store.lives` prints the file of the newest one.

A version's file holds the tables of that version and is never changed. Rows of 0002 to 0006 were written by the program
of 0006, which did only what those versions could do.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import MetaData, create_engine, select

from automation_bots.model import (
    ApprovalRequirement,
    Caller,
    Conclusion,
    File,
    Finding,
    Monitor,
    MonitorEvent,
    MonitorTarget,
    Occurrence,
    Outcome,
    Phase,
    Place,
    ReportedEvent,
    RoomWatch,
    Schedule,
    State,
    Status,
    WatchedChange,
)
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.freezes import BlockKind, ChangeBlock
from automation_bots.policy.people import IdentityLink
from automation_bots.store import Store, Subject, schema
from automation_bots.store.aliases import Alias
from automation_bots.store.host_keys import Endpoint
from automation_bots.store.rules import RuleAction, Shift, What
from tests.store.conftest import JOB, Clock

ANA = Subject("ana", Caller("slack", "U1"), Place("slack", "C1"))


def first(store, _now):
    """Three jobs: one has ended and was told, one runs, one waits."""
    store.first_seen("slack", "1.2")
    for _ in range(2):
        store.start(store.add_job(JOB).number)
    outputs = {"web1": "active\n", "web2": "running\n" * 200}
    store.add_outcomes(1, [Outcome(device, Status.OK, output=text) for device, text in outputs.items()])
    store.add_outcomes(1, [Outcome("web3", Status.FAILED)])
    store.finish(1, State.DONE)
    store.mark_told(1)
    store.add_job(JOB)


def conclusion(store, _now):
    store.conclude(1, Conclusion("2 active.", "web 2", (File("a.csv", b"\x00\xff"),)))


def approval(store, now):
    asked = Approval(
        0, "bound", (ApprovalRequirement("core", ("leads",), 2, 3600, "managers", 60, "#leads"),), deadline=now, due=now
    )
    number = store.approvals.add(replace(JOB, state=State.WAITING, parked=True), asked).number
    vote = Vote("kim", Caller("slack", "U2"), now, "fine")
    store.approvals.vote(number, vote, Place("slack", "C2"), lambda votes: len(votes) > 1)


def people(store, now):
    store.people.link(IdentityLink("slack", "U9", "kim"), ANA)
    store.people.invite("c" * 64, "kim", now + timedelta(days=1), ANA)
    store.people.enrol(b"sealed\x00", ANA)
    store.people.use_step(7, ANA, counts=True)


def change_blocks(store, now):
    store.change_blocks.add(ChangeBlock(BlockKind.FREEZE, "ana", "move", frozenset({"web1"}), now, None), ANA)
    store.add_job(replace(JOB, emergency="down"))


def host_keys(store, _now):
    store.host_keys.trust({Endpoint("web1", "192.0.2.1", 22): (("ssh-ed25519", "SHA256:abc"),)}, ANA)


def letter(store, _now):
    store.posts.add("slack", "{}")


def schedule(store, now):
    made = store.schedules.add(Schedule(0, "ana", ANA.caller, ANA.place, "patch", "on web", due=now))
    store.schedules.take(made, now, now + timedelta(days=1))
    store.add_job(replace(JOB, occurrence=Occurrence(made.number, now)))


def monitor(store, now):
    made, (target,) = store.monitors.add(
        Monitor(0, "ana", ANA.caller, ANA.place, "ping", "ping core1", "ping", devices=("core1",)),
        [MonitorTarget(0, 0, "core1", "core1", {"address": "192.0.2.1"})],
    )
    store.monitors.tell(made, [MonitorEvent(made.number, "core1", now, "down", "no answer")], {"down": 1})
    store.monitors.keep(0, [(target.id, 1_767_225_600, b"\x00\x01\x02\x03")])
    store.add_job(replace(JOB, monitor=made.number))


def watched_change(store, _now):
    made = store.watched_changes.add(WatchedChange(0, "ana", ANA.caller, ANA.place, "core1", ("core1",), "card"))
    store.watched_changes.looked(replace(made, before={"core1": {"ping": {"rows": {"": "up"}}}}))


def alert(store, now):
    alert = ReportedEvent("am", "alertmanager", "DiskFull", now, Phase.FIRING, device="web1", fingerprint="f1")
    store.events.take([replace(alert, started=now)])
    store.events.follow("rules")
    store.events.followed("rules", 1, [Finding(1, "a rule", "the severity is another")])


def rule(store, now):
    post = RuleAction("a rule", 1, What.POST, now, {"room": "#ops", "lines": [["down", 1]], "many": 1}, alert=1)
    store.rules.decide([1], [post], {"a rule": {"told": 0}}, {})
    store.rules.pause("a rule", "by ana", ANA)
    store.rules.take_shift(Shift("net", "ana", "ana", now, now + timedelta(days=9_000)), ANA)


def asked_ahead(store, now):
    store.schedules.add(Schedule(0, "ana", ANA.caller, ANA.place, "reload", "on web", due=now, ahead=True, asks=now))


def alias(store, _now):
    store.aliases.put(Alias("@netops", "up", "uptime on {devices}"), ANA)


def other_bots(store, _now):
    place = Place("@linuxbot", "@linuxbot", "a" * 32)
    store.peers.take("linuxbot", "a" * 32, "1", {"via": ["linuxbot"]}, ANA)
    store.peers.ask("b" * 32, "winbot", store.add_job(replace(JOB, place=place)).number, ANA, {})


def room_watch(store, _now):
    store.watches.add(RoomWatch(0, "ana", ANA.caller, ANA.place, "jobs failed", "core"))


def questions(store, _now):
    store.questions.learn("how full are the disks on {devices}", "disk", "ana")
    store.questions.add("how do I get in?", "ask in #ops · !whoami", ANA)


# since which version, and whether it is still there
LIVES = {
    "0001": (first, lambda store: store.output(1, "web1") == "active\n"
             and store.job(1).counts == {"ok": 2, "failed": 1}),
    "0002": (conclusion, lambda store: store.conclusion(1).files == (File("a.csv", b"\x00\xff"),)),
    "0003": (approval, lambda store: [vote.person for vote in store.approvals.find(4).votes] == ["kim"]),
    "0004": (people, lambda store: [(one.id, one.person) for one in store.people.links()] == [("U9", "kim")]
             and store.people.proved_at(ANA.caller, "ana") and store.people.enrolment("ana").sealed == b"sealed\x00"),
    "0005": (change_blocks, lambda store: store.change_blocks.current()[0].reason == "move"
             and store.reviews.of(5).reason == "down"),
    "0006": (host_keys, lambda store: store.host_keys.of("192.0.2.1", 22)[0].trusted_by == "ana"),
    "0008": (letter, lambda store: [kept.body for kept in store.posts.waiting("slack")] == ["{}"]),
    "0009": (schedule, lambda store: [(one.at, store.schedules.find(1).title) for one in [store.job(6).occurrence]]
             == [(datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), "patch on web")]),
    "0010": (monitor, lambda store: (store.monitors.running()[0].title, store.monitors.events(1, 9)[0].state,
             store.monitors.seen(1, 0, 0, 2_000_000_000)[0][1], store.job(7).monitor)
             == ("ping core1", "down", b"\x00\x01\x02\x03", 1)),
    "0011": (watched_change, lambda store: store.watched_changes.find(1).before["core1"]["ping"]["rows"] == {"": "up"}),
    "0012": (alert, lambda store: (store.alerts.firing()[0].what, store.events.find(1).alert,
             store.events.findings(1)[0].said, store.events.follow("rules"))
             == ("DiskFull", 1, "the severity is another", 1)),
    "0013": (rule, lambda store: (store.rules.find(1).body["lines"], store.rules.pauses(), store.rules.decided([1]),
             store.rules.shifts(datetime.now(UTC))[0].person)
             == ((("down", 1),), {"a rule": "by ana"}, frozenset({1}), "ana")),
    "0014": (asked_ahead, lambda store: [one.title for one in store.schedules.asking(datetime.now(UTC))]
             == ["reload on web"]),
    "0015": (alias, lambda store: [one.meaning for one in store.aliases.all()] == ["uptime on {devices}"]),
    "0016": (other_bots, lambda store: (store.peers.request_of("linuxbot", "a" * 32).via,
             [call.bot for call in store.peers.calls_of(store.peers.request_of("linuxbot", "a" * 32).job)])
             == (("linuxbot",), ["winbot"])),
    "0017": (room_watch, lambda store: [one.title for one in store.watches.all()] == ["jobs failed on core"]),
    "0018": (questions, lambda store: (store.questions.learnt()[0].operation, store.questions.curated()[0].number)
             == ("disk", 1)),
}  # fmt: skip


def rows_of(folder: Path) -> dict[str, list[dict[str, object]]]:
    """All rows of a record, by table."""
    engine, known = create_engine(f"sqlite:///{folder}/bot.db"), MetaData()
    with engine.connect() as connection:
        known.reflect(connection)
        found = {t.name: [dict(row) for row in connection.execute(select(t)).mappings()] for t in known.sorted_tables}
    engine.dispose()
    return {name: rows for name, rows in found.items() if rows and name != "alembic_version"}


def main(version: str = schema.HEAD) -> None:
    with tempfile.TemporaryDirectory() as place:
        clock, folder = Clock(), Path(place) / "data"
        store = Store.open(folder, clock=clock)
        for since, (live, _) in LIVES.items():
            if since <= version:
                live(store, clock.now)
        store.close()
        lines = [f'"{name}": [\n' + ",\n".join(json.dumps(row, default=bytes.hex) for row in rows) + "\n]"
                 for name, rows in rows_of(folder).items()]  # fmt: skip
    print("{\n" + ",\n".join(lines) + "\n}")  # noqa: T201 - the file


if __name__ == "__main__":
    main(*sys.argv[1:])
