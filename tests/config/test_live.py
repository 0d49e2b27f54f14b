"""What the bot knows changes as a whole, whatever happens while it is read again."""

import pytest

from automation_bots.config.live import LiveConfig
from automation_bots.inventory.inventory import Inventory
from automation_bots.model import Caller
from automation_bots.operations.catalog import Folders
from automation_bots.policy.policy import Policy
from tests.support.chatbot import POLICY, write_folder

pytestmark = pytest.mark.slow  # real threads, real waiting


@pytest.fixture
def world(tmp_path):
    write_folder(tmp_path)
    made = LiveConfig(Inventory((tmp_path / "inventory",), tmp_path / "cache"), tmp_path / "policy.yml", Folders(), {})
    made.load()
    return made


def test_a_view_that_was_being_made_while_the_policy_changed_does_not_stay(world):
    class Revoked(LiveConfig):  # the policy changes right after its first reading
        times = 0

        @property
        def policy(self):
            self.times += 1
            return self.old if self.times == 1 else self.new

        @policy.setter
        def policy(self, value):
            self.new = value

    world.old, world.new = world.policy, Policy()
    world.__class__ = Revoked
    assert world.scope.policy is world.old
    assert world.scope.policy is world.new


def test_a_view_keeps_to_one_state_of_the_inventory(world):
    scope = world.scope
    hosts = world.policy_file.parent / "inventory/hosts.yml"
    hosts.write_text(hosts.read_text().replace("db1", "web4"))
    world.look()
    assert scope.expand("db") == {"db1"}
    assert world.scope.expand("db") == {"web4"}


def test_an_empty_group_is_no_unreadable_pattern(world, tmp_path):
    hosts = tmp_path / "inventory/hosts.yml"
    hosts.write_text(hosts.read_text() + "    frozen: {}\n")
    (tmp_path / "policy.yml").write_text(POLICY + "  - {name: f, who: support, deny: [everything], on: frozen}\n")
    world.look()
    rule = world.policy.rules[-1]
    assert world.scope.hits(rule, frozenset({"web1"})) == frozenset()


def test_a_policy_that_breaks_its_reader_refuses_everybody(world, tmp_path):
    class Odd:
        def stat(self):
            return tmp_path.stat()

        def read_text(self, **_):
            raise KeyError("nothing")

    world.policy_file = Odd()
    world.look()
    assert world.policy.person(Caller("test", "ana")) is None
    assert world.policy_problem


def test_a_listener_that_fails_keeps_no_other_in_the_dark(world):
    heard = []
    world.listen(lambda _change: 1 / 0)
    world.listen(heard.append)
    world.policy_file.write_text(POLICY + "\n")
    world.look()
    assert [change.what for change in heard] == ["policy"]
