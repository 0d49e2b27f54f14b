"""Puts the gate in front of every command, whatever backend, plugin or entry point it comes from.

Errbot's own access control can be left out or fail open, and flows, `!!` and webhooks go around it. So the callable
itself is wrapped at the one place where every command of every plugin is registered: whoever calls it passes the gate.
Errbot's class is changed, not a subclass of it, because any backend by its name must be covered too.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import re
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errbot.core import ErrBot

from automation_bots.errors import BadCommand, BadRepository
from automation_bots.model import Answer, one_line
from automation_bots.text.linear_groups import LinearPattern
from backends.adapter import answering, changes, origin, own_commands
from backends.adapter.answering import automation, safely
from backends.adapter.find_command import process_message
from backends.adapter.plain_surface import PlainSurface
from backends.plugins import by_hand

if TYPE_CHECKING:
    from backends.adapter.host import Host

log = logging.getLogger(__name__)
_OWN_COMMANDS = Path(own_commands.__file__).resolve()
_ALONE = frozenset({"restart", "shutdown"})  # of Errbot, about the bot itself
_END = object()  # of a command that answers in steps


def install() -> None:
    """Change Errbot's class; once, before any backend is made."""
    if getattr(ErrBot, "automation_guarded", False):
        return
    ErrBot.automation_guarded = True
    by_hand.install()
    ErrBot.inject_commands_from = _guarded_injection(ErrBot.inject_commands_from)
    ErrBot.remove_commands_from = remove_commands_from
    ErrBot.process_message = process_message
    ErrBot._process_command_filters = _with_record(ErrBot._process_command_filters)
    _give_defaults()
    ErrBot.connect_callback = _with_start(ErrBot.connect_callback)
    ErrBot.disconnect_callback = _with_away(ErrBot.disconnect_callback)
    ErrBot.shutdown = _with_stop(ErrBot.shutdown)


def _give_defaults() -> None:
    """Give every backend what our own have better: who said something, where, and how it is answered."""
    ErrBot.automation_ledger = ledger = functools.cached_property(changes.ledger)
    ledger.__set_name__(ErrBot, "automation_ledger")
    ErrBot.automation_free = ()
    ErrBot.automation_origin, ErrBot.automation_answer = origin.of, answering.answer
    ErrBot.automation_caller, ErrBot.automation_place = origin.caller, origin.place
    ErrBot.automation_surface = surface = functools.cached_property(PlainSurface)
    surface.__set_name__(ErrBot, "automation_surface")


# -- commands


def _guarded_injection(original: Any) -> Any:
    @functools.wraps(original)
    def inject_commands_from(bot: Host, plugin: Any) -> None:
        for name, old in list(vars(plugin).items()):
            if inspect.ismethod(old) and getattr(old, "automation_guarded", False):
                delattr(plugin, name)  # a reload gives the plugin another class, whose commands this would hide
        for name, method in inspect.getmembers(plugin, inspect.ismethod):
            if getattr(method, "_err_command", False) and not getattr(method, "automation_guarded", False):
                setattr(plugin, name, _linear(_guarded(bot, plugin, method)))
                if _replaced(plugin, name):
                    getattr(plugin, name).__func__._err_command = False
        with bot.automation_ledger.writing(plugin):
            _make_room(bot, plugin)
            original(bot, plugin)

    return inject_commands_from


def remove_commands_from(bot: Host, plugin: Any) -> None:
    """Take away the commands of a plugin; Errbot's own would take those that others have under the same names too."""
    with bot.automation_ledger.writing(plugin):
        for table in (bot.commands, bot.re_commands):
            for name in [name for name, command in table.items() if command.__self__ is plugin]:
                del table[name]


def _with_record(original: Any) -> Any:
    """What Errbot's own access control refuses, where somebody switched it on, stands in the record as well."""

    @functools.wraps(original)
    def process_command_filters(bot: Host, msg: Any, cmd: str, args: Any, dry_run: bool = False) -> Any:  # noqa: FBT001, FBT002 - Errbot's signature
        kept = original(bot, msg, cmd, args, dry_run)
        if kept[0] is None and not dry_run:
            automation(bot).pipeline.filtered(bot.automation_origin(msg).command(cmd))
        return kept

    return process_command_filters


def is_ours(method: Any) -> bool:
    """Whether a command's code is one of our own plugins, which ask the pipeline or the bot themselves."""
    source = Path(method.__func__.__code__.co_filename).resolve()
    return source == _OWN_COMMANDS or by_hand.is_ours(source)


