"""What becomes of an upgrade (ges.md 3, 4 and 6, and its simulator defaults)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

# How an upgrade ends: what its job says, and what the graph shows then.
Fate = Literal[
    "success",  # job success; the graph runs the new version
    "failed",  # job failed; the graph rolls back (203) and runs its old version
    "partially-failed",  # job partiallyFailed; the graph rolls back as above
    "success-without-new-version",  # job success; the graph runs its old version
    "success-but-faulty",  # job success; the graph has the new version and is faulty (300)
    "faulty",  # job failed; the graph has its old version and is faulty (300)
    "vanish",  # GES does not know the job any more; the graph runs its old version
    "stuck",  # job failed; the graph shows 201 for ever
    "hang",  # the job never ends; the graph shows 201 for ever
]
JOB_ENDINGS: dict[Fate, str] = {
    "failed": "failed",
    "partially-failed": "partiallyFailed",
    "faulty": "failed",
    "stuck": "failed",
}  # success for the others
NEVER = timedelta(days=3650)
ROLLBACK_PERIOD = timedelta(days=30)  # in which the console offers to roll an upgrade back (ges.md 6)
FIRST_WITH_ROLLBACK = "2.4.4"


@dataclass(slots=True)
class Upgrade:
    """An accepted upgrade call: what really happened, for tests to compare with what the function reported."""

    graph_id: str
    from_version: str
    to_version: str
    force: bool
    job_id: str
    at: datetime
    fate: Fate
    duration: timedelta
    fail_reason: str
    applied: bool = False  # it ended, and the graph shows what it left behind

    @property
    def ended_at(self) -> datetime:
        return self.at + self.duration

    @property
    def settled_at(self) -> datetime:
        """When the graph is at rest again. A rollback takes a quarter of the upgrade's time."""
        return self.ended_at + (self.duration / 4 if self.rolls_back else timedelta())

    @property
    def rolls_back(self) -> bool:
        return self.fate in ("failed", "partially-failed")

    def status(self, now: datetime) -> str:
        """200 → 201 → 200, or 201 → 203 → 200 if the upgrade fails (ges.md 3, life cycle)."""
        if now < self.ended_at or self.fate == "stuck":
            return "201"
        return "203" if now < self.settled_at else "200"


@dataclass(slots=True)
class Outcome:
    """How the next upgrade of a graph ends. `unreadable`: the HTTP status that answers a question for its job."""

    fate: Fate = "success"
    duration: timedelta | None = None
    fail_reason: str = "The underlying graph engine has internal error."
    unreadable: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A graph's version and data at an instant."""

    version: str
    vertices: int
    edges: int


def order(version: str) -> tuple[int, ...]:
    """Versions compare by number: 2.4.9 is earlier than 2.4.15 (ges.md 6)."""
    return tuple(int(part) for part in f"{version}.0".split(".")[:4])
