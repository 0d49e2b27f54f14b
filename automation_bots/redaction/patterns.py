"""What is redacted: names with a value, wherever they stand, and the table of known forms. Linear time on any text.

A form that nobody foresaw is found by its name (`GENERAL`); one that only its place tells is a line of `table.py`.
"""

from __future__ import annotations

from automation_bots.redaction import assignments, commands
from automation_bots.redaction.lines import Rule
from automation_bots.redaction.mark import MARK as MARK
from automation_bots.redaction.table import TABLE
from automation_bots.redaction.vocabulary import STEMS

GENERAL = (
    Rule("name and value: <name of a secret> <kinds><secret>", STEMS, commands.spans),
    Rule("assignment: <name of a secret> = <secret>", STEMS, assignments.spans),
    Rule("YAML: <name of a secret>: <all of the line>", STEMS, assignments.yaml_spans),
    Rule("URL, form: <name of a secret>%3D<secret>", STEMS, assignments.encoded_spans),
    Rule("XML: \\<<name of a secret>><secret>\\</", (*STEMS, *assignments.ELEMENTS), assignments.element_spans),
    Rule('pair: name="<name of a secret>" value="<secret>"', STEMS, assignments.pair_spans),
    Rule("URL: ://<word>:<secret>@", ("://",), assignments.url_spans),
)
RULES = (*GENERAL, *(form.rule for form in TABLE))
