"""Policy, fleet, history and the time, to one decision for every graph. Pure; the heart."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from .choice import FAR, Choice, Offer, Sight, offer, sights, targeted
from .gates import GATES, LONG_AGO, Case, Hold
from .governing import Governed, govern
from .history import History
from .model import Action, Attempt, BackupAttempt, Decision, Graph, Reason, Targets, Verdict
from .policy import Policy, Rule
from .policy_fields import MIN_AUTO_CUTOFF
from .records import FellBehind, Paused, Verified
from .versions import Version
from .windows import Calendar, Opening


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
        self.budget = _Budget(self)

    @cached_property
    def orphaned(self) -> Paused | None:
        """The pause of a rule that is gone from the policy."""
        return next(iter(self.history.orphaned(self.stages)), None)

    @cached_property
    def stranded(self) -> list[Attempt]:
        """What is on its way or counts as a failure under rules that are gone from the policy: it counts under every rule.

        But not where the graph is there, and no rule governs it.
        """
        failures = (attempt for failing in self.history.failing() for attempt in failing)
        gone = [one for one in (*failures, *self.history.open_attempts()) if one.rule not in self.stages]
        left_alone = {one.graph.id for one in self.governed if one.rule is None} if gone else set()
        return [one for one in gone if one.graph_id not in left_alone]

    def failed(self, rule: str) -> Counter[Version]:
        """How often each version failed under the rule, and under those that are gone."""
        failed = {version: times for (name, version), times in self.history.failed().items() if name == rule}
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
        attempt = self.history.open_attempt(graph.id)
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
        backup = self.history.open_backup(graph.id)
        if backup is not None:
            underway = _decision(one, None, Action.WAIT, Reason.BACKING_UP)
            return msgspec.structs.replace(underway, target=backup.to_version, job_id=backup.job_id)
        if not self.history.readable or self.history.damaged(one.rule.name, graph.id, self.stages):
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
        told = (one.graph.id, choice.release.version) in self.history.planned
        return held if told else msgspec.structs.replace(held, announce=when)


def milestones(survey: Survey) -> list[Verified | FellBehind]:
    """What is not written down yet of how far the rules have come that a soak counts from."""
    history, now = survey.history, survey.now
    found: list[Verified | FellBehind] = []
    for name in sorted({name for rule in survey.policy.rules if rule.soak for name in rule.after}):
        step, reached = survey.stages[name], history.reached(name)
        level = min((one.graph.version for one in step.members if one.graph.version), default=None)
        if level and reached and level < reached:
            found.append(FellBehind(at=now, rule=name, version=level))
        elif level and survey.complete and not step.behind(level) and not history.verified_at(name, level):
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


class Step:
    """A rule as a step of the rollout, with all that its graphs have in common."""

    def __init__(self, survey: Survey, rule: Rule, members: Sequence[Governed]) -> None:
        self.rule, self.members, self.governs = rule, members, len(members)
        self._survey = survey
        self._offers: dict[tuple[object, ...], Offer] = {}
        self._waves: dict[Version, Hold | None] = {}
        self._openings: dict[datetime, Opening | None] = {}

    def governs_at_most(self, most: int) -> bool:
        return self._survey.complete and self.governs <= most

    @cached_property
    def max_concurrent(self) -> int:
        return self.rule.max_concurrent.of(self.governs)

    @cached_property
    def max_failures(self) -> int:
        return self.rule.max_failures.of(self.governs)

    @cached_property
    def cutoff(self) -> timedelta:
        """The rule's cutoff; `auto` is the 90th percentile of the fleet's own upgrades, and at least half an hour."""
        assert self.rule.cutoff is not None
        if self.rule.cutoff.length is not None:
            return self.rule.cutoff.length
        durations = sorted(self._survey.history.durations)
        return max([MIN_AUTO_CUTOFF, *durations[-(-len(durations) * 9 // 10) - 1 :][:1]])

    @cached_property
    def before(self) -> set[str]:
        """The names of all rules that come before this one, near and far."""
        rules = {rule.name: rule for rule in self._survey.policy.rules}
        names: set[str] = set()
        waiting = list(self.rule.after)
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting += rules[name].after
        return names

    def stopped(self) -> set[Version]:
        """The versions that failed under this rule as often as it bears."""
        return {version for version, times in self._survey.failed(self.rule.name).items() if times >= self.max_failures}

    @cached_property
    def halted(self) -> set[Version]:
        """`stopped`, remembered."""
        return self.stopped()

    @cached_property
    def quarantined(self) -> set[Version]:
        """The versions that stopped a rule before this one."""
        return {version for name in self.before for version in self._survey.stages[name].stopped()}

    @cached_property
    def calendar(self) -> Calendar:
        survey = self._survey
        key = f"{self.rule.name} {self.cutoff}"
        if key not in survey.calendars:
            survey.calendars[key] = Calendar(self.rule.windows, self.cutoff, self._freezes, survey.now, self.rule.spread)
        return survey.calendars[key]

    def offer(self, graph: Graph) -> Offer:
        """What the rule offers the graph; graphs alike get the same."""
        survey = self._survey
        key: tuple[object, ...] = (graph.project.region, graph.product_type, graph.arch, graph.version)
        if survey.targeting:
            key += tuple(targeted(release, graph) for release in survey.targeting)
        if key not in self._offers:
            self._offers[key] = offer(self.rule, graph, survey.known, self.halted, self.quarantined, survey.now)
        return self._offers[key]

    def wave(self, choice: Choice) -> Hold | None:
        version = choice.release.version
        if version not in self._waves:
            self._waves[version] = self._wave(version)
        return self._waves[version]

    def _wave(self, version: Version) -> Hold | None:
        survey = self._survey
        before = [survey.stages[name] for name in self.rule.after]
        if not survey.complete or any(step.behind(version) for step in before):
            return Hold(Action.WAIT, Reason.AFTER_RULE)
        if not self.rule.soak:
            return None
        soaked = max(step.verified_at(version) for step in before) + self.rule.soak
        return Hold(Action.WAIT, Reason.SOAKING, soaked) if survey.now < soaked else None

    def behind(self, version: Version) -> list[Graph]:
        """The graphs of this rule that do not run the version or a later one, soundly."""
        history = self._survey.history
        return [
            one.graph
            for one in self.members
            if one.graph.version is None
            or one.graph.version < version
            or one.graph.status.in_flight
            or one.graph.status.faulty
            or history.open_attempt(one.graph.id) is not None
            or history.trouble(one.graph.id, one.graph.version) is not None
        ]

    def verified_at(self, version: Version) -> datetime:
        """When the last graph of this rule was verified at the version or later; what was never written down is so now."""
        history = self._survey.history
        if not self.members:
            return LONG_AGO
        first_seen = history.verified_at(self.rule.name, version)
        arrivals = [
            min(
                (
                    attempt.ended_at
                    for attempt in history.ended(one.graph.id)
                    if attempt.ended_at and attempt.to_version >= version and attempt.verdict is Verdict.SUCCEEDED
                ),
                default=None,
            )
            for one in self.members
        ]
        return max([first_seen or self._survey.now, *filter(None, arrivals)])

    def opening(self, after: datetime, place: float) -> Opening | None:
        if self.rule.spread:
            return self.calendar.first(after, place)
        if after not in self._openings:
            self._openings[after] = self.calendar.first(after)
        return self._openings[after]

    @cached_property
    def _freezes(self) -> list[tuple[datetime, datetime]]:
        return self._survey.policy.frozen(self.rule.name)

    @property
    def orphaned(self) -> Paused | None:
        return self._survey.orphaned

    @cached_property
    def frozen(self) -> datetime | None:
        """The end of the freeze that now lies in."""
        now = self._survey.now
        return max((end for begin, end in self._freezes if begin <= now < end), default=None)


class _Budget:
    """The limits on what may be under way at once. A start reserves its place, and its place among the failures."""

    def __init__(self, survey: Survey) -> None:
        history = survey.history
        self._stages = survey.stages
        governed = sum(stage.governs for stage in survey.stages.values())
        limit = survey.policy.max_concurrent
        self._limit = limit.of(governed) if limit else None
        self._free = self._limit or sys.maxsize
        self._flying: Counter[str] = Counter()
        self._failing: Counter[tuple[str, Version]] = Counter(history.failed())
        self._failing.update((name, one.to_version) for one in survey.stranded for name in survey.stages)
        under_way: list[Attempt | BackupAttempt] = [*history.open_attempts(), *history.open_backups()]
        begun_under = {attempt.graph_id: attempt.rule for attempt in under_way}
        for attempt in under_way:
            self._reserve(attempt.rule, attempt.to_version)
        for one in survey.governed:
            if one.rule and one.graph.id in begun_under:
                self._flying[one.rule.name] += begun_under[one.graph.id] != one.rule.name
            elif one.rule and one.graph.status.in_flight:
                self._flying[one.rule.name] += 1
                self._free -= 1

    def full(self, rule: Rule) -> bool:
        """Whether no more may be started under the rule, to whatever version."""
        return self._free < 1 or self._flying[rule.name] >= self._stages[rule.name].max_concurrent

    def value(self, rule: Rule, version: Version) -> str:
        """The limits and what fills them, in words."""
        stage = self._stages[rule.name]
        failing = self._failing[rule.name, version]
        return (
            f"{self._flying[rule.name]} of {stage.max_concurrent} under the rule, {failing} of {stage.max_failures} that "
            f"could be failures at {version}" + (f", {self._limit - self._free} of {self._limit} in all" if self._limit else "")
        )

    def take(self, rule: Rule, version: Version) -> bool:
        if self.full(rule) or self._failing[rule.name, version] >= self._stages[rule.name].max_failures:
            return False
        self._reserve(rule.name, version)
        return True

    def _reserve(self, rule: str, version: Version) -> None:
        self._free -= 1
        self._flying[rule] += 1
        self._failing[rule, version] += 1


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
