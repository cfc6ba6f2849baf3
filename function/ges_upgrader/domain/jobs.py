"""The jobs and the backups of a graph as GES shows them. Values: frozen, typed, without I/O."""

from __future__ import annotations

import msgspec

from ges_upgrader.domain.timestamps import Instant


class Job(msgspec.Struct, frozen=True):
    """A management job of GES (ges.md 4.2). `status` is passed on as GES spells it."""

    id: str
    status: str
    name: str | None = None
    graph: str | None = None
    began_at: Instant | None = None
    ended_at: Instant | None = None
    fail_reason: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.status == "success"

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "partiallyFailed")

    @property
    def ended(self) -> bool:
        return self.succeeded or self.failed

    @property
    def of_other_work(self) -> bool:
        """Whether it has a name that is documented, of work that is no upgrade."""
        return self.name in ("ImportGraph", "DeleteGraph")


class Backup(msgspec.Struct, frozen=True):
    """A backup of a graph as GES shows it (ges.md 2.6)."""

    id: str
    graph_id: str
    status: str
    began_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def succeeded(self) -> bool:
        return self.status == "success"

    @property
    def in_progress(self) -> bool:
        return self.status == "backing_up"

    @property
    def made_at(self) -> Instant | None:
        """What its age counts from: its end, so that one that took long is not too old at once."""
        return self.ended_at or self.began_at
