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
def live(tmp_path):
    write_folder(tmp_path)
    made = LiveConfig(Inventory((tmp_path / "inventory",), tmp_path / "cache"), tmp_path / "policy.yml", Folders(), {})
    made.load()
    return made


def test_a_view_that_was_being_made_while_the_policy_changed_does_not_stay(live):
    class Revoked(LiveConfig):  # the policy changes right after its first reading
        times = 0

        @property
        def policy(self):
            self.times += 1
            return self.old if self.times == 1 else self.new

        @policy.setter
        def policy(self, value):
            self.new = value

    live.old, live.new = live.policy, Policy()
    live.__class__ = Revoked
    assert live.scope.policy is live.old
    assert live.scope.policy is live.new


def test_a_view_keeps_to_one_state_of_the_inventory(live):
    scope = live.scope
    hosts = live.policy_file.parent / "inventory/hosts.yml"
    hosts.write_text(hosts.read_text().replace("db1", "web4"))
    live.look()
    assert scope.expand("db") == {"db1"}
    assert live.scope.expand("db") == {"web4"}


def test_a_second_name_of_a_device_is_known_with_the_inventory_and_again_when_names_are_looked_up(live):
    hosts = live.policy_file.parent / "inventory/hosts.yml"
    plain = hosts.read_text()
    hosts.write_text(plain.replace("web3: {}", "web3: {ansible_host: vault1}, sneaky: {ansible_host: 192.0.2.7}"))
    live.look()
    assert live.scope.all_names(["vault1"]) == {"vault1", "web3"}
    live.inventory.learn({"vault1": ("192.0.2.7",)})
    assert live.scope.all_names(["sneaky"]) == {"vault1", "web3", "sneaky"}


def test_what_rules_mean_is_known_before_the_first_command_after_a_reload_asks(live, tmp_path):
    (tmp_path / "policy.yml").write_text(POLICY + '  - {name: f, who: support, may: [reads], on: "web:!web1"}\n')
    live.look()
    assert live.scope.meanings["web:!web1"] == {"web2", "web3"}


def test_other_people_do_not_make_it_forget_what_patterns_mean(live):
    live.look()
    known = live.scope.meanings
    live.take()
    assert known
    assert live.scope.meanings is known


def test_an_empty_group_is_no_unreadable_pattern(live, tmp_path):
    hosts = tmp_path / "inventory/hosts.yml"
    hosts.write_text(hosts.read_text() + "    frozen: {}\n")
    (tmp_path / "policy.yml").write_text(POLICY + "  - {name: f, who: support, deny: [everything], on: frozen}\n")
    live.look()
    rule = live.policy.rules[-1]
    assert live.scope.hits(rule, frozenset({"web1"})) == frozenset()


def test_a_policy_that_breaks_its_reader_refuses_everybody(live, tmp_path):
    class Odd:
        def stat(self):
            return tmp_path.stat()

        def read_text(self, **_):
            raise KeyError("nothing")

    live.policy_file = Odd()
    live.look()
    assert live.policy.person(Caller("test", "ana")) is None
    assert live.policy_problem


def test_a_listener_that_fails_keeps_no_other_in_the_dark(live):
    heard = []
    live.listen(lambda _change: 1 / 0)
    live.listen(heard.append)
    live.policy_file.write_text(POLICY + "\n")
    live.look()
    assert [change.what for change in heard] == ["policy"]


def test_a_changed_bot_toml_is_told_since_it_counts_from_the_next_start_on(live):
    live.policy_file.with_name("bot.toml").write_text("[limits]\njobs = 3\n")
    assert [change.what for change in live.look()] == ["settings"]
    assert live.look() == []
