"""Which release a graph would be upgraded to, now and as time passes. Pure.

The newest that fits the graph, that the rule allows and that is old enough; chosen again in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from ges_upgrader.domain.model import Graph, Reason, Release
from ges_upgrader.domain.release_merge import strictest
from ges_upgrader.domain.timestamps import FAR
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.releases import Announcement
from ges_upgrader.policy.schema import Policy, Rule
from ges_upgrader.schedule.calendars import Calendar

_MOST_TURNS = 200  # of the freezes, for which the choice is worked out ahead; a freeze a week takes half of them


class Candidate(msgspec.Struct, frozen=True):
    """A release as all announcements that fit a graph restrict it together, and the instant from which its age counts."""

    release: Release
    since: datetime


class KnownRelease(msgspec.Struct, frozen=True):
    """A version and the announcements of it that are in force, in the order in which they were first seen."""

    version: Version
    announcements: tuple[Announcement, ...]
    trusted: bool  # the policy's `trust_released_at`

    def candidate(self, graph: Graph) -> Candidate | None:
        """None: no announcement fits the graph."""
        fitting = [one for one in self.announcements if fits(one.release, graph)]
        if not fitting:
            return None
        released_at, first_seen = _released_at(fitting), min(map(_first_seen, fitting))
        together = strictest(one.release for one in fitting)
        release = msgspec.structs.replace(together, version=self.version, released_at=released_at)
        return Candidate(release, (self.trusted and released_at) or first_seen)


class Choice(msgspec.Struct, frozen=True):
    """What is chosen from `begins` until `ends`, which is not part of it.

    `since` is the instant from which its age counts. `stopped`: nothing is started to it, for this reason.
    """

    release: Release
    begins: datetime
    ends: datetime
    since: datetime
    stopped: Reason | None = None

    def is_continued_by(self, later: Choice) -> bool:
        same = (self.release.version, self.stopped) == (later.release.version, later.stopped)
        return same and self.ends == later.begins


class Offer(msgspec.Struct, frozen=True):
    """The choices in the order of time; or the reason why there is none and time will not bring one.

    `allowed` are the releases that they are made from: those newer than the graph that the rule allows.
    """

    choices: tuple[Choice, ...] = ()
    allowed: tuple[Candidate, ...] = ()
    nothing: Reason | None = None


class Times(NamedTuple):
    """The instant, and the calendar of upgrades to a version: freezes may allow some versions."""

    now: datetime
    calendar_of: Callable[[Version], Calendar]


class Exclusions(msgspec.Struct, frozen=True):
    """The versions that halted the rule, those that are set aside, and the highest major number that is allowed.

    A halted version keeps its place, so that the rule waits; one that is set aside leaves it to the next release.
    """

    halted: Collection[Version]
    set_aside: Collection[Version]
    highest_major: int


def known_releases(policy: Policy, history: History, now: datetime, spellings: Mapping[Version, Version]) -> list[KnownRelease]:
    """Every version that is known, withdrawn ones too, the newest first.

    What the journal does not hold yet is first seen now. `spellings`: versions as GES spells them.
    """
    entries = {known.version: known.release for known in policy.releases}
    found = []
    for version in sorted({*history.releases.known, *entries}, reverse=True):
        in_force = _in_force(history.releases.announcements(version), entries.get(version), now)
        if in_force:
            spelled = spellings.get(version, version.shortest)
            found.append(KnownRelease(spelled, in_force, policy.trust_released_at))
    return found


def _in_force(recorded: Sequence[Announcement], entry: Release | None, now: datetime) -> tuple[Announcement, ...]:
    """The announcements by messages and the policy's own entry for the version, in the order in which they were first seen."""
    in_force = [one for one in recorded if not one.by_policy]
    if entry is not None:
        first_seen = min((one.first_seen for one in recorded if one.by_policy), default=now)
        in_force.append(Announcement(entry, first_seen, by_policy=True, vouched=True))
    return tuple(sorted(in_force, key=_first_seen))


def _first_seen(announcement: Announcement) -> datetime:
    return announcement.first_seen


def offer(rule: Rule, graph: Graph, known: Sequence[KnownRelease], exclusions: Exclusions, times: Times) -> Offer:
    """What the rule offers the graph, whose version is known. `known` holds no withdrawn version."""
    usable = [one for one in _candidates(graph, known) if _usable(one.release, graph, times.now)]
    newer = [one for one in usable if _is_newer(one.release, graph)]
    allowed = [one for one in newer if allows(rule, one.release.version, exclusions.highest_major)]
    choices = _timeline(rule, allowed, exclusions, times) if allowed else ()
    return Offer(choices, tuple(allowed)) if choices else Offer(nothing=_why_nothing(usable, newer, allowed))


def _why_nothing(usable: Sequence[Candidate], newer: Sequence[Candidate], allowed: Sequence[Candidate]) -> Reason:
    """The first of the selections that left no release; else time leaves none."""
    if not usable:
        return Reason.NO_RELEASE
    if not newer:
        return Reason.UP_TO_DATE
    return Reason.NO_RELEASE if allowed else Reason.VERSION_NOT_ALLOWED


def _is_newer(release: Release, graph: Graph) -> bool:
    return graph.version is not None and release.version > graph.version


def _candidates(graph: Graph, known: Sequence[KnownRelease]) -> list[Candidate]:
    return [candidate for one in known if (candidate := one.candidate(graph)) is not None]


