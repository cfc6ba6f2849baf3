"""Log groups with their streams, alarm rules, and metrics that were reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ..clock import Clock


@dataclass(slots=True)
class Group:
    name: str
    project_id: str
    days: int
    created: int  # ms
    id: str = field(default_factory=lambda: str(uuid4()))
    streams: dict[str, str] = field(default_factory=dict)  # name by id


class State:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.groups: dict[str, Group] = {}  # by id
        self.alarms: dict[str, dict[str, Any]] = {}  # keyword alarm rules by id
        self.metrics: list[dict[str, Any]] = []

    def now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)
