"""A version that GES seems not to know is set aside for the graph (interface.md, Announcements)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, only, release

UNKNOWN = "2.4.99"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(policy("[{}]", state=f"file://{tmp_path}"))


def notices(world: World) -> list[dict[str, Any]]:
    sent = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in sent if "set-aside" in (one.get("kind"), one.get("notice"))]


def targets(world: World) -> list[str]:
    return [json.loads(call.body)["upgrade_version"] for call in world.cloud.calls("ges.upgrade_graph")]


def test_next_lower_version_is_taken(world: World) -> None:
    graph = world.graph()
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
    world.run(release("2.4.9"))
    world.cloud.clear_faults()
    world.run(release(UNKNOWN), seconds=60)
    assert (graph.version, only(world.run(TIMER, seconds=60))["reason"]) == ("2.4.4", "refused")
    for _ in range(4):
        world.later(minutes=20)
        world.run(TIMER)
    assert graph.version == "2.4.9"
    (notice,) = notices(world)
    assert "withdraw" in notice["detail"] and UNKNOWN in notice["detail"]


def set_aside(world: World) -> None:
    world.graph()
    world.run(release(UNKNOWN), seconds=60)
    for _ in range(4):
        world.later(minutes=20)
        world.run(TIMER, seconds=60)
    assert only(world.run(TIMER))["reason"] == "quarantined"


def test_it_is_tried_again_after_seven_days(world: World) -> None:
    set_aside(world)
    calls = len(targets(world))
    world.later(days=6, hours=20)
    world.run(TIMER, seconds=60)
    assert len(targets(world)) == calls
    world.later(hours=5)
    world.run(TIMER, seconds=60)
    assert len(targets(world)) == calls + 1
    assert only(world.run(TIMER, seconds=60))["reason"] == "quarantined"
    assert len(notices(world)) == 1


@pytest.mark.parametrize("argument", [{"graph": "demo"}, {"rule": "rule-1"}, {"version": UNKNOWN}])
def test_it_is_tried_again_after_retry(world: World, argument: dict[str, str]) -> None:
    set_aside(world)
    world.cloud.release(UNKNOWN)
    world.run({"command": "retry", **argument})
    assert only(world.run(TIMER))["reason"] == "up-to-date"


@pytest.mark.parametrize(
    ("status", "code"), [(400, "GES.7036"), (400, "GES.7001"), (403, "GES.0001"), (429, "APIGW.0308"), (400, "APIGW.0301")]
)
def test_other_refusals_set_nothing_aside(world: World, status: int, code: str) -> None:
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.error(status, code, "refused"), times=None)
    for _ in range(6):
        world.run(release("2.4.15"), seconds=60)
        world.later(minutes=20)
    assert only(world.run(TIMER, seconds=60))["reason"] != "quarantined"
    assert notices(world) == []


def test_one_refusal_sets_nothing_aside(world: World) -> None:
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.error(400, "GES.0001", "Parameter error."))
    world.run(release("2.4.15"), seconds=60)
    world.later(hours=1)
    world.run(TIMER)
    assert graph.version == "2.4.15"
    assert notices(world) == []
