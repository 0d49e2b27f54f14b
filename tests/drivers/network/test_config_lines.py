"""Configuration lines, the rules about them, and how an answer is wanted: without any device."""

import os
import random
from contextlib import nullcontext

import netmiko
import pytest

from automation_bots.demo import shows
from automation_bots.demo.cli import Cli
from automation_bots.demo.switch import network
from automation_bots.drivers.network import device_task
from automation_bots.drivers.network.archive import Archive, Saved
from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines
from automation_bots.drivers.network.device_requests import Show
from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.own_operations import CONFIG, DIFF, SHOW
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session import netmiko_cli
from automation_bots.drivers.network.show import answers, getters
from automation_bots.errors import BadParameter, DriverError
from automation_bots.model import NETWORK_OS, Device, platform_of, typed_words
from automation_bots.operations import parameters
from automation_bots.operations.verbs import GETTERS
from automation_bots.pipeline import parser as grammar
from automation_bots.policy import gate
from automation_bots.text import filters
from tests.drivers.contract import make_task
from tests.support.world import NOON, request, scope_of

TEAM = """
people:
  ana: {text: "@ana", groups: [netops]}
  joe: {text: "@joe", groups: [support]}
rules:
  - {name: ports, who: support, may: [config], on: all, with: {lines: ["interface *", "description *", "shutdown"]}}
  - {name: all, who: netops, may: [config, "show version", "show ip *"], on: all}
  - {name: no routing, who: netops, deny: [config], on: core, with: {lines: ["router *", "no router *"]}}
"""


def typed(operation, line, text=""):
    return grammar.checked(operation, grammar.parse(operation, line, text))


@pytest.mark.parametrize(
    ("who", "text", "verdict"),
    [
        ("joe", "interface Gi0/1\n description to  r2\n shutdown", "allow"),
        ("joe", "interface Gi0/1\n ip address 192.0.2.1 255.255.255.0", "deny"),
        ("joe", "router bgp 1", "deny"),
        ("ana", "interface Gi0/1\n description x", "allow"),
        ("ana", "description x\nrouter bgp 65001", "deny"),
        ("ana", " ROUTER   bgp 65001", "deny"),
        ("ana", "rou bgp 65001", "deny"),
    ],
)
def test_every_line_is_judged_by_itself(tmp_path, who, text, verdict):
    values = typed(CONFIG, "core1", text)
    assert gate.decide(scope_of(tmp_path, TEAM), request(who, CONFIG, "core1", **values), NOON).verdict == verdict


@pytest.mark.parametrize("line", ["running-config", "run", "RUN", "runn | include user", "r"])
def test_what_nobody_may_see_is_refused_in_short_too(tmp_path, line):
    team = TEAM + '  - {name: secret, who: everyone, deny: ["show running-config"]}\n'
    team += "  - {name: more, who: netops, may: [show]}\n"
    asked = [request("ana", SHOW, "core1", **typed(SHOW, f"{said} on core1")) for said in (line, "route summary")]
    scope = scope_of(tmp_path, team)
    assert [gate.decide(scope, one, NOON).verdict for one in asked] == ["deny", "allow"]


@pytest.mark.parametrize("line", ["version --diff on core1", "version | match IOS | csv on core1"])
def test_how_an_answer_is_shown_is_no_matter_of_rules(tmp_path, line):
    decision = gate.decide(scope_of(tmp_path, TEAM), request("ana", SHOW, "core1", **typed(SHOW, line)), NOON)
    assert decision.verdict == "allow"


@pytest.mark.parametrize(
    ("line", "pattern", "since"),
    [
        ("core1", "core1", None),
        ("core1 2", "core1", "2"),
        ("core1 2026-01-31", "core1", "2026-01-31"),
        ("core1 1f3a9c2", "core1", "1f3a9c2"),
        ("2026-01-31 on core1", "core1", "2026-01-31"),
        ("core1 core2", "core1,core2", None),
    ],
)
def test_since_when_may_stand_behind_the_device(line, pattern, since):
    found = grammar.parse(DIFF, line)
    assert (found.pattern, found.values.get("since")) == (pattern, since)


