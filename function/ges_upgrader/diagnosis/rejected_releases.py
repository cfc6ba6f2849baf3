"""Why the newest releases are not what a graph is upgraded to. Pure.

Worked out only for who looks: planning asks whether a release fits, and needs no words for why not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.model import Graph, Reason, Release, Targets
from ges_upgrader.domain.release_merge import NOTHING
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.planner import Survey
from ges_upgrader.planning.releases import Offer, Sight, old_enough, ready, targeted
from ges_upgrader.policy.schema import Rule

MOST_RELEASES = 5


def passed_over(survey: Survey, known: Sequence[Sight], one: Governed, offered: Offer) -> list[str]:
    """A sentence on each release newer than the one that is offered, the newest first; `known` is in that order.

    Where none is offered, on each that is newer than the graph; where there is none of those either, on each that is known,
    unless the graph is just up to date.
    """
    floor = offered.choices[0].release.version if offered.choices else one.graph.version
    newer = [sight for sight in known if floor is not None and sight.release.version > floor]
    if not newer and offered.nothing is Reason.NO_RELEASE:
        newer = list(known)
    sentences = [f"{sight.release.version} {' and '.join(_objections(survey, sight, one))}" for sight in newer[:MOST_RELEASES]]
    left = len(newer) - MOST_RELEASES
    return [*sentences, f"{left} more were passed over"] if left > 0 else sentences


def misfits(release: Release, graph: Graph) -> Iterator[str]:
    """What of the announcement does not fit the graph: something wherever `choice.fits` says no."""
    if release.regions and graph.project.region not in release.regions:
        yield f"is only for {_named('region', release.regions)}"
    if release.product_types and graph.product_type not in release.product_types:
        yield f"is only for {_named('product type', release.product_types)}"
    if release.arch and graph.arch not in release.arch:
        yield f"is only for {_named('arch', release.arch)}"
    least = release.min_source_version
    if least is not None and (graph.version or release.version) < least:
        yield f"is only for graphs at {least} or later"
    if release.targets != Targets() and not targeted(release, graph):
        yield "is meant for other graphs"


def _objections(survey: Survey, sight: Sight, one: Governed) -> Iterator[str]:
    assert one.rule is not None
    rule, step, version = one.rule, survey.stages[one.rule.name], sight.release.version
    if version in survey.history.releases.withdrawn:
        yield "is withdrawn"
        return
    if one.graph.version is not None and version <= one.graph.version:
        yield f"is no later than the graph's {one.graph.version}"
    yield from misfits(sight.release, one.graph)
    if rule.versions is not None and not rule.versions.allow(version):
        yield f"is not allowed by versions {rule.versions.text}"
    if version in step.halted:
        yield "is halted under this rule"
    if version in step.quarantined:
        yield "is quarantined"
    yield from _untimely(rule, sight, survey.now)


def _untimely(rule: Rule, sight: Sight, now: datetime) -> Iterator[str]:
    not_before, not_after, aged = sight.release.not_before, sight.release.not_after, old_enough(rule, sight)
    if not_before is not None and now < not_before:
        yield f"may not be started before {ceiled(not_before)}"
    if now < aged:
        yield f"is not old enough ({spelled(rule.min_release_age.of(sight.release.severity))}) before {ceiled(aged)}"
    if not_after is not None and not_after <= max(now, ready(rule, sight)):
        yield f"may not be started from {ceiled(not_after)} on"


def _named(what: str, names: tuple[str, ...]) -> str:
    return f"no {what}, as its announcements contradict each other" if names == NOTHING else f"{what} {', '.join(names)}"
