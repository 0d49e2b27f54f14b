"""A NAPALM driver on our own netmiko connection, so that host keys and jump hosts are checked as everywhere."""

from __future__ import annotations

from typing import Any

from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.errors import in_words

NAMES = {"cisco_ios": "ios", "cisco_xe": "ios", "cisco_nxos": "nxos_ssh", "arista_eos": "eos"}


def driver_on(work: DeviceRequest, connection: Any) -> Any:
    """Return the open driver of a device's platform, or the one that its inventory names."""
    name = work.napalm or NAMES.get(work.platform, "")
    if not name:
        known = ", ".join(NAMES)
        raise Problem(f"no NAPALM driver is known for the platform {work.platform} (for {known} there is); try !show")
    driver = _class(name)(
        work.login.host, work.login.user, "", int(work.read_seconds), optional_args=_arguments(work, name)
    )
    opened = []

    def ours(*_arguments: Any, **_more: Any) -> Any:
        opened.append(True)
        driver._netmiko_device = connection  # noqa: SLF001 - where NAPALM keeps it
        return connection

    driver._netmiko_open = ours  # noqa: SLF001 - its one way to connect by SSH
    try:
        with said():
            driver.open()
    except Problem:
        raise
    except Exception as error:
        if not opened:
            raise Problem(_own(name)) from error
        raise Problem(f"NAPALM's driver {name} does not start: {in_words(error)}") from error
    if not opened:
        raise Problem(_own(name))
    return driver


def _own(name: str) -> str:
    return (
        f"NAPALM's driver {name} opens connections of its own, whose host keys nobody checks; "
        "only drivers that connect by netmiko are used"
    )


def _class(name: str) -> Any:
    import napalm
    from napalm.base.exceptions import ModuleImportError

    try:
        return napalm.get_network_driver(name)
    except ModuleImportError as error:
        raise Problem(
            f"there is no NAPALM driver {name}: pip install napalm-{name}, or correct napalm_driver"
        ) from error


def _arguments(work: DeviceRequest, name: str) -> dict[str, Any]:
    usual = {"transport": "ssh"} if name == "eos" else {}
    return {**usual, **work.napalm_args}
