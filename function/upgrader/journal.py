"""The journal: append-only records with compare-and-swap on the length of what they are kept in.

A run that wants to write says what it wants as a function of the history. When another run has written in between, the
history is read on and the function asked again: so two runs never start the same upgrade or send the same message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .history import AnyRecord, History
from .storage import Conflict, JournalError, Storage
from .versions import Version


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


def _plain(value: Any) -> Any:
    if isinstance(value, Version):
        return value.text
    raise TypeError(f"no plain form of {type(value)}")


def _custom(kind: type, value: Any) -> Any:
    return kind(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
_DECODER = msgspec.json.Decoder(AnyRecord, dec_hook=_custom)
