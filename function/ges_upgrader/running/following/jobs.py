"""Which of GES's jobs is the one of an upgrade, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.jobs import Backup, Job
from ges_upgrader.domain.model import Attempt, Graph
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.verdicts import JOBS_BEGIN, SLACK
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import names

TOGETHER = timedelta(seconds=10)


class Jobs:
    """The jobs of upgrades. Every method raises CloudError."""

    def __init__(self, context: RunContext, writer: JournalWriter) -> None:
        self._context, self._writer = context, writer

    def job_of(self, attempt: Attempt) -> str | None:
        """The job that the attempt began, by graph and time; the name of an upgrade's job is not documented (ges.md 4.2).

        Of several the one nearest to the call: others are backups, or other operators' work.
        """
        candidates = self._candidates(attempt)
        backups = self._backups_of(attempt) if candidates else []
        own = [job for job in candidates if not _made_one(job, backups)]
        nearest = min(own, key=lambda job: (abs(_after(attempt, job)), job.id), default=None)
        return nearest.id if nearest else None

    def _candidates(self, attempt: Attempt) -> list[Job]:
        history = self._writer.history
        known = {other.job_id for other in history.attempts.by_id.values()} | history.backups.jobs
        return [job for job in self._listed(attempt) if job.id not in known and _may_be_of(attempt, job)]

    def _listed(self, attempt: Attempt) -> Sequence[Job]:
        return self._context.ges.list_jobs(attempt.project, attempt.graph, attempt.began_at - timedelta(days=1))

    def _backups_of(self, attempt: Attempt) -> list[Backup]:
        """None, if the agency must not list them: it needs to for `backup: required` only."""
        try:
            return list(self._context.ges.list_backups(attempt.project, attempt.graph_id))
        except CloudError as error:
            self._context.log.warning("backup.list_failed", error=str(error), **names(attempt))
            return []

    def show(self, attempt: Attempt, graph: Graph | None) -> Job | None:
        """The attempt's job, once the graph is at rest."""
        if attempt.job_id is None or graph is None or graph.status.in_flight:
            return None
        job = self._read(attempt, attempt.job_id)
        self._context.log.info("job.seen", status=job.status if job else "unknown", **names(attempt))
        return job

    def _read(self, attempt: Attempt, job_id: str) -> Job | None:
        """From the job centre if it cannot be read by itself, which may take half of the time that is left."""
        until = self._context.clock.now() + self._context.left() / 2
        try:
            return self._context.ges.show_job(attempt.project, attempt.graph_id, job_id, until)
        except CloudError:
            job = next((job for job in self._listed(attempt) if job.id == job_id), None)
            if job is None:
                raise
            return job


def _may_be_of(attempt: Attempt, job: Job) -> bool:
    """Whether the job may be that of the attempt's call, by what it is and when it began."""
    if job.of_other_work or (job.began_at is None and job.ended):
        return False
    return -SLACK <= _after(attempt, job) <= JOBS_BEGIN


def _after(attempt: Attempt, job: Job) -> timedelta:
    """How long after the attempt the job began; one that does not say when is the last to be taken."""
    return job.began_at - attempt.began_at if job.began_at else JOBS_BEGIN


def _made_one(job: Job, backups: list[Backup]) -> bool:
    """Whether the job is that of a backup: they begin together, by the same clock, and no upgrade begins during a backup."""
    began = [backup.began_at for backup in backups if backup.began_at]
    return job.began_at is not None and any(abs(job.began_at - one) <= TOGETHER for one in began)
