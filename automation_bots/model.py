"""The words of the project as values: who, where, what, on which devices, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

NOTHING: Mapping[str, Any] = MappingProxyType({})
FILTERS = "|"  # the name under which a job keeps its filters; no parameter can be called that


class Risk(StrEnum):
    """Whether an operation only looks, or may leave something different behind."""

    READ = "read"
    CHANGE = "change"


class State(StrEnum):
    """Where a job is in its life; the values after RUNNING are final."""

    WAITING = "waiting"  # for approval
    SCHEDULED = "scheduled"  # for its time
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    DENIED = "denied"  # by an approver
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOID = "void"  # what was asked for is no longer what would run


PARKED = frozenset({State.WAITING, State.SCHEDULED})
FINAL = frozenset(State) - PARKED - {State.QUEUED, State.RUNNING}


class Status(StrEnum):
    """What came of one device."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


CONTROLLER = "(controller)"  # the bot's own machine, where a part of a playbook on devices ran
GOOD = frozenset({Status.OK, Status.CHANGED, Status.SKIPPED})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who typed, as the chat network knows them: the immutable id decides, the name is only shown."""

    network: str
    id: str
    name: str = ""
    robot: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One human (or robot account) of the policy, with all ids and groups."""

    name: str
    groups: frozenset[str] = frozenset()
    ids: Mapping[str, str] = field(default_factory=dict)
    robot: bool = False
    zone: str = ""  # whose clock times are said and read by; empty: that of the policy


