"""The event bus: who listens hears what fits, and nobody who publishes ever waits."""

import threading

from automation_bots.drivers.salt.event_stream import parsed
from automation_bots.events import Bus, Event


def test_a_listener_hears_what_fits_and_only_while_it_listens():
    bus = Bus()
    bus.publish(Event("bot", "a/0"))
    with bus.listen("a/*") as mine:
        for tag in ("a/1", "b/1", "a/2"):
            bus.publish(Event("bot", tag))
        assert [mine.next(0).tag, mine.next(0).tag, mine.next(0)] == ["a/1", "a/2", None]


def test_a_slow_listener_loses_events_and_knows_how_many():
    bus = Bus()
    with bus.listen(size=10) as slow, bus.listen() as quick:
        for number in range(25):
            bus.publish(Event("bot", str(number)))
        assert slow.dropped == 15
        assert quick.dropped == 0


def test_a_listener_wakes_at_once():
    bus = Bus()
    with bus.listen() as mine:
        threading.Timer(0.05, bus.publish, (Event("bot", "x"),)).start()
        assert mine.next(5).tag == "x"


def test_salts_stream_is_read_however_it_is_cut():
    stream = (
        b'retry: 400\ntag: a\ndata: {"tag": "a", "data": {"id": "web1"}}\n\ntag: b\ndata: {"tag": "b", "data": 3}\n\n'
    )
    broken = b"tag: c\ndata: {broken\n\n"
    for size in (1, 7, 1000):
        whole = stream + broken + stream[11:]
        found = list(parsed(whole[at : at + size] for at in range(0, len(whole), size)))
        assert [event.tag for event in found if event] == ["a", "b", "a", "b"]
        assert found[0] is None
