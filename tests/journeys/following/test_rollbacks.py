"""An operator's rollback on the console is not undone: GES rolls the data back with the version."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from huaweicloud_simulator.ges.models import Graph
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, only, release

LATER, MUCH_LATER = timedelta(minutes=10), timedelta(days=25)


def notices(world: World, kind: str) -> list[dict[str, Any]]:
    """What subscribers got of one kind of notice."""
    sent = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in sent if kind in (one.get("kind"), one.get("notice"))]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(policy("[{max_failures: 3}]", state=f"file://{tmp_path}"))


def upgraded(world: World, **fields: Any) -> Graph:
    graph = world.graph(**fields)
    world.run(release("2.4.9"))
    assert graph.version == "2.4.9"
    world.run()
    assert graph.version == "2.4.15"
    return graph


def by_console(world: World, graph: Graph) -> None:
    graph.roll_back()
    world.later(minutes=6)


def to_a_version_never_seen(world: World, graph: Graph) -> None:
    graph.version = "2.4.7"


def in_a_run(world: World, graph: Graph) -> None:
    world.cloud.meanwhile("ges.list_graphs", graph.roll_back)
    world.run(TIMER)
    world.later(minutes=6)


@pytest.mark.parametrize("roll_back", [by_console, to_a_version_never_seen, in_a_run])
@pytest.mark.parametrize("after", [timedelta(), LATER, MUCH_LATER])
def test_rollback_by_hand_is_kept(world: World, roll_back: Callable[[World, Graph], None], after: timedelta) -> None:
    graph = upgraded(world)
    world.later(seconds=after.total_seconds())
    roll_back(world, graph)
    version, upgrades = graph.version, len(world.cloud.upgrades)
    for pause in (timedelta(), LATER, MUCH_LATER, MUCH_LATER, timedelta(days=400)):
        world.later(seconds=pause.total_seconds())
        world.forget()
        decision = only(world.run(TIMER))
        assert (decision["action"], decision["reason"]) == ("blocked", "quarantined")
        world.run(release("2.4.15"))
    assert (graph.version, len(world.cloud.upgrades)) == (version, upgrades)
    (notice,) = notices(world, "set-aside")
    assert '{"command":"retry","graph":"demo"}' in notice["detail"].replace(": ", ":").replace(", ", ",")


def test_rollback_after_unhealthy_is_kept(tmp_path: Path) -> None:
    world = World(policy("[{health_check: true}]", state=f"file://{tmp_path}"))
    graph = world.graph()
    graph.sick = True
    world.run()
    assert world.told() == ["unhealthy"]
    by_console(world, graph)
    world.run({"command": "retry", "rule": "rule-1"})
    assert graph.version == "2.4.15"  # asked for
    graph.roll_back()
    world.later(minutes=6)
    assert only(world.run(TIMER))["reason"] == "quarantined"
    assert graph.version == "2.4.4"


def test_rollback_while_the_upgrade_is_followed_is_kept(world: World) -> None:
    world.cloud.release("2.4.10")
    graph = world.graph()
    world.run(release("2.4.10"), seconds=60)
    world.later(minutes=13)
    by_console(world, graph)
    outcomes = world.run(TIMER)["outcomes"]
    assert [one["outcome"] for one in outcomes] == ["version-unchanged"]
    for event in (release("2.4.9"), TIMER):
        assert only(world.run(event))["reason"] == "quarantined"
    assert (graph.version, len(world.cloud.upgrades)) == ("2.4.4", 1)


def test_rollback_of_adopted_upgrade_is_kept(world: World) -> None:
    state = world.policy
    world.policy = policy("[{}]")  # without memory an upgrade is adopted
    graph = world.graph()
    graph.begin_upgrade("2.4.9", force=False)
    world.run(release("2.4.9"))
    assert world.told() == ["succeeded"]
    by_console(world, graph)
    assert only(world.run(release("2.4.9")))["reason"] == "quarantined"
    assert len(world.cloud.upgrades) == 1
    assert state != world.policy


def test_rollback_is_not_adopted_as_upgrade() -> None:
    world = World()
    graph = world.graph()
    world.run()
    graph.roll_back()
    world.forget()
    world.run(TIMER, seconds=60)
    assert world.told() == ["succeeded"]


def test_newer_version_ends_what_was_set_aside(world: World) -> None:
    graph = upgraded(world)
    by_console(world, graph)
    world.cloud.release("2.4.16")
    world.run(release("2.4.16"))
    assert graph.version == "2.4.16"
    assert only(world.run(TIMER))["reason"] == "up-to-date"


def test_newer_version_that_fails_does_not_bring_it_back(world: World) -> None:
    graph = upgraded(world)
    by_console(world, graph)
    world.cloud.release("2.4.16")
    graph.next_upgrade("failed")
    world.run(release("2.4.16"))
    assert only(world.run(TIMER))["reason"] == "quarantined"
    assert len(world.cloud.upgrades) == 3


@pytest.mark.parametrize("by", ["graph", "rule"])
def test_retry_upgrades_again(world: World, by: str) -> None:
    graph = upgraded(world)
    by_console(world, graph)
    assert only(world.run(TIMER))["reason"] == "quarantined"
    world.run({"command": "retry", by: "demo" if by == "graph" else "rule-1"})
    assert graph.version == "2.4.15"
    by_console(world, graph)
    assert only(world.run(TIMER))["reason"] == "quarantined"
    assert len(notices(world, "set-aside")) == 2


def test_retry_before_a_rollback_does_not_allow_it(world: World) -> None:
    graph = upgraded(world)
    world.run({"command": "retry", "graph": "demo"})
    by_console(world, graph)
    assert only(world.run(TIMER))["reason"] == "quarantined"


def test_only_the_rolled_back_graph_is_set_aside(world: World) -> None:
    graph = upgraded(world)
    by_console(world, graph)
    world.graph("other", version="2.4.9")
    result = world.run(TIMER)
    assert {one["graph"]: one["reason"] for one in result["decisions"]} == {"demo": "quarantined", "other": "due"}


def test_failed_upgrade_is_no_rollback_by_hand(world: World) -> None:
    graph = world.graph()
    graph.next_upgrade("failed")
    world.run()
    world.run({"command": "retry", "graph": "demo"})
    assert graph.version == "2.4.15"
    assert notices(world, "set-aside") == []


def test_graphs_rolled_back_together_share_a_notice(tmp_path: Path) -> None:
    world = World(policy("[{max_concurrent: 5}]", state=f"file://{tmp_path}"))
    graphs = [world.graph(name) for name in ("a", "b", "c")]
    world.run()
    for graph in graphs:
        graph.roll_back()
    world.later(minutes=6)
    world.cloud.fault("smn.publish", faults.html(503), times=None)
    world.run(TIMER)
    world.cloud.clear_faults()
    world.later(hours=2)
    world.run(TIMER)
    (notice,) = notices(world, "set-aside")
    assert notice["graph_count"] == 3
