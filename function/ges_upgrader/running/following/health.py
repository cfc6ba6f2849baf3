"""Whether a graph's engine is healthy, before its upgrade and after it, as far as runs have had the time to find out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ges_upgrader.cloud.engine import PATIENCE
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.domain.latency import Latency
from ges_upgrader.domain.model import Attempt, Graph, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.planning.health import RUNS, slower, too_slow
from ges_upgrader.planning.verdicts import Judgement, Sightings
from ges_upgrader.running.context import RunContext

if TYPE_CHECKING:
    from ges_upgrader.policy.schema import HealthCheck

LEAST_CHECK = timedelta(seconds=5)  # with less time left no health check is made


class Findings(msgspec.Struct, frozen=True):
    """What a health check found: the `problem`, if there is one, and how long the statements take.

    `final`: waiting would not help. `passing`: an engine may get over it once its caches are warm.
    """

    problem: str | None = None
    latencies: tuple[Latency, ...] = ()
    final: bool = False
    passing: bool = False


def examined(
    context: RunContext, sightings: Sightings, attempt: Attempt, graph: Graph, check: HealthCheck | bool, success: Judgement
) -> Judgement | None:
    """Success, if the graph's engine passes the health check. One that cannot be made is not passed.

    An engine may need PATIENCE after an upgrade. None: neither this run nor those before gave it that long.
    """
    left = context.left()
    found = findings(context, graph, graph.version or attempt.to_version, check) if left >= LEAST_CHECK else None
    if found is None:
        return None
    found = _compared(check, attempt.before, found)
    if found.problem is None:
        return msgspec.structs.replace(success, detail="the health check passed", after=found.latencies)
    patient = found.final or (left >= PATIENCE and not found.passing)
    if patient or sightings.last_for(attempt.id, Verdict.UNHEALTHY, PATIENCE, context.clock.now()):
        return msgspec.structs.replace(success, verdict=Verdict.UNHEALTHY, detail=found.problem, after=found.latencies)
    return None


def _compared(check: HealthCheck | bool, before: tuple[Latency, ...], found: Findings) -> Findings:
    """The findings with what has become slower."""
    if isinstance(check, bool) or found.problem is not None:
        return found
    growth = "; ".join(slower(check, before, found.latencies))
    return msgspec.structs.replace(found, problem=growth, passing=True) if growth else found


def findings(context: RunContext, graph: Graph, expected: Version, check: HealthCheck | bool) -> Findings | None:
    """What the health check finds of a graph that runs the version. None: the run has no time to find out."""
    cypher, rows = (None, None) if isinstance(check, bool) else (check.cypher, check.rows)
    try:
        problem = context.engine.health_problem(graph, expected, cypher, rows)
        if problem is not None or isinstance(check, bool):
            return Findings(problem)
        return _measured(context, graph, check)
    except CloudError as error:
        if error.code == "out-of-time":
            return None
        return Findings(f"the health check could not be made: {error}", final=not isinstance(error, Unreachable))


def _measured(context: RunContext, graph: Graph, check: HealthCheck) -> Findings:
    """Raises CloudError."""
    latencies: list[Latency] = []
    slow: list[str] = []
    for statement in check.statements:
        taken = context.engine.timed(graph, statement.cypher, statement.rows, RUNS)
        if isinstance(taken, str):
            return Findings(f"{statement.name}: {taken}", tuple(latencies))
        latency = Latency(statement.name, round(taken / timedelta(milliseconds=1), 3))
        latencies.append(latency)
        slow += filter(None, [too_slow(statement, latency)])
    return Findings("; ".join(slow) or None, tuple(latencies), passing=bool(slow))