def _usable(release: Release, graph: Graph, now: datetime) -> bool:
    return reaches(release, graph) and now < (release.not_after or FAR)


def allows(rule: Rule, version: Version, highest_major: int) -> bool:
    """Whether the rule may start upgrades to the version; a message alone never raises the major number."""
    return version.major <= highest_major and (rule.versions is None or rule.versions.allow(version))


def targeted(release: Release, graph: Graph) -> bool:
    """Whether the announcement's targets name the graph."""
    targets = release.targets
    return (
        _in_scope(graph.id, targets.graph_ids)
        and _in_scope(graph.name, targets.graph_names)
        and targets.tags.items() <= graph.tags.items()
    )


_MOST_HOURS = 1e9  # longer than any journal is read; a `timedelta` holds no more than 24 times as many


def _in_scope(value: str | None, scope: Collection[str]) -> bool:
    """Whether a restriction allows the value; an empty one allows every value."""
    return not scope or value in scope


def fits(release: Release, graph: Graph) -> bool:
    """Whether the graph is in the announcement's scope. A restriction on something that GES did not say is not met."""
    return (
        _in_scope(graph.project.region, release.regions)
        and _in_scope(graph.product_type, release.product_types)
        and _in_scope(graph.arch, release.arch)
        and targeted(release, graph)
    )


def old_enough(rule: Rule, candidate: Candidate) -> datetime:
    """The instant from which the release is as old as the rule and its announcements want it."""
    release = candidate.release
    return max(
        _later(candidate.since, rule.min_release_age.of(release.severity)),
        _later(candidate.since, timedelta(hours=min(max(release.soak_hours or 0, 0), _MOST_HOURS))),
    )


def ready(rule: Rule, candidate: Candidate) -> datetime:
    """The instant from which the release may be chosen, by its age and by its announcements."""
    aged = old_enough(rule, candidate)
    return max(aged, candidate.release.not_before or aged)


def _later(instant: datetime, length: timedelta) -> datetime:
    try:
        return instant + length
    except OverflowError:
        return FAR


def reaches(release: Release, graph: Graph) -> bool:
    """Whether the announcements let a graph at this version go to the release."""
    return release.min_source_version is None or (graph.version or release.version) >= release.min_source_version


def _released_at(announcements: Sequence[Announcement]) -> datetime | None:
    """When the release came out: as messages say, and not before the policy's own entry says."""
    messages = [one.release for one in announcements if not one.by_policy]
    entries = [one.release.released_at for one in announcements if one.by_policy]
    claimed = strictest(messages).released_at if messages else None
    return max(filter(None, (claimed, *entries)), default=None)


class _Timed(NamedTuple):
    """A candidate, the instant from which it may be chosen, the one from which it may not, and when it may start."""

    candidate: Candidate
    first: datetime
    end: datetime
    calendar: Calendar


def _timeline(rule: Rule, allowed: Sequence[Candidate], exclusions: Exclusions, times: Times) -> tuple[Choice, ...]:
    """The choice of each stretch of time, from now on."""
    timed = [
        _Timed(one, ready(rule, one), one.release.not_after or FAR, times.calendar_of(one.release.version)) for one in allowed
    ]
    turns = sorted({times.now, *(turn for turn in _turns(timed, times.now) if times.now < turn < FAR)})
    choices: list[Choice] = []
    for begins, ends in zip(turns, [*turns[1:], FAR]):
        choice = _choice(timed, begins, ends, exclusions)
        if choice is not None and choices and choices[-1].is_continued_by(choice):
            choices[-1] = msgspec.structs.replace(choices[-1], ends=ends)
        elif choice is not None:
            choices.append(choice)
    return tuple(choices)


def _turns(timed: Sequence[_Timed], now: datetime) -> Iterator[datetime]:
    """The instants from which another release may be the choice: also those of freezes, if they allow some releases."""
    yield from (turn for one in timed for turn in (one.first, one.end))
    calendars = {one.calendar for one in timed}
    for calendar in calendars if len(calendars) > 1 else ():
        yield from islice(calendar.thaws_and_frosts(now), _MOST_TURNS)


def _choice(timed: Sequence[_Timed], begins: datetime, ends: datetime, exclusions: Exclusions) -> Choice | None:
    usable = [one for one in timed if one.first <= begins < one.end]
    chosen = _chosen(_thawed(usable, begins, exclusions), exclusions)
    if chosen is None:
        return None
    candidate, stopped = chosen
    return Choice(candidate.release, begins, ends, candidate.since, stopped)


def _thawed(usable: Sequence[_Timed], at: datetime, exclusions: Exclusions) -> list[Candidate]:
    """Without those that a freeze blocks, unless it blocks all. A halted version keeps its place in a freeze, too."""
    if len({one.calendar for one in usable}) > 1:
        halted = exclusions.halted
        thawed = [one for one in usable if one.candidate.release.version in halted or not one.calendar.frozen_until(at)]
        usable = thawed or usable
    return [one.candidate for one in usable]


def _chosen(usable: Sequence[Candidate], exclusions: Exclusions) -> tuple[Candidate, Reason | None] | None:
    """The newest; one that is set aside is passed over while there is another."""
    passed: tuple[Candidate, Reason | None] | None = None
    for one in usable:
        version = one.release.version
        if version in exclusions.halted:
            return one, Reason.HALTED
        if version not in exclusions.set_aside:
            return one, None
        passed = passed or (one, Reason.QUARANTINED)
    return passed
