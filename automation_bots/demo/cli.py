"""The command line of a simulated device: modes, prompts, and what each command does to the switch."""

from __future__ import annotations

import copy
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface

from automation_bots.demo import shows
from automation_bots.demo.grammar import Misunderstood, piped, understand
from automation_bots.demo.switch import Interface, Switch

RELOAD_SECONDS = 5.0

_SHOWS: dict[str, Callable[[Switch], str]] = {
    "show version": shows.version,
    "show clock": shows.clock,
    "show uptime": shows.uptime,
    "show interfaces": shows.interfaces,
    "show interfaces description": shows.descriptions,
    "show ip interface brief": shows.brief,
    "show ip route": shows.routes,
    "show ip arp": shows.arp,
    "show ip bgp summary": shows.bgp,
    "show mac address-table": shows.macs,
    "show lldp neighbors": shows.neighbors,
    "show users": shows.users,
    "show processes cpu": shows.cpu,
    "show processes memory": shows.memory,
    "show logging": shows.logging,
    "show file systems": shows.file_systems,
    "dir": shows.flash,
    "dir flash:": shows.flash,
    "dir flash:/": shows.flash,
}
_PRIVILEGED_SHOWS: dict[str, Callable[[Switch], str]] = {"show running-config": shows.config}
_KEPT = ("ntp server", "logging host", "snmp-server location", "snmp-server contact", "ip name-server", "ip route")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the device prints; whether it understood; whether it hangs up."""

    text: str = ""
    ok: bool = True
    close: bool = False


_Actions = dict[str, Callable[..., Reply]]


class Cli:
    """One session on a switch."""

    def __init__(self, switch: Switch, user: str, secret: str, *, asks: bool = True) -> None:
        self.switch = switch
        self.user = user
        self._secret = secret
        self._asks = asks  # False: a single command, where nobody can answer; it is privileged from the start
        self._mode = "user" if asks else "enable"
        self._interface: Interface | None = None
        self._question: Callable[[str], Reply] | None = None
        self.hidden = False  # the next line is a password
        self._actions = self._commands()

    @property
    def prompt(self) -> str:
        """What stands before the cursor."""
        if self._question:
            return "Password: " if self.hidden else "Proceed with reload? [confirm]"
        marks = {"user": ">", "enable": "#", "config": "(config)#", "interface": "(config-if)#"}
        return f"{self.switch.running.hostname}{marks[self._mode]}"

    def run(self, line: str) -> Reply:
        """Take one line, as it was typed."""
        if self._question:
            answer, self._question, self.hidden = self._question, None, False
            return answer(line)
        if not line.strip() or line.lstrip().startswith("!"):
            return Reply()
        command, pipe, wanted = line.partition("|")
        reply = self._execute(command)
        if not pipe or not reply.ok:
            return reply
        filtered = piped(reply.text, wanted)
        return Reply("% Invalid input detected at '^' marker.\n", ok=False) if filtered is None else Reply(filtered)

    def _execute(self, line: str) -> Reply:
        # Commands that work everywhere in configuration mode leave the interface, as on a real device.
        actions = (self._actions["config"] if self._mode == "interface" else {}) | self._actions[self._mode]
        meant = understand(line, actions, len(self.prompt))
        if isinstance(meant, Misunderstood):
            return Reply(meant.text, ok=False)
        if self._mode == "interface" and meant.pattern not in self._actions["interface"]:
            self._mode = "config"
        return actions[meant.pattern](*meant.arguments)

    def _commands(self) -> dict[str, _Actions]:
        user: _Actions = {
            **{pattern: self._shown(show) for pattern, show in _SHOWS.items()},
            "show interfaces <…>": self._show_interface,
            "show ip route <destination>": lambda destination: Reply(shows.route(self.switch, destination)),
            "terminal <…>": lambda _words: Reply(),
            "enable": self._enable,
            **dict.fromkeys(("exit", "quit", "logout"), self._leave),
        }
        enable: _Actions = user | {
            **{pattern: self._shown(show) for pattern, show in _PRIVILEGED_SHOWS.items()},
            "disable": lambda: self._enter("user"),
            "configure terminal": lambda: self._enter("config", "Enter configuration commands, one per line."),
            **dict.fromkeys(("write memory", "write", "copy running-config startup-config"), self._save),
            "reload": self._reload,
        }
        both: _Actions = {"end": self._end, "do <…>": self._do}
        config: _Actions = both | {
            "exit": self._end,
            "interface <…>": self._select,
            "no interface <…>": self._remove,
            "hostname <name>": self._hostname,
            **{f"{start} <…>": self._keep(start) for start in _KEPT},
            **{f"no {start} <…>": self._drop(start) for start in _KEPT},
        }
        interface: _Actions = both | {
            "exit": lambda: self._enter("config"),
            "description <…>": lambda words: self._set(description=words),
            "no description": lambda: self._set(description=""),
            "shutdown": lambda: self._shut(down=True),
            "no shutdown": lambda: self._shut(down=False),
            "ip address <address> <mask>": self._address,
            "no ip address": lambda: self._set(address=None),
            "no ip address <address> <mask>": lambda _address, _mask: self._set(address=None),
        }
        return {"user": user, "enable": enable, "config": config, "interface": interface}

    def _shown(self, show: Callable[[Switch], str]) -> Callable[[], Reply]:
        return lambda: Reply(show(self.switch))

    def _enter(self, mode: str, text: str = "") -> Reply:
        self._mode = mode
        return Reply(text)

    def _leave(self) -> Reply:
        return Reply(close=True)

    def _end(self) -> Reply:
        self.switch.note(f"%SYS-5-CONFIG_I: Configured from console by {self.user}")
        return self._enter("enable")

    def _do(self, line: str) -> Reply:
        inner = Cli(self.switch, self.user, self._secret, asks=False)
        return inner.run(line)

    def _show_interface(self, name: str) -> Reply:
        found = self.switch.find(name)
        if found is None:
            return Reply("% Invalid input detected at '^' marker.\n", ok=False)
        return Reply(shows.interface(self.switch, found))

    def _enable(self) -> Reply:
        if self._mode != "enable":
            self._question, self.hidden = self._password, True
        return Reply()

    def _password(self, typed: str) -> Reply:
        if not hmac.compare_digest(typed.strip().encode(), self._secret.encode()):
            return Reply("% Access denied\n", ok=False)
        return self._enter("enable")

    def _save(self) -> Reply:
        self.switch.startup = copy.deepcopy(self.switch.running)
        return Reply("Building configuration...\n[OK]")

    def _reload(self) -> Reply:
        if not self._asks:
            return self._confirmed("")
        self._question = self._confirmed
        return Reply()

    def _confirmed(self, typed: str) -> Reply:
        if typed.strip().lower() not in {"", "y", "yes"}:
            return Reply()
        self.switch.reload(RELOAD_SECONDS)
        return Reply("Reload requested", close=True)

    def _select(self, name: str) -> Reply:
        found = self.switch.find_or_make(name)
        if found is None:
            return Reply("% Invalid input detected at '^' marker.\n", ok=False)
        self._interface = found
        return self._enter("interface")

    def _remove(self, name: str) -> Reply:
        found = self.switch.find(name)
        if found is None or found.name.startswith("Gigabit"):
            return Reply("% Removal of physical interfaces is not permitted\n" if found else "", ok=found is None)
        del self.switch.running.interfaces[found.name]
        return Reply()

    def _hostname(self, name: str) -> Reply:
        self.switch.running.hostname = name[:63]
        return Reply()

    def _keep(self, start: str) -> Callable[[str], Reply]:
        def keep(words: str) -> Reply:
            lines, line = self.switch.running.lines, f"{start} {words}"
            if line not in lines:
                lines.append(line)
            return Reply()

        return keep

    def _drop(self, start: str) -> Callable[[str], Reply]:
        def drop(words: str) -> Reply:
            lines, line = self.switch.running.lines, f"{start} {words}"
            if line in lines:
                lines.remove(line)
            return Reply()

        return drop

    def _set(self, **values: object) -> Reply:
        for name, value in values.items():
            setattr(self._interface, name, value)
        return Reply()

    def _shut(self, *, down: bool) -> Reply:
        if self._interface and self._interface.shutdown is not down:
            state = "administratively down" if down else "up"
            self.switch.note(f"%LINK-5-CHANGED: Interface {self._interface.name}, changed state to {state}")
        return self._set(shutdown=down)

    def _address(self, address: str, mask: str) -> Reply:
        try:
            return self._set(address=IPv4Interface(f"{address}/{mask}"))
        except ValueError:
            return Reply("% Invalid input detected at '^' marker.\n", ok=False)
