"""Random rules, people, rooms and inventories, through Errbot's own dispatcher: only what a plain reading allows runs.

The oracle below reads the rules as they are written here and knows nothing of the gate.
"""

import random
import tempfile
from pathlib import Path

import pytest
from errbot.backends.base import Message
from errbot.backends.test import TestPerson
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from automation_bots.drivers.fake import Fake
from automation_bots.policy import policy
from tests.support import entries
from tests.support.bounds import examples
from tests.support.chatbot import ChatBot, write_folder

pytestmark = [pytest.mark.slow, pytest.mark.works]
GROUPS = ("web", "db", "core")
PEOPLE = ("ana", "joe", "kim", "eve")  # of whom nobody knows eve
OF_PLUGINS = {"!wipe": "wipe", "!nuke": "nuke", "!drip": "drip", "!parsed --force": "parsed", "!dynamic": "dynamic"}
WIPES = {"please wipe it": "regex"}
AROUND = ("!!", "!1", "!flows start nothing", "!plugin deactivate Outside", "!retry 1", "!retry 2 failed", "!approve 1",
          "!through", "!echo x")  # fmt: skip
SPELLINGS = ("!{}", "@netbot {}", "@netbot: {}", "! {}", "`!{}`", "!{} --quiet")
RULES = st.fixed_dictionaries(
    {
        "who": st.sampled_from(["ana", "joe", "kim", "staff", "night", "everyone"]),
        "verb": st.sampled_from(["may", "may", "may", "deny"]),
        "what": st.sampled_from(
            [
                "reads",
                "changes",
                "uptime",
                "service restart *",
                "service",
                "wipe",
                "wipe",
                "dynamic",
                "regex",
                "through",
                "rub",
                "flows_start",
            ]
        ),
        "on": st.sampled_from(["all", *GROUPS]),
        "where": st.sampled_from(["", "", "dm", "#ops"]),
    }
)


def inventory(seed):
    """Devices for the three groups, some in two of them."""
    chance = random.Random(seed)
    names = [f"d{number}" for number in range(6)]
    return {group: sorted(chance.sample(names, chance.randint(1, 4))) for group in GROUPS} | {"all": names}


def hosts_yml(groups):
    lines = [f"    {g}: {{hosts: {{{', '.join(f'{d}: {{}}' for d in groups[g])}}}}}" for g in GROUPS]
    hosts = ", ".join(f"{d}: {{}}" for d in groups["all"])
    return "\n".join(["all:", "  vars: {driver: fake}", f"  hosts: {{{hosts}}}", "  children:", *lines]) + "\n"


def policy_yml(rules, groups_of):
    people = [f"  {n}: {{test: {n}, groups: [{', '.join(groups_of[n])}]}}" for n in groups_of]
    lines = []
    for number, one in enumerate(rules):
        where = f', where: "{one["where"]}"' if one["where"] else ""
        lines.append(
            f'  - {{name: r{number}, who: {one["who"]}, {one["verb"]}: ["{one["what"]}"], on: {one["on"]}{where}}}'
        )
    return "\n".join(["people:", *people, "rules:", *(lines or ["  []"])]) + "\n"


class Oracle:
    """The rules, read aloud."""

    def __init__(self, rules, groups_of, devices):
        self.rules, self.groups_of, self.devices = rules, groups_of, devices

    def device(self, who, what, device, room):
        """Whether a person may do something on one device; `what` is the operation with its words."""
        if who not in self.groups_of:
            return False
        fitting = [r for r in self.rules if device in self.devices[r["on"]] and self._fits(r, who, what, room)]
        return any(r["verb"] == "may" for r in fitting) and all(r["verb"] == "may" for r in fitting)

    def command(self, who, name, room):
        """Whether a person may use a command of a plugin, which touches no device and says nothing of itself."""
        if who not in self.groups_of:
            return False
        here = [r for r in self.rules if self._speaks_of(r, who, room)]
        allowed = any(r["verb"] == "may" and r["what"] == name for r in here)
        every = set(self.devices["all"])  # a rule that denies on some devices says nothing of what touches none
        denying = [r for r in here if r["verb"] == "deny" and set(self.devices[r["on"]]) >= every]
        return allowed and not any(r["what"] in {name, "reads", "changes"} for r in denying)

    def _speaks_of(self, r, who, room):
        mine = r["who"] in {who, "everyone", *self.groups_of[who]}
        return mine and (not r["where"] or (r["where"] == "dm" and not room) or r["where"] == f"#{room}")

    def _fits(self, r, who, what, room):
        change = what.startswith("service restart")
        words = {"reads": not change, "changes": change, "uptime": what == "uptime"}
        named = {"service restart *": change, "service": what.startswith("service")}
        return self._speaks_of(r, who, room) and {**words, **named}.get(r["what"], False)


class World:
    """A bot that lives for all examples of one inventory."""

    def __init__(self, seed):
        self.place = tempfile.TemporaryDirectory()
        self.groups, self.fake = inventory(seed), Fake()
        folder = write_folder(Path(self.place.name), hosts=hosts_yml(self.groups))
        self.chat = ChatBot(folder, drivers=(self.fake,), plugins=entries.PLUGINS, errbot=entries.ERRBOT)

    def idle(self):
        entries.idle(self.chat)

    @property
    def done(self):
        return self.chat.bot.plugin_manager.plugins["Outside"].done

    def take(self, text):
        path = self.chat.folder / "other.yml"
        path.write_text(text)
        self.chat.automation.live.take(policy.load(path))


