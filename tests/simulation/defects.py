"""Defects that are put into the function on purpose, to see that the checks of the simulation bite.

`FOUND` says how many fleet-months each took, seeds counted from 1; `make soak DEFECTS=1` counts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.domain.model import Action, Reason, Verdict
from ges_upgrader.history.attempts import Attempts
from ges_upgrader.history.controls import Controls
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import Outbox
from ges_upgrader.history.records import Intended, Told, Withdrawn
from ges_upgrader.journal.storage import Bucket, Conflict
from ges_upgrader.planning import gates
from ges_upgrader.planning import verdicts as settle
from ges_upgrader.planning.budget import Budget
from ges_upgrader.planning.survey import Block, Step
from ges_upgrader.planning.verdicts import Judgement
from ges_upgrader.policy.fields import Versions
from ges_upgrader.policy.schema import Policy
from ges_upgrader.running import follow as following
from ges_upgrader.running import outbox
from ges_upgrader.running import start as starting
from ges_upgrader.running.following import backups as backing_up
from ges_upgrader.running.outbox import Deliverer
from tests.simulation.bad_days import BAD_DAYS, SOUGHT, Broken, replaced
from tests.simulation.world import World

MOST = 200


@contextmanager
def replaced_gate(name: str, broken: gates.Gate) -> Iterator[None]:
    whole = gates.GATES[name]
    gates.GATES[name] = broken
    try:
        yield
    finally:
        gates.GATES[name] = whole


def gateless(name: str) -> Broken:
    return replaced_gate(name, lambda _: None)


def no_write_ahead() -> Broken:
    """The upgrade is called without its intent in the journal."""
    intend = starting.intend

    def careless(start: Any, grounds: Any, writer: Any, context: Any, record_of: Any) -> Any:
        records = record_of(start)
        if any(isinstance(record, Intended) for record in records):
            for record in records:
                writer.history.apply(record)
            return start
        return intend(start, grounds, writer, context, record_of)

    return replaced(starting, "intend", careless)


def no_lease() -> Broken:
    """A message is sent without asking whether another run is sending it."""
    return replaced(Deliverer, "_claim", lambda *_: True)


def told_before_published() -> Broken:
    """A message is recorded as delivered before SMN has it."""
    publish = Deliverer._publish

    def early(self: Deliverer, event: Any) -> None:
        self._writer.note(Told(at=self._context.clock.now(), event_id=event.id, message_id=""))
        publish(self, event)

    return replaced(Deliverer, "_publish", early)


def job_believed() -> Broken:
    """A job that says success is believed, whatever version the graph runs."""
    judge = settle.judge

    def believing(attempt: Any, graph: Any, job: Any, now: Any) -> Any:
        return Judgement(Verdict.SUCCEEDED) if job is not None and job.succeeded else judge(attempt, graph, job, now)

    return replaced(following, "judge", believing)


def conflicts_ignored() -> Broken:
    """What another run wrote in between is not read before this one writes."""
    append = Bucket.append

    def forced(self: Bucket, name: str, position: int, data: bytes) -> None:
        try:
            append(self, name, position, data)
        except Conflict:
            append(self, name, len(self.read(name) or b""), data)

    return replaced(Bucket, "append", forced)


def lost_answer_taken_for_a_failure() -> Broken:
    """A call without an answer is held not to have acted."""
    upgrade_graph = Ges.upgrade_graph

    def hopeless(self: Ges, *arguments: Any) -> str:
        try:
            return upgrade_graph(self, *arguments)
        except CloudError as error:
            error.may_have_acted = False
            raise

    return replaced(Ges, "upgrade_graph", hopeless)


def versions_ignored() -> Broken:
    """A rule takes every version."""
    return replaced(Versions, "allow", lambda *_: True)


def freezes_ignored() -> Broken:
    """Freezes hold nothing."""
    return replaced(Policy, "freezes_of", lambda *_: [])


def soak_ignored() -> Broken:
    """A rule starts as soon as those before it have arrived."""
    return replaced(Step, "verified_at", lambda self, _: self._survey.now - timedelta(days=400))


def failures_not_reserved() -> Broken:
    """What is under way does not count among what may fail."""
    take = Budget.take

    def generous(self: Any, rule: Any, version: Any) -> bool:
        self._failing.clear()
        return take(self, rule, version)

    return replaced(Budget, "take", generous)


def limits_ignored() -> Broken:
    """Any number is under way at once."""
    return replaced(Budget, "full", lambda *_: False)


def backups_ignored() -> Broken:
    """A backup that is missing is held to be there."""
    return replaced(gates.Case, "backup_expires", property(lambda self: self.now + timedelta(days=1)))


def withdrawals_ignored() -> Broken:
    """A withdrawal is read and forgotten."""
    apply = History.apply

    def deaf(self: History, record: Any) -> None:
        if not isinstance(record, Withdrawn):
            apply(self, record)

    return replaced(History, "apply", deaf)


def untold_results_forgotten() -> Broken:
    """What could not be told at once is not told by a later run."""
    untold = Outbox.deliverable

    def forgetful(self: Outbox, now: Any) -> Any:
        return [event for event in untold(self, now) if now - event.at < timedelta(minutes=5)]

    return replaced(Outbox, "deliverable", forgetful)


def everything_late() -> Broken:
    """Every start is 14 days later than the policy asks for."""
    whole = gates.GATES["age"]

    def late(case: gates.Case) -> Block | None:
        until = case.choice.since + timedelta(days=14)
        return whole(case) or (Block(Action.WAIT, Reason.TOO_YOUNG, until) if case.now < until else None)

    return replaced_gate("age", late)


DEFECTS: dict[str, Callable[[], Broken]] = {
    **BAD_DAYS,
    "no_write_ahead": no_write_ahead,
    "no_lease": no_lease,
    "told_before_published": told_before_published,
    "job_believed": job_believed,
    "conflicts_ignored": conflicts_ignored,
    "lost_answer_taken_for_a_failure": lost_answer_taken_for_a_failure,
    "versions_ignored": versions_ignored,
    "windows_ignored": lambda: gateless("window"),
    "freezes_ignored": freezes_ignored,
    "ages_ignored": lambda: gateless("age"),
    "waves_ignored": lambda: gateless("wave"),
    "soak_ignored": soak_ignored,
    "failures_not_reserved": failures_not_reserved,
    "limits_ignored": limits_ignored,
    "approvals_ignored": lambda: gateless("approval"),
    "pauses_ignored": lambda: gateless("pause"),
    "backups_ignored": backups_ignored,
    "withdrawals_ignored": withdrawals_ignored,
    "untold_results_forgotten": untold_results_forgotten,
    "notices_ignored": lambda: gateless("notice"),
    "failed_graphs_tried_again": lambda: replaced(Attempts, "failure_of", lambda *_: None),
    "damages_ignored": lambda: replaced(Controls, "damaged", lambda *_: None),
    "everything_late": everything_late,
    "leases_too_long": lambda: replaced(outbox, "LEASE_BEYOND_RUN", timedelta(days=30)),
    "intents_held_too_long": lambda: replaced(backing_up, "JOBS_BEGIN", timedelta(days=30)),
}

FOUND = {
    "talk_teaches": 5,
    "bounds_ignored": 5,
    "rollbacks_undone": 9,
    "odd_answers_break_runs": 1,
    "resume_forgives": 133,
    "promises_forgotten": 43,
    "no_write_ahead": 1,
    "no_lease": 84,
    "told_before_published": 4,
    "job_believed": 16,
    "conflicts_ignored": 1,
    "lost_answer_taken_for_a_failure": 9,
    "versions_ignored": 8,
    "windows_ignored": 1,
    "freezes_ignored": 10,
    "ages_ignored": 6,
    "waves_ignored": 1,
    "soak_ignored": 6,
    "failures_not_reserved": 2,
    "limits_ignored": 1,
    "approvals_ignored": 10,
    "pauses_ignored": 15,
    "backups_ignored": 4,
    "withdrawals_ignored": 34,
    "untold_results_forgotten": 5,
    "notices_ignored": 2,
    "failed_graphs_tried_again": 1,
    "damages_ignored": 6,
    "everything_late": 5,
    "leases_too_long": 37,
    "intents_held_too_long": 65,
}


def found(name: str, seed: int) -> str | None:
    """The violation that a fleet-month of the broken function comes to."""
    with {**DEFECTS, **SOUGHT}[name]():
        return World(seed).live().violation


def search(name: str) -> tuple[int | None, str]:
    """The first seed that finds the defect, and as what."""
    for seed in range(1, MOST + 1):
        violation = found(name, seed)
        if violation is not None:
            return seed, violation
    return None, f"not found in {MOST} fleet-months"
