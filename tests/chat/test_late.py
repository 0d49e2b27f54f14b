"""What was said while the bot was away: only what looks, whatever its words, may still be done."""

from types import SimpleNamespace

import pytest

from automation_bots.jobs.request_context import Origin
from automation_bots.model import Caller, Place
from backends.adapter import late

OURS = SimpleNamespace(automation_ours=True)


@pytest.mark.parametrize("line", ["device trust core1 yes 1a2b", "device untrust core1", "person link joe text @x"])
def test_a_command_that_can_change_something_is_never_done_late(line):
    command, _, rest = line.partition(" ")
    pipeline = SimpleNamespace(lookup=SimpleNamespace(operation=lambda _said: None))
    said = Origin(Caller("memory", "U1"), Place("memory", "R1"))
    bot = SimpleNamespace(
        commands={command: OURS},
        bot_config=SimpleNamespace(AUTOMATION=SimpleNamespace(pipeline=pipeline)),
        automation_origin=lambda _msg: said,
    )
    assert not late._only_looks(bot, None, command, rest)
