"""What the event says, recorded: releases and withdrawals that it announces, and an operator's commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.events.commands import Command
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Noticed, Released, Withdrawn
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import unwritten
from ges_upgrader.planning.command_records import Unclear, moved, news, records_of
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.report import RunReport

if TYPE_CHECKING:
    from typing import TypeGuard


class Instructions:
    """The command of one run, and what it adds to the journal. A command that changes nothing is only assumed."""

    def __init__(self, command: Command, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._command, self._context, self._writer, self._report = command, context, writer, report

    def learn(self) -> None:
        """Records what the event announces. Of a dry run only the notices are recorded, so that they are sent once."""
        now, command = self._context.clock.now(), self._command
        for notice in command.notices:
            self._report.errors.append(notice.text)

        def wanted(history: History) -> list[AnyRecord]:
            records: list[AnyRecord] = [
                Noticed(at=now, notice_id=notice.id, text=notice.text, notice_kind="unclear")
                for notice in command.notices
                if not history.outbox.knows(notice.id)
            ]
            return records if command.changes_nothing else [*records, *news(command, self._context.policy, history, now)]

        for version in sorted(self._writer.history.releases.withdrawn & {release.version for release in command.releases}):
            self._report.complain(f"{version} was withdrawn; it was announced again, and is not started all the same")
        for record in self._writer.write(wanted):
            if isinstance(record, Released):
                self._context.log.info("release.learned", version=record.release.version.text)
            if not self._writer.history.readable and self._is_of_the_event(record):
                self._writer.note(unwritten(record))
        if command.changes_nothing:
            self._assume(news(command, self._context.policy, self._writer.history, now))

    def adopt_rules(self, fleet: Fleet) -> None:
        """What was begun under a rule that was removed from the policy counts under the one that governs its graph now."""
        now = self._context.clock.now()

        def wanted(history: History) -> list[AnyRecord]:
            return moved(self._context.policy, fleet.visible, history, now)

        if self._command.changes_nothing:
            self._assume(wanted(self._writer.history))
        else:
            self._writer.write(wanted)

    def obey(self, fleet: Fleet) -> bool:
        """Records what the command says about rules, graphs and versions. Whether it was clear, and recorded."""
        now, command, word = self._context.clock.now(), self._command, self._command.word.value
        try:
            records = records_of(command, self._context.policy, fleet.visible, self._writer.history, now)
        except Unclear as problem:
            self._report.complain(str(problem))
            return False
        if not records:
            return True
        if command.changes_nothing:
            self._assume(records)
            return True
        if not self._writer.write(lambda _: records) or not self._writer.history.readable:
            known = not self._writer.may_have_written
            fate = "was not written down; nothing was changed" if known else "may have been written down, or not; give it again"
            self._report.complain(f"the command {word} {fate}")
            return False
        self._context.log.info("command.recorded", command=word, reason=command.reason)
        if not self._writer.lasting:
            self._report.complain(f"state is none: the {word} is forgotten when this process of the function ends")
        return True

    def _is_of_the_event(self, record: AnyRecord) -> TypeGuard[Released | Withdrawn]:
        """Whether only this event says so, so that it is lost if it is not recorded."""
        if isinstance(record, Released):
            return record.release in self._command.releases
        return isinstance(record, Withdrawn)

    def _assume(self, records: Iterable[AnyRecord]) -> None:
        """Adds records to this run's history, and writes nothing."""
        for record in records:
            self._writer.history.apply(record)
