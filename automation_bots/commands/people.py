"""Answers about people: who is who, linking ids, one-time codes, and proving oneself with an authenticator app."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.identity.membership import Membership
from automation_bots.identity.totp import Proof
from automation_bots.model import Answer, File, Person, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.policy.accounts import AccountChange, too_new
from automation_bots.policy.people import IdentityLink, owner
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without what is easily mistaken for something else
_CODE = 10  # letters: too many for guessing within the limits below
_CODE_TRIES = 5  # of one id
_CODE_TRIES_ALL = 50  # of all ids together
_CODE_WINDOW = timedelta(minutes=15)
_AGREE = timedelta(hours=1)
_DM = "Only in a direct message to me."


Tell = Callable[[str, Answer, Sequence[str]], None]  # a person, what, and the accounts that need not hear it


class Agreement:
    """Where the policy wants four eyes on people: a change is made when a second admin types the same."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._asked: dict[str, tuple[str, datetime]] = {}  # in memory: a restart forgets what one alone has said

    def of(self, admin: str, command: str, about: Subject) -> tuple[str, ...]:
        """Return who agrees; BadCommand as long as it is one alone, and two are wanted."""
        if not self._context.live.policy.accounts.four_eyes:
            return (admin,)
        now = self._context.now()
        first, at = self._asked.pop(command, (admin, now))
        if first != admin and now - at < _AGREE:
            return (first, admin)
        self._asked[command] = (admin, now)
        self._context.store.record(AuditKind.ASKED, {"reason": command}, about)
        raise BadCommand(
            f"The policy wants four eyes on people: within an hour, another admin types the same to me. → !{command}"
        )


