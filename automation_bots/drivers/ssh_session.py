"""One SSH connection: host key checked, logged in, and closed without leaving a thread behind. Needs paramiko."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import paramiko

from automation_bots.drivers import tcp
from automation_bots.drivers.known_hosts import HostKey, KnownHosts
from automation_bots.drivers.ssh_access import Access, NoSession
from automation_bots.model import Status

Method = tuple[str, Callable[[], list[str]]]  # what people call it, and the attempt: the methods still wanted

# paramiko logs the traceback of every dropped connection; here a dropped connection is an outcome with a sentence.
_WIRE_LOG = __name__ + ".wire"
logging.getLogger(_WIRE_LOG).setLevel(logging.CRITICAL)

_KEEPALIVE_SECONDS = 30  # under the idle time-outs of common firewalls
PROBLEMS = (paramiko.SSHException, OSError, EOFError)  # a broken connection, or nonsense from the device
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}  # a key type that signs under other names
_FAMILIES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


@contextmanager
def device_faults() -> Iterator[None]:
    """Give nonsense from a device one type: paramiko re-raises whatever its thread met, so the device chooses it."""
    try:
        yield
    except PROBLEMS:
        raise
    except Exception as error:
        raise paramiko.SSHException(f"{type(error).__name__}: {error}") from error


class Keys:
    """Private keys, each read once per run: opening an encrypted one is slow on purpose."""

    def __init__(self, general: Sequence[Path], *, allow_agent: bool) -> None:
        self.general = tuple(general)
        self.allow_agent = allow_agent
        self._lock = threading.Lock()
        self._loaded: dict[tuple[Path, str], paramiko.PKey | str] = {}

    def load(self, path: Path, passphrase: str) -> paramiko.PKey | str:
        """Return the key, or the words saying why it cannot be used."""
        with self._lock:
            if (path, passphrase) not in self._loaded:
                self._loaded[path, passphrase] = _private_key(path, passphrase)
            return self._loaded[path, passphrase]


class Session:
    """A connection to one device. `abort` may be called from any thread and never blocks."""

    def __init__(self, access: Access, keys: Keys, *, seconds: float, stopping: Callable[[], bool]) -> None:
        self.access = access
        self.seconds = seconds
        self._keys = keys
        self.sock = tcp.opened(access.host, access.port, seconds, stopping)
        self.transport = _transport(self.sock, seconds)
        self._agent: paramiko.Agent | None = None

    def abort(self) -> None:
        """Wake whatever waits for the device by cutting the connection."""
        _cut(self.sock)

    def close(self) -> None:
        """End the connection and paramiko's threads."""
        _end(self.transport)
        if self._agent is not None:
            self._agent.close()

    def open(self, known_hosts: KnownHosts) -> None:
        """Check the host key, then log in."""
        known = known_hosts.keys(self.access.host, self.access.port)
        _prefer(self.transport, known)
        offered = _handshake(self.transport, self.access.where, self.seconds)
        _verify(self.access, offered, known)
        self._log_in()
        self.transport.set_keepalive(_KEEPALIVE_SECONDS)

    def _log_in(self) -> None:
        notes: list[str] = []
        # Asking with nothing in hand is refused with the list of what the device accepts.
        ask: Method = ("nothing: no usable key, no password", partial(self.transport.auth_none, self.access.user))
        waiting = list(self._methods(notes)) or [ask]
        wanted: list[str] = []
        passed: list[Method] = []
        while waiting:
            method = waiting.pop(0)
            still = self._attempt(method, notes, wanted)
            if still == []:
                return
            if still is None:
                passed.append(method)
                continue
            # One of several factors was accepted; what was refused before may be what is wanted now.
            waiting, passed = passed + waiting, []
        raise NoSession(_refused(self.access, notes, wanted))

    def _attempt(self, method: Method, notes: list[str], wanted: list[str]) -> list[str] | None:
        name, attempt = method
        notes.append(name)
        try:
            with device_faults():
                return attempt()
        except paramiko.BadAuthenticationType as error:
            wanted[:] = error.allowed_types
        except PROBLEMS as error:
            if not self.transport.is_active() or "timeout" in str(error).lower():
                raise NoSession(
                    f"{self.access.where} closed the connection, or was silent, during the login of "
                    f"user {self.access.user} (tried: {', '.join(notes)})"
                ) from error
        return None

    def _methods(self, notes: list[str]) -> Iterator[Method]:
        """Give what the device names itself first: servers drop a client after a few wrong keys."""
        user, transport, own = self.access.user, self.transport, self.access.key_file
        if own:
            yield from self._key_method(own, notes)
        if self.access.password:
            yield "password", partial(transport.auth_password, user, self.access.password)
        if own:
            return
        for path in self._keys.general:
            yield from self._key_method(path, notes)
        if self._keys.allow_agent:
            for key in self._agent_keys(notes):
                yield f"agent key {key.fingerprint}", partial(transport.auth_publickey, user, key)

    def _agent_keys(self, notes: list[str]) -> Sequence[paramiko.PKey]:
        try:
            with device_faults():
                self._agent = paramiko.Agent()
                return self._agent.get_keys()
        except PROBLEMS as error:
            notes.append(f"not the SSH agent: {error}")
            return ()

    def _key_method(self, path: Path, notes: list[str]) -> Iterator[Method]:
        key = self._keys.load(path, self.access.passphrase)
        if isinstance(key, str):
            notes.append(f"not {key}")
            return
        yield f"key {path}", partial(self.transport.auth_publickey, self.access.user, key)


