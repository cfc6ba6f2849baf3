"""What a policy is made of (interface.md, Policy); made from text by `parsing.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ges_upgrader.domain.duration import Duration, Latency, Lifetime, spelled
from ges_upgrader.domain.model import Release
from ges_upgrader.domain.version import Version
from ges_upgrader.policy.decoding import Strict
from ges_upgrader.policy.fields import Ages, Cutoff, Force, Globs, Instant, Share, State, Tags, Topic, Versions
from ges_upgrader.policy.freezes import Freeze
from ges_upgrader.schedule.cron import Timer
from ges_upgrader.schedule.windows import Window

_REGION = r"^[a-z0-9]+(-[a-z0-9]+)*(?!\n)$"
_PROJECT_ID = r"^[A-Za-z0-9]{1,64}(?!\n)$"

Outcome = Literal["succeeded", "failed", "rolled-back", "version-unchanged", "timed-out", "vanished", "unhealthy"]
BlockedKind = Literal[
    "awaiting-approval",
    "available",
    "refused",
    "halted",
    "too-many",
    "backup-failed",
    "stalled",
    "overdue",
    "set-aside",
    "unhealthy-before",
]
AlwaysSent = Literal[
    "blind", "recovered", "policy-refused", "damaged", "journal-started", "unclear", "timer-mistake", "test", "planned"
]
OtherKind = Literal["started", "blocked", "overrun", "policy-warning", "not-handed-over", "backup-slow", "rollback-ending"]
Kind = Union[Outcome, BlockedKind, AlwaysSent, OtherKind]
SENT_BY_DEFAULT: tuple[Kind, ...] = (
    *("succeeded", "failed", "blocked", "overrun"),
    *("policy-warning", "not-handed-over", "backup-slow", "rollback-ending"),
)
Glob = Annotated[Globs, Meta(description="a text, in which * and ? stand for any text and any character, or a list of such")]
Whole = Annotated[int, Meta(ge=1, description="a whole number from 1")]
Length = Annotated[Duration, Meta(description="a duration, as 90m, 36h or 7d")]
Lasting = Annotated[Lifetime, Meta(description="a duration longer than zero, as 24h")]
Limit = Annotated[Share, Meta(description="a whole number from 1, or a part, as 10%")]


class Notify(Strict, frozen=True):
    """Who is notified of what: kinds of notices, and outcomes.

    `failed` stands for every outcome but `succeeded`, `blocked` for the kinds that need an operator. A message of kind
    `planned` exists only if the rule has a `notice` or `on` asks for it; what is made is sent.
    """

    topic: Annotated[Topic, Meta(description="the URN of a topic")]
    on: Annotated[
        tuple[Kind, ...],
        Meta(description="a list of kinds of notices and of outcomes, as [started, succeeded, failed, blocked]"),
    ] = SENT_BY_DEFAULT

    def wants_notice(self, kind: str) -> bool:
        return kind in get_args(AlwaysSent) or kind in self.on or ("blocked" in self.on and kind in get_args(BlockedKind))

    def wants_outcome(self, outcome: str) -> bool:
        return outcome in self.on or ("failed" in self.on and outcome != "succeeded")


class KnownRelease(Strict, frozen=True):
    version: Annotated[Version, Meta(description="a version, as 2.4.15")]
    released_at: Annotated[Instant | None, Meta(description="a date or an instant")] = None

    @property
    def release(self) -> Release:
        return Release(self.version, self.released_at.at if self.released_at else None)


class PolicyProject(Strict, frozen=True):
    region: Annotated[str, Meta(pattern=_REGION, description="a region, as cn-north-4")]
    project_id: Annotated[str, Meta(pattern=_PROJECT_ID, description="the id of a project, letters and digits")]


Cypher = Annotated[str, Meta(min_length=1, max_length=10_000, description="a statement of Cypher that reads")]
Rows = Annotated[Union[list[list[Any]], None], Meta(description="the rows that it must give, as [[42]]")]


class Statement(Strict, frozen=True):
    """A statement that a health check measures before the upgrade and after it."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="a name, as count")]
    cypher: Cypher
    rows: Rows = None
    max_latency: Annotated[Latency, Meta(description="a duration, as 500ms or 2s")] | None = None


