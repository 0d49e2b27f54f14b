"""Two real FRR routers with a live eBGP session between them, each with vtysh over SSH; nothing is left afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("zebra", "bgpd", "staticd")
_TOOLS = Path("/usr/lib/frr")
_SSHD = """\
ListenAddress {address}:{port}
HostKey {folder}/host
PidFile none
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication no
AllowUsers {user}
UsePAM no
UseDNS no
StrictModes no
MaxStartups 100
SetEnv VTYSH_PAGER=cat
ForceCommand if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec {vtysh} -c "$SSH_ORIGINAL_COMMAND"; else exec {vtysh}; fi
"""
_ROUTER = """\
hostname {name}
interface wire0
 ip address 10.255.0.{number}/30
exit
interface lo
 ip address 192.0.2.{number}/32
exit
router bgp 6500{number}
 no bgp ebgp-requires-policy
 neighbor 10.255.0.{other} remote-as 6500{other}
 neighbor 10.255.0.{other} timers 1 3
 neighbor 10.255.0.{other} timers connect 1
 address-family ipv4 unicast
  network 192.0.2.{number}/32
 exit-address-family
exit
"""


@dataclass(frozen=True)
class Router:
    """One router: where its SSH listens, and its folder."""

    name: str
    number: int
    namespace: str
    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"127.88.0.{self.number}"

    @property
    def vtysh(self) -> str:
        return f"/usr/bin/vtysh --vty_socket {self.folder} --config_dir {self.folder}"

    def ask(self, *commands: str) -> str:
        """Ask past SSH: what the router itself says."""
        words = [word for command in commands for word in ("-c", command)]
        return _run(*self.vtysh.split(), *words).stdout

    def established(self) -> bool:
        """Whether its one BGP session is up."""
        peers = json.loads(self.ask("show bgp summary json")).get("ipv4Unicast", {}).get("peers", {})
        return bool(peers) and all(peer["state"] == "Established" for peer in peers.values())


class Frr:
    """`with Frr() as lab:` needs root: namespaces, a user, and the packages frr, iproute2 and openssh-server."""

    missing = (
        "needs root" if os.geteuid() else "" if (_TOOLS / "bgpd").exists() else "needs FRR: apt install frr iproute2"
    )

    def __init__(self) -> None:
        self.tag = f"{os.getpid()}{secrets.token_hex(2)}"
        self.user = f"labnet{self.tag}"
        self.password = secrets.token_urlsafe(12)
        self.folder = Path()
        self.routers: tuple[Router, ...] = ()
        self._cleanup = contextlib.ExitStack()

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> str:
        """Both, in the group core, as YAML."""
        login = f"driver: network, platform: frr, ansible_user: {self.user}, ansible_password: {self.password}"
        hosts = "".join(
            f"        {it.name}: {{ansible_host: {it.address}, ansible_port: {it.port}}}\n" for it in self.routers
        )
        return f"all:\n  vars: {{{login}}}\n  children:\n    core:\n      hosts:\n{hosts}"

    def __enter__(self) -> Frr:
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self.folder = Path(tempfile.mkdtemp(prefix="labfrr-"))  # short: a socket's path has at most 108 characters
            self._cleanup.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.folder.chmod(0o755)
            Path("/run/sshd").mkdir(exist_ok=True)
            self._make_user()
            self.routers = tuple(self._router(number) for number in (1, 2))
            self._wire()
            for router in self.routers:
                self._start(router)
            self._write_known_hosts()
            wait(lambda: all(router.established() for router in self.routers), 30)
            # A session that is up has not told its routes yet: that takes FRR some seconds more.
            wait(lambda: all("\nB>" in router.ask("show ip route") for router in self.routers), 60)
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._cleanup.close()

    def _make_user(self) -> None:
        _run("useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/bash", "-G", "frr,frrvty", self.user)
        self._cleanup.callback(_run, "userdel", "--force", self.user)
        _run("chpasswd", text=f"{self.user}:{self.password}\n")

    def _router(self, number: int) -> Router:
        folder = self.folder / f"r{number}"
        folder.mkdir()
        shutil.chown(folder, "frr", "frr")
        folder.chmod(0o755)
        namespace = f"lab{self.tag}r{number}"
        _run("ip", "netns", "add", namespace)
        self._cleanup.callback(_run, "ip", "netns", "del", namespace)
        with socket.socket() as sock:
            sock.bind((f"127.88.0.{number}", 0))
            port = int(sock.getsockname()[1])
        return Router(f"r{number}", number, namespace, folder, port)

    def _wire(self) -> None:
        one, two = (router.namespace for router in self.routers)
        _run("ip", "-n", one, "link", "add", "wire0", "type", "veth", "peer", "name", "wire0", "netns", two)
        for namespace in (one, two):
            for name in ("lo", "wire0"):
                _run("ip", "-n", namespace, "link", "set", name, "up")

    def _start(self, router: Router) -> None:
        folder = router.folder
        for daemon in DAEMONS:
            command = f"{_TOOLS / daemon} -d -u frr -g frr --vty_socket {folder} -z {folder}/zserv.api -i {folder}/{daemon}.pid -A 127.0.0.1 -f /dev/null --log file:{folder}/{daemon}.log"  # noqa: E501
            _run("ip", "netns", "exec", router.namespace, "unshare", "-u", "sh", "-c", f"hostname {router.name}; {command}")  # fmt: skip # noqa: E501
            self._cleanup.callback(_end, folder / f"{daemon}.pid")
        text = _ROUTER.format(name=router.name, number=router.number, other=3 - router.number)
        (folder / "frr.conf").write_text(text)
        (folder / "vtysh.conf").write_text("no service integrated-vtysh-config\n")
        _run(*router.vtysh.split(), "-b")
        self._start_sshd(router)

    def _start_sshd(self, router: Router) -> None:
        config = router.folder / "sshd_config"
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(router.folder / "host"))
        config.write_text(_SSHD.format(address=router.address, port=router.port, folder=router.folder,
                                       user=self.user, vtysh=router.vtysh))  # fmt: skip
        process = subprocess.Popen(["unshare", "-u", "sh", "-c",
                                    f"hostname {router.name}; exec /usr/sbin/sshd -D -f {config} -E {router.folder}/sshd.log"])  # fmt: skip # noqa: E501
        self._cleanup.callback(process.wait, 10)
        self._cleanup.callback(process.terminate)
        wait(lambda: _listens(router), 10)

    def _write_known_hosts(self) -> None:
        lines = [
            f"[{router.address}]:{router.port} {(router.folder / 'host.pub').read_text().rsplit(' ', 1)[0]}\n"
            for router in self.routers
        ]
        self.known_hosts.write_text("".join(lines))


def wait(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("the lab's routers did not come up in time")
        time.sleep(0.1)


def _listens(router: Router) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((router.address, router.port), 1):
        return True
    return False


def _end(pid_file: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


def _run(*argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done
