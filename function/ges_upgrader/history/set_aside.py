"""Versions to which a graph is not upgraded, although its rule allows them: rolled back by hand, or unknown to GES. Pure.

GES rolls the data back with the version, so nothing may undo an operator's rollback unasked (interface.md, Events).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Attempt, GraphKey
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Ended, Noticed, Refused, Retried

APART, SET_ASIDE_FOR = timedelta(minutes=30), timedelta(days=7)  # interface.md, Unknown to GES
KIND = "set-aside"  # of the notices that report it


class Reached(msgspec.Struct, frozen=True):
    """The highest version that this tool brought a graph to, by the attempt. `reported`: that it was rolled back since."""

    version: Version
    attempt_id: str
    reported: bool = False


class UnknownTarget(msgspec.Struct, frozen=True):
    """Refusals of one version for one graph that can mean that GES does not know it. `attempts`: the first and the last."""

    first: datetime
    last: datetime
    attempts: tuple[str, str]
    reported: bool = False

    def stands(self, now: datetime) -> bool:
        return self.last - self.first >= APART and now < self.last + SET_ASIDE_FOR


class SetAside:
    """What is set aside depends on where the graph is: a rollback shows in its version, whenever and however it was made."""

    def __init__(self) -> None:
        self._reached: dict[GraphKey, Reached] = {}
        self._unknown: dict[GraphKey, dict[Version, UnknownTarget]] = {}

    def versions(self, graph: GraphKey, at: Version, releases: Collection[Version], now: datetime) -> frozenset[Version]:
        """Those of the releases that are set aside for a graph at that version."""
        reached = self.rolled_back(graph, at)
        unknown = self._unknown.get(graph, {})
        if reached is None and not unknown:
            return frozenset()
        return frozenset(
            release
            for release in releases
            if (reached is not None and release <= reached.version) or (release in unknown and unknown[release].stands(now))
        )

    def rolled_back(self, graph: GraphKey, at: Version) -> Reached | None:
        """What this tool brought the graph to, if the graph at that version is below it again."""
        reached = self._reached.get(graph)
        return reached if reached is not None and at < reached.version else None

    def unknown(self, graph: GraphKey, now: datetime) -> dict[Version, UnknownTarget]:
        """The versions that are set aside for the graph, as GES seems not to know them."""
        return {version: one for version, one in self._unknown.get(graph, {}).items() if one.stands(now)}

    def holds(self, graph: GraphKey, at: Version | None) -> bool:
        """Whether anything is set aside for a graph at that version."""
        return graph in self._unknown or (at is not None and self.rolled_back(graph, at) is not None)

    def attempts(self) -> Iterator[str]:
        """The ids of the attempts that it is derived from."""
        for reached in self._reached.values():
            yield reached.attempt_id
        for unknown in self._unknown.values():
            for one in unknown.values():
                yield from one.attempts

    def concerns(self, notice: Noticed) -> bool:
        """Whether the notice reports what is still set aside, so that it must not be sent again."""
        return notice.notice_kind == KIND and any(
            key[1] in notice.graphs
            and (
                notice.version in self._unknown.get(key, {})
                or (key in self._reached and self._reached[key].version == notice.version)
            )
            for key in (*self._reached, *self._unknown)
        )

    def start(self, attempt: Attempt) -> None:
        self._forget(attempt.key, attempt.to_version)

    def refuse(self, record: Refused, attempt: Attempt) -> None:
        if record.unknown_target:
            unknown = self._unknown.setdefault(attempt.key, {})
            new = UnknownTarget(record.at, record.at, (attempt.id, attempt.id))
            known = unknown.get(attempt.to_version, new)
            unknown[attempt.to_version] = msgspec.structs.replace(
                known, last=record.at, attempts=(known.attempts[0], attempt.id)
            )

    def end(self, record: Ended, attempt: Attempt) -> None:
        known = self._reached.get(attempt.key)
        upgraded = record.verdict.upgraded and attempt.verdict is record.verdict
        if upgraded and attempt.target is not None and (known is None or attempt.target >= known.version):
            self._reached[attempt.key] = Reached(attempt.target, attempt.id)

    def notice(self, record: Noticed) -> None:
        if record.notice_kind != KIND or record.version is None:
            return
        for key, reached in self._reached.items():
            if key[1] in record.graphs and reached.version == record.version:
                self._reached[key] = msgspec.structs.replace(reached, reported=True)
        for key, unknown in self._unknown.items():
            if key[1] in record.graphs and record.version in unknown:
                unknown[record.version] = msgspec.structs.replace(unknown[record.version], reported=True)

    def retry(self, record: Retried) -> None:
        """A graph that was not rolled back when the operator asked is not meant by it: a later rollback counts."""
        for key, reached in list(self._reached.items()):
            if key[1] in record.rolled_back and record.version in (None, reached.version):
                del self._reached[key]
        if record.rule is not None and record.graph_id is None:
            return  # the graphs that the rule governs have records of their own
        for key, unknown in list(self._unknown.items()):
            for version in list(unknown):
                if record.graph_id in (None, key[1]) and record.version in (None, version):
                    self._forget(key, version)

    def _forget(self, graph: GraphKey, version: Version) -> None:
        unknown = self._unknown.get(graph, {})
        unknown.pop(version, None)
        if not unknown:
            self._unknown.pop(graph, None)
