"""What a run works with: everything that touches the world, and the policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from .clock import Clock
from .cloud.engine import Engine
from .cloud.functiongraph import FunctionGraph
from .cloud.ges import Ges
from .cloud.smn import Smn
from .journal import Journal
from .model import Project
from .policy import Policy

if TYPE_CHECKING:
    from .log import Log


class Shell(msgspec.Struct, frozen=True):
    """`home` is the function's own project; `remaining` is the time until the platform kills the run.

    `function_urn` is the function's own, where the platform tells it.
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
    log: Log
    run_id: str
