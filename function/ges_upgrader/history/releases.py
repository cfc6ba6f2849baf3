"""Which releases are known, withdrawn or in question. Pure."""

from __future__ import annotations

from datetime import datetime

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.release_merge import narrowed
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Questioned, Reinstated, Released, Withdrawn


class Releases:
    """`known` holds each version's release and when it was first seen, withdrawn ones too."""

    def __init__(self) -> None:
        self.known: dict[Version, tuple[Release, datetime]] = {}
        self.withdrawn: set[Version] = set()

    def learns_from(self, release: Release) -> bool:
        """Whether the announcement is the first of its version, or restricts it further."""
        known = self.known.get(release.version)
        return known is None or narrowed(known[0], release) != known[0]

    def release(self, record: Released) -> None:
        version = record.release.version
        if version in self.known:
            known, first_seen = self.known[version]
            self.known[version] = (narrowed(known, record.release), first_seen)
        else:
            self.known[version] = (record.release, record.at)

    def withdraw(self, record: Withdrawn) -> None:
        self.withdrawn.add(record.version)

    def reinstate(self, record: Reinstated) -> None:
        self.withdrawn.discard(record.version)

    def question(self, record: Questioned) -> None:
        pass
