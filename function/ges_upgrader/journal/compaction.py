"""What of a journal still matters. What was over before a horizon is folded away, and nothing that is decided changes. Pure.

Kept is what is younger; what is open, unreported or counts against a graph; what was announced, approved and reached; and what
these need to be understood. What is younger shows in its place behind the first record after the horizon: the clocks of runs
differ, and a `retry` must not be lost beside the failure that it cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any, TypeVar

import msgspec

from ges_upgrader.domain.model import GraphKey
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import event_ids, event_ids_of
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackedUp,
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
    Sighted,
    Started,
    Told,
    Unobserved,
    Verified,
    Withdrawn,
)
from ges_upgrader.history.set_aside import KIND as SET_ASIDE
from ges_upgrader.journal.lines import encoded
from ges_upgrader.journal.refusal_rows import RefusalRows

_Ended = TypeVar("_Ended")
_REMINDED = timedelta(days=8)  # longer than a reminder comes before what it reminds of
BACKUPS_REMEMBERED = 10  # of each graph's backups made here; `backup_keep` can be no more


class Entry(msgspec.Struct, frozen=True):
    """A line of the journal: its record, or the damage that it is."""

    line: bytes
    record: AnyRecord | None
    damage: Damage | None = None


def fold(entries: Sequence[Entry], history: History, horizon: datetime) -> list[bytes]:
    """The lines to keep, in their order. `history` is what the entries add up to."""
    damaged = [entry.line for entry in entries if entry.damage is not None and entry.damage.id in history.controls.damages]
    needed = _Needed([entry.record for entry in entries], damaged, history, horizon)
    kept = []
    for place, entry in enumerate(entries):
        if entry.line in damaged:
            kept.append(entry.line)
        elif entry.record is not None and needed.keeps(place, entry.record):
            kept.append(_slim(entry, history))
    return kept


def _slim(entry: Entry, history: History) -> bytes:
    """Of a notice that was delivered it matters what it was about, not what it said."""
    record = entry.record
    if isinstance(record, Noticed) and record.text and history.outbox.delivered(record.notice_id):
        return encoded(msgspec.structs.replace(record, text="", subject=""))
    return entry.line


class _Needed:
    """`_young` is the place from which everything is kept."""

    def __init__(self, records: Sequence[AnyRecord | None], damaged: list[bytes], history: History, horizon: datetime) -> None:
        self._history, self._horizon = history, horizon
        self._young = next((place for place, one in enumerate(records) if one and one.at >= horizon), len(records))
        young = {subject for one in records[self._young :] if one for subject in _subjects(one)}
        rows = RefusalRows(one for one in records if one).standing()
        self._attempts = self._standing(young | rows)
        self._attempts |= {one for one in history.attempts.by_id for line in damaged if one.encode() in line}
        self._backups = self._standing_backups(records, young | rows)
        self._subjects = self._attempts | self._backups
        self._events = {event for one in records if one for event in self._reports(one)}
        self._events |= {one.notice_id for one in records if isinstance(one, Noticed) and self._matters(one)}
        self._events |= {one.event_id for one in records[self._young :] if isinstance(one, Told)}
        begun = (place for place, one in enumerate(records) if one and _subjects(one) & self._subjects)
        self._first_begun = next(begun, len(records))

    def _standing(self, needed: set[str]) -> set[str]:
        """The ids of the attempts that matter.

        Of a graph with one that matters all later ones do, as the last ones say whether its upgrade failed.
        """
        history = self._history
        needed = needed | {attempt.id for failures in history.attempts.all_failures() for attempt in failures}
        needed |= {event.attempt.id for event in history.outbox.pending() if event.attempt}
        needed |= {*history.set_aside.attempts(), *history.attempts.timed()}
        later = {one.id for ended in history.attempts.all_ended() for one in _from_first(ended, lambda one: one.id in needed)}
        return needed | later | {attempt.id for attempt in history.attempts.open()}

    def _reports(self, record: AnyRecord) -> set[str]:
        """The ids of all that may be reported of an attempt that matters, before and after its job was known."""
        if not isinstance(record, (Intended, Started)) or not _subjects(record) & self._attempts:
            return set()
        return event_ids(record.attempt) if isinstance(record, Intended) else event_ids_of(record.job_id)

    def _standing_backups(self, records: Sequence[AnyRecord | None], needed: set[str]) -> set[str]:
        """The same of the backups. The last ones that were made here are remembered."""
        history = self._history
        remembered = {made for ours in history.backups.made.values() for made in ours[-BACKUPS_REMEMBERED:]}
        keys = {one.backup.id: one.backup.key for one in records if isinstance(one, BackupIntended)}
        ended: dict[GraphKey, list[BackupEnded]] = {}
        for one in records:
            if isinstance(one, BackupEnded):
                ended.setdefault(keys[one.backup_id], []).append(one)

        def wanted(one: BackupEnded) -> bool:
            return one.backup_id in needed or one.made in remembered

        later = {one.backup_id for ours in ended.values() for one in _from_first(ours, wanted)}
        return later | (needed & set(keys)) | {backup.id for backup in history.backups.open()}

    def _matters(self, notice: Noticed) -> bool:
        """Whether what the notice is about may still be, so that it would be reported or awaited again."""
        kind, _, subject = notice.notice_id.partition(":")
        if kind == "rollback-ending":
            return notice.at + _REMINDED >= self._horizon
        if kind == "damaged":
            return subject in self._history.controls.damages
        if kind == "blind":
            return notice.notice_id in self._history.observations.blind_notices()
        if kind in _ABOUT_ONE:
            return subject in self._subjects
        if notice.notice_kind == SET_ASIDE:
            return self._history.set_aside.concerns(notice)
        about = notice.rule is not None or notice.version is not None or bool(notice.graphs)
        return about and kind not in _ONCE

    def keeps(self, place: int, record: AnyRecord) -> bool:
        """Whether the record of this place is needed."""
        if isinstance(record, (Released, Withdrawn, Reinstated)):
            return True
        if isinstance(record, (Resumed, Retried)):
            return place >= min(self._young, self._first_begun)
        keeps = _KEEPS.get(type(record))
        return place >= self._young if keeps is None else keeps(self, record, place >= self._young)

    def about_attempt(self, record: Intended | Started | Refused | Ended | Moved, _: bool) -> bool:
        return bool(_subjects(record) & self._attempts)

    def about_backup(self, record: BackupIntended | BackupStarted | BackupEnded, _: bool) -> bool:
        return bool(_subjects(record) & self._backups)

    def seen(self, record: Sighted, _: bool) -> bool:
        return record.subject in self._subjects

    def questioned(self, record: Questioned, _: bool) -> bool:
        return self._history.releases.questioned.get(record.version) == record

    def paused(self, record: Paused, _: bool) -> bool:
        return self._history.controls.pauses.get((record.rule, record.graph_id)) == record

    def approved(self, record: Approved, _: bool) -> bool:
        place = (record.version, record.rule, record.graph_id)
        return self._history.controls.approvals().get(place) == record.at

    def verified(self, record: Verified, _: bool) -> bool:
        return record in self._history.rollout.verified[record.rule]

    def fell_behind(self, record: FellBehind, _: bool) -> bool:
        return False  # what it undid is not kept

    def backed_up(self, record: BackedUp, young: bool) -> bool:
        """The last of each graph: it clears what failed before, too."""
        return young or self._history.backups.seen.get((record.project_id, record.graph_id)) == record

    def blind(self, record: Unobserved, _: bool) -> bool:
        return self._history.observations.blind.get((record.region, record.project_id)) == record

    def claimed(self, record: Claimed, _: bool) -> bool:
        return self._history.outbox.lease_of(record.event_id) == record

    def told(self, record: Told, young: bool) -> bool:
        return young or record.event_id in self._events

    def noticed(self, record: Noticed, young: bool) -> bool:
        return young or record.notice_id in self._events or not self._history.outbox.delivered(record.notice_id)


def _from_first(ended: list[_Ended], wanted: Callable[[_Ended], bool]) -> Iterator[_Ended]:
    """From the first that is wanted on."""
    return dropwhile(lambda one: not wanted(one), ended)


def _subjects(record: AnyRecord) -> set[str]:
    """The ids of the attempt or the backup that the record is about."""
    if isinstance(record, Intended):
        return {record.attempt.id}
    if isinstance(record, BackupIntended):
        return {record.backup.id}
    if isinstance(record, (Started, Refused, Ended, Moved)):
        return {record.attempt_id}
    if isinstance(record, (BackupStarted, BackupEnded)):
        return {record.backup_id}
    return {record.subject} if isinstance(record, Sighted) else set()


_ABOUT_ONE = ("started", "overrun", "slow-backup", "backup-slow")  # an attempt or a backup that is named in the id
_ONCE = ("unclear", "not-handed-on", "not-handed-over", "policy-refused", "timer-mistake", "journal-started", "test")
_KEEPS: dict[type, Callable[[_Needed, Any, bool], bool]] = {
    Intended: _Needed.about_attempt,
    Started: _Needed.about_attempt,
    Refused: _Needed.about_attempt,
    Ended: _Needed.about_attempt,
    Moved: _Needed.about_attempt,
    BackupIntended: _Needed.about_backup,
    BackupStarted: _Needed.about_backup,
    BackupEnded: _Needed.about_backup,
    Sighted: _Needed.seen,
    Questioned: _Needed.questioned,
    Paused: _Needed.paused,
    Approved: _Needed.approved,
    Verified: _Needed.verified,
    FellBehind: _Needed.fell_behind,
    BackedUp: _Needed.backed_up,
    Unobserved: _Needed.blind,
    Claimed: _Needed.claimed,
    Told: _Needed.told,
    Noticed: _Needed.noticed,
}
