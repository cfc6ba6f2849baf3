"""What became of an attempt, judged from what GES shows. Pure (ges.md 3, 4.2, 6).

The graph is believed before the job: success counts once the graph is back at status 200 with the target version.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.jobs import Job
from ges_upgrader.domain.latency import Latency
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
DEFAULT_JOB_TIMEOUT = timedelta(hours=2)  # under a removed rule
_UNDER_WAY = ("pending", "running", "waiting")


class Judgement(msgspec.Struct, frozen=True):
    """`sure`: told at once; else only after it was seen LOOKS times in a row, over OVER.

    `job_ended_at`: as GES says, or as a run saw that watched it. `after`: what the health check measured.
    """

    verdict: Verdict
    detail: str | None = None
    sure: bool = True
    job_ended_at: datetime | None = None
    after: tuple[Latency, ...] = ()


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
        return Judgement(Verdict.VANISHED, "the graph was deleted, or is no longer listed", sure=False)
    if graph.status.in_flight or (job is not None and job.status in _UNDER_WAY):
        return None
    if job is None:
        return _after_unknown_job(attempt, graph)
    if not job.ended:
        return _while_status_unknown(attempt, graph, job)
    return _after_success(attempt, graph, job, now) if job.succeeded else _after_failure(attempt, graph, job, now)


def _after_unknown_job(attempt: Attempt, graph: Graph) -> Judgement:
    if graph.status.running and _arrived(attempt, graph):
        return Judgement(Verdict.SUCCEEDED, f"the job is not known; the graph runs {graph.version}")
    return Judgement(Verdict.VANISHED, f"the job is no longer known; {_shown(graph)}", sure=False)


def _while_status_unknown(attempt: Attempt, graph: Graph, job: Job) -> Judgement | None:
    """A status of the job that no document names says nothing; the graph may show success."""
    if not (graph.status.running and _arrived(attempt, graph)):
        return None
    unknown = f"the status {job.status!r} of the job is not known; {_shown(graph)}"
    return Judgement(Verdict.SUCCEEDED, unknown, sure=False)


def _after_success(attempt: Attempt, graph: Graph, job: Job, now: datetime) -> Judgement | None:
    """What the graph shows after its job succeeded. None: GES is still at work on it."""
    if not (graph.status.running or graph.status.broken):
        return None
    if graph.status.running and _arrived(attempt, graph):
        later = f"by now the graph runs {graph.version}" if graph.version != attempt.target else None
        return Judgement(Verdict.SUCCEEDED, later, job_ended_at=job.ended_at)
    verdict = Verdict.FAILED if graph.status.broken else Verdict.VERSION_UNCHANGED
    return Judgement(verdict, f"the job succeeded, but {_shown(graph)}", _long_over(job, now), job.ended_at)


def _after_failure(attempt: Attempt, graph: Graph, job: Job, now: datetime) -> Judgement:
    reason = job.fail_reason or f"the job ended as {job.status}"
    if graph.status.running and graph.version == attempt.from_version:
        return Judgement(Verdict.ROLLED_BACK, reason, job_ended_at=job.ended_at)
    return Judgement(Verdict.FAILED, f"{reason}; {_shown(graph)}", _long_over(job, now), job.ended_at)


def _shown(graph: Graph) -> str:
    return f"the graph is at status {graph.status.code or 'unknown'} with version {graph.version or 'unknown'}"


def _long_over(job: Job, now: datetime) -> bool:
    """Whether GES has had the time to show on the graph how its job ended."""
    return job.ended_at is not None and now - job.ended_at >= LAG


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
    """At the target, or at a later version that another operator chose."""
    return attempt.target is not None and graph.version is not None and graph.version >= attempt.target


def overdue(attempt: Attempt, now: datetime, job_timeout: timedelta) -> bool:
    """Whether the attempt has taken longer than the policy bears, and that was not told yet."""
    return attempt.open and not attempt.timed_out and now - attempt.began_at > job_timeout
