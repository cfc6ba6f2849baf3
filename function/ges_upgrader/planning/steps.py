"""A rule as a step of the rollout, with all that its graphs have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ges_upgrader.domain.model import Action, Graph, Reason, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Paused
from ges_upgrader.planning.gates import LONG_AGO, Hold
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.releases import Choice, Offer, offer, targeted
from ges_upgrader.policy.fields import MIN_AUTO_CUTOFF
from ges_upgrader.policy.schema import Rule
from ges_upgrader.schedule.windows import Calendar, Opening

if TYPE_CHECKING:
    from ges_upgrader.planning.planner import Survey


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
        durations = sorted(self._survey.history.attempts.durations)
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
            or history.attempts.open_of(one.graph.key) is not None
            or history.attempts.failure_of(one.graph.key, one.graph.version) is not None
        ]

    def verified_at(self, version: Version) -> datetime:
        """When the last graph of this rule was verified at the version or later; what was never written down is so now."""
        history = self._survey.history
        if not self.members:
            return LONG_AGO
        first_seen = history.rollout.verified_at(self.rule.name, version)
        arrivals = [
            min(
                (
                    attempt.ended_at
                    for attempt in history.attempts.ended_of(one.graph.key)
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
