"""What a playbook prints may hold secrets that no driver asked for; they reach neither chat nor record nor log."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chatbot import BOT_TOML, ChatBot, write_folder
from tests.support.watching import watched

pytestmark = pytest.mark.slow
SECRET = "correct-horse-battery"
PLAYBOOK = """
# bot:
#   help: Print what should not be printed
#   risk: read
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "first {{ database_password }}, then {{ lookup('env', 'APP_TOKEN') }}"
"""
HOSTS = """
all:
  hosts:
    here: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
TOML = f"""{BOT_TOML}
[inventory]
vault_password_file = "vault-password"
[drivers.ansible.environment]
APP_TOKEN = "file:token"
"""


def encrypted(folder: Path) -> str:
    (folder / "vault-password").write_text("open sesame")
    (folder / "vault-password").chmod(0o600)
    program = Path(sys.executable).with_name("ansible-vault")
    command = [
        program,
        "encrypt_string",
        "--vault-password-file",
        folder / "vault-password",
        "-n",
        "database_password",
        SECRET,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


OVER_SSH = """
# bot:
#   help: Become root, and print the password
#   risk: read
- hosts: all
  gather_facts: false
  tasks:
    - {ansible.builtin.command: id, become: true, changed_when: false}
    - {ansible.builtin.debug: {msg: "it is {{ ansible_password }}"}}
"""


def test_a_password_made_for_this_run_is_in_no_process_and_in_nothing_that_is_kept_or_said(tmp_path, sshd):
    if sshd.missing:
        pytest.skip(sshd.missing)
    password = f"{{ansible_password: {sshd.password}, ansible_become_password: {sshd.password}}}"
    place = f"ansible_host: {sshd.addresses[0]}, ansible_port: {sshd.port}, ansible_user: {sshd.admin}"
    hosts = f"all: {{hosts: {{web1: {{{place}}}}}}}"
    files = {"playbooks/leak.yml": OVER_SSH.lstrip(), "inventory/group_vars/all.yml": password}
    toml = BOT_TOML + "[drivers.ssh]\nagent = false\n"
    with ChatBot(write_folder(tmp_path, toml=toml, hosts=hosts, files=files)) as chat:
        (tmp_path / "known_hosts").write_text(sshd.known_hosts.read_text())
        with watched() as seen:
            for command in ("!uptime", "!leak"):
                assert "1 ok" in chat.asks(f"{command} on web1 --wait", "done in", seconds=60)
        output = chat.asks("!job 2 output", "leak")
    assert "it is ‹redacted›" in output
    secret = sshd.password.encode()
    assert any(b"sshpass" in words or b"ansible" in words for words, _ in seen)
    assert [words for words, environment in seen if secret in words or secret in environment] == []
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert not [text for _, text in chat.surface.said if sshd.password in text]


def test_a_vault_value_and_a_token_that_a_playbook_prints_are_redacted_everywhere(tmp_path):
    (tmp_path / "token").write_text("t0ken-of-the-app")
    (tmp_path / "token").chmod(0o600)
    files = {"playbooks/leak.yml": PLAYBOOK.lstrip(), "inventory/group_vars/all.yml": encrypted(tmp_path)}
    with ChatBot(write_folder(tmp_path, toml=TOML, hosts=HOSTS, files=files)) as chat:
        told = chat.asks("!leak on here --wait", "leak on here", seconds=60)
        output = chat.asks("!job 1 output", "leak")
    assert "first ‹redacted›, then ‹redacted›" in told + output
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    for secret in (SECRET, "t0ken-of-the-app"):
        assert secret not in told + output
        assert secret.encode() not in kept
