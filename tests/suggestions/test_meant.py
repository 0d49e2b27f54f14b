"""What was meant by words that are no command."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.operations import own_commands
from automation_bots.suggestions.meant import Command, Known, suggest
from automation_bots.suggestions.others import OTHERS

UNIT = {"name": re.compile(r"[\w@.-]+")}
ACTIONS = ("status", "start", "stop", "restart", "enable", "disable")
READS = re.findall(
    r"\S+",
    "arp bgp clock counters disk eventlog interfaces lldp logs mac memory neighbors processes routes services uptime "
    "version who patch reboot facts ping reach traceroute backup time-sync disk-clean",
)
OWN = re.findall(
    r"\S+",
    "jobs job cancel retry deny monitor unmonitor schedules device devices help whoami pending freeze playbook approve",
)
COMMANDS = {
    **{name: Command(name, name, devices=True) for name in READS},
    "config-diff": Command("config-diff", "config diff", devices=True),
    "service": Command("service", "service", ACTIONS, ("action", "name"), devices=True, patterns=UNIT),
    "process": Command("process", "process", values=("name",), devices=True, patterns=UNIT),
    "route": Command("route", "route", values=("address",), devices=True),
    "dir": Command("dir", "dir", values=("path",), devices=True),
    "tcp": Command("tcp", "tcp", values=("ports",), devices=True, patterns={"ports": re.compile(r"[\d,-]+")}),
    "dns": Command("dns", "dns", values=("name",), takes_devices=False),
    "show": Command("show", "show", devices=True, rest=True),
    "config": Command("config", "config", devices=True),
    **{name: Command(name, name, takes_devices=False, rest=True) for name in OWN},
}  # fmt: skip
KNOWN = Known(COMMANDS, frozenset({"web", "web1", "web2", "core", "core1", "db1"}))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        # typos, plurals, capitals
        ("uptme on web", "uptime on web"),
        ("UPTIEM web1", "uptime on web1"),
        ("disks web", "disk on web"),
        ("interface core1", "interfaces on core1"),
        ("memry on web1", "memory on web1"),
        ("pign core", "ping on core"),
        ("shwo version on core1", "show version on core1"),
        ("jbos mine", "jobs mine"),
        ("approv 42", "approve 42"),
        ("monitr ping core every 5s", "monitor ping core every 5s"),
        # order, missing and extra words
        ("restart nginx on web", "service restart nginx on web"),
        ("nginx restart on web", "service restart nginx on web"),
        ("service nginx restart web1", "service restart nginx on web1"),
        ("web1 uptime", "uptime on web1"),
        ("what is the version of core1", "version on core1"),
        ("reboot web1 pls", "reboot on web1"),
        ("configdiff core1", "config diff on core1"),
        ("config dif on core1", "config diff on core1"),
        ("servcie restrat nginx on web", "service restart nginx on web"),
        # devices
        ("uptme on wbe", "uptime on web"),
        ("disks on web*:!web1", "disk on web*:!web1"),
        ("memry web1,web2", "memory on web1,web2"),
        # other tools
        ("df -h web1", "disk on web1"),
        ("ps aux on web1", "processes on web1"),
        ("top", "processes on <devices>"),
        ("free -m on web", "memory on web"),
        ("ip addr web1", "interfaces on web1"),
        ("sudo systemctl restart nginx on web1", "service restart nginx on web1"),
        ("Restart-Service spooler on web1", "service restart spooler on web1"),
        ("get-service spooler web1", "service status spooler on web1"),
        ("journalctl -u nginx on web1", "logs unit=nginx on web1"),
        ("sh ip int brief core1", "interfaces on core1"),
        ("show cdp neighbors on core1", "lldp on core1"),
        ("wr mem core1", "backup on core1"),
        ("nc -zv web1 443", "tcp 443 on web1"),
        ("Test-NetConnection web1 -Port 443", "tcp 443 on web1"),
        ("nslookup example.com", "dns example.com"),
        ("kubectl get nodes", "devices"),
        ("kubectl describe core1", "device core1"),
        ("is core1 alive", "ping on core1"),
        ("apt upgrade on web1", "patch on web1"),
        ("show running-config on core1", "show running-config on core1"),
    ],
)
def test_the_first_line_is_what_was_meant(typed, line):
    assert suggest(typed, KNOWN)[0] == line


@pytest.mark.parametrize(
    "typed",
    ["hello", "thanks", "how do I make coffee", "delete everything", "what hogs the cpu on web1", "kubectl get pods",
     "nc -zv vault1 22", "describe vault1", "", "a b c d e f", "on on on", "|", "sudo"],
)  # fmt: skip
def test_a_wrong_guess_is_worse_than_none(typed):
    assert suggest(typed, KNOWN) == ()


def test_where_two_are_as_likely_both_are_said():
    both = {name: Command(name, name) for name in ("process", "princess")}
    assert set(suggest("prncess", Known(both, ()))) == set(both)


def test_what_somebody_may_not_use_is_never_said():
    few = Known({"disk": COMMANDS["disk"]}, frozenset({"web1"}))
    said = {
        line
        for typed in ("reboot core1", "uptme", "ps aux", "restart nginx", "disks core1")
        for line in suggest(typed, few)
    }
    assert all(line.startswith("disk") and "core1" not in line for line in said)


@given(st.text(max_size=200))
def test_whatever_is_typed_only_known_commands_come_out(typed):
    names = {command.typed.split()[0] for command in COMMANDS.values()}
    assert all(line.split()[0] in names for line in suggest(typed, KNOWN))


def test_every_row_of_the_table_leads_to_a_command_that_is_shipped():
    missing = {line.split()[0] for _, line in OTHERS} - set(COMMANDS) - set(own_commands.OWN)
    assert missing == set()


def test_all_of_a_sentence_is_no_group():
    known = Known(COMMANDS, frozenset({"all", "web1"}))
    assert suggest("all the memory on web1", known) == ("memory on web1",)
    assert suggest("pign all", known) == ("ping on all",)
