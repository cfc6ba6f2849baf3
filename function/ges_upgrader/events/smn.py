"""An SMN event to the command that its messages give (smn-obs-core.md A6). Each message is judged by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

import msgspec

from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.commands import Command, Notice, Question, Word, command
from ges_upgrader.events.readings import MAX_VERSIONS, Announced, Foreign, Reading, Unclear, Withdrawal

_FUNCTION_URN = re.compile(r"urn:(?:fss|cff):([a-z0-9-]+):([A-Za-z0-9]+):function:", re.ASCII)
_TOPIC_URN = re.compile(r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]+):", re.ASCII)
_MOST_QUOTED = 300  # characters of a message in a notice


class Trust(msgspec.Struct, frozen=True):
    """Whose messages are believed: those of `topics` (None: of any), never those of `result_topic`."""

    topics: Sequence[str] | None
    result_topic: str


class _Message(msgspec.Struct, frozen=True):
    """A message of a trusted topic. `origin` says which one it is, in words."""

    origin: str
    subject: str
    text: str
    sent: datetime
    reading: Reading


def read_smn(event: Mapping[str, Any], trust: Trust, now: datetime) -> Command:
    """What the messages of the event announce together. If none of them was understood, the run starts nothing."""
    listed = event["record"] if isinstance(event["record"], list) else [event["record"]]
    records = [record for record in listed if _is_record(record)]
    remarks = ["a part of the event's record is no SMN message; it changed nothing"] if len(records) < len(listed) else []
    if not records:
        return Command(Word.PLAN, remarks=tuple(remarks))
    trusted = [record for record in records if _is_trusted(record, trust)]
    remarks += [_disbelief(record) for record in records if _topic(record) != trust.result_topic and record not in trusted]
    messages = [_read(record, trust, now) for record in trusted]
    region, project_id = _whereabouts(trusted)
    learned = _learned(messages)
    return msgspec.structs.replace(
        learned,
        remarks=(*remarks, *learned.remarks),
        foreign=learned.foreign + sum(_topic(record) == trust.result_topic for record in records),
        region=region,
        project_id=project_id,
    )


def _learned(messages: Sequence[_Message]) -> Command:
    """Releases, withdrawals and questions of the messages.

    A message that asks for a dry run is recorded by nobody. The run is dry if each message that was understood asks for it;
    otherwise such a message is left out and a remark says so.
    """
    understood = [one for one in messages if isinstance(one.reading, (Announced, Withdrawal))]
    dry_run = bool(understood) and all(_asks_for_dry_run(one) for one in understood)
    counted = [one for one in understood if dry_run or not _asks_for_dry_run(one)]
    notices = {notice.id: (notice, one) for one in messages for notice in _notices(one)}
    return Command(
        Word.RECONCILE,
        dry_run=dry_run,
        releases=tuple(release for one in counted if isinstance(one.reading, Announced) for release in one.reading.releases),
        withdrawn=tuple(version for one in counted if isinstance(one.reading, Withdrawal) for version in one.reading.versions),
        questioned=tuple(_questions(notices.values())),
        notices=tuple(notice for notice, _ in notices.values()),
        remarks=tuple(_remarks(understood, counted)),
        foreign=sum(isinstance(one.reading, Foreign) for one in messages),
        starts_nothing=not understood,
    )


def _asks_for_dry_run(message: _Message) -> bool:
    return isinstance(message.reading, (Announced, Withdrawal)) and message.reading.dry_run


def _questions(notices: Iterable[tuple[Notice, _Message]]) -> Iterable[Question]:
    for notice, message in notices:
        if isinstance(message.reading, Unclear):
            for version in message.reading.questioned:
                yield Question(version, notice.id)


def _remarks(understood: Sequence[_Message], counted: Sequence[_Message]) -> Iterable[str]:
    for message in understood:
        if message not in counted:
            yield f"{message.origin} asks for a dry run, beside others that do not; nothing of it was recorded"
        if isinstance(message.reading, Withdrawal) and message.reading.unread:
            names = ", ".join(repr(name) for name in message.reading.unread)
            yield f"{message.origin} withdraws {names} too, which cannot be read as a version; withdraw it by command"


def _notices(message: _Message) -> Iterable[Notice]:
    """The notice about a message that was not understood: the same for the same text on one day in UTC."""
    if not isinstance(message.reading, Unclear):
        return
    whole = f"{message.subject}\n{message.text}".encode("utf-8", "surrogatepass")
    yield Notice(f"unclear:{message.sent:%Y-%m-%d}:{sha256(whole).hexdigest()[:16]}", _explained(message, message.reading))


def _explained(message: _Message, reading: Unclear) -> str:
    """What was read, why it was not understood, what follows, and the commands that settle it."""
    subject = f"the subject “{_quoted(message.subject)}” and " if message.subject.strip() else ""
    parts = [
        f"{message.origin} was not understood: {reading.why}. Nothing was learned and nothing was started by it.",
        f"It has {subject}the text “{_quoted(message.text)}”.",
    ]
    if reading.questioned:
        names = ", ".join(version.text for version in reading.questioned[:MAX_VERSIONS])
        parts.append(f"It may withdraw or warn of {names}: a known release is held until one of these commands decides.")
    if reading.named:
        parts.append("If it announces a release, or withdraws one, invoke the function with the command that fits:")
    for version in reading.named[:MAX_VERSIONS]:
        parts += [f"  {command(word, version=version.text)}" for word in ("release", "withdraw")]
    return "\n".join(parts)


def _quoted(text: str) -> str:
    """The beginning of a text in one line, without what cannot be printed."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * _MOST_QUOTED]).split())
    return line if len(line) <= _MOST_QUOTED else f"{line[:_MOST_QUOTED]} …"


