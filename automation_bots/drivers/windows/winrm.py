"""One Windows Remote Shell over WinRM: opened, used for one call after another, closed. Needs pywinrm."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
import xmltodict
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from automation_bots.drivers.ssh.access import LoginFailed
from automation_bots.drivers.windows.answer import WindowsAnswer
from automation_bots.drivers.windows.call import ARGUMENTS, Broken, Call, chunks
from automation_bots.drivers.windows.login import WinAccess
from automation_bots.model import one_line

_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_POLL_SECONDS = 2  # how long one Receive waits: as long as a cancel may go unheard
_OPERATION_SECONDS = 20
_GRACE = 10  # seconds beyond those of an operation, until a silent device is given up
_PIECE = 60_000  # bytes of input in one message; with base64 well below the 150 kB of the oldest servers
_IDLE = 120  # seconds after which the device itself drops a shell that was left behind
_NO_SHELL = 2150858843
_QUOTAS = frozenset({2150858815, *range(2150859173, 2150859177), 2150859179, *range(2150859236, 2150859242)})
# By name, since they can be imported only where the Kerberos packages are.
_KERBEROS = frozenset({"KerberosExchangeError", "MutualAuthenticationError"})
_REASON = re.compile(r"""\(["'](.*?)["'], -?\d+\)""")
_TLS_CAUSE = re.compile(r"(?:\[\w+: \w+\] |['\"])([\w ,/-]+) \(_ssl\.c")  # `[SSL: WRONG_…] wrong … (_ssl.c:1006)`
PROBLEMS = (requests.RequestException, OSError, WinRMError, WinRMTransportError, WinRMOperationTimeoutError)


class WinrmShell:
    """A session with one device. `abort` may be called from any thread."""

    def __init__(self, access: WinAccess) -> None:
        self.access = access
        self.shell = ""
        self._protocol = _protocol(access)

    def open(self, left: Callable[[], str], waiting: Callable[[float], bool]) -> None:
        """Have a shell: one that was left open, or a new one. `waiting` is asked before another try when the device's
        sessions are all in use.
        """  # fmt: skip
        pause = 0.5
        while not (self.shell or (shell := left())):
            try:
                with self._explained():
                    self.shell = self._protocol.open_shell(codepage=65001, idle_timeout=f"PT{_IDLE}S")
            except _Full as full:
                if not waiting(pause):
                    raise LoginFailed(f"{self.access.where} has no free session: {full}") from full
                pause = min(pause * 1.5, 10)
            else:
                return
        self.shell = self.shell or shell

    def run(self, call: Call, heard: WindowsAnswer, stopping: Callable[[], bool]) -> bool:
        """Run one call; return False when it was stopped, and raise Broken when the connection did not last."""
        command = self._start()
        try:
            for piece, last in chunks(call.document(), _PIECE):
                self._protocol.send_command_input(self.shell, command, piece, end=last)
            ended = self._listen(command, heard, stopping)
        except PROBLEMS as error:
            self.shell = ""
            raise Broken(_words(error)) from error
        if not ended:
            self._stop(command)
        else:
            with contextlib.suppress(*PROBLEMS):  # it has ended; this only frees what it kept
                self._protocol.cleanup_command(self.shell, command)
        return ended

    def _start(self) -> str:
        """Start PowerShell there. A shell that the device has dropped meanwhile has started nothing: a new one does."""
        for fresh in (False, True):
            try:
                with self._explained():
                    what = self.access.executable
                    return self._protocol.run_command(self.shell, what, ARGUMENTS, skip_cmd_shell=True)
            except WSManFaultError as fault:
                if fresh or fault.wsman_fault_code != _NO_SHELL:
                    text = f"{self.access.where} refused the command: {one_line(fault.reason, 300)}"
                    raise LoginFailed(text) from fault
                self.shell = ""
                self.open(str, lambda _: False)
            except _Full as full:
                raise LoginFailed(f"{self.access.where} has no free session: {full}") from full
        raise AssertionError("the loop returns or raises")

    def _listen(self, command: str, heard: WindowsAnswer, stopping: Callable[[], bool]) -> bool:
        with self._patience(_POLL_SECONDS):
            while not stopping():
                try:
                    out, err, code, done = self._protocol.get_command_output_raw(self.shell, command)
                except WinRMOperationTimeoutError:
                    continue
                heard.out(out)
                heard.err(err)
                if done:
                    heard.end()
                    heard.exit_code = code if heard.exit_code is None else heard.exit_code
                    return True
        return False

    @contextmanager
    def _patience(self, seconds: int) -> Iterator[None]:
        self._protocol.operation_timeout_sec = seconds
        self._protocol.transport.read_timeout_sec = seconds + _GRACE
        try:
            yield
        finally:
            self._protocol.operation_timeout_sec = _OPERATION_SECONDS
            self._protocol.transport.read_timeout_sec = _OPERATION_SECONDS + _GRACE

    def _stop(self, command: str) -> None:
        """Ask it to end as a person at the keyboard would, then end its shell with all that runs in it."""
        with self._patience(_POLL_SECONDS), contextlib.suppress(*PROBLEMS):
            self._signal(command, "ctrl_c")
            self._protocol.cleanup_command(self.shell, command)
        self.close()

    def _signal(self, command: str, code: str) -> None:
        """Send a signal; pywinrm itself knows only the signal that ends a command at once."""
        header = self._protocol.build_wsman_header(f"{_SHELL}/Signal", f"{_SHELL}/cmd", self.shell, uuid.uuid4())
        header["env:Body"] = {"rsp:Signal": {"@CommandId": command, "rsp:Code": f"{_SHELL}/signal/{code}"}}
        self._protocol.send_message(xmltodict.unparse({"env:Envelope": header}))

    def leave(self) -> None:
        """Let the shell be, for the next call; only the connection is to be closed."""
        self.shell = ""

    def close(self) -> None:
        """End the shell and the connection."""
        shell, self.shell = self.shell, ""
        if shell:
            with self._patience(_POLL_SECONDS), contextlib.suppress(*PROBLEMS, AssertionError):
                self._protocol.close_shell(shell)
        self._protocol.transport.close_session()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Give every failure before anything runs there a sentence of its own."""
        where = self.access.where
        try:
            yield
        except AuthenticationError as error:
            raise LoginFailed(_refused(self.access)) from error
        except WSManFaultError as fault:
            if fault.wsman_fault_code in _QUOTAS:
                raise _Full(one_line(fault.reason, 300)) from fault
            if fault.wsman_fault_code == _NO_SHELL:
                raise
            raise LoginFailed(f"{where} refused the session: {one_line(fault.reason, 300)}") from fault
        except PROBLEMS as error:
            raise LoginFailed(f"{where} {_words(error)}") from error


class _Full(Exception):
    """All sessions that the device allows are in use."""


def _protocol(access: WinAccess) -> Protocol:
    try:
        return Protocol(
            endpoint=access.url,
            transport=access.transport,  # type: ignore[arg-type]
            username=access.user,
            password=access.password,
            ca_trust_path=access.ca or _system_ca(),
            cert_pem=access.cert or None,
            cert_key_pem=access.key or None,
            server_cert_validation=access.validation,  # type: ignore[arg-type]
            kerberos_delegation=access.delegation,
            kerberos_hostname_override=access.realm_host or None,
            operation_timeout_sec=_OPERATION_SECONDS,
            read_timeout_sec=_OPERATION_SECONDS + _GRACE,
            message_encryption="auto",
            proxy=None,
        )
    except WinRMError as error:
        raise LoginFailed(f"{access.device} cannot be logged in to: {one_line(str(error), 300)}") from error


def _system_ca() -> str:
    """The certificates that this machine trusts, where it keeps them in one of the usual files."""
    import ssl

    return ssl.get_default_verify_paths().cafile or requests.certs.where()


def _refused(access: WinAccess) -> str:
    who = f"certificate {access.cert}" if access.transport == "certificate" else f"user {access.user}"
    on = "; is this login switched on there (winrm get winrm/config/service/auth)?"
    hint = "" if access.transport == "ntlm" else on
    return f"authentication failed for {who} on {access.where} by {access.transport}{hint}"


def _words(error: Exception) -> str:
    text = str(error)
    if type(error).__name__ in _KERBEROS:
        return _about_kerberos(text)
    if isinstance(error, requests.exceptions.SSLError):
        return _about_tls(text)
    if isinstance(error, requests.exceptions.Timeout | WinRMOperationTimeoutError):
        return "takes connections but does not answer; is it overloaded?"
    if isinstance(error, requests.exceptions.ConnectionError | OSError):
        return "closed the connection"
    if "credssp" in text.lower():
        return f"cannot be logged in to by CredSSP: {one_line(text, 200)}; pip install pywinrm[credssp], on the bot"
    if "not installed" in text or "kerberos" in text.lower():
        return f"cannot be logged in to by Kerberos: {one_line(text, 200)}; pip install pywinrm[kerberos], then kinit"
    if isinstance(error, WinRMTransportError):
        return f"answers, but not as WinRM does (HTTP {error.code}); is that the WinRM port and path?"
    return f"cannot be talked to: {one_line(text, 300)}"


def _about_kerberos(text: str) -> str:
    """What the Kerberos library says is (('in general', number), ('in particular', number))."""
    reasons = _REASON.findall(text)
    why = one_line(reasons[-1], 200) if reasons else "it does not prove who it is"
    return (
        f"cannot be logged in to by Kerberos: {why}. Has the bot's user a ticket (klist; kinit gets one), and is the "
        "device known there by this name (ansible_winrm_kerberos_hostname_override)?"
    )


def _about_tls(text: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        other_name = "doesn't match" in text or "mismatch" in text
        why = "its name is another" if other_name else "no CA that this bot trusts signed it"
        if "expired" in text:
            why = "it has expired"
        return (
            f"shows a certificate that is not trusted: {why}; set ansible_winrm_ca_trust_path (or ca in "
            "[drivers.powershell]) to the CA's file"
        )
    cause = _TLS_CAUSE.search(text)
    why = f": {one_line(cause[1], 100)}" if cause else ""
    return f"does not speak TLS as it should{why}; is that the https port?"
