"""Secrets that are known, as every program escapes and encodes them, cut anywhere: nothing of one is to be read."""

import base64
import contextlib
import html
import json
import re
import shlex
import string
import warnings
from urllib.parse import quote, quote_plus, unquote

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from automation_bots.drivers import output
from automation_bots.drivers.child_process import Printed
from automation_bots.jobs.reports import OutcomeCollector
from automation_bots.redaction.patterns import MARK
from automation_bots.redaction.redactor import SHORTEST, Redactor
from tests.redaction.test_redact import HARMLESS, HOSTILE, LENGTH, TOO_MUCH
from tests.store.conftest import JOB
from tests.support.bounds import examples
from tests.support.cost import in_yardsticks
from tests.support.harmless import outputs

pytestmark = [pytest.mark.slow, pytest.mark.works]
_PRINTABLE = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="‹›…")
_TYPED = st.characters(min_codepoint=33, max_codepoint=126)
SECRETS = st.one_of(st.text(kind, min_size=10, max_size=30) for kind in (_PRINTABLE, _TYPED)).filter(
    lambda text: len(set(text)) > 7 and "edacted" not in text
)
PIECE = 2 * SHORTEST  # so many characters of a secret in a row are no coincidence


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def lines_of_base64(text, size=76):
    whole = base64_of(
        f"listen 443;\nkey {text}\n# the end of a longer file of settings, so that it takes three lines\n"
    )
    return "\n".join(whole[at : at + size] for at in range(0, len(whole), size))


FORMS = {
    "itself": str,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps({"a": text}, ensure_ascii=False),
    "Python": repr,
    "bytes of Python": lambda text: repr(text.encode()),
    "YAML": lambda text: yaml.safe_dump({"a": text}, width=10**6, allow_unicode=True),
    "YAML in quotes": lambda text: yaml.safe_dump({"a": text}, default_style='"', width=10**6),
    "YAML in single quotes": lambda text: yaml.safe_dump([text], default_style="'", width=10**6, allow_unicode=True),
    "a shell": shlex.quote,
    "CSV": lambda text: '"' + text.replace('"', '""') + '"',
    "HTML": html.escape,
    "a URL": lambda text: quote(text, safe=""),
    "a path": quote,
    "a browser's URL": lambda text: quote(text, safe="!~*'()"),
    "a user of a URL": lambda text: quote(text, safe="!$&'()*+,;="),
    "small digits": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "a form": quote_plus,
    "base64": base64_of,
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 behind a name": lambda text: base64_of(f"user:{text}"),
    "lines of base64": lines_of_base64,
    "short lines of base64": lambda text: lines_of_base64(text, 64),
    "indented lines of base64": lambda text: "key: |\n  " + lines_of_base64(text).replace("\n", "\n  "),
}
OUTER = {name: FORMS[name] for name in ("itself", "JSON", "Python", "HTML", "a URL", "a form", "base64")}
CASES = pytest.mark.parametrize("form", FORMS)


def views(text, depth=3):
    """What a reader can make of a text: it, and what is encoded in it, in one another."""
    yield text
    if not depth:
        return
    plain = re.sub(r"\\+n|\s+|', '|\", \"", "", text)
    for run in re.findall(r"[A-Za-z0-9+/_-]{11,}", plain):
        for start in range(4):
            part = run[start : start + (len(run) - start) // 4 * 4].translate(str.maketrans("-_", "+/"))
            yield base64.b64decode(part).decode(errors="replace")
    doubled = (text.replace(2 * quote, quote) for quote in "'\"")
    for other in {unquote(text), html.unescape(text), plain, *doubled} - {text}:
        yield from views(other, depth - 1)
    with contextlib.suppress(UnicodeError, ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if "\\" in text:
            plain = text.encode("latin-1", "backslashreplace").decode("unicode_escape")
            yield from views(plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), depth - 1)
            yield from views(plain.encode("latin-1").decode(), depth - 1)


def betrayed(secret, shown):
    """The pieces of a secret that somebody can read in what is shown."""
    pieces = [secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)]
    return [piece for view in views(shown) for piece in pieces if piece in view]


