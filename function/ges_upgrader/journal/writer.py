"""How one run writes the journal: what cannot be written is remembered, and written once it can be."""

from __future__ import annotations

from collections.abc import Callable

from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import JournalError


class JournalWriter:
    """`may_have_written`: the write after which the journal became unavailable may have succeeded. `passing`: it may be
    available again in minutes.

    `on_failure` learns of each failure of the storage, after which nothing is started until the journal can be read.
    """

    def __init__(self, journal: Journal, on_failure: Callable[[JournalError], None]) -> None:
        self.may_have_written = self.passing = False
        self._journal, self._on_failure = journal, on_failure

    @property
    def history(self) -> History:
        return self._journal.history

    @property
    def lasting(self) -> bool:
        """Whether what is written is still there after this process."""
        return self._journal.lasting

    def recall(self) -> None:
        """Reads what other runs have written."""
        try:
            self._journal.refresh()
        except JournalError as error:
            self._fail(error)

    def doubt(self, why: str) -> None:
        """Takes in that the storage does not say whether there is a journal. Only a write finds that out."""
        self._fail(JournalError(f"{why}; there may be no journal yet, which the first run that acts finds out"))

    def write(self, wanted: Callable[[History], list[AnyRecord]]) -> list[AnyRecord]:
        """Writes what `wanted` says of the history as it is then; the records. If that fails only this run knows them."""
        if self.history.readable:
            try:
                return self._journal.commit(wanted)
            except JournalError as error:
                self._fail(error)
        return self._journal.remember(wanted)

    def note(self, *records: AnyRecord) -> None:
        """Writes what is so, whatever other runs have written."""
        self.write(lambda _: list(records))

    def _fail(self, error: JournalError) -> None:
        self._journal.lose()
        self.may_have_written, self.passing = error.may_have_written, error.passing
        self._on_failure(error)
