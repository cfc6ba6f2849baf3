"""A graph that stays behind an allowed release for longer than the rule's `overdue` is reported, again every 30 days."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import policy_text
from tests.journeys.runs import TIMER, World, release


def overdue(world: World) -> list[dict[str, Any]]:
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in contents if content.get("kind") == "overdue"]


def pass_days(world: World, days: int) -> None:
    for _ in range(days):
        world.later(days=1)
        world.run(TIMER, seconds=60)


def waiting(tmp_path: Path, rule: str = "mode: approve", **fields: str) -> World:
    world = World(policy_text(f"[{{overdue: 10d, {rule}}}]", state=f"file://{tmp_path}", **fields))
    world.graph("a")
    world.graph("b")
    world.run()
    return world


def test_graph_that_stays_behind_is_reported_once(tmp_path: Path) -> None:
    world = waiting(tmp_path)
    pass_days(world, 9)
    assert overdue(world) == []
    pass_days(world, 25)
    (notice,) = overdue(world)
    assert (notice["rule"], notice["version"], notice["graph_count"]) == ("rule-1", "2.4.15", 2)
    assert "awaiting-approval (2)" in notice["detail"] and "overdue of 10d" in notice["detail"]


def test_overdue_graph_is_reported_again_every_30_days(tmp_path: Path) -> None:
    """A journal that is compacted each day remembers it."""
    world = waiting(tmp_path, journal_keep="1d")
    pass_days(world, 75)
    assert [notice["at"][:10] for notice in overdue(world)] == ["2026-12-03", "2027-01-02", "2027-02-01"]


def test_newer_release_does_not_begin_anew(tmp_path: Path) -> None:
    world = waiting(tmp_path)
    pass_days(world, 8)
    world.cloud.release("2.4.16")
    world.run(release("2.4.16"), seconds=60)
    pass_days(world, 3)
    assert [notice["version"] for notice in overdue(world)] == ["2.4.15"]


@pytest.mark.parametrize("rule", ["versions: '<2.4.15'", "mode: auto"])
def test_graph_that_lacks_nothing_is_not_overdue(tmp_path: Path, rule: str) -> None:
    world = waiting(tmp_path, rule)
    pass_days(world, 15)
    assert overdue(world) == []


def test_rolled_back_graph_is_not_overdue(tmp_path: Path) -> None:
    world = waiting(tmp_path, "mode: auto")
    for one in world.project.graphs.values():
        assert one.version == "2.4.15"
        one.version = "2.4.4"
    pass_days(world, 15)
    assert overdue(world) == []


@pytest.mark.parametrize(("on", "sent"), [("[blocked]", 1), ("[overdue]", 1), ("[succeeded]", 0)])
def test_overdue_is_sent_as_the_policy_says(tmp_path: Path, on: str, sent: int) -> None:
    world = waiting(tmp_path)
    topic = world.policy.splitlines()[0].removeprefix("notify: ")
    world.policy = world.policy.replace(topic, f"{{topic: '{topic}', on: {on}}}", 1)
    pass_days(world, 12)
    assert len(overdue(world)) == sent
