"""The nouns of the product. All of them are values: frozen, typed, without I/O.

Times are aware datetimes in UTC, lengths of time are `timedelta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import msgspec

from ges_upgrader.domain.latency import Latency
from ges_upgrader.domain.timestamps import FAR, Instant
from ges_upgrader.domain.version import Version


class Action(str, Enum):
    """What a run does about a graph."""

    UPGRADE = "upgrade"  # the upgrade call is made now
    BACKUP = "backup"  # a backup is made first
    WAIT = "wait"  # a matter of time or of other graphs
    SKIP = "skip"  # nothing to do
    BLOCKED = "blocked"  # needs a person


class Reason(str, Enum):
    """Why a run does what it does about a graph."""

    DUE = "due"  # everything agrees: start
    UP_TO_DATE = "up-to-date"  # the graph runs the newest release known for it
    NO_RELEASE = "no-release"  # no release for this graph has been heard of
    NO_RULE = "no-rule"  # no rule of the policy matches
    OPTED_OUT = "opted-out"  # the graph's own tag ges-upgrader=off
    VERSION_NOT_ALLOWED = "version-not-allowed"  # there are newer releases, but `versions` allows none
    TOO_YOUNG = "too-young"  # the release may not be used yet
    OUTSIDE_WINDOW = "outside-window"  # no maintenance window is open, or it closes too soon
    FROZEN = "frozen"  # a freeze of the policy
    AFTER_RULE = "after-rule"  # not every graph of the rules before runs the target
    SOAKING = "soaking"  # they do, but not for long enough
    MAX_CONCURRENT = "max-concurrent"  # the upgrades in flight fill a limit, or could fail as often as is borne
    NOTICE = "notice"  # the planned message is not out for long enough
    AWAITING_APPROVAL = "awaiting-approval"  # the rule's mode is approve, and no approval covers the graph
    NOTIFY_ONLY = "notify-only"  # the rule's mode is notify
    TOO_MANY = "too-many"  # the rule governs more graphs than its max_graphs
    HALTED = "halted"  # the version failed under this rule as often as the policy bears
    QUARANTINED = "quarantined"  # it failed under an earlier rule or on this graph, or it is set aside for the graph
    PAUSED = "paused"  # the policy says `enabled: false`, or somebody paused it
    NOT_RUNNING = "not-running"  # the graph is in a status in which GES upgrades nothing
    UPGRADING = "upgrading"  # an upgrade of the graph is in progress, whoever started it
    BACKING_UP = "backing-up"  # a backup of the graph is in progress, whoever started it
    BACKUP_FAILED = "backup-failed"  # the backup that must come first could not be made
    STATE_UNAVAILABLE = "state-unavailable"  # the journal cannot be read or written
    REFUSED = "refused"  # GES refused the call, or its answer made no sense
    UNHEALTHY_BEFORE = "unhealthy-before"  # the graph fails its health check before the upgrade, or cannot be asked


class Severity(str, Enum):
    """How urgent a release is, by its announcement (smn-obs-core.md E1)."""

    NORMAL = "normal"
    SECURITY = "security"
    CRITICAL = "critical"


class Verdict(str, Enum):
    """How an attempt ended. `outcome` in results and messages."""

    SUCCEEDED = "succeeded"  # back at status 200 with the target version
    FAILED = "failed"  # the job failed and the graph is not back at its old version
    ROLLED_BACK = "rolled-back"  # the job failed and the graph runs its old version again
    VERSION_UNCHANGED = "version-unchanged"  # the job succeeded, yet the graph runs its old version
    TIMED_OUT = "timed-out"  # in progress for longer than `job_timeout`; still followed
    VANISHED = "vanished"  # the graph no longer exists, or the job does not and left no trace
    UNHEALTHY = "unhealthy"  # upgraded, but the graph's engine fails the policy's health check

    @property
    def ends(self) -> bool:
        """Whether the attempt is over: one that timed out is still followed."""
        return self is not Verdict.TIMED_OUT

    @property
    def upgraded(self) -> bool:
        """Whether the graph runs the target version."""
        return self in (Verdict.SUCCEEDED, Verdict.UNHEALTHY)


class Status(msgspec.Struct, frozen=True):
    """A graph's status code as GES gives it, a number in a string (ges.md 3). Codes not in the table are not running."""

    code: str

    @property
    def running(self) -> bool:
        return self.code == "200"

    @property
    def upgrading(self) -> bool:
        return self.code == "201"

    @property
    def rolling_back(self) -> bool:
        return self.code == "203"

    @property
    def backing_up(self) -> bool:
        return self.code == "903"

    @property
    def faulty(self) -> bool:
        """Faulty, creation failed, deleted, or frozen with the account."""
        return self.code in ("300", "303", "400", "800")

    @property
    def broken(self) -> bool:
        """Faulty, or creation failed."""
        return self.code in ("300", "303")

    @property
    def deleted(self) -> bool:
        return self.code == "400"

    @property
    def in_flight(self) -> bool:
        """An upgrade or its rollback is going on, whoever started it."""
        return self.upgrading or self.rolling_back


