"""Secrets of the inventory are names only until a driver asks for them, and never in a file."""

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from automation_bots.errors import ConfigError, DriverError
from tests.support.inventory_files import opened, write

pytestmark = pytest.mark.slow  # every test starts a process

PASSWORD = b"correct horse"
VAULT = VaultLib([("default", VaultSecret(PASSWORD))])


def encrypted(text: str, indent: int = 4) -> str:
    return "!vault |\n" + "".join(" " * indent + line + "\n" for line in VAULT.encrypt(text).decode().splitlines())


@pytest.fixture
def vaulted(tmp_path):
    hosts = f"""
web:
  hosts:
    web1:
      pin: {encrypted("hidden-1", 8).rstrip()}
      users: [{{name: ana, password: hidden-2}}]
    web2: {{ansible_password: hidden-3, color: red}}
    web3: {{token: "{{{{ pin_of_all }}}}", ansible_user: "{{{{ vault_user }}}}", vault_user: open}}
    web4: {{}}
db: {{hosts: {{db1: {{ansible_password: hidden-7}}}}}}
"""
    write(tmp_path / "inv", {"hosts.yml": hosts})
    write(tmp_path / "inv/group_vars", {"web/plain.yml": 'ansible_user: "{{ vault_user }}"\nplain: 1\n'})
    secret = "pin_of_all: hidden-4\nvault_user: hidden-5\nflags: [one, {two: hidden-6}]\n"
    (tmp_path / "inv/group_vars/web/vault.yml").write_bytes(VAULT.encrypt(secret))
    (tmp_path / "key").write_bytes(PASSWORD)
    return tmp_path


def test_secrets_are_names_only_until_they_are_asked_for(vaulted):
    inventory = opened(vaulted, vault_password_file=vaulted / "key")
    web1 = inventory.device("web1")
    assert web1.secrets == {"pin", "users", "pin_of_all", "vault_user", "flags", "ansible_user"}
    assert web1.variables == {"plain": 1}
    assert inventory.secret_values() == frozenset()
    assert inventory.secrets("web1") == {
        "pin": "hidden-1",
        "users": '[{"name": "ana", "password": "hidden-2"}]',
        "pin_of_all": "hidden-4",
        "vault_user": "hidden-5",
        "ansible_user": "hidden-5",
        "flags": '["one", {"two": "hidden-6"}]',
    }
    assert inventory.secret_values() == {"hidden-1", "hidden-2", "hidden-4", "hidden-5", "hidden-6", "one"}


def test_a_secret_that_a_host_overrides_in_the_open_is_none(vaulted):
    web3 = opened(vaulted, vault_password_file=vaulted / "key").device("web3")
    assert (web3.variables["ansible_user"], web3.variables["vault_user"]) == ("open", "open")
    assert web3.secrets == {"token", "pin_of_all", "flags"}


def test_nothing_secret_is_in_the_cache_and_only_its_owner_reads_it(vaulted):
    opened(vaulted, vault_password_file=vaulted / "key")
    (kept,) = (vaulted / "cache").iterdir()
    assert b"hidden" not in kept.read_bytes()
    assert b"ANSIBLE_VAULT" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_without_the_password_the_rest_loads_and_says_what_to_set(vaulted):
    inventory = opened(vaulted)
    assert "group_vars/web/vault.yml: encrypted and left out. Set vault_password_file" in inventory.problem
    assert "pin" in inventory.device("web1").secrets
    with pytest.raises(DriverError, match=r"secrets of web1 cannot be read\. Set vault_password_file"):
        inventory.secrets("web1")
    assert inventory.secrets("db1") == {"ansible_password": "hidden-7"}


def test_a_password_file_that_is_missing_is_named(vaulted):
    inventory = opened(vaulted, vault_password_file=vaulted / "gone")
    with pytest.raises(DriverError, match=r"vault_password_file .*/gone is not there"):
        inventory.secrets("web1")


def test_a_wrong_password_is_an_error_that_names_the_file(vaulted):
    (vaulted / "key").write_text("wrong")
    with pytest.raises(ConfigError, match=r"vault\.yml.*Decryption failed"):
        opened(vaulted, vault_password_file=vaulted / "key")


def test_secrets_of_many_devices_come_from_one_child_and_stay_until_the_inventory_changes(vaulted):
    inventory = opened(vaulted, vault_password_file=vaulted / "key")
    inventory.prefetch_secrets(inventory.names)
    inventory._child._limit_seconds = 0.001  # another child would not live
    assert all(inventory.secrets(name) for name in inventory.names)
    with pytest.raises(TypeError):
        inventory.secrets("web1")["pin"] = "other"
