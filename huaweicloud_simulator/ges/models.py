"""The state of GES: graphs, jobs and backups at an instant (ges.md 3, 4, 6 and its simulator defaults).

Nothing runs in the background: each answer is computed from the times at which things began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any, Literal
from uuid import uuid4

from .operations import KINDS, ROLLBACK, Kind, Operation
from .state import State
from .upgrades import (
    FIRST_WITH_ROLLBACK,
    JOB_ENDINGS,
    NEVER,
    ROLLBACK_PERIOD,
    Fate,
    Outcome,
    Snapshot,
    Upgrade,
    order,
)

__all__ = ["Backup", "Fate", "Graph", "Job", "Operation", "Upgrade"]

# The first graph has the addresses of the documents (show_graph_v2.json). The others follow.
_FIRST_PRIVATE, _FIRST_PUBLIC = IPv4Address("192.168.0.4"), IPv4Address("49.4.81.183")


@dataclass(slots=True)
class Job:
    """A job of the management plane. Its fields may be changed: `name = None` is a job without a name.

    `unreadable` is the HTTP status (403 or 500) that answers a question for this job alone; the job centre shows it.
    """

    id: str
    name: str | None
    graph: Graph
    begin: datetime
    end: datetime
    failure: str | None = None
    ending: str = "success"
    vanishes: bool = False
    unreadable: int | None = None

    def status(self, now: datetime) -> str:
        if now >= self.end:
            return self.ending
        duration = self.end - self.begin
        return "pending" if now < self.begin + duration / 10 and duration < NEVER else "running"

    def known(self, now: datetime) -> bool:
        return not (self.vanishes and now >= self.end)


@dataclass(slots=True)
class Backup:
    id: str
    name: str
    graph: Graph
    version: str
    begin: datetime
    end: datetime
    method: str = "manual"
    ending: Literal["success", "failed"] = "success"

    def status(self, now: datetime) -> str:
        return self.ending if now >= self.end else "backing_up"


@dataclass(frozen=True, slots=True)
class _Running:
    """Another operator's operation in progress. `restores` is what the graph holds after success, if not the same."""

    kind: Kind
    job: Job
    restores: Snapshot | None


