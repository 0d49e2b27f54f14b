"""WS-Management for Windows Remote Shells, as far as MS-WSMV asks for it; strict where a real server is."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from tests.fakes.winrm.shells import LONGEST_LINE, Command, Shell, Shells

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = RSP + "/cmd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_EXCEEDED = (
    "This user is allowed a maximum number of {0} concurrent {1}, which has been exceeded. "
    "Close existing {1} or raise the quota for this user."
)
_SIGNALS = {"ctrl_c": signal.SIGINT, "ctrl_break": signal.SIGINT, "terminate": signal.SIGKILL}
_DURATION = re.compile(r"PT?(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


class Fault(Exception):
    """What a real server answers with HTTP 500."""

    def __init__(self, code: int, reason: str, subcode: str = "w:InternalError") -> None:
        self.code, self.reason, self.subcode = code, reason, subcode
        super().__init__(reason)


def not_found(shell: str) -> Fault:
    text = f"The request for the Windows Remote Shell with ShellId {shell} failed because the shell was not found."
    return Fault(2150858843, text, "w:InvalidSelectors")


@dataclass
class Limits:
    """The quotas of the service (winrm get winrm/config)."""

    shells: int = 30
    operations: int = 1500
    envelope: int = 512_000
    idle_seconds: float = 7200


@dataclass
class Service:
    """Answers envelopes; writes what it was asked to a log that tests read."""

    state: Path
    limits: Limits = field(default_factory=Limits)
    shells: Shells = field(default_factory=Shells)

    def answer(self, body: bytes, user: str) -> tuple[int, bytes]:
        """Return the HTTP status and the envelope."""
        message = ""
        try:
            request = self._request(body)
            message = request.message
            action, inner = self._act(request, user)
        except Fault as fault:
            self._log("fault", user, code=fault.code)
            return 500, _fault(fault, message)
        return 200, _envelope(action, message, inner)

    def _request(self, body: bytes) -> _Request:
        if len(body) > self.limits.envelope:
            raise Fault(2150858790, "The SOAP packet received is larger than permitted.", "w:EncodingLimit")
        return _Request(body)

    def _act(self, request: _Request, user: str) -> tuple[str, str]:
        name = request.action.rsplit("/", 1)[-1]
        acts = {"Create": self._create, "Delete": self._delete, "Command": self._command, "Send": self._send,
                "Receive": self._receive, "Signal": self._signal}  # fmt: skip
        known = {f"{TRANSFER}/Create", f"{TRANSFER}/Delete", *(f"{RSP}/{n}" for n in acts)}
        if request.action not in known:
            raise Fault(
                2150858753, f"The WS-Addressing action URI {request.action} is invalid.", "a:ActionNotSupported"
            )
        if request.resource != CMD:
            text = "The service does not support the resource URI; there is no PowerShell remoting here."
            raise Fault(2150858752, text, "a:DestinationUnreachable")
        self._log(name, user, shell=request.shell)
        inner = acts[name](request, user)
        return f"{request.action}Response", inner

    def _create(self, request: _Request, user: str) -> str:
        if len(self.shells.of(user)) >= self.limits.shells:
            text = _EXCEEDED.format(self.limits.shells, "shells")
            raise Fault(2150859173, text, "w:QuotaLimit")
        streams = request.text("Shell", "InputStreams"), request.text("Shell", "OutputStreams")
        if streams[0].split() != ["stdin"] or set(streams[1].split()) - {"stdout", "stderr"}:
            raise Fault(2150858817, "The SOAP XML in the message does not match the schema.", "w:SchemaValidationError")
        idle = _seconds(request.text("Shell", "IdleTimeOut", "")) or self.limits.idle_seconds
        shell = Shell(user, idle, {**os.environ, "LAB_WINDOWS": str(self.state)})
        self.shells.add(shell)
        self._log("created", user, shell=shell.id, idle=idle, codepage=request.option("WINRS_CODEPAGE"))
        selector = f'<w:Selector Name="ShellId">{shell.id}</w:Selector>'
        return (
            f'<x:ResourceCreated xmlns:x="{TRANSFER}"><a:Address>http://127.0.0.1/wsman</a:Address>'
            f"<a:ReferenceParameters><w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet>{selector}</w:SelectorSet>"
            f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{CMD}</rsp:ResourceUri><rsp:Owner>{escape(user)}</rsp:Owner>"
            f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT{idle:.3f}S</rsp:IdleTimeOut>"
            f"<rsp:InputStreams>stdin</rsp:InputStreams>"
            f"<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )

    def _delete(self, request: _Request, user: str) -> str:
        self.shells.remove(self._shell(request, user))
        return ""

    def _command(self, request: _Request, user: str) -> str:
        shell = self._shell(request, user)
        running = sum(command.alive for one in self.shells.of(user) for command in one.commands.values())
        if running >= self.limits.operations:
            text = _EXCEEDED.format(self.limits.operations, "operations")
            raise Fault(2150859174, text, "w:QuotaLimit")
        words = [request.text("CommandLine", "Command"), *request.texts("CommandLine", "Arguments")]
        line = " ".join(words)
        if len(line) > LONGEST_LINE and request.option("WINRS_SKIP_CMD_SHELL").upper() != "TRUE":
            line = "toolong"
        command = Command(line, shell.environment)
        shell.commands[command.id] = command
        return f"<rsp:CommandResponse><rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: _Request, user: str) -> str:
        for stream in request.body.iter(f"{{{RSP}}}Stream"):
            command = self._running(request, user, stream.get("CommandId", ""))
            data = base64.b64decode(stream.text or "", validate=True)
            command.send(data, end=stream.get("End", "").lower() == "true")
        return "<rsp:SendResponse/>"

    def _receive(self, request: _Request, user: str) -> str:
        wanted = request.body.find(f"{{{RSP}}}Receive/{{{RSP}}}DesiredStream")
        command = self._running(request, user, "" if wanted is None else wanted.get("CommandId", ""))
        # An envelope has room for less than its size: base64 and the frame around it.
        found = command.receive(request.seconds, min(request.envelope, self.limits.envelope) // 2)
        if found is None:
            raise Fault(
                2150858793,
                "The WS-Management service cannot complete the operation within its OperationTimeout.",
                "w:TimedOut",
            )
        chunks, code = found
        key, state = quoteattr(command.id), "Running" if code is None else "Done"
        streams = "".join(
            f'<rsp:Stream Name="{name}" CommandId={key}>{base64.b64encode(data).decode()}</rsp:Stream>'
            for name, data in chunks
        )
        if code is not None:
            streams += "".join(
                f'<rsp:Stream Name="{name}" CommandId={key} End="true"></rsp:Stream>' for name in ("stdout", "stderr")
            )
        exit_code = "" if code is None else f"<rsp:ExitCode>{code}</rsp:ExitCode>"
        ended = f'<rsp:CommandState CommandId={key} State="{RSP}/CommandState/{state}">{exit_code}</rsp:CommandState>'
        return f"<rsp:ReceiveResponse>{streams}{ended}</rsp:ReceiveResponse>"

    def _signal(self, request: _Request, user: str) -> str:
        node = request.body.find(f"{{{RSP}}}Signal")
        command = self._running(request, user, "" if node is None else node.get("CommandId", ""))
        code = request.text("Signal", "Code").rsplit("/", 1)[-1]
        if code not in _SIGNALS:
            raise Fault(2150858817, "The signal code is not known.", "w:SchemaValidationError")
        self._log(code, user, shell=request.shell)
        command.signal(_SIGNALS[code])
        return "<rsp:SignalResponse/>"

    def _shell(self, request: _Request, user: str) -> Shell:
        shell = self.shells.find(request.shell, user)
        if shell is None:
            raise not_found(request.shell)
        return shell

    def _running(self, request: _Request, user: str, key: str) -> Command:
        command = self._shell(request, user).commands.get(key.upper())
        if command is None:
            raise Fault(2150858843, "The command was not found in this shell.", "w:InvalidSelectors")
        return command

    def _log(self, what: str, user: str, **more: object) -> None:
        with (self.state / "log.jsonl").open("a") as file:
            file.write(json.dumps({"what": what, "user": user, "at": time.time(), **more}) + "\n")


class _Request:
    """One envelope; what MS-WSMV requires in its header must be there."""

    def __init__(self, body: bytes) -> None:
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as error:
            raise Fault(2150858819, f"The XML is not valid: {error}", "w:SchemaValidationError") from error
        header, inner = root.find(f"{{{S}}}Header"), root.find(f"{{{S}}}Body")
        if root.tag != f"{{{S}}}Envelope" or header is None or inner is None:
            raise Fault(2150858817, "The SOAP XML in the message does not match the schema.", "w:SchemaValidationError")
        self.header, self.body = header, inner
        self.message = self._needed(f"{{{A}}}MessageID")
        self.action = self._needed(f"{{{A}}}Action")
        self.resource = self._needed(f"{{{W}}}ResourceURI")
        self._needed(f"{{{A}}}To")
        self._needed(f"{{{A}}}ReplyTo/{{{A}}}Address")
        self.envelope = int(self._needed(f"{{{W}}}MaxEnvelopeSize"))
        self.seconds = _seconds(header.findtext(f"{{{W}}}OperationTimeout") or "PT60S")
        selectors = {node.get("Name"): node.text or "" for node in header.iter(f"{{{W}}}Selector")}
        self.shell = selectors.get("ShellId", "").upper()

    def _needed(self, path: str) -> str:
        text = (self.header.findtext(path) or "").strip()
        if not text:
            raise Fault(
                2150858769, f"The header {path.rsplit('}', 1)[-1]} is required.", "a:MessageAddressingHeaderRequired"
            )
        return text

    def option(self, name: str) -> str:
        return next((node.text or "" for node in self.header.iter(f"{{{W}}}Option") if node.get("Name") == name), "")

    def text(self, parent: str, name: str, default: str | None = None) -> str:
        found = self.body.findtext(f"{{{RSP}}}{parent}/{{{RSP}}}{name}", default)
        if found is None:
            raise Fault(2150858817, f"{parent} needs {name}.", "w:SchemaValidationError")
        return found

    def texts(self, parent: str, name: str) -> list[str]:
        return [node.text or "" for node in self.body.findall(f"{{{RSP}}}{parent}/{{{RSP}}}{name}")]


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text.strip()) if text else None
    if not found:
        return 0.0
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds


def _envelope(action: str, relates: str, inner: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{S}" xmlns:a="{A}" xmlns:w="{W}" xmlns:rsp="{RSP}"><s:Header>'
        f"<a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:To>{A}/role/anonymous</a:To><a:RelatesTo>{escape(relates)}</a:RelatesTo></s:Header>"
        f"<s:Body>{inner}</s:Body></s:Envelope>"
    ).encode()


def _fault(fault: Fault, relates: str) -> bytes:
    sender = "s:Receiver" if fault.subcode in {"w:TimedOut", "w:InternalError"} else "s:Sender"
    detail = (
        f'<f:WSManFault xmlns:f="{FAULT}" Code="{fault.code}" Machine="lab"><f:Message>{escape(fault.reason)}'
        "</f:Message></f:WSManFault>"
    )
    inner = (
        f"<s:Fault><s:Code><s:Value>{sender}</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )
    return _envelope("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", relates, inner)
