"""The commands that an operator can give: their words, their arguments, and the text of each (interface.md, Events)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.plain_text import visible_json
from ges_upgrader.domain.version import Version


class EventError(ValueError):
    """The event cannot be acted on; the message says what is accepted."""


class Word(str, Enum):
    """The command words."""

    RECONCILE = "reconcile"
    PLAN = "plan"
    STATUS = "status"
    FORECAST = "forecast"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


# What each word takes; a word not here takes only `reason` and `dry_run`. With a mark: it must be given.
_ARGUMENTS: dict[Word, tuple[str, ...]] = {
    Word.FORECAST: ("days",),
    Word.RELEASE: ("version!",),
    Word.WITHDRAW: ("version!",),
    Word.APPROVE: ("version!", "rule", "graph"),
    Word.PAUSE: ("rule", "graph"),
    Word.RESUME: ("rule", "graph", "version"),
    Word.RETRY: ("rule", "graph"),
}
_EXAMPLES = {
    Word.RELEASE: "{'command': 'release', 'version': '2.4.15'}",
    Word.WITHDRAW: "{'command': 'withdraw', 'version': '2.4.15'}",
    Word.APPROVE: "{'command': 'approve', 'version': '2.4.15', 'rule': 'prod'}",
    Word.RETRY: "{'command': 'retry', 'graph': 'orders'}",
}
LONGEST_FORECAST = 400


class Notice(msgspec.Struct, frozen=True):
    """Something about the event that its sender should be told, once: `id` is the same on every delivery."""

    id: str
    text: str


class Question(msgspec.Struct, frozen=True):
    """A version that a trusted message may withdraw or warn of, and the id of the notice that says so."""

    version: Version
    notice_id: str


class Command(msgspec.Struct, frozen=True):
    """What to do. `dry_run`: decide, and change nothing. `region` and `project_id` are what the event's URNs tell.

    `graph` is an id or a name. `days` is how far a forecast looks. `starts_nothing`: running upgrades are settled, followed
    and reported, and no other begins. `foreign` counts the messages of the event that were not meant for the function.
    """

    word: Word
    dry_run: bool = False
    releases: tuple[Release, ...] = ()
    withdrawn: tuple[Version, ...] = ()
    questioned: tuple[Question, ...] = ()
    notices: tuple[Notice, ...] = ()
    remarks: tuple[str, ...] = ()
    region: str | None = None
    project_id: str | None = None
    version: Version | None = None
    rule: str | None = None
    graph: str | None = None
    reason: str | None = None
    days: int = 90
    starts_nothing: bool = False
    foreign: int = 0

    @property
    def changes_nothing(self) -> bool:
        return self.dry_run or self.word in (Word.PLAN, Word.STATUS, Word.FORECAST)


def command(word: str, **arguments: str) -> str:
    """The exact text of a command, to be pasted into the console's test event."""
    return visible_json(json.dumps({"command": word, **arguments}, ensure_ascii=False))


def read_command(event: Mapping[str, Any]) -> Command:
    name = event.get("command")
    if not isinstance(name, str) or name not in tuple(Word):
        accepted = ", ".join(word.value for word in Word)
        raise EventError(f"the command {str(name)[:80]!r} is not known; accepted are {accepted}; nothing was changed")
    word = Word(name)
    taken = _ARGUMENTS.get(word, ())
    accepted = ", ".join([*(argument.rstrip("!") for argument in taken), "reason", "dry_run"])
    given = {key: value for key, value in event.items() if key != "command" and value is not None}
    for key in given:
        if f"{key}!" not in taken and key not in (*taken, "reason", "dry_run"):
            raise EventError(f"the command {name} takes no {str(key)[:80]}; accepted are {accepted}; nothing was changed")
    for argument in taken:
        if argument.endswith("!") and argument[:-1] not in given:
            example = f"as {_EXAMPLES[word]}"
            raise EventError(f"the command {name} needs a {argument[:-1]}, {example}; nothing was changed")
    if {"rule", "graph"} <= set(given):
        raise EventError(f"the command {name} takes a rule or a graph, not both; nothing was changed")
    if word in (Word.APPROVE, Word.RETRY) and not {"rule", "graph"} & set(given):
        raise EventError(f"the command {name} needs a rule or a graph, as {_EXAMPLES[word]}; nothing was changed")
    dry_run = given.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise EventError(f"the command {name}: dry_run is true or false; nothing was changed")
    days = given.get("days", 90)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_FORECAST:
        raise EventError(f"the command {name}: days is a number from 1 to {LONGEST_FORECAST}; nothing was changed")
    for key in ("version", "rule", "graph", "reason"):
        if not isinstance(given.get(key, ""), str):
            raise EventError(f"the command {name}: {key} is a text in quotes; nothing was changed")
    try:
        version = Version.written(given["version"]) if "version" in given else None
    except ValueError as error:
        raise EventError(f"the command {name}: {error}; nothing was changed") from None
    return Command(
        word,
        dry_run=dry_run,
        releases=(Release(version),) if word is Word.RELEASE and version else (),
        withdrawn=(version,) if word is Word.WITHDRAW and version else (),
        version=version,
        rule=given.get("rule"),
        graph=given.get("graph"),
        reason=given.get("reason"),
        days=days,
    )
