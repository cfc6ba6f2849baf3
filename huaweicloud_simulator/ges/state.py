"""What all graphs of a simulated GES share: the clock, how long things take, limits, and what happened."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from ..clock import Clock
from .upgrades import Upgrade


@dataclass(slots=True)
class State:
    clock: Clock
    upgrade_duration: timedelta = timedelta(minutes=12)
    backup_duration: timedelta = timedelta(minutes=1)
    operation_duration: timedelta = timedelta(minutes=5)  # of another operator's operation
    backup_quota: int = 7  # backups in a project
    largest_page: int | None = None  # items in a page of a list, whatever the client asks for
    releases: set[str] = field(default_factory=set)  # versions that GES accepts as targets
    accepts_unknown_versions: bool = False  # False: GES.0001 for all others (ges.md 2.4, inferred)
    upgrades: list[Upgrade] = field(default_factory=list)  # every accepted one, in order
    numbers: Iterator[int] = field(default_factory=itertools.count)  # of graphs, never given again
