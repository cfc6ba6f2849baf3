"""The journal: append-only records with compare-and-swap on the length of what they are kept in.

A run that wants to write says what it wants as a function of the history. When another run has written in between, the
history is read on and the function asked again: so two runs never start the same upgrade or send the same message.

It is a row of files. `head` names the last one that was begun. A file that has grown is sealed, which ends all writing to it
in one append; what of it still matters begins the next (docs/decisions/0016-files-of-the-journal.md). The first file stays
for ever: it shows that there is a journal, and how far it has come. So a run reads two files, however old the journal is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ges_upgrader.domain.timestamps import LONG_AGO
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Record
from ges_upgrader.journal.compaction import fold
from ges_upgrader.journal.lines import Gap, Marked, Sealed, encoded
from ges_upgrader.journal.remembered import news
from ges_upgrader.journal.segment import MARKER, Segment, name_of
from ges_upgrader.journal.storage import Conflict, JournalError, Storage

HEAD = "head"
MOST_LINES = 1000  # beyond them a run seals its file when it ends
MOST_APPENDS = 5000  # beyond them it does so at once: OBS takes 10,000 appends to an object (smn-obs-core.md C1)
LONG = timedelta(days=7)  # so often is looked for what can be folded away
_CONFLICTS = 20  # so many in a row, with nothing new to read, are no overlap
_BEYOND_END = 1 << 40  # of any file: who reads from there learns whether there is one


class Journal:
    """The records, and the history they add up to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._file = Segment(1)
        self._opened = False
        self._head: bytes | None = None
        self._remembered: list[AnyRecord] = []

    @property
    def history(self) -> History:
        return self._file.history

    @property
    def records(self) -> list[AnyRecord]:
        """Those of the history, in their order, less what is damaged."""
        return [entry.record for entry in self._file.entries if entry.record is not None]

    @property
    def lasting(self) -> bool:
        """Whether what is written is still there after this process."""
        return self._storage.lasting

    @property
    def new(self) -> bool:
        """Whether there is no journal yet: the first write begins one."""
        opened = self._opened and self.history.readable
        return self.lasting and opened and (self._file.number, self._file.position) == (1, 0) and not self._file.entries

    @property
    def doubt(self) -> str | None:
        """Why it is unknown whether there is a journal, until the first write shows it."""
        return self._storage.unsure if self.new else None

    def refresh(self) -> None:
        """Reads what others have written; all of it, where what is remembered may not stand there. Raises JournalError.

        What is known is not given up for a part of what stands there.
        """
        known = self._file
        self._file = self._read_on(known) if self._opened and self.history.readable else self._open()
        self._opened = True
        self.history.readable = True
        if self._remembered:
            remembered, self._remembered = self._remembered, []
            try:
                self.commit(lambda history: news(remembered, history))
            except JournalError:
                self._file, self._remembered = known, remembered
                raise

    def lose(self) -> None:
        """Takes in that the storage is unavailable: the history is not readable until the next refresh succeeds."""
        self.history.readable = False

    def remember(self, wanted: Callable[[History], list[AnyRecord]]) -> list[AnyRecord]:
        """Takes up what `wanted` says while it cannot be written; what needs no more to be true is written once it can."""
        records = wanted(self.history)
        for record in records:
            self.history.apply(record)
        self._remembered += records
        return records

    def commit(self, wanted: Callable[[History], list[AnyRecord]]) -> list[AnyRecord]:
        """Appends what `wanted` says, asked again after each conflict; the records written. Raises JournalError."""
        if not self._opened:
            self.refresh()
        in_vain = 0
        while in_vain < _CONFLICTS:
            records = wanted(self.history)
            if not records:
                return []
            known = (self._file.number, self._file.position)
            try:
                if not self._file.continued and self._file.added >= MOST_APPENDS:
                    self._append([Sealed(at=records[0].at, horizon=LONG_AGO)])  # what is old is folded away at the run's end
                if not self._file.continued:
                    self._append(records)
                    return records
                self._go_on()
            except Conflict:
                self.refresh()
            in_vain = in_vain + 1 if (self._file.number, self._file.position) == known else 0
        raise JournalError(f"{self._file.name} has another length than what was read of it")

    def write(self, *records: AnyRecord) -> None:
        """Appends records that are right whatever others have written. Raises JournalError."""
        self.commit(lambda _: list(records))

    def tidy(self, now: datetime, keep: timedelta) -> None:
        """Begins a new file where this one has grown, or holds what was over longer than `keep` ago. Raises JournalError."""
        if not self.lasting or not self._opened:
            return
        if self._file.continued:
            self._go_on()
        if self._file.number > max(1, _number_in(self._head)):
            self._name_in_head(now)
        elif not self._file.marked:
            self._mark(now)
        file, horizon = self._file, now - keep
        unmarked = file.marked and file.begun is not None and not file.begun.marked  # by a version before 2.0
        old = now - file.began_at >= LONG and len(fold(file.entries, file.history, horizon)) < len(file.entries)
        if not (file.added >= MOST_LINES or old or unmarked):
            return
        try:
            self._append([Sealed(at=now, horizon=horizon)])
        except Conflict:
            return  # another run is at work; it, or a later one, will do this
        self._go_on()

    def _open(self) -> Segment:
        self._head = self._storage.read(HEAD)
        named = _number_in(self._head) or 1
        file = self._load(named)
        if file is not None:
            return self._last(file)
        if self._head is not None or self._later(1):
            raise _gone(named, self._storage.unsure)
        return Segment(1)

    def _read_on(self, file: Segment) -> Segment:
        if not file.position:
            return self._open()
        data = self._storage.read(file.name, file.position)
        if data is None:
            raise _gone(file.number, self._storage.unsure)
        file.feed(data)
        return self._last(file)

    def _last(self, file: Segment) -> Segment:
        """The last file that was begun, this one or one after it."""
        while file.continued:
            number = max(file.number + 1, file.reached)
            following = self._load(number)
            if following is None:
                if file.reached >= number or self._later(number):
                    raise _gone(number, self._storage.unsure)
                return file
            file = following
        return file

    def _load(self, number: int) -> Segment | None:
        """The file of this number with what is missing of it; None: there is none."""
        data = self._storage.read(name_of(number))
        if data is None:
            return None
        file = Segment(number)
        file.feed(data)
        gap = file.flaw(LONG_AGO)
        if gap is None and file.begun is not None and file.marked and self._storage.read(MARKER, _BEYOND_END) is None:
            gap = Gap(
                at=LONG_AGO, where=MARKER, why="it is missing; it must never be deleted, as it shows that there is a journal"
            )
            file.marked = False
        if gap is not None:
            file.miss(gap)
        return file

    def _later(self, number: int) -> bool:
        """Whether a file after this number is known to be there. Not every storage can say."""
        found = (re.fullmatch(r"journal-(\d{1,9})\.jsonl", name) for name in self._storage.names() or ())
        return any(int(name[1]) > number for name in found if name)

    def _append(self, records: Sequence[Record]) -> None:
        data = self._file.to_append(records)
        self._storage.append(self._file.name, self._file.position, data)
        self._file.appended(records, data)

    def _go_on(self) -> None:
        """Begins the file after a sealed one, if no other run has, and continues in it."""
        before, number = self._file, self._file.number + 1
        assert before.sealed is not None
        data = before.next_file()
        following: Segment | None = Segment(number)
        try:
            self._storage.append(name_of(number), 0, data)
        except Conflict:  # another run began it, with the same
            following = self._load(number)
            if following is None:
                raise _gone(number, self._storage.unsure) from None
            following = self._last(following)
        else:
            assert following is not None
            following.feed(data)
        following.history.readable = self.history.readable
        self._file = following
        self._name_in_head(before.sealed.at)

    def _name_in_head(self, at: datetime) -> None:
        """Where that fails the file is found through the sealed one before it, at the price of a request."""
        head = self._head or b""
        line = b"%d\n" % self._file.number
        if head and not head.endswith(b"\n"):  # a number that was broken off is less than what was meant
            line = b"\n" + line
        try:
            self._storage.append(HEAD, len(head), line)
        except (Conflict, JournalError):
            return
        self._head = head + line
        self._mark(at)

    def _mark(self, at: datetime) -> None:
        """Names the newest file in the marker, too. A missing one is made again once an operator has looked."""
        try:
            marker = self._storage.read(MARKER)
            looked = all(damage.where != MARKER for damage in self.history.controls.damages.values())
            if marker is None and (self._file.marked or not looked):
                return
            line = encoded(Marked(at=at, number=self._file.number)) + b"\n"
            if marker and not marker.endswith(b"\n"):
                line = b"\n" + line
            self._storage.append(MARKER, len(marker or b""), line)
        except (Conflict, JournalError):
            return
        self._file.marked = True


def _number_in(head: bytes | None) -> int:
    """The highest number that `head` names; 0: none."""
    return max(map(int, re.findall(rb"^(\d{1,9})$", head or b"", re.MULTILINE)), default=0)


def _gone(number: int, unsure: str | None) -> JournalError:
    why = f", or may not be read: {unsure}" if unsure else ""
    return JournalError(f"{name_of(number)} is missing{why}; the journal cannot be read without it")
