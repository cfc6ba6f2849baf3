"""What was announced is kept: no start is earlier than announced without a message of its own, `notice` before it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from huaweicloud_simulator.faults import Fault
from huaweicloud_simulator.wire import Response
from tests.builders import TOPIC, at, policy_text
from tests.journeys.runs import TIMER, World, only

SATURDAY, WEDNESDAY = at("2026-11-28 02:00"), at("2026-11-25 02:00")  # the first run is on Monday, 2026-11-23


def windowed(path: Path, day: str, notice: str = "24h", **fields: str) -> str:
    return policy_text(f"[{{notice: {notice}, windows: ['{day} 02:00-06:00 UTC']}}]", state=f"file://{path}", **fields)


def announced(world: World) -> list[tuple[datetime, datetime]]:
    """When each announcement was sent, and the start that it names."""
    contents = [(one.at, json.loads((one.structure or {})["default"])) for one in world.topic.messages]
    return [
        (sent, datetime.fromisoformat(content["starts"][0].replace("Z", "+00:00")))
        for sent, content in contents
        if content.get("kind") == "planned"
    ]


def wait_until(world: World, instant: datetime) -> dict[str, Any]:
    """A timer every hour until the instant; the last result."""
    while world.clock.now() < instant:
        world.later(hours=1)
        result = world.run(TIMER, seconds=30)
    return result


def test_earlier_start_has_its_own_message(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Sat"))
    world.graph()
    assert only(world.run(seconds=30))["until"] == "2026-11-28T02:00:00Z"
    world.policy = windowed(tmp_path, "Wed")
    wait_until(world, WEDNESDAY + timedelta(hours=1))
    (_, first), (sent, second) = announced(world)
    assert (first, second) == (SATURDAY, WEDNESDAY)
    (upgrade,) = world.cloud.upgrades
    assert sent + timedelta(hours=24) <= upgrade.at
    assert WEDNESDAY <= upgrade.at < WEDNESDAY + timedelta(hours=2)


def test_window_within_the_notice_is_left_out(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Sat"))
    world.graph()
    world.run(seconds=30)
    wait_until(world, at("2026-11-24 10:00"))
    world.policy = windowed(tmp_path, "Wed")
    wait_until(world, at("2026-12-02 03:00"))
    assert [start for _, start in announced(world)] == [SATURDAY, at("2026-12-02 02:00")]
    (upgrade,) = world.cloud.upgrades
    assert upgrade.at >= at("2026-12-02 02:00")


def test_later_start_is_announced_again(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Wed"))
    world.graph()
    world.run(seconds=30)
    world.policy = windowed(tmp_path, "Sat")
    wait_until(world, SATURDAY + timedelta(hours=1))
    assert [start for _, start in announced(world)] == [WEDNESDAY, SATURDAY]
    assert len(world.cloud.upgrades) == 1


def test_message_that_does_not_go_out_delays_the_start(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Sat"))
    world.graph()
    world.run(seconds=30)
    world.policy = windowed(tmp_path, "Wed")
    world.cloud.fault("smn.publish", faults.error(500, "SMN.0001", "no"), times=None)
    wait_until(world, WEDNESDAY + timedelta(hours=6))
    assert world.cloud.upgrades == []


def test_odd_answer_is_no_announcement(tmp_path: Path) -> None:
    """A status of success without a message id does not say that anybody was notified."""
    world = World(windowed(tmp_path, "Wed"))
    world.graph()
    world.cloud.fault("smn.publish", Fault("empty", False, lambda: Response(200, b"")), times=None)
    world.run(seconds=30)
    wait_until(world, WEDNESDAY + timedelta(hours=6))
    assert world.cloud.upgrades == []


@pytest.mark.parametrize("on", ["[planned]", "[]"])
def test_earlier_start_without_notice_is_announced_first(tmp_path: Path, on: str) -> None:
    selected = f"{{topic: '{TOPIC}', on: {on}}}"
    rule = "[{{notice: {notice}, windows: ['{day} 02:00-06:00 UTC']}}]"
    base = f"notify: {selected}\nstate: file://{tmp_path}\nrules: "
    world = World(base + rule.format(notice="24h" if on == "[]" else "0d", day="Sat"))
    world.graph()
    world.run(seconds=30)
    world.policy = base + rule.format(notice="0d", day="Wed")
    wait_until(world, WEDNESDAY + timedelta(hours=1))
    (_, first), (sent, second) = announced(world)
    (upgrade,) = world.cloud.upgrades
    assert first == SATURDAY
    assert sent <= upgrade.at
    assert second <= upgrade.at


def test_start_that_is_due_at_once_is_announced_first(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Sat"))
    world.graph()
    world.run(seconds=30)
    world.policy = windowed(tmp_path, "Mon", notice="0d")
    world.run(TIMER, seconds=600)
    (_, _), (sent, start) = announced(world)
    (upgrade,) = world.cloud.upgrades
    assert start <= sent <= upgrade.at


def test_start_as_announced_needs_no_further_message(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Wed"))
    world.graph()
    world.run(seconds=30)
    wait_until(world, WEDNESDAY + timedelta(hours=1))
    assert [start for _, start in announced(world)] == [WEDNESDAY]
    assert len(world.cloud.upgrades) == 1


def test_mail_about_a_hundred_graphs_keeps_its_commands(tmp_path: Path) -> None:
    world = World(windowed(tmp_path, "Sat"))
    names = [f"{number:03d}-{'graph-with-a-long-name-' * 3}" for number in range(100)]
    for name in names:
        world.graph(name)
    world.run(seconds=600)
    (message,) = world.topic.messages
    mail = (message.structure or {})["email"]
    assert len(mail) < 4500
    assert '{"command": "pause", "rule": "rule-1"}' in mail
    assert '{"command": "withdraw", "version": "2.4.15"}' in mail
    assert mail.index("withdraw") < mail.index(names[0][:20])
    assert "and 80 more" in mail
