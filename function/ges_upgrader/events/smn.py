"""An SMN event to what its messages announce (smn-obs-core.md A6). Knows the shape, decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

import msgspec

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.version import Version
from ges_upgrader.events.announcements import Announced, Retracted, Unclear, read_announcement
from ges_upgrader.events.commands import Command, Notice, Word

_FUNCTION_URN = re.compile(r"urn:(?:fss|cff):([a-z0-9-]+):([A-Za-z0-9]+):function:", re.ASCII)
_TOPIC_URN = re.compile(r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]+):", re.ASCII)


class Trust(msgspec.Struct, frozen=True):
    """Whose messages are believed: those of `topics` (None: of any), never those of `result_topic`."""

    topics: Sequence[str] | None
    result_topic: str


def read_smn(event: Mapping[str, Any], trust: Trust, now: datetime) -> Command:
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
