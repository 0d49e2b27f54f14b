"""What a bot has in memory before anybody asks for it."""

import subprocess
import sys

LATER = {
    "aiohttp", "alembic", "ansible", "ansible_runner", "asyncssh", "cryptography", "dns", "hvac", "icalendar", "ldap3",
    "mattermostautodriver", "matplotlib", "napalm", "netmiko", "nio", "ntc_templates", "numpy", "paramiko",
    "prometheus_client", "pyotp", "segno", "slack_sdk", "websocket", "winrm",
}  # fmt: skip


def test_what_only_some_commands_need_is_loaded_by_them_alone():
    look = "import sys, automation_bots.app.bot; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert LATER.isdisjoint(said.split())
    assert "sqlalchemy" in said
