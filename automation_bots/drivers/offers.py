"""Which drivers bring operations of their own: they are there without any file."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.drivers import events, paths, powershell_ps, reach, salt
from automation_bots.drivers.network import operations as network
from automation_bots.model import Operation

OFFERS: tuple[Callable[[], tuple[Operation, ...]], ...] = (
    reach.operations,
    paths.operations,
    network.operations,
    powershell_ps.operations,
    salt.operations,
    events.operations,
)


def operations() -> tuple[Operation, ...]:
    """Return all of them."""
    return tuple(operation for offered in OFFERS for operation in offered())
