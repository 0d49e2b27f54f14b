"""Lines with secrets as vendors' documents show them: how many survive says how well the rules generalise."""

from collections.abc import Iterator
from pathlib import Path

from automation_bots.redaction.mark import MARK
from automation_bots.redaction.redactor import Redactor

MADE = {
    "{}": "hunter2Zq",
    "{b}": "Blue7Sky",
    "{w}": "winterberry",
    "{W}": "Tomorrow",
    "{b64}": "c2VjcmV0LW9mLW91cnM3",
    "{hex32}": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "{hex32b}": "f9e8d7c6b5a4938271605f4e3d2c1b0a",
    "{HEX32}": "0A1B2C3D4E5F60718293A4B5C6D7E8F9",
    "{hex16}": "0822455d0a16541e",
    "{hex16b}": "1a2b3c4d5e6f7081",
    "{hex40}": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
}
FORMS = [
    line.split("|", 2)[2]
    for line in Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def surviving(redactor: Redactor) -> Iterator[str]:
    """Yield the forms whose secret is still there, in whole."""
    for form in FORMS:
        secrets = [made for name, made in MADE.items() if name in form]
        line = form
        for name, made in MADE.items():
            line = line.replace(name, made)
        cleared = redactor.text(line)
        if any(secret in cleared for secret in secrets) or (not secrets and MARK not in cleared):
            yield form
