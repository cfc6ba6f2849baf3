"""The commands that an operator can give: their words, their arguments, and the text of each (interface.md, Events)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.plain_text import MOST_NAME, MOST_REASON, plain, visible_json
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
    REINSTATE = "reinstate"
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    DOCTOR = "doctor"


LOOKING = (Word.PLAN, Word.STATUS, Word.FORECAST)
CHANGING_NOTHING = (*LOOKING, Word.DOCTOR)
STOPPING = (Word.PAUSE, Word.WITHDRAW)  # they start nothing in their own run
LONGEST_FORECAST = 400

_Reason = Annotated[str, Meta(max_length=MOST_REASON, description=f"a text of at most {MOST_REASON} characters")]
_Name = Annotated[str, Meta(min_length=1, max_length=MOST_REASON, description="a name, in quotes")]
_Person = Annotated[str, Meta(max_length=MOST_NAME, description=f"a text of at most {MOST_NAME} characters")]
_Version = Annotated[Version, Meta(description='a version in quotes, as "2.4.15"')]
_Flag = Annotated[bool, Meta(description="true or false")]
_Days = Annotated[int, Meta(ge=1, le=LONGEST_FORECAST, description=f"a whole number from 1 to {LONGEST_FORECAST}")]
_Limit = Annotated[int, Meta(ge=1, description="a whole number from 1")]
_Cursor = Annotated[str, Meta(max_length=MOST_REASON, pattern=r"^[^/]+/.", description="the cursor of an earlier result")]


class _Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every command takes. `by` is who gives it: a claim, recorded as it is."""

    reason: _Reason | None = None
    by: _Person | None = None
    dry_run: _Flag = False


class _Looking(_Arguments, frozen=True, kw_only=True):
    rule: _Name | None = None
    graph: _Name | None = None
    limit: _Limit | None = None
    cursor: _Cursor | None = None


class _Recording(_Arguments, frozen=True, kw_only=True):
    record_only: _Flag = False


class _Scoped(_Recording, frozen=True, kw_only=True):
    rule: _Name | None = None
    graph: _Name | None = None


class _Reconcile(_Arguments, frozen=True, kw_only=True):
    checks: _Flag = False


class _Forecast(_Looking, frozen=True, kw_only=True):
    checks: _Flag = False
    days: _Days = 90


class _OfVersion(_Recording, frozen=True, kw_only=True):
    version: _Version


class _Approve(_Scoped, frozen=True, kw_only=True):
    version: _Version


class _Retry(_Scoped, frozen=True, kw_only=True):
    version: _Version | None = None


_GRAMMAR: dict[Word, type[_Arguments]] = {
    Word.RECONCILE: _Reconcile,
    Word.PLAN: _Looking,
    Word.STATUS: _Looking,
    Word.FORECAST: _Forecast,
    Word.RELEASE: _OfVersion,
    Word.WITHDRAW: _OfVersion,
    Word.REINSTATE: _OfVersion,
    Word.APPROVE: _Approve,
    Word.PAUSE: _Scoped,
    Word.RESUME: _Scoped,
    Word.RETRY: _Retry,
    Word.DOCTOR: _Arguments,
}
_ONE_OF: dict[Word, tuple[str, ...]] = {Word.APPROVE: ("rule", "graph"), Word.RETRY: ("rule", "graph", "version")}
_EXAMPLES: dict[Word, dict[str, str]] = {
    Word.RELEASE: {"version": "2.4.15"},
    Word.WITHDRAW: {"version": "2.4.15"},
    Word.REINSTATE: {"version": "2.4.15"},
    Word.APPROVE: {"version": "2.4.15", "rule": "prod"},
    Word.PAUSE: {"rule": "prod"},
    Word.RESUME: {"rule": "prod"},
    Word.RETRY: {"graph": "orders"},
}


class Notice(msgspec.Struct, frozen=True):
    """Something about the event to notify its sender of, once: `id` is the same on every delivery."""

    id: str
    text: str
    kind: str = "unclear"
    subject: str = ""


