"""Handing on: a run that ends before its work invokes its own function again (functiongraph.md, Delivery; decision 0015).

Each chain of runs comes to an end: what is in flight counts until its job_timeout, a start that found no time only where
the run did something besides looking, a wait only where it fits into a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Union

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.model import Attempt, BackupAttempt, Decision
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Claimed
from ges_upgrader.notifications.notices import not_handed_on
from ges_upgrader.planning.verdicts import DEFAULT_JOB_TIMEOUT
from ges_upgrader.policy.schema import Policy
from ges_upgrader.running.context import Shell
from ges_upgrader.running.outbox import tell
from ges_upgrader.running.report import Account

Work = Union[Attempt, BackupAttempt, Decision]
LEASE = "handing-on"


class Rest(msgspec.Struct, frozen=True):
    """What a run leaves when it ends: what is on its way, what was due and found no time, what is to start later.

    `began` is when the run did; `full` is the time that a whole run has for waiting and starting. `idle`: it only looked.
    """

    in_flight: Sequence[Attempt | BackupAttempt]
    postponed: Sequence[Decision]
    waiting: Sequence[Decision]
    began: datetime
    full: timedelta
    idle: bool


def unfinished(rest: Rest, policy: Policy, history: History, now: datetime) -> list[Work]:
    """What is worth a run of its own at once; all else is left to timers. Pure."""
    followed = [one for one in rest.in_flight if _goes_on(one, rest, policy, now)]
    if not history.readable:
        return [*followed]
    postponed = [] if rest.idle else rest.postponed
    soon = [one for one in rest.waiting if one.until is not None and one.until - now < rest.full]
    return [*followed, *postponed, *soon]


def hand_on(shell: Shell, account: Account, work: Sequence[Work], full: timedelta) -> None:
    """Invokes the function again for the work, unless another run has done so lately. What fails is told once for the work."""
    if shell.function_urn is None:
        missing = "the function's own URN is not known, as its context lacks getProjectID, getPackage or getFunctionName"
        _fail(shell, account, work, missing, "Set follow_up: timer.")
        return
    if not _claim(shell, account, full):
        shell.log.info("run.left_to_another", graphs=_graphs(work))
        return
    event = {"command": "reconcile", "reason": f"goes on for run {shell.run_id}"}
    before = shell.clock.now() + shell.remaining() / 2  # the rest of the time is for telling that it failed
    try:
        request_id = shell.functiongraph.invoke_async(
            shell.home.region, shell.home.project_id, shell.function_urn, event, before
        )
    except CloudError as error:
        advice = "Allow the function's agency functiongraph:function:invokeAsync on the function, or set follow_up: timer."
        _fail(shell, account, work, str(error), advice)
        return
    shell.log.info("run.handed_on", graphs=_graphs(work), invocation=request_id or "no answer")


def _goes_on(attempt: Attempt | BackupAttempt, rest: Rest, policy: Policy, now: datetime) -> bool:
    """Whether it is still within its job_timeout. The age counts, as an attempt that cannot be looked at never times out.

    An upgrade that was taken up without a time of its own would be as young in every run.
    """
    if isinstance(attempt, Attempt) and (attempt.timed_out or (attempt.adopted and attempt.began_at >= rest.began)):
        return False
    timeouts = (rule.job_timeout for rule in policy.rules if rule.name == attempt.rule)
    return now - attempt.began_at <= next(timeouts, DEFAULT_JOB_TIMEOUT)


def _claim(shell: Shell, account: Account, full: timedelta) -> bool:
    """Whether handing on is this run's, so that overlapping runs do not each begin a chain. Needs no journal to be true.

    The lease is over before the run that is invoked ends, and may hand on itself.
    """
    now = shell.clock.now()
    claim = Claimed(at=now, event_id=LEASE, run_id=shell.run_id, until=now + full / 2)

    def free(history: History) -> list[AnyRecord]:
        return [] if history.outbox.leased(LEASE, now) else [claim]

    return bool(account.write(free)) or not shell.journal.history.readable


def _fail(shell: Shell, account: Account, work: Sequence[Work], why: str, advice: str) -> None:
    graphs = ", ".join(_graphs(work))
    account.complain(f"{why}; the rest of the run ({graphs}) was not handed on and is left to the next timer. {advice}")
    notice = not_handed_on(work, why, advice, shell.clock.now())
    account.write(lambda history: [] if history.outbox.knows(notice.notice_id) else [notice])
    tell(shell, account, only={notice.notice_id})


def _graphs(work: Iterable[Work]) -> list[str]:
    return sorted({one.graph for one in work})
