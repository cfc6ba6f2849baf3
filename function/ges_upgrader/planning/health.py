"""Whether a graph is as quick after its upgrade as before, judged from what the health check measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ges_upgrader.domain.latency import Latency
from ges_upgrader.policy.schema import HealthCheck, Statement

RUNS = 5  # of each statement, whose median counts
NEGLIGIBLE = 20.0  # milliseconds: what answers faster has not become slower, by whatever factor


def too_slow(statement: Statement, measured: Latency) -> str | None:
    """How a statement exceeds its own limit; None: it does not, or has none."""
    if statement.max_latency is None:
        return None
    limit = statement.max_latency.total_seconds() * 1000
    if measured.milliseconds <= limit:
        return None
    return f"{statement.name} takes {_shown(measured.milliseconds)}, more than its max_latency of {_shown(limit)}"


def slower(check: HealthCheck, before: Iterable[Latency], after: Iterable[Latency]) -> Iterator[str]:
    """The statements that have become slower than `max_growth` allows. One that was not measured before has not."""
    known = {one.name: one.milliseconds for one in before}
    for one in after:
        was = known.get(one.name)
        if was is not None and one.milliseconds > max(NEGLIGIBLE, was * check.max_growth):
            yield (
                f"{one.name} takes {_shown(one.milliseconds)}, more than {check.max_growth:g} times the "
                f"{_shown(was)} before the upgrade"
            )


def compared(before: Iterable[Latency], after: Iterable[Latency]) -> list[tuple[str, str, str]]:
    """The rows of a table: each statement's name, and how long it took before and after, in words."""
    known = {one.name: one.milliseconds for one in before}
    return [(one.name, _shown(known[one.name]) if one.name in known else "unknown", _shown(one.milliseconds)) for one in after]


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
