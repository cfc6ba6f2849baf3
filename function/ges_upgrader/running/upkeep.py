"""The journal over one run: begun if there is none, watched, compacted; and what is reported if it cannot be reached."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ges_upgrader.history.records import UNWRITTEN, Noticed
from ges_upgrader.journal.storage import JournalError
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import journal_started
from ges_upgrader.notifications.sight import journal_blind, journal_recovered
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.outbox import Deliverer
from ges_upgrader.running.results.report import RunReport


class JournalWatch:
    """What one instance remembers of a journal that it cannot reach, as nothing else can remember it.

    It reports once a day that the journal cannot be reached, and once that it can be again.
    """

    def __init__(self) -> None:
        self._state: str | None = None
        self._since: datetime | None = None
        self._reported_on: date | None = None

    def notice(self, state: str, error: str | None, now: datetime) -> Noticed | None:
        """What is to be reported; `error` says why the journal at `state` cannot be reached, None: it can be."""
        if state != self._state:
            self._state, self._since, self._reported_on = state, None, None
        return self._recovered(state, now) if error is None else self._blind(state, error, now)

    def _recovered(self, state: str, now: datetime) -> Noticed | None:
        return journal_recovered(state, self._since, now) if self._since and self._reported_on else None

    def _blind(self, state: str, error: str, now: datetime) -> Noticed | None:
        self._since = self._since or now
        return journal_blind(state, self._since, error, now) if self._reported_on != now.date() else None

    def delivered(self, notice: Noticed) -> None:
        """Takes in that the notice was delivered."""
        if notice.notice_kind == "recovered":
            self._since = self._reported_on = None
        else:
            self._reported_on = notice.at.date()


class JournalUpkeep:
    """What a run does for its journal. `writer` is how everything else of the run writes it."""

    def __init__(self, context: RunContext, watch: JournalWatch, report: RunReport) -> None:
        self._context, self._watch, self._report = context, watch, report
        self._state = context.policy.state.text
        self._error: JournalError | None = None
        self._begins = False
        self.writer = JournalWriter(context.journal, self._failed)

    def find(self, only_looks: bool) -> None:
        """Reads the journal. A run that only looks begins none, and so cannot find out whether there is one."""
        self.writer.recall()
        self._begins = self._context.journal.new
        if only_looks and self._context.journal.doubt:
            self.writer.doubt(self._context.journal.doubt)

    def begin(self) -> None:
        """A journal that begins anew is reported: what an earlier one recorded is unknown."""
        if self._begins:
            now = self._context.clock.now()
            self.writer.write(lambda history: journal_started(self._state, history, now))

    def recall_if_lost(self) -> None:
        """Tries again to read a journal that could not be reached, and to write what this run could not."""
        if not self.writer.history.readable:
            self.writer.recall()

    def tidy(self) -> None:
        """Keeps the journal small."""
        self.recall_if_lost()
        if self.writer.history.readable and self._context.remaining() > timedelta():
            try:
                self._context.journal.tidy(self._context.clock.now(), self._context.policy.memory)
            except JournalError as error:
                self._context.log.warning("journal.compaction_failed", error=str(error))

    def report_outage(self, deliverer: Deliverer) -> None:
        """Reports that the journal cannot be reached, or can be again."""
        error = None if self.writer.history.readable else str(self._error or "it cannot be read")
        notice = self._watch.notice(self._state, error, self._context.clock.now())
        if notice is None:
            return
        self.writer.write(lambda history: [] if history.outbox.knows(notice.notice_id) else [notice])
        deliverer.deliver(only={notice.notice_id})
        if self.writer.history.outbox.delivered(notice.notice_id):
            self._watch.delivered(notice)

    def state(self) -> str:
        """Whether what was found out is remembered."""
        if not self.writer.lasting:
            return "none: forgotten when this process of the function ends, so that results may be repeated or lost"
        return "kept" if self.writer.history.readable else "unavailable"

    def loses_the_event(self, unrecorded: bool) -> bool:
        """Whether what the event announced is lost when this run ends, and a repeat may help.

        `unrecorded`: it could not be recorded; that helps only if the journal is unavailable for a while. Or it could not
        even be reported.
        """
        history = self.writer.history
        unreported = any(event_id.startswith(UNWRITTEN) for event_id in history.outbox.pending_ids())
        return not history.readable and ((unrecorded and self.writer.passing) or unreported)

    def _failed(self, error: JournalError) -> None:
        self._error = error
        self._report.complain(f"the journal at {self._state}: {error}; nothing is started until it can be read")
