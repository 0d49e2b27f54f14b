"""The command `automation-bots`: run, demo, new bot, check, doctor, install, and all that its --help lists."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType

from automation_bots import __version__
from automation_bots.cli import audit as audit_cli
from automation_bots.cli import backup as cli_backup
from automation_bots.cli import completion
from automation_bots.cli import db as cli_db
from automation_bots.cli import peer as cli_peer
from automation_bots.cli import redact as cli_redact
from automation_bots.cli.install import command as cli_install
from automation_bots.errors import AutomationError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors are one sentence on stderr and exit code 1."""
    parsed = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = parsed.action
    try:
        return action(parsed)
    except AutomationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "automation-bots", description="Chat commands for IT operations.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _command(commands, "run", _run, "run a bot from its folder", "folder")
    _command(commands, "demo", _demo, "run the demo with its simulated devices")
    check = _command(
        commands,
        "check",
        _check,
        "check a bot's folder: settings, inventory, policy and its tests, operations",
        "folder",
    )
    check.add_argument("--fix-permissions", action="store_true", help="first take away what others must not be allowed")
    check.add_argument("--live", action="store_true", help="instead: try the chat network out, in the room given")
    check.add_argument("--room", default="", help="with --live: where to post; all of it is deleted again")
    check.add_argument(
        "--second",
        action="append",
        default=[],
        metavar="KEY=env:NAME",
        help="with --live: the credentials of another account, by the names of [chat]",
    )
    _command(commands, "doctor", _doctor, "look for what is wrong around a bot; beside a running one", "folder")
    new = commands.add_parser("new", help="write a starter folder: new bot NAME").add_subparsers(
        required=True, metavar="what"
    )
    _command(new, "bot", _new_bot, "write bots/NAME with comments in every file", "name")
    _policy_commands(commands)
    trust = _command(commands, "trust", _trust, "look at a device's SSH host keys and trust them", "folder")
    trust.add_argument("device")
    trust.add_argument("--yes", action="store_true", help="trust without asking; for scripts that have checked")
    install = _command(
        commands,
        "install-requirements",
        _install_requirements,
        "fetch the roles and collections of playbooks",
        "folder",
    )
    install.add_argument("--yes", action="store_true", help="install without asking, if everything is pinned")
    _try_command(commands)
    cli_db.add(commands)
    cli_install.add(commands, _command, _completions)
    shells = _command(commands, "completion", _completion, "completion for a shell: bash, zsh, fish")
    shells.add_argument("shell", choices=list(completion.SHELLS))
    for group in (audit_cli, cli_peer, cli_backup, cli_redact):
        group.add(commands, _command)
    return parser


def _completions() -> dict[str, str]:
    return {path: completion.script(_parser(), shell) for shell, path in completion.SHELLS.items()}


def _completion(parsed: argparse.Namespace) -> int:
    sys.stdout.write(completion.script(_parser(), parsed.shell))
    return 0


def _try_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "what a command would do, without doing it; or: try windows FOLDER DEVICE"
    trial = _command(commands, "try", _try, about, "folder")
    trial.add_argument("words", nargs="+", help="the command, such as '!patch on web'")
    trial.add_argument("--as", dest="who", default="", help="as whom of policy.yml")
    trial.add_argument("--in", dest="where", default="dm", help="in which room; without it, in a direct message")


def _policy_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser("policy", help="policy check|test|diff FOLDER").add_subparsers(
        required=True, metavar="what"
    )
    _command(policy, "check", _policy_check, "lint a policy and run its test cases", "folder")
    _command(policy, "test", _policy_test, "run the test cases of a policy", "folder")
    diff = _command(policy, "diff", _policy_diff, "what another policy.yml would change", "folder", "other")
    diff.add_argument("--days", type=int, default=31, help="how far back requests are judged again (31)")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # argparse has no public name for it
    name: str,
    action: Callable[[argparse.Namespace], int],
    help_: str,
    *positional: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=help_, allow_abbrev=False)
    for argument in positional:
        parser.add_argument(argument)
    parser.set_defaults(action=action)
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # a line is read while the next one is being found out


def _run(parsed: argparse.Namespace) -> int:
    from automation_bots.config import settings
    from automation_bots.processes.own import ROOT

    folder = Path(parsed.folder).resolve()
    settings.load(folder)  # a wrong file is said before anything else starts
    environment = {**os.environ, "AUTOMATION_BOT": str(folder)}
    command = [sys.executable, "-m", "errbot.cli", "-c", str(ROOT / "config.py")]
    os.execve(sys.executable, command, environment)  # noqa: S606 - the bot takes this process over, signals and all


def _doctor(parsed: argparse.Namespace) -> int:
    from automation_bots import doctor
    from automation_bots.doctor import chat

    with _quiet():
        return _report(doctor.examine(Path(parsed.folder), os.environ, partial(chat.look, _load_backend)))


def _load_backend(name: str) -> None:
    """Try a network that only Errbot has a backend for."""
    _installed().load(name)


def _known_backend(name: str) -> None:
    """Raise where there is no network of that name."""
    from automation_bots.chat.registry import NETWORKS

    if name not in {*NETWORKS, "Text", "IRC"}:
        _installed().named(name)


