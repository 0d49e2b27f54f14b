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
import threading
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

from errbot.core import ErrBot

from automation_bots import grammar
from automation_bots.bot import Bot
from automation_bots.errors import AutomationError, StoreError, UserError
from automation_bots.mixin import attached
from automation_bots.model import Answer, one_line
from automation_bots.pipeline import Said
from backends import by_hand
from backends.lanes import in_lanes
from backends.plain import PlainSurface, caller_of, message_id_of, place_of

log = logging.getLogger(__name__)
_COMMAND_WORDS = 4  # no command has more words than this
_END = object()  # of a command that answers in steps
_REGEX_LENGTH = 1_000  # regular expressions of plugins from elsewhere see no longer message


def install() -> None:
    """Change Errbot's class; once, before any backend is made."""
    if getattr(ErrBot, "automation_guarded", False):
        return
    ErrBot.automation_guarded = True
    by_hand.install()
    ErrBot.inject_commands_from = _guarded_injection(ErrBot.inject_commands_from)
    ErrBot.remove_commands_from = remove_commands_from
    ErrBot.process_message = process_message
    ErrBot.automation_who = lambda bot, msg: (caller_of(bot, msg), place_of(bot, msg))
    ErrBot.connect_callback = _with_start(ErrBot.connect_callback)
    ErrBot.disconnect_callback = _with_away(ErrBot.disconnect_callback)
    ErrBot.shutdown = _with_stop(ErrBot.shutdown)


def automation(bot: ErrBot) -> Bot:
    """The bot's own side; without it nothing runs."""
    found: Bot = bot.bot_config.AUTOMATION
    return found


def surface_of(bot: ErrBot) -> Any:
    """How this network is spoken to: the backend's own surface, or one that Errbot's interface can do."""
    if not hasattr(bot, "automation_surface"):
        bot.automation_surface = PlainSurface(bot)
    return bot.automation_surface


# -- messages


def process_message(bot: ErrBot, msg: Any) -> bool:
    """Find the command of a message and hand it to Errbot's thread pool; replaces Errbot's own search.

    Errbot's search takes quadratic time on long messages, and its `!!` ends the receiving thread after a regex command.
    """
    if msg.delayed or bot.is_from_self(msg) or (msg.extras and msg.extras.get("notice")):
        return False  # no program answers a notice of IRC (RFC 2812 §3.3.2): two of them would go on for ever
    text = grammar.clean(msg.body or "")
    if not text:
        return False
    in_lanes(bot)
    msg.extras.setdefault("lane", _lane(bot, msg))
    prefixed, words = _addressed(bot, text)
    if not prefixed and automation(bot).pipeline.dialogue.asked(caller_of(bot, msg), place_of(bot, msg)):
        later(bot, msg, lambda: _answer(bot, msg, text))
        return True
    command, rest = _command(bot, words) if prefixed or msg.is_direct else ("", "")
    if command:
        _process(bot, msg, command, rest)
    elif not _regex_commands(bot, msg, words, prefixed=prefixed) and (prefixed or msg.is_direct):
        later(bot, msg, lambda: _unknown(bot, msg, words))
    return True


def _lane(bot: ErrBot, msg: Any) -> str:
    """Where a network has no threads, what one person says in one place is answered in that order."""
    return f"{place_of(bot, msg).room} {caller_of(bot, msg).id}"


def meant(bot: ErrBot, msg: Any) -> tuple[str, str, bool]:
    """Return the command of a message, what stands behind it, and whether the bot is meant at all."""
    prefixed, words = _addressed(bot, grammar.clean(msg.body or ""))
    called = prefixed or msg.is_direct
    command, rest = _command(bot, words) if called else ("", "")
    return command, rest, called or automation(bot).pipeline.dialogue.asked(caller_of(bot, msg), place_of(bot, msg))


def _process(bot: ErrBot, msg: Any, command: str, rest: str) -> None:
    try:
        bot._process_command(msg, command, rest, None)
    except KeyError:  # its file was taken away in this very moment
        later(bot, msg, lambda: _unknown(bot, msg, f"{command} {rest}"))


def _is_first(bot: ErrBot, msg: Any) -> bool:
    """Whether this message was not seen before; asked where it would do something, never in the receiving thread."""
    message_id = message_id_of(msg)
    if not message_id:
        return True
    with vars(msg).setdefault("automation_lock", threading.Lock()):  # several commands may match one message
        if not hasattr(msg, "automation_first"):
            ours = automation(bot)
            try:
                msg.automation_first = ours.store.first_seen(ours.settings.network, message_id)
            except StoreError as error:
                log.exception("a message could not be recorded, so nothing was done")
                raise UserError(f"Nothing was done, because it could not be recorded. {error.plain}") from error
        return bool(msg.automation_first)