def _read(record: Mapping[str, Any], trust: Trust, now: datetime) -> _Message:
    smn = record["smn"]
    message_id, subject, text = smn.get("message_id"), smn.get("subject"), smn["message"]
    subject = subject if isinstance(subject, str) else ""
    named = f"The SMN message {_quoted(message_id)}" if isinstance(message_id, str) and message_id else "An SMN message"
    sent = _sent(smn, now)
    if smn.get("type") not in (None, "notification"):
        return _Message(named, subject, text, sent, Foreign("a confirmation of a subscription"))
    named_topic = trust.topics is not None
    return _Message(named, subject, text, sent, read_announcement(text, subject, sent, named_topic))


def _is_record(record: object) -> bool:
    return (
        isinstance(record, Mapping) and isinstance(record.get("smn"), Mapping) and isinstance(record["smn"].get("message"), str)
    )


def _topic(record: Mapping[str, Any]) -> object:
    return record["smn"].get("topic_urn")


def _is_trusted(record: Mapping[str, Any], trust: Trust) -> bool:
    topic = _topic(record)
    return topic != trust.result_topic and (trust.topics is None or topic in trust.topics)


def _disbelief(record: Mapping[str, Any]) -> str:
    return (
        f"an SMN message came from {str(_topic(record))[:300]}, which is not one of release_topics; it was not believed, and "
        "nothing was learned from it"
    )


def _sent(smn: Mapping[str, Any], now: datetime) -> datetime:
    """When SMN sent the message, if it says so believably; otherwise now."""
    try:
        sent = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", smn["timestamp"]))
        sent = sent.astimezone(timezone.utc) if sent.tzinfo else now
    except (KeyError, TypeError, ValueError, OverflowError):
        return now
    return min(sent, now)


def _whereabouts(trusted: Sequence[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The function's region and project by its own URN, else the region by the topic's. Only trusted records count."""
    for record in trusted:
        urn = record.get("event_subscription_urn")
        found = _FUNCTION_URN.match(urn) if isinstance(urn, str) else None
        if found:
            return found[1], found[2]
    for record in trusted:
        urn = _topic(record)
        found = _TOPIC_URN.match(urn) if isinstance(urn, str) else None
        if found:
            return found[1], None
    return None, None
