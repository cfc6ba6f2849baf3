"""What the journal's records add up to: a few projections behind one dispatch by the type of the record. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ges_upgrader.domain.model import GraphKey
from ges_upgrader.history import records
from ges_upgrader.history.attempts import Attempts
from ges_upgrader.history.backups import Backups
from ges_upgrader.history.controls import Controls
from ges_upgrader.history.observations import Observations
from ges_upgrader.history.outbox import Outbox
from ges_upgrader.history.records import AnyRecord, Ended, Refused, Started
from ges_upgrader.history.releases import Releases
from ges_upgrader.history.rollout import Rollout
from ges_upgrader.history.set_aside import SetAside


class History:
    """Only `apply` changes it. Not `readable`: the journal is unavailable, and what is missing here is unknown."""

    def __init__(self, records: Iterable[AnyRecord] = (), readable: bool = True) -> None:
        self.readable = readable
        self._identity = object()
        self.releases = Releases()
        self.attempts = Attempts()
        self.set_aside = SetAside()
        self.backups = Backups()
        self.controls = Controls()
        self.rollout = Rollout()
        self.outbox = Outbox()
        self.observations = Observations()
        for record in records:
            self.apply(record)

    def apply(self, record: AnyRecord) -> None:
        """Raises KeyError for a record about an attempt or a backup that no record before it began."""
        for take in _DISPATCH[type(record)]:
            take(self, record)

    def graph_of(self, subject: str) -> str | None:
        """The graph id of an attempt or a backup, by its id; also of one whose first record is damaged."""
        begun = self.attempts.by_id.get(subject) or next((one for one in self.backups.open() if one.id == subject), None)
        damaged = (one.graph_id for one in self.controls.damages.values() if one.subject == subject)
        return begun.graph_id if begun else next(damaged, None)

    def in_progress(self, graph: GraphKey) -> bool:
        return self.attempts.open_of(graph) is not None or self.backups.open_of(graph) is not None

    def changes(self, rules: Collection[str], known: Collection[str]) -> tuple[object, int]:
        """How much was recorded of these rules, and of those that are not among the known ones: the same: nothing new.

        Two histories are never the same, as each begins to count anew.
        """
        changes = self.attempts.changes
        counted = sum(changes[rule] for rule in changes if rule in rules or rule not in known)
        return self._identity, self.rollout.changes + counted


def _start(history: History, record: Started) -> None:
    history.attempts.start(record)
    history.set_aside.start(history.attempts.by_id[record.attempt_id])


def _refuse(history: History, record: Refused) -> None:
    attempt = history.attempts.by_id[record.attempt_id]
    history.attempts.refuse(record)
    history.set_aside.refuse(record, attempt)


def _end(history: History, record: Ended) -> None:
    history.attempts.end(record)
    attempt = history.attempts.by_id[record.attempt_id]
    history.outbox.end(record, attempt)
    history.set_aside.end(record, attempt)


_DISPATCH: dict[type, tuple[Callable[[History, Any], None], ...]] = {
    records.Told: (lambda history, record: history.outbox.deliver(record),),
    records.Claimed: (lambda history, record: history.outbox.claim(record),),
    records.Noticed: (
        lambda history, record: history.outbox.notice(record),
        lambda history, record: history.set_aside.notice(record),
    ),
    records.Intended: (lambda history, record: history.attempts.intend(record),),
    records.Started: (_start,),
    records.Sighted: (lambda history, record: history.observations.sight(record),),
    records.Refused: (_refuse,),
    records.Ended: (_end,),
    records.Moved: (
        lambda history, record: history.attempts.move(record),
        lambda history, record: history.outbox.move(record),
    ),
    records.BackupIntended: (lambda history, record: history.backups.intend(record),),
    records.BackupStarted: (lambda history, record: history.backups.start(record),),
    records.BackupEnded: (lambda history, record: history.backups.end(record),),
    records.BackedUp: (lambda history, record: history.backups.see(record),),
    records.Verified: (lambda history, record: history.rollout.verify(record),),
    records.FellBehind: (lambda history, record: history.rollout.fall_behind(record),),
    records.Released: (lambda history, record: history.releases.release(record),),
    records.Withdrawn: (lambda history, record: history.releases.withdraw(record),),
    records.Reinstated: (lambda history, record: history.releases.reinstate(record),),
    records.Questioned: (lambda history, record: history.releases.question(record),),
    records.Approved: (lambda history, record: history.controls.approve(record),),
    records.Paused: (lambda history, record: history.controls.pause(record),),
    records.Unpaused: (lambda history, record: history.controls.resume(record),),
    records.Resumed: (
        lambda history, record: history.controls.resume(record),
        lambda history, record: history.attempts.resume(record),
    ),
    records.Retried: (
        lambda history, record: history.attempts.retry(record),
        lambda history, record: history.set_aside.retry(record),
        lambda history, record: history.backups.retry(record),
    ),
    records.Unobserved: (lambda history, record: history.observations.lose(record),),
    records.Observed: (lambda history, record: history.observations.recover(record),),
}
