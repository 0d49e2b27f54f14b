"""What bots say to each other: read strictly, refused in words when it is old, came too far, or is not in its form."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.model import Answer, File
from automation_bots.peers import messages
from automation_bots.peers.messages import BadMessage, Cancel, Notice, Reply, Request, Step, Why
from automation_bots.policy.peers import Human

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
ANA = Human("ana", "slack", "U024BE7LH")
REQUEST = Request(
    "linuxbot", "winbot", "0" * 32, NOW, ANA, "#netops", 'service status "a b" on dc1', "x\ny", ("linuxbot",), 1, 100,
    ("slack", "C1:1.2"), 7,
)  # fmt: skip
REPLY = Reply(
    "winbot", "linuxbot", "1" * 32, NOW, "0" * 32, Step.ENDED, 5, 207, "done", "",
    Answer("#207 done", "table", "→ !job 207", (File("a.csv", b"\x00\xff"),)),
)  # fmt: skip
CANCEL = Cancel("linuxbot", "winbot", "2" * 32, NOW, "0" * 32, ANA)
NOTICE = Notice("winbot", "linuxbot", "3" * 32, NOW, "forged", "linuxbot did not sign it")


def sent(message):
    """As it comes out of an envelope."""
    return {**message.body, "from": message.sender, "to": message.reader}


@pytest.mark.parametrize("message", [REQUEST, REPLY, CANCEL, NOTICE], ids=lambda one: type(one).__name__)
def test_what_was_written_is_read_as_it_was(message):
    assert messages.read(sent(message)) == message


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3)


@given(st.sampled_from([REQUEST, REPLY, CANCEL, NOTICE]), st.data())
def test_a_message_with_another_value_anywhere_is_read_or_refused_in_words(message, data):
    body = sent(message)
    body[data.draw(st.sampled_from(sorted(body)) | st.text(max_size=5))] = data.draw(ANYTHING)
    try:
        messages.read(body)
    except BadMessage as bad:
        assert bad.why is Why.MALFORMED


@pytest.mark.parametrize("key", sorted(sent(REQUEST)))
def test_a_request_that_lacks_something_is_refused(key):
    body = sent(REQUEST)
    del body[key]
    with pytest.raises(BadMessage):
        messages.read(body)


@pytest.mark.parametrize(
    ("name", "network", "id_"),
    [("", "slack", "U1"), ("a/b", "slack", "U1"), ("ana", "@winbot", "U1"), ("ana", "a/b", "U1"), ("ana", "slack", ""),
     ("ana\n", "slack", "U1"), ("ana", "Slack", "U1"), ("ana", "slack", "x" * 301), ("ana", "slack", "a\x00")],
)  # fmt: skip
def test_a_human_is_named_in_one_way_only(name, network, id_):
    with pytest.raises(BadMessage):
        messages.read(sent(replace(REQUEST, person=Human(name, network, id_))))


@pytest.mark.parametrize(("seconds", "why"), [(60, None), (61, Why.STALE), (-60, None), (-61, Why.AHEAD)])
def test_what_is_older_than_a_minute_or_ahead_of_the_clock_is_refused_with_how_much(seconds, why):
    if why is None:
        messages.fresh(NOW, NOW + timedelta(seconds=seconds))
        return
    with pytest.raises(BadMessage, match="61 s") as caught:
        messages.fresh(NOW, NOW + timedelta(seconds=seconds))
    assert caught.value.why is why


@pytest.mark.parametrize(
    ("via", "hops", "why"),
    [(("linuxbot",), 1, None), (("dbbot", "linuxbot"), 2, None), (("a", "b", "linuxbot"), 3, Why.HOPS),
     (("winbot", "linuxbot"), 2, Why.LOOP), (("dbbot",), 1, Why.MALFORMED), (("dbbot", "linuxbot"), 1, Why.MALFORMED)],
)  # fmt: skip
def test_loops_third_hops_and_untold_ways_are_refused(via, hops, why):
    request = replace(REQUEST, via=via, hops=hops)
    if why is None:
        messages.path(request, "winbot")
        return
    with pytest.raises(BadMessage) as caught:
        messages.path(request, "winbot")
    assert caught.value.why is why


def test_files_that_are_too_much_stay_where_they_are_and_are_named():
    big = File("big.txt", b"x" * (messages.FILES_SIZE + 1))
    came = messages.read(sent(replace(REPLY, answer=Answer("done", files=(big, File("b.txt", b"y"))))))
    assert [file.name for file in came.answer.files] == ["b.txt"]
    assert "kept there: big.txt" in came.answer.hint


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a\nb", "CON", "."])
def test_the_name_of_a_file_leads_nowhere(name):
    came = messages.read(sent(replace(REPLY, answer=Answer("", files=(File(name, b"x"),)))))
    assert not {"/", "\n"} & set(came.answer.files[0].name)
    assert came.answer.files[0].name.strip(".")


def test_a_text_that_is_too_long_is_cut_and_says_so():
    came = messages.read(sent(replace(REPLY, answer=Answer("done", "x" * 1_000_000))))
    assert came.answer.block.endswith("cut off, 1,000,000 characters in all")