def test_a_pipe_of_ours_is_a_value_and_any_other_is_the_devices():
    values = typed(SHOW, "ip route | include 10. | columns network,mask | match 'a b' on core1")
    assert values["command"] == ("ip", "route", "|", "include", "10.")
    assert (values["columns"], values["match"]) == (("network", "mask"), "a b")
    assert typed_words(SHOW, values)[1:] == ('| match "a b"', "| columns network,mask")


def test_sections_follow_the_indentation():
    tree = lines.structured(
        ("router bgp 1", "  address-family ipv4 unicast", "    network 1.0.0.0/8", "  timers bgp 1 3")
    )
    assert [depth for depth, _ in tree] == [0, 1, 2, 1]
    assert lines.flat(tree)[2:] == ("network 1.0.0.0/8", "exit", "timers bgp 1 3")


@pytest.mark.parametrize(
    ("text", "exits"),
    [
        ("interface Et1\n mtu 9000\ninterface Et2\n mtu 9000", 0),
        ("interface Et1\n mtu 9000\nrouter bgp 1\n timers bgp 1 3", 1),
        ("interface Et1\n mtu 9000\nhostname x", 1),
        ("interface Et1\n mtu 9000\ninterface Et2\nntp server 1.1.1.1", 1),
        ("policy-map A\n class B\n  police 1\npolicy-map C\n class D", 0),
        ("policy-map A\n class B\n  police 1\n class D\n  police 2", 1),
        ("router bgp 1\n address-family ipv4\n  network 1.0.0.0/8\nrouter ospf 1\n area 0 stub", 2),
        ("vlan 10\n name a\nvlan 20\n name b\ninterface vlan 10\n mtu 9000", 1),
    ],
)
def test_a_section_is_left_but_for_the_next_of_its_kind(text, exits):
    sent = lines.typed(lines.structured(text.split("\n")))
    assert sent.count("exit") == exits
    assert [line for line in sent if line != "exit"] == [line.strip() for line in text.split("\n")]


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ("banner motd ^C\nno entry", True),
        ("banner motd ^C\nno ^ entry\nreload\n^C", True),
        ("banner motd\nno entry", True),
        ("banner motd ^C\nno entry\n\n! reload\n^C", False),
        ("banner motd\nno entry\nEOF", False),
        ("banner motd ^no entry^", False),
        ("banner motd line no entry", False),
        ("banner motd default", False),
    ],
)
def test_a_banner_ends_or_would_swallow_what_follows(typed, refused):
    with pytest.raises(BadParameter) if refused else nullcontext():
        assert lines.checked(typed.splitlines()) == (typed,)


@pytest.mark.parametrize(
    ("platform", "typed", "refused"),
    [
        ("juniper_junos", "delete system name-server 192.0.2.1", False),
        ("vyos", "delete system name-server", False),
        ("juniper_junos", "delete", True),
        ("cisco_ios", "delete flash:x", True),
        ("cisco_ios", "description to r2; spare", False),
        ("cisco_nxos", "description to r2 ; reload", True),
        ("", "description to r2; spare", True),
        ("juniper_junos", 'set interfaces ge-0/0/0 description "to r2; spare"', False),
        ("juniper_junos", "set system host-name x; delete", True),
    ],
)
def test_what_may_be_typed_depends_on_the_platform(platform, typed, refused):
    with pytest.raises(BadParameter) if refused else nullcontext():
        assert lines.checked((typed,), platform=platform) == (typed,)


BANNER = "hostname a\nbanner motd ^C\n! no entry   here\nexit-address-family\n!\n^C\ninterface Gi0/1\n shutdown\n"


def test_a_banner_is_undone_as_it_was():
    for runs in (BANNER.replace("no entry", "welcome"), "hostname a\ninterface Gi0/1\n shutdown\n"):
        line = plans.undoing("cisco_ios", runs, BANNER)[-1]
        assert line == (0, "banner motd ^C\n! no entry   here\nexit-address-family\n!\n^C")
    assert plans.undoing("cisco_ios", BANNER, "hostname a\n")[0] == (0, "no banner motd")


def test_a_new_banner_replaces_the_old_one():
    tree = lines.structured(lines.checked(("banner motd ^C", "welcome", "^C")))
    plan = plans.predicted("cisco_ios", BANNER, tree).splitlines()
    assert (plan[0], plan[-3:]) == ("- banner motd ^C", ["+ banner motd ^C", "+ welcome", "+ ^C"])


