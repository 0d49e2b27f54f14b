"""Answers about the bot itself and its devices. Nothing here touches a device."""

from __future__ import annotations

import platform
from dataclasses import replace

from automation_bots import __version__, render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.commands.help import Help, HelpSources
from automation_bots.commands.host_keys import HostKeyCommands
from automation_bots.commands.jobs import JobCommands
from automation_bots.commands.why import Why
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.health import health
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Operation, Person, Place, Risk, one_line
from automation_bots.operations.ways import has_way
from automation_bots.policy import gate
from automation_bots.policy.freezes import sentence
from automation_bots.policy.rules import ADMINS
from automation_bots.text.nearest import did_you_mean, nearest

_GROUPS_SHOWN = 30


class BotCommands:
    """One method a command; each returns what to say."""

    def __init__(self, context: CommandContext, trust: HostKeyCommands, helped: HelpSources) -> None:
        self._context, self._trust, self._help = context, trust, Help(context, helped)
        self._why = Why(context, JobCommands(context))

    # -- the bot

    def help(self, ask: CommandCall) -> Answer:
        """What this person may do here, or how one command is used."""
        return self._help.help(ask)

    def ask(self, ask: CommandCall) -> Answer:
        """Which command answers a question."""
        self._context.person(ask)
        if not ask.words:
            raise BadCommand("What would you like to know? → !ask how full are the disks on web")
        return self._context.pipeline.lookup.asked(ask.caller, ask.place, ask.line)

    def about(self, ask: CommandCall) -> Answer:
        """What this bot is."""
        self._context.person(ask)
        devices, operations = self._sees(ask)
        text = f"{self._context.name}: Automation Bots {__version__} on Errbot, Python {platform.python_version()}."
        hint = "→ !help · !devices"
        return Answer(
            f"{text} {render.many(operations, 'operation')}, {render.many(devices, 'device')}. GPL-3.0-or-later.",
            hint=hint,
        )

    def _sees(self, ask: CommandCall) -> tuple[int, int]:
        """How many devices and operations there are for this person: of others nobody is told."""
        seen = gate.visible(self._context.live.scope, self._context.person(ask))
        return len(seen), len(self._context.usable(ask))

    def whoami(self, ask: CommandCall) -> Answer:
        """Who the asker is to the bot: also for strangers, who need their id to be let in."""
        person = self._context.pipeline.lookup.person(ask.caller)
        where = self._context.pipeline.place_name(ask.place)
        if not ask.place.direct and ask.place.room not in where:  # for [places], which wants the id
            where += f" ({ask.place.room})"
        rows = [("id", f"{one_line(ask.caller.id, 80)} on {ask.caller.network}"), ("place", where)]
        if person is None:
            return Answer(gate.stranger(self._context.live.policy, ask.caller), render.table(rows))
        rows.insert(0, ("person", person.name))
        rows.insert(1, ("groups", ", ".join(sorted(person.groups)) or "none"))
        rows.insert(2, ("zone", self._context.live.policy.zone(person)))
        others = [f"{id_} on {network}" for network, id_ in person.ids.items() if network != ask.caller.network]
        if others:
            rows.append(("also", ", ".join(others)))
        return Answer(f"You are {person.name}.", render.table(rows))

    def status(self, ask: CommandCall) -> Answer:
        """How the bot is."""
        person = self._context.person(ask)
        context = self._context
        devices, operations = self._sees(ask)
        facts, now = context.health.look(context.now()), context.now()
        facts = replace(facts, devices=devices, operations=operations)
        rows, troubles = health.rows(facts), []
        if closed := context.store.change_blocks.current():
            rows.append(("closed", f"{len(closed)} freezes and locks → !locks"))
        if reviews := context.store.reviews.open():
            rows.append(("reviews", f"{len(reviews)} emergencies wait → !reviews"))
        if ADMINS in person.groups:
            troubles = health.troubles(facts)
            rows += health.inside(facts, context.health.recent, now, context.live.policy.timezone)
        text = f"{context.name} {__version__} has problems." if troubles else f"{context.name} {__version__} is up."
        return Answer(text, render.table(rows))

    def can(self, ask: CommandCall) -> Answer:
        """Whether this person may do something here, and which rule says so; nothing is done."""
        return self._why.can(ask)

    def why(self, ask: CommandCall) -> Answer:
        """Which rule decided about a job or a refusal, and which condition failed."""
        return self._why.why(ask)

    def playbook(self, ask: CommandCall) -> Answer | None:
        """List playbooks, look into one, or run one."""
        self._context.person(ask)
        action, _, rest = ask.line.strip().partition(" ")
        name, _, line = rest.strip().partition(" ")
        mine = {o.name: o for o in self._context.usable(ask) if o.group == "Playbooks"}
        if action in {"", "list"}:
            rows = [
                (o.name, "reads" if o.risk is Risk.READ else "changes", one_line(o.help, 80)) for o in mine.values()
            ]
            return Answer(
                f"{len(rows)} playbooks you may use here:",
                render.table(sorted(rows)),
                "→ !playbook show <name>",
            )
        if action not in {"show", "run"} or not name:
            raise BadCommand("→ !playbook list · show <name> · run <name> on <devices> [key=value …] [--check]")
        if name not in mine:
            raise BadCommand(f"No playbook {one_line(name, 40)!r}.{did_you_mean(nearest(name, mine, 1))}")
        if action == "run":
            return self._context.pipeline.submit(TypedCommand(ask.caller, ask.place, name, line))
        source = mine[name].source
        content = self._context.clear(source.read_text()) if source else ""
        return Answer(f"{name}: {mine[name].help}", content, f"→ !help {name}")

    # -- devices

    def devices(self, ask: CommandCall) -> Answer:
        """The devices that this person may see."""
        seen = gate.visible(self._context.live.scope, self._context.person(ask))
        if not ask.words:
            return self._groups(seen, ask.most(_GROUPS_SHOWN))
        pattern = ask.line.replace(" ", "")
        try:
            found = list(self._context.pipeline.expand(self._context.person(ask), pattern))
        except UnknownDevice:  # said in the same words as of devices that are not to be seen
            found = []
        if not found:
            raise UnknownDevice(f"No device or group {one_line(pattern, 60)!r}. → !devices")
        rows = [
            (d.name, d.platform, ", ".join(sorted(d.groups)))
            for d in self._context.live.inventory.devices(tuple(found[: ask.most(200)]))
        ]
        verb = "matches" if len(found) == 1 else "match"
        return Answer(
            f"{render.many(len(found), 'device')} {verb} {one_line(pattern, 60)}:",
            render.table(rows, limit=ask.most(40)),
        )

    def _groups(self, seen: frozenset[str], most: int) -> Answer:
        rows = []
        for group, hosts in sorted(self._context.live.inventory.groups.items()):
            mine = [host for host in hosts if host in seen]
            if mine and group not in {"all", "ungrouped"}:
                rows.append((group, str(len(mine)), render.names(mine)))
        lone = [host for host in self._context.live.inventory.groups.get("ungrouped", ()) if host in seen]
        if lone:
            rows.append(("-", str(len(lone)), render.names(lone)))
        if not rows:
            return Answer("No rule lets you see a device.")
        return Answer(
            f"{render.many(len(seen), 'device')}:",
            render.table(rows, limit=most),
            "→ !devices <pattern>",
        )

    def device(self, ask: CommandCall) -> Answer:
        """One device: how it is reached, its groups, what you may do there, what ran there last."""
        person = self._context.person(ask)
        if ask.words[:1] in (["trust"], ["untrust"]):
            return self._trust.command(ask)
        seen = gate.visible(self._context.live.scope, person)
        name = _spelled(ask.line.strip(), seen)
        if not name:
            raise BadCommand("Which device? → !device <name>")
        if name not in seen:
            near = self._context.live.inventory.nearest(name, seen)
            raise UnknownDevice(f"No device {one_line(name, 60)!r}.{did_you_mean(near)}")
        device = self._context.live.inventory.device(name)
        usable = [o.name for o in self._context.usable(ask) if self._may(person, o, ask.place, name)]
        rows = [
            ("platform", device.platform),
            ("driver", device.driver),
            ("address", device.address),
            ("groups", ", ".join(sorted(device.groups)) or "none"),
            ("you may", ", ".join(usable) or "nothing here"),
        ]
        if holder := self._context.store.holds().get(name):
            rows.append(("held", f"by #{holder}, which was interrupted → !ack {holder}"))
        zone = self._context.live.policy.timezone
        rows += [("closed", sentence(c, zone)) for c in self._context.store.change_blocks.current() if c.hits((name,))]
        return Answer(name, render.table(rows))

    def _may(self, person: Person, operation: Operation, place: Place, device: str) -> bool:
        mine = gate.usable(self._context.live.scope, person, operation, place) or frozenset()
        return device in mine and has_way(operation, self._context.live.inventory.device(device))


def _spelled(name: str, seen: frozenset[str]) -> str:
    """A device's name with its own capitals, where only one has these letters."""
    alike = [known for known in seen if known.casefold() == name.casefold()]
    return alike[0] if name not in seen and len(alike) == 1 else name
