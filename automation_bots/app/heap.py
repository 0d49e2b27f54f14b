"""The heap: glibc gives every few threads one of their own, and each keeps what it once needed."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_HEAPS = 2


def share() -> None:
    """Let all threads share two heaps; call it before there are any. Another libc stays as it is."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS)
