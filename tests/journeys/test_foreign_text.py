"""Names and reasons from outside, in whole runs: what subscribers and operators read has only our own lines."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.builders import policy_text
from tests.journeys.runs import TIMER, World, only

NAME = "orders\n\x1b[31mRule:     dev\u202e\u200b\x00 图库 😀" + "x" * 5000
REASON = "no space\r\nEnded:    never\x00\u2028\x9b\u2066" + "y" * 9000


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else [str(value)]


def assert_plain(world: World, *errors: str) -> None:
    """Every text of messages, and every error: nothing unseen, bounded, and in mails no line that ours would not have."""
    assert world.topic.messages
    shown = [*errors]
    for message in world.topic.messages:
        parts = dict(message.structure or {})
        lines = parts["email"].split("\n")
        assert not [line for line in lines if line.startswith(("Rule:     dev", "Ended:    never", "\x1b"))]
        shown += [message.subject, parts["sms"], *lines]
        shown += [line for text in texts_in(json.loads(parts["default"])) for line in text.split("\n")]
    for text in shown:
        assert len(text) <= len("Detail:   ") + 4000
        assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@pytest.mark.parametrize("rule", ["", "mode: approve", "mode: notify", "max_graphs: 1", "backup: required", "notice: 24h"])
def test_name_of_a_graph(tmp_path: Path, rule: str) -> None:
    world = World(policy_text(f"[{{name: prod, {rule}}}]", state=f"file://{tmp_path}"))
    world.graph(NAME)
    world.graph(NAME + "2")
    result = world.run(seconds=7200)
    assert_plain(world, *result["errors"])


@pytest.mark.parametrize("max_failures", [1, 2])
def test_reason_of_a_failure(tmp_path: Path, max_failures: int) -> None:
    world = World(policy_text(f"[{{max_failures: {max_failures}}}]", state=f"file://{tmp_path}"))
    world.graph(NAME).next_upgrade("failed", fail_reason=REASON)
    result = world.run(seconds=7200)
    (message,) = world.topic.messages
    detail = json.loads((message.structure or {})["default"])["detail"]
    assert detail.startswith("no space ⏎ Ended:    never� ⏎ ��yyy")
    assert result["outcomes"][0]["detail"] == detail
    assert_plain(world, *result["errors"])


def test_words_of_a_refusal(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    world.graph(NAME)
    world.cloud.fault("ges.upgrade_graph", faults.error(400, "GES.0001\u202e", REASON), times=None)
    result = world.run()
    assert only(result)["reason"] == "refused"
    assert "GES.0001� (HTTP 400" in result["errors"][0]
    assert_plain(world, *result["errors"], *world.run(TIMER)["errors"])
