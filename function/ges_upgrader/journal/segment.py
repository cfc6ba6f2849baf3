"""One file of the journal as far as it was read: its records, what they add up to, and what is missing. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ges_upgrader.domain.timestamps import FAR
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Record
from ges_upgrader.journal.compaction import Entry, fold
from ges_upgrader.journal.lines import (
    Begun,
    Gap,
    Marked,
    Sealed,
    decoded,
    digest,
    encoded,
    ends_or_begins_a_file,
    scoped,
)
from ges_upgrader.journal.storage import JournalError

MARKER = "journal-1.jsonl"  # the first file, which shows for ever that there is a journal


def name_of(number: int) -> str:
    return f"journal-{number}.jsonl"


class Segment:
    """`position` is the end of what was read. `reached` is the highest number of a file that the marker names, 0: none.

    `marked`: the marker is there, as far as is known.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.history = History()
        self.entries: list[Entry] = []
        self.position = 0
        self.begun: Begun | None = None
        self.sealed: Sealed | None = None
        self.reached = 0
        self.marked = number == 1
        self._only_marks = True
        self._broken_off = False
        self._gaps: list[Gap] = []  # that were not recorded yet

    @property
    def name(self) -> str:
        return name_of(self.number)

    @property
    def continued(self) -> bool:
        """Whether nothing more is written to it. A marker that was made later holds no records."""
        return self.sealed is not None or (self._only_marks and self.reached > 0)

    @property
    def added(self) -> int:
        """The lines that came after the file was begun: no append is without one."""
        return len(self.entries) - (self.begun.lines if self.begun else 0)

    @property
    def began_at(self) -> datetime:
        """When this file was begun, which for the first is when its first record was written."""
        if self.begun is not None:
            return self.begun.at
        return next((entry.record.at for entry in self.entries if entry.record), FAR)

    def feed(self, data: bytes) -> None:
        """Takes in what follows in the file. Raises JournalError if only a later version knows where the journal continues."""
        self.position += len(data)
        if data:
            self._broken_off = not data.endswith(b"\n")
        for line in data.split(b"\n"):
            if line.strip():
                self._understand(line)

    def to_append(self, records: Sequence[Record]) -> bytes:
        """The lines of the records. What is missing is recorded before them."""
        gaps = [encoded(msgspec.structs.replace(gap, at=records[0].at)) for gap in self._gaps]
        data = b"".join(line + b"\n" for line in (*gaps, *map(encoded, records)))
        return b"\n" + data if self._broken_off else data  # it must not become a part of the broken record

    def appended(self, records: Sequence[Record], data: bytes) -> None:
        """Takes in that `to_append` was appended."""
        self._gaps.clear()
        self._broken_off = False
        self.position += len(data)
        for record in records:
            self._take(encoded(record), record)

    def miss(self, gap: Gap) -> None:
        """Takes in that a part of the journal is missing, unless that was recorded before."""
        if not any(entry.damage and entry.damage.id == gap.damage.id for entry in self.entries):
            self._gaps.append(gap)
            self._suffer(encoded(gap), gap.damage)

    def flaw(self, at: datetime) -> Gap | None:
        """What the file lacks of what it began with."""
        if self.number == 1:
            bare = not self.entries and not self.reached and self.sealed is None
            return Gap(at=at, where=self.name, why="it is empty") if bare else None
        if self.begun is None:
            why = "its beginning is missing" if self.entries else "it is empty"
            return Gap(at=at, where=self.name, why=why)
        if self.added < 0:
            why = f"it began with {self.begun.lines} records, of which some are missing"
            return Gap(at=at, where=self.name, why=why)
        return None

    def next_file(self) -> bytes:
        """The lines with which the file after this one begins."""
        assert self.sealed is not None
        lines = fold(self.entries, self.history, self.sealed.horizon)
        begun = encoded(Begun(at=self.sealed.at, lines=len(lines), marked=self.marked))
        return b"".join(line + b"\n" for line in [begun, *lines])

    def _understand(self, line: bytes) -> None:
        try:
            record = decoded(line)
        except (ValueError, RecursionError) as error:
            if ends_or_begins_a_file(line):
                raise JournalError(f"{self.name} was sealed or begun by another version of the function: {error}") from None
            self._damage(line, str(error))
            return
        try:
            self._take(line, record)
        except KeyError as missing:
            self._damage(line, f"it is about {missing}, which no record before it is about")

    def _take(self, line: bytes, record: Any) -> None:
        self._only_marks = self._only_marks and isinstance(record, Marked)
        if isinstance(record, Sealed):
            self.sealed = record
        elif isinstance(record, Begun):
            self.begun, self.marked = record, record.marked
        elif isinstance(record, Marked):
            self.reached = max(self.reached, record.number)
        elif isinstance(record, Gap):
            known = [gap for gap in self._gaps if gap.damage == record.damage]
            if known:  # found by another run, too
                self._gaps.remove(known[0])
            else:
                self._suffer(line, record.damage)
        else:
            self.history.apply(record)
            self.entries.append(Entry(line, record))

    def _damage(self, line: bytes, why: str) -> None:
        self._only_marks = False
        where = f"record {len(self.entries) + 1} of {self.name}"
        self._suffer(line, scoped(line, Damage(digest(line), where, why), self.history))

    def _suffer(self, line: bytes, damage: Damage) -> None:
        self.history.controls.suffer(damage)
        self.entries.append(Entry(line, None, damage))
