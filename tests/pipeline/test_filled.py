"""Commands with holes: what strangers said is one value of one parameter, and nothing else."""

import pytest

from automation_bots.errors import UserError
from automation_bots.model import Operation, Parameter, Risk
from automation_bots.operations import peers
from automation_bots.pipeline import filled
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.filled import Filling
from tests.support.world import SERVICE

RESTART = Operation(
    "restart", "h", parameters=(Parameter("name", match=r"[\w@. -]+"), Parameter("force", "bool", False))
)
FREE = Operation("ssh", "h", parameters=(Parameter("command", rest=True),))
LIST = Operation("tags", "h", parameters=(Parameter("tags", "list"), Parameter("note", text=True, required=False)))
TABLE = Operation("vars", "h", devices="none", parameters=(Parameter("vars", "dict"),))
NOTE = Operation("note", "h", Risk.READ, devices="none", parameters=(Parameter("text", text=True, max_length=200),))
PEER = peers.operations(["winbot"])[0]
EVIL = (
    "web1 --emergency now", "--force", "x on all", "x on web2", "force=yes", "a,b", "x | include y", "x; reboot",
    "$(id)", "`id`", "x\non all", "all", "web*", "core:!core1", "[a, b]", "{a: 1}", "\ue0000\ue001", "'", '"', "",
    "{device}", "\u202ex", "@here",
)  # fmt: skip


def fill(operation, line, **values):
    found = {name.replace("__", "."): value for name, value in values.items()}
    typed = filled.parse(operation, line, Filling(found, {"web1", "web2"}.__contains__))
    return typed, grammar.checked(operation, typed)


def test_the_holes_are_filled_after_the_words_are_read():
    typed, values = fill(SERVICE, "restart {fields.unit} on {device}", fields__unit="nginx", device="web1")
    assert (values, typed.pattern) == ({"action": "restart", "name": "nginx"}, "web1")


@pytest.mark.parametrize("said", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize(
    ("operation", "line"),
    [(SERVICE, "restart {text} on web1"), (SERVICE, "restart name={text} on web1"), (RESTART, "{text} on web1"),
     (RESTART, "name={text} on web1"), (FREE, "grep {text} /var/log/x on web1"), (LIST, "tags=a,{text} on web1")],
)  # fmt: skip
def test_whatever_an_event_says_it_stays_one_value(operation, line, said):
    try:
        typed, values = fill(operation, line, text=said)
    except UserError:
        return
    _, expected = fill(operation, line, text="word")
    assert (typed.pattern, typed.emergency, typed.filters, typed.when) == ("web1", "", (), "")
    assert (values.keys(), [len(v) for v in values.values() if isinstance(v, tuple)]) == (
        expected.keys(), [len(v) for v in expected.values() if isinstance(v, tuple)],
    )  # fmt: skip
    assert values.get("action") == expected.get("action")


@pytest.mark.parametrize("said", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("line", ["restart nginx on {text}", "restart nginx on web1,{text}", "restart nginx {text}"])
def test_no_text_is_a_device_pattern(line, said):
    with pytest.raises(UserError):
        fill(SERVICE, line, text=said)


@pytest.mark.parametrize("said", [*EVIL, "web", "db1"], ids=range(len(EVIL) + 2))
@pytest.mark.parametrize("line", ["uptime on {text}", "uptime on web1,{text}", "uptime web1,{text}"])
def test_what_another_bot_would_read_as_devices_is_a_device_here(line, said):
    with pytest.raises(UserError):
        fill(PEER, line, text=said)


@pytest.mark.parametrize("said", EVIL, ids=range(len(EVIL)))
def test_what_another_bot_reads_is_one_plain_word_of_what_an_event_says(said):
    try:
        _, values = fill(PEER, "service restart {text} on web1", text=said)
    except UserError:
        return
    first, second, word, *behind = values["command"]
    assert (first, second, behind) == ("service", "restart", ["on", "web1"])
    assert word.isalnum()


def test_a_device_is_one_of_the_inventory():
    assert fill(PEER, "uptime on {about}", about="web2")[1]["command"] == ("uptime", "on", "web2")
    assert fill(SERVICE, "restart nginx on {about}", about="web2")[0].pattern == "web2"


def test_where_an_operation_says_what_it_takes_it_decides_itself():
    assert fill(RESTART, "{text} on web1", text="Print Spooler")[1]["name"] == "Print Spooler"
    with pytest.raises(UserError, match="one plain word"):
        fill(SERVICE, "restart {text} on web1", text="Print Spooler")


@pytest.mark.parametrize("said", ["all", "web", "nginx", "web1,web2", "on"])
def test_without_on_any_word_could_be_a_device_to_another_bot(said):
    assert fill(PEER, "disk {device}", device="web1")[1]["command"] == ("disk", "web1")
    with pytest.raises(UserError, match="no device of the inventory"):
        fill(PEER, "disk {text}", text=said)


def test_a_playbook_is_handed_a_text_as_one_value():
    playbook = Operation("lldp", "h", driver="ansible", parameters=(Parameter("message"),))
    assert fill(playbook, "message={text} on web1", text="Gi0/1 down; see all")[1]["message"] == "Gi0/1 down; see all"


def test_a_text_to_read_may_hold_anything_in_one_line():
    assert fill(NOTE, "text={text}", text="down since 14:41; see\n@here")[1]["text"] == "down since 14:41; see @here"


def test_a_reason_takes_any_text_and_stays_a_reason():
    typed, _ = fill(SERVICE, "restart nginx on web1 --reason={text}", text="x --emergency now on all")
    assert (typed.reason, typed.pattern, typed.emergency) == ("x --emergency now on all", "web1", "")


@pytest.mark.parametrize("line", ["vars={{a: {text}}}", "vars={text}"])
def test_a_table_takes_nothing_of_an_event(line):
    with pytest.raises(UserError, match="cannot stand in vars"):
        fill(TABLE, line, text="a=1")


@pytest.mark.parametrize("flag", ["--when={text}", "--emergency={text}", "--canary={text}", "| include {text}"])
def test_flags_and_filters_take_nothing_of_an_event(flag):
    with pytest.raises(UserError):
        fill(SERVICE, f"restart nginx on web1 {flag}", text="18:00")


def test_commands_that_no_operation_describes_take_plain_words_only():
    filling = Filling({"fields.job": "42", "text": "42 all"}, bool)
    assert filled.words("{fields.job} failed", filling) == "42 failed"
    with pytest.raises(UserError, match="one plain word"):
        filled.words("{text}", filling)