class HealthCheck(Strict, frozen=True):
    """What is asked of a graph's engine besides its version and its summary (ges.md 2.8).

    `cypher` is asked after the upgrade. `statements` are measured before it as well, and must not have become slower than
    `max_growth` times.
    """

    cypher: Cypher | None = None
    rows: Rows = None
    statements: Annotated[
        tuple[Statement, ...],
        Meta(min_length=1, max_length=10, description="a list of 1 to 10 {name, cypher, rows, max_latency}"),
    ] = ()
    max_growth: Annotated[float, Meta(ge=1, description="a number from 1 on, as 1.5")] = 1.5


class Match(Strict, frozen=True):
    """What a graph must be like to be governed by the rule: all that is given. Nothing given: every graph."""

    name: Glob | None = None
    id: Glob | None = None
    tags: Annotated[Tags | None, Meta(description="tags and their values, as {env: prod}")] = None
    region: Glob | None = None
    project_id: Glob | None = None
    enterprise_project: Glob | None = None
    product_type: Glob | None = None


class Rule(Strict, frozen=True):
    """One step of the rollout, and how it is taken."""

    name: Annotated[str, Meta(min_length=1, description="a text")] = ""
    match: Annotated[Match, Meta(description="what a graph must be like, as {name: 'dev_*'}")] = Match()
    mode: Annotated[Literal["auto", "approve", "notify"], Meta(description="auto, approve or notify")] = "auto"
    versions: Annotated[Versions | None, Meta(description="PEP 440 specifiers")] = None
    min_release_age: Annotated[Ages, Meta(description="a duration, as 7d, or {default: 7d, security: 1d}")] = msgspec.field(
        default_factory=partial(Ages, "0d")
    )
    notice: Length = msgspec.field(default_factory=partial(Duration))
    windows: Annotated[
        tuple[Window, ...],
        Meta(min_length=1, description="a list of windows, as `Sat,Sun 02:00-06:00 Asia/Shanghai`, or always"),
    ] = ()
    cutoff: Annotated[Cutoff, Meta(description="a duration, as 30m, or auto")] = msgspec.field(
        default_factory=partial(Cutoff, "30m")
    )
    spread: Length = msgspec.field(default_factory=partial(Duration))
    after: Annotated[tuple[str, ...], Meta(description="a list of names of rules")] = ()
    soak: Length = msgspec.field(default_factory=partial(Duration))
    max_graphs: Whole | None = None
    max_concurrent: Limit = msgspec.field(default_factory=partial(Share, 1))
    max_failures: Limit = msgspec.field(default_factory=partial(Share, 1))
    approval_lifetime: Lasting = msgspec.field(default_factory=partial(Lifetime, days=14))
    backup: Annotated[Literal["none", "required"], Meta(description="none or required")] = "none"
    backup_max_age: Lasting = msgspec.field(default_factory=partial(Lifetime, hours=24))
    backup_keep: Annotated[int, Meta(ge=1, le=10, description="a whole number from 1 to 10")] | None = None
    force: Annotated[Force, Meta(description="never, always or {after: 24h}")] = msgspec.field(
        default_factory=partial(Force, "never")
    )
    job_timeout: Length = msgspec.field(default_factory=partial(Duration, hours=2))
    overdue: Lasting | None = None
    health_check: Annotated[Union[HealthCheck, bool], Meta(description="true, {cypher, rows}, or {statements, max_growth}")] = (
        False
    )

    @property
    def needing_memory(self) -> Iterator[str]:
        """The fields with which something that one run learned must still be known in a later one."""
        needing = {
            "windows": any(window.recurrence is not None for window in self.windows),
            "min_release_age": self.min_release_age,
            "notice": self.notice,
            "soak": self.soak,
            "after": self.after,
            "mode: approve": self.mode == "approve",
            "backup": self.backup == "required",
            "overdue": self.overdue,
        }
        return (name for name, needs in needing.items() if needs)


