"""What `!ps` takes for a cmdlet, what rules see of it, and that our own PowerShell is PowerShell."""

import base64
import csv
import json

import pytest
import tree_sitter
import tree_sitter_powershell

from automation_bots.drivers.windows.answer import WindowsAnswer, sentence, streams_of
from automation_bots.drivers.windows.call import ARGUMENTS, BOOTSTRAP, RUNNER, call_of
from automation_bots.drivers.windows.ps_operation import PS, cmdlet
from automation_bots.drivers.windows.table import conclusion
from automation_bots.errors import BadParameter
from automation_bots.model import Risk
from automation_bots.operations.verbs import load
from automation_bots.policy.rules import Words
from tests.support.chatbot import ROOT

VERBS = ROOT / "playbooks" / "verbs"


@pytest.mark.parametrize("text", [BOOTSTRAP, RUNNER], ids=["bootstrap", "runner"])
def test_our_powershell_parses(text):
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(text.encode()).root_node.has_error


def test_the_command_line_is_far_below_the_limit_of_cmd():
    assert len(" ".join(ARGUMENTS)) < 2000


@pytest.mark.parametrize(
    ("line", "named", "given"),
    [
        ("Get-Service", {}, ()),
        ("Get-Service -Name w3svc", {"Name": "w3svc"}, ()),
        ("Get-Service a,b", {}, (["a", "b"],)),
        ("Get-ChildItem -Recurse C:\\x", {"Recurse": True}, ("C:\\x",)),
        ("Stop-Service -Name a,b -Force", {"Name": "a,b", "Force": True}, ()),
        ("Set-Service x -StartupType:Manual", {"StartupType": "Manual"}, ("x",)),
        ("Set-X -On $true -Off $false", {"On": True, "Off": False}, ()),
    ],
)
def test_a_cmdlet_is_read(line, named, given):
    call = cmdlet(tuple(line.split()))
    assert (dict(call.named), call.given) == (named, given)


@pytest.mark.parametrize("word", ["-WhatIf", "-whatif", "-wi", "-What", "-WhatIf:$true"])
def test_a_typed_whatif_is_a_preview_and_no_value(word):
    call = cmdlet(("Remove-Item", word, "C:\\x"))
    assert (call.whatif, call.given, call.named) == (True, ("C:\\x",), {})
    assert not cmdlet(("Remove-Item", "C:\\x", "-WhatIf:$false")).whatif


