"""Starting an upgrade that is due: intent, call, job, in this order, so that whatever is lost can be found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Union

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.codes import unknown_target
from ges_upgrader.domain.model import Attempt, Start
from ges_upgrader.domain.plain_text import MOST_DETAIL, plain
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Intended
from ges_upgrader.history.records import Refused as RefusedRecord
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import started
from ges_upgrader.planning.budget import Occupied
from ges_upgrader.planning.gates import UNHEALTHY_BEFORE
from ges_upgrader.planning.planner import Stale, revalidate
from ges_upgrader.planning.roster import Roster
from ges_upgrader.planning.survey import Survey
from ges_upgrader.planning.verdicts import CALLS_TAKE, LOOKS
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.follow import Follower
from ges_upgrader.running.following.health import Findings, findings
from ges_upgrader.running.results.report import RunReport, names

CALLS_OF_AN_UPGRADE = 3


class Tried(str, Enum):
    """What became of a start."""

    YES = "yes"  # something was done about it
    NO = "no"  # it is no longer to be made, or its intent could not be recorded
    OUTDATED = "outdated"  # the fleet has to be listed again first
    LATER = "later"  # the run has no time left for it


class Grounds(msgspec.Struct, frozen=True):
    """What the starts of one plan rest on."""

    roster: Roster
    occupied: Occupied

    def check(self, start: Start, history: History, now: datetime) -> Start | Stale:
        """The start as it is by now, with what other runs have recorded since the plan."""
        return revalidate(start, Survey(self.roster, history, now), self.occupied)


class Accepted(msgspec.Struct, frozen=True):
    """GES began the upgrade. `inferred`: its job was found in the job centre, as the answer was lost."""

    job_id: str
    inferred: bool = False


class Refused(msgspec.Struct, frozen=True):
    """GES did not begin it."""

    error: CloudError


class Late(msgspec.Struct, frozen=True):
    """It was too late to call."""


class Unclear(msgspec.Struct, frozen=True):
    """An answer was lost, and whether the upgrade began is unknown. The error is the last."""

    error: CloudError


class Absent(msgspec.Struct, frozen=True):
    """An answer was lost, and nothing began so far."""


Answer = Union[Accepted, Refused, Late, Unclear, Absent]


class Starter:
    """Makes upgrade calls. `pauses` are those before each look for a call whose answer was lost, in seconds."""

    def __init__(
        self, context: RunContext, writer: JournalWriter, report: RunReport, follower: Follower, pauses: tuple[float, ...]
    ) -> None:
        self._context, self._writer, self._report, self._follower = context, writer, report, follower
        self._pauses = pauses

    def upgrade(self, start: Start, grounds: Grounds) -> Tried:
        """Starts an upgrade, if it still stands."""
        fit = self._fitness(start, grounds)
        if fit is None:
            return Tried.LATER
        if fit.problem is not None:
            return self._unfit(start, grounds, fit.problem)
        identity, began_at = os.urandom(16).hex(), self._context.clock.now()

        def begun(start: Start) -> Attempt:
            return msgspec.structs.replace(start.attempt(identity, began_at), before=fit.latencies)

        found = intend(start, grounds, self._writer, self._context, lambda start: [Intended(at=began_at, attempt=begun(start))])
        if isinstance(found, Tried):
            return found
        attempt = begun(found)
        answer = self._call(attempt, min(began_at + CALLS_TAKE, found.start_before))
        self._take_in(answer, attempt, found)
        return Tried.YES

    def _fitness(self, start: Start, grounds: Grounds) -> Findings | None:
        """What the statements of the rule's health check find before the upgrade. None: the run has no time for them."""
        governed = grounds.roster.by_key[start.key]
        check = governed.rule.health_check if governed.rule else False
        if isinstance(check, bool) or not check.statements:
            return Findings()
        found = findings(self._context, governed.graph, start.from_version, check)
        return None if self._context.left() <= self._context.reserve else found

    def _unfit(self, start: Start, grounds: Grounds, problem: str) -> Tried:
        """Records a start that is not made, so that it is tried again only after a pause."""
        identity, now = os.urandom(16).hex(), self._context.clock.now()

        def records(start: Start) -> list[AnyRecord]:
            attempt = start.attempt(identity, now)
            refused = RefusedRecord(at=now, attempt_id=identity, code=UNHEALTHY_BEFORE, detail=plain(problem, MOST_DETAIL))
            return [Intended(at=now, attempt=attempt), refused]

        found = intend(start, grounds, self._writer, self._context, records)
        if isinstance(found, Tried):
            return found
        self._context.log.warning("upgrade.unfit", graph=start.graph, problem=problem)
        return Tried.YES

    def _call(self, attempt: Attempt, before: datetime) -> Answer:
        """Calls until the answer is known, and not at `before` or later. A call that was lost is looked for before the next."""
        answer: Answer = Late()
        for number in range(CALLS_OF_AN_UPGRADE):
            if self._too_late(before, number):
                break
            try:
                return Accepted(self._upgrade(attempt, before))
            except CloudError as error:
                answer = self._after(error, attempt, lost=isinstance(answer, Absent))
                if not (isinstance(answer, Absent) and error.may_have_acted):
                    break
        return answer

    def _too_late(self, before: datetime, calls_made: int) -> bool:
        """The first call may take from the reserve: its intent is recorded."""
        return self._context.clock.now() >= before or (calls_made > 0 and self._context.left() <= timedelta())

    def _upgrade(self, attempt: Attempt, before: datetime) -> str:
        """The id of the job. Raises CloudError."""
        call = self._context.ges.upgrade_graph
        return call(attempt.project, attempt.graph_id, attempt.to_version, attempt.force, before)

    def _after(self, error: CloudError, attempt: Attempt, lost: bool) -> Refused | Accepted | Unclear | Absent:
        """What a call without success came to; `lost`: an earlier one got no answer, and may still arrive."""
        self._context.log.warning("upgrade.call_failed", error=str(error), **names(attempt))
        return self._look(attempt, error) if lost or error.may_have_acted else Refused(error)

    def _look(self, attempt: Attempt, error: CloudError) -> Accepted | Unclear | Absent:
        """Whether a call without an answer acted, by several looks."""
        for pause in self._pauses[:LOOKS]:
            if self._context.left() <= timedelta(seconds=pause):
                return Unclear(error)
            self._context.clock.sleep(pause)
            seen = self._look_once(attempt, error)
            if not isinstance(seen, Absent):
                return seen
        return Absent()

    def _look_once(self, attempt: Attempt, error: CloudError) -> Accepted | Unclear | Absent:
        try:
            graph = self._context.ges.show_graph(attempt.project, attempt.graph_id)
            job_id = self._follower.jobs.job_of(attempt)
        except CloudError as failure:
            self._context.log.warning("upgrade.check_failed", error=str(failure), **names(attempt))
            return Unclear(error)
        if job_id is not None:
            return Accepted(job_id, inferred=True)
        untouched = graph is not None and graph.status.running and graph.version == attempt.from_version
        return Absent() if untouched else Unclear(error)

    def _take_in(self, answer: Answer, attempt: Attempt, start: Start) -> None:
        """Records the answer and reports it."""
        upgrade = f"{attempt.graph} to {attempt.to_version}"
        if isinstance(answer, Accepted):
            self._take_in_accepted(answer, attempt, start)
        elif isinstance(answer, Refused):
            error = answer.error
            self._report.complain(f"{error}; {attempt.graph} was not upgraded to {attempt.to_version}")
            self._follower.refused(attempt, error.code, str(error), unknown_target(error))
        elif isinstance(answer, Late):
            detail = "its time was over before it could be started: the window's, the run's, or that of its calls"
            self._report.complain(f"{attempt.graph} was not upgraded to {attempt.to_version}: {detail}")
            self._follower.refused(attempt, "too-late", detail)
        elif isinstance(answer, Unclear):
            self._report.complain(f"{answer.error}; whether {attempt.graph} is upgraded is unknown; it is looked at again")
            self._report.start(start)
        else:
            self._report.complain(
                f"GES gave no answer to the call that upgrades {upgrade}, and no upgrade began; it is looked at again, as the "
                "call may still arrive"
            )

    def _take_in_accepted(self, answer: Accepted, attempt: Attempt, start: Start) -> None:
        self._follower.began(attempt, answer.job_id, answer.inferred)
        if "started" in self._context.policy.outlet.on:
            self._writer.note(started(attempt, self._context.clock.now()))
        self._report.start(start, answer.job_id or None)
        log = {**names(attempt), "job": answer.job_id}
        self._context.log.info("upgrade.started", **log, to=attempt.to_version.text)


def intend(
    start: Start,
    grounds: Grounds,
    writer: JournalWriter,
    context: RunContext,
    records_of: Callable[[Start], list[AnyRecord]],
) -> Start | Tried:
    """Records the intent, if the start still stands after all that others have recorded; the start as it is then."""
    checked: Start | Stale = Stale.CHANGED

    def wanted(history: History) -> list[AnyRecord]:
        nonlocal checked
        checked = grounds.check(start, history, context.clock.now()) if history.readable else Stale.CHANGED
        return records_of(checked) if isinstance(checked, Start) else []

    if writer.write(wanted) and isinstance(checked, Start):
        return checked
    return Tried.OUTDATED if checked is Stale.OUTDATED else Tried.NO