@dataclass(frozen=True, slots=True)
class Place:
    """Chat network + room + thread; in a direct message `room` is the id of the other side."""

    network: str
    room: str
    thread: str = ""
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One typed parameter of an operation."""

    name: str
    type: str = "str"  # str, int, float, bool, list, dict; numbers: a list of whole numbers
    required: bool = True
    default: Any = None
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    match: str = ""  # regular expression the whole value must match
    max_length: int = 200
    help: str = ""
    text: bool = False  # takes a code block or an attached file
    rest: bool = False  # takes all words that are left, as a tuple of words (free commands)
    secret: bool = False  # never shown, never stored
    view: bool = False  # only how the answer is shown (`| name value`): the rules do not look at it
    spoken: str = ""  # the word that stands for its value in rules; empty: the value itself
    wildcards: bool = True  # False: only where the operation just looks, as `nginx*` may mean more than was allowed
    verbatim: bool = False  # takes the line as it was typed, flags and quotes and all: somebody else reads it
    last: bool = False  # without `on`, it is the last word, behind the devices


@dataclass(frozen=True, slots=True)
class Command:
    """What a device is asked to do: an argument list, never a shell string."""

    argv: tuple[str, ...]
    become: bool = False


@runtime_checkable
class Looks(Protocol):
    """The body of an operation that can tell from its values that it changes nothing."""

    def looks(self, parameters: Mapping[str, Any]) -> bool:
        """Whether it only looks."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something the bot can do. `body` is what the driver needs and nobody else looks into."""

    name: str
    help: str
    risk: Risk = Risk.CHANGE
    risk_by: tuple[str, Mapping[str, Risk]] | None = None  # (parameter, {its value: risk, "*": risk})
    driver: str = ""  # empty: each device's own, from the inventory
    parameters: tuple[Parameter, ...] = ()
    # required, one, optional, none; every: unless named, all that one may use; job, alert: those of the named one
    devices: str = "required"
    leading: str = ""  # how devices are named when they come first: "devices" a pattern, else a selector's own words
    examples: tuple[str, ...] = ()
    group: str = "Commands"  # heading in !help
    like: str = ""  # another operation whose refusals count for this one too: it can do the same
    declared: bool = True  # False: its file says nothing about itself, so admins only until a rule names it
    controller: bool = False  # parts of it run on the bot's own machine, so that only a rule that names it allows it
    previews: bool = False  # --check shows what would change
    cmdlets: bool = False  # its words are a cmdlet's: rules compare them without case, and one word means any values
    time_limit: float = 0  # seconds; 0: the bot's default
    source: Path | None = None
    body: Any = None
    network: str = ""  # the question by which the network driver answers it on its devices, whatever `driver` says

    @property
    def takes_pattern(self) -> bool:
        """Whether devices can be named with it."""
        return self.devices not in {"none", "alert"}

    def driver_on(self, device: Device) -> str:
        """Return the driver that does this on a device."""
        if self.network and (device.driver == "network" or device.has_command_line):
            return "network"
        return self.driver or device.driver

    def risk_of(self, parameters: Mapping[str, Any]) -> Risk:
        """Return the risk of this operation with these parameter values."""
        if self.risk_by is None:
            return self.risk
        parameter, risks = self.risk_by
        return risks.get(str(parameters.get(parameter)), risks.get("*", Risk.CHANGE))

    def only_looks(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing is changed with these values, although rules may have to count it among the changes."""
        by_body = isinstance(self.body, Looks) and self.body.looks(parameters)
        return by_body or self.risk_of(parameters) is Risk.READ

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of that name, if there is one."""
        return next((p for p in self.parameters if p.name == name), None)


@dataclass(frozen=True, slots=True)
class Device:
    """A host of the inventory. `variables` holds no secret; `secrets` names those that exist."""

    name: str
    groups: frozenset[str] = frozenset()
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()

    @property
    def platform(self) -> str:
        """The key under which a verb lists its command: linux, windows, cisco_ios, frr and so on."""
        return platform_of(self.variables)

    @property
    def driver(self) -> str:
        """The driver that reaches this device when an operation names none."""
        return driver_of(self.variables)

    @property
    def has_command_line(self) -> bool:
        """Whether it is a network device that Ansible or the driver ssh reaches: it has no Python and no shell."""
        network_cli = str(self.variables.get("ansible_connection", "")).endswith("network_cli")
        return self.driver in {"ansible", "ssh"} and (network_cli or self.platform in _COMMAND_LINES)

    @property
    def site(self) -> str:
        """The part of the network that one group of workers serves; empty when not set."""
        return str(self.variables.get("site", ""))

    @property
    def address(self) -> str:
        """Where to connect: `ansible_host`, or the name."""
        if given := self.variables.get("ansible_host"):
            return str(given)
        return "127.0.0.1" if self.variables.get("ansible_connection") == "local" else self.name


POSIX = frozenset(
    {"linux", "posix", "unix", "freebsd", "openbsd", "netbsd", "darwin", "macos", "solaris", "aix"}
)  # platforms whose login shell splits words by the rules of `sh`
# The words of Ansible's collections → the device types of netmiko.
NETWORK_OS = {
    "ios": "cisco_ios", "iosxe": "cisco_ios", "nxos": "cisco_nxos", "iosxr": "cisco_xr", "asa": "cisco_asa",
    "aireos": "cisco_wlc", "ciscosmb": "cisco_s300", "eos": "arista_eos", "junos": "juniper_junos", "vyos": "vyos",
    "frr": "frr", "routeros": "mikrotik_routeros", "fortios": "fortinet", "panos": "paloalto_panos", "ce": "huawei",
    "cloudengine": "huawei", "comware": "hp_comware", "aoscx": "aruba_aoscx", "aruba": "aruba_os",
    "procurve": "hp_procurve", "os6": "dell_os6", "os9": "dell_os9", "os10": "dell_os10", "dellos6": "dell_os6",
    "dellos9": "dell_os9", "dellos10": "dell_os10", "sonic": "dell_sonic", "sros": "nokia_sros",
    "srlinux": "nokia_srl", "edgeos": "ubiquiti_edgerouter", "edgeswitch": "ubiquiti_edgeswitch",
    "ironware": "ruckus_fastiron", "icx": "ruckus_fastiron", "exos": "extreme_exos", "voss": "extreme_vsp",
    "slxos": "extreme_slx", "nos": "extreme_nos", "onyx": "mellanox_mlnxos",
    "bigip": "f5_tmsh", "checkpoint": "checkpoint_gaia",
}  # fmt: skip
_SHELL_BELOW = {"frr", "vyos", "ubiquiti_edgerouter", "dell_sonic", "checkpoint_gaia"}  # these may have a Unix shell
_COMMAND_LINES = frozenset(NETWORK_OS.values()) - _SHELL_BELOW | {"cisco_xe"}


def platform_of(variables: Mapping[str, Any]) -> str:
    """Name the platform: `platform`, else from `ansible_network_os` (short or collection form), else by connection."""
    if platform := variables.get("platform"):
        return str(platform)
    if network_os := variables.get("ansible_network_os"):
        short = str(network_os).rsplit(".", 1)[-1]
        return NETWORK_OS.get(short, short)
    return "windows" if variables.get("ansible_connection") in {"winrm", "psrp"} or _shell_of(variables) else "linux"


def _shell_of(variables: Mapping[str, Any]) -> bool:
    """Whether SSH leads to a Windows shell there."""
    return str(variables.get("ansible_shell_type", "")) in {"powershell", "cmd"}


_CONNECTION_DRIVER = {"winrm": "powershell", "psrp": "powershell"}


def driver_of(variables: Mapping[str, Any]) -> str:
    """Name the driver: `driver` (of several the first), else by `ansible_connection`; SSH is what is left."""
    if driver := variables.get("driver"):
        return str(driver[0] if isinstance(driver, list | tuple) else driver)
    if variables.get("ansible_connection") == "local":
        return "local" if platform_of(variables) in POSIX else "ansible"  # Ansible's old way to network devices
    usual = "powershell" if _shell_of(variables) else "ssh"
    return _CONNECTION_DRIVER.get(str(variables.get("ansible_connection", "ssh")), usual)


@dataclass(frozen=True, slots=True)
class Canary:
    """Batches one after the other: `steps` are counts or percentages, the rest comes last."""

    steps: tuple[str, ...] = ()
    pause_after: int = 0  # the batch after which somebody has to say `!continue`; 0: none


class Tells(StrEnum):
    """Of which answers of a schedule its place hears."""

    ALWAYS = "always"
    CHANGE = "change"  # those that are other than the one before
    FAILURE = "failure"  # those that failed, and the first one that is good again


class ScheduleState(StrEnum):
    """Where a schedule is in its life."""

    ACTIVE = "active"
    PAUSED = "paused"
    OVER = "over"  # it was for one time, which has come
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a schedule."""

    schedule: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A command that runs at times, as the person who made it; `times` is a recurrence as it is written down."""

    number: int
    person: str
    caller: Caller
    place: Place
    operation: str
    line: str
    text: str = ""  # the code block behind the line
    times: Mapping[str, Any] = field(default_factory=dict)
    tells: Tells = Tells.ALWAYS
    confirmed: int = 0  # the number of devices that its maker named, where a rule asks for it
    pattern: str = ""
    state: ScheduleState = ScheduleState.ACTIVE
    why: str = ""  # it is paused
    restored: bool = False  # paused since the record was restored from a backup
    due: datetime | None = None
    ahead: bool = False  # its times may need approval, which is asked for before they come
    asks: datetime | None = None  # its next time, until it is known whether approvers are to be asked about it
    failures: int = 0  # in a row
    approval: int | None = None  # the job with whose approval its later times may run
    offered: str = ""  # the person who is asked to take it over
    made: datetime | None = None

    @property
    def title(self) -> str:
        """The command as it was typed."""
        return one_line(f"{self.operation} {self.line}".strip())


@dataclass(frozen=True, slots=True)
class Monitor:
    """A read that is repeated and judged, as the person who began it."""

    number: int
    person: str
    caller: Caller
    place: Place
    kind: str  # ping, tcp, http: probed by the bot itself; read: an operation, by a job each time
    title: str  # what is watched, as it was typed
    operation: str  # whose rights count
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    devices: tuple[str, ...] = ()
    interval: float = 5.0  # seconds
    condition: str = ""  # on the table of a read, as it was typed
    until: datetime | None = None
    muted: datetime | None = None  # nothing of it is told until then
    muted_why: str = ""  # who, and what for
    made: datetime | None = None
    ended: datetime | None = None
    why: str = ""  # it ended
    message: str = ""  # the chat message that shows it; only the chat side understands it


@dataclass(frozen=True, slots=True)
class MonitorTarget:
    """One thing that a monitor looks at: a device, a port of one, a web address."""

    id: int
    monitor: int
    name: str
    device: str  # whose rights count; empty: no device
    facts: Mapping[str, Any] = field(default_factory=dict)  # how it is looked at, how it was, who said what of it


@dataclass(frozen=True, slots=True)
class MonitorEvent:
    """Something that a monitor told."""

    monitor: int
    target: str  # empty: the monitor as a whole
    at: datetime
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class WatchedChange:
    """Work on devices between two looks at all of them, with a monitor meanwhile."""

    number: int
    person: str
    caller: Caller
    place: Place
    pattern: str
    devices: tuple[str, ...]
    reason: str = ""
    monitor: int = 0
    began: datetime | None = None
    ended: datetime | None = None
    before: Mapping[str, Any] = field(default_factory=dict)  # device -> what was read of it; empty: not yet
    after: Mapping[str, Any] = field(default_factory=dict)
    looked: datetime | None = None  # when all of `before` had been read


@dataclass(frozen=True, slots=True)
class RoomWatch:
    """What somebody wants to hear of, where it was typed."""

    number: int
    person: str
    caller: Caller
    place: Place
    about: str  # jobs, jobs failed, changes, approvals
    pattern: str = ""
    seq: int = 0  # up to which row of the record its place has heard
    made: datetime | None = None

    @property
    def title(self) -> str:
        """As it was typed."""
        return self.about + (f" on {self.pattern}" if self.pattern else "")


class Severity(StrEnum):
    """How bad something is that happened, the worst first; each source's own words are mapped to these."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """What an event says of the state of something."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UPDATED = "updated"  # acknowledged, commented, silenced by somebody: still what it was
    SINGLE = "single"  # has no state: a trap, a line of a log, a job's end


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """What a source says has happened. All texts are of strangers: redacted when kept, harmless where shown."""

    source: str  # its name in bot.toml: zabbix, am-madrid; "bot" for what the bot itself tells
    kind: str  # alertmanager, zabbix, grafana, librenms, json, syslog, trap, salt, monitor, job, schedule
    what: str  # the alert's, trigger's, trap's or mnemonic's name
    at: datetime  # when it was heard
    phase: Phase = Phase.SINGLE
    severity: Severity = Severity.UNKNOWN
    device: str = (
        ""  # a name of the inventory, where the source itself knows it; else `about` and `fields` are looked at
    )
    about: str = ""  # what the sender calls it: a host, an instance, an address
    text: str = ""
    fingerprint: str = ""  # what it is about, for its source: with `started` one alert and its one life; none if SINGLE
    started: datetime | None = None  # of the life; None: the sender does not say, so the life that goes on is meant
    ended: datetime | None = None  # of a life that is over, where the sender says so
    fields: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # labels, tags, values of the sender
    origin: tuple[str, ...] = ()  # rules that started what this tells of, the first one first
    by: str = ""  # who did what is told of, as the sender calls them
    done: str = ""  # of UPDATED: acknowledged, unacknowledged, commented, silenced, unsilenced, or the sender's word
    note: str = ""  # what they said with it
    until: datetime | None = None  # of silenced


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in the record. What only repeats what is known is counted in its alert, and is none."""

    number: int
    event: ReportedEvent
    alert: int | None = None  # whose life it belongs to


@dataclass(frozen=True, slots=True)
class Finding:
    """What somebody who looked at an event said of it, for whoever asks why nothing happened."""

    event: int
    by: str  # alerts, or a rule
    said: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong, from firing to resolved: one life of one fingerprint of one source."""

    number: int
    source: str
    kind: str
    fingerprint: str
    started: datetime
    what: str
    heard: datetime  # first
    last: datetime  # heard
    severity: Severity = Severity.UNKNOWN
    ended: datetime | None = None  # it is over
    closed: datetime | None = None  # when its end was heard of
    device: str = ""
    about: str = ""
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    reports: int = 1  # how often it was heard of, repeats included
    acknowledged: str = ""  # who, and what they said
    comment: str = ""  # the last one: who, and what they said
    muted: datetime | None = None  # nothing of it is told until then
    muted_why: str = ""  # who, and what for
    message: str = ""  # the chat message that shows it; only the chat side understands it
    fold: int = 0  # the first of the alerts that share a message; 0: it has its own
    shown: str = ""  # firing or over: what the message says of it
    revision: int = 1  # counts what there is to tell
    told: int = 0  # the revision that the message shows

    @property
    def firing(self) -> bool:
        """Whether it goes on."""
        return self.ended is None


@dataclass(frozen=True, slots=True)
class Cause:
    """What lets something run by itself: the rules that led to it, the last one last, the event, and its action."""

    rules: tuple[str, ...]
    event: int
    action: int


@dataclass(frozen=True, slots=True)
class Request:
    """Person + place + operation + parameters + device pattern, and what the pattern resolved to."""

    caller: Caller
    place: Place
    operation: Operation
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    devices: tuple[str, ...] = ()
    check: bool = False
    reason: str = ""
    quiet: bool = False
    wait: bool = False
    message_id: str = ""
    retry_of: int | None = None
    when: datetime | None = None  # not before
    emergency: str = ""  # why the usual rules cannot be kept
    canary: Canary | None = None
    confirmed: int = 0  # the number of devices that the requester typed
    filters: tuple[tuple[str, str], ...] = ()  # what answers go through: (which, its expression)
    also: tuple[str, ...] = ()  # devices on which it works too, such as those that tasks are delegated to
    unknown: tuple[str, ...] = ()  # templates that name more of them when it runs
    occurrence: Occurrence | None = None  # the time of a schedule that it was made for
    cause: Cause | None = None  # the rule that asks for it

    @property
    def risk(self) -> Risk:
        """What the gate judges. A preview needs the same rights: check mode may still run parts of a playbook."""
        return self.operation.risk_of(self.parameters)


class Verdict(StrEnum):
    """The gate's answer."""

    ALLOW = "allow"
    DENY = "deny"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule allows at most; None is no limit."""

    devices: int | None = None
    concurrent: int | None = None
    rate: tuple[int, float] | None = None  # (starts, seconds)
    failures: float | None = None  # of a batch of a canary; more than this share stops the job, None: any failure
    caps: tuple[tuple[str, str, int], ...] = ()  # (rule, per what, jobs at once)
    rates: tuple[tuple[str, str, int, float], ...] = ()  # (rule, per what, starts, seconds)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class ApprovalRequirement:
    """One rule's demand for approval. Groups or people in `by`; of 0 seconds in `within` the bot's default is meant."""

    rule: str
    by: tuple[str, ...]
    quorum: int = 1
    within: float = 0.0
    escalate: str = ""  # who may approve too, `after` so many seconds
    after: float = 0.0
    room: str = ""
    preview: bool = True
    different: bool = False  # who counts for it counts for no other rule
    once: float = 0.0  # seconds that the approval of one time of a schedule counts for the others; 0: each is asked for

    def asked(self, escalated: Collection[str] = ()) -> tuple[str, ...]:
        """Return whose approval counts, when these rules have gone on to others already."""
        return (*self.by, self.escalate) if self.escalate and self.rule in escalated else self.by


@dataclass(frozen=True, slots=True)
class ApprovalDefaults:
    """How approvers are asked, where the rules say nothing else."""

    room: str  # empty: where the request was made
    seconds: float  # that a request waits
    late_seconds: float  # that a scheduled job may start after its time
    waiting: int  # requests of one person
    many: int  # devices that are worth a note
    production: tuple[str, ...]  # patterns of groups that are worth a note


@dataclass(frozen=True, slots=True)
class Decision:
    """Allow, deny or needs approval, with the rules that decided and a sentence for the person."""

    verdict: Verdict
    reason: str = ""
    rules: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    needs: tuple[ApprovalRequirement, ...] = ()  # all must be met
    refused: tuple[str, ...] = ()  # devices this was refused on
    allowed: tuple[str, ...] = ()  # devices of the request this would be allowed on
    confirm: str = ""  # why the requester has to type the number of devices first; empty: no need
    approver_proof: timedelta | None = None  # how old the proof of whoever approves may be; None: none is asked for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one device: one line to read, the whole output to look into."""

    device: str  # empty for an operation without devices
    status: Status
    summary: str = ""
    output: str = ""
    seconds: float = 0.0
    exit_code: int | None = None
    filtered: bool = False  # the driver itself has done what stands behind a `|`
    configuration_of: str = ""  # the platform, where the output is a configuration: more of it is secret than of prose


@dataclass(frozen=True, slots=True)
class Job:
    """An accepted request: durable and numbered. Times are aware datetimes in UTC."""

    number: int
    state: State
    person: str
    caller: Caller
    place: Place
    operation: str
    parameters: Mapping[str, Any]
    pattern: str
    devices: tuple[str, ...]
    risk: Risk
    drivers: tuple[str, ...]
    sites: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    words: tuple[str, ...] = ()  # the values as a person would type them, without defaults
    check: bool = False
    quiet: bool = False
    reason: str = ""
    digest: str = ""  # of operation, parameters, devices and the content of what runs
    retry_of: int | None = None
    preview_of: int | None = None  # the job that waits for approval and is looked at here beforehand
    parked: bool = False  # it waited for approval or for its time: its approval record stands beside it
    emergency: str = ""
    canary: Canary | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    told: bool = False  # the place has heard how it ended
    also: tuple[str, ...] = ()  # devices on which it works too, without an outcome of their own
    unknown: tuple[str, ...] = ()  # templates that name more of them when it runs
    counts: Mapping[str, int] = field(default_factory=dict)  # {status: devices}, of the outcomes so far
    occurrence: Occurrence | None = None  # the time of a schedule that it runs for
    monitor: int | None = None  # which asks; it hears how the job ends, and no room does
    cause: Cause | None = None  # the rule that had it started; what is told of its end comes of that rule

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """What its answers go through before anybody sees them: `| include error | count`."""
        return tuple((str(name), str(expression)) for name, expression in self.parameters.get(FILTERS) or ())

    @property
    def title(self) -> str:
        """The operation and its values as a person would type them, without the devices."""
        return one_line(" ".join([self.operation, *self.words, *(["--check"] if self.check else [])]))


@dataclass(frozen=True, slots=True)
class File:
    """Something too long or too wide for a message: a text, a table, a picture."""

    name: str
    content: bytes
    passing: bool = False  # a secret: shown to whom it is for, kept nowhere

    @classmethod
    def of_text(cls, name: str, text: str) -> File:
        """Make a text file; characters that no text can hold are replaced."""
        # Without its mark, a spreadsheet takes UTF-8 for another encoding.
        return cls(name, text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8", "replace"))

    @property
    def text(self) -> str | None:
        """The content as text, or None for a picture or another binary."""
        try:
            return None if b"\0" in self.content else self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A driver's own words on a whole job: a summary by group, a table, a picture."""

    text: str = ""
    block: str = ""
    files: tuple[File, ...] = ()
    filtered: bool = False  # what stands behind a `|` was done to it; else it does not stand beside filtered outputs
    configuration_of: str = ""  # as of an outcome


@dataclass(frozen=True, slots=True)
class Mark:
    """What makes all tries to say something one message, those of an earlier life of the program included."""

    name: str  # the same at every try, and of nothing else that was ever said
    at: datetime | None  # it was not said before; None where nobody knows


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody whom an answer calls: the immutable id there, and what stands where a network calls nobody."""

    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Button:
    """A command that is one click away: as if whoever clicks had typed it there, and judged as that."""

    label: str
    line: str  # without a prefix: "ack A812"
    said: bool = False  # the words of the answer say it already


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said: a sentence, an optional block shown as it is, and what to type next."""

    text: str
    block: str = ""
    hint: str = ""
    files: tuple[File, ...] = ()
    entrusted: bool = False  # holds a secret that is told to its one reader on purpose, as a one-time code
    mark: Mark | None = None  # of what is said once, although the program may be killed meanwhile
    mentions: tuple[Mention, ...] = ()  # who is to look at it; no text calls anybody, whatever stands in it
    buttons: tuple[Button, ...] = ()  # what to type next, where a network has buttons; elsewhere they are in the hint

    def in_words(self) -> Answer:
        """The same where there are no buttons: their commands stand in the hint."""
        typed = [f"!{button.line}" for button in self.buttons if not button.said]
        hint = "\n".join(part for part in (self.hint, f"→ {' · '.join(typed)}" if typed else "") if part)
        return replace(self, hint=hint, buttons=())

    def __str__(self) -> str:
        return "\n".join(part for part in (self.text, self.block, self.hint) if part)


def items_of(value: object) -> tuple[object, ...]:
    """The words of a value: of a list its items, of a table `name=value` for each of its names."""
    if isinstance(value, Mapping):
        return tuple(f"{name}={item}" for name, item in value.items())
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def typed_words(operation: Operation, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Write values as a person would type them; what equals its default is left out."""
    words = []
    for parameter in operation.parameters:
        value = parameters.get(parameter.name)
        if value is None or value == parameter.default:
            continue
        if value is True and not parameter.required and not parameter.view:
            words.append(f"--{parameter.name.replace('_', '-')}")
            continue
        between = " " if parameter.rest else ","
        text = between.join(map(str if parameter.verbatim else _quoted, items_of(value)))
        if parameter.view:
            words.append(f"| {parameter.name}" if parameter.type == "bool" else f"| {parameter.name} {text}")
            continue
        if parameter.text:
            lines = len(value) if isinstance(value, tuple | list) else str(value).count("\n") + 1
            text = f"({lines} line{'' if lines == 1 else 's'})"
        words.append(text if parameter.required or parameter.text or parameter.rest else f"{parameter.name}={text}")
    words += [f"| {name} {expression}".rstrip() for name, expression in parameters.get(FILTERS) or ()]
    return tuple(one_line(word, 100) for word in words)


def _quoted(value: object) -> str:
    """A value that is one word again when it is typed; the grammar knows both quotes and no escapes."""
    text = str(value)
    if text and not re.search(r"[\s\"']", text):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


_BIDI = r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # these turn a line round for its reader
_CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f{_BIDI}]+")
TURNS_LINES = re.compile(f"[{_BIDI}]")
NOT_SHOWN = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}]")  # all but tab and line break: no chat shows them


def one_line(text: str, limit: int = 200) -> str:
    """Fold line breaks and control characters, so that no text can forge a second line."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
