"""What the health check's statements show before an upgrade and after it. A graph that fails them before is not touched."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from huaweicloud_simulator.ges.models import Graph
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World

COUNT = "MATCH (n) RETURN count(n)"
STATEMENT = f"{{name: count, cypher: '{COUNT}', rows: [[3]], max_latency: 2s}}"
CHECK = f"health_check: {{statements: [{STATEMENT}], max_growth: 1.5}}"
QUICK, SLOWER, SLOW = timedelta(milliseconds=100), timedelta(milliseconds=200), timedelta(seconds=3)


def world_under(tmp_path: Path, rule: str = "") -> World:
    return World(policy(f"[{{{CHECK}{rule}}}]", state=f"file://{tmp_path}"))


def measured(world: World, name: str = "demo", before: timedelta = QUICK, after: timedelta = QUICK) -> Graph:
    graph = world.graph(name)
    graph.answers[COUNT] = [[3]]
    graph.query_times = {"2.4.4": before, "2.4.15": after}
    return graph


def message(world: World, kind: str) -> tuple[dict[str, Any], str]:
    structures = [one.structure or {} for one in world.topic.messages]
    found = [(json.loads(one["default"]), one["email"]) for one in structures]
    return next((told, mail) for told, mail in found if kind in (told.get("kind"), told.get("outcome")))


def calls(world: World) -> int:
    return len(world.cloud.calls("ges.upgrade_graph"))


def test_healthy_upgrade_reports_both_latencies(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    measured(world)
    assert [one["outcome"] for one in world.run()["outcomes"]] == ["succeeded"]
    result, mail = message(world, "succeeded")
    assert result["latencies"] == [{"name": "count", "before_ms": 100.0, "after_ms": 100.0}]
    assert "  count                   100 ms before,    100 ms after\n" in mail


def test_slower_engine_is_unhealthy(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    measured(world, after=SLOWER)
    (outcome,) = world.run()["outcomes"]
    assert outcome["outcome"] == "unhealthy"
    assert outcome["detail"] == "count takes 200 ms, more than 1.5 times the 100 ms before the upgrade"
    assert "100 ms before,    200 ms after" in message(world, "unhealthy")[1]


def test_engine_that_warms_up_is_healthy(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    graph = measured(world, after=SLOWER)
    world.run(seconds=50)
    graph.query_times = {}
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_wrong_row_after_the_upgrade_is_unhealthy(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    graph = measured(world)
    world.cloud.upgrade_duration = timedelta(minutes=10)
    world.run(seconds=60)
    graph.answers[COUNT] = [[2]]
    world.later(minutes=15)
    (outcome,) = world.run(TIMER)["outcomes"]
    assert (outcome["outcome"], outcome["detail"]) == (
        "unhealthy",
        "count: the statement of the health check gives [[2]], not [[3]]",
    )


@pytest.mark.parametrize(
    ("ailing", "why"),
    [
        ("rows", "count: the statement of the health check gives [[2]], not [[3]]"),
        ("slow", "count takes 3000 ms, more than its max_latency of 2000 ms"),
        ("sick", "the engine does not say its version: GES.8602"),
        ("no way in", "the health check could not be made"),
        ("no token", "the function has no IAM token"),
    ],
)
def test_unfit_graph_is_not_started(tmp_path: Path, ailing: str, why: str) -> None:
    world = world_under(tmp_path)
    graph = measured(world, before=SLOW if ailing == "slow" else QUICK)
    graph.answers[COUNT] = [[2]] if ailing == "rows" else [[3]]
    graph.sick = ailing == "sick"
    if ailing == "no way in":
        world.cloud.fault("engine.version", faults.read_timeout(acts=False), times=None)
    world.token = None if ailing == "no token" else world.token
    (decision,) = world.run()["decisions"]
    assert (decision["action"], decision["reason"]) == ("blocked", "unhealthy-before")
    assert calls(world) == 0
    assert graph.version == "2.4.4"
    notice, mail = message(world, "unhealthy-before")
    assert why in notice["detail"]
    assert "Nothing was changed." in mail
    assert '{"command":"retry","graph":"demo"}' in mail.replace(", ", ",").replace(": ", ":")


def test_graph_that_recovers_is_upgraded(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    graph = measured(world)
    graph.answers[COUNT] = [[2]]
    for _ in range(3):
        world.run(TIMER if world.topic.messages else None)
        world.later(minutes=1)
    assert len(world.topic.messages) == 1
    graph.answers[COUNT] = [[3]]
    world.later(hours=1)
    world.run(TIMER)
    assert graph.version == "2.4.15"


def test_unfit_graph_takes_no_place(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    measured(world, "a").answers[COUNT] = [[2]]
    measured(world, "b")
    world.run()
    assert [graph.version for graph in world.project.graphs.values()] == ["2.4.4", "2.4.15"]


def test_short_run_leaves_the_start_to_the_next(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    graph = measured(world, before=timedelta(seconds=2))
    (decision,) = world.run(seconds=15)["decisions"]
    assert (decision["action"], decision["reason"]) == ("wait", "due")
    assert calls(world) == 0
    world.run(TIMER)
    assert graph.version == "2.4.15"


def test_plan_measures_nothing(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    measured(world)
    world.run({"command": "plan"})
    assert not world.cloud.calls("engine.version")
