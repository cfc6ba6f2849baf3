"""What counts as slow, and as slower than before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.duration import Latency as Limit
from ges_upgrader.domain.latency import Latency
from ges_upgrader.planning.health import NEGLIGIBLE, compared, slower, too_slow
from ges_upgrader.policy.schema import HealthCheck, Statement

MEASURED = st.floats(min_value=0, max_value=1e6, allow_nan=False)


def of(milliseconds: float, name: str = "count") -> Latency:
    return Latency(name, milliseconds)


def growth(before: float, after: float, most: float = 1.5) -> list[str]:
    return list(slower(HealthCheck(max_growth=most), [of(before)], [of(after)]))


@pytest.mark.parametrize(("milliseconds", "slow"), [(500, False), (500.1, True)])
def test_latency_above_its_limit_is_slow(milliseconds: float, slow: bool) -> None:
    statement = Statement("count", "MATCH (n) RETURN n", max_latency=Limit.parse("500ms"))
    assert (too_slow(statement, of(milliseconds)) is not None) == slow


def test_statement_without_a_limit_is_never_slow() -> None:
    assert too_slow(Statement("count", "MATCH (n) RETURN n"), of(1e6)) is None


@pytest.mark.parametrize(("before", "after", "grown"), [(100, 150, False), (100, 151, True), (1, 20, False), (1, 21, True)])
def test_growth_beyond_the_factor_is_slower(before: float, after: float, grown: bool) -> None:
    assert bool(growth(before, after)) == grown


def test_statement_unknown_before_is_not_slower() -> None:
    assert not list(slower(HealthCheck(), [], [of(1e6)]))
    assert compared([], [of(5)]) == [("count", "unknown", "5.0 ms")]


@given(MEASURED, MEASURED, MEASURED, st.floats(min_value=1, max_value=10))
def test_slower_answers_never_pass_what_quicker_fail(before: float, one: float, other: float, most: float) -> None:
    quick, slow = sorted([one, other])
    if growth(before, quick, most):
        assert growth(before, slow, most)


@given(MEASURED)
def test_same_latency_is_never_slower(milliseconds: float) -> None:
    assert not growth(milliseconds, milliseconds)
    assert not growth(0, min(milliseconds, NEGLIGIBLE))
