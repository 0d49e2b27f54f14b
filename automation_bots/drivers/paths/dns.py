"""`dns`: ask DNS servers, and say what they answered, who did, and how long it took."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automation_bots.drivers import Task
from automation_bots.drivers.stopped import stopped
from automation_bots.errors import DriverError, in_words
from automation_bots.model import Operation, Outcome, Parameter, Risk, Status, one_line

if TYPE_CHECKING:
    import dns.resolver

TYPES = ("A", "AAAA", "CNAME", "MX", "TXT", "PTR", "SOA", "NS", "SRV", "CAA")
_SECONDS = 5.0  # for all servers and tries together
OPERATION = Operation(
    name="dns",
    help="What DNS servers say of a name, an address, or a device of the inventory",
    risk=Risk.READ,
    driver="paths",
    parameters=(
        Parameter("name", match=r"[\w*:][\w.:*/-]*", max_length=255, help="a name, an address or a device"),
        Parameter(
            "type", required=False, choices=TYPES, help="which records; without it the addresses, or an address's name"
        ),
        Parameter(
            "server",
            required=False,
            match=r"[\w:[][\w.:-]*]?(#\d+)?",
            max_length=255,
            help="which server to ask, by address or name, with #port where it is not 53",
        ),
    ),
    devices="none",
    examples=("dns example.com", "dns example.com MX", "dns 192.0.2.10", "dns example.com SOA server=1.1.1.1"),
    group="Reach",
    time_limit=30,
)


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of one question."""

    status: Status
    lines: tuple[tuple[str, ...], ...] = ()
    problem: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked, and whom."""

    name: str
    first: str  # what the inventory says of it
    servers: str
    seconds: float


def ask(task: Task, device: Callable[[str, str], str]) -> Outcome:
    """Ask for what the task says."""
    try:
        import dns.resolver
    except ImportError as error:
        raise DriverError(
            "DNS questions need dnspython, which is not installed here; try: pip install dnspython"
        ) from error

    name, kind = str(task.parameters["name"]), task.parameters.get("type")
    address = "" if kind else device(task.job.person, name)
    began = time.monotonic()
    try:
        resolver = _resolver(str(task.parameters.get("server") or ""))
        questions = _questions(address or name, kind)
    except (ValueError, OSError, dns.exception.DNSException) as error:
        return Outcome("", Status.FAILED, one_line(in_words(error)))
    resolver.lifetime = max(0.1, min(_SECONDS, task.seconds_left))
    said = _answers(task, resolver, questions)
    seconds = time.monotonic() - began
    if said is None:
        return stopped(task, "", started=True, seconds=seconds)
    first = f"{name} is {address} in the inventory" if address and address != name else ""
    return _outcome(_Asked(name, first, _servers(resolver), seconds), said)


def _answers(task: Task, resolver: dns.resolver.Resolver, questions: Sequence[tuple[Any, str]]) -> list[_Said] | None:
    """Ask everything at once; None when the task is cancelled, which no slow server holds up."""
    woken = threading.Event()
    pool = ThreadPoolExecutor(len(questions), "dns")
    asked = [pool.submit(_asked, resolver, *question) for question in questions]
    for one in asked:
        one.add_done_callback(lambda _: woken.set() if all(future.done() for future in asked) else None)
    task.cancel.call(woken.set)
    woken.wait()
    pool.shutdown(wait=False, cancel_futures=True)
    return None if task.cancel.is_set() else [one.result() for one in asked]


def _questions(name: str, kind: str | None) -> list[tuple[Any, str]]:
    """What to ask: an address is turned round."""
    import dns.exception
    import dns.name
    import dns.reversename

    try:
        literal = str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        literal = ""
    if literal and kind in {None, "PTR"}:
        return [(dns.reversename.from_address(literal), "PTR")]
    try:
        whole = dns.name.from_text(name, None, dns.name.IDNA_2003)
    except dns.exception.DNSException as error:
        raise ValueError(f"{name!r} is not a name that DNS knows: {error}") from error
    return [(whole, one) for one in ([kind] if kind else ["A", "AAAA"])]


def _resolver(server: str) -> dns.resolver.Resolver:
    """A resolver as the system has it, or one that asks this server only."""
    import dns.resolver

    if not server:
        try:
            return dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise ValueError("this machine has no DNS server in /etc/resolv.conf; say server=…") from error
    host, _, port = server.partition("#")
    resolver = dns.resolver.Resolver(configure=False)
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_DGRAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ValueError(f"the server's own name {host!r} does not resolve") from error
    resolver.nameservers = [str(found[0][4][0])]
    resolver.port = _port(port)
    return resolver


def _port(text: str) -> int:
    port = int(text or 53)
    if not 1 <= port <= 65535:
        raise ValueError(f"a port is 1–65535, got {text}")
    return port


def _asked(resolver: dns.resolver.Resolver, name: Any, kind: str) -> _Said:
    import dns.exception
    import dns.resolver

    try:
        answer = resolver.resolve(name, kind, search=True)
    except dns.resolver.NXDOMAIN:
        return _Said(Status.FAILED, problem=f"no such name: {_plain(name)} (NXDOMAIN), says {_servers(resolver)}")
    except dns.resolver.NoAnswer:
        return _Said(Status.OK, problem=f"{_plain(name)} exists, but has no {kind} record, says {_servers(resolver)}")
    except dns.resolver.NoNameservers as error:
        return _Said(Status.FAILED, problem=_refused(error.kwargs.get("errors", ())))
    except dns.resolver.LifetimeTimeout:
        return _Said(Status.UNREACHABLE, problem=f"no answer from {_servers(resolver)} within {resolver.lifetime:g} s")
    except dns.exception.DNSException as error:
        return _Said(Status.FAILED, problem=one_line(str(error)))
    return _Said(Status.OK, _lines(answer), server=_server(answer))


def _plain(name: Any) -> str:
    return one_line(re.sub(r"(?<=.)\.$", "", str(name)))


def _refused(errors: Sequence[Any]) -> str:
    """Each server with what it said: SERVFAIL, REFUSED, or no answer that can be read."""
    said = []
    for found, _, port, error, *_ in errors:
        address = str(found).partition(":")[2].rpartition("@")[0]  # "Do53:192.0.2.53@53"
        server = (address or str(found)) + (f"#{port}" if port != 53 else "")
        what = {"SERVFAIL": "cannot answer (SERVFAIL)", "REFUSED": "does not answer us (REFUSED)"}.get(
            str(error), one_line(str(error), 80)
        )
        said.append(f"{server} {what}")
    return "; ".join(dict.fromkeys(said)) or "no server answered"


def _lines(answer: Any) -> tuple[tuple[str, ...], ...]:
    """The records, the aliases on the way among them."""
    import dns.rdatatype

    return tuple(
        (_plain(found.name), f"{found.ttl} s", dns.rdatatype.to_text(found.rdtype), one_line(record.to_text(), 2000))
        for found in answer.response.answer
        for record in found
    )


def _server(answer: Any) -> str:
    return f"{answer.nameserver}" + (f"#{answer.port}" if answer.port != 53 else "")


def _servers(resolver: dns.resolver.Resolver) -> str:
    port = f"#{resolver.port}" if resolver.port != 53 else ""
    return ", ".join(f"{server}{port}" for server in resolver.nameservers)


def _outcome(asked: _Asked, said: Sequence[_Said]) -> Outcome:
    rows = list(dict.fromkeys(row for one in said for row in one.lines))
    status = next((one.status for one in said if one.status is not Status.OK), Status.OK)
    problems = list(dict.fromkeys(one.problem for one in said if one.problem))
    if rows and status is Status.OK:
        problems = []  # a name with one kind of address only is as it should be
    elif len(problems) > 1 and status is Status.OK:
        problems = [problems[0].replace("no A record", "no address")]
    summary = "; ".join([*([asked.first] if asked.first else []), *problems])
    if rows and not problems:
        summary = f"{asked.name}: {len(rows)} record{'' if len(rows) == 1 else 's'}"
    servers = ", ".join(dict.fromkeys(one.server for one in said if one.server))
    who = f"from {servers}" if servers else f"asked {asked.servers}"
    text = [asked.first, *_table(rows), *problems, f"{who}, {asked.seconds * 1000:.0f} ms"]
    return Outcome("", status, summary, "\n".join(line for line in text if line), asked.seconds)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(3)] if rows else []
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows]
