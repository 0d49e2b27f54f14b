"""A secret that arrives in pieces: wherever a stream is cut, read or shown half-way, no half of one is seen."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.drivers import output
from automation_bots.drivers.child_process import Printed
from automation_bots.drivers.network.session import prompt_reader
from automation_bots.jobs.reports import OutcomeCollector
from automation_bots.model import Outcome, Status, one_line
from automation_bots.redaction.redactor import SHORTEST, Redactor
from tests.store.conftest import JOB
from tests.support.bounds import examples

pytestmark = [pytest.mark.slow, pytest.mark.works]  # every cut of every form

CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"))
LINE = "interface Ethernet"  # what a device prints besides: no secret that these tests make up is in it
SECRETS = st.text(CHARACTERS, min_size=10, max_size=30).filter(
    lambda text: len(set(text)) > 7 and "…" not in text and "edacted" not in text and not _is_in_line(text)
)
SPLIT = settings(max_examples=examples(200))


def _is_in_line(secret):
    return any(piece in LINE for piece in pieces(secret))


def pieces(secret):
    """What gives a secret away: every stretch of it that is too long for a coincidence."""
    size = 2 * SHORTEST
    return [secret[at : at + size] for at in range(len(secret) - size + 1)]


def hidden(secret, *texts):
    shown = "\n".join(Redactor([secret]).text(text) for text in texts)
    return not [piece for piece in pieces(secret) if piece in shown]


@given(secret=SECRETS, before=st.integers(0, 40), limit=st.integers(0, 60), err=st.binary(max_size=30))
@SPLIT
def test_of_a_stream_that_is_cut_before_another_one(secret, before, limit, err):
    out, errors = output.Capped(limit + 10), output.Capped(limit + 10)
    out.add(b"#" * before + secret.encode())
    errors.add(err)
    assert hidden(secret, output.joined(out, errors, limit + 10))


@given(secret=SECRETS, size=st.integers(4000, 4200), at=st.floats(0, 1), words=st.booleans())
@SPLIT
def test_of_the_last_words_of_a_long_stream(secret, size, at, words):
    stream = output.Capped(10)
    filler = (b"ab " if words else b"ab#") * 2000
    stream.add(filler + secret.encode() + filler[: int(at * size)])
    assert hidden(secret, output.last_line(stream.tail))


@given(secret=SECRETS, chunks=st.lists(st.integers(1, 12), min_size=1, max_size=8), limit=st.integers(8, 200))
@SPLIT
def test_of_what_a_command_prints_between_two_results(secret, chunks, limit):
    printed, taken, whole = Printed(limit), [], f"it is {secret}.\nso\n".encode()
    for size in chunks:
        printed.add(whole[:size])
        whole = whole[size:]
        taken.append(printed.take(last=False))
    printed.add(whole)
    assert hidden(secret, *taken, printed.take())


def test_what_is_printed_without_an_end_of_line_is_told_with_the_rest():
    printed = Printed(100)
    printed.add(b"one\ntw")
    assert (printed.take(last=False), printed.take()) == ("one\n", "tw")


def test_what_a_device_prints_that_is_no_text_is_said_to_be_none():
    collector = OutcomeCollector(JOB, {}, None, Redactor(["hunter2-and-more"]))
    collector.secrets_known.set()
    printed = "\x7fELF\2\1\0\0/lib/ld.so\0hunter2-and-more\0password = Zq7x"
    (told,) = collector._cleaned([Outcome("web1", Status.OK, printed, printed)])
    assert told.summary == "binary, 51 bytes"
    assert told.output == ("binary, 51 bytes; what can be read of it:\n/lib/ld.so\n‹redacted›\npassword = ‹redacted›")


@given(secret=SECRETS, at=st.integers(0, 30))
@SPLIT
def test_of_lines_that_are_shown_while_they_grow(secret, at):
    collector = OutcomeCollector(JOB, {}, None, Redactor([secret]))
    collector.secrets_known.set()
    collector.progress("", ["first", f"it is {secret[:at]}"])
    assert not [piece for piece in pieces(secret) if piece in collector.words]
    collector.progress(f"it is {secret[:at]}")
    assert not [piece for piece in pieces(secret) if piece in collector.words]


class Device:
    """What a network device prints, read as the driver reads it."""

    def __init__(self, limit):
        self.reader = prompt_reader.Reader.__new__(prompt_reader.Reader)
        self.reader._limit, self.reader._work = limit, SimpleNamespace(kind="show")

    def prints(self, data):
        async def read():
            self.reader._screen = prompt_reader._Screen()
            self.reader._screen.data_received(data, None)
            await self.reader._goes_on(0.001)

        asyncio.run(read())
        return self.reader._screen.text.decode("utf-8", "replace")


@given(secret=SECRETS, at=st.integers(0, 40), after=st.integers(0, 40))
@settings(max_examples=examples(60))
def test_of_a_device_that_prints_more_than_is_kept(secret, at, after):
    line = f"{LINE}\n".encode()
    text = b"." * (500 - at) + secret.encode() + b"\n" + line * 200 + b"x" * after + secret.encode() + b"\n"
    shown = Device(500).prints(text + line * (4096 // len(line)) + b"sw1#")
    assert shown.endswith("sw1#") and "[output cut at 500 bytes]" in shown
    assert hidden(secret, shown)


@pytest.mark.parametrize("form", ["a secret\nof two lines", "tab\tand\x07bell!"])
def test_a_secret_that_was_folded_into_one_line_is_known(form):
    assert Redactor([form]).text(f"is {one_line(form)}.") == "is ‹redacted›."
