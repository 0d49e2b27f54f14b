"""What was said while the bot was away: only what looks, whatever its words, may still be done."""

from types import SimpleNamespace

import pytest

from backends.adapter import late

OURS = SimpleNamespace(automation_ours=True)


@pytest.mark.parametrize("line", ["device trust core1 yes 1a2b", "device untrust core1", "person link joe text @x"])
def test_a_command_that_can_change_something_is_never_done_late(line):
    command, _, rest = line.partition(" ")
    pipeline = SimpleNamespace(lookup=SimpleNamespace(operation=lambda _said: None))
    automation = SimpleNamespace(pipeline=pipeline, settings=SimpleNamespace(network="memory"))
    msg = SimpleNamespace(frm=SimpleNamespace(aclattr="U1"), extras={}, is_group=False)
    bot = SimpleNamespace(commands={command: OURS}, bot_config=SimpleNamespace(AUTOMATION=automation))
    assert not late._only_looks(bot, msg, command, rest)
