"""What the event says, recorded: releases and withdrawals that it announces, and an operator's commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.events.commands import Command, Notice, Word
from ges_upgrader.events.reading import timer_mistake
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Noticed, Released, Withdrawn
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import unwritten
from ges_upgrader.planning.command_records import Instruction, Unclear, check_filters, instruction_of, moved, news
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import RunReport

if TYPE_CHECKING:
    from typing import TypeGuard


class Instructions:
    """The command of one run, and what it adds to the journal. A command that changes nothing is only assumed.

    `refused`: the command names something that is not there, so that nothing at all is recorded. `unrecorded`: what the
    event announced could not be.
    """

    def __init__(self, command: Command, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._command, self._context, self._writer, self._report = command, context, writer, report
        self.refused = False
        self.unrecorded = False

    @property
    def assumed(self) -> bool:
        """Whether nothing of what the event says is recorded; this run alone plans with it."""
        return self._command.changes_nothing or self.refused

    @property
    def only_answers(self) -> bool:
        """Whether the run changes nothing at all. A timer's run reconciles even if its command is refused."""
        return self._command.changes_nothing or (self.refused and not self._command.from_timer)

    def learn(self) -> None:
        """Records what the event announces, and the notices about it. Of a dry run only these are recorded, to be sent once."""
        now, command, policy = self._context.clock.now(), self._command, self._context.policy
        self._report.errors += [notice.text for notice in command.notices]
        self._complain_of_withdrawn()

        def wanted(history: History) -> list[AnyRecord]:
            return [*_notices(command.notices, history, now), *([] if self.assumed else news(command, policy, history, now))]

        for record in self._writer.write(wanted):
            self._take_in(record)
        if self.assumed:
            self._assume(news(command, policy, self._writer.history, now))

    def _complain_of_withdrawn(self) -> None:
        announced = {release.version for release in self._command.releases}
        for version in sorted(self._writer.history.releases.withdrawn & announced):
            self._report.complain(f"{version} was withdrawn; it was announced again, and is not started all the same")

    def _take_in(self, record: AnyRecord) -> None:
        if isinstance(record, Released):
            self._context.log.info("release.learned", version=record.release.version.text)
        if not self._writer.history.readable and self._is_of_the_event(record):
            self._writer.note(unwritten(record))
            self.unrecorded = not self._command.records  # who gives a command reads that it failed

    def adopt_rules(self, fleet: Fleet) -> None:
        """What started under a rule that was removed from the policy counts under the one that governs its graph now."""
        now = self._context.clock.now()

        def wanted(history: History) -> list[AnyRecord]:
            return moved(self._context.policy, fleet.visible, history, now)

        if self.assumed:
            self._assume(wanted(self._writer.history))
        else:
            self._writer.write(wanted)

    def obey(self, fleet: Fleet) -> bool:
        """Records what an operator's command says. Whether it was clear, and recorded."""
        if self._command.records and not self._writer.history.readable:  # what it is about is unknown
            self._report.complain(f"the command {self._command.word.value} was not recorded; nothing was changed")
            return False
        try:
            instruction = self._instruction(fleet)
        except Unclear as problem:
            self._refuse(str(problem))
            return False
        return instruction is None or self._carried_out(instruction)

    def _carried_out(self, instruction: Instruction) -> bool:
        """Whether the records of a clear command are in the journal; those of a dry run are only assumed."""
        if self._command.changes_nothing:
            self._assume(instruction.records)
            return True
        if instruction.records and not self._recorded(instruction.records):
            return False
        self._report.do(instruction.done)
        if not self._writer.lasting:
            word = self._command.word.value
            self._report.complain(f"state is none: the {word} is forgotten when this process of the function ends")
        return True

    def _instruction(self, fleet: Fleet) -> Instruction | None:
        command, policy = self._command, self._context.policy
        if command.records:
            return instruction_of(command, policy, fleet.visible, self._writer.history, self._context.clock.now())
        if command.word is not Word.RECONCILE:
            check_filters(command, policy, fleet.visible)
        return None

    def _refuse(self, problem: str) -> None:
        """A refused command changes nothing; that of a timer is a mistake that is reported once a day."""
        self.refused = True
        self._report.complain(problem)
        if self._command.from_timer:
            now = self._context.clock.now()
            mistake = timer_mistake(None, self._command.word.value, problem, now)
            self._writer.write(lambda history: [*_notices([mistake], history, now)])

    def _recorded(self, records: list[AnyRecord]) -> bool:
        word = self._command.word.value
        if self._writer.write(lambda _: records) and self._writer.history.readable:
            self._context.log.info("command.recorded", command=word, reason=self._command.reason, by=self._command.by)
            return True
        known = not self._writer.may_have_written
        fate = "was not recorded; nothing was changed" if known else "may have been recorded, or not; give it again"
        self._report.complain(f"the command {word} {fate}")
        return False

    def _is_of_the_event(self, record: AnyRecord) -> TypeGuard[Released | Withdrawn]:
        """Whether only this event says so, so that it is lost if it is not recorded."""
        if isinstance(record, Released):
            return record.release in self._command.releases
        return isinstance(record, Withdrawn)

    def _assume(self, records: Iterable[AnyRecord]) -> None:
        """Adds records to this run's history, and writes nothing."""
        for record in records:
            self._writer.history.apply(record)


def _notices(notices: Iterable[Notice], history: History, now: datetime) -> Iterator[Noticed]:
    """The notices about an event that were not recorded yet."""
    for one in notices:
        if not history.outbox.knows(one.id):
            yield Noticed(at=now, notice_id=one.id, text=one.text, notice_kind=one.kind, subject=one.subject)
