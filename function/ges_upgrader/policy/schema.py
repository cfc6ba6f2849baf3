"""Policy text, YAML or JSON, to a `Policy`: strictly, and with all the errors at once (interface.md, Policy).

A policy with an error is never used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ges_upgrader.domain.duration import Duration, Lifetime, spelled
from ges_upgrader.domain.model import Release
from ges_upgrader.domain.version import Version
from ges_upgrader.policy.decoding import Strict, decode
from ges_upgrader.policy.fields import Ages, Cutoff, Force, Instant, Moment, Share, State, Tags, Topic, Versions
from ges_upgrader.policy.yaml_text import UnreadableText, read
from ges_upgrader.schedule.cron import Timer
from ges_upgrader.schedule.wallclock import zone
from ges_upgrader.schedule.windows import HORIZON, Window, why_never

_REGION = r"^[a-z0-9]+(-[a-z0-9]+)*(?!\n)$"
_PROJECT_ID = r"^[A-Za-z0-9]{1,64}(?!\n)$"

Kind = Literal["planned", "started", "succeeded", "failed", "blocked", "overrun"]
TOLD_BY_DEFAULT: tuple[Kind, ...] = ("succeeded", "failed", "blocked", "overrun")
Glob = Annotated[str, Meta(min_length=1, description="a text, in which * and ? stand for any text and any character")]
Whole = Annotated[int, Meta(ge=1, description="a whole number from 1")]
Length = Annotated[Duration, Meta(description="a duration, as 90m, 36h or 7d")]
Lasting = Annotated[Lifetime, Meta(description="a duration of more than nothing, as 24h")]
Limit = Annotated[Share, Meta(description="a whole number from 1, or a part, as 10%")]


class PolicyError(Exception):
    """The policy cannot be used. `problems` says for each error where, what was found and what is accepted."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Notify(Strict, frozen=True):
    """Who is told of what. The message of a rule's `notice` is sent whatever `on` says."""

    topic: Annotated[Topic, Meta(description="the URN of a topic")]
    on: Annotated[tuple[Kind, ...], Meta(description="a list of planned, started, succeeded, failed, blocked and overrun")] = (
        TOLD_BY_DEFAULT
    )


class KnownRelease(Strict, frozen=True):
    version: Annotated[Version, Meta(description="a version, as 2.4.15")]
    released_at: Annotated[Instant | None, Meta(description="a date or an instant")] = None

    @property
    def release(self) -> Release:
        return Release(self.version, self.released_at.at if self.released_at else None)


class PolicyProject(Strict, frozen=True):
    region: Annotated[str, Meta(pattern=_REGION, description="a region, as cn-north-4")]
    project_id: Annotated[str, Meta(pattern=_PROJECT_ID, description="the id of a project, letters and digits")]


class Freeze(Strict, frozen=True, rename={"begins": "from"}):
    """A time in which nothing starts, whatever the windows say. A date is its first instant in `timezone`."""

    begins: Annotated[Moment, Meta(description="a date, or a date and time")]
    until: Annotated[Moment, Meta(description="a date, which is its first instant, or a date and time")]
    timezone: Annotated[str, Meta(description="an IANA time zone, as Asia/Shanghai")] = "UTC"
    reason: Annotated[str, Meta(description="a text")] = ""
    rules: Annotated[tuple[str, ...], Meta(min_length=1, description="a list of names of rules")] | None = None

    @property
    def period(self) -> tuple[datetime, datetime]:
        where = zone(self.timezone)
        return self.begins.at(where), self.until.at(where, last=True)

    def holds(self, rule: str) -> bool:
        return self.rules is None or rule in self.rules


class HealthCheck(Strict, frozen=True):
    """What is asked of a graph's engine after its upgrade, besides its version and its summary (ges.md 2.8)."""

    cypher: Annotated[str, Meta(min_length=1, description="a statement of Cypher that reads")] | None = None
    rows: Annotated[list[list[Any]] | None, Meta(description="the rows that it must give, as [[42]]")] = None


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
    health_check: Annotated[Union[HealthCheck, bool], Meta(description="true, or {cypher, rows}")] = False


