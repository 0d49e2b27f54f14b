"""`automation-bots new bot NAME`: a folder to start from, with a comment where somebody has to decide."""

from __future__ import annotations

import re
from pathlib import Path

from automation_bots.errors import ConfigError

_BOT = """# The bot {name}. Everything has a default; these are the lines people change.
name = "{name}"
backend = "Text"            # the chat network: "Text" (terminal), "IRC", or any other Errbot backend by its name
prefix = "!"                # what a command begins with; @{name} works as well

# The network's credentials are references, never in clear: env:NAME, vault:NAME (of an
# Ansible Vault file vault.yml beside this one), credential:NAME (systemd) or file:PATH.
# [chat]
# token = "env:CHAT_TOKEN"

# Rooms by a name of your own, for `where:` in policy.yml.
# [places]
# netops = "C0123456"

[limits]
jobs = 50                   # running at once
person = 10                 # running at once of one person
seconds = 600               # time limit of an operation that names none

[inventory]
sources = ["inventory"]     # anything Ansible reads: YAML, INI, scripts, plugins
# vault_password_file = "vault-password"

[retention]
days = 90                   # outputs of ended jobs; the record itself stays
"""
_POLICY = """# Who may do what. Nobody else may do anything. Read it aloud: each rule is a sentence.
people:
  # The ids are the chat network's own, not display names; somebody unknown who types !whoami is told theirs.
  admin: {text: "@admin", groups: [admins]}

rules:
  - name: admins may do everything
    who: admins
    may: [everything]
  - name: everybody may look
    who: everyone
    may: [reads]
  # - name: web team restarts services in working hours
  #   who: web
  #   may: ["service restart *"]
  #   on: webservers
  #   when: Mon-Fri 08:00-18:00 Europe/Madrid
"""
_TESTS = """# What the policy must answer; `automation-bots check` runs these.
- {who: admin, what: uptime on all, expect: allow}
- {who: somebody, what: uptime on all, expect: deny}
"""
_RULES = """# What happens by itself when something happens elsewhere; see docs/rules.md.
# - name: a failed job is offered again
#   when: {source: bot, kind: job, fields: {state: failed}}
#   do: {to: "#ops", propose: "retry {fields.job} failed"}
"""
_HOSTS = """# Ansible's own inventory. `ansible-inventory --list -i .` shows how it is read.
all:
  hosts:
    here:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
  # children:
  #   web:
  #     hosts:
  #       web1: {ansible_host: 192.0.2.10, ansible_user: ops}
  #   core:
  #     vars: {platform: cisco_ios, ansible_user: netops}
  #     hosts:
  #       core1: {ansible_host: 192.0.2.1, site: madrid}
"""
_FUNCTION = '''"""A command with logic is one file with one function of the same name: this is !greet."""


def greet(name: str, loud: bool = False) -> str:
    """Say hello. Example: !greet ana loud=yes

    Risk: read
    """
    text = f"Hello, {name}!"
    return text.upper() if loud else text
'''


def write(parent: Path, name: str) -> Path:
    """Write the folder; nothing that is there already is touched."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}", name):
        raise ConfigError(parent / name, "a bot's name is letters, digits, dots, dashes and underscores")
    folder = parent / name
    if folder.exists():
        raise ConfigError(folder, "is there already; choose another name")
    files = {
        "bot.toml": _BOT.format(name=name),
        "policy.yml": _POLICY,
        "policy-tests.yml": _TESTS,
        "rules.yml": _RULES,
        "inventory/hosts.yml": _HOSTS,
        "plugins/greet.py": _FUNCTION,
        "playbooks/.gitkeep": "",
        "known_hosts": "",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder
