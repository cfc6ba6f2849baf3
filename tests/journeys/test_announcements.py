"""What messages make of a fleet: they teach, withdraw, hold versions and raise notices, through the handler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.announcements.corpus import samples
from tests.builders import policy_text
from tests.journeys.runs import NOW, TIMER, World, message, only, release

RECALL = "GES 2.4.15 has been recalled. Do not upgrade."
LATER = "[{windows: ['Mon 04:00-06:00 UTC']}]"  # two hours after NOW


def lasting(tmp_path: Path, rules: str = "[{}]", **fields: str) -> World:
    world = World(policy_text(rules, state=f"file://{tmp_path}", **fields))
    world.graph()
    return world


def notices(world: World) -> list[dict[str, Any]]:
    return [json.loads((one.structure or {})["default"]) for one in world.topic.messages]


@pytest.mark.parametrize(
    "text",
    [
        '{"version": "2.4.15"}',
        '{"service": "图引擎服务", "data": {"version": "２．４．１５"}}',
        '{"specversion": "1.0", "type": "com.example.ges.version.released", "source": "/ci", "data": {"version": "2.4.15"}}',
        "GES 2.4.15 is now available.",
        "尊敬的客户：图引擎服务（GES）2.4.15 版本已正式发布，请尽快升级。",
    ],
)
def test_announcement_upgrades(text: str) -> None:
    world = World()
    world.graph()
    assert only(world.run(message(text)))["reason"] == "up-to-date" or world.cloud.upgrades
    assert world.told() == ["succeeded"]


def test_corpus_starts_nothing_that_was_not_announced(tmp_path: Path) -> None:
    """Every message that announces nothing, in one event. Each unclear one is told once, however often it comes."""
    world = lasting(tmp_path)
    event: dict[str, Any] = {"record": []}
    for sample in samples():
        if sample.reading.startswith(("unclear", "foreign")) and not sample.named_topic:
            (record,) = message(sample.text)["record"]
            record["smn"]["subject"] = sample.subject
            event["record"].append(record)
    result = world.run(event)
    assert (only(result)["reason"], world.cloud.upgrades) == ("no-release", [])


def test_unclear_text_is_told_once_a_day_with_its_commands(tmp_path: Path) -> None:
    world = lasting(tmp_path)
    first = world.run(message(RECALL, "m1"))
    world.run(message(RECALL, "m2"))
    (notice,) = notices(world)
    assert notice["kind"] == "unclear"
    assert '{"command": "withdraw", "version": "2.4.15"}' in notice["detail"]
    assert '{"command": "release", "version": "2.4.15"}' in notice["detail"]
    assert any(RECALL in error for error in first["errors"])


def test_event_without_understood_message_starts_nothing(tmp_path: Path) -> None:
    world = lasting(tmp_path, releases="[{version: 2.4.15}]")
    result = world.run(message("GES 2.4.9 and 2.4.15 are available"))
    assert (only(result)["action"], only(result)["reason"], result["dry_run"]) == ("wait", "due", False)
    assert world.cloud.upgrades == []
    world.run(TIMER)
    assert len(world.cloud.upgrades) == 1


def test_event_without_understood_message_follows_what_runs(tmp_path: Path) -> None:
    world = lasting(tmp_path)
    pending = world.run(seconds=20)["pending"]
    assert pending
    result = world.run(message("hello"))
    assert [outcome["outcome"] for outcome in result["outcomes"]] == ["succeeded"]
    assert world.told() == ["succeeded"]


def test_event_without_understood_message_waits_for_no_start(tmp_path: Path) -> None:
    world = lasting(tmp_path, LATER, releases="[{version: 2.4.15}]")
    world.run(message("hello"), seconds=4 * 3600)
    assert (world.clock.now(), world.cloud.upgrades) == (NOW, [])


@pytest.mark.parametrize(
    "text",
    [
        RECALL,
        "图引擎服务 GES 2.4.15 版本存在问题，现已撤回，请勿升级。",
        '{"service": "GES", "event": "ges.version.withdrawn", "version": "2.4.15",}',
        '{"service": "GES", "version": "2.4.15", "status": "recalled"}',
    ],
)
def test_warning_holds_a_known_version_until_a_command_decides(text: str, tmp_path: Path) -> None:
    world = lasting(tmp_path, LATER)
    world.run(release("2.4.15"))
    world.run(message(text))
    world.later(hours=2)
    held = only(world.run(TIMER))
    assert (held["reason"], world.cloud.upgrades) == ("quarantined", [])
    world.run({"command": "release", "version": "2.4.15"})
    assert world.told() == ["notice", "succeeded"]


def test_warning_that_comes_again_does_not_undo_the_decision(tmp_path: Path) -> None:
    world = lasting(tmp_path, LATER)
    world.run(release("2.4.15"))
    world.run(message(RECALL))
    world.run({"command": "release", "version": "2.4.15"})
    world.run(message(RECALL, "m2"))
    world.later(hours=2)
    world.run(TIMER)
    assert world.told() == ["notice", "succeeded"]


def test_warning_of_an_unknown_version_holds_nothing(tmp_path: Path) -> None:
    world = lasting(tmp_path, LATER)
    world.run(message("GES 2.4.16 has been recalled."))
    world.run(release("2.4.15"))
    world.later(hours=2)
    world.run(TIMER)
    assert world.told() == ["notice", "succeeded"]


def test_wrapped_withdrawal_withdraws(tmp_path: Path) -> None:
    world = lasting(tmp_path, LATER)
    world.run(release("2.4.15"))
    world.run(message('{"event": "ges.version.withdrawn", "data": {"service": "GES", "version": "2.4.15"}}'))
    world.later(hours=2)
    assert (only(world.run(TIMER))["reason"], world.cloud.upgrades) == ("no-release", [])


def test_envelope_restricts() -> None:
    for outside in ({"targets": {"graph_names": ["other"]}}, {"not_before": "2026-12-24T00:00:00Z"}, {"region": "cn-east-3"}):
        world = World()
        world.graph()
        world.run(message(json.dumps({**outside, "data": {"version": "2.4.15"}})))
        assert world.cloud.upgrades == []
    dry = world.run(message(json.dumps({"dry_run": True, "data": {"version": "2.4.15"}})))
    assert (only(dry)["reason"], dry["dry_run"], world.cloud.upgrades) == ("due", True, [])


def test_soak_counts_from_the_first_message(tmp_path: Path) -> None:
    world = lasting(tmp_path)
    for _ in range(3):
        world.run(release("2.4.15", soak_hours=72), seconds=60)
        world.later(hours=24)
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_strange_topic_moves_nothing(tmp_path: Path) -> None:
    world = lasting(tmp_path, release_topics="['urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:trusted']")
    result = world.run(message(RECALL))
    assert (world.topic.messages, world.cloud.upgrades) == ([], [])
    assert "not believed" in result["errors"][0]


def test_spelling_with_a_fourth_zero_upgrades() -> None:
    world = World()
    world.graph()
    world.run(message('{"version": "2.4.15.0"}'))
    assert world.told() == ["succeeded"]
