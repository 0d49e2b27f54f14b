"""What a device printed that is no text is said to be none."""

import pytest

from automation_bots.text import binary


@pytest.mark.parametrize(
    "raw", [b"\x7fELF\2\1\1\0" * 50, bytes(range(256)) * 4, b"\x1f\x8b\x08" + b"\x9c\xed\x01" * 90]
)
def test_what_is_no_text_is_told_with_its_size(raw):
    assert binary.described(raw.decode(errors="replace")) == f"binary, {len(raw):,} bytes"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "für 漢字 \t\r\n",
        "\x1b[31mred\x1b[0m and \x07",
        "one broken \ufffd character in a long line of text",
    ],
)
def test_text_is_text_also_with_colours_and_a_broken_character(text):
    assert binary.described(text) is None


def test_what_can_be_read_of_it_is_a_line_each():
    assert binary.readable("\x7fELF\2\1\0\0/lib/ld.so\0ab\0version 1.2\0\0") == "/lib/ld.so\nversion 1.2"
