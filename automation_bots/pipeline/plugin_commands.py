"""Commands that are none of ours (Errbot's, or of a plugin from elsewhere): judged by the same rules, and recorded."""

from __future__ import annotations

import re

from automation_bots.jobs.acceptance import Acceptance
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import Answer, Caller, Decision, Operation, Place, Request, Verdict, one_line
from automation_bots.policy import gate
from automation_bots.store import AuditKind, Subject

# Errbot's own commands that change which plugins run.
_INSTALLS = frozenset(
    {"plugin_activate", "plugin_deactivate", "plugin_blacklist", "plugin_unblacklist", "plugin_reload"}
)
_USERINFO = re.compile(r"://[^/@\s]*@")


class PluginCommands:
    """Lets a command through, or says why not."""

    def __init__(self, context: RequestContext, acceptance: Acceptance) -> None:
        self._context, self._acceptance = context, acceptance

    def judge(self, caller: Caller, place: Place, command: str, words: str = "") -> Answer | None:
        """Judge a command; None lets it through.

        `words` are only looked at where a command changes which plugins there are.
        """
        request, decision = self._decision(caller, place, command)
        if decision.verdict is not Verdict.ALLOW:
            return self._acceptance.refuse(request, decision)
        if command in _INSTALLS:
            what = one_line(_USERINFO.sub("://", words), 300)
            about = Subject.of_request(request, person.name if (person := self._context.person(caller)) else "")
            self._context.store.record(AuditKind.INSTALLED, {"what": what, "rules": decision.rules}, about)
            return None
        self._acceptance.record(AuditKind.COMMAND, request, decision)
        return None

    def allowed(self, caller: Caller, place: Place, command: str) -> bool:
        """Return whether `judge` would let a command through; nothing is recorded."""
        return self._decision(caller, place, command)[1].verdict is Verdict.ALLOW

    def _decision(self, caller: Caller, place: Place, command: str) -> tuple[Request, Decision]:
        operation = Operation(command, "a command of a plugin", declared=False, devices="none")
        request = gate.asks_nothing(operation, caller, place)
        return request, gate.decide(self._context.live.scope, request, self._context.now())
