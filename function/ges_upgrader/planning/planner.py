"""Policy, fleet, history and the time, to one decision for every graph. Pure; the heart."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from itertools import chain
from typing import Union

import msgspec

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Decision, Reason, Start
from ges_upgrader.domain.timestamps import FAR
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import FellBehind, Verified
from ges_upgrader.planning.budget import Budget, Occupied
from ges_upgrader.planning.gates import GATES, Case
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.releases import Choice, Offer
from ges_upgrader.planning.survey import Block, Survey, survey_of
from ges_upgrader.policy.schema import Policy


class Plan(msgspec.Struct, frozen=True):
    """One decision for every graph, in the order in which graphs take their turns, and the starts among them.

    `budget` is what the starts leave free; `occupied` are the places that are known from the fleet alone.
    """

    decisions: tuple[Decision, ...]
    starts: tuple[Start, ...]
    budget: Budget
    occupied: Occupied


class Stale(str, Enum):
    """Why a start of a plan is not to be made."""

    CHANGED = "changed"  # the planner decides otherwise by now
    OUTDATED = "outdated"  # another run upgraded the graph since the fleet was listed


def plan(policy: Policy, fleet: Fleet, history: History, now: datetime) -> Plan:
    """The plan for a fleet."""
    return plan_of(survey_of(policy, fleet, history, now))


def plan_of(survey: Survey) -> Plan:
    """The plan under a survey."""
    occupied = Occupied.under(survey)
    budget = Budget(survey, occupied)
    decided = [decide(survey, one, budget) for one in survey.governed]
    return Plan(
        decisions=tuple(decision for decision, _ in decided),
        starts=tuple(start for _, start in decided if start is not None),
        budget=budget,
        occupied=occupied,
    )


def revalidate(start: Start, survey: Survey, occupied: Occupied) -> Union[Start, Stale]:
    """The start as it is under the history and at the instant of the survey; or why it is not to be made.

    It looks at this one graph and at the counts, so that its cost does not grow with the fleet.
    """
    one = survey.roster.by_key.get(start.key)
    if one is None:
        return Stale.CHANGED
    if not survey.roster.shows(survey.history.attempts.ended_of(start.key)):
        return Stale.OUTDATED
    _, again = decide(survey, one, Budget(survey, occupied))
    return again if again is not None and _is_same(again, start) else Stale.CHANGED


def _is_same(again: Start, start: Start) -> bool:
    return (again.action, again.to_version) == (start.action, start.to_version)


def decide(survey: Survey, one: Governed, budget: Budget) -> tuple[Decision, Start | None]:
    """The decision about one graph; if it is a start, it takes its place in the budget."""
    settled = _settled(survey, one)
    if settled is not None:
        return settled, None
    assert one.rule is not None
    offered = survey.steps[one.rule.name].offer(one.graph)
    if offered.nothing is not None:
        return _decision(one, None, Action.SKIP, offered.nothing), None
    case = case_of(survey, one, offered.choices[0])
    block = first_block(case) or _lack_of_place(case, budget)
    if block is not None:
        return _blocked(survey, one, case, block, offered), None
    start = _start(one, case)
    return _decision(one, case, start.action, Reason.DUE), start


def _lack_of_place(case: Case, budget: Budget) -> Block | None:
    """Takes a place in the budget, if there is one; else what blocks the graph."""
    taken = budget.take(case.rule, case.choice.release.version)
    return None if taken else Block(Action.WAIT, Reason.MAX_CONCURRENT)


def case_of(survey: Survey, one: Governed, choice: Choice) -> Case:
    """The graph and the release before the gates."""
    assert one.rule is not None
    step = survey.steps[one.rule.name]
    return Case(one.graph, choice, step, survey.policy, survey.history, one.place if one.rule.spread else 0.0, survey.now)


def milestones(survey: Survey) -> list[Verified | FellBehind]:
    """What is not recorded yet of how far the rules have come that a soak counts from."""
    waited_for = chain.from_iterable(rule.after for rule in survey.policy.rules if rule.soak)
    found = (_milestone(survey, name) for name in sorted(set(waited_for)))
    return list(filter(None, found))


def _milestone(survey: Survey, name: str) -> Verified | FellBehind | None:
    reached = survey.history.rollout.reached(name)
    level = min(filter(None, (one.graph.version for one in survey.steps[name].members)), default=None)
    if level is None:
        return None
    if reached and level < reached:
        return FellBehind(at=survey.now, rule=name, version=level)
    return Verified(at=survey.now, rule=name, version=level) if _has_just_arrived(survey, name, level) else None


def _has_just_arrived(survey: Survey, name: str, level: Version) -> bool:
    """Whether the whole rule soundly runs the version, and that is not recorded yet."""
    recorded = survey.history.rollout.verified_at(name, level) is not None
    return survey.complete and not survey.steps[name].behind(level) and not recorded


def first_block(case: Case) -> Block | None:
    for gate in GATES.values():
        block = gate(case)
        if block is not None:
            return block
    return None


def first_start(survey: Survey, one: Governed, offered: Offer) -> tuple[datetime, Choice] | None:
    """The first instant at which every gate lets the graph start, and to what; None: time alone will not do."""
    opened: dict[Version, datetime | None] = {}
    for choice in offered.choices:
        case, version = case_of(survey, one, choice), choice.release.version
        if version not in opened:  # its first choice begins first
            opened[version] = _gates_open_at(case)
        at = opened[version]
        start = _first_opening(case, at) if at is not None and at < choice.ends else None
        if start is not None and start < case.ends:
            return start, choice
    return None


def all_pass_at(case: Case) -> datetime | None:
    """The first instant at which every gate passes the case, if it lasts until then; None: time alone will not do."""
    at = _gates_open_at(case)
    return None if at is None else _first_opening(case, at)


def _gates_open_at(case: Case) -> datetime | None:
    """The instant at which the last of the gates that block now no longer does; None: time alone will not do."""
    blocks = list(filter(None, (gate(case) for gate in GATES.values())))
    if any(block.until is None for block in blocks):
        return None
    return max([case.now, *filter(None, (block.until for block in blocks))])


def _first_opening(case: Case, at: datetime) -> datetime | None:
    """The first instant, not before `at`, that windows and freezes leave for the case."""
    opening = case.opening(max(at, case.choice.begins))
    return opening.start if opening else None


def _settled(survey: Survey, one: Governed) -> Decision | None:
    """The decision about a graph whose releases need no look."""
    return _attempted(survey, one) or _left_out(one) or _busy(survey, one) or _unworkable(survey, one)


def _attempted(survey: Survey, one: Governed) -> Decision | None:
    attempt = survey.history.attempts.open_of(one.graph.key)
    if attempt is None:
        return None
    upgrading = _decision(one, None, Action.WAIT, Reason.UPGRADING)
    return msgspec.structs.replace(upgrading, from_version=attempt.from_version, target=attempt.target, job_id=attempt.job_id)


def _left_out(one: Governed) -> Decision | None:
    if one.opted_out:
        return _decision(one, None, Action.SKIP, Reason.OPTED_OUT)
    return _decision(one, None, Action.SKIP, Reason.NO_RULE) if one.rule is None else None


def _busy(survey: Survey, one: Governed) -> Decision | None:
    """The decision about a graph that another operator upgrades, or that is being backed up."""
    if one.graph.status.in_flight:
        return _decision(one, None, Action.WAIT, Reason.UPGRADING)
    backup = survey.history.backups.open_of(one.graph.key)
    if backup is None:
        return None
    backing_up = _decision(one, None, Action.WAIT, Reason.BACKING_UP)
    return msgspec.structs.replace(backing_up, target=backup.to_version, job_id=backup.job_id)


def _unworkable(survey: Survey, one: Governed) -> Decision | None:
    """The decision about a graph of which too little is known."""
    history = survey.history
    assert one.rule is not None
    if not history.readable or history.controls.damaged(one.rule.name, one.graph.id, survey.steps):
        return _decision(one, None, Action.BLOCKED, Reason.STATE_UNAVAILABLE)
    return _decision(one, None, Action.BLOCKED, Reason.REFUSED) if one.graph.version is None else None


def _start(one: Governed, case: Case) -> Start:
    """The start of a graph that every gate passes: of the backup first, if the rule requires one and none is fresh."""
    opening = case.opening(case.now)
    assert opening is not None and one.graph.version is not None  # or a gate had blocked it
    backed_up_until = _backed_up_until(case)
    return Start(
        action=Action.UPGRADE if backed_up_until else Action.BACKUP,
        project=one.graph.project,
        graph_id=one.graph.id,
        graph=one.graph.name,
        rule=case.rule.name,
        from_version=one.graph.version,
        to_version=case.choice.release.version,
        force=_is_forced(case),
        start_before=min(case.ends, opening.before, backed_up_until or FAR),
        closes=opening.closes or FAR,
    )


def _backed_up_until(case: Case) -> datetime | None:
    """Until when the backup serves that there is, and always if none is required; None: a backup comes first."""
    expires = case.backup_expires if case.rule.backup == "required" else FAR
    return expires if expires is not None and case.now < expires else None


def _is_forced(case: Case) -> bool:
    forced_from = case.forced_from
    return forced_from is not None and forced_from <= case.now


def _blocked(survey: Survey, one: Governed, case: Case, block: Block, offered: Offer) -> Decision:
    start = first_start(survey, one, offered)
    blocked = _decision(one, case, block.action, block.reason)
    if start is None:
        return blocked
    when, choice = start
    if block.reason is not Reason.MAX_CONCURRENT:  # how long others take is unknown
        blocked = msgspec.structs.replace(blocked, until=when, target=choice.release.version)
    announce = survey.history.outbox.to_announce(one.graph.id, choice.release.version, when, survey.now)
    return msgspec.structs.replace(blocked, announce=when) if announce else blocked


def _decision(one: Governed, case: Case | None, action: Action, reason: Reason) -> Decision:
    graph = one.graph
    return Decision(
        project=graph.project,
        graph_id=graph.id,
        graph=graph.name,
        rule=one.rule.name if one.rule else None,
        from_version=graph.version,
        target=case.choice.release.version if case else None,
        action=action,
        reason=reason,
    )