class Graph:
    """A graph. `version` and `status` are what GES shows now; to assign to them is a manual change by an operator.

    The engine (data plane) listens at `addresses`, by HTTPS if `https` is true. It reports `engine_version` or else the
    graph's version, counts `vertices` and `edges`, and knows `answers`: rows by Cypher statement, for which it takes the
    `query_times` of its version. It refuses everything if `sick` is true, and for `engine_delay` after an upgrade, a
    rollback, a resize, a start or a restart.
    """

    def __init__(
        self,
        state: State,
        region: str,
        project_id: str,
        name: str,
        version: str = "2.4.4",
        status: str = "200",
        tags: dict[str, str] | None = None,
        enterprise_project: str = "0",
        product_type: str = "InMemory",
        arch: str = "x86_64",
        id: str | None = None,
        extra: dict[str, Any] | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        """`extra` fields are added to what the API shows, `missing` ones (v2 names) are left out."""
        self.region, self.project_id, self.name = region, project_id, name
        self.tags, self.enterprise_project = dict(tags or {}), enterprise_project
        self.product_type, self.arch = product_type, arch
        self.id = id or str(uuid4())
        self.extra, self.missing = dict(extra or {}), missing
        self.jobs: list[Job] = []
        self.backups: list[Backup] = []
        self.created = state.clock.now()
        self.upgrade: Upgrade | None = None  # the last one, unless a manual change or a rollback followed it
        self.https, self.sick = False, False
        self.engine_version: str | None = None
        self.engine_delay = timedelta()
        self.vertices, self.edges = 146, 1659
        self.answers: dict[str, list[list[Any]]] = {}
        self.query_times: dict[str, timedelta] = {}
        number = next(state.numbers)
        self.private_ip = str(_FIRST_PRIVATE + 4 * number)  # the floating one in its VPC
        self.traffic_ips = [str(_FIRST_PRIVATE + 4 * number + machine) for machine in (1, 2)]
        self.public_ip = str(_FIRST_PUBLIC + number)
        self._state = state
        self._version, self._status = version, status
        self._next_upgrade = Outcome()
        self._next_backup: Literal["success", "failed"] = "success"
        self._running: _Running | None = None
        self._before: Snapshot | None = None  # the last upgrade
        self._upgraded_at: datetime | None = None  # when the last upgrade succeeded that the console can roll back
        self._changed = self.created
        self._engine_started: datetime | None = None

    @property
    def addresses(self) -> list[str]:
        return [self.private_ip, *self.traffic_ips, self.public_ip]

    @property
    def version(self) -> str:
        self._advance()
        return self._version

    @version.setter
    def version(self, version: str) -> None:
        self._advance()
        self._version = version

    @property
    def status(self) -> str:
        now = self._advance()
        if self._running is not None:
            return self._running.kind.status
        if self.upgrade is not None and self._status == "200":
            return self.upgrade.status(now)
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._advance()
        self._status = status
        self.upgrade = self._running = None

    @property
    def updated(self) -> datetime:
        """When an upgrade or an operation last began or ended."""
        now = self._advance()
        if self.upgrade is None:
            return self._changed
        return max(self._changed, self.upgrade.ended_at if now >= self.upgrade.ended_at else self.upgrade.at)

    @property
    def is_backing_up(self) -> bool:
        now = self._state.clock.now()
        return any(backup.status(now) == "backing_up" for backup in self.backups)

    @property
    def engine_is_ready(self) -> bool:
        now, runs = self._advance(), self.status == "200"
        started = self._engine_started
        return runs and not self.sick and (started is None or now >= started + self.engine_delay)

    def next_backup(self, outcome: Literal["success", "failed"]) -> None:
        self._next_backup = outcome

    def next_upgrade(
        self,
        outcome: Fate,
        duration: timedelta | None = None,
        fail_reason: str | None = None,
        unreadable: int | None = None,
    ) -> None:
        """Decides how the next upgrade ends. `unreadable` is passed on to its job."""
        self._next_upgrade = Outcome(outcome, duration, fail_reason or Outcome().fail_reason, unreadable)

    def begin_upgrade(self, version: str, force: bool) -> Upgrade:
        """Starts an upgrade, as the API or an operator does. It checks nothing."""
        now, next_ = self._state.clock.now(), self._next_upgrade
        self._next_upgrade = Outcome()
        duration = NEVER if next_.fate == "hang" else next_.duration or self._state.upgrade_duration
        ending = JOB_ENDINGS.get(next_.fate, "success")
        job = self._begin_job("UpgradeGraph", duration, ending, next_.fail_reason)
        job.vanishes, job.unreadable = next_.fate == "vanish", next_.unreadable
        upgrade = Upgrade(self.id, self.version, version, force, job.id, now, next_.fate, duration, next_.fail_reason)
        self._before, self._upgraded_at = Snapshot(self.version, self.vertices, self.edges), None
        self.upgrade = upgrade
        self._state.upgrades.append(upgrade)
        return upgrade

    def begin_backup(self) -> tuple[Job, Backup]:
        """Starts a backup, as the API or an operator does. It checks nothing."""
        now, ending = self._state.clock.now(), self._next_backup
        self._next_backup = "success"
        job = self._begin_job("BackupGraph", self._state.backup_duration, ending, "The backup failed.")
        name = f"{self.name}-{now:%Y%m%d%H%M%S}"
        backup = Backup(str(uuid4()), name, self, self.version, now, job.end, ending=ending)
        self.backups.append(backup)
        return job, backup

    def operate(
        self,
        operation: Operation,
        duration: timedelta | None = None,
        ending: Literal["success", "failed", "partiallyFailed"] = "success",
    ) -> Job:
        """Another operator's operation, with its job in the job centre and the graph's status meanwhile.

        It takes GES's `operation_duration` if none is given. If it does not succeed, the graph is as it was before.
        Raises ValueError if the graph's status does not allow the operation.
        """
        cleared = Snapshot(self.version, 0, 0) if operation == "ClearGraph" else None
        return self._occupy(operation, KINDS[operation], duration, cleared, ending)

    def roll_back(self, duration: timedelta | None = None) -> Job:
        """An operator's rollback on the console, to the version and the data from before the last upgrade (ges.md 6).

        The graph shows 203 for the duration, then 200 with the older version. Its job, `RollbackGraph`, is inferred.
        Raises ValueError if the console does not offer it: only within 30 days of a successful upgrade, and from 2.4.4 on.
        """
        now, before, upgraded_at = self._advance(), self._before, self._upgraded_at
        if before is None or upgraded_at is None or now > upgraded_at + ROLLBACK_PERIOD:
            raise ValueError(f"{self.name} was not upgraded in the last {ROLLBACK_PERIOD.days} days")
        if order(self._version) < order(FIRST_WITH_ROLLBACK):
            raise ValueError(f"{self.name} runs {self._version}; only {FIRST_WITH_ROLLBACK} and later can be rolled back")
        job = self._occupy("RollbackGraph", ROLLBACK, duration, before)
        self.upgrade = self._upgraded_at = None
        return job

    def _occupy(
        self, name: str, kind: Kind, duration: timedelta | None, restores: Snapshot | None, ending: str = "success"
    ) -> Job:
        if self.status not in kind.allowed_in:
            raise ValueError(f"{name} is not possible while the status of {self.name} is {self.status}")
        if self._running is not None:  # a restart makes it fail
            interrupted = self._running.job
            interrupted.end, interrupted.ending, interrupted.failure = self._state.clock.now(), "failed", "Restarted."
        job = self._begin_job(name, duration or self._state.operation_duration, ending, Outcome().fail_reason)
        self._running = _Running(kind, job, restores)
        self._changed = job.begin
        return job

    def _begin_job(self, name: str, duration: timedelta, ending: str, fail_reason: str) -> Job:
        begin = self._state.clock.now()
        failure = None if ending == "success" else fail_reason
        job = Job(f"ff8080{uuid4().hex[6:]}", name, self, begin, begin + duration, failure, ending)
        self.jobs.append(job)
        return job

    def _advance(self) -> datetime:
        """Makes the graph what it is now. Returns the present."""
        now = self._state.clock.now()
        if self.upgrade is not None and not self.upgrade.applied and now >= self.upgrade.ended_at:
            self._apply(self.upgrade)
        if self._running is not None and now >= self._running.job.end:
            self._finish(self._running)
        return now

    def _apply(self, upgrade: Upgrade) -> None:
        upgrade.applied = True
        self._engine_started = upgrade.settled_at
        if upgrade.fate in ("success", "success-but-faulty"):
            self._version, self._upgraded_at = upgrade.to_version, upgrade.ended_at
        if upgrade.fate in ("faulty", "success-but-faulty"):
            self._status = "300"

    def _finish(self, running: _Running) -> None:
        self._running, self._changed = None, running.job.end
        if running.kind.restarts_engine:
            self._engine_started = running.job.end
        if running.job.ending != "success":
            return
        self._status = running.kind.leaves
        if running.restores is not None:
            self._version = running.restores.version
            self.vertices, self.edges = running.restores.vertices, running.restores.edges
