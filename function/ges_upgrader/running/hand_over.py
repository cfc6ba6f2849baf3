"""Handing over: a run that ends before its work invokes its own function again (functiongraph.md, Delivery; decision 0015).

Each chain of runs comes to an end: what is in progress counts until its job_timeout, a start that found no time only if the
run did something besides looking, a wait only if it fits into a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Union

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.model import Attempt, Decision, Operation, Start
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Claimed
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import not_handed_over
from ges_upgrader.planning.verdicts import DEFAULT_JOB_TIMEOUT
from ges_upgrader.policy.schema import Policy
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.outbox import Deliverer
from ges_upgrader.running.results.report import RunReport

Work = Union[Operation, Start, Decision]
LEASE = "handing-on"


class Rest(msgspec.Struct, frozen=True):
    """What a run leaves when it ends: what is in progress, what was due and found no time, what is to start later.

    `began` is when the run did; `full` is the time that a whole run has for waiting and starting. `idle`: it only looked.
    """

    in_progress: Sequence[Operation]
    postponed: Sequence[Start]
    waiting: Sequence[Decision]
    began: datetime
    full: timedelta
    idle: bool


def unfinished(rest: Rest, policy: Policy, history: History, now: datetime) -> list[Work]:
    """What is worth a run of its own at once; everything else is left to timers. Pure."""
    followed: list[Work] = [one for one in rest.in_progress if _continues(one, rest, policy, now)]
    return followed + _to_start(rest, now) if history.readable else followed


def _to_start(rest: Rest, now: datetime) -> list[Work]:
    postponed = [] if rest.idle else rest.postponed
    soon = [one for one in rest.waiting if one.until is not None and one.until - now < rest.full]
    return [*postponed, *soon]


def hand_over(
    context: RunContext,
    writer: JournalWriter,
    report: RunReport,
    deliverer: Deliverer,
    work: Sequence[Work],
    full: timedelta,
) -> None:
    """Invokes the function again for the work, unless another run has done so lately. A failure is reported once."""

    def fail(why: str, advice: str) -> None:
        graphs = ", ".join(_graphs(work))
        report.complain(f"{why}; the rest of the run ({graphs}) was not handed over and is left to the next timer. {advice}")
        notice = not_handed_over(work, why, advice, context.clock.now())
        writer.write(lambda history: [] if history.outbox.knows(notice.notice_id) else [notice])
        deliverer.deliver(only={notice.notice_id})

    if context.function_urn is None:
        missing = "the function's own URN is unknown, as its context lacks getProjectID, getPackage or getFunctionName"
        fail(missing, "Set follow_up: timer.")
        return
    if not _claim(context, writer, full):
        context.log.info("hand_over.skipped", graphs=_graphs(work))
        return
    event = {"command": "reconcile", "reason": f"continues run {context.run_id}"}
    before = context.clock.now() + context.remaining() / 2  # the rest of the time is for reporting that it failed
    home = context.home
    try:
        request_id = context.functiongraph.invoke_async(home.region, home.project_id, context.function_urn, event, before)
    except CloudError as error:
        advice = "Allow the function's agency functiongraph:function:invokeAsync on the function, or set follow_up: timer."
        fail(str(error), advice)
        return
    context.log.info("run.handed_over", graphs=_graphs(work), invocation=request_id or "no answer")


def _continues(operation: Operation, rest: Rest, policy: Policy, now: datetime) -> bool:
    """Whether it is still within its job_timeout. The age counts, as an attempt that cannot be looked at never times out.

    An adopted upgrade without a time of its own would be as young in every run.
    """
    if isinstance(operation, Attempt) and _is_hopeless(operation, rest.began):
        return False
    rule = policy.rules_by_name.get(operation.rule)
    return now - operation.began_at <= (rule.job_timeout if rule else DEFAULT_JOB_TIMEOUT)


def _is_hopeless(attempt: Attempt, run_began: datetime) -> bool:
    return attempt.timed_out or (attempt.adopted and attempt.began_at >= run_began)


def _claim(context: RunContext, writer: JournalWriter, full: timedelta) -> bool:
    """Whether handing over is this run's, so that overlapping runs do not each begin a chain. Needs no journal to be true.

    The lease is over before the run that is invoked ends, and may hand over itself.
    """
    now = context.clock.now()
    claim = Claimed(at=now, event_id=LEASE, run_id=context.run_id, until=now + full / 2)

    def free(history: History) -> list[AnyRecord]:
        return [] if history.outbox.leased(LEASE, now) else [claim]

    return bool(writer.write(free)) or not writer.history.readable


def _graphs(work: Iterable[Work]) -> list[str]:
    return sorted({one.graph for one in work})
