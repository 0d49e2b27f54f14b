"""Missing values asked for by a form, where the network has forms; the words in chat work all the same."""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from typing import Any

from automation_bots.chat.client import ChatClient, Click, Field, Form, Rejected
from automation_bots.model import Answer, Caller, Parameter, Place

log = logging.getLogger(__name__)
DEVICES = "devices"  # the name of the field that is no parameter
BUTTON = "Fill in a form"
_OPEN = 500  # forms that may be open at once


class Forms:
    """Opens forms for open questions, and takes what was filled in."""

    def __init__(self, client: ChatClient, pipeline: Any) -> None:
        self._client, self._pipeline = client, pipeline
        self._places: OrderedDict[str, Place] = OrderedDict()

    @property
    def is_there(self) -> bool:
        """Whether the network has forms."""
        return self._client.capabilities.forms

    def open(self, caller: Caller, place: Place, trigger: str) -> bool:
        """Open a form for all that the person's command still needs here; False where that is not possible."""
        wanted = self._pipeline.conversation.wanted(caller, place)
        if not (trigger and wanted and self.is_there):
            return False
        operation, parameters = wanted
        key = secrets.token_urlsafe(12)
        self._places[key] = place
        if len(self._places) > _OPEN:
            self._places.popitem(last=False)
        try:
            self._client.form(trigger, Form(key, operation, tuple(map(_field, parameters))))
        except (OSError, Rejected) as error:  # a trigger lives for seconds
            log.info("a form could not be opened: %s", error)
            return False
        return True

    def place(self, chosen: Click) -> Place | None:
        """Where the command of a filled form was said."""
        return self._places.pop(chosen.message, None) if chosen.values else None

    def filled(self, caller: Caller, place: Place, chosen: Click) -> Answer | None:
        """Complete the command with what was filled in."""
        values = {name: value for name, value in chosen.values.items() if value.strip()}
        answer: Answer | None = self._pipeline.conversation.filled(caller, place, values, values.pop(DEVICES, ""))
        return answer


def _field(parameter: Parameter | None) -> Field:
    if parameter is None:
        return Field(DEVICES, "On which devices?", hint="a name, a group, or several: web1,web2")
    choices = ("yes", "no") if parameter.type == "bool" else tuple(map(str, parameter.choices))
    return Field(parameter.name, parameter.name, choices, hint=parameter.help, lines=parameter.text)
