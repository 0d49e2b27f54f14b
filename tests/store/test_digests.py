"""Equal outputs are found in the record without holding all of them in memory."""

import tracemalloc

import pytest

from automation_bots.model import Outcome, Status


def said(device, text):
    return Outcome(device, Status.OK, "", text)


def test_the_same_text_has_the_same_digest_whatever_white_space_ends_its_lines(store, job):
    number = store.add_job(job()).number
    store.add_outcomes(number, [said("a", "x \ny\r\n"), said("b", "x\ny"), said("c", "x\n y"), said("d", "")])
    found = store.digests(number)
    assert set(found) == {"a", "b", "c"}
    assert found["a"] == found["b"] != found["c"]


@pytest.mark.slow
def test_comparing_many_long_outputs_takes_the_memory_of_few(store, job):
    number = store.add_job(job()).number
    text = "".join(f"{n * n * 7919 % 1_000_003}\n" for n in range(150_000))
    for device in range(60):
        store.add_outcomes(number, [said(f"web{device}", f"{text}{device % 2}")])
    tracemalloc.start()
    found = store.digests(number)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(found), len(set(found.values()))) == (60, 2)
    assert peak < 20_000_000
