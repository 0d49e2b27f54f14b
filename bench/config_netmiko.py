"""What somebody without the bot would write: netmiko's `send_config_set` on many devices; prints seconds."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import netmiko


def main() -> None:
    asked = json.load(sys.stdin)

    def configure(port: int) -> None:
        with netmiko.ConnectHandler("127.0.0.1", device_type="cisco_ios", port=port, **asked["account"]) as connection:
            connection.send_config_set(asked["lines"], read_timeout=60)

    began = time.perf_counter()
    with ThreadPoolExecutor(asked["workers"]) as pool:
        list(pool.map(configure, asked["ports"]))
    print(time.perf_counter() - began)


main()
