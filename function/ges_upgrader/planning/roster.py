"""What depends on the policy and the fleet alone, so that it serves every instant until the fleet is listed again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Attempt, GraphKey
from ges_upgrader.domain.version import Version
from ges_upgrader.planning.matching import Governed, govern
from ges_upgrader.policy.schema import Policy
from ges_upgrader.schedule.calendars import Calendar


class Progress(msgspec.Struct, frozen=True):
    """How far the rules before a rule are with a version, as far as the history's `changes` reached."""

    changes: tuple[object, int]
    behind: bool
    verified_at: datetime


class Roster:
    """`governed` are the visible graphs in the order of their turns, `members` those of each rule that have not opted out.

    `calendars` and `waves` serve as long as only time passes.
    """

    def __init__(
        self,
        policy: Policy,
        fleet: Fleet,
        governed: Iterable[Governed] | None = None,
        ended: Collection[str] | None = None,
    ) -> None:
        """`governed`: given if known; else the policy's rules decide.

        `ended` are the ids of the attempts whose end the fleet shows; None: of all of them.
        """
        self.policy, self.fleet = policy, fleet
        self._ended = ended
        self.governed = list(govern(policy.rules, fleet.visible) if governed is None else governed)
        self.calendars: dict[tuple[str, timedelta, tuple[int, ...]], Calendar] = {}
        self.waves: dict[tuple[str, Version], Progress] = {}
        self.members = _members(policy, self.governed)

    @cached_property
    def by_key(self) -> dict[GraphKey, Governed]:
        return {one.graph.key: one for one in self.governed}

    @cached_property
    def in_flight(self) -> list[Governed]:
        return [one for one in self.governed if one.graph.status.in_flight]

    def shows(self, attempts: Iterable[Attempt]) -> bool:
        """Whether the fleet was listed after all of these attempts had ended."""
        return self._ended is None or all(attempt.id in self._ended for attempt in attempts)

    @cached_property
    def spellings(self) -> dict[Version, Version]:
        """The versions that graphs run, as GES spells them."""
        return {one.graph.version: one.graph.version for one in self.governed if one.graph.version is not None}

    @cached_property
    def majors(self) -> dict[str, int]:
        """The highest major number among the graphs of each rule."""
        return {name: max(map(_major, members), default=0) for name, members in self.members.items()}


def _members(policy: Policy, governed: Iterable[Governed]) -> dict[str, list[Governed]]:
    members: dict[str, list[Governed]] = {rule.name: [] for rule in policy.rules}
    for one in governed:
        if one.rule is not None and not one.opted_out:
            members[one.rule.name].append(one)
    return members


def _major(one: Governed) -> int:
    return one.graph.version.major if one.graph.version else 0
