"""What somebody without the bot would write: nornir with netmiko, `show version` on many devices; prints seconds."""

import json
import sys
import time
from pathlib import Path

from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import ThreadedRunner
from nornir_netmiko.connections import CONNECTION_NAME, Netmiko
from nornir_netmiko.tasks import netmiko_send_command


def main(path: str, size: str, workers: str, user: str, password: str) -> None:
    devices = json.loads(Path(path).read_text())
    hosts = Hosts(
        {
            name: Host(name, hostname=address, port=port, username=user, password=password, platform="cisco_ios")
            for name, (address, port) in sorted(devices.items(), key=lambda item: int(item[0][2:]))[: int(size)]
        }
    )
    ConnectionPluginRegister.register(CONNECTION_NAME, Netmiko)
    nornir = Nornir(Inventory(hosts, Groups(), Defaults()), runner=ThreadedRunner(num_workers=int(workers)))
    began = time.perf_counter()
    found = nornir.run(task=netmiko_send_command, command_string="show version")
    seconds = time.perf_counter() - began
    assert not found.failed, found.failed_hosts
    assert len(found) == int(size)
    print(seconds)


main(*sys.argv[1:])