def _installed() -> ModuleType:
    """What Errbot has backends for; Errbot itself is loaded for networks alone that are not ours."""
    from automation_bots.config.bot_folder import ROOT

    sys.path.append(str(ROOT))  # `backends` stands beside this package, and is not installed with it
    from backends.adapter import installed

    return installed


def _try(parsed: argparse.Namespace) -> int:
    if parsed.folder == "windows" and len(parsed.words) == 2:
        return _try_windows(Path(parsed.words[0]), parsed.words[1])
    if not parsed.who:
        raise AutomationError("As whom? → automation-bots try bots/netbot '!patch on web' --as ana --in '#ops'")
    from automation_bots.doctor import as_if

    for line in as_if.lines(Path(parsed.folder), " ".join(parsed.words), parsed.who, parsed.where):
        _say(line)
    return 0


def _try_windows(folder: Path, device: str) -> int:
    from automation_bots.cli import try_windows

    return try_windows.run(folder, device)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep all logs quiet meanwhile: what the libraries of a network complain of may hold secrets."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _demo(_parsed: argparse.Namespace) -> int:
    from automation_bots.demo import session

    return session.run()


def _check(parsed: argparse.Namespace) -> int:
    if parsed.live:
        return _try_live(parsed)
    from automation_bots.doctor import check as checks

    if parsed.fix_permissions:
        _fix_permissions(Path(parsed.folder))
    return _report(checks.folder(Path(parsed.folder), _known_backend))


def _try_live(parsed: argparse.Namespace) -> int:
    from automation_bots.doctor import chat_trial

    with _quiet():
        return _report(chat_trial.lines(Path(parsed.folder), parsed.room, parsed.second, os.environ))


def _fix_permissions(folder: Path) -> None:
    from automation_bots.config.bot_folder import BotFolder

    for found in list(BotFolder(folder, untouched=True).exposed()):
        found.close()
        _say(f"{found.command} {found.path}")


def _policy_check(parsed: argparse.Namespace) -> int:
    from automation_bots.doctor import check as checks

    return _report(checks.policy_only(Path(parsed.folder)))


def _policy_test(parsed: argparse.Namespace) -> int:
    from automation_bots.doctor import check as checks

    return _report(checks.tests_only(Path(parsed.folder)))


def _policy_diff(parsed: argparse.Namespace) -> int:
    """Judge the recorded requests by another policy; exit code 1 when something changes, as diff does."""
    from automation_bots import render
    from automation_bots.app.bot import Bot, now
    from automation_bots.pipeline import replay
    from automation_bots.policy import policy
    from automation_bots.store import Store

    bot, other = Bot(Path(parsed.folder), read_only=True), policy.load(Path(parsed.other))
    store = Store.open(bot.data, exclusive=False)
    rows = store.audit_rows(limit=1_000_000, since=now() - timedelta(days=parsed.days))
    looked, found = replay.differences(bot.live, other, rows)
    for one, times in found.most_common():
        _say(f"{times}×  {one.person}: {one.what}: {one.before} → {one.after}")
        if one.reason:
            _say(f"     {one.reason}")
    requests = render.many(looked, "request")
    _say(f"{requests} of the last {parsed.days} days: {sum(found.values())} would be answered differently.")
    return 1 if found else 0


def _report(lines: Iterable[tuple[str, str]]) -> int:
    from automation_bots.doctor import check as checks

    return checks.report(lines, _say)


def _new_bot(parsed: argparse.Namespace) -> int:
    from automation_bots.cli import new_bot

    folder = new_bot.write(Path("bots"), parsed.name)
    _say(f"Wrote {folder}. Next: put yourself into policy.yml and your devices into inventory/hosts.yml there,")
    _say(f"then:  automation-bots check {folder}  and  automation-bots run {folder}")
    return 0


def _trust(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import Bot, now
    from automation_bots.drivers.ssh import known_hosts
    from automation_bots.drivers.ssh.offered import offered_keys

    bot = Bot(Path(parsed.folder), read_only=True)
    device = bot.inventory.device(parsed.device)
    port = int(device.variables.get("ansible_port", 22))
    offered = offered_keys(device.address, port, 10)
    for key in offered:
        _say(f"{device.name} ({device.address} port {port}) offers {key.type} {key.fingerprint}")
    if not parsed.yes and not _sure("Trust these keys? Compare them with the device's console first. [yes/no] "):
        _say("Nothing was changed.")
        return 1
    note = f"trusted by {getpass.getuser()} on {now().strftime('%Y-%m-%d %H:%M UTC')}"
    known_hosts.trust(bot.bot_folder.known_hosts, device.address, port, [f"{key.line} {note}" for key in offered])
    _say(f"Trusted; written to {bot.bot_folder.known_hosts}")
    return 0


def _install_requirements(parsed: argparse.Namespace) -> int:
    from automation_bots.cli import install_requirements

    return install_requirements.run(Path(parsed.folder), _say, None if parsed.yes else _sure)


def _sure(question: str) -> bool:
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # nobody is there to ask
        return False


if __name__ == "__main__":
    sys.exit(main())
