"""Candidates by NAPALM: loaded, compared, committed with a time after which the device goes back, confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netmiko.exceptions import ConfigInvalidException

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.config_mode import ConfigMode, shown_with_defaults
from automation_bots.drivers.network.config.contract import CommandLine, ConfigChange
from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session import napalm_open
from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.drivers.network.session.netmiko_line import typed

_REFUSES = "the device refuses"
_SAVES = {"write memory", "copy running-config startup-config"}


class Candidate:
    """Any NAPALM driver that has a candidate: EOS, and whatever `napalm_driver` names."""

    goes_back = True

    def __init__(self, work: DeviceRequest, connection: Careful | OnLine) -> None:
        self._platform = work.platform
        self._connection = connection
        self._driver = napalm_open.driver_on(work, self._connection)
        if getattr(self._driver, "config_session", "") is None:
            # A name of the job's own: it can be found again over a new connection, and is nobody else's.
            self._driver.config_session = f"automation_bots_{work.values.get('job', 0)}"
        self._committed = False

    def running(self) -> str:
        """Return the running configuration."""
        found = _asked(self._driver.get_config, retrieve="running")
        return str(found["running"])

    def with_defaults(self) -> str:
        """Return it with what is so by default, where the device shows that."""
        return shown_with_defaults(self._ask, self._platform)

    def _ask(self, command: str) -> str:
        with said():
            return str(self._connection.send_command(command))

    def candidate(self, before: str, wanted: ConfigChange) -> str:  # noqa: ARG002 - the device says it itself
        """Have the device or the driver compare, and drop the candidate."""
        session = getattr(self._driver, "config_session", None)
        self._load(wanted)
        changed = str(_asked(self._driver.compare_config))
        self._drop(session)
        return changed

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Commit; the device goes back by itself after so long where it can."""
        self._load(wanted)
        self._committed = True
        try:
            self._driver.commit_config(revert_in=seconds)
        except NotImplementedError:
            _asked(self._driver.commit_config)
        except Exception as error:
            raise _problem(error) from error

    def confirm(self, *, save: bool) -> None:
        """Keep it; NAPALM saves for the next start too, which is done only where that is wanted."""
        self._connection.saves = save
        if self._pending():
            _asked(self._driver.confirm_commit)
        elif save:
            self._connection.save_config()

    def undo(self, before: str) -> str:
        """Roll back what was committed, then replace by what ran before if that was not all."""
        if self._committed or self._pending():
            session = getattr(self._driver, "config_session", None)
            _asked(self._driver.rollback)
            self._session(session)
            self._committed = False
        left = plans.difference(self.running(), before)
        if left:
            self._load(ConfigChange(config_lines.structured(config_lines.plain(before).splitlines()), replace=True))
            _asked(self._driver.commit_config)
            left = plans.difference(self.running(), before)
        return left

    def _pending(self) -> bool:
        try:
            return bool(self._driver.has_pending_commit())
        except NotImplementedError:
            return False

    def _load(self, wanted: ConfigChange) -> None:
        load = self._driver.load_replace_candidate if wanted.replace else self._driver.load_merge_candidate
        session = getattr(self._driver, "config_session", None)
        try:
            load(config=config_lines.whole(wanted.tree))
        except NotImplementedError as error:
            what = "replace" if wanted.replace else "merge into"
            raise Problem(f"this NAPALM driver cannot {what} a configuration") from error
        except Exception as error:
            self._session(session)
            raise _problem(error) from error

    def _drop(self, session: Any) -> None:
        _asked(self._driver.discard_config)
        self._session(session)

    def _session(self, name: Any) -> None:
        """Drivers forget the name of a session that they dropped."""
        if name is not None and hasattr(self._driver, "config_session"):
            self._driver.config_session = name


class Careful:
    """netmiko's connection as NAPALM gets it: what the device refuses is heard, and saved is only what is to be."""

    def __init__(self, connection: Any, platform: str) -> None:
        self._connection, self._platform = connection, platform
        self.saves = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def send_command(self, command: str, *words: Any, **more: Any) -> Any:
        """Send one command."""
        if command in _SAVES and not self.saves:
            return ""
        return _not_refused(command, str(self._connection.send_command(command, *words, **more)), self._platform)

    def send_config_set(self, lines: Any, **more: Any) -> str:
        """Send lines; the first that is refused ends it, in the way that NAPALM drops its candidate for."""
        if more.get("enter_config_mode", True):
            self._connection.config_mode()
        try:
            typed(self._connection, ConfigMode(self._platform).type(tuple(lines)))
        except Problem as problem:
            self._connection.exit_config_mode()  # NAPALM drops the candidate from outside
            raise ConfigInvalidException(str(problem)) from problem
        return str(self._connection.exit_config_mode()) if more.get("exit_config_mode", True) else ""

    def save_config(self, *words: Any, **more: Any) -> Any:
        """Save for the next start, when that is wanted."""
        return self._connection.save_config(*words, **more) if self.saves else ""


class OnLine:
    """The same for the driver of EOS, which needs so little of netmiko that our own command line can give it."""

    def __init__(self, line: CommandLine, platform: str) -> None:
        self._line, self._platform = line, platform
        self.saves = False

    def send_command(self, command: str, *_words: Any, **_more: Any) -> str:
        """Send one command."""
        if command in _SAVES and not self.saves:
            return ""
        return _not_refused(command, self._line.ask(command), self._platform)

    def send_command_expect(self, _command: str, **_more: Any) -> str:
        """Enter a session; the lines that follow begin with the same."""
        return ""

    def send_config_set(self, lines: Sequence[str], **_more: Any) -> str:
        """Send the lines of a session; the first that is refused ends it."""
        try:
            mode = ConfigMode(self._platform)
            self._line.run(mode.entered(mode.type(lines[1:]), lines[0]))
        except Problem as problem:
            raise ConfigInvalidException(str(problem)) from problem
        return ""

    def save_config(self) -> None:
        """Save for the next start."""
        self._line.save()


def _not_refused(command: str, text: str, platform: str) -> str:
    """Return what was answered to a command; a Problem for one that changes something and is refused."""
    if command.startswith("configure ") and (words := judge.refusal(text, platform)):
        raise Problem(f"{_REFUSES} {command!r}: {words}")
    return text


def _asked(method: Any, **values: Any) -> Any:
    """Call NAPALM; whatever it or netmiko raises is a Problem."""
    try:
        return method(**values)
    except Exception as error:
        raise _problem(error) from error


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return Problem(text if text.startswith(_REFUSES) else f"{_REFUSES} the candidate: {text}")