@pytest.mark.parametrize(
    "words",
    [
        ("gci",), ("Get-Service;Stop-Service",), ("&", "x"), ("Get-Service", "|", "Stop-Service"), ("Get-X", ";", "y"),
        ("Get-X", "$(y)"), ("Get-X", "(y)"), ("Get-X", "{y}"), ("Get-X", "@{a=1}"), ("Get-X", "$env:x"),
        ("Get-X", "-ComputerName", "dc1"), ("Get-X", "-comp", "dc1"), ("Get-X", "-Cn:dc1"), ("Get-X", "-Session", "x"),
        ("Microsoft.PowerShell.Management\\Remove-Item",), ("Get-X", "-A", "1", "-a", "2"), ("C:\\x.ps1",), (".", "x"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(words):
    with pytest.raises(BadParameter):
        cmdlet(words)


def test_a_cmdlet_and_a_script_together_are_refused():
    with pytest.raises(BadParameter, match="not both"):
        call_of(PS.body, "windows", {"command": ("Get-X",), "script": "Stop-X"})


@pytest.mark.parametrize(
    ("rule", "spoken", "allowed"),
    [
        ("ps Get-*", ("Get-Service", "-Name", "x"), True),
        ("ps Get-*", ("get-service",), True),
        ("ps Get-*", ("Stop-Service",), False),
        ("ps Get-*", ("script",), False),
        ("ps script", ("script",), True),
        ("ps Restart-Service w3svc", ("restart-service", "spooler"), False),
    ],
)
def test_a_rule_is_about_the_cmdlet(rule, spoken, allowed):
    assert Words(rule).match(PS, Risk.CHANGE, spoken, admin=False) is allowed


def test_a_denied_cmdlet_is_denied_in_any_spelling():
    assert Words("ps Remove-*").bites(PS, Risk.CHANGE, ("rEMOVE-item", "x"))


@pytest.mark.parametrize("name", [path.stem for path in sorted(VERBS.glob("*.yml")) if "windows:" in path.read_text()])
def test_every_verb_for_windows_makes_a_call(name):
    verb = load(VERBS / f"{name}.yml")
    values = {p.name: p.choices[0] if p.choices else "x" for p in verb.parameters if p.required}
    call = call_of(verb.body, "windows", values)
    assert call.cmdlet or call.program
    json.dumps(dict(call.named))


def test_a_level_chooses_its_number():
    eventlog = load(VERBS / "eventlog.yml")
    call = call_of(eventlog.body, "windows", {"log": "System", "newest": 5, "level": "error"})
    assert (call.named["FilterHashtable"], call.named["MaxEvents"]) == ({"LogName": "System", "Level": 2}, 5)
    anyhow = call_of(eventlog.body, "windows", {"log": "System", "newest": 5, "level": "all"})
    assert anyhow.named["FilterHashtable"] == {"LogName": "System"}


def test_clixml_becomes_one_sentence():
    text = (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        '<Obj S="progress" RefId="0"><MS><I64 N="SourceId">1</I64></MS></Obj>'
        "<S S=\"Error\">Get-Item : Cannot find path 'C:\\größe'_x000D__x000A_</S>"
        '<S S="Error">At line:1 char:1_x000D__x000A_</S></Objs>'
    )
    assert streams_of(text) == (["Cannot find path 'C:\\größe'"], [])


def test_a_file_for_a_spreadsheet_calculates_nothing():
    heard = WindowsAnswer(100_000)
    row = base64.b64encode(json.dumps({"k": "o", "v": {"Name": "=1+1", "Size": -5}}).encode())
    for _ in range(40):
        heard.out(b"#AB " + row + b"\r\n")
    line = conclusion("ps", {"win1": heard}, ["win1"]).files[0].text.splitlines()[1]
    assert next(csv.reader([line])) == ["win1", "'=1+1", "-5"]


CLIXML = '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">{}</Objs>'


def test_each_of_several_clixml_documents_is_read_and_warnings_are_no_errors():
    first = CLIXML.format('<S S="warning">old_x000D__x000A_</S><S S="warning">slow</S><S S="Error">one is _x000A_</S>')
    second = CLIXML.format('<Obj S="progress"><MS><I64 N="SourceId">1</I64></MS></Obj><S S="Error">two</S>')
    heard = WindowsAnswer(10_000)
    heard.err(f"before\r\n{first}\r\n{second}\r\nbehind".encode())
    heard.end()
    assert heard.errors == ["before", "one is", "two", "behind"]
    assert heard.said == ["Warning: old", "Warning: slow"]


def test_who_types_the_long_name_of_a_service_hears_how_to_find_the_short_one():
    words = "Cannot find any service with service name 'Print Spooler'."
    assert sentence(words).endswith("!ps Get-Service -DisplayName 'Print Spooler'")
    assert sentence(words.replace(" Spooler", "Spooler")).endswith("'PrintSpooler'.")


@pytest.mark.parametrize(
    ("command", "looks"), [("Get-Service spooler", True), ("test-path x", True), ("Set-Service x", False), ("", False)]
)
def test_a_cmdlet_that_looks_changes_nothing_and_is_no_read_to_the_rules_all_the_same(command, looks):
    values = {"command": tuple(command.split()), **({} if command else {"script": "Get-Service"})}
    assert (PS.only_looks(values), PS.risk_of(values)) == (looks, Risk.CHANGE)
