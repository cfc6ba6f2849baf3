"""What a run works with: everything that touches the world, and the policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.engine import Engine
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.domain.model import Project
from ges_upgrader.journal.segments import Journal
from ges_upgrader.policy.schema import Policy

if TYPE_CHECKING:
    from ges_upgrader.log import Log


def reserve_of(whole: timedelta) -> timedelta:
    """What a run of that length keeps for writing down, telling and handing on: nothing is looked at or started in it."""
    return min(max(whole / 10, timedelta(seconds=1)), timedelta(seconds=15), whole / 2)


class Shell(msgspec.Struct, frozen=True):
    """`home` is the function's own project; `remaining` is the time until the platform kills the run.

    `reserve` is the last part of it. `function_urn` is the function's own, where the platform tells it.
    """

    policy: Policy
    projects: tuple[Project, ...]
    home: Project
    ges: Ges
    smn: Smn
    engine: Engine
    functiongraph: FunctionGraph
    function_urn: str | None
    journal: Journal
    clock: Clock
    remaining: Callable[[], timedelta]
    reserve: timedelta
    log: Log
    run_id: str

    def left(self) -> timedelta:
        """The time that may still be spent on looking, waiting and starting."""
        return self.remaining() - self.reserve
