"""How upgrades end whose job says too little, or says it of other work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, alter


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(policy("[{}]", state=f"file://{tmp_path}"))


@pytest.mark.parametrize("status", ["300", "303"])
def test_faulty_graph_after_successful_job_failed(world: World, status: str) -> None:
    graph = world.graph()
    world.run(seconds=60)
    world.later(minutes=13)
    graph.status = status
    result = world.run(TIMER)
    assert [one["outcome"] for one in result["outcomes"]] == ["failed"]
    assert f"status {status}" in result["outcomes"][0]["detail"]
    assert world.run(TIMER)["pending"] == []


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("seconds", [20, 60, 900])
def test_unreadable_job_concludes_from_the_job_centre(world: World, status: int, seconds: float) -> None:
    world.graph().next_upgrade("failed", unreadable=status, fail_reason="no space left")
    world.run(seconds=60)
    world.later(minutes=20)
    outcomes: list[Any] = []
    for _ in range(4):
        outcomes += world.run(TIMER, seconds=seconds)["outcomes"]
        world.later(minutes=5)
    assert [(one["outcome"], one["detail"]) for one in outcomes] == [("rolled-back", "no space left")]


def test_fail_reason_with_half_a_surrogate_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.graph().next_upgrade("failed", fail_reason="no space left")
    for operation in ("ges.show_job", "ges.list_jobs"):
        alter(world, monkeypatch, operation, lambda body: body.replace(b"no space left", b"no \\ud83d left"))
    result = world.run()
    assert [one["outcome"] for one in result["outcomes"]] == ["rolled-back"]


@pytest.mark.parametrize("operation", ["ExportGraph", "ImportGraph", "RestartGraph"])
@pytest.mark.parametrize("length", [timedelta(minutes=1), timedelta(hours=1)])
def test_other_operators_job_is_no_failure(world: World, operation: Any, length: timedelta) -> None:
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False), times=3)
    world.cloud.meanwhile("ges.list_jobs", lambda: graph.operate(operation, length))
    told = world.run(seconds=300)["outcomes"]
    for _ in range(8):
        world.later(minutes=20)
        told += world.run(TIMER)["outcomes"]
    assert [one["outcome"] for one in told] == ["succeeded"]
    assert graph.version == "2.4.15"


def test_failed_adopted_upgrade_halts_nothing_at_its_old_version() -> None:
    world = World(policy("[{max_failures: 1}]"))
    graph = world.graph(version="2.4.15")
    graph.next_upgrade("failed")
    graph.begin_upgrade("2.5.0", force=False)
    result = world.run()
    assert [(one["outcome"], one["to_version"]) for one in result["outcomes"]] == [("rolled-back", None)]
    other = world.graph("other")
    world.run()
    assert other.version == "2.4.15"


@pytest.mark.parametrize("operation", ["ges.list_graph_backups", "ges.show_job"])
@pytest.mark.parametrize("seconds", [20, 900])
def test_backup_ends_by_what_can_be_read_of_it(tmp_path: Path, operation: str, seconds: float) -> None:
    world = World(policy("[{backup: required}]", state=f"file://{tmp_path}"))
    graph = world.graph()
    world.cloud.backup_duration = timedelta(minutes=3)
    world.run(seconds=60)
    world.cloud.fault(operation, faults.error(403, "GES.7041", "Insufficient permission."), times=None)
    for _ in range(3):
        world.later(minutes=5)
        world.run(TIMER, seconds=seconds)
    assert [one.to_version for one in world.cloud.upgrades] == ["2.4.15"]
    assert len(graph.backups) == 1
