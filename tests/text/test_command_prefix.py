"""A bot with another prefix says its own commands with it, and leaves everything else as it is."""

import pytest

from automation_bots.model import Answer
from automation_bots.text.command_prefix import spelled

NAMES = {"help", "jobs", "service"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("→ !help · !jobs", "→ ?help · ?jobs"),
        ("Did you mean  !service restart nginx ?", "Did you mean  ?service restart nginx ?"),
        ("(!help)", "(?help)"),
        ("!Command: show running-config", "!Command: show running-config"),
        ("!interface Gi0/1\n!", "!interface Gi0/1\n!"),
        ("stop!jobs and !!help", "stop!jobs and !!help"),
    ],
)
def test_only_commands_get_the_prefix(written, said):
    answer = spelled(Answer(written, written, written), "?", NAMES)
    assert (answer.text, answer.block, answer.hint) == (said, said, said)


def test_the_usual_prefix_changes_nothing():
    answer = Answer("→ !help", entrusted=True)
    assert spelled(answer, "!", NAMES) is answer