class Project(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A project of IAM; its id belongs to one region."""

    region: str
    project_id: str


GraphKey = tuple[str, str]
"""The project id and the graph id: GES's ids are unique within a project only as far as is documented."""


class Graph(msgspec.Struct, frozen=True):
    """A graph as GES shows it. What GES left out or garbled is None.

    `addresses` are the IP addresses of its own engine, the private ones first; `https`: it takes nothing else (ges.md 2.8).
    """

    project: Project
    id: str
    name: str
    version: Version | None
    status: Status
    tags: Mapping[str, str] = {}
    enterprise_project: str | None = None
    product_type: str | None = None
    arch: str | None = None
    addresses: tuple[str, ...] = ()
    https: bool = False

    @property
    def key(self) -> GraphKey:
        return self.project.project_id, self.id


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The graphs that a release is meant for; a graph fits when it fits every list that is not empty."""

    graph_ids: tuple[str, ...] = ()
    graph_names: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GES version that was announced, with the restrictions of its announcement (smn-obs-core.md E1).

    Empty restrictions restrict nothing. `not_before` and `not_after` bound the start of upgrades to it; `soak_hours` counts
    from the first announcement that fits a graph.
    """

    version: Version
    released_at: Instant | None = None
    regions: tuple[str, ...] = ()
    product_types: tuple[str, ...] = ()
    arch: tuple[str, ...] = ()
    min_source_version: Version | None = None
    not_before: Instant | None = None
    not_after: Instant | None = None
    targets: Targets = Targets()
    severity: Severity = Severity.NORMAL
    soak_hours: float | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an upgrade and a backup of one graph have in common. `job_id` is None until it is known."""

    id: str
    project: Project
    graph_id: str
    graph: str
    rule: str
    to_version: Version
    began_at: Instant
    job_id: str | None = None

    @property
    def key(self) -> GraphKey:
        return self.project.project_id, self.graph_id


class Attempt(Operation, frozen=True, kw_only=True):
    """One upgrade of one graph, from the intent to its end.

    `adopted`: found in progress without a record of who began it, so that its target shows only when it is reached.
    `inferred`: its job was found in GES's job centre, not named by the answer to the call; `seen_in_flight`: a run saw the
    graph upgrading or rolling back. `closes`: the end of the maintenance window in which it was started. `before`: what the
    health check measured before the upgrade.
    """

    from_version: Version
    force: bool
    closes: Instant | None = None
    adopted: bool = False
    inferred: bool = False
    seen_in_flight: bool = False
    timed_out: bool = False
    verdict: Verdict | None = None
    detail: str | None = None
    ended_at: Instant | None = None
    before: tuple[Latency, ...] = ()

    @property
    def open(self) -> bool:
        return self.verdict is None

    @property
    def target(self) -> Version | None:
        """None: adopted while no later release was known."""
        return self.to_version if self.to_version > self.from_version else None


class BackupAttempt(Operation, frozen=True, kw_only=True):
    """One backup made before an upgrade, from the intent on."""


class AboutGraph(msgspec.Struct, frozen=True, kw_only=True):
    project: Project
    graph_id: str
    graph: str

    @property
    def key(self) -> GraphKey:
        return self.project.project_id, self.graph_id


class Decision(AboutGraph, frozen=True, kw_only=True):
    """What is to be done about one graph and why.

    `until` is the first instant at which the graph could start, if that is only a matter of time. `announce` is the start to
    announce beforehand, if that was not done or no longer holds.
    """

    rule: str | None
    from_version: Version | None
    target: Version | None
    action: Action
    reason: Reason
    until: datetime | None = None
    job_id: str | None = None
    announce: datetime | None = None


class Start(AboutGraph, frozen=True, kw_only=True):
    """A start that is due: of an upgrade, or of the backup that must come first.

    `start_before` is the instant from which the start is no longer within the policy; `closes` is the end of the window that
    is open. Both are far in the future if there is none.
    """

    action: Action
    rule: str
    from_version: Version
    to_version: Version
    force: bool
    start_before: datetime
    closes: datetime

    def attempt(self, identity: str, began_at: datetime) -> Attempt:
        """The upgrade that begins with this start."""
        return Attempt(
            id=identity,
            project=self.project,
            graph_id=self.graph_id,
            graph=self.graph,
            rule=self.rule,
            from_version=self.from_version,
            to_version=self.to_version,
            force=self.force,
            began_at=began_at,
            closes=self.closes if self.closes < FAR else None,
        )
