"""Why the newest releases are not what a graph is upgraded to. Pure.

Worked out only for those who look: planning asks whether a release fits, and needs no words for why not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.model import Graph, Reason, Release
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.domain.version import Version
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.releases import Candidate, KnownRelease, Offer, old_enough, reaches, ready, targeted
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import Rule

MOST_RELEASES = 5


def rejected_releases(survey: Survey, one: Governed, offered: Offer) -> list[str]:
    """A sentence on each release newer than the one that is offered, the newest first.

    If none is offered, on each that is newer than the graph; if there is none of those either, on each that is known, unless
    the graph is just up to date.
    """
    floor = offered.choices[0].release.version if offered.choices else one.graph.version
    newer = [known for known in survey.all_known if floor is not None and known.version > floor]
    if not newer and offered.nothing is Reason.NO_RELEASE:
        newer = list(survey.all_known)
    sentences = [f"{known.version} {' and '.join(_objections(survey, known, one))}" for known in newer[:MOST_RELEASES]]
    left = len(newer) - MOST_RELEASES
    return [*sentences, f"{left} more are rejected"] if left > 0 else sentences


def misfits(release: Release, graph: Graph) -> Iterator[str]:
    """What of one announcement's scope the graph does not meet: something whenever `releases.fits` says no."""
    if release.regions and graph.project.region not in release.regions:
        yield f"is only for region {', '.join(release.regions)}"
    if release.product_types and graph.product_type not in release.product_types:
        yield f"is only for product type {', '.join(release.product_types)}"
    if release.arch and graph.arch not in release.arch:
        yield f"is only for arch {', '.join(release.arch)}"
    if not targeted(release, graph):
        yield "is meant for other graphs"


def _objections(survey: Survey, known: KnownRelease, one: Governed) -> Iterator[str]:
    """Everything that speaks against the release, in the order in which the planner looks."""
    assert one.rule is not None
    if known.version in survey.history.releases.withdrawn:
        yield "is withdrawn"
        return
    if one.graph.version is not None and known.version <= one.graph.version:
        yield f"is no later than the graph's {one.graph.version}"
    candidate = known.candidate(one.graph)
    if candidate is None:
        scopes = (" and ".join(misfits(announced.release, one.graph)) for announced in known.announcements)
        yield ", and by another announcement ".join(scopes)
    elif not reaches(candidate.release, one.graph):
        yield f"is only for graphs at {candidate.release.min_source_version} or later"
    yield from _not_allowed(survey.steps[one.rule.name], known.version)
    yield from _set_aside(survey, one, known.version)
    if candidate is not None:
        yield from _untimely(one.rule, candidate, survey.now)


def _not_allowed(step: Step, version: Version) -> Iterator[str]:
    versions = step.rule.versions
    if versions is not None and not versions.allow(version):
        yield f"is not allowed by versions {versions.text}"
    if version.major > step.highest_major:
        yield f"raises the major version above {step.highest_major}, which only an operator may"


def _set_aside(survey: Survey, one: Governed, version: Version) -> Iterator[str]:
    """The first of what keeps everybody, the rule, or this graph from the version."""
    assert one.rule is not None
    step = survey.steps[one.rule.name]
    if version in survey.history.releases.questioned:
        yield "is questioned by a message"
    elif version in step.halted:
        yield "is halted under this rule"
    elif version in step.quarantined:
        yield "is quarantined"
    elif one.graph.version is not None and version in step.set_aside(one.graph):
        yield "is set aside for this graph"


def _untimely(rule: Rule, candidate: Candidate, now: datetime) -> Iterator[str]:
    not_before, not_after = candidate.release.not_before, candidate.release.not_after
    aged = old_enough(rule, candidate)
    if not_before is not None and now < not_before:
        yield f"may not be started before {ceiled(not_before)}"
    if now < aged:
        yield f"is not old enough ({spelled(aged - candidate.since)}) before {ceiled(aged)}"
    if not_after is not None and not_after <= max(now, ready(rule, candidate)):
        yield f"may not be started from {ceiled(not_after)} on"
