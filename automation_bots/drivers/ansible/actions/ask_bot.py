"""`ask_bot: {bot: winbot, command: service restart spooler on dc1}`: another bot is asked, as whose job it is.

Runs inside Ansible, on the controller, and reaches no device; the bot that runs the playbook judges, asks and waits.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_DOOR = "AUTOMATION_BOTS_DOOR"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Named as Ansible wants it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Ask, wait, and give back what was said."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(
            argument_spec={"bot": {"type": "str", "required": True}, "command": {"type": "str", "required": True}}
        )
        if (door := os.environ.get(_DOOR)) is None:
            raise AnsibleActionFail("ask_bot works in playbooks that a bot runs")
        said = _answered(door, {"ask": f"@{given['bot'].removeprefix('@')} {given['command']}"})
        return {"changed": bool(said["ok"]) and not said["only_would"], "failed": not said["ok"], "msg": said["text"]}


def _answered(door: str, question: dict[str, str]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX) as wire, wire.makefile("rwb") as stream:
            wire.connect(door)
            stream.write(json.dumps(question).encode() + b"\n")
            stream.flush()
            found: dict[str, Any] = json.loads(stream.readline())
            return {"ok": found["ok"], "text": str(found["text"]), "only_would": found["only_would"]}
    except (OSError, ValueError, KeyError) as error:
        raise AnsibleActionFail("the bot could not be asked; what became of it is not known") from error
