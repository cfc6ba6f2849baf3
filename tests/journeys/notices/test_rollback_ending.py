"""Before GES no longer rolls an upgrade back, one reminder comes 7 days and one 2 days before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.builders import policy_text
from tests.journeys.runs import TIMER, World, release


def reminders(world: World) -> list[dict[str, Any]]:
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in contents if content.get("kind") == "rollback-ending"]


def pass_days(world: World, days: int) -> None:
    for _ in range(days):
        world.later(days=1)
        world.run(TIMER, seconds=60)


def upgraded(tmp_path: Path, **fields: str) -> World:
    world = World(policy_text("[{max_concurrent: 2, max_failures: 2}]", state=f"file://{tmp_path}", **fields))
    world.graph("a")
    world.graph("b")
    world.run()
    return world


def test_two_reminders_name_the_last_day(tmp_path: Path) -> None:
    """Also if the journal is compacted each day."""
    world = upgraded(tmp_path, journal_keep="1d")
    mail = (world.topic.messages[0].structure or {})["email"]
    assert "2026-12-23" in mail
    pass_days(world, 40)
    assert [(one["at"][:10], one["graph_count"]) for one in reminders(world)] == [("2026-12-16", 2), ("2026-12-21", 2)]
    assert all("until 2026-12-23" in one["detail"] for one in reminders(world))


def test_graph_that_moved_on_needs_no_reminder(tmp_path: Path) -> None:
    world = upgraded(tmp_path)
    for one in world.project.graphs.values():
        one.version = "2.4.4"
    pass_days(world, 35)
    assert reminders(world) == []


def test_reminder_is_sent_only_if_asked_for(tmp_path: Path) -> None:
    world = upgraded(tmp_path)
    topic = world.policy.splitlines()[0].removeprefix("notify: ")
    world.policy = world.policy.replace(topic, f"{{topic: '{topic}', on: [failed]}}", 1)
    pass_days(world, 35)
    assert reminders(world) == []


def test_later_release_ends_the_reminders(tmp_path: Path) -> None:
    world = upgraded(tmp_path)
    pass_days(world, 25)
    world.cloud.release("2.4.16")
    world.run(release("2.4.16"))
    pass_days(world, 20)
    assert [one["version"] for one in reminders(world)] == ["2.4.15"]