def offered(host: str, port: int, seconds: float) -> list[HostKey]:
    """Return the host keys that a device shows, one connection per kind as ssh-keyscan does it."""
    found = []
    for family in _FAMILIES:
        transport = _transport(tcp.opened(host, port, seconds, lambda: False), seconds)
        try:
            transport.get_security_options().key_types = family
            found.append(_handshake(transport, f"{host}:{port}", seconds))
        except NoSession as error:
            if not isinstance(error.__cause__, paramiko.ssh_exception.IncompatiblePeer):
                raise
        finally:
            _end(transport)
    return found


def _transport(sock: socket.socket, seconds: float) -> paramiko.Transport:
    transport = paramiko.Transport(sock)
    transport.set_log_channel(_WIRE_LOG)
    transport.banner_timeout = transport.handshake_timeout = seconds
    transport.auth_timeout = transport.channel_timeout = seconds
    return transport


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


def _end(transport: paramiko.Transport) -> None:
    transport.close()
    if transport.is_alive():
        transport.join(5)
    # A handshake cut short leaves paramiko's timer thread waiting for its time-out.
    transport.packetizer.complete_handshake()
    transport.sock.close()


def _prefer(transport: paramiko.Transport, known: Sequence[HostKey]) -> None:
    """Ask for the kinds of key that are known first, or a new kind would look like an unknown device."""
    options = transport.get_security_options()
    usable = tuple(options.key_types)
    first = [name for key in known for name in _ALGORITHMS.get(key.type, (key.type,)) if name in usable]
    options.key_types = tuple(dict.fromkeys([*first, *usable]))


def _handshake(transport: paramiko.Transport, where: str, seconds: float) -> HostKey:
    ended = threading.Event()
    transport.start_client(event=ended)
    if not ended.wait(seconds) or not transport.is_active():
        error = transport.get_exception()
        raise NoSession(_no_handshake(transport, where, error, seconds)) from error
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.asbytes())


def _no_handshake(transport: paramiko.Transport, where: str, error: Exception | None, seconds: float) -> str:
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return f"{where} and this bot share no SSH algorithm; the device needs an update: {error}"
    cause = error.__context__ or error if error is not None else TimeoutError()
    if isinstance(cause, TimeoutError):
        what = "gave an SSH greeting and then fell silent" if transport.remote_version else "gave no SSH greeting"
        return f"{where} takes connections but {what} for {seconds:.0f} s; is it overloaded, or not the SSH port?"
    if isinstance(cause, EOFError | OSError):
        return f"{where} closed the connection before SSH began; is it overloaded, or not the SSH port?"
    return f"what answers on {where} does not speak SSH as it should; is that the SSH port?"


def _verify(access: Access, offered_key: HostKey, known: Sequence[HostKey]) -> None:
    shown = f"{offered_key.type} {offered_key.fingerprint}"
    advice = f"!device trust {access.device} (or automation-bots trust <bot folder> {access.device})"
    if any(key.revoked and key == offered_key for key in known):
        raise NoSession(f"the host key of {access.where} ({shown}) is marked as revoked", Status.FAILED)
    trusted = [key for key in known if not key.revoked]
    if not trusted:
        raise NoSession(
            f"the host key of {access.where} is not known: it offers {shown}. "
            f"Compare that at the device, then: {advice}"
        )
    if offered_key not in trusted:
        old = ", ".join(key.told for key in trusted)
        raise NoSession(
            f"the host key of {access.where} changed: known is {old}, offered is {shown}. Somebody may be in "
            f"between; only if the device was set up anew: {advice}",
            Status.FAILED,
        )


def _refused(access: Access, notes: Sequence[str], wanted: Sequence[str]) -> str:
    tried = ", ".join(notes)
    takes = f"; the device accepts {', '.join(wanted)}" if wanted else ""
    return f"authentication failed for user {access.user} on {access.where} (tried {tried}{takes})"


def _private_key(path: Path, passphrase: str) -> paramiko.PKey | str:
    needs_passphrase = False
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key = kind.from_private_key_file(str(path), passphrase or None)
        except paramiko.PasswordRequiredException:
            needs_passphrase = True
        except OSError as error:
            return f"key {path}: {error.strerror}"
        except (paramiko.SSHException, ValueError):
            continue
        else:
            certificate = path.with_name(path.name + "-cert.pub")
            if certificate.exists():
                key.load_certificate(str(certificate))
            return key
    if needs_passphrase:
        return f"key {path}: it needs ansible_ssh_private_key_passphrase"
    return f"key {path}: no usable private key, or the passphrase is wrong"
