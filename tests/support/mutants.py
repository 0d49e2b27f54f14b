"""One scenario for each entry point, and the same without the gate's call: `python -m tests.support.mutants <name>…`.

It prints `bypassed` (or `held`) and the name, judged by what ran and what was said, never by asking the gate.
"""

import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from automation_bots.approvals.validity import ApprovalValidity
from automation_bots.commands.context import CommandContext
from automation_bots.drivers.fake import Fake
from automation_bots.jobs.driver_guard import DriverGuard
from automation_bots.model import Decision, Verdict
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.pipeline.plugin_commands import PluginCommands
from automation_bots.policy import gate, policy
from automation_bots.store import Subject
from backends.adapter import guard
from backends.plugins import untouched
from tests.support import entries
from tests.support.chatbot import POLICY, ChatBot, wait, write_folder
from tests.support.entries import idle

APPROVAL = POLICY + "  - {name: db, who: support, may: ['service restart *'], on: db, needs: approval by admins}\n"
LOOK_ONLY = POLICY[: POLICY.index("  - {name: services")]
YES = Decision(Verdict.ALLOW)
RESTART = "!service restart nginx on"


def plugin_commands(chat):
    """Somebody uses a command that no rule gives."""
    chat.say("!wipe", "joe", "ops")
    idle(chat)
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def regex(chat):
    """The same by words without a prefix."""
    chat.say("please wipe it", "joe", "ops")
    idle(chat)
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def alias(chat):
    """Somebody may use another name of a command, and not the command itself."""
    take(chat, POLICY + "  - {name: rub, who: support, may: [rub]}\n")
    chat.say("!rub", "joe", "ops")
    idle(chat)
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def flow(chat):
    """A flow that somebody may start calls a command that they may not use."""
    take(chat, POLICY + "  - {name: flows, who: support, may: [flows_start]}\n")
    chat.say("!flows start wiping", "joe")
    idle(chat)
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def followed(chat):
    """A flow begins by itself after a command, also after one that was refused."""
    chat.say("!through", "kim", "ops")
    idle(chat)
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def posted(chat):
    """A webhook calls a command in somebody's name."""
    with entries.webserver(chat) as url:
        entries.post(url, "wipe", "joe")
    return bool(chat.bot.plugin_manager.plugins["Outside"].done)


def posted_request(chat):
    """A webhook asks for a change in the name of somebody who may not change all of it."""
    with entries.webserver(chat) as url:
        entries.post(url, "submit", "joe")
    idle(chat)
    return bool(chat.jobs)


def threaded(chat):
    """A change is asked for in a thread."""
    chat.bot.automation_place = entries.place_of
    chat.say(f"{RESTART} db1", "kim", "ops", thread="t1")
    idle(chat)
    return bool(chat.jobs)


def requested(chat):
    """A change is asked for where only others may change."""
    chat.say(f"{RESTART} db1", "kim")
    idle(chat)
    return bool(chat.jobs)


def scheduled(chat):
    """A schedule was set by who may no longer do what it says when its time comes."""
    chat.asks("!every 15m service restart nginx on web1", "^S1 ", who="kim")
    take(chat, LOOK_ONLY)
    store, now = chat.automation.store.schedules, datetime.now(UTC)
    store.change(store.find(1), replace(store.find(1), due=now), "test", Subject())
    chat.automation.schedules.look()
    wait(lambda: store.history(1, 1) and (store.history(1, 1)[0].result or chat.jobs), 10)
    return bool(chat.jobs)


def started(chat):
    """The rules change while a job waits behind another."""
    behind(chat, lambda: chat.asks(f"{RESTART} web1", "#2", who="joe"), POLICY)
    return any(number == 2 for number, _, _ in chat.fake.ran)


def approved(chat):
    """The rules change after an approval, while the job waits behind another."""

    def request():
        chat.asks(f"{RESTART} db1", "approval", who="joe")
        chat.asks("!approve 2", ".", who="ana")
        wait(lambda: chat.automation.store.job(2).state != "waiting", 10)

    behind(chat, request, APPROVAL, "db1")
    return any(number == 2 for number, _, _ in chat.fake.ran)


def behind(chat, request, rules, device="web1"):
    take(chat, rules)
    chat.fake.seconds = 1.5
    chat.asks(f"{RESTART} {device}", "#1", who="ana")
    wait(lambda: chat.fake.ran, 10)
    request()
    take(chat, LOOK_ONLY)
    idle(chat)


def take(chat, text):
    path = chat.folder / "other.yml"
    path.write_text(text)
    chat.automation.live.take(policy.load(path))


def stranger(chat):
    """Somebody whom nobody knows asks the bot."""
    return "web" in chat.asks("!devices", who="eve")


def others_job(chat):
    """Somebody looks at a job on devices that are hidden from them."""
    chat.asks("!uptime on vault1", "done in", who="ana")
    return "uptime" in chat.asks("!job 1", who="joe")


