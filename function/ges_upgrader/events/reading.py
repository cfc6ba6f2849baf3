"""What woke the function, to a command (interface.md, Events). Knows every outside shape, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from ges_upgrader.domain.plain_text import MOST_NAME, MOST_REASON, plain
from ges_upgrader.events.commands import Command, EventError, Notice, Word, example, read_command
from ges_upgrader.events.smn import Trust, read_smn

MAX_EVENT = 256 * 1024
_ACTIONS = ("action", "cmd", "operation", "verb", "word")  # what others call a command
_ARGUMENTS = ("dryrun", "recordonly")  # no event of another service has these
_KEYS_READ = 100


class Undecodable(ValueError):
    """The event is no JSON."""


def read_event(event: object, trust: Trust, now: datetime) -> Command:
    """The command in an event of any shape. Raises EventError."""
    try:
        event = _decoded(event)
    except Undecodable as junk:
        return Command(Word.PLAN, remarks=(str(junk),))
    if not isinstance(event, Mapping):
        return Command(Word.PLAN, remarks=tuple(_mistyped_value(event)))
    if "command" in event:
        return read_command(event)
    if "record" in event:
        return read_smn(event, trust, now)
    if event.get("trigger_type") == "TIMER":
        return _timer(event, now)
    if "trigger_type" in event and not isinstance(event["trigger_type"], str):
        raise EventError("the event's trigger_type is not text; nothing was changed")
    return Command(Word.PLAN, remarks=tuple(_mistyped(event)))


def _decoded(event: object) -> object:
    try:
        if isinstance(event, (bytes, bytearray, memoryview)):
            event = bytes(event).decode("utf-8-sig")
        size = len(event.encode()) if isinstance(event, str) else len(msgspec.json.encode(event))
        if size > MAX_EVENT:
            raise EventError(f"the event is over {MAX_EVENT // 1024} KB; nothing was changed")
        event = _parsed(event, "the event") if isinstance(event, str) and event.strip() else event
        msgspec.json.encode(event)  # refuses a half of a surrogate pair, which could not be recorded
        return event
    except EventError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Undecodable(
            f"the event is not JSON; accepted are events of SMN and TIMER and commands, as {example(Word.PLAN)}; "
            "nothing was changed"
        ) from None


def _parsed(text: str, what: str) -> Any:
    """The JSON value. Raises EventError for an object that gives a name twice, ValueError for what is not JSON."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise EventError(
                    f"{what} gives {plain(name, 80)!r} twice; accepted is each name once, as {example(Word.PLAN)}; "
                    "nothing was changed"
                )
            found[name] = value
        return found

    return json.loads(text, object_pairs_hook=once)


def _mistyped(event: Mapping[str, Any]) -> list[str]:
    """What to say of an object without a command that looks as if one was meant."""
    for key in list(event)[:_KEYS_READ]:
        if _looks_like_command(str(key), event[key]):
            return [
                f"the event has {plain(str(key), 80)!r} and no 'command', so that it is a plan; nothing was changed. "
                f"If you meant a command, give it as {_meant(key, event[key])}"
            ]
    return []


def _mistyped_value(event: object) -> list[str]:
    """The same of a text or a list."""
    inside = event[:_KEYS_READ] if isinstance(event, list) else [event]
    words = [one for one in inside if isinstance(one, str) and _word(one)]
    objects = [one for one in inside if isinstance(one, Mapping) and ("command" in one or _mistyped(one))]
    if not words and not objects:
        return []
    meant = _meant("", words[0]) if words else example(Word.PLAN)
    return [f"the event is not an object, so that it is a plan; nothing was changed. Give a command as {meant}"]


def _looks_like_command(key: str, value: object) -> bool:
    letters = "".join(filter(str.isalpha, key[:80])).casefold()
    if letters in (*_ACTIONS, *_ARGUMENTS) or _word(key) or _word(value):
        return True
    if abs(len(letters) - len("command")) > 2:
        return False
    from difflib import get_close_matches

    return bool(get_close_matches(letters, ["command"], 1, 0.75))


def _word(value: object) -> Word | None:
    """The command word that a text is, but for its case and the space around it."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    return next((word for word in Word if word.value == text), None)


def _meant(key: object, value: object) -> str:
    return example(_word(value) or _word(key) or Word.PLAN)


def _timer(event: Mapping[str, Any], now: datetime) -> Command:
    """A TIMER reconciles, or gives the command in its `user_event`. If that is wrong, the run starts nothing."""
    given = event.get("user_event")
    try:
        command = _of_timer(given)
    except EventError as error:
        notice = timer_mistake(event.get("trigger_name"), given, str(error), now)
        return Command(Word.RECONCILE, notices=(notice,), starts_nothing=True, from_timer=True)
    return msgspec.structs.replace(command, from_timer=True)


def _of_timer(given: object) -> Command:
    if given is None or (isinstance(given, str) and not given.strip()):
        return Command(Word.RECONCILE)
    if isinstance(given, str) and given.strip() in tuple(Word):
        return read_command({"command": given.strip()})
    try:
        given = _parsed(given, "the text") if isinstance(given, str) else given
    except (ValueError, RecursionError) as error:
        raise (
            error if isinstance(error, EventError) else EventError("it is neither JSON nor one of the command words")
        ) from None
    if not isinstance(given, Mapping) or "command" not in given:
        raise EventError("it is no object with a 'command'")
    return read_command(given)


def timer_mistake(timer: object, given: object, why: str, now: datetime) -> Notice:
    """The notice about a wrong `user_event`: the same for the same text on one day in UTC."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    name = f"The timer {plain(timer, MOST_NAME)}" if isinstance(timer, str) and timer else "A timer"
    return Notice(
        id=f"timer-mistake:{now:%Y-%m-%d}:{digest}",
        kind="timer-mistake",
        subject="GES upgrader: a timer's user_event is wrong",
        text=f"{name} has the user_event “{plain(text, MOST_REASON)}”, which is no command: {why}.\n"
        "Running upgrades were followed; nothing was started and nothing else was changed. Leave the timer's user_event "
        f"empty, which reconciles, or give a command in it, as {example(Word.PLAN)}.",
    )
