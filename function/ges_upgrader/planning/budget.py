"""The limits on what may be under way at once. Pure."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from ges_upgrader.domain.model import Attempt, BackupAttempt
from ges_upgrader.domain.version import Version
from ges_upgrader.policy.schema import Rule

if TYPE_CHECKING:
    from ges_upgrader.planning.planner import Survey


class Budget:
    """The limits on what may be under way at once. A start reserves its place, and its place among the failures."""

    def __init__(self, survey: Survey) -> None:
        history = survey.history
        self._stages = survey.stages
        governed = sum(stage.governs for stage in survey.stages.values())
        limit = survey.policy.max_concurrent
        self._limit = limit.of(governed) if limit else None
        self._free = self._limit or sys.maxsize
        self._flying: Counter[str] = Counter()
        self._failing: Counter[tuple[str, Version]] = Counter(history.attempts.failure_counts())
        self._failing.update((name, one.to_version) for one in survey.stranded for name in survey.stages)
        under_way: list[Attempt | BackupAttempt] = [*history.attempts.open(), *history.backups.open()]
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
