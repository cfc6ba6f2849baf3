"""What became of the backups that were started: looked at across runs until they are over; old ones are deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.jobs import Backup, Job
from ges_upgrader.domain.model import BackupAttempt, Graph, Verdict
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, BackupEnded
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.gates import NOT_NOW
from ges_upgrader.planning.verdicts import JOBS_BEGIN, SLACK, Sightings
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import RunReport


class Shown(msgspec.Struct, frozen=True):
    """What GES shows of a backup: its entry in the list, and its job if the list does not show it."""

    made: Backup | None
    job: Job | None = None

    @property
    def succeeded(self) -> bool:
        return self.made is not None and self.made.succeeded

    @property
    def failure(self) -> str | None:
        if self.made is not None and self.made.status == "failed":
            return "GES says that the backup failed"
        if self.job is not None and self.job.failed:
            return self.job.fail_reason or f"its job ended as {self.job.status}"
        return None

    @property
    def in_progress(self) -> bool:
        return self.made is not None or (self.job is not None and not self.job.ended)


class BackupFollower:
    """Settles the backups that are open."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report
        self._sightings = Sightings(lambda: writer.history, writer.note)

    @property
    def _history(self) -> History:
        return self._writer.history

    def settle(self, fleet: Fleet) -> None:
        """Looks at every backup that is open, but in projects that could not be seen, and records what is over."""
        for backup in self._history.backups.open():
            if backup.project not in fleet.unseen:
                self._settle(backup, fleet.get(backup.key))

    def end(self, attempt: BackupAttempt, made: Backup | None, detail: str | None, code: str = "backup") -> None:
        """Records how a backup ended, unless another run has. `detail` says why it failed."""
        ended = BackupEnded(
            at=self._context.clock.now(),
            backup_id=attempt.id,
            made=_own_id(attempt, made),
            made_at=made.made_at if made else None,
            code=code,
            detail=detail,
        )

        def still_open(history: History) -> list[AnyRecord]:
            known = history.backups.open_of(attempt.key)
            return [ended] if known and known.id == attempt.id else []

        self._writer.write(still_open)
        self._context.log.info("backup.ended", graph=attempt.graph, region=attempt.project.region, failure=detail)
        if detail is not None and code not in NOT_NOW:
            self._report.complain(f"the backup of {attempt.graph}: {detail}; {attempt.graph} is not upgraded")

    def _settle(self, attempt: BackupAttempt, graph: Graph | None) -> None:
        try:
            if graph is None and self._context.ges.show_graph(attempt.project, attempt.graph_id) is None:
                self._end_if_unseen_for_long(attempt, "the graph was deleted, or is no longer listed")
            else:
                self._judge(attempt, self._look(attempt))
        except CloudError as error:
            self._report.complain(f"{error}; the backup of {attempt.graph} is looked at again")

    def _judge(self, attempt: BackupAttempt, shown: Shown) -> None:
        if shown.succeeded:
            self.end(attempt, shown.made, None)
            self._prune(attempt)
        elif shown.failure is not None:
            self.end(attempt, shown.made, shown.failure)
        elif shown.in_progress:
            self._sightings.contradict(attempt.id, self._context.clock.now())
        else:
            self._end_if_unseen_for_long(attempt, "the call that makes it left no trace in GES")

    def _look(self, attempt: BackupAttempt) -> Shown:
        """By the list of backups, and by the job if the list does not show it. If one cannot be read, the other decides.

        Raises CloudError.
        """
        try:
            made = self._backup_of(attempt, self._context.clock.now() + self._context.left() / 2)
        except CloudError as error:
            return self._by_job_alone(attempt, error)
        return Shown(made) if made is not None else Shown(None, self._job_of(attempt))

    def _by_job_alone(self, attempt: BackupAttempt, error: CloudError) -> Shown:
        """The end that the job shows while the list of backups cannot be read; without an end that error is raised."""
        job = self._show_job(attempt)
        if job is None or not job.ended:
            raise error
        made_at = job.ended_at or attempt.began_at
        unlisted = Backup("", attempt.graph_id, "success", attempt.began_at, made_at) if job.succeeded else None
        return Shown(unlisted, job)

    def _job_of(self, attempt: BackupAttempt) -> Job | None:
        try:
            return self._show_job(attempt)
        except CloudError as error:
            self._report.complain(f"{error}; the list of backups does not show that of {attempt.graph}")
            return None

    def _show_job(self, attempt: BackupAttempt) -> Job | None:
        """Raises CloudError."""
        if not attempt.job_id:
            return None
        return self._context.ges.show_job(attempt.project, attempt.graph_id, attempt.job_id)

    def _backup_of(self, attempt: BackupAttempt, until: datetime) -> Backup | None:
        """The backup that the attempt began, by graph and time; of several the one nearest to the call."""
        found: list[tuple[timedelta, Backup]] = []
        for backup in self._context.ges.list_backups(attempt.project, attempt.graph_id, until):
            if backup.began_at is not None and backup.began_at >= attempt.began_at - SLACK:
                found.append((abs(backup.began_at - attempt.began_at), backup))
        return min(found, key=lambda one: one[0])[1] if found else None

    def _end_if_unseen_for_long(self, attempt: BackupAttempt, detail: str) -> None:
        """A trace may be late, also of a call that may still arrive."""
        now = self._context.clock.now()
        if now >= attempt.began_at + JOBS_BEGIN and self._sightings.suffice(attempt.id, Verdict.VANISHED, now):
            self.end(attempt, None, detail)

    def _prune(self, attempt: BackupAttempt) -> None:
        """Deletes the backups that were made here beyond `backup_keep`, if the policy has it."""
        rule = self._context.policy.rules_by_name.get(attempt.rule)
        if rule is None or rule.backup_keep is None:
            return
        try:
            self._delete_older(attempt, rule.backup_keep)
        except CloudError as error:
            self._report.complain(f"{error}; older backups of {attempt.graph} were left where they are")

    def _delete_older(self, attempt: BackupAttempt, kept: int) -> None:
        """Raises CloudError."""
        ours = self._history.backups.made.get(attempt.key, [])
        there = {backup.id for backup in self._context.ges.list_backups(attempt.project, attempt.graph_id)}
        for backup_id in [one for one in ours if one in there][:-kept]:
            self._context.ges.delete_backup(attempt.project, attempt.graph_id, backup_id)
            self._context.log.info("backup.deleted", graph=attempt.graph, backup=backup_id)


def _own_id(attempt: BackupAttempt, made: Backup | None) -> str | None:
    """The id of a backup that is certainly ours.

    One whose call got no answer may be another operator's, which `backup_keep` must not delete.
    """
    return (made.id or None) if made and attempt.job_id else None