@CASES
@given(secret=SECRETS)
@settings(max_examples=examples(3), phases=[Phase.generate])
def test_no_known_secret_is_read_in_what_any_program_makes_of_it(form, secret):
    assert betrayed(secret, FORMS[form](secret)), "the reader of this test cannot read it"
    for outer in [OUTER[name] for name in OUTER if "base64" not in name or "base64" not in form]:
        shown = Redactor([secret]).text(outer(f"it is {FORMS[form](secret)} and more\n"))
        assert MARK in shown
        assert betrayed(secret, shown) == []


@CASES
@given(secret=SECRETS)
@settings(max_examples=examples(1), phases=[Phase.generate])
def test_wherever_a_stream_is_cut_nothing_of_a_known_secret_is_read(form, secret):
    redactor, whole = Redactor([secret]), f"it is {FORMS[form](secret)} so.\n".encode()
    for at in range(len(whole)):
        out = output.Capped(at)
        out.add(whole)
        assert betrayed(secret, redactor.text(output.joined(out, output.Capped(at), at))) == [], at


@CASES
@given(secret=SECRETS)
@settings(max_examples=examples(1), phases=[Phase.generate])
def test_wherever_two_chunks_meet_nothing_of_a_known_secret_is_read(form, secret):
    redactor, whole = Redactor([secret]), f"it is {FORMS[form](secret)} so.\n".encode()
    for at in range(len(whole)):
        out, printed = output.Capped(10_000), Printed(10_000)
        for chunk in (whole[:at], whole[at:]):
            out.add(chunk)
        printed.add(whole[:at])
        early = (
            printed.take(last=False) if "lines" not in form else ""
        )  # what whole lines have between them is not seen
        printed.add(whole[at:])
        shown = [redactor.text(text) for text in (output.joined(out, output.Capped(9), 10_000), early, printed.take())]
        assert betrayed(secret, "\n".join(shown)) == [], at


@pytest.mark.parametrize("form", [form for form in FORMS if "lines" not in form])
@given(secret=SECRETS)
@settings(max_examples=examples(1), phases=[Phase.generate])
def test_however_far_a_line_has_grown_nothing_of_a_known_secret_is_shown(form, secret):
    collector, whole = OutcomeCollector(JOB, {}, None, Redactor([secret])), f"it is {FORMS[form](secret)} so."
    collector.secrets_known.set()
    for at in range(len(whole)):
        collector.progress("", ["first", whole[:at]])
        assert betrayed(secret, collector.words) == [], at


@given(secret=SECRETS, known=st.lists(SECRETS, max_size=20))
@settings(max_examples=examples(10), phases=[Phase.generate])
def test_what_is_harmless_stays_whatever_secrets_are_known(secret, known):
    text = "\n".join(HARMLESS)
    assert Redactor([secret, *known]).text(text) == text


@given(secret=st.text(string.punctuation + string.ascii_letters, min_size=12, max_size=20))
@settings(max_examples=examples(3), phases=[Phase.generate])
def test_fewer_than_one_in_a_thousand_harmless_outputs_is_touched_when_secrets_are_known(secret):
    redactor = Redactor([f"a{secret}1"])
    assert not [text for text in set(outputs()) if redactor.text(text) != text]


AWKWARD = [
    "\\\\\\\\\\\\",
    "''''''''",
    "%25%25%25",
    "&amp;&amp;",
    "\"'\\\"'\\",
    "-----BEGIN",
    "password=a",
    "aaaaaaaa",
    "+ + + +",
]


@pytest.mark.parametrize("piece", [*HOSTILE, "\\\\", "'", '"', "&amp;", "%25", "&#", "\\u00", "+", "…", "\ufffd"])
def test_hostile_text_costs_about_as_much_as_any_other_also_when_awkward_secrets_are_known(piece):
    redactor, text = Redactor(AWKWARD), piece * (LENGTH // 2 // len(piece))
    assert in_yardsticks(lambda: redactor.text(text), TOO_MUCH) < TOO_MUCH
