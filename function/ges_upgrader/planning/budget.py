"""The limits on what may be in progress at once. Pure."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import msgspec

from ges_upgrader.domain.version import Version
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.schema import Rule


class Occupied(msgspec.Struct, frozen=True):
    """Places that the history's counts do not show, by rule.

    `others`: upgrades and rollbacks that GES shows and this tool did not begin. `moved`: graphs on which something was begun
    under another rule than the one that governs them now; it takes a place under both.
    """

    others: Counter[str]
    moved: Counter[str]

    @classmethod
    def under(cls, survey: Survey) -> Occupied:
        return cls(Counter(_begun_by_others(survey)), Counter(_moved(survey)))


def _begun_by_others(survey: Survey) -> Iterator[str]:
    """The rule of each graph on which GES shows something that the history does not have."""
    for one in survey.roster.in_flight:
        if one.rule and not survey.history.in_progress(one.graph.key):
            yield one.rule.name


def _moved(survey: Survey) -> Iterator[str]:
    """The rule that governs by now, for each operation that was begun under another."""
    history, by_key = survey.history, survey.roster.by_key
    for operation in (*history.attempts.open(), *history.backups.open()):
        one = by_key.get(operation.key)
        if one and one.rule and one.rule.name != operation.rule:
            yield one.rule.name


class Budget:
    """What is free under a survey. What takes a place takes one among the possible failures too."""

    def __init__(self, survey: Survey, occupied: Occupied) -> None:
        history = survey.history
        in_progress = history.attempts.open_by_target + history.backups.open_by_target
        self._steps = survey.steps
        self._limit = _limit_of(survey)
        self._taken = in_progress.total() + occupied.others.total()
        self._in_flight = occupied.others + occupied.moved
        self._failing: Counter[tuple[str, Version]] = Counter(history.attempts.failure_counts())
        for (rule, version), times in in_progress.items():
            self._in_flight[rule] += times
            self._failing[rule, version] += times
        for stranded in survey.stranded:
            self._failing.update((name, stranded.to_version) for name in survey.steps)

    def full(self, rule: Rule) -> bool:
        """Whether no more may be started under the rule, to whatever version."""
        limit = self._limit or sys.maxsize
        return self._taken >= limit or self._in_flight[rule.name] >= self._steps[rule.name].max_concurrent

    def take(self, rule: Rule, version: Version) -> bool:
        """Takes a place. Whether there was one."""
        if self.full(rule) or self._failing[rule.name, version] >= self._steps[rule.name].max_failures:
            return False
        self._taken += 1
        self._in_flight[rule.name] += 1
        self._failing[rule.name, version] += 1
        return True

    def text(self, rule: Rule, version: Version) -> str:
        """The limits and what fills them, in words."""
        step = self._steps[rule.name]
        failing = self._failing[rule.name, version]
        return (
            f"{self._in_flight[rule.name]} of {step.max_concurrent} under the rule, {failing} of {step.max_failures} that "
            f"could be failures at {version}" + (f", {self._taken} of {self._limit} in all" if self._limit else "")
        )


def _limit_of(survey: Survey) -> int | None:
    """How much may be in progress under all rules together, if the policy limits it."""
    limit = survey.policy.max_concurrent
    return limit.of(sum(step.governs for step in survey.steps.values())) if limit else None
