"""A real Zabbix server with its API: a database of its own in the tests' PostgreSQL, and PHP's own web server."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.fakes.postgres import Postgres

SERVER = shutil.which("zabbix_server", path="/usr/sbin:/sbin:/usr/bin")
FRONT_END = Path("/usr/share/zabbix")
_SQL = Path("/usr/share/zabbix-server-pgsql")
_NAMES = itertools.count(1)
# Of the data, without which nobody can log in. Templates, pictures and dashboards are nine tenths of what is left out.
_NEEDED = re.compile(rb"INSERT INTO (?:role|role_rule|users|usrgrp|users_groups|hstgrp|config) ")
_CONF = """
ListenIP=127.0.0.1
ListenPort={port}
SourceIP=127.0.0.1
LogFile={folder}/server.log
PidFile={folder}/pid
SocketDir={folder}
AlertScriptsPath={folder}
ExternalScripts={folder}
DBHost={database}
DBName={name}
DBUser=bot
AllowRoot=1
StartPollers=0
StartPollersUnreachable=0
StartPreprocessors=1
StartTrappers=1
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartODBCPollers=0
StartHistoryPollers=1
StartEscalators=1
StartAlerters=1
StartDBSyncers=1
StartLLDProcessors=1
StartTimers=1
CacheUpdateFrequency=3600
"""
_WEB = """<?php
$DB['TYPE'] = 'POSTGRESQL'; $DB['SERVER'] = '{database}'; $DB['PORT'] = '0'; $DB['DATABASE'] = '{name}';
$DB['USER'] = 'bot'; $DB['PASSWORD'] = ''; $DB['SCHEMA'] = ''; $DB['ENCRYPTION'] = false; $DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1'; $ZBX_SERVER_PORT = '{port}'; $ZBX_SERVER_NAME = 'lab';
"""


def missing() -> str:
    """What of it this machine lacks; empty when all is there."""
    found = {"zabbix_server": SERVER, "the front end": FRONT_END.exists(), "php": shutil.which("php")}
    return ", ".join(name for name, there in found.items() if not there)


class Zabbix:
    """Use as a context manager; `call` asks its API as the administrator, `send` gives it a value of an item."""

    def __init__(self, folder: Path, postgresql: Postgres) -> None:
        self.folder, self._database, self.name = folder, postgresql.folder, f"zabbix{next(_NAMES)}"
        self.port, self._web_port = _low_port(), _free_port()
        self.url = f"http://127.0.0.1:{self._web_port}/api_jsonrpc.php"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._token = ""

    def __enter__(self) -> Self:
        self._fill()
        self._web()
        self._token = self.call("user.login", {"username": "Admin", "password": "zabbix"})
        self._server()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):  # the server before its database, else it waits for that for ever
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def call(self, method: str, params: Any) -> Any:
        """Ask the API; an AssertionError says what it refused."""
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        if self._token:
            body["auth"] = self._token
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json-rpc"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "error" not in said, (method, said["error"])
        return said["result"]

    def reload(self) -> None:
        """Let the server know what was set up by the API."""
        subprocess.run(
            [str(SERVER), "-c", str(self.folder / "server.conf"), "-R", "config_cache_reload"],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def send(self, host: str, key: str, value: str) -> int:
        """Send a value as zabbix_sender does; returns how many values were taken."""
        body = json.dumps({"request": "sender data", "data": [{"host": host, "key": key, "value": value}]}).encode()
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(b"ZBXD\1" + struct.pack("<II", len(body), 0) + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(re.findall(rb"processed: (\d+)", answer)[0])

    # -- what it watches

    def set_up(self, media_type: str, url: str, token: str) -> str:
        """A host with a trigger, and a user of the bot's own who is told of it; returns that user's token."""
        self.call("configuration.import", {"format": "yaml", "source": media_type, "rules": {
            "mediaTypes": {"createMissing": True, "updateExisting": True}}})  # fmt: skip
        for macro, value, kind in (("URL", url, 0), ("TOKEN", token, 1)):
            self.call("usermacro.createglobal", {"macro": f"{{$AUTOMATION_BOT.{macro}}}", "value": value, "type": kind})
        group = self.call("hostgroup.create", {"name": "Network"})["groupids"][0]
        self._host(group)
        user = self._user(group)
        self._actions(group, user)
        self.reload()
        token_id = self.call("token.create", {"name": "bot", "userid": user})["tokenids"][0]
        return str(self.call("token.generate", [token_id])[0]["token"])

    def _host(self, group: str) -> None:
        host = self.call("host.create", {
            "host": "core1", "name": "core1 (Madrid)", "groups": [{"groupid": group}],
            "tags": [{"tag": "site", "value": "madrid"}],
            "interfaces": [{"type": 1, "main": 1, "useip": 1, "ip": "192.0.2.1", "dns": "", "port": "10050"}],
        })["hostids"][0]  # fmt: skip
        self.call("item.create", {
            "hostid": host, "name": "BGP state", "key_": "bgp.state", "type": 2, "value_type": 3,
        })  # fmt: skip
        self.call("trigger.create", {
            "description": "BGP session to 192.0.2.7 is down", "expression": "last(/core1/bgp.state)<>6", "priority": 4,
            "tags": [{"tag": "peer", "value": "192.0.2.7"}], "manual_close": 1, "opdata": "state {ITEM.LASTVALUE1}",
        })  # fmt: skip

    def _user(self, group: str) -> str:
        rights = [{"id": group, "permission": 3}]
        group_of_bots = self.call("usergroup.create", {"name": "bots", "rights": rights})["usrgrpids"][0]
        # Whoever shares a group with the bot's user is named to it; others are an "Inaccessible user".
        self.call("user.update", {"userid": "1", "usrgrps": [{"usrgrpid": "7"}, {"usrgrpid": group_of_bots}]})
        kind = self.call("mediatype.get", {"filter": {"name": "Automation bot"}})[0]["mediatypeid"]
        return str(self.call("user.create", {
            "username": "automation-bot", "passwd": "Xy7-operations!", "roleid": "1",
            "usrgrps": [{"usrgrpid": group_of_bots}], "medias": [{"mediatypeid": kind, "sendto": "netops"}],
        })["userids"][0])  # fmt: skip

    def _actions(self, group: str, user: str) -> None:
        for source in (0, 3):  # triggers; the server's own troubles with items and triggers
            condition = {"conditiontype": 0, "operator": 0, "value": group}
            send = [{"operationtype": 0, "opmessage_usr": [{"userid": user}], "opmessage": {"default_msg": 1}}]
            wanted = {
                "name": f"to the bot {source}", "eventsource": source, "esc_period": "1h",
                "filter": {"evaltype": 0, "conditions": [condition]}, "operations": send,
                "recovery_operations": [{"operationtype": 11, "opmessage": {"default_msg": 1}}],
            }  # fmt: skip
            if source == 0:
                wanted["update_operations"] = [{"operationtype": 12, "opmessage": {"default_msg": 1}}]
            else:
                wanted.pop("esc_period")
            self.call("action.create", wanted)

    # -- how it is started

    def _fill(self) -> None:
        self._sql("postgres", f"CREATE DATABASE {self.name};".encode())
        schema = gzip.decompress((_SQL / "schema.sql.gz").read_bytes())
        with gzip.open(_SQL / "data.sql.gz") as lines:
            needed = b"".join(line for line in lines if _NEEDED.match(line))
        self._sql(self.name, schema + needed)

    def _sql(self, database: str, text: bytes) -> None:
        argv = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", self._database, "-U", "bot", "-d", database]
        subprocess.run(argv, input=text, check=True, stdout=subprocess.DEVNULL)

    def _web(self) -> None:
        """A copy, since where its settings are stands in its code."""
        web = self.folder / "web"
        web.mkdir()
        for part in ("include", "local", "modules", "vendor", "conf", "data"):
            shutil.copytree(FRONT_END / part, web / part, symlinks=False, ignore_dangling_symlinks=True)
        shutil.copy(FRONT_END / "api_jsonrpc.php", web)
        code = web / "include/classes/core/CConfigFile.php"
        settings = self.folder / "zabbix.conf.php"
        code.write_text(code.read_text().replace("/etc/zabbix/zabbix.conf.php", str(settings)))
        settings.write_text(_WEB.format(database=self._database, name=self.name, port=self.port))
        limits = ["-d", "memory_limit=256M", "-d", "max_execution_time=300", "-d", "date.timezone=UTC"]
        limits += ["-d", "opcache.enable_cli=1"]
        self._start("php", *limits, "-S", f"127.0.0.1:{self._web_port}", "-t", str(web))
        _listening(self._web_port)

    def _server(self) -> None:
        settings = {"folder": self.folder, "port": self.port, "database": self._database, "name": self.name}
        (self.folder / "server.conf").write_text(_CONF.format(**settings))
        self._start(str(SERVER), "-f", "-c", str(self.folder / "server.conf"))
        _listening(self.port)

    def _start(self, *argv: str) -> None:
        with (self.folder / f"{Path(argv[0]).name}.out").open("wb") as out:
            self._processes.append(subprocess.Popen(argv, stdout=out, stderr=out, start_new_session=True))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _low_port() -> int:
    """The server takes none above 32767."""
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket() as free:
            if free.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port below 32768")


def _listening(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")
