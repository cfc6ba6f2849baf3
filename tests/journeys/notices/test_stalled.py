"""A rollout in which nothing moves is reported after a week, and again every 30 days."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from huaweicloud_simulator import faults
from tests.builders import policy_text
from tests.journeys.runs import TIMER, World

WAVES = "[{name: dev, match: {name: 'dev*'}}, {name: prod, after: [dev]}]"


def notices(world: World) -> list[dict[str, Any]]:
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in contents if content.get("kind") == "stalled"]


def pass_days(world: World, days: int) -> None:
    for _ in range(days):
        world.later(days=1)
        world.run(TIMER, seconds=60)


def stopped_dev(tmp_path: Path, rules: str = WAVES) -> World:
    """One graph of dev is stopped, so that prod waits for it."""
    world = World(policy_text(rules, state=f"file://{tmp_path}"))
    world.graph("dev_ok")
    world.graph("dev_stopped", status="900")
    world.graph("prod_1")
    world.run()
    return world


def test_rule_that_waits_for_a_stopped_graph_is_reported(tmp_path: Path) -> None:
    world = stopped_dev(tmp_path)
    pass_days(world, 6)
    assert notices(world) == []
    pass_days(world, 2)
    (notice,) = notices(world)
    assert (notice["rule"], notice["version"], notice["graph_count"]) == ("prod", "2.4.15", 1)
    assert "dev_stopped: not-running" in notice["detail"]


def test_stalled_rule_is_reported_again_every_30_days(tmp_path: Path) -> None:
    world = stopped_dev(tmp_path)
    pass_days(world, 36)
    assert len(notices(world)) == 1
    pass_days(world, 33)
    assert len(notices(world)) == 3


def test_rule_that_waits_for_a_window_has_not_stalled(tmp_path: Path) -> None:
    rules = "[{name: dev, match: {name: 'dev*'}, windows: ['Wed 02:00-06:00 UTC']}, {name: prod, after: [dev], soak: 20d}]"
    world = World(policy_text(rules, state=f"file://{tmp_path}"))
    world.graph("dev_1")
    world.graph("prod_1")
    world.run(seconds=60)
    world.cloud.fault("ges.upgrade_graph", faults.error(400, "GES.7004", "busy"), times=3)
    pass_days(world, 30)
    assert notices(world) == []


def test_rule_that_moves_has_not_stalled(tmp_path: Path) -> None:
    rules = "[{windows: ['Wed 02:00-02:40 UTC'], cutoff: 30m}]"
    world = World(policy_text(rules, state=f"file://{tmp_path}"))
    for number in range(4):
        world.graph(f"g{number}")
    world.run(seconds=60)
    for _ in range(24 * 30):
        world.later(hours=1)
        world.run(TIMER, seconds=60)
    assert notices(world) == []


def test_place_that_is_never_free_is_reported(tmp_path: Path) -> None:
    world = World(policy_text("[{max_concurrent: 1}]", state=f"file://{tmp_path}"))
    world.cloud.upgrade_duration = timedelta(days=60)
    world.graph("a")
    world.graph("b")
    world.run(seconds=60)
    pass_days(world, 6)
    assert notices(world) == []
    pass_days(world, 2)
    (notice,) = notices(world)
    assert "upgrading" in notice["detail"]


def test_stall_that_ends_and_returns_is_reported_anew(tmp_path: Path) -> None:
    world = stopped_dev(tmp_path)
    pass_days(world, 10)
    stopped = next(graph for graph in world.project.graphs.values() if graph.name == "dev_stopped")
    stopped.status = "200"
    pass_days(world, 3)
    assert all(graph.version == "2.4.15" for graph in world.project.graphs.values())
    stuck = world.graph("dev_new", status="900")
    world.graph("prod_2")
    pass_days(world, 9)
    assert stuck.version == "2.4.4"
    assert len(notices(world)) == 2
