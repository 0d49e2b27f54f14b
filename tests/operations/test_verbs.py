"""Verbs: what their files may say, and that no value ever becomes another word."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from automation_bots.errors import BadParameter, DefinitionError
from automation_bots.model import Command, Device, Parameter, Risk
from automation_bots.operations import parameters, verbs

SHIPPED = sorted(Path(__file__).parents[2].glob("playbooks/verbs/*.yml"))


@pytest.fixture
def verb(tmp_path):
    def write(text, name="service"):
        path = tmp_path / f"{name}.yml"
        path.write_text(text, encoding="utf-8")
        return verbs.load(path)

    return write


SERVICE = """\
help: Look at or restart a service
risk: {status: read, "*": change}
parameters: {action: {choices: [status, restart, on]}, name: {match: "[\\\\w@.-]+"}}
linux:
  become: {status: false, "*": true}
  run: [systemctl, "{action}", "{name}"]
frr: {run: {status: ps, restart: [kill, -HUP, "x{name}"]}}
windows: {cmdlet: {status: Get-Service}, Name: "{name}"}
"""


def test_a_verb_is_an_operation_of_each_devices_own_driver(verb):
    operation = verb(SERVICE)
    assert (operation.name, operation.driver, operation.group, operation.declared) == ("service", "", "Verbs", True)


def test_reads_and_changes_of_one_verb_are_told_apart(verb):
    operation = verb(SERVICE)
    assert operation.risk is Risk.CHANGE
    assert operation.risk_of({"action": "status"}) is Risk.READ
    assert operation.risk_of({"action": "restart"}) is Risk.CHANGE
    assert operation.risk_of({}) is Risk.CHANGE


def test_a_file_that_says_no_risk_counts_as_an_undeclared_change(verb):
    operation = verb("linux: uptime")
    assert (operation.risk, operation.declared) == (Risk.CHANGE, False)


@pytest.mark.parametrize(
    ("platform", "action", "command"),
    [
        ("linux", "status", Command(("systemctl", "status", "nginx"))),
        ("linux", "restart", Command(("systemctl", "restart", "nginx"), become=True)),
        ("frr", "status", Command(("ps",))),
        ("frr", "restart", Command(("kill", "-HUP", "xnginx"))),
        ("frr", "on", None),
        ("windows", "status", None),
        ("cisco_ios", "status", None),
    ],
)
def test_the_platform_and_the_choice_pick_the_command(verb, platform, action, command):
    assert verb(SERVICE).body.command(platform, {"action": action, "name": "nginx"}) == command


def test_a_cmdlet_is_kept_for_the_driver_that_understands_it(verb):
    assert verb(SERVICE).body.entries["windows"].cmdlet["Name"] == "{name}"


def test_on_and_off_stay_words_and_are_no_yaml_booleans(verb):
    assert verb(SERVICE).parameter("action").choices == ("status", "restart", "on")


LOGS = """\
parameters:
  unit: {required: false}
  lines: {type: int, default: 20}
  more: {type: list, required: false}
  note: {default: ""}