def others_output(chat):
    """Somebody reads what a change printed that they could not have made."""
    chat.asks(f"{RESTART} db1", "done in", who="ana")
    return "No: " not in chat.asks("!job 1 output", who="joe")


def frozen(chat):
    """Somebody freezes devices without a rule for it."""
    chat.say("!freeze web until 23:59 because", "joe")
    idle(chat)
    return bool(chat.automation.store.change_blocks.current())


def own_approval(chat):
    """Somebody approves their own request."""
    take(chat, APPROVAL)
    chat.asks(f"{RESTART} db1", "approval", who="joe")
    chat.say("!approve 1", "joe")
    idle(chat)
    return bool(chat.automation.store.approvals.find(1).votes)


def short_way(chat):
    """A plugin that somebody may use calls a driver by itself."""
    take(chat, POLICY + "  - {name: short, who: support, may: [shortcut]}\n")
    chat.asks("!shortcut driver", "met", who="joe")
    return bool(chat.fake.ran)


def queued_past(chat):
    """A plugin that somebody may use puts a job into the queue that nobody decided on."""
    take(chat, POLICY + "  - {name: short, who: support, may: [shortcut]}\n")
    chat.asks("!shortcut job_that_nobody_allowed", "met", who="joe")
    idle(chat)
    return bool(chat.fake.ran)


def _open_gate(module, name):
    vars(module)["gate"] = SimpleNamespace(**{**vars(gate), name: lambda *_args, **_more: YES})


def _unwrapped():
    guard._guarded = lambda _bot, _plugin, method: method
    untouched._is_guarded = lambda _name, _command: True  # what looks for such commands behind it is gone as well


def _no_last_look():
    from automation_bots.jobs import runner as run

    _open_gate(run, "again")


def _no_decision():
    from automation_bots.pipeline import pipeline

    _open_gate(pipeline, "decide")


def _no_decision_on_times():
    from automation_bots.pipeline import pipeline

    _open_gate(pipeline, "typed_before")


def _set(owner, name, value):
    return lambda: setattr(owner, name, value)


def _everybody_known():
    CommandContext.person = lambda context, _ask: context.live.policy.people["ana"]


def _anybody_approves():
    from automation_bots.approvals.approvals import Approvals

    def may(self, _caller, number):
        job, approval = self._context.store.job(number), self._context.store.approvals.find(number)
        return job, approval, self._context.live.policy.people["ana"]

    Approvals._may_decide = may


# the scenario, and what takes the gate's call out of its way
MUTANTS = {
    "the guard's wrapping, a command": (plugin_commands, _unwrapped),
    "the guard's wrapping, a regex": (regex, _unwrapped),
    "the guard's wrapping, an alias": (alias, _unwrapped),
    "the guard's wrapping, a flow": (flow, _unwrapped),
    "the guard's wrapping, a flow that begins by itself": (followed, _unwrapped),
    "the guard's wrapping, a webhook": (posted, _unwrapped),
    "the decision on a webhook's request": (posted_request, _no_decision),
    "the decision on a request in a thread": (threaded, _no_decision),
    "the guard's judgement": (plugin_commands, _set(PluginCommands, "judge", lambda *_args, **_more: None)),
    "the decision on a request": (requested, _no_decision),
    "the decision on a time of a schedule": (scheduled, _no_decision_on_times),
    "the last look before the start": (started, _no_last_look),
    "the last look at what a plugin queued": (queued_past, _no_last_look),
    "the door before a driver": (
        short_way,
        _set(DriverGuard, "run", lambda door, task, report: door.behind.run(task, report)),
    ),
    "the consent": (approved, _set(ApprovalValidity, "void", lambda *_args: "")),
    "the own commands' question who asks": (stranger, _everybody_known),
    "whose job it is": (others_job, _set(CommandContext, "sees", lambda *_args: True)),
    "who reads an output": (others_output, _set(CommandContext, "reads", lambda *_args: True)),
    "who closes devices": (frozen, _set(Pipeline, "judged", lambda *_args: None)),
    "who approves": (own_approval, _anybody_approves),
}


def play(scenario):
    """Play it in a bot of its own; True when the gate was gone around."""
    with tempfile.TemporaryDirectory() as place:
        fake = Fake()
        with ChatBot(write_folder(Path(place)), (fake,), plugins=entries.PLUGINS, errbot=entries.ERRBOT) as chat:
            chat.fake = fake
            return scenario(chat)


def main(name, mutated):
    scenario, mutate = MUTANTS[name]
    if mutated:
        mutate()
    return "bypassed" if play(scenario) else "held"


def _in_a_fork(name):
    """So that what was taken out is missing nowhere else, and all is imported once."""
    if (child := os.fork()) == 0:
        print(f"{main(name, mutated=True)}\t{name}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        _in_a_fork(each)
