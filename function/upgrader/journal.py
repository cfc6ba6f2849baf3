"""The journal: append-only records with compare-and-swap on the length, and the two places where it can be kept.

A run that wants to write says what it wants as a function of the history. When another run has written in between, the
history is read on and the function asked again: so two runs never start the same upgrade or send the same message.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from .history import AnyRecord, History
from .versions import Version


class Conflict(Exception):
    """Something was appended since the journal was read."""


class JournalError(Exception):
    """The journal cannot be read or written; what stands in it is not known."""


class Storage(Protocol):
    """Bytes that only grow."""

    lasting: bool

    def read(self, position: int) -> bytes:
        """What stands from `position` on. Raises JournalError."""

    def append(self, position: int, data: bytes) -> None:
        """Appends at exactly `position`. Raises Conflict where the length is another, JournalError."""


class Journal:
    """The records, and the history they add up to."""

    def __init__(self, storage: Storage) -> None:
        self.history = History()
        self._storage = storage
        self._position = 0

    @property
    def lasting(self) -> bool:
        """Whether what is written is still there after this process."""
        return self._storage.lasting

    def refresh(self) -> None:
        """Reads what others have written. Raises JournalError."""
        data = self._storage.read(self._position)
        for line in data.splitlines():
            try:
                self.history.apply(_DECODER.decode(line))
            except (msgspec.MsgspecError, KeyError) as error:
                raise JournalError(f"the record at byte {self._position} cannot be understood: {error}") from None
            self._position += len(line) + 1

    def commit(self, wanted: Callable[[History], list[AnyRecord]]) -> list[AnyRecord]:
        """Appends what `wanted` says, asked again after each conflict; the records written. Raises JournalError."""
        while True:
            records = wanted(self.history)
            if not records:
                return []
            data = b"".join(_ENCODER.encode(record) + b"\n" for record in records)
            try:
                self._storage.append(self._position, data)
            except Conflict:
                self.refresh()
                continue
            self._position += len(data)
            for record in records:
                self.history.apply(record)
            return records

    def write(self, *records: AnyRecord) -> None:
        """Appends records that are right whatever others have written. Raises JournalError."""
        self.commit(lambda _: list(records))


class Memory:
    """`state: none`: what this process remembers, and nothing longer. A stated degraded mode."""

    lasting = False

    def __init__(self) -> None:
        self._data = b""

    def read(self, position: int) -> bytes:
        return self._data[position:]

    def append(self, position: int, data: bytes) -> None:
        if position != len(self._data):
            raise Conflict
        self._data += data


class Folder:
    """`state: file:///path`: one file in a folder, locked while it is touched, on disk before a write is acknowledged."""

    lasting = True

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"

    def read(self, position: int) -> bytes:
        if not os.path.lexists(self._path.parent) or (self._path.parent.is_dir() and not self._path.exists()):
            return b""  # nothing was written yet, and looking must not write
        with self._locked() as handle:
            return os.pread(handle, max(0, self._length(handle) - position), position)

    def append(self, position: int, data: bytes) -> None:
        with self._locked() as handle:
            if self._length(handle) != position:
                raise Conflict
            written = 0
            while written < len(data):
                written += os.pwrite(handle, data[written:], position + written)
            os.fsync(handle)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield handle
            finally:
                os.close(handle)
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}") from None

    def _length(self, handle: int) -> int:
        """The length up to the last whole record; what a killed writer left behind it was never acknowledged and goes."""
        length = os.fstat(handle).st_size
        whole = length
        while whole and os.pread(handle, 1, whole - 1) != b"\n":
            whole -= 1
        if whole < length:
            os.ftruncate(handle, whole)
        return whole


def _plain(value: Any) -> Any:
    if isinstance(value, Version):
        return value.text
    raise TypeError(f"no plain form of {type(value)}")


def _custom(kind: type, value: Any) -> Any:
    return kind(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
_DECODER = msgspec.json.Decoder(AnyRecord, dec_hook=_custom)
