"""How far tests search, in one place: bounded in `make test`, the same tests for longer in `make soak`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings

LONG = os.environ.get("TESTS") == "long"
_MOST_EXAMPLES = 75  # of one property in `make test`, where the same tree tries the same ones every time
_LONGER = 10  # times as many in `make soak`, and others in each run


def rounds(usual: int, long: int) -> int:
    """How often a loop of kills and faults goes round."""
    return long if LONG else usual


def examples(wanted: int) -> int:
    """How many examples a property gets that deserves so many of them."""
    return wanted * _LONGER if LONG else min(wanted, _MOST_EXAMPLES)


def one_of(place: int, cases: Sequence[str]) -> Sequence[str]:
    """The case whose turn it is, where every pair of two long lists would be too much; all of them in `make soak`."""
    return cases if LONG else (cases[place % len(cases)],)


def load_profile() -> None:
    """`HYPOTHESIS_PROFILE=random` looks for examples that nobody saw yet, as `make soak` does.

    No example has a time limit, nor has making one up: these machines are shared.
    """
    usual = settings(deadline=None, max_examples=examples(_MOST_EXAMPLES), suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("same", usual, derandomize=True)
    settings.register_profile("random", usual, print_blob=True)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("random" if LONG else "same"))
