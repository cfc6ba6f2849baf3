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


def examined(
    context: RunContext, sightings: Sightings, attempt: Attempt, graph: Graph, check: HealthCheck | bool, success: Judgement
) -> Judgement | None:
    """Success, if the graph's engine passes the health check. One that cannot be made is not passed.

    An engine may need PATIENCE after an upgrade. None: neither this run nor those before gave it that long.
    """
    cypher, rows = (None, None) if isinstance(check, bool) else (check.cypher, check.rows)
    left, patient = context.left(), False
    if left < LEAST_CHECK:
        return None
    try:
        problem = context.engine.health_problem(graph, graph.version or attempt.to_version, cypher, rows)
    except CloudError as error:
        if error.code == "out-of-time":
            return None
        problem = f"the health check could not be made: {error}"
        patient = not isinstance(error, Unreachable)
    if problem is None:
        return msgspec.structs.replace(success, detail="the health check passed")
    now = context.clock.now()
    if patient or left >= PATIENCE or sightings.last_for(attempt.id, Verdict.UNHEALTHY, PATIENCE, now):
        return msgspec.structs.replace(success, verdict=Verdict.UNHEALTHY, detail=problem)
    return None
