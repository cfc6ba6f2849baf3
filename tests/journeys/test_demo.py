"""The demo fleet tells its story: canary, rollback, soak, window, approval; and some graphs are left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from huaweicloud_simulator import demo
from tests.journeys.runs import TIMER, World, release

POLICY = f"""\
notify: {demo.NOTIFY_TOPIC}
state: obs://{demo.BUCKET}/journal
rules:
  - {{name: dev, match: {{tags: {{env: dev}}}}, max_concurrent: 2, max_failures: 2}}
  - {{name: staging, match: {{tags: {{env: staging}}}}, after: [dev], soak: 24h}}
  - name: prod
    match: {{tags: {{env: prod}}}}
    mode: approve
    windows: ["Sat 02:00-06:00 Asia/Shanghai"]
    after: [staging]
    soak: 24h
"""


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {one["graph"]: one["reason"] for one in result["decisions"]}


def upgraded(world: World) -> list[str]:
    """Graphs in the order in which they were upgraded."""
    names = {graph.id: graph.name for graph in world.project.graphs.values()}
    return [names[upgrade.graph_id] for upgrade in world.cloud.upgrades if upgrade.fate == "success"]


def test_demo_fleet_tells_its_story() -> None:
    world = World(POLICY)
    demo.add_fleet(world.cloud)
    monday = world.run(release(demo.VERSION))
    assert {one["outcome"] for one in monday["outcomes"]} == {"succeeded", "rolled-back"}
    assert upgraded(world) == ["dev_movies"]
    alone = {"archive": "not-running", "fraud": "up-to-date", "pinned": "opted-out", "scratch": "no-rule"}
    assert alone.items() <= reasons(monday).items()
    world.run({"command": "retry", "rule": "dev"})
    assert upgraded(world) == ["dev_movies", "dev_social"]
    assert reasons(world.run(TIMER))["staging_orders"] == "soaking"
    world.later(hours=25)
    world.run(TIMER)
    assert upgraded(world)[2:] == ["staging_orders"]
    world.later(hours=25)
    assert reasons(world.run(TIMER))["orders"] in ("outside-window", "awaiting-approval")
    world.run({"command": "approve", "version": demo.VERSION, "rule": "prod"})
    assert reasons(world.run(TIMER))["orders"] == "outside-window"
    while world.clock.now() < demo.BEGIN + timedelta(days=4, hours=17):
        world.later(hours=1)
    world.run(TIMER)
    assert upgraded(world)[3:] == ["orders"]
    assert {graph.name for graph in world.project.graphs.values() if not graph.jobs} == set(alone)
