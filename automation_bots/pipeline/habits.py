"""What people of the field type by habit (`sh ip route`, `sudo service nginx restart`, `Get-Service`): what it is here.

Only the words change. What comes out is judged as if it had been typed, and is shown by its own name. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from automation_bots.operations import peers

# The first words → the operation. Longer ones first, where they begin alike.
_HABITS = {
    "configure terminal": "config", "conf terminal": "config", "configure t": "config", "conf t": "config",
    "config terminal": "config", "config t": "config", "configure": "config", "conf": "config", "system-view": "config",
    "sh": "show", "sho": "show", "display": "show", "disp": "show", "dis": "show",
    "systemctl": "service", "tracert": "traceroute", "nslookup": "dns", "dig": "dns", "df": "disk", "free": "memory",
    "journalctl": "logs", "tasklist": "processes", "ls": "dir", "users": "who", "quser": "who",
}  # fmt: skip
_SUDO = "sudo"
_GET = "get"  # FortiOS' own question, which is not its show
# A verb that Microsoft approves of, and a noun: a cmdlet, which !ps runs.
_CMDLET = re.compile(
    r"(?:add|clear|compare|copy|disable|enable|export|find|format|get|import|install|invoke|measure|mount|move|new|"
    r"out|publish|register|remove|rename|repair|reset|resize|resolve|restart|resume|save|search|select|set|show|start|"
    r"stop|suspend|switch|sync|test|uninstall|unregister|update|wait|write)-[a-z][a-z0-9]*",
    re.IGNORECASE,
)
_CMDLETS = "ps"  # the operation that runs one


def meant(name: str, line: str, known: Callable[[str], bool]) -> tuple[str, str]:
    """Return the operation and its words, where the first ones are a habit; else both as they are."""
    if name.lower() == _SUDO and line.strip():  # what becomes somebody else says so in its own file
        first, _, rest = line.strip().partition(" ")
        return (first, rest) if known(first) else meant(first, rest, known)
    if (several := peers.listed(name, line)) != (name, line) and known(several[0]):
        return several
    first, _, rest = line.strip().partition(" ")
    if (two := _HABITS.get(f"{name} {first}".lower())) and known(two):
        return two, rest.strip()
    if known(name):
        return name, line
    if name.lower() == _GET and known(_HABITS["sh"]):
        return _HABITS["sh"], f"{name} {line}".strip()
    if (one := _HABITS.get(name.lower())) and known(one):
        return one, line
    return (_CMDLETS, f"{name} {line}".strip()) if _CMDLET.fullmatch(name) and known(_CMDLETS) else (name, line)