class Policy(Strict, frozen=True):
    """The effective policy: what the operator wrote, with the defaults in their places."""

    version: Annotated[Literal[1], Meta(description="1")] = 1
    enabled: Annotated[bool, Meta(description="true or false")] = True
    notify: Annotated[Notify | UnsetType, Meta(description="a topic's URN, or {topic, on}")] = UNSET
    state: Annotated[State, Meta(description="none, obs://bucket/prefix or file:///path")] = msgspec.field(
        default_factory=partial(State, "none", given=False)
    )
    release_topics: Annotated[tuple[Topic, ...] | None, Meta(description="a list of topic URNs")] = None
    releases: Annotated[tuple[KnownRelease, ...], Meta(description="a list of {version, released_at}")] = ()
    trust_released_at: Annotated[bool, Meta(description="true or false")] = False
    projects: Annotated[tuple[PolicyProject, ...], Meta(min_length=1, description="a list of {region, project_id}")] = ()
    api: Annotated[Literal["auto", "v2", "v1.0"], Meta(description="auto, v2 or v1.0")] = "auto"
    max_concurrent: Limit | None = None
    journal_keep: Length = msgspec.field(default_factory=partial(Duration, days=180))
    follow_up: Annotated[Literal["timer", "invoke"], Meta(description="timer or invoke")] = "timer"
    timers: Annotated[tuple[Timer, ...], Meta(description="a list of the function's timers, as `0 15 2 * * ?` or 30m")] = ()
    freezes: Annotated[
        tuple[Freeze, ...],
        Meta(description="a list of {from, until, …}, or {when, …}"),
    ] = ()
    alert_after: Lasting = msgspec.field(default_factory=partial(Lifetime, hours=2))
    tests: Annotated[
        Union[list[Any], dict[str, Any]], Meta(description="the policy's own tests, which the function ignores")
    ] = msgspec.field(default_factory=list)
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, description="a list of rules, as [{windows: [...]}]")] = ()

    @property
    def outlet(self) -> Notify:
        """`notify`, which every accepted policy has."""
        assert self.notify is not UNSET
        return self.notify

    @property
    def rules_by_name(self) -> dict[str, Rule]:
        return {rule.name: rule for rule in self.rules}

    @property
    def memory(self) -> timedelta:
        """How long what is over is remembered: `journal_keep`, and as long as any rule looks back."""
        looks = (max(rule.soak, rule.notice, rule.approval_lifetime, rule.backup_max_age) for rule in self.rules)
        return max(self.journal_keep, *looks)

    def needing_memory(self, rule: Rule) -> list[str]:
        """The rule's fields, and the freezes, with which what one run learned must still be known in a later one."""
        return [*rule.needing_memory, *(["freezes"] if any(freeze.holds(rule.name) for freeze in self.freezes) else [])]

    def freezes_of(self, rule: str, version: Version | None = None) -> list[Freeze]:
        """The freezes of a rule; those of them that let no upgrade to the version start, if one is given."""
        return [freeze for freeze in self.freezes if freeze.holds(rule, version)]


def fingerprint(policy: Policy) -> str:
    """The first 12 hex digits of the SHA-256 of the effective policy; its spelling and its `tests` do not matter."""
    canonical = msgspec.json.encode(msgspec.structs.replace(policy, tests=[]), enc_hook=plain_value, order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:12]


def plain(policy: Policy) -> dict[str, Any]:
    """The effective policy in plain data."""
    return dict(msgspec.to_builtins(policy, enc_hook=plain_value, str_keys=True))


def plain_value(value: Any) -> Any:
    """The plain form of a value of one of our own kinds."""
    if isinstance(value, timedelta):
        return spelled(value)
    if isinstance(value, datetime):
        return value.isoformat()
    for name in ("urn", "text"):
        if hasattr(value, name):
            return getattr(value, name)
    raise TypeError(f"no plain form of {type(value)}")
