"""An SMN event to the command that its messages give (smn-obs-core.md A6). Each message is judged by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from itertools import filterfalse
from typing import Any

import msgspec

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.plain_text import MOST_NAME, MOST_REASON, plain
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import Command, Notice, Question, Word, command
from ges_upgrader.events.meanings import MAX_VERSIONS, Announced, Foreign, Meaning, Unclear, Withdrawal

_Record = Mapping[str, Any]

_FUNCTION_URN = re.compile(r"urn:(?:fss|cff):([a-z0-9-]+):([A-Za-z0-9]+):function:", re.ASCII)
_TOPIC_URN = re.compile(r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]+):", re.ASCII)


class Trust(msgspec.Struct, frozen=True):
    """Whose messages are believed: those of `topics` (None: of any), never those of `result_topic`."""

    topics: Sequence[str] | None
    result_topic: str

    def believes(self, record: _Record) -> bool:
        return self.topics is None or _topic(record) in self.topics


class _Message(msgspec.Struct, frozen=True):
    """A message of a trusted topic. `origin` says which one it is, in words."""

    origin: str
    subject: str
    text: str
    sent: datetime
    meaning: Meaning


def read_smn(event: Mapping[str, Any], trust: Trust, now: datetime) -> Command:
    """What the messages of the event say together. If none of them was understood, the run starts nothing."""
    listed = event["record"] if isinstance(event["record"], list) else [event["record"]]
    records = list(filter(_is_record, listed))
    remarks = ["a part of the event's record is no SMN message; it changed nothing"] if len(records) < len(listed) else []
    command = _of_records(records, trust, now) if records else Command(Word.PLAN)
    return msgspec.structs.replace(command, remarks=(*remarks, *command.remarks))


def _of_records(records: Sequence[_Record], trust: Trust, now: datetime) -> Command:
    others = [record for record in records if _topic(record) != trust.result_topic]
    trusted, untrusted = list(filter(trust.believes, others)), filterfalse(trust.believes, others)
    learned = _learned([_read(record, trust, now) for record in trusted])
    region, project_id = _whereabouts(trusted)
    return msgspec.structs.replace(
        learned,
        remarks=(*map(_disbelief, untrusted), *learned.remarks),
        foreign=learned.foreign + len(records) - len(others),
        region=region,
        project_id=project_id,
    )


def _learned(messages: Sequence[_Message]) -> Command:
    """The releases, withdrawals, questions and notices of trusted messages.

    Nothing is recorded of a message that asks for a dry run. The run is dry if each message that was understood asks for it;
    otherwise such a message is left out and a remark says so.
    """
    understood = list(filter(_is_understood, messages))
    dry_run = bool(understood) and all(map(_asks_for_dry_run, understood))
    counted = understood if dry_run else list(filterfalse(_asks_for_dry_run, understood))
    notices = {notice.id: (notice, one) for one in messages for notice in _notices(one)}
    return Command(
        Word.RECONCILE,
        dry_run=dry_run,
        releases=tuple(_releases(counted)),
        withdrawn=tuple(_withdrawn(counted)),
        questioned=tuple(_questions(notices.values())),
        notices=tuple(notice for notice, _ in notices.values()),
        remarks=tuple(remark for one in understood for remark in _remarks(one, dry_run)),
        foreign=sum(map(_is_foreign, messages)),
        starts_nothing=not understood,
    )


def _is_understood(message: _Message) -> bool:
    return isinstance(message.meaning, (Announced, Withdrawal))


def _is_foreign(message: _Message) -> bool:
    return isinstance(message.meaning, Foreign)


def _releases(messages: Iterable[_Message]) -> Iterable[Release]:
    for message in messages:
        if isinstance(message.meaning, Announced):
            yield from message.meaning.releases


def _withdrawn(messages: Iterable[_Message]) -> Iterable[Version]:
    for message in messages:
        if isinstance(message.meaning, Withdrawal):
            yield from message.meaning.versions


def _asks_for_dry_run(message: _Message) -> bool:
    return isinstance(message.meaning, (Announced, Withdrawal)) and message.meaning.dry_run


def _questions(notices: Iterable[tuple[Notice, _Message]]) -> Iterable[Question]:
    for notice, message in notices:
        if isinstance(message.meaning, Unclear):
            for version in message.meaning.questioned:
                yield Question(version, notice.id)


def _remarks(understood: _Message, dry_run: bool) -> Iterable[str]:
    """What the run does otherwise than a message that was understood asks."""
    origin, meaning = understood.origin, understood.meaning
    if _asks_for_dry_run(understood) and not dry_run:
        yield f"{origin} asks for a dry run, and others beside it do not; nothing of it was recorded"
    if isinstance(meaning, Withdrawal) and meaning.unread:
        names = ", ".join(map(repr, meaning.unread))
        yield f"{origin} withdraws {names} too, which is no version; run `withdraw` for the version that is meant"


def _notices(message: _Message) -> Iterable[Notice]:
    """The notice about a message that was not understood: the same for the same text on one day in UTC."""
    if not isinstance(message.meaning, Unclear):
        return
    whole = f"{message.subject}\n{message.text}".encode("utf-8", "surrogatepass")
    yield Notice(f"unclear:{message.sent:%Y-%m-%d}:{sha256(whole).hexdigest()[:16]}", _explained(message, message.meaning))


def _explained(message: _Message, meaning: Unclear) -> str:
    """What was read, why it was not understood, what follows, and the commands that settle it."""
    subject = f"the subject “{plain(message.subject, MOST_NAME)}” and " if message.subject.strip() else ""
    parts = [
        f"{message.origin} was not understood: {plain(meaning.why, MOST_REASON)}. It taught nothing and started nothing.",
        f"It has {subject}the text “{plain(message.text, MOST_REASON)}”.",
        *_question_lines(meaning.questioned[:MAX_VERSIONS]),
        *_command_lines(meaning.named[:MAX_VERSIONS]),
    ]
    return "\n".join(parts)


def _question_lines(questioned: Sequence[Version]) -> Iterable[str]:
    if questioned:
        names = ", ".join(version.text for version in questioned)
        yield f"It may withdraw or warn of {names}: a known release is held until one of these commands decides."


def _command_lines(named: Sequence[Version]) -> Iterable[str]:
    if named:
        yield "If it announces a release, or withdraws one, invoke the function with the command that fits:"
    for version in named:
        yield from (f"  {command(word, version=version.text)}" for word in ("release", "withdraw"))


def _read(record: _Record, trust: Trust, now: datetime) -> _Message:
    from ges_upgrader.events.announcements import read_announcement  # a cold start by a timer needs none of its words

    smn = record["smn"]
    text, sent = smn["message"], _sent(smn, now)
    subject = smn["subject"] if isinstance(smn.get("subject"), str) else ""
    if smn.get("type") in (None, "notification"):
        meaning = read_announcement(text, subject, sent, named_topic=trust.topics is not None)
    else:
        meaning = Foreign("a confirmation of a subscription")
    return _Message(_origin(smn.get("message_id")), subject, text, sent, meaning)


def _origin(message_id: object) -> str:
    known = isinstance(message_id, str) and bool(message_id)
    return f"The SMN message {plain(str(message_id), MOST_NAME)}" if known else "An SMN message"


def _is_record(record: object) -> bool:
    return (
        isinstance(record, Mapping) and isinstance(record.get("smn"), Mapping) and isinstance(record["smn"].get("message"), str)
    )


def _topic(record: _Record) -> object:
    return record["smn"].get("topic_urn")


def _disbelief(record: _Record) -> str:
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


def _whereabouts(trusted: Sequence[_Record]) -> tuple[str | None, str | None]:
    """The function's region and project by its own URN, else the region by the topic's. Only trusted records count."""
    function = _first_match(_FUNCTION_URN, (record.get("event_subscription_urn") for record in trusted))
    if function:
        return function[1], function[2]
    topic = _first_match(_TOPIC_URN, map(_topic, trusted))
    return (topic[1] if topic else None), None


def function_region(event: object) -> str | None:
    """The function's region by its own URN, which the platform writes beside an SMN message."""
    records = event.get("record") if isinstance(event, Mapping) else None
    known = [one for one in records if isinstance(one, Mapping)] if isinstance(records, list) else []
    own = _first_match(_FUNCTION_URN, (record.get("event_subscription_urn") for record in known))
    return own and own[1]


def _first_match(urn: re.Pattern[str], values: Iterable[object]) -> re.Match[str] | None:
    matches = (urn.match(value) for value in values if isinstance(value, str))
    return next(filter(None, matches), None)
