"""Since when projects cannot be observed. Pure."""

from __future__ import annotations

from ges_upgrader.history.records import Observed, Unobserved


class Observations:
    """`blind` holds, by region and project id, the record of when observing a project began to fail."""

    def __init__(self) -> None:
        self.blind: dict[tuple[str, str], Unobserved] = {}

    def lose(self, record: Unobserved) -> None:
        self.blind.setdefault((record.region, record.project_id), record)

    def recover(self, record: Observed) -> None:
        self.blind.pop((record.region, record.project_id), None)
