"""The journal: append-only records with compare-and-swap on the length of what they are kept in.

A run that wants to write says what it wants as a function of the history. When another run has written in between, the
history is read on and the function asked again: so two runs never start the same upgrade or send the same message.

It is a row of files. `head` names the last one that was begun. A file that has grown is sealed, which ends all writing to it
in one append; what of it still matters begins the next (docs/decisions/0016-files-of-the-journal.md). So a run reads
two files, however old the journal is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256

from ges_upgrader.domain.timestamps import LONG_AGO
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, AnyRecord, Ended, Noticed, Record, Released, Started, Told, Withdrawn
from ges_upgrader.journal.compaction import Entry, fold
from ges_upgrader.journal.lines import Begun, Sealed, decoded, encoded, ends_or_begins_a_file, scoped
from ges_upgrader.journal.storage import Conflict, JournalError, Storage

HEAD = "head"
MOST_LINES = 1000  # beyond them a run seals its file when it ends
MOST_APPENDS = 5000  # beyond them it does so at once: OBS takes 10,000 appends to an object (smn-obs-core.md C1)
LONG = timedelta(days=7)  # so often is looked for what can be folded away
_CONFLICTS = 20  # so many in a row, with nothing new to read, are no overlap


class Journal:
    """The records, and the history they add up to."""

    def __init__(self, storage: Storage) -> None:
        self.history = History()
        self._storage = storage
        self._sealed: Sealed | None
        self._head = b""
        self._remembered: list[AnyRecord] = []
        self._start(None)

    @property
    def lasting(self) -> bool:
        """Whether what is written is still there after this process."""
        return self._storage.lasting

    def refresh(self) -> None:
        """Reads what others have written; all of it, where what is remembered may not stand there. Raises JournalError."""
        with self._as_it_was_where_that_fails():
            if self._number is None or not self.history.readable:
                self._head = self._storage.read(HEAD) or b""
                self._start(max(map(int, re.findall(rb"^(\d+)$", self._head, re.MULTILINE)), default=1))
            self._read()
            self.history.readable = True
            if self._remembered:
                remembered, self._remembered = self._remembered, []
                self.commit(lambda history: [record for record in remembered if _is_news(record, history)])

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
        if self._number is None:
            self.refresh()
        in_vain = 0
        while in_vain < _CONFLICTS:
            records = wanted(self.history)
            if not records:
                return []
            known = (self._number, self._position)
            try:
                if self._sealed is None and self._added() >= MOST_APPENDS:
                    self._seal(Sealed(at=records[0].at, horizon=LONG_AGO))  # the end of a run knows what can be folded away
                if self._sealed is None:
                    self._append(records)
                    for record in records:
                        self._take(Entry(encoded(record), record))
                    return records
                self._go_on()
            except Conflict:
                self.refresh()
            in_vain = in_vain + 1 if (self._number, self._position) == known else 0
        raise JournalError(f"{self._name} has another length than what was read of it")

    def write(self, *records: AnyRecord) -> None:
        """Appends records that are right whatever others have written. Raises JournalError."""
        self.commit(lambda _: list(records))

    def tidy(self, now: datetime, keep: timedelta) -> None:
        """Begins a new file where this one has grown, or holds what was over longer than `keep` ago. Raises JournalError."""
        if not self.lasting or self._number is None:
            return
        if self._sealed is not None:
            self._go_on()
        if self._unnamed:
            self._name_in_head()
        horizon = now - keep
        grown = self._added() >= MOST_LINES
        old = now - self._began() >= LONG and len(fold(self._entries, self.history, horizon)) < len(self._entries)
        if not (grown or old):
            return
        try:
            self._seal(Sealed(at=now, horizon=horizon))
        except Conflict:
            return  # another run is at work; it, or a later one, will do this
        self._go_on()

    @property
    def _name(self) -> str:
        return f"journal-{self._number}.jsonl"

    def _start(self, number: int | None) -> None:
        self.history = History(readable=self.history.readable)
        self._number = number
        self._position = 0
        self._broken_off = False
        self._entries: list[Entry] = []
        self._begun = Begun(at=_NEVER, lines=0)
        self._unnamed = False
        self._sealed = None

    def _read(self) -> None:
        """Reads on. A file that is sealed is left for the next, unless that was not begun yet."""
        data = self._storage.read(self._name, self._position)
        if data is None and (self._position or self._number != 1):
            raise JournalError(f"{self._name} is gone")
        self._feed(data or b"")
        while self._sealed is not None:
            assert self._number is not None
            following = self._storage.read(f"journal-{self._number + 1}.jsonl")
            if not following:
                return
            self._start(self._number + 1)
            self._unnamed = True
            self._feed(following)

    def _feed(self, data: bytes) -> None:
        self._position += len(data)
        if data:
            self._broken_off = not data.endswith(b"\n")
        for line in data.split(b"\n"):
            if line.strip():
                self._understand(line)

    def _understand(self, line: bytes) -> None:
        try:
            record = decoded(line)
        except (ValueError, RecursionError) as error:
            if ends_or_begins_a_file(line):
                raise JournalError(f"{self._name} was sealed or begun by another version of the function: {error}") from None
            self._damage(line, str(error))
            return
        if isinstance(record, Sealed):
            self._sealed = record
        elif isinstance(record, Begun):
            self._begun = record
        else:
            try:
                self._take(Entry(line, record))
            except KeyError as missing:
                self._damage(line, f"it is about {missing}, which no record before it is about")

    def _take(self, entry: Entry) -> None:
        assert entry.record is not None
        self.history.apply(entry.record)
        self._entries.append(entry)

    def _damage(self, line: bytes, why: str) -> None:
        where = f"record {len(self._entries) + 1} of {self._name}"
        damage = scoped(line, Damage(sha256(line).hexdigest()[:12], where, why), self.history)
        self.history.controls.suffer(damage)
        self._entries.append(Entry(line, None, damage))

    def _append(self, records: Iterable[Record]) -> None:
        data = b"".join(encoded(record) + b"\n" for record in records)
        if self._broken_off:  # what is appended must not become a part of the broken record
            data = b"\n" + data
        self._storage.append(self._name, self._position, data)
        self._position += len(data)
        self._broken_off = False

    def _added(self) -> int:
        """The lines that came after the file was begun: no append is without one."""
        return len(self._entries) - self._begun.lines

    def _seal(self, sealed: Sealed) -> None:
        self._append([sealed])
        self._sealed = sealed

    def _go_on(self) -> None:
        """Begins the file after a sealed one, if no other run has, and goes on with it."""
        assert self._sealed is not None and self._number is not None
        lines = fold(self._entries, self.history, self._sealed.horizon)
        begun = encoded(Begun(at=self._sealed.at, lines=len(lines)))
        data = b"".join(line + b"\n" for line in [begun, *lines])
        number = self._number + 1
        try:
            self._storage.append(f"journal-{number}.jsonl", 0, data)
        except Conflict:  # another run began it, with the same
            with self._as_it_was_where_that_fails():
                self._start(number)
                self._read()
        else:
            self._start(number)
            self._feed(data)
        self._name_in_head()

    @contextmanager
    def _as_it_was_where_that_fails(self) -> Iterator[None]:
        """What is known is not given up for a part of what stands there."""
        known = vars(self).copy()
        try:
            yield
        except JournalError:
            vars(self).update(known)
            raise

    def _name_in_head(self) -> None:
        """Where that fails the file is found through the sealed one before it, at the price of a request."""
        line = b"%d\n" % (self._number or 1)
        if self._head and not self._head.endswith(b"\n"):  # a number that was broken off is less than what was meant
            line = b"\n" + line
        try:
            self._storage.append(HEAD, len(self._head), line)
        except (Conflict, JournalError):
            return
        self._head += line
        self._unnamed = False

    def _began(self) -> datetime:
        """When this file was begun, which for the first is when its first record was written."""
        if self._begun.at != _NEVER:
            return self._begun.at
        return next((entry.record.at for entry in self._entries if entry.record), _NEVER)


def _is_news(record: AnyRecord, history: History) -> bool:
    """Whether it is missing, and holds beside all that others have written meanwhile."""
    if isinstance(record, Told):
        return not history.outbox.delivered(record.event_id)
    if isinstance(record, Ended):
        attempt = history.attempts.by_id.get(record.attempt_id)
        return attempt is not None and attempt.open and not (attempt.timed_out and not record.verdict.ends)
    if isinstance(record, Started):
        attempt = history.attempts.by_id.get(record.attempt_id)
        return attempt is not None and attempt.open and attempt.job_id is None
    if isinstance(record, Noticed):
        return not history.outbox.knows(record.notice_id) and not record.notice_id.startswith(UNWRITTEN)
    if isinstance(record, Released):
        return history.releases.learns_from(record.release, record.source)
    return isinstance(record, Withdrawn) and record.version not in history.releases.withdrawn


_NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
