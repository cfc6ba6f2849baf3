"""Which versions were announced, withdrawn or questioned. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.release_merge import Scope, scope_of, strictest
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Questioned, Reinstated, Released, ReleaseSource, Withdrawn


class Announcement(msgspec.Struct, frozen=True):
    """All that was announced of one version for one scope, since `first_seen`.

    `by_policy`: only the policy's own `releases` name it, so that it counts as long as they do. `vouched`: an operator named
    the version, not only a message.
    """

    release: Release
    first_seen: datetime
    by_policy: bool
    vouched: bool


class Releases:
    """`withdrawn` are versions to which nothing is started; `questioned` are those that a message may have withdrawn."""

    def __init__(self) -> None:
        self.withdrawn: set[Version] = set()
        self.questioned: dict[Version, Questioned] = {}
        self._announced: dict[Version, dict[tuple[bool, Scope], Announcement]] = {}

    @property
    def known(self) -> list[Version]:
        """Every version that was announced, withdrawn ones too."""
        return list(self._announced)

    def announcements(self, version: Version) -> list[Announcement]:
        """What was announced of the version, one for each scope, in the order in which they were first seen."""
        return list(self._announced.get(version, {}).values())

    def first_seen(self, version: Version) -> datetime | None:
        return min((one.first_seen for one in self.announcements(version)), default=None)

    def vouched_major(self) -> int:
        """The highest major number of a version that an operator named; 0: none was."""
        vouched = (version.major for version in self.known if any(one.vouched for one in self.announcements(version)))
        return max(vouched, default=0)

    def learns_from(self, release: Release, source: ReleaseSource) -> bool:
        """Whether a record of the announcement would change what is known."""
        record = Released(at=_ANY_TIME, release=release, source=source)
        known = self._announced.get(release.version, {}).get(_place(record))
        asked = source is ReleaseSource.COMMAND and release.version in self.questioned
        return asked or known is None or _merged(known, record) != known

    def release(self, record: Released) -> None:
        announced = self._announced.setdefault(record.release.version, {})
        place = _place(record)
        announced[place] = _merged(announced[place], record) if place in announced else _first(record)
        if record.source is ReleaseSource.COMMAND:
            self.questioned.pop(record.release.version, None)

    def withdraw(self, record: Withdrawn) -> None:
        self.withdrawn.add(record.version)
        self.questioned.pop(record.version, None)

    def reinstate(self, record: Reinstated) -> None:
        self.withdrawn.discard(record.version)

    def question(self, record: Questioned) -> None:
        if record.version not in self.withdrawn:
            self.questioned.setdefault(record.version, record)


_ANY_TIME = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def _place(record: Released) -> tuple[bool, Scope]:
    return record.source is ReleaseSource.POLICY, scope_of(record.release)


def _first(record: Released) -> Announcement:
    return Announcement(
        release=record.release,
        first_seen=record.at,
        by_policy=record.source is ReleaseSource.POLICY,
        vouched=record.source is not ReleaseSource.MESSAGE,
    )


def _merged(known: Announcement, record: Released) -> Announcement:
    return msgspec.structs.replace(
        known,
        release=strictest((known.release, record.release)),
        vouched=known.vouched or record.source is not ReleaseSource.MESSAGE,
    )
