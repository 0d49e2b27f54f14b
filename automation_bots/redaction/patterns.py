"""What is redacted: names with a value, wherever they stand, and the table of known forms. Linear time on any text.

A form that nobody foresaw is found by its name (`GENERAL`); one that only its place tells is a line of `table.py`.
"""

from __future__ import annotations

from functools import cache

from automation_bots.redaction import assignments, commands, made_up
from automation_bots.redaction.lines import Rule
from automation_bots.redaction.mark import MARK as MARK
from automation_bots.redaction.table import TABLE
from automation_bots.redaction.vocabulary import STEMS

URL = Rule("URL: ://<word>:<secret>@", ("://",), assignments.url_spans)
GENERAL = (
    Rule("name and value: <name of a secret> <kinds><secret>", STEMS, commands.spans),
    Rule("assignment: <name of a secret> = <secret>", STEMS, assignments.spans),
    Rule("dots: <name of a secret>......... <secret>", ("...",), assignments.led_spans),
    Rule("YAML: <name of a secret>: <all of the line>", STEMS, assignments.yaml_spans),
    Rule("URL, form: <name of a secret>%3D<secret>", STEMS, assignments.encoded_spans),
    Rule("XML: \\<<name of a secret>><secret>\\</", (*STEMS, *assignments.ELEMENTS), assignments.element_spans),
    Rule('pair: name="<name of a secret>" value="<secret>"', STEMS, assignments.pair_spans),
    Rule("made up: <word of authentication> ... <made-up word>", made_up.STEMS, made_up.spans),
    Rule("made up: -p <made-up word>", ("-p", "-w"), made_up.option_spans),
    URL,
)


@cache  # when something is redacted for the first time: hundreds of forms to read are a tenth of a program's start
def rules() -> tuple[Rule, ...]:
    """All that finds a secret nobody told the bot."""
    return (*GENERAL, *(form.rule for form in TABLE))


@cache
def shapes() -> tuple[Rule, ...]:
    """What is a secret by its shape alone: in our own sentences a secret's name is a word like any other."""
    return (URL, *(form.rule for form in TABLE if form.kind in {"token", "hash"}))