class Gate(RuleBasedStateMachine):
    """People type; after each step the oracle looks at all that ran."""

    world = None
    who = st.sampled_from(PEOPLE)
    room = st.sampled_from(["", "ops", "lobby"])
    pattern = st.sampled_from(["all", *GROUPS, "d1", "d0,d2", "web:db", "all:!core", "web:&db"])

    @initialize(rules=st.lists(RULES, min_size=2, max_size=5))
    def begin(self, rules):
        self.change_rules(rules, {"joe"})

    @rule(rules=st.lists(RULES, min_size=1, max_size=5), night=st.sets(st.sampled_from(PEOPLE[1:3])))
    def change_rules(self, rules, night):
        self.rules = rules
        self.groups_of = {name: ("staff", *(["night"] if name in night else [])) for name in PEOPLE[:3]}
        self._told()

    def _told(self):
        self.world.take(policy_yml(self.rules, self.groups_of))
        self.oracle = Oracle(self.rules, self.groups_of, self.world.groups)

    @rule(who=who, room=room, pattern=pattern, spelling=st.sampled_from(SPELLINGS), thread=st.sampled_from(["", "t1"]),
          words=st.sampled_from(["uptime", "service restart nginx", "service status nginx", "run uptime"]))  # fmt: skip
    def operation(self, who, room, pattern, spelling, words, thread):
        self._typed(spelling.format(f"{words} on {pattern}"), who, room, thread)

    @rule(who=who, room=room, text=st.sampled_from([*OF_PLUGINS, *WIPES]))
    def plugin_commands(self, who, room, text):
        before = len(self.world.done)
        self._typed(text, who, room)
        name = {**OF_PLUGINS, **WIPES}[text]
        expected = [name] if self.oracle.command(who, name, room) else []
        assert list(self.world.done[before:]) == expected, (who, room, text, self.rules)

    @rule(who=who, room=room, text=st.sampled_from(AROUND))
    def around(self, who, room, text):
        before = len(self.world.done)
        self._typed(text, who, room)
        assert len(self.world.done) == before
        assert "Outside" in self.world.chat.bot.plugin_manager.get_all_active_plugin_names()

    @rule(who=who, room=room, text=st.sampled_from(["!flows start wiping", "!flows start room_wiping", "!through"]))
    def flow(self, who, room, text):
        """A flow calls `wipe` by itself, in a direct message to nobody; one of a room has no person at all."""
        before = len(self.world.done)
        self._typed(text, who, room)
        begun = text == "!through" or self.oracle.command(who, "flows_start", room)
        in_person = not (room and "room" in text)
        expected = ["wipe"] if begun and in_person and self.oracle.command(who, "wipe", "") else []
        assert list(self.world.done[before:]) == expected, (who, room, text, self.rules)

    @rule(who=who, room=room)
    def alias(self, who, room):
        """Another name for a command needs the right to both."""
        before = len(self.world.done)
        self._typed("!rub", who, room)
        both = self.oracle.command(who, "rub", room) and self.oracle.command(who, "wipe", room)
        assert list(self.world.done[before:]) == (["wipe"] if both else [])

    @rule(who=who, what=st.sampled_from(["submit", "wipe", "dynamic", "rub"]))
    def webhook(self, who, what):
        """A webhook has no person of its own: what it starts is asked for by somebody."""
        before = len(self.world.done)
        self._ran_by(who, "", lambda: entries.post(self.world.url, what, who))
        names = {"wipe": ["wipe"], "dynamic": ["dynamic"], "rub": ["rub", "wipe"]}.get(what, [""])
        allowed = all(self.oracle.command(who, name, "") for name in names)
        assert list(self.world.done[before:]) == (names[-1:] if allowed else [])

    @precondition(lambda self: self.rules)
    @rule(who=who, room=room)
    def callable_itself(self, who, room):
        """What flows and other plugins do: take a command out of Errbot's table and call it."""
        message = Message("anything")
        message.frm, message.to = TestPerson(who), self.world.chat.bot.bot_identifier
        before = len(self.world.done)
        list(self.world.chat.bot.commands["wipe"](message, "") or ())
        assert bool(self.world.done[before:]) is self.oracle.command(who, "wipe", "")

    def _typed(self, text, who, room, thread=""):
        self._ran_by(who, room, lambda: self.world.chat.say(text, who, room, thread=thread))

    def _ran_by(self, who, room, act):
        before = len(self.world.fake.ran)
        self.world.idle()
        act()
        self.world.idle()
        for number, operation, device in self.world.fake.ran[before:]:
            job = self.world.chat.automation.store.job(number)
            what = " ".join([operation, *map(str, job.parameters.values())]).strip()
            assert self.oracle.device(who, what, device, room), (who, room, what, device, self.rules)
            assert (job.person, device in job.devices) == (who, True)
            assert job.place.room == room or not room

    @invariant()
    def the_record_is_whole(self):
        self.world.chat.automation.store.verify_audit()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_typed_by_whomever_wherever_only_what_the_rules_say_runs(seed):
    world = World(seed)
    with world.place, world.chat, entries.webserver(world.chat) as world.url:
        machine = type("Machine", (Gate,), {"world": world})
        quick = settings(
            max_examples=examples(25), stateful_step_count=12, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        run_state_machine_as_test(machine, settings=quick)
        assert world.fake.ran, "nothing ever ran, so nothing was shown"
        assert world.done
