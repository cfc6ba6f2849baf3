"""Which release a graph would be upgraded to, now and as time goes by. Pure.

The newest that fits the graph, that the rule allows and that is old enough; chosen afresh at every run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timezone

import msgspec

from ges_upgrader.domain.model import Graph, Reason, Release, Targets
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.policy.schema import Policy, Rule

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


def sights(policy: Policy, history: History, now: datetime) -> list[Sight]:
    """Every release that may be chosen, the newest first."""
    return [sight for sight in seen(policy, history, now) if sight.release.version not in history.releases.withdrawn]


def seen(policy: Policy, history: History, now: datetime) -> list[Sight]:
    """Every release that is known, withdrawn ones too, the newest first. What was never written down is first seen now."""
    found: dict[Version, Sight] = {}
    for known in policy.releases:
        found[known.version] = Sight(known.release, now)
    for version, (release, at) in history.releases.known.items():
        dated = release.released_at or (found[version].release.released_at if version in found else None)
        found[version] = Sight(msgspec.structs.replace(release, released_at=dated), at)
    if policy.trust_released_at:
        found = {version: Sight(sight.release, sight.release.released_at or sight.since) for version, sight in found.items()}
    return sorted(found.values(), key=lambda sight: sight.release.version, reverse=True)


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
    timed = [(sight, ready(rule, sight), sight.release.not_after or FAR) for sight in allowed]
    turns = sorted({now, *(first for _, first, _ in timed if first > now), *(end for _, _, end in timed if end < FAR)})
    choices = []
    for begins, ends in zip(turns, [*turns[1:], FAR]):
        usable = [sight for sight, first, end in timed if first <= begins < end]
        chosen = _chosen(usable, halted, quarantined)
        if chosen is not None:
            sight, stopped = chosen
            choices.append(Choice(sight.release, begins, ends, sight.since, stopped))
    if not choices:
        return Offer(nothing=Reason.NO_RELEASE)
    return Offer(tuple(choices))


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


def old_enough(rule: Rule, sight: Sight) -> datetime:
    """From when on the release is as old as the rule wants it."""
    try:
        return sight.since + rule.min_release_age.of(sight.release.severity)
    except OverflowError:
        return FAR


def ready(rule: Rule, sight: Sight) -> datetime:
    """From when on the release may be chosen, by its age and by its announcement."""
    aged = old_enough(rule, sight)
    return max(aged, sight.release.not_before or aged)


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