@pytest.mark.parametrize(
    ("typed", "plan"),
    [
        ("interface Gi0/1\n no shutdown\n no description", ""),
        ("ip access-list extended X\n 10 permit udp any any",
         "- ip access-list extended X │ 10 permit ip any any\n+ ip access-list extended X │ 10 permit udp any any"),
        ("ip prefix-list P seq 5 permit 10.0.0.0/8",
         "- ip prefix-list P seq 5 deny 0.0.0.0/0\n+ ip prefix-list P seq 5 permit 10.0.0.0/8"),
        ("interface Gi0/1\n no description\ninterface Gi0/2\n no description", "- interface Gi0/2 │ description x"),
    ],
)  # fmt: skip
def test_a_plan_knows_what_a_line_replaces_and_what_is_off_already(typed, plan):
    running = "interface Gi0/1\n mtu 9000\ninterface Gi0/2\n description x\n"
    running += "ip access-list extended X\n 10 permit ip any any\nip prefix-list P seq 5 deny 0.0.0.0/0\n"
    assert plans.predicted("cisco_ios", running, lines.structured(typed.splitlines())) == plan


def test_tabs_indent_as_blanks_do():
    kept = lines.checked(("ip sla 1", "\ticmp-echo 10.0.0.1", "hostname x"))
    assert lines.structured(kept) == ((0, "ip sla 1"), (1, "icmp-echo 10.0.0.1"), (0, "hostname x"))


def test_without_indentation_the_words_open_the_sections():
    tree = lines.structured(("interface Gi0/1", "description x", "router bgp 1", "neighbor 1.1.1.1 remote-as 2"))
    assert [depth for depth, _ in tree] == [0, 1, 0, 1]


def test_a_plan_says_in_which_section_a_line_is_new():
    running = "interface Gi0/1\n description old\n!\nrouter bgp 1\n neighbor 1.1.1.1 remote-as 2\n"
    plan = plans.predicted("cisco_ios", running, ((0, "interface Gi0/1"), (1, "description new")))
    assert plan.splitlines() == ["- interface Gi0/1 │ description old", "+ interface Gi0/1 │ description new"]


CISCO = """version 15.7
hostname a
interface Gi0/1
 ip address 10.0.0.1 255.255.255.0
interface Gi0/2
 no ip address
 switchport trunk allowed vlan 10,20
ip access-list extended X
 remark office
 permit ip any any
route-map RED permit 10
 match tag 7
"""


@pytest.mark.parametrize("platform", ["cisco_ios", "cisco_xe", "cisco_nxos", "frr"])
@pytest.mark.parametrize(
    ("typed", "plan"),
    [
        ("interface Gi0/2\n description x", "+ interface Gi0/2 │ description x"),
        ("interface Gi0/1\n no ip address", "- interface Gi0/1 │ ip address 10.0.0.1 255.255.255.0"),
        ("interface Gi0/1\n logging event link-status", "+ interface Gi0/1 │ logging event link-status"),
        ("interface Gi0/2\n switchport trunk allowed vlan add 30",
         "+ interface Gi0/2 │ switchport trunk allowed vlan add 30"),
        ("ip access-list extended X\n remark all", "+ ip access-list extended X │ remark all"),
        ("version 15.7", ""),
        ("hostname b", "- hostname a\n+ hostname b"),
        ("route-map R permit 10\n match tag 1", "+ route-map R permit 10\n+ route-map R permit 10 │ match tag 1"),
        ("host b", "+ host b"),
        ("interface Gi0/2\n description x\ninterface Gi0/1\ninterface Gi0/2\n shutdown\n description x",
         "+ interface Gi0/2 │ shutdown\n+ interface Gi0/2 │ description x"),
        ("ntp server 1.1.1.1\nntp server 1.1.1.1", "+ ntp server 1.1.1.1"),
        ("int gi 0/2\n description x", "+ interface Gi0/2 │ description x"),
        ("interface Gi0/20\n shutdown", "+ interface Gi0/20\n+ interface Gi0/20 │ shutdown"),
    ],
)  # fmt: skip
def test_a_plan_shows_each_line_that_is_sent_and_none_that_stays(platform, typed, plan):
    assert plans.predicted(platform, CISCO, lines.structured(typed.splitlines())) == plan


def test_what_undoes_a_change_is_computed():
    before = "interface Gi0/1\n description old\n"
    assert plans.undoing("cisco_ios", "interface Gi0/1\n shutdown\n description old\n", before) == (
        (0, "interface Gi0/1"),
        (1, "no shutdown"),
    )