class Policy(Strict, frozen=True):
    """The effective policy: what the operator wrote, with the defaults in their places."""

    version: Annotated[Literal[1], Meta(description="1")] = 1
    enabled: Annotated[bool, Meta(description="true or false")] = True
    notify: Annotated[Notify | UnsetType, Meta(description="a topic's URN, or {topic, on}")] = UNSET
    state: Annotated[State, Meta(description="none, obs://bucket/prefix or file:///path")] = msgspec.field(
        default_factory=partial(State, "none")
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
    freezes: Annotated[tuple[Freeze, ...], Meta(description="a list of {from, until, timezone, reason, rules}")] = ()
    rules: Annotated[
        tuple[Rule, ...], Meta(min_length=1, description="a list of rules, one at least, as [{windows: [...]}]")
    ] = ()

    @property
    def outlet(self) -> Notify:
        """`notify`, which every accepted policy has."""
        assert self.notify is not UNSET
        return self.notify

    @property
    def memory(self) -> timedelta:
        """How long what is over is remembered: `journal_keep`, and as long as any rule looks back."""
        looks = (max(rule.soak, rule.notice, rule.approval_lifetime, rule.backup_max_age) for rule in self.rules)
        return max(self.journal_keep, *looks)

    def frozen(self, rule: str) -> list[tuple[datetime, datetime]]:
        """The freezes of a rule, as instants."""
        return [freeze.period for freeze in self.freezes if freeze.holds(rule)]


def parse_policy(text: str, now: datetime) -> Policy:
    """The policy in `text`. Raises PolicyError with every problem found.

    A rule that could start nothing within 400 days of `now` is one.
    """
    try:
        raw = read(text)
    except UnreadableText as error:
        raise PolicyError([f"the policy cannot be read as YAML or JSON: {error}"]) from None
    if isinstance(raw, dict):
        for name in ("notify", "rules"):
            if raw.get(name, name) is None:
                del raw[name]
        if "notify" in raw and not isinstance(raw["notify"], dict):
            raw["notify"] = {"topic": raw["notify"]}
        for rule in raw["rules"] if isinstance(raw.get("rules"), list) else ():
            if isinstance(rule, dict) and rule.get("windows") == "always":
                rule["windows"] = ["always"]
    policy, problems, rule_numbers = decode(raw, Policy)
    if policy is not None:
        policy = _effective(policy)
        problems += _contradictions(policy, rule_numbers, tuple(problems), now)
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def fingerprint(policy: Policy) -> str:
    """The first 12 hex digits of the SHA-256 of the effective policy; its spelling does not matter."""
    canonical = msgspec.json.encode(policy, enc_hook=_plain, order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:12]


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return spelled(value)
    if isinstance(value, datetime):
        return value.isoformat()
    for name in ("urn", "text"):
        if hasattr(value, name):
            return getattr(value, name)
    raise TypeError(f"no plain form of {type(value)}")


def _effective(policy: Policy) -> Policy:
    """The policy with the names filled in that depend on a rule's place."""
    rules = (msgspec.structs.replace(rule, name=rule.name or f"rule-{number}") for number, rule in enumerate(policy.rules, 1))
    return msgspec.structs.replace(policy, rules=tuple(rules))


def _contradictions(policy: Policy, numbers: list[int], problems: tuple[str, ...], now: datetime) -> Iterator[str]:
    """What is wrong between fields, each of which may be right by itself."""
    if policy.notify is UNSET and not any(problem.startswith("notify") for problem in problems):
        yield "notify: missing; expected the URN of the topic that is told what happened"
    if not policy.rules and not any(problem.startswith("rules") for problem in problems):
        yield "rules: missing; expected at least one rule, as [{windows: [...]}]"
    if policy.notify is not UNSET:
        for number, topic in enumerate(policy.release_topics or ()):
            if topic.urn == policy.notify.topic.urn:
                yield f"release_topics[{number}]: is also the topic of notify; results would come back as releases"
    names = [rule.name for rule in policy.rules]
    all_named = not any(re.match(r"rules(\[\d+\](\.name)?)?:", problem) for problem in problems)
    known = f"; accepted are {', '.join(names)}"
    for number, freeze in enumerate(policy.freezes):
        try:
            if freeze.period[1] <= freeze.period[0]:
                written = f"{freeze.until.text} is not after {freeze.begins.text}"
                yield f"freezes[{number}].until: {written}; the freeze would be empty"
        except ValueError as error:
            yield f"freezes[{number}].timezone: {error}"
        for name in freeze.rules or ():
            if all_named and name not in names:
                yield f"freezes[{number}].rules: {name!r} is no rule{known}"
    for number, (place, rule) in enumerate(zip(numbers, policy.rules)):
        if rule.name in names[:number]:
            yield f"rules[{place}].name: {rule.name!r} is the name of an earlier rule"
        for name in rule.after:
            if all_named and name not in names:
                yield f"rules[{place}].after: {name!r} is no rule{known}"
        if isinstance(rule.health_check, HealthCheck) and rule.health_check.rows is not None and not rule.health_check.cypher:
            yield f"rules[{place}].health_check.rows: rows of what? They need a statement in cypher"
        if not any(problem.startswith("freezes") for problem in problems):
            yield from _never_starts(policy, rule, place, now)
    cycle = _cycle(policy)
    if cycle:
        yield f"rules: {' after '.join(cycle)}: each waits for the other; nothing could ever start"


def _never_starts(policy: Policy, rule: Rule, place: int, now: datetime) -> Iterator[str]:
    cutoff = rule.cutoff.least
    try:
        frozen = policy.frozen(rule.name)
    except ValueError:
        return
    never = why_never(rule.windows, cutoff, frozen, now)
    if never == "cutoff":
        written = rule.cutoff.text if rule.cutoff.length is not None else f"auto, at least {spelled(cutoff)},"
        yield f"rules[{place}].cutoff: {written} is as long as the windows; nothing could ever start"
    elif never == "freezes":
        yield f"rules[{place}]: the freezes leave no time within {HORIZON.days} days in which anything could start"
    elif never == "windows":
        yield f"rules[{place}].windows: no window opens within {HORIZON.days} days; nothing could ever start"


def _cycle(policy: Policy) -> list[str] | None:
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter({rule.name: rule.after for rule in policy.rules}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return None