linux: [journalctl, "{unit}", "--lines={lines}", "--unit={unit}", "{more}", "note {note}", "{note}"]
"""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ("journalctl", "--lines=20", "note ")),
        ({"unit": "ssh"}, ("journalctl", "ssh", "--lines=20", "--unit=ssh", "note ")),
        ({"more": ("a b", "c"), "lines": -1}, ("journalctl", "--lines=-1", "a b", "c", "note ")),
        ({"note": "{lines}"}, ("journalctl", "--lines=20", "note {lines}", "{lines}")),
    ],
)
def test_words_whose_value_was_not_given_are_left_out(verb, values, words):
    assert verb(LOGS).body.command("linux", values).argv == words


@pytest.mark.parametrize("value", [None, "", (), []])
def test_a_missing_required_value_never_widens_a_command(value):
    with pytest.raises(BadParameter, match="name is missing"):
        verbs.fill(("restart", "{name}"), (Parameter("name"),), {"name": value})


@pytest.mark.parametrize("match", ["", r"[\w@.-]+", ".*", "(a|-x)"])
def test_a_value_never_becomes_an_option_by_accident(match):
    with pytest.raises(BadParameter, match="read as an option"):
        verbs.fill(("systemctl", "status", "{name}"), (Parameter("name", match=match),), {"name": "-Hevil"})
    with pytest.raises(BadParameter, match="read as an option"):
        verbs.fill(("ls", "{more}"), (Parameter("more", "list"),), {"more": ("a", "--b")})


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter("x", match=r"-?\d+"),
        Parameter("x", match=r"^(?:\-)?\d+"),
        Parameter("x", "int"),
        Parameter("x", choices=("-1", "a")),
    ],
)
def test_a_leading_dash_is_allowed_where_the_file_says_so(parameter):
    assert verbs.fill(("{x}",), (parameter,), {"x": "-1"}) == ("-1",)


TEMPLATE = ("cmd", "{a}", "--b={b}", "lit {a}/{b}.{c}", "{print $1}", "{}")


@given(a=st.text(min_size=1), b=st.text(min_size=1), c=st.integers())
@example(a="x y", b="{a}", c=0)
@example(a="{a.__class__}", b="';`$(x)`\n", c=-1)
def test_no_value_ever_changes_the_number_of_words(a, b, c):
    specs = (Parameter("a"), Parameter("b"), Parameter("c", "int"))
    try:
        words = verbs.fill(TEMPLATE, specs, {"a": a, "b": b, "c": c})
    except BadParameter:
        assert a.startswith("-") or b.startswith("-")
        return
    assert words == ("cmd", a, f"--b={b}", f"lit {a}/{b}.{c}", "{print $1}", "{}")


@given(st.lists(st.text(min_size=1).filter(lambda text: text[0] != "-"), min_size=1))
def test_a_list_is_as_many_words_as_it_has_items(items):
    specs = (Parameter("items", rest=True),)
    assert verbs.fill(("a", "{items}", "z"), specs, {"items": items}) == ("a", *items, "z")


def test_a_free_command_is_the_words_that_were_typed():
    assert verbs.Free().command("linux", {"command": ("ls", "a b", "-l")}) == Command(("ls", "a b", "-l"))
    assert verbs.Free("words").command("cisco_ios", {"words": "reload"}) == Command(("reload",))
    assert verbs.Free().command("linux", {}) is None


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("help: x\nlinux: [ls, '{path}']", 2, "no parameter"),
        ("help: x\nlinux:\n  run:\n    - ls\n    - -la\n    - '{path}'", 6, "no parameter"),
        ("windows:\n  cmdlet: Get-X\n  Path: '{path}'", 3, "no parameter"),
        ("help: [x\nlinux: [ls]", 2, "no valid YAML"),
        ("help: x\nlinux: [ls]\nhelp: y", 3, "written twice; the first is in line 1"),
        ("- a", 1, "a verb is a mapping"),
        ("", 1, "a verb is a mapping"),
        ("help: x", 1, "at least one platform"),
        ("exampels: [a]\nlinux: [ls]", 1, "Did you mean examples"),
        ("linux: [ls]\n12: [ls]", 2, "neither a platform"),
        ("linux: {become: true}", 1, "a platform is"),
        ("linux: []", 1, "list of words"),
        ("linux: [ls, ~]", 1, "quotes around word 2"),
        ("parameters: {a: {}}\nlinux: [ls, {a}]", 2, "quotes around word 2"),
        ("linux:\n  become: yes\n  run: [ls]", 2, "true or false"),
        ("linux: ls 'a", 1, "cannot be split"),
        ("linux: [ls]\nrisk: harmless", 2, "read or change"),
        ("linux: [ls]\nrisk: [read]", 2, "read or change"),
        ("linux: [ls]\nrisk:\n  a: read", 2, "has a parameter with choices"),
        ("parameters: {a: {choices: [x]}}\nlinux: [ls]\nrisk:\n  x: read\n  y: read", 5, "no choice of a"),
        ("parameters: {a: {choices: [x]}}\nlinux:\n  run:\n    y: [ls]", 4, "no choice of a"),
        ("parameters:\n  a: {}\n  b: {typ: int}\nlinux: [ls]", 3, "unknown keys"),
        ("parameters:\n  a: {choices: 5}\nlinux: [ls]", 2, "not iterable"),
        ("parameters: [a]\nlinux: [ls]", 1, "must be a mapping"),
        ("parameters: {a: {type: list}}\nlinux: [ls, 'x{a}']", 2, "a word of its own"),
        ("parameters: {a: {secret: true}}\nlinux: [ls, '{a}']", 2, "secret"),
        ("linux: [ls]\ntime_limit: soon", 2, "'soon' is no length of time"),
        ("linux: [ls]\nexamples: [1]", 2, "examples"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_the_reason(verb, text, line, reason):
    with pytest.raises(DefinitionError, match=reason) as error:
        verb(text)
    assert error.value.line == line


def test_the_file_name_has_to_be_a_word_that_can_be_typed(verb):
    with pytest.raises(DefinitionError, match="file name"):
        verb("linux: [ls]", name="two words")


def test_a_file_that_is_missing_or_no_text_is_a_definition_error(tmp_path):
    (tmp_path / "latin.yml").write_bytes(b"help: caf\xe9")
    for name in ("latin.yml", "missing.yml"):
        with pytest.raises(DefinitionError, match="cannot be read"):
            verbs.load(tmp_path / name)


def test_one_entry_may_be_written_once_for_two_platforms(verb):
    body = verb("linux: &a [ls, -l]\nfrr: *a").body
    assert body.command("frr", {}) == body.command("linux", {}) == Command(("ls", "-l"))


def test_an_alias_that_holds_itself_ends_as_an_error(verb):
    with pytest.raises(DefinitionError):
        verb("linux: &a [ls, *a]")


def typed(operation, text):
    """Read an example as the chat does: words by position, name=value, devices after `on`."""
    name, *words = shlex.split(text)
    words, devices = words[: words.index("on")], words[words.index("on") + 1 :]
    named = dict(word.split("=", 1) for word in words if "=" in word)
    free = (p.name for p in operation.parameters if p.name not in named)
    values = named | dict(zip(free, [word for word in words if "=" not in word], strict=False))
    assert name == operation.name
    assert devices
    return {key: parameters.check(operation.parameter(key), value) for key, value in values.items()}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_verb_is_documented_and_its_examples_work(path):
    operation = verbs.load(path)
    assert operation.help
    assert operation.declared
    assert operation.examples
    assert all(parameter.help for parameter in operation.parameters)
    for text in operation.examples:
        platform = "linux" if "linux" in operation.body.entries else "cisco_ios"
        assert operation.body.command(platform, typed(operation, text)).argv


def test_the_verbs_that_everybody_expects_are_there():
    expected = "clock dir disk interfaces logs memory neighbors processes reboot routes service uptime version who"
    assert {path.stem for path in SHIPPED} >= set(expected.split())


def test_a_question_without_commands_of_network_devices_is_asked_whatever_driver_they_have(verb):
    device = Device("core1", variables={"platform": "cisco_ios"})
    assert verb("linux: uptime\nnetwork: {getter: counters}").driver_on(device) == "network"
    assert verb("cisco_ios: [show, ip, arp]\nnetwork: {getter: arp}").driver_on(device) == "ssh"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [p for p in SHIPPED if p.stem not in {"reboot", "service", "services", "bgp", "lldp"}],
    ids=lambda path: path.stem,
)
def test_what_a_verb_reads_on_linux_works_on_this_machine(path):
    """Left out: `reboot`, which would, `service` and `services`, which need systemd, and what only routers know."""
    operation = verbs.load(path)
    command = operation.body.command("linux", typed(operation, operation.examples[0]))
    done = subprocess.run(command.argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
