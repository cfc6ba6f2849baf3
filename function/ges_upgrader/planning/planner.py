"""Policy, fleet, history and the time, to one decision for every graph. Pure; the heart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from ges_upgrader.domain.model import Action, Attempt, Decision, Graph, Reason, Targets
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import FellBehind, Paused, Verified
from ges_upgrader.planning.budget import Budget
from ges_upgrader.planning.gates import GATES, Case, Hold
from ges_upgrader.planning.matching import Governed, govern
from ges_upgrader.planning.releases import FAR, Choice, Offer, Sight, sights
from ges_upgrader.planning.steps import Step
from ges_upgrader.policy.schema import Policy
from ges_upgrader.schedule.windows import Calendar


def plan(
    policy: Policy, fleet: Iterable[Graph], history: History, now: datetime, complete: bool = True
) -> tuple[Decision, ...]:
    """One decision for every graph, in the order in which graphs take their turns.

    Not `complete`: some project could not be listed, so that nobody knows whether a rule's graphs are all there.
    """
    return Survey(policy, govern(policy.rules, fleet), history, now, complete).decisions()


class Survey:
    """A fleet under a policy at an instant: all that decisions about single graphs have in common."""

    def __init__(
        self,
        policy: Policy,
        governed: Sequence[Governed],
        history: History,
        now: datetime,
        complete: bool = True,
        calendars: dict[str, Calendar] | None = None,
    ) -> None:
        """`calendars` of an earlier instant may be used again where only time has passed."""
        self.policy, self.governed, self.history, self.now, self.complete = policy, governed, history, now, complete
        self.calendars = {} if calendars is None else calendars
        self.known: list[Sight] = sights(policy, history, now)
        self.targeting = [sight.release for sight in self.known if sight.release.targets != Targets()]
        members: dict[str, list[Governed]] = {rule.name: [] for rule in policy.rules}
        for one in governed:
            if one.rule is not None and not one.opted_out:
                members[one.rule.name].append(one)
        self.stages = {rule.name: Step(self, rule, members[rule.name]) for rule in policy.rules}
        self.budget = Budget(self)

    @cached_property
    def orphaned(self) -> Paused | None:
        """The pause of a rule that is gone from the policy."""
        return next(iter(self.history.controls.orphaned(self.stages)), None)

    @cached_property
    def stranded(self) -> list[Attempt]:
        """What is on its way or counts as a failure under rules that are gone from the policy: it counts under every rule.

        But not where the graph is there, and no rule governs it.
        """
        failures = (attempt for failing in self.history.attempts.all_failures() for attempt in failing)
        gone = [one for one in (*failures, *self.history.attempts.open()) if one.rule not in self.stages]
        left_alone = {one.graph.id for one in self.governed if one.rule is None} if gone else set()
        return [one for one in gone if one.graph_id not in left_alone]

    def failed(self, rule: str) -> Counter[Version]:
        """How often each version failed under the rule, and under those that are gone."""
        failed = {version: times for (name, version), times in self.history.attempts.failure_counts().items() if name == rule}
        return Counter(failed) + Counter(one.to_version for one in self.stranded if one.verdict)

    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self.decide(one) for one in self.governed)

    def decide(self, one: Governed) -> Decision:
        """The decision about one graph; where it is a start, the start takes its place in the limits."""
        graph, rule = one.graph, one.rule
        settled = self._settled(one)
        if settled is not None:
            return settled
        assert rule is not None and graph.version is not None
        stage = self.stages[rule.name]
        offered = stage.offer(graph)
        if offered.nothing is not None:
            return _decision(one, None, Action.SKIP, offered.nothing)
        case = self.case(one, offered.choices[0])
        hold = first_hold(case)
        if hold is None and not self.budget.take(rule, case.choice.release.version):
            hold = Hold(Action.WAIT, Reason.MAX_CONCURRENT)
        if hold is not None:
            return self._held(one, case, hold, offered)
        opening = stage.opening(self.now, one.place)
        assert opening is not None  # or the window gate had held it
        fresh = case.backup_expires if rule.backup == "required" else FAR
        if fresh is None or fresh <= self.now:
            return _decision(one, case, Action.BACKUP, Reason.DUE)
        return msgspec.structs.replace(
            _decision(one, case, Action.UPGRADE, Reason.DUE),
            force=case.forced_from is not None and case.forced_from <= self.now,
            start_before=_bound(min(case.ends, fresh, opening.before)),
            closes=opening.closes,
        )

    def case(self, one: Governed, choice: Choice) -> Case:
        assert one.rule is not None
        stage = self.stages[one.rule.name]
        return Case(one.graph, choice, stage, self.policy, self.history, one.place if one.rule.spread else 0.0, self.now)

    def _settled(self, one: Governed) -> Decision | None:
        """What is clear before any release is looked at."""
        graph = one.graph
        attempt = self.history.attempts.open_of(graph.key)
        if attempt is not None:
            underway = _decision(one, None, Action.WAIT, Reason.UPGRADING)
            return msgspec.structs.replace(
                underway, from_version=attempt.from_version, target=attempt.to_version, job_id=attempt.job_id
            )
        if one.opted_out:
            return _decision(one, None, Action.SKIP, Reason.OPTED_OUT)
        if one.rule is None:
            return _decision(one, None, Action.SKIP, Reason.NO_RULE)
        if graph.status.in_flight:
            return _decision(one, None, Action.WAIT, Reason.UPGRADING)
        backup = self.history.backups.open_of(graph.key)
        if backup is not None:
            underway = _decision(one, None, Action.WAIT, Reason.BACKING_UP)
            return msgspec.structs.replace(underway, target=backup.to_version, job_id=backup.job_id)
        if not self.history.readable or self.history.controls.damaged(one.rule.name, graph.id, self.stages):
            return _decision(one, None, Action.BLOCKED, Reason.STATE_UNAVAILABLE)
        if graph.version is None:
            return _decision(one, None, Action.BLOCKED, Reason.REFUSED)
        return None

    def _held(self, one: Governed, case: Case, hold: Hold, offered: Offer) -> Decision:
        queued = hold.reason is Reason.MAX_CONCURRENT
        start = first_start(self, one, offered)
        held = _decision(one, case, hold.action, hold.reason)
        if start is None:
            return held
        when, choice = start
        if not queued:
            held = msgspec.structs.replace(held, until=when, target=choice.release.version)
        told = (one.graph.id, choice.release.version) in self.history.outbox.planned
        return held if told else msgspec.structs.replace(held, announce=when)


def milestones(survey: Survey) -> list[Verified | FellBehind]:
    """What is not written down yet of how far the rules have come that a soak counts from."""
    history, now = survey.history, survey.now
    found: list[Verified | FellBehind] = []
    for name in sorted({name for rule in survey.policy.rules if rule.soak for name in rule.after}):
        step, reached = survey.stages[name], history.rollout.reached(name)
        level = min((one.graph.version for one in step.members if one.graph.version), default=None)
        if level and reached and level < reached:
            found.append(FellBehind(at=now, rule=name, version=level))
        elif level and survey.complete and not step.behind(level) and not history.rollout.verified_at(name, level):
            found.append(Verified(at=now, rule=name, version=level))
    return found


def first_hold(case: Case) -> Hold | None:
    for gate in GATES.values():
        hold = gate(case)
        if hold is not None:
            return hold
    return None


def first_start(survey: Survey, one: Governed, offered: Offer) -> tuple[datetime, Choice] | None:
    """The first instant at which every gate lets the graph start, and to what; None: time alone will not do."""
    for choice in offered.choices:
        case = survey.case(one, choice)
        start = agreed(survey, case)
        if start is not None and start < case.ends:
            return start, choice
    return None


def agreed(survey: Survey, case: Case) -> datetime | None:
    """The first instant at which no gate holds the case, if it lasts until then; None: time alone will not do."""
    holds = [hold for gate in GATES.values() if (hold := gate(case)) is not None]
    if any(hold.until is None for hold in holds):
        return None
    earliest = max([survey.now, case.choice.begins, *(hold.until for hold in holds if hold.until is not None)])
    opening = survey.stages[case.rule.name].opening(earliest, case.place)
    return opening.start if opening else None


def _decision(one: Governed, case: Case | None, action: Action, reason: Reason) -> Decision:
    graph = one.graph
    return Decision(
        graph.project,
        graph.id,
        graph.name,
        one.rule.name if one.rule else None,
        graph.version,
        case.choice.release.version if case else None,
        action,
        reason,
    )


def _bound(instant: datetime) -> datetime | None:
    return None if instant >= FAR else instant
