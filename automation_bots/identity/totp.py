"""Codes of an authenticator app (TOTP, RFC 6238): enrolment, and proving oneself with a code, each code once."""

from __future__ import annotations

import hmac
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from automation_bots.errors import BadCommand
from automation_bots.secrets.sealed import Seal
from automation_bots.store.audit import Subject
from automation_bots.store.people import PeopleStore

STEP_SECONDS = 30
WRONG_CODES = 5
LOCKED = timedelta(minutes=15)


class Proof(StrEnum):
    """What came of a code."""

    PROVED = "proved"
    ENROLLED = "enrolled"  # the first code: the enrolment counts from now on
    WRONG = "wrong"
    USED = "used"
    LOCKED = "locked"
    UNKNOWN = "unknown"  # this person has not enrolled


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person's app needs: shown once, to that person alone."""

    secret: str
    uri: str

    def picture(self) -> bytes:
        """Return the QR code as PNG."""
        import segno

        out = io.BytesIO()
        segno.make(self.uri, error="m").save(out, kind="png", scale=6, border=4)
        return out.getvalue()


class Totp:
    """Secrets are sealed in the store; the step of the last code is kept there, so that none counts twice."""

    def __init__(self, store: PeopleStore, seal: Seal, issuer: str) -> None:
        self._store, self._seal, self._issuer = store, seal, issuer

    def enrol(self, about: Subject) -> Enrolment:
        """Begin: make a secret. It counts once a first code has come back; until then it can be made anew."""
        import pyotp

        secret = pyotp.random_base32()
        if not self._store.enrol(self._seal.close(secret, about.person), about):
            raise BadCommand("You have enrolled already. If your app is lost, an admin types !totp reset <you>.")
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=about.person, issuer_name=self._issuer))

    def prove(self, code: str, about: Subject, now: datetime, *, counts: bool = True) -> Proof:
        """Take a code. With `counts` False it is only used up: it was typed where others could read it."""
        kept = self._store.enrolment(about.person)
        if kept is None:
            return Proof.UNKNOWN
        if kept.locked_until and now < kept.locked_until:
            return Proof.LOCKED
        step = _step(self._seal.open(kept.sealed, about.person), code, now)
        if step is None:
            locked = self._store.wrong_code(about, WRONG_CODES, now + LOCKED)
            return Proof.LOCKED if locked else Proof.WRONG
        if not self._store.use_step(step, about, counts=counts):
            return Proof.USED
        return Proof.PROVED if kept.confirmed else Proof.ENROLLED


def _step(secret: str, code: str, now: datetime) -> int | None:
    """Return the step of time that a code belongs to: now, or one before or after, since clocks differ."""
    import pyotp

    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    fits = [s for s in (current - 1, current, current + 1) if hmac.compare_digest(totp.generate_otp(s), code)]
    return fits[-1] if fits else None
