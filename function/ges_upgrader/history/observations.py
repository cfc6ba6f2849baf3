"""What runs saw that must count in later runs: projects without an answer, and what is believed only if seen again. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ges_upgrader.domain.model import Verdict
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.history.records import Observed, Sighted, Unobserved


class Sighting(msgspec.Struct, frozen=True):
    """How often one thing was seen in a row, and since when."""

    verdict: Verdict
    times: int
    since: datetime

    @classmethod
    def after(cls, last: Sighting | None, verdict: Verdict, now: datetime) -> Sighting:
        if last is None or last.verdict is not verdict:
            return cls(verdict, 1, now)
        return cls(verdict, last.times + 1, last.since)


class Observations:
    """`blind` holds, by region and project id, the record of when observing a project began to fail.

    Of an attempt or a backup, by its id, it is known how often one thing was seen in a row. An engine that is not healthy is
    seen beside the rest.
    """

    def __init__(self) -> None:
        self.blind: dict[tuple[str, str], Unobserved] = {}
        self._sightings: dict[str, dict[bool, Sighting]] = {}

    def blind_notices(self) -> set[str]:
        """The ids of the notices about projects that cannot be observed now, sent or not."""
        return {blind_notice_id(record) for record in self.blind.values()}

    def lose(self, record: Unobserved) -> None:
        self.blind.setdefault((record.region, record.project_id), record)

    def recover(self, record: Observed) -> None:
        self.blind.pop((record.region, record.project_id), None)

    def last(self, subject: str, verdict: Verdict) -> Sighting | None:
        """What was last seen of the same kind."""
        return self._sightings.get(subject, {}).get(verdict is Verdict.UNHEALTHY)

    def sighted(self, subject: str) -> bool:
        return subject in self._sightings

    def sight(self, record: Sighted) -> None:
        if record.verdict is None:
            self._sightings.pop(record.subject, None)
            return
        last = self.last(record.subject, record.verdict)
        seen = Sighting.after(last, record.verdict, record.at)
        self._sightings.setdefault(record.subject, {})[record.verdict is Verdict.UNHEALTHY] = seen


def blind_notice_id(began: Unobserved) -> str:
    """The id of the notice that a project cannot be observed: one for each time that this begins."""
    return f"blind:{began.region}:{began.project_id}:{iso(began.at)}"
