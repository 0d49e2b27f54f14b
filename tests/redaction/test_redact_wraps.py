"""Secrets that nobody knows, in every form of the field, wrapped as programs wrap text: none stays, no false alarm."""

import base64
import contextlib
import json
import re
import string
from urllib.parse import quote, quote_plus, unquote

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from automation_bots.redaction.patterns import MARK
from automation_bots.redaction.redactor import Redactor
from tests.redaction.test_redact import FOUND, KEY
from tests.support.bounds import examples
from tests.support.harmless import outputs

pytestmark = [pytest.mark.slow, pytest.mark.works]

AROUND = "first line of some length\n{}\nlast line of some length"
# words of a person, hashes and keys of devices; a letter first, since numbers stand in harmless lines too
WORDS = st.tuples(
    st.sampled_from(string.ascii_letters), st.text(string.ascii_letters + string.digits, min_size=10)
).map(lambda parts: "".join(parts)[:40] + "x7")
HASHES = {
    "Cisco 4, 5": "$1$mERr$hx5rVt7rPNoS4wqbXKX7m0",
    "Cisco 8": "$8$dsYGNam3K1SIJO$7nv/35M/qr6t.dVc7UY9zrJDWRVqncHub1PE9UlMQFs",
    "Cisco 9": "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM",
    "JunOS": "$9$JuUi.PfzFnCmf5F",
    "shadow": "$6$rounds=5000$saltsalt$Gx0yTT.Lkx7/abcdefghijklmnop",
    "yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
}
WRAPS = {
    "text": str,
    "JSON": lambda text: json.dumps({"stdout": text, "rc": 0}),
    "JSON in JSON": lambda text: json.dumps([json.dumps({"stdout": text})]),
    "lines of JSON": lambda text: json.dumps({"stdout_lines": text.splitlines()}),
    "Python": lambda text: repr(text.splitlines()),
    "YAML": lambda text: yaml.safe_dump({"stdout": text}, width=10**6),
    "YAML in quotes": lambda text: yaml.safe_dump({"stdout": text}, default_style='"', width=10**6),
    "a block of YAML": lambda text: "stdout: |\n" + "".join(f"  {line}\n" for line in text.splitlines()),
    "URL": lambda text: f"GET /x?text={quote(text, safe='')}&page=2",
    "URL, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "a form": lambda text: f"page=2&text={quote_plus(text)}",
    "base64": lambda text: f"user-data: {base64.b64encode(text.encode()).decode()}",
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "lines of base64": lambda text: base64.encodebytes(text.encode()).decode() + "Done",
}
CASES = pytest.mark.parametrize("wrap", WRAPS)


def is_gone(secret, shown):
    """Not in it, and not in what can be decoded from it."""
    decoded = unquote(unquote(shown))
    for run in re.findall(r"[A-Za-z0-9+/_=-]{16,}", re.sub(r"\n", "", shown)):
        padded = run.rstrip("=").translate(str.maketrans("-_", "+/"))
        with contextlib.suppress(ValueError):
            decoded += base64.b64decode(padded[: len(padded) // 4 * 4]).decode("latin-1")
    return secret not in shown and secret not in decoded


@CASES
@given(secret=WORDS)
@settings(max_examples=examples(3), phases=[Phase.generate])
def test_no_secret_of_any_form_survives_in_any_wrap(wrap, secret):
    lines = "\n".join(line.replace("SECRET", f"{secret}n{number}n") for number, line in enumerate(FOUND))
    shown = Redactor().text(WRAPS[wrap](AROUND.format(lines)))
    assert [line for number, line in enumerate(FOUND) if not is_gone(f"{secret}n{number}n", shown)] == []


@CASES
@pytest.mark.parametrize("name", HASHES)
def test_hashes_of_devices_and_systems_are_taken_out_of_any_wrap(wrap, name):
    shown = Redactor().text(WRAPS[wrap](AROUND.format(f"username bob secret 5 {HASHES[name]}")))
    assert is_gone(HASHES[name][-12:], shown)


@CASES
def test_a_private_key_is_taken_out_of_any_wrap(wrap):
    text = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----"
    shown = Redactor().text(WRAPS[wrap](AROUND.format(text)))
    assert all(is_gone(line, shown) for line in KEY.splitlines())


@pytest.mark.parametrize("wrap", [wrap for wrap in WRAPS if "base64" not in wrap])
def test_the_lines_around_a_wrapped_secret_stay(wrap):
    text = AROUND.format("enable secret hunter2hunter2")
    shown = Redactor().text(WRAPS[wrap](text))
    assert MARK in shown
    assert "first line of some length" in unquote(unquote(shown)).replace("+", " ")
    assert "last line of some length" in unquote(unquote(shown)).replace("+", " ")


def test_a_json_document_stays_one():
    shown = Redactor().text(json.dumps({"stdout": AROUND.format("enable secret hunter2hunter2"), "rc": 0}))
    assert json.loads(shown) == {"stdout": AROUND.format(f"enable secret {MARK}"), "rc": 0}


@CASES
def test_wrapped_harmless_output_is_left_as_it_is(wrap):
    texts = [WRAPS[wrap](text) for text in sorted(set(outputs()))[::7]]
    assert len(texts) > 100
    assert [text for text in texts if Redactor().text(text) != text] == []


@given(st.lists(st.sampled_from([*FOUND, "\\n", '"', "''", "%3D", "cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI="]), max_size=8))
@settings(max_examples=examples(60))
def test_redacting_wraps_twice_is_redacting_once(pieces):
    once = Redactor().text("".join(pieces))
    assert Redactor().text(once) == once
