"""Where the journal is kept: bytes that only grow, appended at the position where their writer believes their end to be."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from .cloud.errors import CloudError
from .cloud.obs import Obs, WrongPosition

LOST_ANSWERS = 3  # so many in a row leave an append unknown


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


class Bucket:
    """`state: obs://bucket/prefix`: one object; the position of an append is the compare-and-swap (smn-obs-core.md C1)."""

    lasting = True

    def __init__(self, obs: Obs, key: str) -> None:
        self._obs, self._key = obs, key

    def read(self, position: int) -> bytes:
        try:
            data = self._obs.read(self._key, position)
        except CloudError as error:
            raise JournalError(str(error)) from None
        if data is None and position:
            raise JournalError(f"the object {self._key} is gone")
        return data or b""

    def append(self, position: int, data: bytes) -> None:
        """An append whose answer is lost is looked for, and made again only where it did not land."""
        for _ in range(LOST_ANSWERS):
            try:
                return self._obs.append(self._key, position, data)
            except WrongPosition:
                raise Conflict from None
            except CloudError as error:
                if not error.may_have_acted:
                    raise JournalError(str(error)) from None
                lost = error
            found = self.read(position)
            if found.startswith(data):
                return None
            if found:
                raise Conflict
        raise JournalError(f"{lost}; whether it was written is not known")
