"""What the journal remembers: its records, and the history that they add up to. Pure.

GES is the truth for versions, states and jobs; a record holds only what cannot be read there (smn-obs-core.md C4).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Union

import msgspec

from .model import Attempt, Release, Verdict
from .versions import Version


class Record(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True):
    at: datetime


class Released(Record, frozen=True, tag="released"):
    """A version was announced. The first one of a version is its first sight."""

    release: Release


class Withdrawn(Record, frozen=True, tag="withdrawn"):
    """A version was withdrawn: nothing more is started to it."""

    version: Version


class Intended(Record, frozen=True, tag="intended"):
    """Written before the upgrade call, so that a call whose answer is lost is known of."""

    attempt: Attempt


class Started(Record, frozen=True, tag="started"):
    """The job of an attempt became known: from the call's answer, or found in GES's job centre."""

    attempt_id: str
    job_id: str


class Refused(Record, frozen=True, tag="refused"):
    """The call of an attempt did not act; `code` is the service's, or a word for what happened."""

    attempt_id: str
    code: str
    detail: str


class Ended(Record, frozen=True, tag="ended"):
    """What became of an attempt. It is also the outbox entry of the message that tells it."""

    attempt_id: str
    verdict: Verdict
    detail: str | None = None


class Noticed(Record, frozen=True, tag="noticed"):
    """Something that is to be told once, and is no outcome: a message that could not be understood."""

    notice_id: str
    text: str


class Claimed(Record, frozen=True, tag="claimed"):
    """A run leases the telling of an event: until then no other run sends it."""

    event_id: str
    run_id: str
    until: datetime


class Told(Record, frozen=True, tag="told"):
    """The message of an event was accepted by SMN."""

    event_id: str
    message_id: str


AnyRecord = Union[Released, Withdrawn, Intended, Started, Refused, Ended, Noticed, Claimed, Told]


class Refusal(msgspec.Struct, frozen=True):
    """The last refusals, in a row, of one graph's upgrade to one version."""

    version: Version
    code: str
    detail: str
    at: datetime
    times: int


class Event(msgspec.Struct, frozen=True):
    """Something to tell: `id` is the same on every repeat of it."""

    id: str
    at: datetime
    attempt: Attempt | None = None
    verdict: Verdict | None = None
    detail: str | None = None


class History:
    """The journal's records, added up. Only `apply` changes it. Not `readable`: what is missing here is not known."""

    def __init__(self, records: Iterable[AnyRecord] = (), readable: bool = True) -> None:
        self.readable = readable
        self.releases: dict[Version, tuple[Release, datetime]] = {}
        self.withdrawn: set[Version] = set()
        self.attempts: dict[str, Attempt] = {}
        self.refusals: dict[str, Refusal] = {}
        self._untold: dict[str, Event] = {}
        self._told: set[str] = set()
        self._leases: dict[str, Claimed] = {}
        self._open: dict[str, Attempt] = {}
        for record in records:
            self.apply(record)

    def open_attempts(self) -> list[Attempt]:
        return list(self._open.values())

    def open_attempt(self, graph_id: str) -> Attempt | None:
        return self._open.get(graph_id)

    def failures(self, rule: str, version: Version) -> list[Attempt]:
        """Ended attempts of a rule at a version that did not succeed."""
        return [
            attempt
            for attempt in self.attempts.values()
            if attempt.rule == rule and attempt.to_version == version and attempt.verdict not in (None, Verdict.SUCCEEDED)
        ]

    def untold(self, now: datetime) -> list[Event]:
        """The events that may be told: not told yet, and not leased."""
        return [event for event in self._untold.values() if not self.leased(event.id, now)]

    def leased(self, event_id: str, now: datetime) -> bool:
        lease = self._leases.get(event_id)
        return lease is not None and now < lease.until

    def told(self, event_id: str) -> bool:
        return event_id in self._told

    def knows(self, event_id: str) -> bool:
        return event_id in self._told or event_id in self._untold

    def apply(self, record: AnyRecord) -> None:
        if isinstance(record, Released):
            self.releases.setdefault(record.release.version, (record.release, record.at))
        elif isinstance(record, Withdrawn):
            self.withdrawn.add(record.version)
        elif isinstance(record, Intended):
            self._put(record.attempt)
        elif isinstance(record, Started):
            self._put(msgspec.structs.replace(self.attempts[record.attempt_id], job_id=record.job_id))
        elif isinstance(record, Refused):
            self._refuse(record)
        elif isinstance(record, Ended):
            self._end(record)
        elif isinstance(record, Noticed):
            self._untold.setdefault(record.notice_id, Event(id=record.notice_id, at=record.at, detail=record.text))
        elif isinstance(record, Claimed):
            self._leases[record.event_id] = record
        else:
            self._told.add(record.event_id)
            self._untold.pop(record.event_id, None)
            self._leases.pop(record.event_id, None)

    def _put(self, attempt: Attempt) -> None:
        self.attempts[attempt.id] = attempt
        if attempt.open:
            self._open[attempt.graph_id] = attempt
        else:
            self._open.pop(attempt.graph_id, None)

    def _refuse(self, record: Refused) -> None:
        attempt = self.attempts.pop(record.attempt_id)
        self._open.pop(attempt.graph_id, None)
        last = self.refusals.get(attempt.graph_id)
        times = last.times + 1 if last is not None and last.version == attempt.to_version else 1
        self.refusals[attempt.graph_id] = Refusal(attempt.to_version, record.code, record.detail, record.at, times)

    def _end(self, record: Ended) -> None:
        attempt = self.attempts[record.attempt_id]
        if record.verdict.ends:
            attempt = msgspec.structs.replace(attempt, verdict=record.verdict, detail=record.detail, ended_at=record.at)
            self.refusals.pop(attempt.graph_id, None)
        else:
            attempt = msgspec.structs.replace(attempt, timed_out=True)
        self._put(attempt)
        event_id = f"{attempt.job_id or attempt.id}:{record.verdict.value}"
        if event_id not in self._told:
            self._untold[event_id] = Event(event_id, record.at, attempt, record.verdict, record.detail)
