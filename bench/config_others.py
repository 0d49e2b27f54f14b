"""What somebody without the bot would write: netmiko's `send_config_set`, or NAPALM, on devices; prints seconds."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def with_netmiko(port: int, user: str, password: str, lines: list[str]) -> None:
    import netmiko

    account = {"username": user, "password": password}
    with netmiko.ConnectHandler("127.0.0.1", device_type="cisco_ios", port=port, **account) as connection:
        connection.send_config_set(lines, read_timeout=60)


def with_napalm(port: int, user: str, password: str, lines: list[str]) -> None:
    import napalm

    arguments = {"transport": "ssh", "port": port}
    with napalm.get_network_driver("eos")("127.0.0.1", user, password, optional_args=arguments) as device:
        device.load_merge_candidate(config="\n".join(lines))
        if not device.compare_config():
            sys.exit("nothing to commit")
        device.commit_config()


WAYS = {"netmiko": with_netmiko, "napalm": with_napalm}


def main() -> None:
    asked = json.load(sys.stdin)
    account, lines, way = asked["account"], asked["lines"], WAYS[asked["way"]]
    began = time.perf_counter()
    with ThreadPoolExecutor(asked["workers"]) as pool:
        list(pool.map(lambda port: way(port, *account, lines), asked["ports"]))
    print(time.perf_counter() - began)


main()
