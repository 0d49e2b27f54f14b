"""Whatever logs in to a network device: keys, certificates, a vault, a key/value store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import ENABLE, PASSWORD, USER, Cli, Manner, Shelf
from tests.fakes.kv_server import KvServer
from tests.fakes.sshd_ways import keygen
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow
VERSION = {"command": ("version",)}
TOML = """
name = "netbot"
backend = "Test"
[drivers.ssh]
known_hosts = "{known_hosts}"
[inventory]
vault_password_file = "key"
[vault]
url = "{url}"
ca_file = "{ca}"
token = "file:token"
"""
HOSTS = """
all:
  hosts: {{sw1: }}
  vars:
    driver: network
    platform: cisco_ios
    ansible_host: 127.0.0.1
    ansible_port: {port}
    ansible_user: {user}
    ansible_password: "kv:net/switches#password"
    ansible_become_password: !vault |
          {vaulted}
"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with Shelf(tmp_path_factory.mktemp("shelf") / "known_hosts") as shelf:
        yield shelf


@pytest.fixture
def key(tmp_path: Path) -> Path:
    keygen("-t", "ed25519", "-N", "words", "-f", str(tmp_path / "key"))
    return tmp_path / "key"


def chat_with(shelf: Shelf, tmp_path: Path, **secrets: str) -> Chat:
    return Chat(driver(shelf.known_hosts, tmp_path / "data"), tmp_path / "work", **secrets)


@pytest.fixture
def put(shelf: Shelf):
    def put(trusted: Path, **variables: str) -> Device:
        cli = Cli("sw1", Manner())
        cli.trusted = {asyncssh.read_public_key(trusted).public_data}
        usual = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(cli), "ansible_user": USER}
        return Device("sw1", variables={**usual, "platform": "cisco_ios", **variables})

    return put


@pytest.mark.parametrize(("operation", "values"), [(ops.SHOW, VERSION), (ops.BACKUP, {})])
def test_an_encrypted_key_logs_in_with_its_passphrase(shelf, put, key, tmp_path, operation, values):
    device = put(key.with_suffix(".pub"), ansible_ssh_private_key_file=str(key))
    chat = chat_with(shelf, tmp_path, ansible_ssh_private_key_passphrase="words")
    assert chat.one(operation, device, **values).status is Status.OK


def test_a_key_without_its_passphrase_is_named(shelf, put, key, tmp_path):
    device = put(key.with_suffix(".pub"), ansible_ssh_private_key_file=str(key))
    outcome = chat_with(shelf, tmp_path).one(ops.SHOW, device, **VERSION)
    assert outcome.status is Status.UNREACHABLE
    assert "it needs ansible_ssh_private_key_passphrase" in outcome.summary


def test_a_key_may_stand_in_the_vault_itself(shelf, put, key, tmp_path):
    secrets = {"ansible_ssh_private_key": key.read_text(), "ansible_ssh_private_key_passphrase": "words"}
    chat = chat_with(shelf, tmp_path, **secrets)
    assert chat.one(ops.SHOW, put(key.with_suffix(".pub")), **VERSION).status is Status.OK


@pytest.mark.parametrize("beside", [True, False])
def test_a_certificate_logs_in_where_only_its_authority_is_known(shelf, put, key, tmp_path, beside):
    authority, signed = tmp_path / "authority", tmp_path / "key-cert.pub"
    keygen("-t", "ed25519", "-N", "", "-f", str(authority))
    keygen("-s", str(authority), "-I", "bot", "-n", USER, str(key.with_suffix(".pub")))
    more = {} if beside else {"ssh_certificate": str(signed.rename(tmp_path / "elsewhere.pub"))}
    device = put(authority.with_suffix(".pub"), ansible_ssh_private_key_file=str(key), **more)
    chat = chat_with(shelf, tmp_path, ansible_ssh_private_key_passphrase="words")
    assert chat.one(ops.SHOW, device, **VERSION).status is Status.OK


def test_passwords_come_out_of_the_bots_environment(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("NET_PASSWORD", PASSWORD)
    login = "driver: network, platform: cisco_ios, ansible_host: 127.0.0.1"
    password = "ansible_password: \"{{ lookup('env', 'NET_PASSWORD') }}\""
    port = shelf.put(Cli("sw1", Manner()))
    hosts = f"all: {{hosts: {{sw1: {{{login}, ansible_port: {port}, ansible_user: {USER}, {password}}}}}}}"
    toml = f'backend = "Test"\n[drivers.ssh]\nknown_hosts = "{shelf.known_hosts}"\n'
    with ChatBot(write_folder(tmp_path / "bot", toml=toml, hosts=hosts)) as chat:
        assert "1 ok" in chat.asks("!show version on sw1", "sw1 done", seconds=30)


def test_passwords_come_out_of_a_vault_and_of_a_key_value_store(shelf, tmp_path):
    cli = Cli("sw1", Manner(enable=ENABLE))
    with KvServer(tmp_path, token="the-token") as server:
        server.put("switches", password=PASSWORD)
        vaulted = VaultLib([("default", VaultSecret(b"open"))]).encrypt(ENABLE).decode().replace("\n", "\n          ")
        hosts = HOSTS.format(port=shelf.put(cli), user=USER, vaulted=vaulted)
        toml = TOML.format(known_hosts=shelf.known_hosts, url=server.url, ca=server.ca_file)
        files = {"key": "open", "token": "the-token"}
        folder = write_folder(tmp_path / "bot", toml=toml, hosts=hosts, files=files)
        for name in files:
            (folder / name).chmod(0o600)
        with ChatBot(folder) as chat:
            assert "hostname sw1" in chat.asks("!show running-config on sw1", "1 ok", seconds=30)
