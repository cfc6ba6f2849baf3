"""How far rules have come: what a soak counts from. Pure."""

from __future__ import annotations

from datetime import datetime

from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import FellBehind, Verified


class Rollout:
    """`verified` holds for each rule the versions that all its graphs were seen at; `changes` counts what was recorded."""

    def __init__(self) -> None:
        self.changes = 0
        self.verified: dict[str, list[Verified]] = {}

    def verified_at(self, rule: str, version: Version) -> datetime | None:
        """When every graph of the rule was first seen at the version or a later one."""
        return min((one.at for one in self.verified.get(rule, ()) if one.version >= version), default=None)

    def reached(self, rule: str) -> Version | None:
        """The latest version that the whole rule was verified at, and did not fall behind since."""
        return max((one.version for one in self.verified.get(rule, ())), default=None)

    def verify(self, record: Verified) -> None:
        self.changes += 1
        self.verified.setdefault(record.rule, []).append(record)

    def fall_behind(self, record: FellBehind) -> None:
        self.changes += 1
        self.verified[record.rule] = [one for one in self.verified.get(record.rule, ()) if one.version <= record.version]
