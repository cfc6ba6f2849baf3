"""What of a journal still matters. What was over before a horizon is folded away, and nothing that is decided changes. Pure.

Kept is what is younger; what is still open, untold or held against somebody; first sights; and what these need to be
understood. The 90th percentile of `cutoff: auto` is the one number that then counts fewer upgrades.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import event_ids
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackupEnded,
    BackupIntended,
    BackupStarted,
    Claimed,
    Ended,
    FellBehind,
    Intended,
    Moved,
    Noticed,
    Paused,
    Questioned,
    Refused,
    Reinstated,
    Released,
    Resumed,
    Retried,
    Started,
    Told,
    Verified,
    Withdrawn,
)

BACKUPS_REMEMBERED = 10  # of each graph's backups made here; `backup_keep` can be no more


class Entry(msgspec.Struct, frozen=True):
    """A line of the journal: its record, or the damage that it is."""

    line: bytes
    record: AnyRecord | None
    damage: Damage | None = None


def fold(entries: Sequence[Entry], history: History, horizon: datetime) -> list[bytes]:
    """The lines to keep, in their order. `history` is what the entries add up to."""
    damaged = [entry.line for entry in entries if entry.damage is not None and entry.damage.id in history.controls.damages]
    needed = _Needed([entry.record for entry in entries if entry.record is not None], damaged, history, horizon)
    return [entry.line for entry in entries if entry.line in damaged or (entry.record and needed.keeps(entry.record))]


class _Needed:
    def __init__(self, records: Iterable[AnyRecord], damaged: list[bytes], history: History, horizon: datetime) -> None:
        """Without the attempts that damaged lines name nobody would know which graphs those are about."""
        self._history, self._horizon = history, horizon
        self._attempts, self._events, self._pardons_from = self._standing(horizon)
        self._attempts |= {one for one in history.attempts.by_id for line in damaged if one.encode() in line}
        self._backups = {backup.id for backup in history.backups.open()}
        self._told_lately: set[str] = set()
        for record in records:
            if isinstance(record, (Intended, Started, Refused)) and record.at >= horizon:
                self._attempts.add(record.attempt.id if isinstance(record, Intended) else record.attempt_id)
            elif isinstance(record, BackupEnded) and (record.at >= horizon or self._remembers(record.made)):
                self._backups.add(record.backup_id)
            elif isinstance(record, Noticed) and history.set_aside.concerns(record):
                self._events.add(record.notice_id)
            elif isinstance(record, Told) and record.at >= horizon:
                self._told_lately.add(record.event_id)

    def _standing(self, horizon: datetime) -> tuple[set[str], set[str], datetime]:
        """The attempts that matter, the ids of their events, and from when on pardons matter to them.

        Of a graph with one that matters all later ones do, as the last ones say whether it is in trouble.
        """
        history = self._history
        counting = {attempt.id for failures in history.attempts.all_failures() for attempt in failures}
        untold = {event.attempt.id for event in history.outbox.pending() if event.attempt}
        attempts = {attempt.id for attempt in history.attempts.open()}
        set_aside = {*history.set_aside.attempts()}
        oldest = horizon
        for ended in history.attempts.all_ended():
            matter = False
            for attempt in ended:
                young = attempt.ended_at is None or attempt.ended_at >= horizon
                matter = matter or young or attempt.id in counting | untold | set_aside
                if matter:
                    attempts.add(attempt.id)
                    oldest = min(oldest, attempt.ended_at or oldest)
        events = {event for one in attempts for event in event_ids(history.attempts.by_id[one])}
        return attempts | untold | set_aside, events, oldest

    def _remembers(self, made: str | None) -> bool:
        return any(made in ours[-BACKUPS_REMEMBERED:] for ours in self._history.backups.made.values())

    def keeps(self, record: AnyRecord) -> bool:
        history = self._history
        if isinstance(record, (Released, Withdrawn, Reinstated)):
            return True
        if isinstance(record, Questioned):
            return history.releases.questioned.get(record.version) == record
        if isinstance(record, Paused):
            return history.controls.pauses.get((record.rule, record.graph_id)) == record
        if isinstance(record, (Resumed, Retried)):
            return record.at >= self._pardons_from
        if isinstance(record, Intended):
            return record.attempt.id in self._attempts
        if isinstance(record, (Started, Refused, Ended, Moved)):
            return record.attempt_id in self._attempts
        if isinstance(record, BackupIntended):
            return record.backup.id in self._backups
        if isinstance(record, (BackupStarted, BackupEnded)):
            return record.backup_id in self._backups
        if isinstance(record, Verified):
            first = history.rollout.verified_at(record.rule, record.version) == record.at
            return record in history.rollout.verified[record.rule] and (record.at >= self._horizon or first)
        if isinstance(record, FellBehind):
            return False  # what it undid is not kept
        if isinstance(record, Approved):
            latest = history.controls.approvals().get((record.version, record.rule, record.graph_id))
            return record.at >= self._horizon and record.at == latest
        if isinstance(record, Claimed):
            return history.outbox.lease_of(record.event_id) == record
        if isinstance(record, Told):
            return record.event_id in self._told_lately or record.event_id in self._events
        if isinstance(record, Noticed):
            told = history.outbox.delivered(record.notice_id)
            kept = record.notice_id in self._told_lately or record.notice_id in self._events
            return record.at >= self._horizon or not told or kept
        return record.at >= self._horizon
