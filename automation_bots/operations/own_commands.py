"""The bot's own commands: each declared once, as a value. Help, reserved names, plugins and tests are read from here.

Answered at once, without a job. What a command does is the method of its name in the class of its group.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from enum import StrEnum


class Late(StrEnum):
    """What becomes of a command that was said while the bot was away."""

    REPEAT = "repeat"  # it may change something, and is to be said again
    LOOKS = "looks"  # it only looks, whatever stands behind it
    REFUSES = "refuses"  # it says no, and decides nothing about what waits no longer


class Shown(StrEnum):
    """Who sees a command in the help."""

    EVERYBODY = "everybody"
    ALLOWED = "allowed"  # whom a rule allows it
    ADMINS = "admins"
    SOMEWHERE = "somewhere"  # whom a rule allows it on a device
    PROOFS = "proofs"  # everybody, where a rule asks people to prove themselves


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """One command; `group` is its class in commands/ and its plugin in errbot-plugins/."""

    group: str
    usage: str
    help: str
    examples: tuple[str, ...]
    late: Late = Late.REPEAT
    shown: Shown = Shown.EVERYBODY
    judged: bool = False  # a rule names it and says who may; it is about no device
    rule: str = ""  # the word by which rules know it, where that is another
    filtered: bool = False  # it prints a list, behind which the filters of a router may stand

    @property
    def name(self) -> str:
        """The word that is typed."""
        return self.usage.split()[0]

    @property
    def method(self) -> str:
        """The name of what answers."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name


