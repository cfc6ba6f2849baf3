"""Where the journal is kept: named files that only grow, appended at the position that is believed to be their end."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Protocol

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.obs import Obs, WrongPosition

LOST_ANSWERS = 3  # so many in a row leave an append unknown


class Conflict(Exception):
    """Something was appended since the journal was read."""


class JournalError(Exception):
    """The journal cannot be read or written; what stands in it is not known.

    `may_have_written`: what was to be appended may stand there all the same.
    """

    def __init__(self, text: str, may_have_written: bool = False) -> None:
        super().__init__(text)
        self.may_have_written = may_have_written


class Storage(Protocol):
    """Named files that only grow."""

    lasting: bool

    def read(self, name: str, position: int = 0) -> bytes | None:
        """What stands from `position` on; None: there is no such file. Raises JournalError."""

    def append(self, name: str, position: int, data: bytes) -> None:
        """Appends at exactly `position`, 0 makes the file. Raises Conflict where its length is another, JournalError."""


class Memory:
    """`state: none`: what this process remembers, and nothing longer. A stated degraded mode."""

    lasting = False

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, name: str, position: int = 0) -> bytes | None:
        data = self._files.get(name)
        return None if data is None else data[position:]

    def append(self, name: str, position: int, data: bytes) -> None:
        before = self._files.get(name, b"")
        if position != len(before):
            raise Conflict
        self._files[name] = before + data


class Folder:
    """`state: file:///path`: files in a folder, locked while they are touched, on disk before a write is acknowledged."""

    lasting = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, position: int = 0) -> bytes | None:
        path = self._folder / name
        try:
            if not os.path.lexists(self._folder) or (self._folder.is_dir() and not path.exists()):
                return None  # nothing was written yet, and looking must not write
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                file.seek(position)
                return file.read()
        except OSError as error:
            raise JournalError(f"{path}: {error.strerror}") from None

    def append(self, name: str, position: int, data: bytes) -> None:
        """A file is made whole or not at all, as an object is; an empty one, which others may have left, is written on."""
        path = self._folder / name
        try:
            if position == 0 and self._make(path, data):
                return
            with os.fdopen(os.open(path, os.O_RDWR), "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_size != position:
                    raise Conflict
                _write(file.fileno(), position, data)
        except OSError as error:
            if position and isinstance(error, FileNotFoundError):
                raise Conflict from None
            raise JournalError(f"{path}: {error.strerror}") from None

    def _make(self, path: Path, data: bytes) -> bool:
        """Whether there was no such file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=f".{path.name}.") as file:
            _write(file.fileno(), 0, data)
            try:
                os.link(file.name, path)
            except FileExistsError:
                return False
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)  # the name of a new file is on disk only when its folder is
        finally:
            os.close(handle)
        return True


def _write(handle: int, position: int, data: bytes) -> None:
    """All of it, or nothing where the disk has no room for it."""
    written = 0
    try:
        while written < len(data):
            written += os.pwrite(handle, data[written:], position + written)
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, position)
        raise


class Bucket:
    """`state: obs://bucket/prefix`: objects; the position of an append is the compare-and-swap (smn-obs-core.md C1)."""

    lasting = True

    def __init__(self, obs: Obs, prefix: str = "") -> None:
        self._obs, self._prefix = obs, prefix

    def read(self, name: str, position: int = 0) -> bytes | None:
        try:
            return self._obs.read(self._key(name), position)
        except CloudError as error:
            raise JournalError(str(error)) from None

    def append(self, name: str, position: int, data: bytes) -> None:
        """An append whose answer is lost is looked for, and made again only where it did not land."""
        for _ in range(LOST_ANSWERS):
            try:
                return self._obs.append(self._key(name), position, data)
            except WrongPosition:
                raise Conflict from None
            except CloudError as error:
                if not error.may_have_acted:
                    raise JournalError(str(error)) from None
                lost = error
            try:
                found = self.read(name, position) or b""
            except JournalError as error:
                raise JournalError(str(error), may_have_written=True) from None
            if found.startswith(data):
                return None
            if found:
                raise Conflict
        raise JournalError(str(lost), may_have_written=True)

    def _key(self, name: str) -> str:
        return "/".join(filter(None, (self._prefix, name)))
