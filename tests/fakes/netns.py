"""A network of the test's own: namespaces in a row, joined by veth pairs, with routes through all of them."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_SERIAL = itertools.count()


def command(*words: str) -> str:
    """Run a command; what it says when it fails is in the error."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """One machine: a network stack of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        command("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        limits = ("net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratemask=")  # nothing counts: or probes stay unanswered
        at_once = ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", *limits, *at_once)

    def run(self, *words: str) -> str:
        """Run a command there."""
        return command("ip", "netns", "exec", self.name, *words)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread, its threads and its processes are there for a while; a socket stays where it was made."""
        with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{self.name}").open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    @contextlib.contextmanager
    def dropping(self, *packets: str) -> Iterator[None]:
        """Forward everything but these packets (words of nft) for a while, without a word to whoever sent them."""
        self.run("nft", "add", "table", "ip", "lab")
        try:
            self.run("nft", "add", "chain", "ip", "lab", "way", "{ type filter hook forward priority 0; }")
            self.run("nft", "add", "rule", "ip", "lab", "way", *packets, "drop")
            yield
        finally:
            self.run("nft", "delete", "table", "ip", "lab")

    def remove(self) -> None:
        """End it, and its links with it."""
        command("ip", "netns", "delete", self.name)


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "a network namespace cannot be entered; tests of networks run as root")


class Row:
    """Machines in a row: number n and n+1 share 10.77.n.0/24 and fd77:n::/64, where they are .1 and .2."""

    def __init__(self, length: int) -> None:
        mark = f"ab{os.getpid()}x{next(_SERIAL)}"
        self.all: list[Namespace] = []
        try:
            for number in range(length):
                self.all.append(Namespace(f"{mark}n{number}"))
            for left in range(length - 1):
                self._join(left)
            for number in range(length):
                self._route(number)
        except BaseException:
            self.remove()
            raise

    def _join(self, left: int) -> None:
        """Device `right` of one machine to device `left` of the next."""
        one, other = self.all[left], self.all[left + 1]
        pair = ("link", "add", "right", "netns", one.name, "type", "veth", "peer", "name", "left", "netns", other.name)
        command("ip", *pair)
        for machine, device, end in ((one, "right", 1), (other, "left", 2)):
            machine.run("ip", "addr", "add", f"10.77.{left}.{end}/24", "dev", device)
            machine.run("ip", "addr", "add", f"fd77:{left}::{end}/64", "dev", device, "nodad")
            machine.run("ip", "link", "set", device, "up")

    def _route(self, number: int) -> None:
        """Routes to every net that is further away, by the neighbour in that direction."""
        machine = self.all[number]
        for net in range(len(self.all) - 1):
            if net > number:
                near, end = number, 2
            elif net < number - 1:
                near, end = number - 1, 1
            else:
                continue
            machine.run("ip", "route", "add", f"10.77.{net}.0/24", "via", f"10.77.{near}.{end}")
            machine.run("ip", "-6", "route", "add", f"fd77:{net}::/64", "via", f"fd77:{near}::{end}")

    def narrow(self, left: int, mtu: int) -> None:
        """Let the link from one machine to the next take smaller packets only."""
        self.all[left].run("ip", "link", "set", "right", "mtu", str(mtu))
        self.all[left + 1].run("ip", "link", "set", "left", "mtu", str(mtu))

    def refuse(self, at: int, kind: str, net: str) -> None:
        """Lead a net to one machine, which refuses it: unreachable, prohibit, or blackhole, which says nothing."""
        for number in range(at):
            self.all[number].run("ip", "route", "add", net, "via", f"10.77.{number}.2")
        self.all[at].run("ip", "route", "add", kind, net)

    def remove(self) -> None:
        """End all of it."""
        for machine in self.all:
            machine.remove()