def _replaced(plugin: Any, name: str) -> bool:
    """Errbot's own `!repos …` runs what it fetches before anybody looked, so it is no command here; ours is."""
    return plugin.name == "Plugins" and type(plugin).__module__.startswith("errbot.") and name.startswith("repos")


def _make_room(bot: Host, plugin: Any) -> None:
    """Our commands have their names: a command of Errbot's own with the same name gives way (`!status`, `!uptime`)."""
    for _, method in inspect.getmembers(plugin, inspect.ismethod):
        name = getattr(method, "_err_command_name", "")
        holder = bot.commands.get(name)
        if holder is not None and getattr(method, "automation_ours", False) and not holder.automation_ours:
            log.info("the command %s of %s gives way to ours", name, holder.__self__.name)
            del bot.commands[name]


def _guarded(bot: Host, plugin: Any, method: Any) -> Any:
    ours = is_ours(method)
    free = ours or plugin.name in bot.automation_free

    def judged(msg: Any, args: Any) -> Answer | None:
        if free:
            return None
        command = method._err_command_name  # with _ between its words: one name, which a rule can say
        who = bot.automation_origin(msg)
        if command in _ALONE and any(not word.startswith("-") for word in str(args or "").split()):
            return automation(bot).pipeline.lookup.unknown(who.command(command, str(args)))  # of a service, or a device
        return automation(bot).pipeline.plugin_commands.judge(who.caller, who.place, command, str(args or ""))

    if inspect.isgeneratorfunction(method):

        @functools.wraps(method.__func__)
        def guarded(_self: Any, msg: Any, args: Any) -> Any:
            refusal = safely(bot, msg, lambda: judged(msg, args) or True)
            steps = iter(method(msg, args)) if refusal is True else iter(())
            while (step := safely(bot, msg, lambda: (next(steps, _END),))) and step[0] is not _END:
                yield _clear(bot, step[0])
    else:

        @functools.wraps(method.__func__)
        def guarded(_self: Any, msg: Any, args: Any) -> Any:
            return _clear(bot, safely(bot, msg, lambda: judged(msg, args) or method(msg, args)))

    return types.MethodType(_marked(guarded, ours=ours), plugin)


def _marked(function: Any, *, ours: bool) -> Any:
    function.automation_guarded, function.automation_ours = True, ours
    # The gate asks who is an admin; Errbot's own way drains its thread pool, and every other command waits for that.
    function._err_command_admin_only = function._err_command_historize = False
    return function


def _linear(method: Any) -> Any:
    """Let its pattern, which meets what everybody says, run in linear time; one that cannot is refused."""
    pattern = getattr(method, "_err_command_re_pattern", None)
    if isinstance(pattern, re.Pattern):
        code = inspect.unwrap(method.__func__).__code__
        try:
            method.__func__._err_command_re_pattern = LinearPattern(pattern.pattern, pattern.flags)
        except BadCommand as error:
            where = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
            raise BadRepository(
                f"{where}: the pattern {one_line(pattern.pattern, 80)!r} could hang the bot: {error}."
            ) from error
    return method


def _clear(bot: Host, said: Any) -> Any:
    """Take secrets out of what a plugin from elsewhere says in its own words."""
    return automation(bot).redactor.text(said) if isinstance(said, str) else said


def _commands_of_plugins(bot: Host) -> list[tuple[str, str]]:
    """What others have made: as it is typed, and its first line."""
    theirs = [(name, one) for name, one in sorted(bot.commands.items()) if not getattr(one, "automation_ours", False)]
    return [
        (name.replace("_", " "), one_line((one.__doc__ or "").strip().partition("\n")[0], 90)) for name, one in theirs
    ]


# -- life


def _with_start(original: Any) -> Any:
    @functools.wraps(original)
    def connect_callback(bot: Host) -> None:
        bot.automation_ledger.seal()
        original(bot)
        if isinstance(surface := bot.automation_surface, PlainSurface):
            surface.here.set()
        automation(bot).at_stop(bot.automation_ledger.stop)
        automation(bot).help_sources.plugins = lambda: _commands_of_plugins(bot)
        automation(bot).start(surface)
        bot.automation_ledger.start()
        atexit.register(automation(bot).stop)  # not every backend calls its shutdown

    return connect_callback


def _with_away(original: Any) -> Any:
    @functools.wraps(original)
    def disconnect_callback(bot: Host) -> None:
        if isinstance(surface := bot.automation_surface, PlainSurface):
            surface.here.clear()  # it cannot see by itself whether its network is there
        original(bot)

    return disconnect_callback


def _with_stop(original: Any) -> Any:
    @functools.wraps(original)
    def shutdown(bot: Host) -> None:
        automation(bot).stop()
        original(bot)

    return shutdown
