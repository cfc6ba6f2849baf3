"""Why the newest releases are not what a graph is upgraded to. Pure.

Worked out only for those who look: planning asks whether a release fits, and needs no words for why not.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from itertools import islice

from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.model import Graph, Reason, Release
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.domain.version import Version
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.releases import Candidate, KnownRelease, Offer, old_enough, reaches, ready, targeted
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import Rule
from ges_upgrader.schedule.calendars import FOREVER

MOST_RELEASES = 5


def rejected_releases(survey: Survey, one: Governed, offered: Offer) -> list[str]:
    """A sentence on each release newer than the one that is offered, the newest first.

    If none is offered, on each that is newer than the graph; if there is none of those either, on each that is known, unless
    the graph is just up to date.
    """
    rejected = _newer(survey, one, offered)
    if not rejected and offered.nothing is Reason.NO_RELEASE:
        rejected = survey.all_known
    sentences = [f"{known.version} {' and '.join(_objections(survey, known, one))}" for known in rejected[:MOST_RELEASES]]
    left = len(rejected) - MOST_RELEASES
    return [*sentences, f"{left} more are rejected"] if left > 0 else sentences


def _newer(survey: Survey, one: Governed, offered: Offer) -> Sequence[KnownRelease]:
    """The releases newer than the one that is offered, or else than the graph."""
    floor = offered.choices[0].release.version if offered.choices else one.graph.version
    return [] if floor is None else [known for known in survey.all_known if known.version > floor]


def misfits(release: Release, graph: Graph) -> Iterator[str]:
    """What of one announcement's scope the graph does not meet: something whenever `releases.fits` says no."""
    scopes = (
        ("region", release.regions, graph.project.region),
        ("product type", release.product_types, graph.product_type),
        ("arch", release.arch, graph.arch),
    )
    for name, allowed, actual in scopes:
        if allowed and actual not in allowed:
            yield f"is only for {name} {', '.join(allowed)}"
    if not targeted(release, graph):
        yield "is meant for other graphs"


def _objections(survey: Survey, known: KnownRelease, one: Governed) -> Iterator[str]:
    """Everything that speaks against the release, in the order in which the planner looks."""
    assert one.rule is not None
    if known.version in survey.history.releases.withdrawn:
        yield "is withdrawn"
        return
    candidate = known.candidate(one.graph)
    yield from _out_of_scope(known, candidate, one.graph)
    yield from _not_allowed(survey.steps[one.rule.name], known.version)
    yield from _set_aside(survey, one, known.version)
    yield from _frozen(survey.steps[one.rule.name], known.version, survey.now)
    if candidate is not None:
        yield from _untimely(one.rule, candidate, survey.now)


def _out_of_scope(known: KnownRelease, candidate: Candidate | None, graph: Graph) -> Iterator[str]:
    if graph.version is not None and known.version <= graph.version:
        yield f"is no later than the graph's {graph.version}"
    if candidate is None:
        scopes = (" and ".join(misfits(announced.release, graph)) for announced in known.announcements)
        yield ", and by another announcement ".join(scopes)
    elif not reaches(candidate.release, graph):
        yield f"is only for graphs at {candidate.release.min_source_version} or later"


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
    reasons: tuple[tuple[str, Container[Version]], ...] = (
        ("is questioned by a message", survey.history.releases.questioned),
        ("is halted under this rule", step.halted),
        ("is quarantined", step.quarantined),
        ("is set aside for this graph", step.set_aside(one.graph) if one.graph.version else ()),
    )
    yield from islice((words for words, versions in reasons if version in versions), 1)


def _frozen(step: Step, version: Version, now: datetime) -> Iterator[str]:
    until = step.calendar_of(version).frozen_until(now)
    if until is not None:
        yield f"is frozen until {iso(until)}" if until < FOREVER else "is frozen, with no end in sight"


def _untimely(rule: Rule, candidate: Candidate, now: datetime) -> Iterator[str]:
    not_before, not_after = candidate.release.not_before, candidate.release.not_after
    aged = old_enough(rule, candidate)
    if not_before is not None and now < not_before:
        yield f"may not be started before {ceiled(not_before)}"
    if now < aged:
        yield f"is not old enough ({spelled(aged - candidate.since)}) before {ceiled(aged)}"
    if not_after is not None and not_after <= max(now, ready(rule, candidate)):
        yield f"may not be started from {ceiled(not_after)} on"