def _addressed(bot: ErrBot, text: str) -> tuple[bool, str]:
    """Strip the prefix or the mention; say whether there was one."""
    settings = automation(bot).settings
    for start in (settings.prefix, *(mention + end for mention in mentions(bot) for end in (":", ",", " "))):
        if text[: len(start)].lower() == start.lower() and text[len(start) :].strip():
            rest = text[len(start) :].strip()
            return True, rest.removeprefix(settings.prefix) if start != settings.prefix else rest
    return False, text


def mentions(bot: ErrBot) -> list[str]:
    """The ways to call the bot by its name."""
    settings = automation(bot).settings
    return [*settings.mention, f"@{settings.name}", str(bot.bot_identifier)]


def _command(bot: ErrBot, text: str) -> tuple[str, str]:
    """The longest command that the first words make, and what stands behind it."""
    words = text.split(maxsplit=_COMMAND_WORDS)[:_COMMAND_WORDS]
    for length in range(len(words), 0, -1):
        name = "_".join(words[:length])
        if name in bot.commands:
            parts = text.split(maxsplit=length)
            return name, parts[length] if len(parts) > length else ""
    return "", ""


def _regex_commands(bot: ErrBot, msg: Any, text: str, *, prefixed: bool) -> bool:
    found = False
    for name, function in list(bot.re_commands.items()):
        if function._err_command_prefix_required and not (prefixed or msg.is_direct):
            continue
        pattern = function._err_command_re_pattern
        short = text[:_REGEX_LENGTH]
        match = list(pattern.finditer(short)) if function._err_command_matchall else pattern.search(short)
        if match:
            found = True
            bot._process_command(msg, name, text, match)
    return found


def later(bot: ErrBot, msg: Any, work: Any) -> None:
    """Do it in the pool: the thread that receives messages must never wait for the store."""
    bot.thread_pool.apply_async(_safely, (bot, msg, work))


def _answer(bot: ErrBot, msg: Any, text: str) -> Answer | None:
    return automation(bot).pipeline.dialogue.answer(caller_of(bot, msg), place_of(bot, msg), text)


def _unknown(bot: ErrBot, msg: Any, words: str) -> Answer | None:
    line, text = grammar.split_text(words)
    name, _, rest = line.partition(" ")
    said = Said(caller_of(bot, msg), place_of(bot, msg), name, rest, text or attached(msg), message_id_of(msg))
    pipeline = automation(bot).pipeline
    # While commands are made anew, Errbot does not know them for a moment.
    return pipeline.submit(said) if pipeline.meaning.operation(said) else pipeline.meaning.unknown(said)


# -- commands


def _guarded_injection(original: Any) -> Any:
    @functools.wraps(original)
    def inject_commands_from(bot: ErrBot, plugin: Any) -> None:
        for name, old in list(vars(plugin).items()):
            if inspect.ismethod(old) and getattr(old, "automation_guarded", False):
                delattr(plugin, name)  # a reload gives the plugin another class, whose commands this would hide
        for name, method in inspect.getmembers(plugin, inspect.ismethod):
            if getattr(method, "_err_command", False) and not getattr(method, "automation_guarded", False):
                setattr(plugin, name, _guarded(bot, plugin, method))
                if _replaced(plugin, name):
                    getattr(plugin, name).__func__._err_command = False
        _make_room(bot, plugin)
        original(bot, plugin)

    return inject_commands_from


def remove_commands_from(bot: ErrBot, plugin: Any) -> None:
    """Take away the commands of a plugin; Errbot's own would take those that others have under the same names too."""
    with bot._gbl:
        for table in (bot.commands, bot.re_commands):
            for name in [name for name, command in table.items() if command.__self__ is plugin]:
                del table[name]


def is_ours(method: Any) -> bool:
    """Whether a command's code is one of our own plugins, which ask the pipeline or the desk themselves."""
    return by_hand.is_ours(Path(method.__func__.__code__.co_filename).resolve())


def _replaced(plugin: Any, name: str) -> bool:
    """Errbot's own `!repos …` runs what it fetches before anybody looked, so it is no command here; ours is."""
    return plugin.name == "Plugins" and type(plugin).__module__.startswith("errbot.") and name.startswith("repos")