@pytest.mark.parametrize("platform", ["cisco_ios", "cisco_nxos", "frr"])
@pytest.mark.parametrize(
    ("runs", "undone"),
    [
        (CISCO.replace(" remark office\n", ""), "ip access-list extended X\n remark office"),
        (CISCO.replace(" no ip address\n", " ip address 10.9.0.1 255.0.0.0\n"),
         "interface Gi0/2\n no ip address 10.9.0.1 255.0.0.0"),
        (CISCO.replace("Gi0/1\n", "Gi0/1\n logging event link-status\n"),
         "interface Gi0/1\n no logging event link-status"),
        (CISCO + "username ops secret a!b\n", "no username ops secret a!b"),
    ],
)  # fmt: skip
def test_no_line_is_left_out_of_what_undoes_a_change(platform, runs, undone):
    assert lines.indented(plans.undoing(platform, runs, CISCO)).startswith(undone)


@pytest.mark.parametrize("platform", ["cisco_ios", "cisco_nxos"])
def test_the_version_of_a_device_is_no_line_to_undo(platform):
    assert plans.undoing(platform, CISCO.replace("15.7", "16.9"), CISCO) == ()


def test_a_table_keeps_the_order_of_the_device_and_every_row():
    rows = [("remark b",), ("permit x",), ("remark a",), ("permit x",)]
    assert answers.View().rows(("entry",), rows).rows == tuple(rows)


def test_one_row_of_many_columns_is_lines_of_names_and_values():
    row = answers.Rows(tuple(f"name{n}" for n in range(12)), (tuple("x" * 20 for _ in range(12)),))
    lines_shown = answers.concluded({"sw1": row}, "show-1", as_csv=False).block.splitlines()
    assert [line.split() for line in lines_shown] == [[f"name{n}", "x" * 20] for n in range(12)]


SHOWN = "interface Gi0/1\n description up\n!\ninterface Gi0/2\nrouter bgp 1\n neighbor 1.1.1.1 description up"


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("include ^interface|router", "interface Gi0/1\ninterface Gi0/2\nrouter bgp 1"),
        ("i Gi0/2", "interface Gi0/2"),
        ("incl Gi0/2", "interface Gi0/2"),
        ("exclude Gi0|desc|!", "router bgp 1"),
        ("begin ^router", "router bgp 1\n neighbor 1.1.1.1 description up"),
        ("section Gi0/1|router", "interface Gi0/1\n description up\nrouter bgp 1\n neighbor 1.1.1.1 description up"),
        ("count description", "Number of lines which match regexp = 2"),
    ],
)
def test_filters_are_those_of_a_router_where_the_device_gets_none(typed, left):
    words, found = device_task.without_filters(("running-config", "|", *typed.split()), "frr")
    assert words == ("running-config",)
    assert filters.applied(SHOWN, found) == left


def test_a_policy_of_ios_xr_keeps_its_remarks_and_deletes_communities():
    policy = ("route-policy IN", "  # from a peer", "  delete community all", "  pass", "end-policy")
    assert lines.checked(policy, platform="cisco_xr") == policy
    with pytest.raises(BadParameter, match="no line of a configuration"):
        lines.checked(("delete disk0:/x",), platform="cisco_xr")


def test_a_list_as_ios_shows_it_is_the_list_that_was_typed():
    shown = "ip access-list extended IN\n permit tcp any any eq 80\n deny   ip any any\naccess-list 7 deny   10.0.0.0\n"
    typed = lines.structured(lines.checked(parameters.check(CONFIG.parameters[0], shown), platform="cisco_ios"))
    assert typed[2] == (1, "deny ip any any")
    assert plans.predicted("cisco_ios", shown, typed) == ""
    assert plans.foreseen(shown, lines.indented(typed)) == ""
    assert plans.undoing("cisco_ios", shown, lines.indented(typed)) == ()


