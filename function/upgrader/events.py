"""What woke the function, to a command (interface.md, Events). Knows every outside shape, decides nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from hashlib import sha256
from typing import Any

import msgspec

from .announcements import Announced, Retracted, Unclear, read_announcement
from .model import Release
from .versions import Version

MAX_EVENT = 256 * 1024

_FUNCTION_URN = re.compile(r"urn:(?:fss|cff):([a-z0-9-]+):([A-Za-z0-9]+):function:", re.ASCII)
_TOPIC_URN = re.compile(r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]+):", re.ASCII)


class EventError(ValueError):
    """The event cannot be acted on; the message says what is accepted."""


class Undecodable(ValueError):
    """The event is no JSON."""


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


class Command(msgspec.Struct, frozen=True):
    """What to do. `dry_run`: decide, and change nothing. `region` and `project_id` are what the event's URNs tell.

    `graph` is an id or a name. `days` is how far a forecast looks.
    """

    word: Word
    dry_run: bool = False
    releases: tuple[Release, ...] = ()
    withdrawn: tuple[Version, ...] = ()
    notices: tuple[Notice, ...] = ()
    remarks: tuple[str, ...] = ()
    region: str | None = None
    project_id: str | None = None
    version: Version | None = None
    rule: str | None = None
    graph: str | None = None
    reason: str | None = None
    days: int = 90

    @property
    def changes_nothing(self) -> bool:
        return self.dry_run or self.word in (Word.PLAN, Word.STATUS, Word.FORECAST)


class Trust(msgspec.Struct, frozen=True):
    """Whose messages are believed: those of `topics` (None: of any), never those of `result_topic`."""

    topics: Sequence[str] | None
    result_topic: str


def read_event(event: object, trust: Trust, now: datetime) -> Command:
    """The command in an event of any shape. Raises EventError."""
    try:
        event = _decoded(event)
    except Undecodable as junk:
        return Command(Word.PLAN, remarks=(str(junk),))
    if not isinstance(event, Mapping):
        return Command(Word.PLAN)
    if "record" in event:
        return _smn(event, trust, now)
    if event.get("trigger_type") == "TIMER":
        return _timer(event)
    if "command" in event:
        return _command(event)
    if "trigger_type" in event and not isinstance(event["trigger_type"], str):
        raise EventError("the event's trigger_type is not text; nothing was changed")
    return Command(Word.PLAN)


def command(word: str, **arguments: str) -> str:
    """The exact text of a command, to be pasted into the console's test event."""
    return json.dumps({"command": word, **arguments}, ensure_ascii=False)


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
            return _command({"command": text.strip()})
        if not text.lstrip().startswith(("{", "[", '"')):
            return Command(Word.RECONCILE)
        try:
            text = json.loads(text)
        except (ValueError, RecursionError):
            raise EventError("the timer's user_event is not JSON; nothing was changed") from None
    if not isinstance(text, Mapping):
        raise EventError("the timer's user_event is not an object with a command; nothing was changed")
    if "command" in text:
        return _command(text)
    from difflib import get_close_matches

    meant = get_close_matches("command", map(str, text), 1)
    if meant:
        raise EventError(f"the timer's user_event has {meant[0]!r}: did you mean command? nothing was changed")
    return Command(Word.RECONCILE)


def _command(event: Mapping[str, Any]) -> Command:
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
        version = Version(given["version"]) if "version" in given else None
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


def _smn(event: Mapping[str, Any], trust: Trust, now: datetime) -> Command:
    """What all messages of the event announce together. Where none announces anything, nothing is changed."""
    listed = event["record"] if isinstance(event["record"], list) else [event["record"]]
    records = [record for record in listed if _is_record(record)]
    releases: list[Release] = []
    withdrawn: list[Version] = []
    notices: list[Notice] = []
    remarks = ["a part of the event's record is no SMN message; it changed nothing"] if len(records) < len(listed) else []
    dry_run = False
    for record in records:
        smn = record["smn"]
        message_id = smn.get("message_id")
        named = f"the SMN message {message_id}" if isinstance(message_id, str) else "an SMN message"
        topic = smn.get("topic_urn")
        if smn.get("type") not in (None, "notification") or topic == trust.result_topic:
            continue
        if trust.topics is not None and topic not in trust.topics:
            remarks.append(f"{named} came from {str(topic)[:300]}, which is not one of release_topics; it was not believed")
            continue
        subject = smn.get("subject")
        read = read_announcement(smn["message"], subject if isinstance(subject, str) else "", _sent(smn, now))
        if isinstance(read, Announced):
            releases += read.releases
            dry_run = dry_run or read.dry_run
        elif isinstance(read, Retracted):
            withdrawn.append(read.version)
            dry_run = dry_run or read.dry_run
        elif isinstance(read, Unclear):
            text = f"{named} changed nothing: {read.why}"
            digest = sha256(smn["message"].encode("utf-8", "surrogatepass")).hexdigest()[:12]
            notices.append(Notice(f"message:{message_id or digest}", text))
    understood = bool(releases or withdrawn)
    region, project_id = _whereabouts(records)
    return Command(
        Word.RECONCILE if understood else Word.PLAN,
        dry_run=dry_run,
        releases=tuple(releases),
        withdrawn=tuple(withdrawn),
        notices=tuple(notices),
        remarks=tuple(remarks),
        region=region,
        project_id=project_id,
    )


def _is_record(record: object) -> bool:
    return (
        isinstance(record, Mapping) and isinstance(record.get("smn"), Mapping) and isinstance(record["smn"].get("message"), str)
    )


def _sent(smn: Mapping[str, Any], now: datetime) -> datetime:
    """When SMN sent the message, where it says so believably; else now."""
    try:
        sent = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", smn["timestamp"]))
        sent = sent.astimezone(timezone.utc) if sent.tzinfo else now
    except (KeyError, TypeError, ValueError, OverflowError):
        return now
    return min(sent, now)


def _whereabouts(records: Sequence[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The function's region and project by its own URN, else the region by the topic's."""
    for record in records:
        urn = record.get("event_subscription_urn")
        found = _FUNCTION_URN.match(urn) if isinstance(urn, str) else None
        if found:
            return found[1], found[2]
    for record in records:
        urn = record["smn"].get("topic_urn")
        found = _TOPIC_URN.match(urn) if isinstance(urn, str) else None
        if found:
            return found[1], None
    return None, None
