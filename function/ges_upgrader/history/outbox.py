"""What is to be reported, what was delivered, and what was announced for when. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ges_upgrader.domain.model import Attempt, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Claimed, Ended, Moved, Noticed, Told


class Event(msgspec.Struct, frozen=True):
    """Something to report: `id` is the same on every repeat of it. It is about an attempt that ended, or a notice."""

    id: str
    at: datetime
    attempt: Attempt | None = None
    verdict: Verdict | None = None
    detail: str | None = None
    halts: bool = False
    job_ended_at: datetime | None = None
    notice: Noticed | None = None


class Outbox:
    """`planned` holds for each graph and version when its start was announced; None: that is still in the outbox."""

    def __init__(self) -> None:
        self.planned: dict[tuple[str, Version], datetime | None] = {}
        self._pending: dict[str, Event] = {}
        self._delivered: set[str] = set()
        self._leases: dict[str, Claimed] = {}
        self._named: dict[str, set[str]] = {}

    def deliverable(self, now: datetime) -> list[Event]:
        """The events that may be sent: not delivered, and not leased."""
        return [event for event in self._pending.values() if not self.leased(event.id, now)]

    def pending(self) -> list[Event]:
        """All events that were not delivered."""
        return list(self._pending.values())

    def pending_ids(self) -> list[str]:
        return list(self._pending)

    def lease_of(self, event_id: str) -> Claimed | None:
        """The last lease of an event that was not delivered."""
        return self._leases.get(event_id)

    def leased(self, event_id: str, now: datetime) -> bool:
        lease = self._leases.get(event_id)
        return lease is not None and now < lease.until

    def delivered(self, event_id: str) -> bool:
        return event_id in self._delivered

    def knows(self, event_id: str) -> bool:
        return event_id in self._delivered or event_id in self._pending

    def named(self, about: str) -> set[str]:
        """The ids of the graphs named by the notices whose id is `about` and one part more."""
        return self._named.get(about, set())

    def end(self, record: Ended, attempt: Attempt) -> None:
        """`attempt` is the one that ended, as it is afterwards."""
        event_id = event_id_of(attempt, record.verdict)
        if event_id not in self._delivered:
            job_ended_at = record.job_ended_at
            event = Event(event_id, record.at, attempt, record.verdict, record.detail, record.halts, job_ended_at)
            self._pending[event_id] = event

    def move(self, record: Moved) -> None:
        for event in self.pending():
            if event.attempt and event.attempt.id == record.attempt_id:
                moved = msgspec.structs.replace(event.attempt, rule=record.rule)
                self._pending[event.id] = msgspec.structs.replace(event, attempt=moved)

    def notice(self, record: Noticed) -> None:
        if self.knows(record.notice_id):
            return
        self._pending[record.notice_id] = Event(id=record.notice_id, at=record.at, notice=record)
        self._named.setdefault(record.notice_id.rpartition(":")[0], set()).update(record.graphs)
        if record.notice_kind == "planned" and record.version is not None:
            for graph_id in record.graphs:
                self.planned.setdefault((graph_id, record.version), None)

    def claim(self, record: Claimed) -> None:
        self._leases[record.event_id] = record

    def deliver(self, record: Told) -> None:
        self._delivered.add(record.event_id)
        self._leases.pop(record.event_id, None)
        event = self._pending.pop(record.event_id, None)
        notice = event.notice if event else None
        if notice is not None and notice.notice_kind == "planned" and notice.version is not None:
            for graph_id in notice.graphs:
                self.planned[graph_id, notice.version] = record.at


def event_ids(attempt: Attempt) -> set[str]:
    """The ids of all that may be reported of an attempt, before and after its job was known."""
    names = {attempt.id, attempt.job_id or attempt.id}
    return {f"{name}:{verdict.value}" for name in names for verdict in Verdict}


def event_id_of(attempt: Attempt, verdict: Verdict) -> str:
    return f"{attempt.job_id or attempt.id}:{verdict.value}"