@pytest.mark.parametrize(
    ("typed", "platform", "sent", "here"),
    [
        ("version | count", "cisco_ios", "version", ["count"]),
        ("run | i a|b | count", "cisco_xe", "run | i a|b", ["count"]),
        ("run | section bgp | i neighbor", "cisco_ios", "run | section bgp", ["include"]),
        ("run | include ^interface | description", "cisco_ios", "run | include ^interface | description", []),
        ("run | count bgp", "cisco_ios", "run | count bgp", []),
        ("interfaces | match x | count", "juniper_junos", "interfaces | match x", ["count"]),
        ("run | i x | exclude y", "cisco_nxos", "run | i x | exclude y", []),
    ],
)
def test_a_filter_that_a_platform_has_not_is_done_here(typed, platform, sent, here):
    words, found = device_task.without_filters(tuple(typed.split()), platform)
    assert (" ".join(words), [name for name, _ in found]) == (sent, here)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffinterface Et1\r\n\tdescription x  \r\n\r\n   \r\n\tno shutdown\t\r\n",
        "\n\ninterface Et1\n\n\u00a0description x\n\u00a0no shutdown\n\n",
    ],
)
def test_lines_of_any_editor_are_the_lines_that_are_meant(text):
    typed = lines.checked(parameters.check(CONFIG.parameters[0], text), platform="cisco_ios")
    tree = ((0, "interface Et1"), (1, "description x"), (1, "no shutdown"))
    assert lines.structured(typed) == tree


@pytest.mark.parametrize(
    ("platform", "meant"),
    [
        ("iosx", "platform: cisco_xr or platform: cisco_ios"),
        ("junso", "platform: juniper_junos"),
        ("zzz", "device type of"),
    ],
)
def test_a_platform_that_nobody_knows_is_told_with_the_word_to_write(platform, meant):
    with pytest.raises(Problem, match=meant):
        netmiko_cli.netmiko_type(platform)


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ("show run | include ^interface|description", False),
        ("show run | incl uptime|serial", False),
        ("show run | section bgp | count", False),
        ("show run | include x|redirect flash:y", True),
        ("show run | include x|tee y", True),
        ("show run|redirect flash:y", True),
        ("show run | append flash:y", True),
    ],
)
def test_what_a_device_may_filter_and_what_writes(typed, refused):
    with pytest.raises(DriverError) if refused else nullcontext():
        assert device_task.line_of(tuple(typed.split()), "cisco_ios") == typed


@pytest.mark.parametrize("word", ["cisco.asa.asa", "community.routeros.routeros", "fortinet.fortios.fortios", "sros"])
def test_the_words_of_ansible_name_platforms_that_can_be_reached(word):
    assert platform_of({"ansible_network_os": word}) in netmiko.platforms


def test_every_platform_that_is_named_for_a_word_of_ansible_exists():
    assert set(NETWORK_OS.values()) - set(netmiko.platforms) == {"frr"}


def test_a_spreadsheet_finds_no_formula():
    said = answers.concluded({"sw1": answers.Rows(("a",), (("=1+1",), ("-5",)))}, "show-1", as_csv=True)
    assert said.files[0].text.splitlines() == ['"a"', '"\'=1+1"', '"-5"']


def test_how_wide_a_table_may_be_says_who_shows_it():
    found = {"sw1": answers.Rows(("port", "about"), (("1", "b" * 50), ("2", "")))}
    assert "more columns" not in answers.concluded(found, "x", as_csv=False).block
    assert "more columns: about" in answers.concluded(found, "x", as_csv=False, columns=40).block


def test_a_wide_table_names_the_columns_that_it_leaves_out():
    wide = answers.Rows(("a" * 100, "b" * 100), (("1", "2"), ("3", "4")))
    assert f"more columns: {'b' * 100}" in answers.concluded({"sw1": wide}, "x", as_csv=False).block


@pytest.mark.parametrize(
    ("platform", "text", "refused"),
    [
        ("cisco_nxos", "Sun Nov 29 10:00:00 UTC\n\n    ^\n% Invalid command at '^' marker.\n", True),
        ("juniper_junos", "error: syntax error, expecting <command>: nonsense", True),
        ("arista_eos", "% Unavailable command (not supported on this hardware platform)", True),
        ("cisco_ios", "hostname sw1\nbanner motd ^C\nError: no entry\n% Access not allowed\n^C\n", False),
        ("cisco_ios", "Error: fan 2 failed", False),
        ("juniper_junos", "Log Buffer:\n" + "Nov 29 10:00:00: link up\n" * 9 + "error: link down\n", False),
    ],
)
def test_an_error_that_somebody_reads_of_is_no_refusal(platform, text, refused):
    assert bool(judge.refusal(text, platform)) is refused


