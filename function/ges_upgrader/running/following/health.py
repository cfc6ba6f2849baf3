"""Whether an upgraded graph's engine is healthy, as far as runs have had the time to find out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ges_upgrader.cloud.engine import PATIENCE
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.domain.model import Attempt, Graph, Verdict
from ges_upgrader.planning.verdicts import Judgement, Sightings
from ges_upgrader.running.context import RunContext

if TYPE_CHECKING:
    from ges_upgrader.policy.schema import HealthCheck

LEAST_CHECK = timedelta(seconds=5)  # with less time left no health check is made


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with an engine. `final`: waiting would not help."""

    text: str | None
    final: bool = False


def examined(
    context: RunContext, sightings: Sightings, attempt: Attempt, graph: Graph, check: HealthCheck | bool, success: Judgement
) -> Judgement | None:
    """Success, if the graph's engine passes the health check. One that cannot be made is not passed.

    An engine may need PATIENCE after an upgrade. None: neither this run nor those before gave it that long.
    """
    left = context.left()
    problem = _problem(context, attempt, graph, check) if left >= LEAST_CHECK else None
    if problem is None:
        return None
    if problem.text is None:
        return msgspec.structs.replace(success, detail="the health check passed")
    patient = problem.final or left >= PATIENCE
    if patient or sightings.last_for(attempt.id, Verdict.UNHEALTHY, PATIENCE, context.clock.now()):
        return msgspec.structs.replace(success, verdict=Verdict.UNHEALTHY, detail=problem.text)
    return None


def _problem(context: RunContext, attempt: Attempt, graph: Graph, check: HealthCheck | bool) -> Problem | None:
    """None: the time did not suffice to ask."""
    cypher, rows = (None, None) if isinstance(check, bool) else (check.cypher, check.rows)
    try:
        return Problem(context.engine.health_problem(graph, graph.version or attempt.to_version, cypher, rows))
    except CloudError as error:
        if error.code == "out-of-time":
            return None
        return Problem(f"the health check could not be made: {error}", final=not isinstance(error, Unreachable))