_COMMANDS = (
    OwnCommand("bot", "help [command | group | what you want to do]", "What you may do here, and how",
               ("!help", "!help ping", "!help network", "!help restart"),
               Late.LOOKS),
    OwnCommand("bot", "ask <question>", "Which command answers a question, in your own words",
               ("!ask how full are the disks on web",), Late.LOOKS),
    OwnCommand("faq", "faq [<n> | add <question> = <answer> | edit <n> <question> = <answer> | forget <n>]",
               "The most common questions, with what answers them",
               ("!faq", "!faq 3", "!faq add who restarts nginx? = the web team · !service status nginx on web",
                "!faq forget 3"), judged=True),
    OwnCommand("bot", "about", "What this bot is", ("!about",), Late.LOOKS),
    OwnCommand("bot", "whoami", "Who you are to the bot: person, groups, ids, place", ("!whoami",), Late.LOOKS),
    OwnCommand("bot", "devices [pattern]", "The devices you may see, by group or pattern",
               ("!devices", "!devices core:&site_a"), Late.LOOKS, filtered=True),
    OwnCommand("bot", "device <name> | trust <devices> | untrust <devices>",
               "One device: how it is reached, what you may do there; admins: which SSH host keys are trusted",
               ("!device core1", "!device trust core1")),
    OwnCommand("bot", "playbook list | show <name> | run <name> on <devices> [key=value …] [--check]",
               "Playbooks: list them, look into one, run one", ("!playbook list", "!playbook show patch")),
    OwnCommand("jobs", "jobs [mine|running|failed|<person>|<operation>|<devices>]", "The latest jobs",
               ("!jobs mine", "!jobs failed web", "!jobs leo"), Late.LOOKS, filtered=True),
    OwnCommand("jobs", "job <n> [output [device] | outputs]",
               "One job with its outcomes, its output, or a file for each device",
               ("!job 42", "!job 42 output web3", "!job 42 outputs"), Late.LOOKS, filtered=True),
    OwnCommand("jobs", "queue", "What waits, and for what", ("!queue",), Late.LOOKS, filtered=True),
    OwnCommand("jobs", "cancel <n>", "Stop a job of yours", ("!cancel 42",)),
    OwnCommand("jobs", "retry <n> [failed]", "Run a job again, on all its devices or those that failed",
               ("!retry 42 failed",)),
    OwnCommand("jobs", "ack <n> | A<n> [what you say | off] | M<n> [device] [what you say]",
               "Acknowledge an alert or an outage; or an interrupted change, so that its devices are free again",
               ("!ack 42", "!ack A12 on it", "!ack M3 core2 on it")),
    OwnCommand("approvals", "pending", "What waits for approval or for its time", ("!pending",), Late.LOOKS,
               filtered=True),
    OwnCommand("approvals", "approve <n> [note]", "Approve what somebody else asked for",
               ("!approve 42", "!approve 42 go ahead")),
    OwnCommand("approvals", "deny <n> <reason>", "Refuse what somebody else asked for",
               ("!deny 42 not before the release",), Late.REFUSES),
    OwnCommand("approvals", "details <n>", "All there is to know of a request, with the whole preview",
               ("!details 42",), Late.LOOKS),
    OwnCommand("approvals", "withdraw <n>|all", "Take back what waits for approval or for its time",
               ("!withdraw 42",),
               Late.REFUSES),
    OwnCommand("repos", "repos [install <address>[@tag|@commit] | confirm <code> | update <name>[@tag] | "
               "remove <name> | search <words>]", "Plugins from elsewhere, for admins",
               ("!repos", "!repos install https://github.com/owner/name@v1.2"), shown=Shown.ADMINS),
    OwnCommand("aliases", "alias [name = <command> | team <group> <name> = <command> | remove <name>]",
               "Short forms of commands, of your own or of your team",
               ("!alias", "!alias bounce = service restart {name} on {devices}",
                "!alias team netops up = uptime", "!alias remove bounce")),
    OwnCommand("bot", "can <operation> on <devices> [for <person>]", "Whether you may, and which rule says so",
               ("!can patch on db", "!can patch on db for joe"), Late.LOOKS),
    OwnCommand("bot", "why [<n>|r<n>]", "Which rule decided about a job, or about what was refused to you last",
               ("!why", "!why 42", "!why r57"), Late.LOOKS),
    OwnCommand("freezes", "freeze <devices|all> until <time> <reason>",
               "Keep changes away from devices, where a rule lets you",
               ("!freeze web until 18:00 audit", "!freeze all until Mon 08:00 end of year"),
               shown=Shown.SOMEWHERE),
    OwnCommand("freezes", "unfreeze <devices|all>", "Let changes in again", ("!unfreeze web",),
               shown=Shown.SOMEWHERE, rule="freeze"),
    OwnCommand("freezes", "lock <devices> [until <time>] <reason>",
               "Keep the changes of others away, where a rule lets you",
               ("!lock core1 replacing a line card", "!lock web until 2h tests"),
               shown=Shown.SOMEWHERE),
    OwnCommand("freezes", "unlock <devices>", "Give locked devices back", ("!unlock core1",),
               shown=Shown.SOMEWHERE, rule="lock"),
    OwnCommand("freezes", "locks", "What is frozen or locked, by whom and why", ("!locks",), Late.LOOKS, filtered=True),
    OwnCommand("freezes", "reviews", "Emergencies that nobody has reviewed yet", ("!reviews",), Late.LOOKS,
               filtered=True),
    OwnCommand("freezes", "review <n> <text>", "Write what you found about somebody else's emergency",
               ("!review 42 the fix was right, now in the playbook too",), shown=Shown.ALLOWED, judged=True),
    OwnCommand("freezes", "continue <n>|all", "Let a job go on that waits for a word: after a batch, or a restore",
               ("!continue 42",)),
    OwnCommand("schedules", "at <time> <command>", "Run a command once, later, as you", (
               "!at 22:00 patch on web", "!at tomorrow 06:30 show version on core")),
    OwnCommand("schedules", "every <interval|days and time> <command> [--on change|failure] [--zone <zone>]",
               "Run a command again and again, as you",
               ("!every 15m disk on web --on change", "!every weekday 06:30 backup on network")),
    OwnCommand("schedules", 'cron "<minute hour day month weekday>" <command> [--on change|failure] [--zone <zone>]',
               "The same with the five fields of cron", ('!cron "0 2 * * 1-5" patch on web',)),
    OwnCommand("schedules", "schedules [mine] [device]", "What runs at times, and when next",
               ("!schedules", "!schedules mine", "!schedules web1"), Late.LOOKS, filtered=True),
    OwnCommand("schedules", "schedule <n> [pause | resume | remove | run | owner <person> | accept]",
               "One schedule: its next times, its history; stop it for a while or for good, give it to somebody else",
               ("!schedule 7", "!schedule 7 pause", "!schedule 7 owner joe")),
    OwnCommand("monitors", "monitor ping|tcp <ports>|http <address>|interface errors|interface traffic|<any read> "
               "[on <devices>] [where <column> > <value>] [every 5s] [for 30m | until 18:00] | "
               "<n> [device | csv | picture | ack [device] [what you say]]",
               "Watch something and say what changes, or look at what is watched",
               ("!monitor ping core every 5s for 30m", "!monitor tcp 22,443 on web",
                "!monitor http https://www.corp.example status=200 days=30",
                "!monitor interface errors on core1", "!monitor disk on web where used > 90 every 5m",
                "!monitor 3", "!monitor 3 ack core2 on it")),
    OwnCommand("monitors", "monitors", "What is watched, and how it is", ("!monitors",), Late.LOOKS, filtered=True),
    OwnCommand("monitors", "unmonitor <n>", "End a monitor", ("!unmonitor 3",)),
    OwnCommand("monitors", "mute <n> [device] | A<n> <time> [reason]",
               "Hear nothing of a monitor, of one device of it, or of an alert, for a time",
               ("!mute 3 2h", "!mute 3 core2 2h line card", "!mute A12 1h known")),
    OwnCommand("watches", "watch jobs [failed] | changes | approvals [on <devices>]",
               "Hear here when jobs fail or end, changes end, requests wait for approval",
               ("!watch jobs failed on core", "!watch jobs on web", "!watch changes on core", "!watch approvals")),
    OwnCommand("watches", "watches", "What is told here and by whose wish", ("!watches",), Late.LOOKS, filtered=True),
    OwnCommand("watches", "unwatch <n>", "Hear no more of it", ("!unwatch 3",)),
    OwnCommand("alerts", "alerts [all] [devices | source | A<n>]", "What is wrong now, as other systems tell it",
               ("!alerts", "!alerts core", "!alerts all web1"), Late.LOOKS, filtered=True),
    OwnCommand("alerts", "events [devices | source | A<n> | follow [tag]]",
               "What was heard last; `follow` shows what comes in now, as it comes",
               ("!events", "!events core1"), Late.LOOKS, filtered=True),
    OwnCommand("alerts", "event <n> | A<n>", "One event, and what every rule said of it; or all of one alert",
               ("!event 812", "!event A12"), Late.LOOKS, filtered=True),
    OwnCommand("changes", "change [start <devices> [reason] | end [n] | <n> [diff <device>]]",
               "Look at devices before and after work on them, and hear what is worse",
               ("!change start core new line card", "!change end", "!change 2", "!change 2 diff core2")),
    OwnCommand("rules", "rules", "What happens by itself when something happens elsewhere", ("!rules",), Late.LOOKS,
               Shown.ALLOWED, judged=True, filtered=True),
    OwnCommand("rules", "rule <name> | test <name> <event|A<alert>|source=… severity=… device=…> | "
               "pause <name> <why> | resume <name>",
               "One rule read aloud, with what it did; whether it would act on an event; kept from acting for a while",
               ("!rule a lost neighbour", "!rule test a lost neighbour 812", "!rule pause a lost neighbour too loud"),
               shown=Shown.ALLOWED, rule="rules"),
    OwnCommand("rules", "do <n>", "Do what a rule proposed, as you", ("!do 12",)),
    OwnCommand("rules", "oncall [rota] | take [rota] until <time> | back [rota]", "Whom a page goes to",
               ("!oncall", "!oncall take until 18:00", "!oncall take linux until Mon 09:00", "!oncall back")),
    OwnCommand("peers", "peers", "Other bots: who is there, and by which key; !@<bot> <command> asks one", ("!peers",),
               Late.LOOKS, filtered=True),
    OwnCommand("bot", "status", "How the bot is", ("!status",), Late.LOOKS, filtered=True),
    OwnCommand("record", "audit [person=] [device=] [kind=] [job=] [operation=] [since=2h] [until=] [limit=] | "
               "verify | key | export from <day> [to <day>] [csv] [json]",
               "The record, for those whom a rule lets see it",
               ("!audit since=2h", "!audit verify", "!audit export from 2026-11-01 to 2026-11-30"),
               shown=Shown.ALLOWED, judged=True, filtered=True),
    OwnCommand("people", "people", "Everybody the bot knows, for admins", ("!people",), Late.LOOKS, Shown.ADMINS,
               filtered=True),
    OwnCommand("people", "person [name] | link [<name> <network> <id>] | unlink <network> <id> | invite <name> | "
               "code <code>", "One person; linking another account of yours",
               ("!person", "!person link", "!person link ana matrix @ana:corp.example", "!person invite ana")),
    OwnCommand("people", "totp [<code> | enrol | end | reset <person>]",
               "Prove yourself with your authenticator app, where a rule asks for it",
               ("!totp", "!totp enrol", "!totp 123456"), shown=Shown.PROOFS),
)  # fmt: skip
OWN = {command.name: command for command in _COMMANDS}  # in the order of the help
GROUPS = tuple(sorted({command.group for command in _COMMANDS}))


def of_group(group: str) -> tuple[OwnCommand, ...]:
    """The commands of a group."""
    return tuple(command for command in _COMMANDS if command.group == group)
