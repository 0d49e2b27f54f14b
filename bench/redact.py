"""Redaction: what survives of the examples of the table, what is taken from harmless output, what a megabyte costs."""

from __future__ import annotations

import re
import time
from statistics import median

from automation_bots.redaction.mark import MARK
from automation_bots.redaction.redactor import Redactor
from automation_bots.redaction.table import TABLE
from bench.figures import Figure
from tests.redaction.forms_of_vendors import FORMS, surviving
from tests.support.harmless import outputs

ROUNDS = 5
A_SCREEN = 20  # outputs of a few lines each
# times what finding the words of the same text costs: 1.5 times the 30 of the table alone, before made-up words near a
# word of authentication counted; they leave a fifth of the unforeseen forms, and cost a fifth more
BAR = 45.0


def run() -> list[Figure]:
    redactor, texts = Redactor(), list(outputs())
    pages = ["\n".join(texts[at : at + A_SCREEN]) for at in range(0, len(texts), A_SCREEN)]
    examples = [form.example for form in TABLE]
    survived = sum(MARK not in redactor.text(example) or "hunter2Zq" in redactor.text(example) for example in examples)
    alarms = sum(redactor.text(text) != text for text in texts)
    samples = [_costs(redactor, pages * 5) for _ in range(ROUNDS)]
    size = sum(map(len, pages * 5)) / 1_000_000
    return [
        Figure("forms in the table", len(examples), ""),
        Figure("survivors on the table", survived, "forms", 0),
        Figure("forms of vendors' documents", len(FORMS), ""),
        Figure("survivors among them", 100 * len(list(surviving(redactor))) / len(FORMS), "%", 4),
        Figure("false alarms", alarms, "of 1,000 outputs", 1),
        Figure("cost of redaction", median(ours / words for ours, words in samples), "× finding words", BAR),
        Figure("redacted", size / median(ours for ours, _ in samples), "MB/s of one core"),
    ]


def _costs(redactor: Redactor, texts: list[str]) -> tuple[float, float]:
    """Seconds of the processor for redaction, and for finding the words of the same texts in the same moment."""
    started = time.thread_time()
    for text in texts:
        redactor.text(text)
    between = time.thread_time()
    for text in texts:
        sum(1 for _ in re.finditer(r"[\w.-]+", text))
    return between - started, time.thread_time() - between
