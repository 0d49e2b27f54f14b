"""What may be kept of words that were no command, and what of an answer is for whom."""

import pytest

from automation_bots.redaction.redactor import Redactor
from automation_bots.suggestions import curated
from automation_bots.suggestions.learnt import kept, words

NAMES = {"web", "web1", "vault1"}


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("How full are the disks on web1?", "how full are the disks on {devices}"),
        ("disks web1,vault1", "disks {devices}"),
        ("where is 10.1.2.3 of joe@corp.example", "where is {value} of {value}"),
        ("set password hunter2-hunter2", ""),  # looks like a secret
        ("is the blue-whale up", ""),  # is known as one
        ("x" * 31 + " up", ""),
        ("up " * 70, ""),
        ("web1 42 ?", ""),
    ],
)
def test_no_device_number_address_or_secret_is_kept(typed, text):
    assert kept(typed, NAMES, Redactor(["blue-whale"]).text) == text


def test_slots_are_not_compared():
    assert words("disks on {devices} of {value}") == "disks on of"


def test_commands_of_others_are_left_out_of_an_answer():
    answer = "at night · !patch on web · !config diff on core"
    assert curated.for_those(answer, {"config-diff"}) == "at night · !config diff on core"
    assert curated.for_those("!patch on web", {"disk"}) == ""
