"""The backups that come before upgrades. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from ges_upgrader.domain.model import BackupAttempt, GraphKey
from ges_upgrader.domain.version import Version
from ges_upgrader.history.attempts import Refusal
from ges_upgrader.history.records import BackedUp, BackupEnded, BackupIntended, BackupStarted, Retried


class Backups:
    """`refusals` holds the last failure of each graph's backup. `made` are GES's ids of the backups that this tool made.

    `jobs` are the ids of their jobs. `seen` is the last record of a backup that was seen, whoever made it.
    `open_by_target` counts the open backups by rule and target.
    """

    def __init__(self) -> None:
        self.refusals: dict[GraphKey, Refusal] = {}
        self.made: dict[GraphKey, list[str]] = {}
        self.jobs: set[str] = set()
        self.open_by_target: Counter[tuple[str, Version]] = Counter()
        self.seen: dict[GraphKey, BackedUp] = {}
        self._latest: dict[GraphKey, datetime] = {}
        self._open: dict[GraphKey, BackupAttempt] = {}

    def open(self) -> list[BackupAttempt]:
        return list(self._open.values())

    def open_of(self, graph: GraphKey) -> BackupAttempt | None:
        return self._open.get(graph)

    def latest_of(self, graph: GraphKey) -> datetime | None:
        """When the latest successful backup of the graph was made; None: none is known."""
        known = (self._latest.get(graph), self._latest.get(("", graph[1])))  # versions before 2.0 recorded no project
        return max(filter(None, known), default=None)

    def intend(self, record: BackupIntended) -> None:
        replaced = self._open.get(record.backup.key)
        if replaced is not None:
            self._count(replaced, -1)
        self._open[record.backup.key] = record.backup
        self._count(record.backup, 1)

    def start(self, record: BackupStarted) -> None:
        backup = self._by_id(record.backup_id)
        self.jobs.add(record.job_id)
        self._open[backup.key] = msgspec.structs.replace(backup, job_id=record.job_id)

    def end(self, record: BackupEnded) -> None:
        backup = self._by_id(record.backup_id)
        del self._open[backup.key]
        self._count(backup, -1)
        if record.made is not None:
            self.made.setdefault(backup.key, []).append(record.made)
        if record.detail is None:
            self._latest[backup.key] = record.made_at or backup.began_at
            self.refusals.pop(backup.key, None)
        else:
            last = self.refusals.get(backup.key)
            self.refusals[backup.key] = Refusal.after(last, backup.to_version, record.code, record.detail, record.at)

    def see(self, record: BackedUp) -> None:
        key = (record.project_id, record.graph_id)
        self.seen[key] = record
        self._latest[key] = max(record.made_at, self._latest.get(key, record.made_at))
        for refused in [one for one in self.refusals if one[1] == record.graph_id and record.project_id in ("", one[0])]:
            del self.refusals[refused]

    def retry(self, record: Retried) -> None:
        if record.rule is not None and record.graph_id is None:
            return  # the graphs that the rule governs have records of their own
        for key, refusal in list(self.refusals.items()):
            if record.graph_id in (None, key[1]) and record.version in (None, refusal.version):
                del self.refusals[key]

    def _count(self, backup: BackupAttempt, by: int) -> None:
        target = (backup.rule, backup.to_version)
        self.open_by_target[target] += by
        if not self.open_by_target[target]:
            del self.open_by_target[target]

    def _by_id(self, backup_id: str) -> BackupAttempt:
        found = next((backup for backup in self._open.values() if backup.id == backup_id), None)
        if found is None:
            raise KeyError(backup_id)
        return found