def _make_room(bot: ErrBot, plugin: Any) -> None:
    """Our commands have their names: a command of Errbot's own with the same name gives way (`!status`, `!uptime`)."""
    for _, method in inspect.getmembers(plugin, inspect.ismethod):
        name = getattr(method, "_err_command_name", None)
        holder = bot.commands.get(name)
        if holder is not None and getattr(method, "automation_ours", False) and not holder.automation_ours:
            log.info("the command %s of %s gives way to ours", name, holder.__self__.name)
            del bot.commands[name]


def _guarded(bot: ErrBot, plugin: Any, method: Any) -> Any:
    ours = is_ours(method)
    free = ours or plugin.name in getattr(bot, "automation_free", ())

    def judged(msg: Any, args: Any) -> Answer | None:
        if free:
            return None
        command = method._err_command_name  # with _ between its words: one name, which a rule can say
        return automation(bot).pipeline.foreign.judge(caller_of(bot, msg), place_of(bot, msg), command, str(args or ""))

    if inspect.isgeneratorfunction(method):

        @functools.wraps(method.__func__)
        def guarded(_self: Any, msg: Any, args: Any) -> Any:
            refusal = _safely(bot, msg, lambda: judged(msg, args) or True)
            steps = iter(method(msg, args)) if refusal is True else iter(())
            while (step := _safely(bot, msg, lambda: (next(steps, _END),))) and step[0] is not _END:
                yield _clear(bot, step[0])
    else:

        @functools.wraps(method.__func__)
        def guarded(_self: Any, msg: Any, args: Any) -> Any:
            return _clear(bot, _safely(bot, msg, lambda: judged(msg, args) or method(msg, args)))

    guarded.automation_guarded = True
    guarded.automation_ours = ours
    # The gate asks who is an admin; Errbot's own way drains its thread pool, and every other command waits for that.
    guarded._err_command_admin_only = False
    guarded._err_command_historize = False
    return types.MethodType(guarded, plugin)


def _clear(bot: ErrBot, said: Any) -> Any:
    """Take secrets out of what a plugin from elsewhere says in its own words."""
    return automation(bot).redactor.text(said) if isinstance(said, str) else said


def _without_secrets(bot: ErrBot, answer: Answer) -> Answer:
    """Repeat no known secret to a room, also when somebody has typed it; one that is shown on purpose stays."""
    if answer.entrusted or any(file.passing for file in answer.files):
        return answer
    known = automation(bot).redactor.known
    return replace(answer, text=known(answer.text), block=known(answer.block), hint=known(answer.hint))


def _safely(bot: ErrBot, msg: Any, work: Any) -> Any:
    """Run it; answers go through the surface, and nobody ever sees a traceback or an exception's text by accident."""
    try:
        result = work() if _is_first(bot, msg) else None
    except UserError as error:
        result = Answer(str(error))
    except AutomationError as error:
        log.exception("a command failed")
        result = Answer(f"That failed. {one_line(error.plain, 300)}")
    except Exception:  # one broken command must neither end the bot nor show its inside to the room
        log.exception("a command failed inside the bot")
        result = Answer("That failed inside the bot; an admin finds the reason in the log.")
    if isinstance(result, Answer):
        result = _without_secrets(bot, result)
        try:
            if not (hasattr(bot, "automation_answer") and bot.automation_answer(msg, result)):
                surface_of(bot).say(place_of(bot, msg), result)
        except OSError as error:
            log.warning("an answer was not said yet: %s", error)
        except Exception:  # Errbot would log the typed words, which may be secret, and try to say the error
            log.exception("an answer could not be said")
        return None
    return result


# -- life


def _with_start(original: Any) -> Any:
    @functools.wraps(original)
    def connect_callback(bot: ErrBot) -> None:
        original(bot)
        if isinstance(surface := surface_of(bot), PlainSurface):
            surface.here.set()
        automation(bot).start(surface)
        atexit.register(automation(bot).stop)  # not every backend calls its shutdown

    return connect_callback


def _with_away(original: Any) -> Any:
    @functools.wraps(original)
    def disconnect_callback(bot: ErrBot) -> None:
        if isinstance(surface := surface_of(bot), PlainSurface):
            surface.here.clear()  # it cannot see by itself whether its network is there
        original(bot)

    return disconnect_callback


def _with_stop(original: Any) -> Any:
    @functools.wraps(original)
    def shutdown(bot: ErrBot) -> None:
        automation(bot).stop()
        original(bot)

    return shutdown
