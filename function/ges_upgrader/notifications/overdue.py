"""Notices about graphs that have been behind a release for longer than their rule's `overdue`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.model import Action, Decision, Graph, Reason
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.naming import count_of, names_of
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.planning.releases import Candidate
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import Rule

AGAIN_AFTER = timedelta(days=30)
_MOVES = (Action.UPGRADE, Action.BACKUP)
_MOVING = (Reason.UPGRADING, Reason.BACKING_UP)


def overdue_notices(survey: Survey, decisions: Sequence[Decision]) -> list[Noticed]:
    """The notices that are due: one for each rule and each release that graphs have lacked for the longest."""
    at_rest = {one.key: one for one in decisions if one.action not in _MOVES and one.reason not in _MOVING}
    return [notice for rule in survey.policy.rules if rule.overdue for notice in _of_rule(survey, rule, rule.overdue, at_rest)]


def _of_rule(survey: Survey, rule: Rule, overdue: timedelta, at_rest: dict[tuple[str, str], Decision]) -> Iterator[Noticed]:
    step, now = survey.steps[rule.name], survey.now
    groups: dict[Version, list[tuple[datetime, Decision]]] = {}
    for graph in (one.graph for one in step.members if one.graph.key in at_rest):
        missed = longest_missed(step, graph)
        if missed is not None and missed.since + overdue <= now:
            groups.setdefault(missed.release.version, []).append((missed.since, at_rest[graph.key]))
    for version, group in groups.items():
        about = f"overdue:{rule.name}:{version}"
        last = survey.history.outbox.last_noticed(about)
        if last is None or last + AGAIN_AFTER <= now:
            yield _notice(about, rule, version, group, now)


def longest_missed(step: Step, graph: Graph) -> Candidate | None:
    """The release that the graph could have had for the longest: its rule allows it, and it is not set aside for the graph."""
    if graph.version is None:
        return None
    excluded = step.set_aside(graph)
    missed = (one for one in step.offer(graph).allowed if one.release.version not in excluded)
    return min(missed, key=lambda one: one.since, default=None)


def _notice(about: str, rule: Rule, version: Version, group: Sequence[tuple[datetime, Decision]], now: datetime) -> Noticed:
    graphs = [decision for _, decision in group]
    reasons = Counter(decision.reason.value for decision in graphs)
    assert rule.overdue is not None
    return noticed(
        "overdue",
        f"{about}:{now:%Y-%m-%d}",
        now,
        rule=rule.name,
        version=version,
        graphs=tuple(one.graph_id for one in graphs),
        count=count_of(graphs),
        since=iso(min(since for since, _ in group)),
        overdue=spelled(rule.overdue),
        reasons=", ".join(f"{reason} ({times})" for reason, times in reasons.most_common()),
        plan=command("plan", rule=rule.name),
        names=names_of(graphs),
    )