def test_a_wrong_expression_is_quoted_as_it_was_typed():
    with pytest.raises(DriverError, match=r"^'a\('"):
        answers.View(match="a(").text("")


def test_an_expression_that_would_hang_is_told_and_not_run():
    with pytest.raises(DriverError):
        answers.View(match="(a{500}){500}").text("aaaa")


def test_a_day_that_there_is_not_is_no_backup(tmp_path):
    archive = Archive(tmp_path)
    archive.save({"r1": "a\n"}, "one")
    assert archive.config("r1", "2999-01-31") == "a\n"
    with pytest.raises(DriverError, match="there is no day 2031-99-99"):
        archive.config("r1", "2031-99-99")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".git", "-x"])
def test_no_device_name_leaves_the_archive(tmp_path, name):
    archive = Archive(tmp_path / "data")
    archive.save({name: "hostname x\n"}, "test")
    assert {path.parent for path in tmp_path.rglob("*.cfg")} == {tmp_path / "data" / "configs"}
    assert archive.config(name) == "hostname x\n"


def test_what_a_killed_git_has_locked_stops_no_backup(tmp_path):
    Archive(tmp_path).save({"r1": "a\n"}, "one")
    lock = tmp_path / "configs" / ".git" / "index.lock"
    lock.touch()
    archive = Archive(tmp_path)
    assert archive.save({"r1": "b\n"}, "two").other == {"r1"}
    lock.touch()
    with pytest.raises(DriverError):  # one that somebody holds now is respected
        archive.save({"r1": "c\n"}, "three")
    os.utime(lock, (0, 0))
    assert archive.save({"r1": "c\n", "r2": "c\n"}, "four") == Saved(frozenset({"r2"}), frozenset({"r1"}))


def test_every_question_of_a_verb_has_its_columns():
    assert set(GETTERS) == set(getters.HEADERS)


# -- on a switch of the demo


TOP = ("ntp server 9.9.9.1", "no ntp server 10.255.0.1", "hostname edge", "logging host 1.1.1.1")
PORTS = ("interface gi0/1", "interface Gi0/3", "interface Loopback0", "interface Loopback7", "interface vlan 20")
INSIDE = (" description x", " description y z", " no description", " shutdown", " no shutdown", " no ip address",
          " ip address 10.1.1.1 255.255.255.0")  # fmt: skip


def configure(switch, tree):
    cli = Cli(switch, "lab", "secret", asks=False)
    cli.run("configure terminal")
    for line in lines.flat(tree):
        cli.run(line)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_configured_on_a_switch_is_undone_whole(seed):
    chance, switch = random.Random(seed), network()["core1"]
    before = shows.config(switch)
    ports = (line for port in chance.sample(PORTS, 3) for line in (port, *chance.sample(INSIDE, 3)))
    typed = [*chance.sample(TOP, 2), *ports]
    configure(switch, lines.structured(lines.checked(typed)))
    assert plans.difference(before, shows.config(switch))
    configure(switch, plans.undoing("cisco_ios", shows.config(switch), before))
    assert plans.foreseen(shows.config(switch), before) == ""


@pytest.mark.parametrize(
    ("platform", "typed", "sent"),
    [
        ("mikrotik_routeros", "/interface print", "/interface print"),
        ("fortinet", "get system status", "get system status"),
        ("fortinet", "system interface", "show system interface"),
        ("huawei", "version", "display version"),
        ("cisco_ios", "get x", "show get x"),
    ],
)
def test_a_question_is_asked_in_the_platforms_own_words(tmp_path, platform, typed, sent):
    task = make_task(SHOW, (), tmp_path, parameters={"command": tuple(typed.split())})
    asked = Show(task, Archive(tmp_path)).ask(Device("d1", variables={"platform": platform}))
    assert asked[1]["command"] == sent


@pytest.mark.parametrize("typed", ["/system reboot", "/interface print where [/system reboot]", "version"])
def test_routeros_is_only_asked_to_print(tmp_path, typed):
    task = make_task(SHOW, (), tmp_path, parameters={"command": tuple(typed.split())})
    with pytest.raises(DriverError, match="print"):
        Show(task, Archive(tmp_path)).ask(Device("d1", variables={"platform": "mikrotik_routeros"}))
