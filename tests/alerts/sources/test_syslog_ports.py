"""The ports themselves: both families, many connections, more than anybody can read, and that they are given back."""

import socket
from contextlib import contextmanager

import pytest

from automation_bots.alerts.sources.syslog.ports import Listener, Ports
from tests.alerts.sources.heard import free_port
from tests.support.chatbot import wait


@contextmanager
def listening(**ports):
    heard = []
    listener = Listener(Ports(**ports), lambda sender, message: heard.append((sender, message)))
    listener.open()
    listener.start()
    try:
        yield heard, listener
    finally:
        listener.stop()


def sent(address, port, *messages):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as device:
        for message in messages:
            device.sendto(message, (address, port))


@pytest.mark.parametrize(
    ("listens", "sends", "sender"),
    [
        ("::", "127.0.0.1", "127.0.0.1"),
        ("::", "::1", "::1"),
        ("::1", "::1", "::1"),
        ("0.0.0.0", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_sender_has_the_same_address_whichever_family_the_port_is_of(listens, sends, sender):
    port = free_port()
    with listening(address=listens, udp=port) as (heard, _):
        sent(sends, port, b"<13>x")
        wait(lambda: heard == [(sender, b"<13>x")], 60)


def test_a_datagram_is_cut_and_so_is_a_message_of_a_connection():
    port = free_port()
    with listening(udp=port, tcp=port, size=10) as (heard, _):
        sent("127.0.0.1", port, b"<13>" + b"u" * 100)
        with socket.create_connection(("127.0.0.1", port)) as talk:
            talk.sendall(b"<13>" + b"t" * 100 + b"\n<13>next")
        wait(lambda: len(heard) == 3, 60, lambda: heard)
    assert sorted(message for _, message in heard) == [b"<13>next", b"<13>tttttt", b"<13>uuuuuu"]


def test_connections_beyond_those_of_one_sender_are_closed_and_others_are_heard():
    port = free_port()
    with listening(tcp=port, each=2) as (heard, listener):
        talks = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        assert talks[2].recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as other:
            other.sendall(b"<13>x\n")
            wait(lambda: heard == [("127.0.0.2", b"<13>x")], 60)
        for talk in talks:
            talk.close()
        wait(lambda: not listener._talks, 60)


def test_what_the_system_could_not_keep_is_counted():
    port = free_port()
    listener = Listener(Ports(udp=port), lambda sender, message: None)
    listener.open()
    for key in listener._sockets.get_map().values():
        key.fileobj.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    sent("127.0.0.1", port, *[b"<13>" + b"x" * 1_000] * 200)  # nobody reads yet
    listener.start()
    sent("127.0.0.1", port, b"<13>x")  # with what comes next, the system says what it lost
    wait(lambda: listener.lost >= 150, 60)
    listener.stop()


def test_ports_are_given_back():
    port = free_port()
    for _ in range(3):
        with listening(udp=port, tcp=port), socket.create_connection(("127.0.0.1", port)):
            pass
