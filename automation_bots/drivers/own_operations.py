"""Which drivers bring operations of their own: they are there without any file."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.drivers import events
from automation_bots.drivers.alerts import driver as alerts
from automation_bots.drivers.network import own_operations as network
from automation_bots.drivers.paths import driver as paths
from automation_bots.drivers.reach import driver as reach
from automation_bots.drivers.salt import driver as salt
from automation_bots.drivers.windows import ps_operation
from automation_bots.model import Operation

OFFERS: tuple[Callable[[], tuple[Operation, ...]], ...] = (
    reach.operations,
    paths.operations,
    network.operations,
    ps_operation.operations,
    salt.operations,
    events.operations,
    alerts.operations,
)


def operations() -> tuple[Operation, ...]:
    """Return all of them."""
    return tuple(operation for offered in OFFERS for operation in offered())
