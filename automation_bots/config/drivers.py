"""The tables of bot.toml about the ways to devices: [drivers.*]."""

from __future__ import annotations

from pydantic import Field, field_validator

from automation_bots.config.strict import Strict, no_secret_in_clear
from automation_bots.drivers import defaults


class AnsibleSettings(Strict):
    """[drivers.ansible]."""

    forks: int = Field(defaults.ANSIBLE_FORKS, ge=1)
    preload: bool = True
    environment: dict[str, str] = {}

    _clear = field_validator("environment")(no_secret_in_clear)


class SshSettings(Strict):
    """[drivers.ssh]."""

    parallel: int = Field(defaults.SSH_PARALLEL, ge=1, le=5000)
    connect_seconds: float = Field(defaults.CONNECT_SECONDS, gt=0)
    keep_seconds: float = Field(defaults.KEEP_SECONDS, ge=0)
    keep: int = Field(defaults.SSH_KEEP, ge=0)
    known_hosts: str = "known_hosts"
    key_files: list[str] = []
    agent: bool = True
    config: str = ""


class PowerShellSettings(Strict):
    """[drivers.powershell]."""

    parallel: int = Field(defaults.POWERSHELL_PARALLEL, ge=1)
    connect_seconds: float = Field(defaults.CONNECT_SECONDS, gt=0)
    ca: str = ""  # file of the CA that signed the devices' certificates


class SaltSettings(Strict):
    """[drivers.salt]: where salt-api is, and who the bot is there; off unless a url is given."""

    url: str = Field("", pattern=r"^(https?://[^/@\s]+(/[^@\s]*[^/@\s])?)?$")
    user: str = ""
    password: str = ""
    eauth: str = defaults.SALT_EAUTH
    ca: str = ""
    answer_seconds: float = Field(defaults.SALT_ANSWER_SECONDS, gt=0)

    @field_validator("password")
    @classmethod
    def _reference(cls, value: str) -> str:
        no_secret_in_clear({"password": value} if value else {})
        return value


class NetworkSettings(Strict):
    """[drivers.network]; known_hosts, key_files, agent and connect_seconds are those of [drivers.ssh]."""

    parallel: int = Field(defaults.NETWORK_PARALLEL, ge=1)
    threads: int = Field(defaults.NETWORK_THREADS, ge=1)
    read_seconds: float = Field(defaults.NETWORK_READ_SECONDS, gt=0)
    keep_seconds: float = Field(defaults.KEEP_SECONDS, ge=0)
    config_limit: int = Field(defaults.CONFIG_LIMIT, ge=1000)  # a longer configuration is no backup


class PythonSettings(Strict):
    """[drivers.python]."""

    environment: dict[str, str] = {}

    _clear = field_validator("environment")(no_secret_in_clear)


class ReachSettings(Strict):
    """[drivers.reach]."""

    packets_per_second: float = Field(defaults.REACH_PACKETS_PER_SECOND, ge=0)  # 0: as many as go


class DriverSettings(Strict):
    """[drivers.*]."""

    ansible: AnsibleSettings = AnsibleSettings()
    ssh: SshSettings = SshSettings()
    powershell: PowerShellSettings = PowerShellSettings()
    salt: SaltSettings = SaltSettings()
    network: NetworkSettings = NetworkSettings()
    python: PythonSettings = PythonSettings()
    reach: ReachSettings = ReachSettings()
    output_limit: int = Field(defaults.OUTPUT_LIMIT, ge=1000)  # characters kept per device
