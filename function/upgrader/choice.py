"""Which release a graph would be upgraded to, now and as time goes by. Pure.

The newest that fits the graph, that the rule allows and that is old enough; chosen afresh at every run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timezone

import msgspec

from .durations import spelled
from .history import History
from .model import Graph, Reason, Release, Targets
from .policy import Policy, Rule
from .versions import Version

FAR = datetime.max.replace(tzinfo=timezone.utc)


class Sight(msgspec.Struct, frozen=True):
    """A release that is known, and from when on its age counts."""

    release: Release
    since: datetime


class Choice(msgspec.Struct, frozen=True):
    """What is chosen from `begins` up to, and not at, `ends`.

    `since` is when its age counts from. `stopped`: it failed too often, here (HALTED) or in a rule before (QUARANTINED).
    """

    release: Release
    begins: datetime
    ends: datetime
    since: datetime
    stopped: Reason | None = None


class Offer(msgspec.Struct, frozen=True):
    """The choices in the order of time, without gaps of their own; or why there is none and will be none."""

    choices: tuple[Choice, ...] = ()
    nothing: Reason | None = None
    passed_over: tuple[str, ...] = ()


def sights(policy: Policy, history: History, now: datetime) -> list[Sight]:
    """Every release that is known, the newest first. What was never written down is first seen now."""
    found: dict[Version, Sight] = {}
    for known in policy.releases:
        found[known.version] = Sight(known.release, now)
    for version, (release, at) in history.releases.items():
        dated = release.released_at or (found[version].release.released_at if version in found else None)
        found[version] = Sight(msgspec.structs.replace(release, released_at=dated), at)
    if policy.trust_released_at:
        found = {version: Sight(sight.release, sight.release.released_at or sight.since) for version, sight in found.items()}
    return sorted(
        (sight for version, sight in found.items() if version not in history.withdrawn),
        key=lambda sight: sight.release.version,
        reverse=True,
    )


def offer(
    rule: Rule,
    graph: Graph,
    known: Iterable[Sight],
    halted: Collection[Version],
    quarantined: Collection[Version],
    now: datetime,
) -> Offer:
    """What the rule offers the graph, whose version is known."""
    fitting = [sight for sight in known if fits(sight.release, graph) and now < (sight.release.not_after or FAR)]
    if not fitting:
        return Offer(nothing=Reason.NO_RELEASE)
    version = graph.version
    newer = [sight for sight in fitting if version is not None and sight.release.version > version]
    if not newer:
        return Offer(nothing=Reason.UP_TO_DATE)
    allowed = [sight for sight in newer if rule.versions is None or rule.versions.allow(sight.release.version)]
    if not allowed:
        return Offer(nothing=Reason.VERSION_NOT_ALLOWED)
    timed = [(sight, _ready(rule, sight), sight.release.not_after or FAR) for sight in allowed]
    turns = sorted({now, *(ready for _, ready, _ in timed if ready > now), *(end for _, _, end in timed if end < FAR)})
    choices = []
    for begins, ends in zip(turns, [*turns[1:], FAR]):
        usable = [sight for sight, ready, end in timed if ready <= begins < end]
        chosen = _chosen(usable, halted, quarantined)
        if chosen is not None:
            sight, stopped = chosen
            choices.append(Choice(sight.release, begins, ends, sight.since, stopped))
    if not choices:
        return Offer(nothing=Reason.NO_RELEASE)
    return Offer(tuple(choices), None, tuple(_passed_over(rule, newer, choices[0], quarantined)))


def targeted(release: Release, graph: Graph) -> bool:
    """Whether the announcement's targets name the graph."""
    targets = release.targets
    return (
        (not targets.graph_ids or graph.id in targets.graph_ids)
        and (not targets.graph_names or graph.name in targets.graph_names)
        and all(graph.tags.get(tag) == value for tag, value in targets.tags.items())
    )


def fits(release: Release, graph: Graph) -> bool:
    """A restriction on something that GES did not tell of the graph is not met: when in doubt, no."""
    return (
        (not release.regions or graph.project.region in release.regions)
        and (not release.product_types or graph.product_type in release.product_types)
        and (not release.arch or graph.arch in release.arch)
        and (release.min_source_version is None or (graph.version or release.version) >= release.min_source_version)
        and (release.targets == Targets() or targeted(release, graph))
    )


def _ready(rule: Rule, sight: Sight) -> datetime:
    try:
        old_enough = sight.since + rule.min_release_age.of(sight.release.severity)
    except OverflowError:
        return FAR
    return max(old_enough, sight.release.not_before or old_enough)


def _chosen(
    usable: list[Sight], halted: Collection[Version], quarantined: Collection[Version]
) -> tuple[Sight, Reason | None] | None:
    """The newest, where the rule is not halted at it; one that is quarantined is passed over while there is another."""
    passed: tuple[Sight, Reason | None] | None = None
    for sight in usable:
        if sight.release.version in halted:
            return sight, Reason.HALTED
        if sight.release.version not in quarantined:
            return sight, None
        passed = passed or (sight, Reason.QUARANTINED)
    return passed


def _passed_over(rule: Rule, newer: list[Sight], chosen: Choice, quarantined: Collection[Version]) -> Iterable[str]:
    for sight in newer:
        version = sight.release.version
        if version <= chosen.release.version:
            continue
        if rule.versions is not None and not rule.versions.allow(version):
            yield f"{version} is not allowed by versions {rule.versions.text}"
        elif version in quarantined:
            yield f"{version} is quarantined"
        else:
            age = rule.min_release_age.of(sight.release.severity)
            yield f"{version} is not old enough ({spelled(age)}) before {_ready(rule, sight):%Y-%m-%dT%H:%M:%SZ}"
