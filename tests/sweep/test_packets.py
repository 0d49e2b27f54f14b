"""Pings as bytes, and what comes back about them."""

import socket
import struct

import pytest

from automation_bots.sweep.packets import V4, V6, Echo, Trouble, described, trouble_of

MAGIC = b"12345678"
HEAD = bytes.fromhex("4500005400004000400100000a00000108080808")  # IPv4, from 10.0.0.1 to 8.8.8.8


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", bytes(data)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("number", [0, 1, 65_535, 65_536, 70_000, 16_777_215])
@pytest.mark.parametrize("size", [12, 56, 57, 1400])
def test_every_probe_has_a_right_checksum_and_its_number(number, size):
    packet = Echo(V4, 0xFFFE, MAGIC, size).packet(number)
    assert len(packet) == 8 + size
    assert checksum(packet + b"\0" * (size & 1)) == 0xFFFF
    assert int.from_bytes(packet[16:20], "big") == number


def error(kind, code, rest=0, inner=None):
    inner = HEAD + bytes(Echo(V4, 7, MAGIC, 56).packet(3))[:8] if inner is None else inner
    return struct.pack("!BBHI", kind, code, 0, rest) + inner


@pytest.mark.parametrize(
    ("message", "reason", "final"),
    [
        (error(3, 0), "network unreachable", False),
        (error(3, 1), "host unreachable", False),
        (error(3, 13), "prohibited by a filter", False),
        (error(3, 99), "unreachable (code 99)", False),
        (error(3, 4, 1400), "too big to pass whole; at most 1400 bytes pass", True),
        (error(3, 4, 0), "too big to pass whole", True),
        (error(11, 0), "lost in a routing loop or too far away", False),
    ],
)
def test_an_error_about_our_probe_is_put_into_words(message, reason, final):
    assert trouble_of(V4, message, 7) == Trouble("8.8.8.8", reason, final)


@pytest.mark.parametrize(
    "message", [error(3, 1, inner=b""), error(3, 1, inner=HEAD), error(12, 0), error(3, 1, inner=HEAD + bytes(8))]
)
def test_what_is_cut_or_not_about_our_probes_is_left_alone(message):
    assert trouble_of(V4, message, 7) is None


def test_errors_of_ipv6_are_read_too():
    probe = bytes(Echo(V6, 7, MAGIC, 56).packet(3))[:8]
    inner = bytes(6) + bytes([socket.IPPROTO_ICMPV6, 64]) + bytes(16) + socket.inet_pton(socket.AF_INET6, "fd00::9")
    message = struct.pack("!BBHI", 2, 0, 0, 1280) + inner + probe
    assert trouble_of(V6, message, 7) == Trouble(
        "fd00::9", "too big to pass whole; at most 1280 bytes pass", final=True
    )
    assert described(V6, "fd00::9", 1, 0, 0) == Trouble("fd00::9", "no route")
    assert trouble_of(V6, message, 8) is None
