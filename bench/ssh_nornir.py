"""The same with nornir and netmiko, in an environment of its own: ssh_nornir.py PORT KEY COUNT THREADS."""

import sys
import time

from nornir.core import Nornir
from nornir.core.inventory import ConnectionOptions, Defaults, Groups, Host, Hosts, Inventory
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import ThreadedRunner
from nornir_netmiko.connections import CONNECTION_NAME, Netmiko
from nornir_netmiko.tasks import netmiko_send_command

port, key, count, threads = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
ConnectionPluginRegister.register(CONNECTION_NAME, Netmiko)
extras = {"use_keys": True, "key_file": key, "allow_agent": False, "fast_cli": True}
options = {CONNECTION_NAME: ConnectionOptions(extras=extras)}
hosts = Hosts(
    {
        name: Host(
            name, hostname="127.0.0.1", port=port, username="bench", platform="cisco_ios", connection_options=options
        )
        for name in (f"d{number}" for number in range(count))
    }
)
nornir = Nornir(Inventory(hosts, Groups(), Defaults()), runner=ThreadedRunner(num_workers=threads))
began = time.perf_counter()
result = nornir.run(task=netmiko_send_command, command_string="show version")
seconds = time.perf_counter() - began
assert not result.failed, next(iter(result.failed_hosts.items()))
assert all("Simulated OS" in one[0].result for one in result.values())
print(seconds)
