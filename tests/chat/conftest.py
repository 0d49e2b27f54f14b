"""One bot and its people for all tests of a network, whose module gives the fixture `net`."""

import pytest

pytest.register_assert_rewrite("tests.chat.contract", "tests.chat.harness")

from automation_bots.drivers.fake import Fake  # noqa: E402 - behind the line above
from automation_bots.model import Outcome, Status  # noqa: E402
from tests.chat.as_a_program import running  # noqa: E402
from tests.chat.harness import HUGE, Talk  # noqa: E402
from tests.support.bounds import LONG  # noqa: E402

VERBS = {
    "playbooks/verbs/note.yml": "help: Take a note\nrisk: read\nparameters: {lines: {text: true}}\n"
    'linux: {run: [echo, "{lines}"]}\n',
}


def pytest_collection_modifyitems(config, items):
    """Where only the wire can differ, what is decided above it is left to `make soak`."""
    left = [item for item in items if item.get_closest_marker("engine") and item.get_closest_marker("wire")]
    if left and not LONG:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="module")
def driver():
    """Devices that answer at once, and what they say by the name of the operation."""
    done = Outcome("", Status.OK, "up 3 days", "up 3 days", exit_code=0)
    return Fake(
        {
            "uptime": done,
            "interfaces": Outcome("", Status.OK, "interface", HUGE, exit_code=0),
        },
        seconds={"reboot": 1.2},
    )


@pytest.fixture(scope="module")
def talk(net, driver, tmp_path_factory):
    """One bot and its people, for all tests of a network."""
    robot = net.human("robo", robot=True)
    with Talk(net, tmp_path_factory.mktemp("bot"), (driver,), robot=robot, files=VERBS) as talk:
        talk.robot = robot
        yield talk


@pytest.fixture
def stranger(net):
    """Somebody whom the policy does not know."""
    return net.human("eve")


@pytest.fixture
def started():
    """Start bots as programs of their own, and end those that a test did not kill."""
    bots = []

    def start(talk):
        bots.append(running(talk))
        return bots[-1]

    yield start
    for bot in bots:
        bot.kill()
        bot.wait(10)
