"""What woke the function, to a command (interface.md, Events). Knows every outside shape, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from ges_upgrader.events.commands import Command, EventError, Word, read_command
from ges_upgrader.events.smn import Trust, read_smn

MAX_EVENT = 256 * 1024


class Undecodable(ValueError):
    """The event is no JSON."""


def read_event(event: object, trust: Trust, now: datetime) -> Command:
    """The command in an event of any shape. Raises EventError."""
    try:
        event = _decoded(event)
    except Undecodable as junk:
        return Command(Word.PLAN, remarks=(str(junk),))
    if not isinstance(event, Mapping):
        return Command(Word.PLAN)
    if "record" in event:
        return read_smn(event, trust, now)
    if event.get("trigger_type") == "TIMER":
        return _timer(event)
    if "command" in event:
        return read_command(event)
    if "trigger_type" in event and not isinstance(event["trigger_type"], str):
        raise EventError("the event's trigger_type is not text; nothing was changed")
    return Command(Word.PLAN)


def _decoded(event: object) -> object:
    try:
        if isinstance(event, (bytes, bytearray, memoryview)):
            event = bytes(event).decode("utf-8-sig")
        size = len(event.encode()) if isinstance(event, str) else len(msgspec.json.encode(event))
        if size > MAX_EVENT:
            raise EventError(f"the event is over {MAX_EVENT // 1024} KB; nothing was changed")
        event = json.loads(event) if isinstance(event, str) and event.strip() else event
        msgspec.json.encode(event)  # refuses a half of a surrogate pair, which could not be written down
        return event
    except EventError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Undecodable(
            "the event is not JSON; accepted are events of SMN and TIMER and commands, as {'command': 'plan'}; "
            "nothing was changed"
        ) from None


def _timer(event: Mapping[str, Any]) -> Command:
    text = event.get("user_event")
    if text is None or (isinstance(text, str) and not text.strip()):
        return Command(Word.RECONCILE)
    if isinstance(text, str):
        if text.strip() in tuple(Word):
            return read_command({"command": text.strip()})
        if not text.lstrip().startswith(("{", "[", '"')):
            return Command(Word.RECONCILE)
        try:
            text = json.loads(text)
        except (ValueError, RecursionError):
            raise EventError("the timer's user_event is not JSON; nothing was changed") from None
    if not isinstance(text, Mapping):
        raise EventError("the timer's user_event is not an object with a command; nothing was changed")
    if "command" in text:
        return read_command(text)
    from difflib import get_close_matches

    meant = get_close_matches("command", map(str, text), 1)
    if meant:
        raise EventError(f"the timer's user_event has {meant[0]!r}: did you mean command? nothing was changed")
    return Command(Word.RECONCILE)
