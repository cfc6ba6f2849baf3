"""The backup that must come before an upgrade: looked for, made, waited for across runs, and deleted when it is old."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.jobs import Backup, Job
from ges_upgrader.domain.model import BackupAttempt, Graph, Start, Verdict
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, BackedUp, BackupEnded, BackupIntended, BackupStarted
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.gates import NOT_NOW
from ges_upgrader.planning.verdicts import CALLS_TAKE, JOBS_BEGIN, SLACK, Sightings
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.report import RunReport
from ges_upgrader.running.start import Grounds, Tried, intend


class BackupMaker:
    """Looks for backups, makes them and follows them."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report
        self._sightings = Sightings(lambda: writer.history, writer.note)

    @property
    def _history(self) -> History:
        return self._writer.history

    def settle(self, fleet: Fleet) -> None:
        """Looks at every backup that is open, but in projects that could not be seen, and writes down what is over."""
        for backup in self._history.backups.open():
            if backup.project not in fleet.unseen:
                self._settle(backup, fleet.get(backup.key))

    def back_up(self, start: Start, grounds: Grounds) -> Tried:
        """Sees to it that a backup is there or in progress."""
        rule = next(rule for rule in self._context.policy.rules if rule.name == start.rule)
        try:
            backups, why_not = self._context.ges.list_backups(start.project, start.graph_id), ""
        except CloudError as error:
            backups, why_not = [], str(error)
        if not why_not and self._quota_left(start) == 0:
            why_not = "the project's quota of backups is used up; delete one"
        now = self._context.clock.now()
        for backup in backups:
            if backup.succeeded and backup.made_at and now < backup.made_at + rule.backup_max_age:
                self._writer.note(
                    BackedUp(at=now, graph_id=start.graph_id, project_id=start.project.project_id, made_at=backup.made_at)
                )
                return Tried.YES
        under_way = next((one.began_at for one in backups if one.status == "backing_up" and one.began_at), None)
        attempt = BackupAttempt(
            id=os.urandom(16).hex(),
            project=start.project,
            graph_id=start.graph_id,
            graph=start.graph,
            rule=rule.name,
            to_version=start.to_version,
            began_at=under_way or now,
        )
        intent = BackupIntended(at=now, backup=attempt)
        found = intend(start, grounds, self._writer, self._context, lambda _: intent)
        if isinstance(found, Tried):
            return found
        if under_way is not None:
            return Tried.YES
        if why_not:
            self._end(attempt, None, why_not)
            return Tried.YES
        before = attempt.began_at + CALLS_TAKE
        if self._context.clock.now() >= before:
            self._end(attempt, None, "its time was over before it could be made", "too-late")
            return Tried.YES
        try:
            job_id = self._context.ges.create_backup(attempt.project, attempt.graph_id, before)
        except CloudError as error:
            if not error.may_have_acted:
                self._end(attempt, None, str(error), error.code)
            return Tried.YES
        self._began(attempt, job_id)
        self._report.start(found, job_id)
        self._context.log.info("backup.started", graph=attempt.graph, region=attempt.project.region, job=job_id)
        return Tried.YES

    def _quota_left(self, start: Start) -> int | None:
        """None: it cannot be told. Then the call itself is refused where there is no place for one more."""
        try:
            return self._context.ges.backups_left(start.project)
        except CloudError as error:
            self._context.log.warning("quota.read_failed", error=str(error), graph=start.graph)
            return None

    def _began(self, attempt: BackupAttempt, job_id: str) -> None:
        """Writes down the job of a backup; and the backup again, where another run took it for never begun."""
        began = BackupStarted(at=self._context.clock.now(), backup_id=attempt.id, job_id=job_id)
        intended = BackupIntended(at=attempt.began_at, backup=attempt)

        def known(history: History) -> list[AnyRecord]:
            there = history.backups.open_of(attempt.key)
            return [began] if there and there.id == attempt.id else [intended, began]

        self._writer.write(known)

    def _settle(self, attempt: BackupAttempt, graph: Graph | None) -> None:
        """A backup is judged by the list of backups, and by its job if the list does not show it."""
        try:
            if graph is None and self._context.ges.show_graph(attempt.project, attempt.graph_id) is None:
                if self._unseen_for_long(attempt):
                    self._end(attempt, None, "the graph was deleted, or is no longer listed")
                return
            made, job = self._look(attempt)
        except CloudError as error:
            self._report.complain(f"{error}; the backup of {attempt.graph} is looked at again")
            return
        if made is not None and made.succeeded:
            self._end(attempt, made, None)
            self._prune(attempt)
        elif made is not None and made.status == "failed":
            self._end(attempt, made, "GES says that the backup failed")
        elif job is not None and job.failed:
            self._end(attempt, None, job.fail_reason or f"its job ended as {job.status}")
        elif made is not None or (job is not None and not job.ended):
            self._sightings.contradict(attempt.id, self._context.clock.now())
        elif self._unseen_for_long(attempt):
            self._end(attempt, None, "the call that makes it left no trace in GES")

    def _look(self, attempt: BackupAttempt) -> tuple[Backup | None, Job | None]:
        """The backup, and its job if the list does not show it. If one of the two cannot be read, the other decides.

        Raises CloudError.
        """
        ges, until = self._context.ges, self._context.clock.now() + self._context.left() / 2
        try:
            made = self._backup_of(attempt, until)
        except CloudError as error:
            job = ges.show_job(attempt.project, attempt.graph_id, attempt.job_id) if attempt.job_id else None
            if job is None or not job.ended:
                raise error from None
            made_at = job.ended_at or attempt.began_at
            unlisted = Backup("", attempt.graph_id, "success", attempt.began_at, made_at) if job.succeeded else None
            return unlisted, job
        if made is not None or attempt.job_id is None:
            return made, None
        try:
            return None, ges.show_job(attempt.project, attempt.graph_id, attempt.job_id)
        except CloudError as error:
            self._report.complain(f"{error}; the list of backups does not show that of {attempt.graph}")
            return None, None

    def _backup_of(self, attempt: BackupAttempt, until: datetime) -> Backup | None:
        """The backup that the attempt began, by graph and time; of several the one nearest to the call."""
        found: list[tuple[timedelta, Backup]] = []
        for backup in self._context.ges.list_backups(attempt.project, attempt.graph_id, until):
            if backup.began_at is not None and backup.began_at >= attempt.began_at - SLACK:
                found.append((abs(backup.began_at - attempt.began_at), backup))
        return min(found, key=lambda one: one[0])[1] if found else None

    def _unseen_for_long(self, attempt: BackupAttempt) -> bool:
        now = self._context.clock.now()
        if now < attempt.began_at + JOBS_BEGIN:
            return False
        return self._sightings.suffice(attempt.id, Verdict.VANISHED, now)

    def _end(self, attempt: BackupAttempt, made: Backup | None, detail: str | None, code: str = "backup") -> None:
        """Writes down how a backup ended, unless another run has: well, or why not.

        One whose call got no answer may be another operator's, which `backup_keep` must not delete.
        """
        ended = BackupEnded(
            at=self._context.clock.now(),
            backup_id=attempt.id,
            made=made.id if made and made.id and attempt.job_id else None,
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

    def _prune(self, attempt: BackupAttempt) -> None:
        """Deletes the backups that were made here beyond `backup_keep`, where the policy says it."""
        rule = next((rule for rule in self._context.policy.rules if rule.name == attempt.rule), None)
        if rule is None or rule.backup_keep is None:
            return
        ours = self._history.backups.made.get(attempt.key, [])
        try:
            there = {backup.id for backup in self._context.ges.list_backups(attempt.project, attempt.graph_id)}
            for backup_id in [one for one in ours if one in there][: -rule.backup_keep]:
                self._context.ges.delete_backup(attempt.project, attempt.graph_id, backup_id)
                self._context.log.info("backup.deleted", graph=attempt.graph, backup=backup_id)
        except CloudError as error:
            self._report.complain(f"{error}; older backups of {attempt.graph} were left where they are")
