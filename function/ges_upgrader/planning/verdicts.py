"""What became of an attempt, judged from what GES shows. Pure (ges.md 3, 4.2, 6).

The graph is believed before the job: success counts once the graph is back at status 200 with the target version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Attempt, Graph, Job, Verdict

# A surprising end is believed when it was seen so often in a row, over so long, as what GES shows may lag behind its jobs;
# or at once when the job ended longer ago.
LOOKS, OVER, LAG = 3, timedelta(seconds=20), timedelta(minutes=2)
SLACK = timedelta(seconds=90)  # how far GES's clock and ours may differ
CALLS_TAKE = timedelta(minutes=2)  # no call of an attempt is made later than this after its intent
JOBS_BEGIN = CALLS_TAKE + SLACK  # nor does the job of a call begin later than this
DEFAULT_JOB_TIMEOUT = timedelta(hours=2)  # under a rule that is gone from the policy
_UNDER_WAY = ("pending", "running", "waiting")


class Judgement(msgspec.Struct, frozen=True):
    """`sure`: told at once; else only after it was seen LOOKS times in a row, over OVER.

    `job_ended_at`: as GES says, or as a run saw that watched it.
    """

    verdict: Verdict
    detail: str | None = None
    sure: bool = True
    job_ended_at: datetime | None = None


class Sightings:
    """How often each attempt was judged alike in a row, and since when."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Verdict, int, datetime]] = {}

    def suffice(self, attempt_id: str, judgement: Judgement, now: datetime) -> bool:
        """Whether the judgement, which this sighting comes to, is to be believed."""
        verdict, times, since = self._seen.get(attempt_id, (judgement.verdict, 0, now))
        times, since = (times + 1, since) if verdict is judgement.verdict else (1, now)
        self._seen[attempt_id] = (judgement.verdict, times, since)
        return judgement.sure or (times >= LOOKS and now - since >= OVER)


def judge(attempt: Attempt, graph: Graph | None, job: Job | None, now: datetime) -> Judgement | None:
    """None: not over yet. `graph` is None when GES lists it no more; `job` when GES knows no such job."""
    if graph is None:
        return Judgement(Verdict.VANISHED, "the graph is gone: deleted, or no longer listed", sure=False)
    if graph.status.in_flight or (job is not None and job.status in _UNDER_WAY):
        return None
    arrived = _arrived(attempt, graph)
    back = graph.version == attempt.from_version
    shown = f"the graph is at status {graph.status.code or 'unknown'} with version {graph.version or 'unknown'}"
    if job is None:
        if arrived and graph.status.running:
            return Judgement(Verdict.SUCCEEDED, f"the job is not known; the graph runs {graph.version}")
        return Judgement(Verdict.VANISHED, f"the job is no longer known; {shown}", sure=False)
    if not job.ended:
        unknown = f"the status {job.status!r} of the job is not known; {shown}"
        return Judgement(Verdict.SUCCEEDED, unknown, sure=False) if arrived and graph.status.running else None
    long_over = job.ended_at is not None and now - job.ended_at >= LAG
    if job.succeeded:
        if not graph.status.running:
            return None
        if arrived:
            later = f"by now the graph runs {graph.version}" if graph.version != attempt.target else None
            return Judgement(Verdict.SUCCEEDED, later, job_ended_at=job.ended_at)
        return Judgement(Verdict.VERSION_UNCHANGED, f"the job succeeded, but {shown}", long_over, job.ended_at)
    reason = job.fail_reason or f"the job ended as {job.status}"
    if graph.status.running and back:
        return Judgement(Verdict.ROLLED_BACK, reason, job_ended_at=job.ended_at)
    return Judgement(Verdict.FAILED, f"{reason}; {shown}", long_over, job.ended_at)


def judge_without_job(attempt: Attempt, graph: Graph | None) -> Judgement | None:
    """While GES does not let its jobs be read, success shows in the graph. That it is not there says nothing."""
    if graph is None or not graph.status.running or not _arrived(attempt, graph):
        return None
    return Judgement(Verdict.SUCCEEDED, f"the job could not be read; the graph runs {graph.version}", sure=False)


def _arrived(attempt: Attempt, graph: Graph) -> bool:
    """At the target, or later by other hands."""
    return attempt.target is not None and graph.version is not None and graph.version >= attempt.target


def overdue(attempt: Attempt, now: datetime, job_timeout: timedelta) -> bool:
    """Whether the attempt has taken longer than the policy bears, and that was not told yet."""
    return attempt.open and not attempt.timed_out and now - attempt.began_at > job_timeout
