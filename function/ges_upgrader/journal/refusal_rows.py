"""Which refusals in a row still matter: since when a graph is refused, and how often lately. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ges_upgrader.domain.model import GraphKey
from ges_upgrader.history.attempts import Refusal
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, BackupEnded, BackupIntended, Intended, Refused

_Place = tuple[bool, GraphKey]  # whether upgrades were refused or backups failed, and of which graph


class RefusalRows:
    """The ids of the attempts and backups of each row: the first, and the last that are close together.

    The records are read again, because each refusal counts by what stood when it was recorded.
    """

    def __init__(self, records: Iterable[AnyRecord]) -> None:
        self._past = History()
        self._keys: dict[str, GraphKey] = {}
        self._rows: dict[_Place, list[str]] = {}
        for record in records:
            self._past.apply(record)
            self._take(record)

    def standing(self) -> set[str]:
        """The ids in the rows that were not cleared since."""
        standing = [self._rows[True, key] for key in self._past.attempts.refusals]
        standing += [self._rows[False, key] for key in self._past.backups.refusals]
        return {subject for row in standing for subject in row}

    def _take(self, record: AnyRecord) -> None:
        if isinstance(record, Intended):
            self._keys[record.attempt.id] = record.attempt.key
        elif isinstance(record, BackupIntended):
            self._keys[record.backup.id] = record.backup.key
        elif isinstance(record, Refused):
            key = self._keys[record.attempt_id]
            self._follow((True, key), record.attempt_id, self._past.attempts.refusals[key])
        elif isinstance(record, BackupEnded) and record.detail is not None:
            key = self._keys[record.backup_id]
            self._follow((False, key), record.backup_id, self._past.backups.refusals[key])

    def _follow(self, place: _Place, subject: str, refusal: Refusal) -> None:
        row = self._rows.setdefault(place, [])
        if refusal.times == 1:  # a new row, or the first of those that are close together
            del row[0 if refusal.since == refusal.at else 1 :]
        row.append(subject)
