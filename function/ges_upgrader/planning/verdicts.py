"""What became of an attempt, judged from what GES shows. Pure (ges.md 3, 4.2, 6).

The graph is believed before the job: success counts once the graph is back at status 200 with the target version.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.jobs import Job
from ges_upgrader.domain.model import Attempt, Graph, Verdict
from ges_upgrader.history.history import History
from ges_upgrader.history.observations import Sighting
from ges_upgrader.history.records import Sighted

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
    """What must be seen several times before it is believed. A run that is too short for it leaves it to the next.

    Recorded is the first sighting of each run. `history` is asked anew each time; `note` records.
    """

    def __init__(self, history: Callable[[], History], note: Callable[[Sighted], None]) -> None:
        self._history, self._note = history, note
        self._seen: dict[tuple[str, bool], Sighting] = {}

    def suffice(self, subject: str, verdict: Verdict, now: datetime) -> bool:
        """Whether the verdict on an attempt or a backup, which this sighting comes to, is to be believed."""
        seen = self._see(subject, verdict, now)
        return seen.times >= LOOKS and now - seen.since >= OVER

    def last_for(self, subject: str, verdict: Verdict, length: timedelta, now: datetime) -> bool:
        """The same of a verdict that may pass within that time."""
        seen = self._see(subject, verdict, now)
        return seen.times > 1 and now - seen.since >= length

    def contradict(self, subject: str, now: datetime) -> None:
        """Something else was seen: the sightings before no longer count."""
        for unhealthy in (False, True):
            self._seen.pop((subject, unhealthy), None)
        if self._history().observations.sighted(subject):
            self._note(Sighted(at=now, subject=subject, verdict=None))

    def _see(self, subject: str, verdict: Verdict, now: datetime) -> Sighting:
        place = subject, verdict is Verdict.UNHEALTHY
        known = self._seen.get(place)
        seen = Sighting.after(known or self._history().observations.last(subject, verdict), verdict, now)
        if known is None or known.verdict is not verdict:
            self._note(Sighted(at=now, subject=subject, verdict=verdict))
        self._seen[place] = seen
        return seen


def judge(attempt: Attempt, graph: Graph | None, job: Job | None, now: datetime) -> Judgement | None:
    """None: not over yet. `graph` is None when GES lists it no more; `job` when GES knows no such job."""
    if graph is None or graph.status.deleted:
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
        if graph.status.broken:
            return Judgement(Verdict.FAILED, f"the job succeeded, but {shown}", long_over, job.ended_at)
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
    """While neither the job nor the job centre can be read, success shows in the graph. That it is not there says nothing."""
    if graph is None or not graph.status.running or not _arrived(attempt, graph):
        return None
    return Judgement(Verdict.SUCCEEDED, f"the job could not be read; the graph runs {graph.version}", sure=False)


def of_other_operator(attempt: Attempt, graph: Graph | None, judgement: Judgement) -> bool:
    """Whether the job, which was found by graph and time, is not that of the upgrade, which never began.

    It did not fail, and the graph was neither seen upgrading nor at a new version: another operator's export, for one, taken
    for ours. A job's name says nothing (ges.md 4.2).
    """
    return (
        attempt.inferred
        and not attempt.seen_in_flight
        and judgement.verdict in (Verdict.VERSION_UNCHANGED, Verdict.VANISHED)
        and graph is not None
        and graph.status.running
        and graph.version == attempt.from_version
    )


def _arrived(attempt: Attempt, graph: Graph) -> bool:
    """At the target, or later by other hands."""
    return attempt.target is not None and graph.version is not None and graph.version >= attempt.target


def overdue(attempt: Attempt, now: datetime, job_timeout: timedelta) -> bool:
    """Whether the attempt has taken longer than the policy bears, and that was not told yet."""
    return attempt.open and not attempt.timed_out and now - attempt.began_at > job_timeout