class PeopleCommands:
    """One method a command; each returns what to say."""

    def __init__(
        self, context: CommandContext, membership: Membership, hide: Callable[[str], None], tell: Tell
    ) -> None:
        """`hide` takes a text that must never be in a log; `tell` says to a person and all admins what has changed."""
        self._context, self._membership, self._hide, self._tell = context, membership, hide, tell
        self._agreement = Agreement(context)
        self._store = context.store.people

    # -- who is who

    def people(self, ask: CommandCall) -> Answer:
        """Everybody the bot knows, for admins."""
        self._admin(ask)
        everybody = self._context.live.policy.people.values()
        rows = [
            (p.name, ", ".join(sorted(p.groups)) or "-", " ".join(sorted(p.ids)), "robot" if p.robot else "")
            for p in sorted(everybody, key=lambda p: p.name)
        ]
        hint = "→ !person <name>"
        return Answer("1 person:" if len(rows) == 1 else f"{len(rows)} people:", render.table(rows, limit=100), hint)

    def person(self, ask: CommandCall) -> Answer:
        """One person, or link, unlink, invite, code."""
        words = ask.words
        action = words[0].lower() if words else ""
        actions = {"link": self._link, "unlink": self._unlink, "invite": self._invite, "code": self._code}
        if action in actions:
            return actions[action](ask, words[1:])
        asker = self._context.person(ask)
        name = words[0] if words else asker.name
        if name != asker.name:
            self._admin(ask)
        return self._shown(self._known(name), asker)

    def _shown(self, person: Person, asker: Person) -> Answer:
        policy, store = self._context.live.policy_of_file, self._store
        mine = policy.people[person.name]
        rows = [(network, id_, "policy.yml") for network, id_ in mine.ids.items()]
        linked = [link for link in store.links() if link.person == person.name]
        rows += [(link.network, link.id, self._standing(link)) for link in linked]
        added = person.groups - mine.groups
        facts = [("groups", ", ".join(sorted(mine.groups)) or "none")]
        facts += [("from LDAP", ", ".join(sorted(added)))] if added else []
        kept = store.enrolment(person.name)
        facts.append(("app", "enrolled" if kept and kept.confirmed else "not enrolled"))
        if schedules := self._context.store.schedules.all(person.name):
            facts.append(("schedules", f"{len(schedules)} → !schedules {'mine' if person == asker else ''}".rstrip()))
        return Answer(f"{person.name}:", "\n".join([render.table(facts), "", render.table(rows)]).strip())

    def _standing(self, link: IdentityLink) -> str:
        holder = owner(self._context.live.policy_of_file, link.network, link.id)
        return "linked in chat" if holder in {"", link.person} else f"linked, but policy.yml says it is {holder}"

    # -- links

    def _link(self, ask: CommandCall, words: list[str]) -> Answer:
        if not words:
            return self._code_for(ask, self._context.person(ask).name)
        self._admin(ask)
        if len(words) != 3:
            raise BadCommand("→ !person link <person> <network> <id>")
        person, network, id_ = self._known(words[0]), words[1].lower(), words[2]
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", network) or len(id_) > 200:
            raise BadCommand(f"{one_line(network, 40)!r} is no chat network's name, such as slack, matrix or text.")
        self._free(owner(self._context.live.policy, network, id_), network, id_)
        by = self._agreed(ask, f"person link {person.name} {network} {id_}")
        self._free(self._store.link(IdentityLink(network, id_, person.name, by), self._about(ask)), network, id_)
        self._membership.members.changed()
        what = f"{one_line(id_, 80)} on {network} is {person.name} from now on"
        self._told(ask, person.name, f"{what}, by the word of {' and '.join(by)}", id_)
        return Answer(f"{what}. {self._until()}".strip())

    def _free(self, holder: str, network: str, id_: str) -> None:
        if holder:
            raise BadCommand(f"No: {one_line(id_, 80)} on {network} is {holder} already. An id is one person.")

    def _unlink(self, ask: CommandCall, words: list[str]) -> Answer:
        asker = self._context.person(ask)
        if len(words) != 2:
            raise BadCommand("→ !person unlink <network> <id>")
        network, id_ = words[0].lower(), words[1]
        link = next((x for x in self._store.links() if (x.network, x.id) == (network, id_)), None)
        if link is None or (link.person != asker.name and ADMINS not in asker.groups):
            file = owner(self._context.live.policy_of_file, network, id_)
            where = " It stands in policy.yml: take it out there." if file == asker.name or self._is_admin(ask) else ""
            raise BadCommand(f"There is no link of {one_line(id_, 80)} on {network}.{where if file else ''}")
        if link.person != asker.name:
            self._agreed(ask, f"person unlink {network} {id_}")
        self._store.unlink(network, id_, self._about(ask))
        what = f"{one_line(id_, 80)} on {network} is nobody from now on"
        self._told(ask, link.person, f"{what}, and was {link.person}: {asker.name} took the link away", id_)
        self._membership.members.changed()
        return Answer(f"{what}.")

    def _invite(self, ask: CommandCall, words: list[str]) -> Answer:
        self._admin(ask)
        if len(words) != 1:
            raise BadCommand("→ !person invite <person>")
        person = self._known(words[0]).name
        self._directly(ask, person)
        by = self._agreed(ask, f"person invite {person}")
        self._told(ask, person, f"{' and '.join(by)} made a code with which another account becomes {person}")
        return self._code_for(ask, person, by)

    def _directly(self, ask: CommandCall, person: str) -> None:
        if not ask.place.direct:
            raise BadCommand(f"{_DM} Whoever reads the code could become {person}.")

    def _code_for(self, ask: CommandCall, person: str, by: tuple[str, ...] = ()) -> Answer:
        self._directly(ask, person)
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))
        minutes = self._membership.code_minutes
        expires = self._context.now() + timedelta(minutes=minutes)
        self._store.invite(_hash(code), person, expires, self._about(ask), by)
        self._hide(code)
        self._hide(f"{code[:5]}-{code[5:]}")
        text = f"Within {minutes} minutes, once: type this to me from the other account, in a direct message."
        typed = f"!person code {code[:5]}-{code[5:]}"
        return Answer(text, typed, f"That account is {person} then.", entrusted=True)

    def _code(self, ask: CommandCall, words: list[str]) -> Answer:
        """Also for strangers: it is how they become somebody."""
        if not ask.place.direct:
            raise BadCommand(_DM)
        if known := self._context.pipeline.lookup.person(ask.caller):
            raise BadCommand(f"You are {known.name} already.")
        since, code = self._context.now() - _CODE_WINDOW, re.sub(r"[\s-]", "", "".join(words)).upper()
        mine, everybody = self._store.refused_since(since, ask.caller), self._store.refused_since(since)
        if mine >= _CODE_TRIES or everybody >= _CODE_TRIES_ALL:
            raise BadCommand("Too many wrong codes. Try again in 15 minutes.")
        person = self._store.redeem(_hash(code), self._about(ask), ask.caller)
        if not person:
            raise BadCommand("That code is not good: wrong, used, or too old. Ask for a new one.")
        self._membership.members.changed()
        found = self._context.pipeline.lookup.person(ask.caller)
        if found is None:
            raise BadCommand(f"{person} is no longer in policy.yml.")
        self._told(ask, person, f"{one_line(ask.caller.id, 80)} is {person} from now on, by a one-time code")
        return Answer(f"Welcome, {found.name}. This account is you from now on.", hint="→ !help")

    # -- proving oneself

    def totp(self, ask: CommandCall) -> Answer:
        """Enrol an authenticator app, type its code, or look how one stands."""
        words, person = ask.words, self._context.person(ask)
        action = words[0].lower() if words else ""
        if action == "reset":
            return self._reset(ask, words[1:])
        if action in {"enrol", "enroll"}:
            if words[1:]:
                raise BadCommand(f"Everybody enrols their own app: {one_line(words[1], 40)} types it. → !totp enrol")
            return self._enrol(ask)
        if action == "end" and not words[1:]:
            self._store.end_proof(ask.caller)
            return Answer("You count as not proved now.")
        code = "".join(words)
        if re.fullmatch(r"[0-9]{6}", code):
            return self._proved(ask, code)
        if words:
            raise BadCommand(f"{one_line(' '.join(words), 40)!r} is no code. → !{OWN['totp'].usage}")
        return self._stands(ask, person)

    def _stands(self, ask: CommandCall, person: Person) -> Answer:
        kept, at = self._store.enrolment(person.name), self._store.proved_at(ask.caller, person.name)
        if kept is None or not kept.confirmed:
            return Answer("You have no authenticator app enrolled.", hint="→ !totp enrol")
        zone = self._context.live.policy.timezone
        ago = (
            f"you proved yourself {render.age(at, self._context.now(), zone)}" if at else "you have not proved yourself"
        )
        return Answer(f"Your app is enrolled; {ago}.", hint="→ !totp <code>")

    def _enrol(self, ask: CommandCall) -> Answer:
        person = self._context.person(ask)
        if not ask.place.direct:
            raise BadCommand(f"{_DM} Whoever sees the picture has your codes.")
        if person.robot:
            raise BadCommand("A robot cannot prove itself.")
        made = self._membership.totp.enrol(self._about(ask))
        self._hide(made.secret)
        spaced = " ".join(made.secret[i : i + 4] for i in range(0, len(made.secret), 4))
        return Answer(
            "Scan this picture with your authenticator app, or type the secret there. It is shown only now; "
            "then delete this message.",
            f"secret  {spaced}",
            "→ !totp <the code that the app shows>",
            files=(File("totp.png", made.picture(), passing=True),),
        )

    def _proved(self, ask: CommandCall, code: str) -> Answer:
        if not ask.place.direct:
            self._membership.totp.prove(code, self._about(ask), self._context.now(), counts=False)
            raise BadCommand(f"{_DM} This code is used up; wait for the next one.")
        said = {
            Proof.PROVED: "Thank you. Now repeat your command.",
            Proof.ENROLLED: "Your app is enrolled, and you have proved yourself.",
            Proof.WRONG: "That code is wrong. Is the clock of your phone right?",
            Proof.USED: "That code was used already; wait for the next one.",
            Proof.LOCKED: "Too many wrong codes. Try again in 15 minutes.",
            Proof.UNKNOWN: "You have no authenticator app enrolled. → !totp enrol",
        }
        proof = self._membership.totp.prove(code, self._about(ask), self._context.now())
        if proof is Proof.ENROLLED:
            name = self._context.person(ask).name
            self._told(ask, name, f"{name} has enrolled an authenticator app, with {one_line(ask.caller.id, 80)}")
        return Answer(said[proof])

    def _reset(self, ask: CommandCall, words: list[str]) -> Answer:
        admin = self._admin(ask)
        if len(words) != 1:
            raise BadCommand("→ !totp reset <person>")
        person = self._known(words[0])
        if person.name == admin.name:
            raise BadCommand("Not your own: another admin does it.")
        if self._store.enrolment(person.name) is None:
            return Answer(f"{person.name} has no app enrolled.")
        by = self._agreed(ask, f"totp reset {person.name}")
        self._store.reset(person.name, self._about(ask), by)
        self._told(ask, person.name, f"{' and '.join(by)} reset the authenticator app of {person.name}")
        return Answer(f"{person.name} can enrol anew, and counts as not proved until then. {self._until()}".strip())

    # -- an admin alone must not be both sides

    def _agreed(self, ask: CommandCall, command: str) -> tuple[str, ...]:
        """Return the admins behind a change: one, or two where the policy wants that."""
        return self._agreement.of(self._admin(ask).name, command, self._about(ask))

    def _told(self, ask: CommandCall, person: str, what: str, *accounts: str) -> None:
        hint = "→ If that is wrong: !person unlink <network> <id> · !totp reset <person>, and ask who did it"
        self._tell(person, Answer(f"{what}.", hint=hint), (ask.caller.id, *accounts))

    def _until(self) -> str:
        rules, now = self._context.live.policy.accounts, self._context.now()
        ends = too_new(AccountChange((), now), rules, now, self._context.live.policy.timezone)
        return f"It approves nothing before {ends}." if ends else ""

    # -- who asks

    def _is_admin(self, ask: CommandCall) -> bool:
        return ADMINS in self._context.person(ask).groups

    def _admin(self, ask: CommandCall) -> Person:
        person = self._context.person(ask)
        if ADMINS not in person.groups:
            raise BadCommand("No: that is for admins.")
        return person

    def _known(self, name: str) -> Person:
        person = self._context.live.policy.people.get(name)
        if person is None:
            raise BadCommand(f"{one_line(name, 40)!r} is nobody in policy.yml. → !people")
        return person

    def _about(self, ask: CommandCall) -> Subject:
        person = self._context.pipeline.lookup.person(ask.caller)
        return Subject(person.name if person else "", ask.caller, ask.place)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
