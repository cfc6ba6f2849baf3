"""The state of GES: graphs, jobs and backups, as they are at an instant (ges.md 3, 4, 6 and its simulator defaults).

Nothing runs in the background: what an instant shows is computed from when things began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

if TYPE_CHECKING:
    from ..cloud import Cloud, Project

Fate = Literal[
    "success",
    "failed",
    "vanish",
    "hang",
    "success-without-new-version",
    "partially-failed",
    "stuck",
    "faulty",
]
NEVER = timedelta(days=3650)

# The documents' addresses (show_graph_v2.json) are those of the first graph. The others follow.
_FIRST_PRIVATE, _FIRST_PUBLIC = IPv4Address("192.168.0.4"), IPv4Address("49.4.81.183")


@dataclass(slots=True)
class Upgrade:
    """An accepted upgrade call: what really happened, for tests to compare with what was told."""

    graph_id: str
    from_version: str
    to_version: str
    force: bool
    job_id: str
    at: datetime
    fate: Fate
    duration: timedelta
    fail_reason: str
    applied: bool = False

    @property
    def ended_at(self) -> datetime:
        return self.at + self.duration

    @property
    def outcome(self) -> Fate:
        return self.fate


@dataclass(slots=True)
class Job:
    id: str
    name: str
    graph: Graph
    begin: datetime
    end: datetime
    failure: str | None = None
    ending: str = "success"
    vanishes: bool = False

    def status(self, now: datetime) -> str:
        if now >= self.end:
            return self.ending
        return "pending" if now < self.begin + (self.end - self.begin) / 10 and self.end - self.begin < NEVER else "running"

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


@dataclass(slots=True)
class Plan:
    """What the next upgrade of a graph will come to."""

    fate: Fate = "success"
    duration: timedelta | None = None
    fail_reason: str = "The underlying graph engine has internal error."


@dataclass(slots=True, eq=False)
class Graph:
    """A graph. `version` and `status` are what GES shows now, and may be set by an operator's hand.

    Its own engine, the data plane, listens at `addresses` in one scheme, that of `https`; `private_ip` is the floating one
    in its VPC, `traffic_ips` are those of its machines. It says that it runs `engine_version`, or the graph's; refuses
    everything where it is `sick`; counts these `vertices` and `edges`; and knows the `answers`, rows by the statement of
    Cypher.
    """

    cloud: Cloud
    project: Project
    name: str
    _version: str = field(init=False)
    _status: str = field(init=False)
    tags: dict[str, str] = field(default_factory=dict)
    enterprise_project: str = "0"
    product_type: str = "InMemory"
    arch: str = "x86_64"
    id: str = field(default_factory=lambda: str(uuid4()))
    extra: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    jobs: list[Job] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    created: datetime = field(init=False)
    upgrade: Upgrade | None = None
    _next: Plan = field(default_factory=Plan)
    _next_backup: Literal["success", "failed"] = "success"
    https: bool = False
    engine_version: str | None = None
    sick: bool = False
    vertices: int = 146
    edges: int = 1659
    answers: dict[str, list[list[Any]]] = field(default_factory=dict)
    private_ip: str = field(init=False)
    traffic_ips: list[str] = field(init=False)
    public_ip: str = field(init=False)

    def __init__(
        self,
        cloud: Cloud,
        project: Project,
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
        """`extra` fields are added to what the API shows, `missing` ones (v2 names) are left out of it."""
        self.cloud, self.project, self.name = cloud, project, name
        self._version, self._status = version, status
        self.tags, self.enterprise_project = dict(tags or {}), enterprise_project
        self.product_type, self.arch = product_type, arch
        self.id = id or str(uuid4())
        self.extra, self.missing = dict(extra or {}), missing
        self.jobs, self.backups = [], []
        self.created = cloud.clock.now()
        self.upgrade = None
        self._next = Plan()
        self._next_backup = "success"
        self.https = False
        self.engine_version = None
        self.sick = False
        self.vertices, self.edges = 146, 1659
        self.answers = {}
        number = next(cloud.numbers)
        self.private_ip = str(_FIRST_PRIVATE + 4 * number)
        self.traffic_ips = [str(_FIRST_PRIVATE + 4 * number + machine) for machine in (1, 2)]
        self.public_ip = str(_FIRST_PUBLIC + number)

    @property
    def addresses(self) -> list[str]:
        return [self.private_ip, *self.traffic_ips, self.public_ip]

    def next_backup(self, outcome: Literal["success", "failed"]) -> None:
        self._next_backup = outcome

    def next_upgrade(self, outcome: Fate, duration: timedelta | None = None, fail_reason: str | None = None) -> None:
        self._next = Plan(outcome, duration, fail_reason or Plan().fail_reason)

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
        """200 → 201 → 200, or 201 → 203 → 200 where the upgrade fails (ges.md 3, life cycle)."""
        now = self._advance()
        upgrade = self.upgrade
        if upgrade is not None and self._status == "200":
            if now < upgrade.ended_at or upgrade.fate == "stuck":
                return "201"
            if upgrade.fate in ("failed", "partially-failed") and now < upgrade.ended_at + upgrade.duration / 4:
                return "203"
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._advance()
        self._status = status
        self.upgrade = None

    @property
    def is_backing_up(self) -> bool:
        now = self.cloud.clock.now()
        return any(backup.status(now) == "backing_up" for backup in self.backups)

    @property
    def updated(self) -> datetime:
        """When an upgrade last began or ended."""
        now = self._advance()
        if self.upgrade is None:
            return self.created
        return self.upgrade.ended_at if now >= self.upgrade.ended_at else self.upgrade.at

    def begin_upgrade(self, version: str, force: bool) -> Upgrade:
        now, plan = self.cloud.clock.now(), self._next
        self._next = Plan()
        duration = plan.duration or self.cloud.upgrade_duration
        if plan.fate == "hang":
            duration = NEVER
        job_id = f"ff8080{uuid4().hex[6:]}"
        self.upgrade = Upgrade(self.id, self.version, version, force, job_id, now, plan.fate, duration, plan.fail_reason)
        failed = plan.fate in ("failed", "stuck", "faulty")
        self.jobs.append(
            Job(
                id=job_id,
                name="UpgradeGraph",
                graph=self,
                begin=now,
                end=now + duration,
                failure=plan.fail_reason if failed or plan.fate == "partially-failed" else None,
                ending="failed" if failed else "partiallyFailed" if plan.fate == "partially-failed" else "success",
                vanishes=plan.fate == "vanish",
            )
        )
        self.cloud.upgrades.append(self.upgrade)
        return self.upgrade

    def begin_backup(self) -> tuple[Job, Backup]:
        now = self.cloud.clock.now()
        end, ending = now + self.cloud.backup_duration, self._next_backup
        self._next_backup = "success"
        failure = "The backup failed." if ending == "failed" else None
        job_id = f"ff8080{uuid4().hex[6:]}"
        job = Job(id=job_id, name="BackupGraph", graph=self, begin=now, end=end, failure=failure, ending=ending)
        name = f"{self.name}-{now:%Y%m%d%H%M%S}"
        backup = Backup(str(uuid4()), name, self, self.version, now, end, ending=ending)
        self.jobs.append(job)
        self.backups.append(backup)
        return job, backup

    def _advance(self) -> datetime:
        now = self.cloud.clock.now()
        upgrade = self.upgrade
        if upgrade is not None and not upgrade.applied and now >= upgrade.ended_at:
            upgrade.applied = True
            if upgrade.fate == "success":
                self._version = upgrade.to_version
            elif upgrade.fate == "faulty":
                self._status = "300"
        return now
