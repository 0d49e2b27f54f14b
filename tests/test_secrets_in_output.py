"""What a playbook prints may hold secrets that no driver asked for; they reach neither chat nor record nor log."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chatbot import BOT_TOML, ChatBot, write_folder

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
