"""Where the journal is kept: named files that only grow, appended at the position that is believed to be their end."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from ges_upgrader.clock import Clock, SystemClock
from ges_upgrader.cloud.errors import CloudError, Forbidden
from ges_upgrader.cloud.obs import Obs, WrongPosition

LOST_ANSWERS = 3  # so many in a row leave an append unknown
LOCK_SHARE, LOCK_MOST = 0.1, timedelta(seconds=5)  # of a run's time is waited for one lock
LOCK_PAUSE = timedelta(milliseconds=20)  # between looks at it


class Conflict(Exception):
    """Something was appended since the journal was read."""


class JournalError(Exception):
    """The journal cannot be read or written; what stands in it is not known.

    `may_have_written`: what was to be appended may stand there all the same. `passing`: it may be over in minutes.
    """

    def __init__(self, text: str, may_have_written: bool = False, passing: bool = False) -> None:
        super().__init__(text)
        self.may_have_written, self.passing = may_have_written, passing


class Storage(Protocol):
    """Named files that only grow. `unsure`: why a file that seems missing may only be unreadable; None: it is missing."""

    lasting: bool
    unsure: str | None

    def names(self) -> Iterable[str] | None:
        """The names of all files; None: they cannot be listed. Raises JournalError."""

    def read(self, name: str, position: int = 0) -> bytes | None:
        """What stands from `position` on; None: there is no such file. Raises JournalError."""

    def append(self, name: str, position: int, data: bytes) -> None:
        """Appends at exactly `position`, 0 makes the file. Raises Conflict where its length is another, JournalError."""


class Memory:
    """`state: none`: what this process remembers, and nothing longer. A stated degraded mode."""

    lasting = False
    unsure: str | None = None

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def names(self) -> Iterable[str]:
        return list(self._files)

    def read(self, name: str, position: int = 0) -> bytes | None:
        data = self._files.get(name)
        return None if data is None else data[position:]

    def append(self, name: str, position: int, data: bytes) -> None:
        before = self._files.get(name, b"")
        if position != len(before):
            raise Conflict
        self._files[name] = before + data


class Folder:
    """`state: file:///path`: files in a folder, locked while they are touched, on disk before a write is acknowledged.

    Only plain files are touched. `remaining` is the run's time: a tenth of it is waited for a lock that is held.
    """

    lasting = True
    unsure: str | None = None

    def __init__(
        self, folder: Path, clock: Clock | None = None, remaining: Callable[[], timedelta] = lambda: timedelta(seconds=60)
    ) -> None:
        self._folder, self._clock, self._remaining = folder, clock or SystemClock(), remaining

    def names(self) -> Iterable[str]:
        try:
            return os.listdir(self._folder) if os.path.lexists(self._folder) else []
        except OSError as error:
            raise JournalError(f"{self._folder}: {error.strerror}") from None

    def read(self, name: str, position: int = 0) -> bytes | None:
        path = self._folder / name
        try:
            if not os.path.lexists(self._folder) or (self._folder.is_dir() and not os.path.lexists(path)):
                return None  # nothing was written yet, and looking must not write
            with os.fdopen(_opened(path, os.O_RDONLY), "rb") as file:
                self._lock(file.fileno(), fcntl.LOCK_SH, path)
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
            with os.fdopen(_opened(path, os.O_RDWR), "r+b", buffering=0) as file:
                self._lock(file.fileno(), fcntl.LOCK_EX, path)
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

    def _lock(self, handle: int, kind: int, path: Path) -> None:
        """Locks a file. A process that holds the lock and is frozen must not make this run outlast its time."""
        end = self._clock.now() + min(self._remaining() * LOCK_SHARE, LOCK_MOST)
        while True:
            try:
                return fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.now() + LOCK_PAUSE > end:
                    raise JournalError(
                        f"{path}: another process holds its lock, and does not release it", passing=True
                    ) from None
            self._clock.sleep(LOCK_PAUSE.total_seconds())


def _opened(path: Path, flags: int) -> int:
    """A handle of a plain file: neither what a symlink names, nor a pipe or a device, which may block for ever."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise JournalError(f"{path}: is a symbolic link, which is not followed") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise JournalError(f"{path}: is no plain file")
    return handle


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
    """`state: obs://bucket/prefix`: objects; the position of an append is the compare-and-swap (smn-obs-core.md C1).

    Without the right obs:bucket:ListBucket, OBS answers 403 for an object that is missing (deploy.md 3). Then it counts as
    missing, `unsure` is that answer, and the append that makes the object shows whether it was.
    """

    lasting = True

    def __init__(self, obs: Obs, prefix: str = "") -> None:
        self._obs, self._prefix = obs, prefix
        self._hidden: set[str] = set()  # what may be missing, or may only not be read
        self.unsure: str | None = None

    def names(self) -> None:
        return None

    def read(self, name: str, position: int = 0) -> bytes | None:
        try:
            data = self._obs.read(self._key(name), position)
        except Forbidden as error:
            self._hidden.add(name)
            self.unsure = str(error)
            return None
        except CloudError as error:
            raise JournalError(str(error), passing=error.passing) from None
        self._hidden.discard(name)
        return data

    def append(self, name: str, position: int, data: bytes) -> None:
        """An append whose answer is lost is looked for, and made again only where it did not land."""
        for _ in range(LOST_ANSWERS):
            try:
                self._obs.append(self._key(name), position, data)
            except WrongPosition:
                self._must_be_readable(name, may_have_written=False)
                raise Conflict from None
            except CloudError as error:
                if not error.may_have_acted:
                    raise JournalError(str(error), passing=error.passing) from None
                lost = error
            else:
                return self._must_be_readable(name, may_have_written=True)
            try:
                found = self.read(name, position) or b""
            except JournalError as error:
                raise JournalError(str(error), may_have_written=True, passing=error.passing) from None
            if found.startswith(data):
                return None
            if found:
                raise Conflict
        raise JournalError(str(lost), may_have_written=True, passing=True)

    def _must_be_readable(self, name: str, may_have_written: bool) -> None:
        """What is certainly there, and was hidden, must be readable now: nobody follows a journal that only grows."""
        if name in self._hidden and self.read(name) is None:
            raise JournalError(f"{self.unsure}; the object is there", may_have_written)

    def _key(self, name: str) -> str:
        return "/".join(filter(None, (self._prefix, name)))
