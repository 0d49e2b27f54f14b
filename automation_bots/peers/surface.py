"""The chat of a job that another bot asked for: what is said goes there, and is said where its person asked."""

from __future__ import annotations

from automation_bots.model import Answer, File, Place
from automation_bots.peers.answering import Answering
from automation_bots.surface import Capabilities, MessageRef, PlainWays, Refusal

_FIRST = "first words"  # of a job, by the mark that its announcer gives them


class PeerSurface(PlainWays):
    """A surface, as any chat network has one; nobody clicks on anything there."""

    capabilities = Capabilities(edits=True, edit_seconds=2.0, files=True, once=True, message_size=20_000)

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def say(self, place: Place, answer: Answer) -> MessageRef:
        """Say it there."""
        first = answer.mark is not None and answer.mark.name.startswith(_FIRST)
        self._tell(place, answer, opens=first)
        return MessageRef(place, place.thread)

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:  # noqa: ARG002
        """Say it there."""
        self._tell(message.place, answer)

    def progress(self, message: MessageRef, answer: Answer) -> None:
        """Show it there."""
        self._tell(message.place, answer, shows=True)

    def react(self, message: MessageRef, name: str) -> None:
        """Nobody would see it."""

    def upload(self, place: Place, file: File) -> None:
        """Send it there."""
        self._tell(place, Answer("", files=(file,)))

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef:  # noqa: ARG002
        """Show the question, which is answered where this bot's own people are."""
        return self.say(place, question)

    def _tell(self, place: Place, answer: Answer, *, opens: bool = False, shows: bool = False) -> None:
        if answer.entrusted or any(file.passing for file in answer.files):
            raise Refusal("a secret for one reader goes to no other bot")
        self._answering.tell(place, answer, opens=opens, shows=shows)
