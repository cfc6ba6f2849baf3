"""What became of upgrades, and which of their failures and refusals still count. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Attempt, GraphKey, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Ended, Intended, Moved, Refused, Resumed, Retried, Started

OF_ANOTHER_WINDOW = timedelta(hours=12)  # longer than any pause between tries in one window


TIMED = 50  # so many successes say how long an upgrade takes


class Refusal(msgspec.Struct, frozen=True):
    """The last refusal, in a row since `since`, of one graph's upgrade to one version, or the last failure of its backup.

    `times` counts those in the row that are less than a window apart.
    """

    version: Version
    code: str
    detail: str
    at: datetime
    since: datetime
    times: int

    @classmethod
    def after(cls, last: Refusal | None, version: Version, code: str, detail: str, at: datetime) -> Refusal:
        """The refusal that follows `last`."""
        if last is None or last.version != version:
            return cls(version, code, detail, at, since=at, times=1)
        return cls(version, code, detail, at, last.since, last.times + 1 if at - last.at < OF_ANOTHER_WINDOW else 1)


class Attempts:
    """`by_id` holds every attempt, `refusals` the last refusal of each graph.

    `open_by_target` counts the open attempts by rule and target. `changes` counts what was recorded of the attempts of each
    rule, so that a caller knows whether what it derived from them still holds.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Attempt] = {}
        self.refusals: dict[GraphKey, Refusal] = {}
        self._durations: dict[str, timedelta] = {}
        self.open_by_target: Counter[tuple[str, Version]] = Counter()
        self.changes: Counter[str] = Counter()
        self._open: dict[GraphKey, Attempt] = {}
        self._ended: dict[GraphKey, list[Attempt]] = {}
        self._failures: dict[tuple[str, Version], dict[str, Attempt]] = {}
        self._halting: set[str] = set()

    @property
    def durations(self) -> list[timedelta]:
        """How long the last successes took."""
        return list(self._durations.values())

    def timed(self) -> list[str]:
        """The ids of their attempts."""
        return list(self._durations)

    def open(self) -> list[Attempt]:
        return list(self._open.values())

    def open_of(self, graph: GraphKey) -> Attempt | None:
        return self._open.get(graph)

    def ended_of(self, graph: GraphKey) -> list[Attempt]:
        """The graph's attempts that are over, in the order in which they ended."""
        return self._ended.get(graph, [])

    def duration_of(self, attempt_id: str) -> timedelta | None:
        """How long the upgrade's job took, if that is known."""
        return self._durations.get(attempt_id)

    def all_ended(self) -> list[list[Attempt]]:
        """The same of every graph."""
        return list(self._ended.values())

    def failure_of(self, graph: GraphKey, version: Version) -> Attempt | None:
        """The graph's last attempt to the version, if it failed and was not cleared since."""
        last = next((one for one in reversed(self.ended_of(graph)) if one.to_version == version), None)
        return last if last and last.id in self._failures.get((last.rule, last.to_version), {}) else None

    def failures(self, rule: str, version: Version) -> list[Attempt]:
        """The rule's attempts at the version that failed and were not cleared since."""
        return list(self._failures.get((rule, version), {}).values())

    def all_failures(self) -> list[list[Attempt]]:
        """The failures that still count, by rule and version."""
        return [list(failures.values()) for failures in self._failures.values()]

    def failure_counts(self) -> dict[tuple[str, Version], int]:
        """Their number for each rule and version that has any."""
        return {key: len(attempts) for key, attempts in self._failures.items() if attempts}

    def halt_reported(self, rule: str, version: Version) -> bool:
        """Whether the last failure was reported as the one that halts the rule."""
        return any(failure.id in self._halting for failure in self.failures(rule, version)[-1:])

    def intend(self, record: Intended) -> None:
        replaced = self._open.get(record.attempt.key)
        if replaced is not None:
            self._count(replaced, -1)
        self._open[record.attempt.key] = record.attempt
        self._count(record.attempt, 1)
        self._put(record.attempt)

    def start(self, record: Started) -> None:
        attempt = self.by_id[record.attempt_id]
        self._put(msgspec.structs.replace(attempt, job_id=record.job_id, inferred=record.inferred))

    def refuse(self, record: Refused) -> None:
        attempt = self.by_id.pop(record.attempt_id)
        if self._is_open(attempt):
            self._count(self._open.pop(attempt.key), -1)
        self.changes[attempt.rule] += 1
        last = self.refusals.get(attempt.key)
        self.refusals[attempt.key] = Refusal.after(last, attempt.to_version, record.code, record.detail, record.at)

    def end(self, record: Ended) -> None:
        attempt = self.by_id[record.attempt_id]
        if not record.verdict.ends:
            attempt = msgspec.structs.replace(attempt, timed_out=True)
        elif attempt.open:
            attempt = msgspec.structs.replace(attempt, verdict=record.verdict, detail=record.detail, ended_at=record.at)
            self.refusals.pop(attempt.key, None)
            self._ended.setdefault(attempt.key, []).append(attempt)
            if record.verdict is Verdict.SUCCEEDED:
                self._time(attempt, record)
            elif attempt.target is not None:  # what failed on the way to an unknown version says nothing about one
                self._failures.setdefault((attempt.rule, attempt.to_version), {})[attempt.id] = attempt
                self._halting |= {attempt.id} if record.halts else set()
        self._put(attempt)

    def move(self, record: Moved) -> None:
        before = self.by_id[record.attempt_id]
        self.changes[before.rule] += 1
        attempt = msgspec.structs.replace(before, rule=record.rule)
        ended = self._ended.get(attempt.key, [])
        ended[:] = [attempt if one.id == attempt.id else one for one in ended]
        if self._failures.get((before.rule, before.to_version), {}).pop(before.id, None):
            self._failures.setdefault((attempt.rule, attempt.to_version), {})[attempt.id] = attempt
        self._put(attempt)

    def resume(self, record: Resumed) -> None:
        """`resume` as versions before 2.0 meant it, which cleared failures."""
        self._clear(record.rule, record.graph_id, record.version)

    def retry(self, record: Retried) -> None:
        self._clear(record.rule, record.graph_id, record.version)
        if record.rule is not None and record.graph_id is None:
            return  # the graphs that the rule governs have records of their own

        def meant(key: GraphKey, version: Version) -> bool:
            return record.graph_id in (None, key[1]) and record.version in (None, version)

        self.refusals = {key: one for key, one in self.refusals.items() if not meant(key, one.version)}

    def _clear(self, rule: str | None, graph_id: str | None, version: Version | None) -> None:
        for (of_rule, of_version), failures in self._failures.items():
            if rule in (None, of_rule) and version in (None, of_version):
                for attempt in [one for one in failures.values() if graph_id in (None, one.graph_id)]:
                    del failures[attempt.id]
                    self.changes[attempt.rule] += 1

    def _time(self, attempt: Attempt, record: Ended) -> None:
        if record.job_ended_at is not None:
            self._durations[attempt.id] = record.job_ended_at - attempt.began_at
            if len(self._durations) > TIMED:
                del self._durations[next(iter(self._durations))]

    def _put(self, attempt: Attempt) -> None:
        """Another attempt of the graph that is open stays so: late news of one says nothing about the next."""
        self.by_id[attempt.id] = attempt
        self.changes[attempt.rule] += 1
        if self._is_open(attempt):
            self._count(self._open[attempt.key], -1)
            if attempt.open:
                self._open[attempt.key] = attempt
                self._count(attempt, 1)
            else:
                del self._open[attempt.key]

    def _count(self, attempt: Attempt, by: int) -> None:
        target = (attempt.rule, attempt.to_version)
        self.open_by_target[target] += by
        if not self.open_by_target[target]:
            del self.open_by_target[target]

    def _is_open(self, attempt: Attempt) -> bool:
        known = self._open.get(attempt.key)
        return known is not None and known.id == attempt.id
