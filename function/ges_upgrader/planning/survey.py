"""A fleet under a policy at an instant: all that the decisions about its graphs have in common. Pure.

A survey adds the history and the time to a roster. A step is a rule as a step of the rollout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain

import msgspec

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Attempt, Graph, GraphKey, Reason, Release, Targets, Verdict
from ges_upgrader.domain.timestamps import LONG_AGO
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Paused
from ges_upgrader.planning.releases import Choice, Exclusions, KnownRelease, Offer, Times, known_releases, offer, targeted
from ges_upgrader.planning.roster import Progress, Roster
from ges_upgrader.policy.fields import MIN_AUTO_CUTOFF
from ges_upgrader.policy.freezes import Freeze
from ges_upgrader.policy.schema import Policy, Rule
from ges_upgrader.schedule.calendars import Calendar, Opening


class Block(msgspec.Struct, frozen=True):
    """What blocks a graph. `until`: the instant from which it no longer does, if that is a matter of time."""

    action: Action
    reason: Reason
    until: datetime | None = None


class Survey:
    """`steps` are the rules by their names; `known` are the releases that may be chosen, the newest first."""

    def __init__(self, roster: Roster, history: History, now: datetime) -> None:
        self.roster, self.history, self.now = roster, history, now
        self.policy, self.governed, self.complete = roster.policy, roster.governed, roster.fleet.complete
        self.all_known = known_releases(roster.policy, history, now, roster.spellings)
        self.known = [one for one in self.all_known if one.version not in history.releases.withdrawn]
        self.targeting = _targeting(self.known)
        self.steps = {rule.name: Step(self, rule) for rule in roster.policy.rules}

    def at(self, now: datetime) -> Survey:
        """The same fleet at another instant, and after what the history took in meanwhile."""
        return Survey(self.roster, self.history, now)

    @cached_property
    def orphaned(self) -> Paused | None:
        """The pause of a rule that was removed from the policy."""
        return next(iter(self.history.controls.orphaned(self.steps)), None)

    @cached_property
    def stranded(self) -> list[Attempt]:
        """What is in progress or counts as a failure under rules that were removed from the policy: it counts under every rule.

        But not if the graph is visible, and no rule governs it.
        """
        attempts = self.history.attempts
        removed = {rule for rule, _ in (*attempts.failure_counts(), *attempts.open_by_target)} - set(self.steps)
        if not removed:
            return []
        counted = (*chain.from_iterable(attempts.all_failures()), *attempts.open())
        return [one for one in counted if one.rule in removed and one.key not in self._left_alone]

    @cached_property
    def _left_alone(self) -> set[GraphKey]:
        """The graphs that no rule governs."""
        return {one.graph.key for one in self.governed if one.rule is None}

    @cached_property
    def vouched_major(self) -> int:
        """The highest major number that an operator named: in `releases` of the policy, or by the command `release`."""
        entries = (known.version.major for known in self.policy.releases)
        return max((*entries, self.history.releases.vouched_major()))

    def failed(self, rule: str) -> Counter[Version]:
        """How often each version failed under the rule, and under those that were removed."""
        counts = self.history.attempts.failure_counts()
        failed = Counter({version: times for (name, version), times in counts.items() if name == rule})
        return failed + Counter(one.to_version for one in self.stranded if one.verdict)


class Step:
    """A rule as a step of the rollout: what its graphs have in common."""

    def __init__(self, survey: Survey, rule: Rule) -> None:
        self.rule, self.members = rule, survey.roster.members[rule.name]
        self._survey = survey
        self._offers: dict[tuple[object, ...], Offer] = {}
        self._waves: dict[Version, Block | None] = {}
        self._openings: dict[tuple[Calendar, datetime], Opening | None] = {}
        self._calendars: dict[Version | None, Calendar] = {}
        self._behind: dict[Version, list[Graph]] = {}

    @property
    def governs(self) -> int:
        return len(self.members)

    def governs_at_most(self, most: int) -> bool:
        """Whether the rule certainly governs no more graphs than that."""
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
        if self.rule.cutoff.length is not None:
            return self.rule.cutoff.length
        durations = sorted(self._survey.history.attempts.durations)
        return max([MIN_AUTO_CUTOFF, *durations[-(-len(durations) * 9 // 10) - 1 :][:1]])

    @cached_property
    def before(self) -> set[str]:
        """The names of all rules that come before this one, directly or not."""
        names: set[str] = set()
        waiting = list(self.rule.after)
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting += self._survey.steps[name].rule.after
        return names

    @cached_property
    def halted(self) -> set[Version]:
        """The versions that failed under this rule as often as it allows."""
        return {version for version, times in self._survey.failed(self.rule.name).items() if times >= self.max_failures}

    @cached_property
    def quarantined(self) -> set[Version]:
        """The versions that halted a rule before this one, and those that a message may have withdrawn."""
        stopped = {version for name in self.before for version in self._survey.steps[name].halted}
        return stopped | set(self._survey.history.releases.questioned)

    @cached_property
    def highest_major(self) -> int:
        """The highest major number that the rule may start upgrades to."""
        return max(self._survey.vouched_major, self._survey.roster.majors[self.rule.name])

    @cached_property
    def calendar(self) -> Calendar:
        """When something may start of which no freeze makes an exception."""
        return self.calendar_of(None)

    def calendar_of(self, version: Version | None) -> Calendar:
        """When an upgrade to the version may start. Versions that the same freezes allow share one."""
        if version not in self._calendars:
            self._calendars[version] = self.calendar_under(self._survey.policy.freezes_of(self.rule.name, version))
        return self._calendars[version]

    def calendar_under(self, freezes: Sequence[Freeze]) -> Calendar:
        """When something may start, if these are the freezes."""
        survey, calendars = self._survey, self._survey.roster.calendars
        key = (self.rule.name, self.cutoff, tuple(map(id, freezes)))
        if key not in calendars:
            held = [freeze.held for freeze in freezes]
            calendars[key] = Calendar(self.rule.windows, self.cutoff, held, survey.now, self.rule.spread)
        return calendars[key]

    def set_aside(self, graph: Graph) -> frozenset[Version]:
        """The versions that are set aside for this graph: GES does not know them, or an operator rolled back from them."""
        assert graph.version is not None
        versions = [known.version for known in self._survey.known]
        return self._survey.history.set_aside.versions(graph.key, graph.version, versions, self._survey.now)

    def exclusions(self, graph: Graph) -> Exclusions:
        """A version from which an operator rolled this graph back is set aside for it, whether it halted the rule or not."""
        assert graph.version is not None
        reached = self._survey.history.set_aside.rolled_back(graph.key, graph.version)
        halted = frozenset(version for version in self.halted if reached is None or version > reached.version)
        return Exclusions(halted, frozenset(self.quarantined | self.set_aside(graph)), self.highest_major)

    def offer(self, graph: Graph) -> Offer:
        """What the rule offers the graph; graphs alike get the same."""
        survey = self._survey
        exclusions = self.exclusions(graph)
        key: tuple[object, ...] = (graph.project.region, graph.product_type, graph.arch, graph.version, exclusions)
        if survey.targeting:
            key += tuple(targeted(release, graph) for release in survey.targeting)
        if key not in self._offers:
            self._offers[key] = offer(self.rule, graph, survey.known, exclusions, Times(survey.now, self.calendar_of))
        return self._offers[key]

    def wave(self, choice: Choice) -> Block | None:
        """What the rules before this one have against the release."""
        version = choice.release.version
        if version not in self._waves:
            self._waves[version] = self._wave(version)
        return self._waves[version]

    def _wave(self, version: Version) -> Block | None:
        progress = self._progress(version)
        if not self._survey.complete or progress.behind:
            return Block(Action.WAIT, Reason.AFTER_RULE)
        return self._soaking(progress.verified_at) if self.rule.soak else None

    def _soaking(self, verified_at: datetime) -> Block | None:
        soaked = verified_at + self.rule.soak
        return Block(Action.WAIT, Reason.SOAKING, soaked) if self._survey.now < soaked else None

    def _progress(self, version: Version) -> Progress:
        """How far the rules before this one are. Looked at again only if something was recorded about them."""
        survey = self._survey
        changes = survey.history.changes(self.rule.after, survey.steps)
        key = (self.rule.name, version)
        known = survey.roster.waves.get(key)
        if known is None or known.changes != changes:
            known = survey.roster.waves[key] = self._observed(version, changes)
        return known

    def _observed(self, version: Version, changes: tuple[object, int]) -> Progress:
        before = [self._survey.steps[name] for name in self.rule.after]
        if any(step.behind(version) for step in before):
            return Progress(changes, behind=True, verified_at=LONG_AGO)
        verified_at = max(step.verified_at(version) for step in before) if self.rule.soak else LONG_AGO
        return Progress(changes, behind=False, verified_at=verified_at)

    def behind(self, version: Version) -> list[Graph]:
        """The graphs of this rule that do not soundly run the version or a later one."""
        if version not in self._behind:
            self._behind[version] = [one.graph for one in self.members if not self._runs(one.graph, version)]
        return self._behind[version]

    def _runs(self, graph: Graph, version: Version) -> bool:
        """Whether the graph soundly runs the version or a later one."""
        if graph.version is None or graph.version < version or graph.status.in_flight or graph.status.faulty:
            return False
        attempts = self._survey.history.attempts
        return attempts.open_of(graph.key) is None and attempts.failure_of(graph.key, graph.version) is None

    def verified_at(self, version: Version) -> datetime:
        """When the last graph of this rule was verified at the version or later; what was never recorded is so now."""
        history = self._survey.history
        if not self.members:
            return LONG_AGO
        first_seen = history.rollout.verified_at(self.rule.name, version)
        arrivals = [_arrival(history.attempts.ended_of(one.graph.key), version) for one in self.members]
        return max([first_seen or self._survey.now, *filter(None, arrivals)])

    def opening(self, version: Version, after: datetime, place: float) -> Opening | None:
        """The first time at which a graph of that place in the spread may start to the version."""
        calendar = self.calendar_of(version)
        if self.rule.spread:
            return calendar.first(after, place)
        key = (calendar, after)
        if key not in self._openings:
            self._openings[key] = calendar.first(after)
        return self._openings[key]

    @property
    def orphaned(self) -> Paused | None:
        return self._survey.orphaned


def _targeting(known: Iterable[KnownRelease]) -> list[Release]:
    """The announcements that name graphs."""
    announced = chain.from_iterable(release.announcements for release in known)
    return [one.release for one in announced if one.release.targets != Targets()]


def _arrival(ended: Iterable[Attempt], version: Version) -> datetime | None:
    """When the first of the attempts that succeeded brought its graph to the version or later."""
    arrived = (one for one in ended if one.to_version >= version and one.verdict is Verdict.SUCCEEDED)
    return min(filter(None, (attempt.ended_at for attempt in arrived)), default=None)


def survey_of(policy: Policy, fleet: Fleet, history: History, now: datetime) -> Survey:
    return Survey(Roster(policy, fleet), history, now)
