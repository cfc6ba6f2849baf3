"""The backup that must come before an upgrade: looked for, and made if there is none that is fresh enough."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.jobs import Backup
from ges_upgrader.domain.model import BackupAttempt, Start
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, BackedUp, BackupIntended, BackupStarted
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.verdicts import CALLS_TAKE
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.following.backups import BackupFollower
from ges_upgrader.running.results.report import RunReport
from ges_upgrader.running.start import Grounds, Tried, intend


class Listed(msgspec.Struct, frozen=True):
    """The backups of a graph, as GES lists them. `obstacle` says why no other can be made; empty: nothing is known of one."""

    backups: Sequence[Backup]
    obstacle: str = ""

    @property
    def in_progress_since(self) -> datetime | None:
        return next((one.began_at for one in self.backups if one.in_progress and one.began_at), None)

    def fresh(self, max_age: timedelta, now: datetime) -> datetime | None:
        """When a backup was made that is not older than that."""
        made = (one.made_at for one in self.backups if one.succeeded and one.made_at)
        return next((made_at for made_at in made if now < made_at + max_age), None)


class BackupMaker:
    """Makes backups. What becomes of them, the follower finds out."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport, follower: BackupFollower) -> None:
        self._context, self._writer, self._report, self._follower = context, writer, report, follower

    def back_up(self, start: Start, grounds: Grounds) -> Tried:
        """Sees to it that a backup is there or in progress."""
        listed = self._listed(start)
        max_age, now = self._context.policy.rules_by_name[start.rule].backup_max_age, self._context.clock.now()
        made_at = listed.fresh(max_age, now)
        if made_at is None:
            return self._make(start, grounds, listed)
        self._writer.note(BackedUp(at=now, graph_id=start.graph_id, project_id=start.project.project_id, made_at=made_at))
        return Tried.YES

    def _listed(self, start: Start) -> Listed:
        try:
            backups = self._context.ges.list_backups(start.project, start.graph_id)
        except CloudError as error:
            return Listed([], str(error))
        full = self._quota_left(start) == 0
        return Listed(backups, "the project's quota of backups is used up; delete one" if full else "")

    def _quota_left(self, start: Start) -> int | None:
        """None: it cannot be read. Then the call itself is refused if there is no place for one more."""
        try:
            return self._context.ges.backups_left(start.project)
        except CloudError as error:
            self._context.log.warning("quota.read_failed", error=str(error), graph=start.graph)
            return None

    def _make(self, start: Start, grounds: Grounds, listed: Listed) -> Tried:
        """Records the intent and calls, unless a backup is in progress, which is then followed as if it were ours."""
        now = self._context.clock.now()
        attempt = _attempt(start, listed.in_progress_since or now)
        intent = BackupIntended(at=now, backup=attempt)
        checked = intend(start, grounds, self._writer, self._context, lambda _: [intent])
        if isinstance(checked, Tried):
            return checked
        if listed.in_progress_since is None:
            self._call(checked, attempt, listed.obstacle)
        return Tried.YES

    def _call(self, start: Start, attempt: BackupAttempt, obstacle: str) -> None:
        before = attempt.began_at + CALLS_TAKE
        if obstacle:
            self._follower.end(attempt, None, obstacle)
        elif self._context.clock.now() >= before:
            self._follower.end(attempt, None, "its time was over before it could be made", "too-late")
        else:
            self._create(start, attempt, before)

    def _create(self, start: Start, attempt: BackupAttempt, before: datetime) -> None:
        try:
            job_id = self._context.ges.create_backup(attempt.project, attempt.graph_id, before)
        except CloudError as error:
            if not error.may_have_acted:
                self._follower.end(attempt, None, str(error), error.code)
            return
        self._began(attempt, job_id)
        self._report.start(start, job_id)
        self._context.log.info("backup.started", graph=attempt.graph, region=attempt.project.region, job=job_id)

    def _began(self, attempt: BackupAttempt, job_id: str) -> None:
        """Records the job of a backup; and the backup again, if another run took it for never begun."""
        began = BackupStarted(at=self._context.clock.now(), backup_id=attempt.id, job_id=job_id)
        intended = BackupIntended(at=attempt.began_at, backup=attempt)

        def known(history: History) -> list[AnyRecord]:
            there = history.backups.open_of(attempt.key)
            return [began] if there and there.id == attempt.id else [intended, began]

        self._writer.write(known)


def _attempt(start: Start, began_at: datetime) -> BackupAttempt:
    return BackupAttempt(
        id=os.urandom(16).hex(),
        project=start.project,
        graph_id=start.graph_id,
        graph=start.graph,
        rule=start.rule,
        to_version=start.to_version,
        began_at=began_at,
    )
