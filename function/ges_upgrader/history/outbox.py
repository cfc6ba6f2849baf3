"""What is to be reported, what was delivered, and what was announced for when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.latency import Latency
from ges_upgrader.domain.model import Attempt, Verdict
from ges_upgrader.domain.timestamps import LONG_AGO
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Claimed, Ended, Moved, Noticed, Told

NOT_WORTH_A_WORD = timedelta(hours=1)  # by which a start may be later than announced without another announcement


class Event(msgspec.Struct, frozen=True):
    """Something to report: `id` is the same on every repeat of it. It is about an attempt that ended, or a notice."""

    id: str
    at: datetime
    attempt: Attempt | None = None
    verdict: Verdict | None = None
    detail: str | None = None
    halts: bool = False
    job_ended_at: datetime | None = None
    after: tuple[Latency, ...] = ()
    notice: Noticed | None = None


class Promise(msgspec.Struct, frozen=True):
    """What was announced of a start: that it does not happen before `start`; None: no instant was named.

    `delivered_at`: when an announcement of this start, or of an earlier one, was delivered; None: none was yet.
    """

    start: datetime | None
    delivered_at: datetime | None = None


class Outbox:
    """What is to be reported, what was delivered, and what was promised about planned starts."""

    def __init__(self) -> None:
        self._promises: dict[tuple[str, Version], Promise] = {}  # the last that was delivered
        self._announced: dict[tuple[str, Version], Promise] = {}  # the last, delivered or not
        self._pending: dict[str, Event] = {}
        self._delivered: set[str] = set()
        self._leases: dict[str, Claimed] = {}
        self._named: dict[str, set[str]] = {}
        self._last: dict[str, datetime] = {}

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

    def promise(self, graph_id: str, version: Version) -> Promise | None:
        """What was last announced, and delivered, about the graph's start."""
        return self._promises.get((graph_id, version))

    def notice_ends(self, graph_id: str, version: Version, notice: timedelta, now: datetime) -> datetime:
        """The instant from which a start keeps what was announced, and that for `notice` at least.

        A start earlier than announced needs an announcement of its own, which could go out now.
        """
        promise = self.promise(graph_id, version)
        if promise is None or promise.delivered_at is None:
            return now + notice
        return min(now + notice, max(promise.delivered_at + notice, promise.start or LONG_AGO))

    def to_announce(self, graph_id: str, version: Version, start: datetime, now: datetime) -> bool:
        """Whether a start at that instant is to be announced: it never was, or another one was."""
        announced = self._announced.get((graph_id, version))
        if announced is None:
            return True
        if announced.start is None or announced.delivered_at is None:
            return False
        return start < announced.start or start > max(now, announced.start + NOT_WORTH_A_WORD)

    def comes_early(self, graph_id: str, version: Version, now: datetime) -> bool:
        """Whether a start now is earlier than what was last announced."""
        announced = self._announced.get((graph_id, version))
        return announced is not None and now < (announced.start or LONG_AGO)

    def named(self, about: str) -> set[str]:
        """The ids of the graphs named by the notices whose id is `about` and one part more."""
        return self._named.get(about, set())

    def last_noticed(self, about: str) -> datetime | None:
        """When the last notice was recorded whose id is `about` and one part more."""
        return self._last.get(about)

    def reported(self, prefix: str) -> list[str]:
        """The ids of the events that begin so, delivered or not."""
        return [event_id for event_id in (*self._delivered, *self._pending) if event_id.startswith(prefix)]

    def end(self, record: Ended, attempt: Attempt) -> None:
        """`attempt` is the one that ended, as it is afterwards."""
        event_id = event_id_of(attempt, record.verdict)
        if event_id not in self._delivered:
            job_ended_at = record.job_ended_at
            event = Event(event_id, record.at, attempt, record.verdict, record.detail, record.halts, job_ended_at, record.after)
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
        about = record.notice_id.rpartition(":")[0]
        self._named.setdefault(about, set()).update(record.graphs)
        self._last[about] = record.at
        for place, promise in _promises(record):
            self._announced[place] = promise

    def claim(self, record: Claimed) -> None:
        self._leases[record.event_id] = record

    def deliver(self, record: Told) -> None:
        self._delivered.add(record.event_id)
        self._leases.pop(record.event_id, None)
        event = self._pending.pop(record.event_id, None)
        if event is not None and event.notice is not None:
            for place, promise in _promises(event.notice):
                delivered = _delivered(promise, self._promises.get(place), record.at)
                self._promises[place] = delivered
                if self._announced.get(place) == promise:
                    self._announced[place] = delivered


def _promises(notice: Noticed) -> list[tuple[tuple[str, Version], Promise]]:
    """What an announcement of planned starts promises, by graph and version."""
    if notice.notice_kind != "planned" or notice.version is None:
        return []
    starts: list[datetime | None] = [*notice.starts, *[None] * (len(notice.graphs) - len(notice.starts))]
    return [((graph_id, notice.version), Promise(start)) for graph_id, start in zip(notice.graphs, starts)]


def _delivered(promise: Promise, before: Promise | None, at: datetime) -> Promise:
    """The promise once its announcement was delivered. One that moves a start later needs no notice of its own again."""
    later = before is not None and (promise.start or LONG_AGO) >= (before.start or LONG_AGO)
    return msgspec.structs.replace(promise, delivered_at=before.delivered_at if before is not None and later else at)


def event_ids(attempt: Attempt) -> set[str]:
    """The ids of all that may be reported of an attempt, before and after its job was known."""
    return event_ids_of(attempt.id) | event_ids_of(attempt.job_id or attempt.id)


def event_ids_of(name: str) -> set[str]:
    """The same by the name of the attempt, or of its job."""
    return {f"{name}:{verdict.value}" for verdict in Verdict}


def event_id_of(attempt: Attempt, verdict: Verdict) -> str:
    return f"{attempt.job_id or attempt.id}:{verdict.value}"