class Question(msgspec.Struct, frozen=True):
    """A version that a trusted message may withdraw or warn of, and the id of the notice that says so."""

    version: Version
    notice_id: str


class Command(msgspec.Struct, frozen=True):
    """What to do. `dry_run`: decide, and change nothing. `region` and `project_id` are what the event's URNs say.

    `graph` is an id or a name. `days` is how far a forecast looks; `limit` and `cursor` select a part of the decisions.
    `starts_nothing`: running upgrades are settled, followed and reported, and no other begins; `record_only`: not even that.
    `foreign` counts the messages of the event that were not meant for the function.
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
    by: str | None = None
    days: int = 90
    limit: int | None = None
    cursor: str | None = None
    checks: bool = False
    record_only: bool = False
    starts_nothing: bool = False
    from_timer: bool = False
    foreign: int = 0

    @property
    def changes_nothing(self) -> bool:
        return self.dry_run or self.word in CHANGING_NOTHING

    @property
    def records(self) -> bool:
        """Whether it is an operator's word that is recorded."""
        return self.word is not Word.RECONCILE and self.word not in CHANGING_NOTHING


def command(word: str, **arguments: str) -> str:
    """The exact text of a command, to be pasted into the console's test event."""
    return visible_json(json.dumps({"command": word, **arguments}, ensure_ascii=False))


def example(word: Word) -> str:
    """A command with this word that is accepted."""
    return command(word.value, **_EXAMPLES.get(word, {}))


def read_command(event: Mapping[str, Any]) -> Command:
    """The command in an object that has one. Raises EventError."""
    name = event.get("command")
    if not isinstance(name, str) or name not in tuple(Word):
        accepted = ", ".join(map(example, Word))
        raise EventError(f"the command {plain(str(name), 80)!r} is unknown; accepted are {accepted}; nothing was changed")
    word = Word(name)
    given = {str(key): value for key, value in event.items() if key != "command"}
    arguments = _arguments(word, given)
    if word not in LOOKING and {"rule", "graph"} <= _named(arguments):
        raise _refusal(word, "takes a rule or a graph, not both")
    if word in _ONE_OF and not _named(arguments) & set(_ONE_OF[word]):
        raise _refusal(word, f"needs a {' or a '.join(_ONE_OF[word])}")
    return Command(word, starts_nothing=word in STOPPING, **msgspec.structs.asdict(arguments))


def _arguments(word: Word, given: dict[str, Any]) -> _Arguments:
    kind = _GRAMMAR[word]
    unknown = next((key for key in given if key not in kind.__struct_fields__), None)
    if unknown is not None:
        raise _refusal(word, f"takes no {plain(unknown, 80)!r}")
    for field in msgspec.structs.fields(kind):
        if field.required and given.get(field.name) is None:
            raise _refusal(word, f"needs a {field.name}")
        try:
            msgspec.convert(given.get(field.name, field.default), field.type, dec_hook=_made)
        except msgspec.ValidationError:
            raise _refusal(word, f"takes as {field.name} {_description(field.type)}") from None
    return msgspec.convert(given, kind, dec_hook=_made)


def _made(kind: type, value: Any) -> Any:
    """A version, as it is written. Raises ValueError."""
    if kind is not Version or not isinstance(value, str):
        raise ValueError(value)
    return Version.written(value)


def _description(kind: Any) -> str:
    """What an argument must be, in words."""
    parts = (kind, *getattr(kind, "__args__", ()))
    meta = (one for part in parts for one in getattr(part, "__metadata__", ()) if isinstance(one, Meta))
    return next((one.description for one in meta if one.description), "something else")


def _named(arguments: _Arguments) -> set[str]:
    return {name for name in ("version", "rule", "graph") if getattr(arguments, name, None) is not None}


def _refusal(word: Word, why: str) -> EventError:
    """The error that says why the command is refused, and what is accepted."""
    others = ", ".join(name for name in _GRAMMAR[word].__struct_fields__ if name not in _EXAMPLES.get(word, {}))
    accepted = f"{example(word)}, and beside it {others}"
    return EventError(f"the command {word.value} {why}; accepted is {accepted}; nothing was changed")
