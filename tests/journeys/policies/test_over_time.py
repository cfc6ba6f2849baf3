"""A policy that was accepted stays accepted: what time takes away is waited for, and the rest continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import policy_text
from tests.journeys.runs import NOW, TIMER, World, release


def rules(once: str) -> str:
    return f"[{{name: once, match: {{name: 'once*'}}, windows: [{once}]}}, {{name: others}}]"


QUARTER_END = "[{from: 2026-11-01, until: 2026-12-01, allow: {versions: '~=2.4.0'}}, {when: 'Tue-Sun 00:00-24:00 UTC'}]"


def test_a_freeze_recurs_and_allows_versions(tmp_path: Path) -> None:
    """NOW is a Monday, and every day but Mondays is frozen."""
    world = World(policy_text(state=f"file://{tmp_path}", freezes=QUARTER_END))
    one = world.graph()
    world.cloud.release("2.5.0")
    world.run(release("2.4.9"), seconds=20)
    world.run(release("2.5.0"), seconds=20)
    world.later(hours=1)
    done = world.run(TIMER)
    assert [(one["to_version"], one["outcome"]) for one in done["outcomes"]] == [("2.4.9", "succeeded")]
    (decision,) = done["decisions"]
    assert (decision["reason"], decision["target"], decision["until"]) == ("frozen", "2.5.0", "2026-12-07T00:00:00Z")
    world.later(days=14)
    assert [one["to_version"] for one in world.run(TIMER)["outcomes"]] == ["2.5.0"]
    assert one.version == "2.5.0"


TODAY = NOW.strftime("%Y-%m-%dT01:00")


@pytest.mark.parametrize(
    ("window", "days"),
    [
        (f"{{rrule: 'FREQ=DAILY;COUNT=1', start: '{TODAY}', duration: 2h, timezone: UTC}}", 1),
        (f"{{rrule: 'FREQ=DAILY;COUNT=1', start: '{TODAY}', duration: 2h, timezone: UTC}}", 4000),
        (f"{{rrule: 'FREQ=DAILY;UNTIL=20261124', start: '{TODAY}', duration: 2h, timezone: UTC}}", 3),
        (f"{{rrule: 'FREQ=YEARLY;INTERVAL=2;BYMONTH=11', start: '{TODAY}', duration: 2h, timezone: UTC}}", 30),
    ],
)
def test_after_its_last_window_a_rule_waits(tmp_path: Path, window: str, days: int) -> None:
    world = World(policy_text(rules(window), state=f"file://{tmp_path}"))
    once = world.graph("once")
    assert [one["action"] for one in world.run(seconds=20)["decisions"]] == ["upgrade"]
    world.later(days=days)
    world.graph("once_more")
    world.graph("other")
    result = world.run(TIMER)
    assert result["errors"] == []
    assert (once.id, "succeeded") in [(one["graph_id"], one["outcome"]) for one in result["outcomes"]]
    decisions = {one["graph"]: (one["action"], one["reason"], one["until"]) for one in result["decisions"]}
    assert decisions["once_more"] == ("wait", "outside-window", None)
    assert decisions["other"][0] == "upgrade"


def test_in_the_cutoff_of_its_last_window_a_rule_waits(tmp_path: Path) -> None:
    window = f"{{rrule: 'FREQ=DAILY;COUNT=1', start: '{TODAY}', duration: 2h, timezone: UTC}}"
    world = World(policy_text(rules(window), state=f"file://{tmp_path}"))
    world.later(minutes=45)
    world.graph("once")
    result = world.run()
    (decision,) = result["decisions"]
    assert (decision["reason"], decision["until"], result["errors"]) == ("outside-window", None, [])


def test_a_long_freeze_that_has_begun_is_waited_for(tmp_path: Path) -> None:
    freezes = "[{from: 2026-11-01, until: 2028-06-01, rules: [once]}]"
    world = World(policy_text(rules("'* 00:00-24:00 UTC'"), state=f"file://{tmp_path}", freezes=freezes))
    world.graph("once")
    world.graph("other")
    result = world.run()
    decisions = {one["graph"]: (one["action"], one["reason"]) for one in result["decisions"]}
    assert decisions == {"once": ("wait", "frozen"), "other": ("upgrade", "due")}
    warned = world.run({"command": "plan"})["warnings"]
    assert any("nothing can start: the freezes leave no time within 400 days" in text for text in warned)
