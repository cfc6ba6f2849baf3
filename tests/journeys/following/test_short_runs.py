"""Runs that are too short to see an end by themselves: what one run saw counts in the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, only

PHASES = [0, 7, 61, 137, 222, 299]


def short_runs(world: World, seconds: float, hours: float = 5, every: float = 300) -> Iterator[dict[str, Any]]:
    """A timer every five minutes, each run with so little time, in an instance of its own."""
    end = world.clock.now() + timedelta(hours=hours)
    while world.clock.now() < end:
        begin = world.clock.now()
        world.forget()
        yield world.run(TIMER, seconds=seconds)
        world.later(seconds=max(every - (world.clock.now() - begin).total_seconds(), 1))


def last_of(runs: Iterator[dict[str, Any]]) -> dict[str, Any]:
    *_, last = runs
    return last


def world_with(tmp_path: Path, rules: str = "[{}]", phase: float = 0) -> World:
    world = World(policy(rules, state=f"file://{tmp_path}"))
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
    world.run()  # learns the release, and starts nothing
    world.cloud.clear_faults()
    world.later(seconds=phase)
    return world


@pytest.mark.parametrize("seconds", [3, 20, 23, 60])
@pytest.mark.parametrize("phase", PHASES[:3])
def test_lost_call_that_did_not_act_ends(tmp_path: Path, seconds: float, phase: float) -> None:
    world = world_with(tmp_path, phase=phase)
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False), times=3)
    last = last_of(short_runs(world, seconds, hours=2))
    assert (graph.version, len(world.cloud.upgrades)) == ("2.4.15", 1)
    assert only(last)["reason"] == "up-to-date"
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("seconds", [3, 20])
def test_call_that_stays_unknown_times_out(tmp_path: Path, seconds: float) -> None:
    world = world_with(tmp_path)
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False), times=None)
    world.cloud.fault("ges.list_jobs", faults.error(403, "GES.7041", "Insufficient permission."), times=None)
    last_of(short_runs(world, seconds, hours=3))
    assert world.told() == ["timed-out"]


@pytest.mark.parametrize("seconds", [3, 20, 60])
@pytest.mark.parametrize("phase", PHASES[:3])
def test_graph_deleted_during_its_upgrade_vanishes(tmp_path: Path, seconds: float, phase: float) -> None:
    world = world_with(tmp_path, "[{max_failures: 3}]", phase)
    graph = world.graph("first")
    for result in short_runs(world, seconds, hours=1):
        if result["pending"]:
            break
    world.project.delete(graph)
    world.graph("second")
    last_of(short_runs(world, seconds, hours=2))
    assert world.told() == ["vanished", "succeeded"]


@pytest.mark.parametrize("seconds", [20, 60, 120])
@pytest.mark.parametrize("phase", PHASES)
def test_engine_that_is_slow_to_start_is_not_unhealthy(tmp_path: Path, seconds: float, phase: float) -> None:
    world = world_with(tmp_path, "[{health_check: true}]", phase)
    graph = world.graph()
    graph.engine_delay = timedelta(seconds=30)
    world.cloud.upgrade_duration = timedelta(seconds=720 + phase)
    last_of(short_runs(world, seconds, hours=1))
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("seconds", [20, 60, 120])
def test_sick_engine_is_unhealthy_in_the_end(tmp_path: Path, seconds: float) -> None:
    world = world_with(tmp_path, "[{health_check: true}]")
    world.graph().sick = True
    last_of(short_runs(world, seconds, hours=1))
    assert world.told() == ["unhealthy"]


@pytest.mark.parametrize("fate", ["success-without-new-version", "vanish", "success-but-faulty", "faulty", "failed"])
@pytest.mark.parametrize("seconds", [3, 20])
def test_every_end_is_seen(tmp_path: Path, fate: Any, seconds: float) -> None:
    expected = {
        "success-without-new-version": "version-unchanged",
        "vanish": "vanished",
        "success-but-faulty": "failed",
        "faulty": "failed",
        "failed": "rolled-back",
    }
    world = world_with(tmp_path)
    world.graph().next_upgrade(fate)
    last_of(short_runs(world, seconds, hours=2))
    assert world.told() == [expected[fate]]


@pytest.mark.parametrize("seconds", [3, 20])
def test_lost_backup_call_ends(tmp_path: Path, seconds: float) -> None:
    world = world_with(tmp_path, "[{backup: required}]")
    graph = world.graph()
    world.cloud.fault("ges.create_backup", faults.read_timeout(acts=False), times=3)
    last_of(short_runs(world, seconds, hours=8))
    assert graph.version == "2.4.15"


@pytest.mark.parametrize("seconds", [3, 20])
def test_graph_deleted_during_its_backup_frees_the_slot(tmp_path: Path, seconds: float) -> None:
    world = world_with(tmp_path, "[{backup: required}]")
    world.cloud.backup_duration = timedelta(hours=1)
    graph = world.graph("first")
    for result in short_runs(world, seconds, hours=1):
        if result["pending"]:
            break
    world.project.delete(graph)
    world.cloud.backup_duration = timedelta(minutes=1)
    second = world.graph("second")
    last_of(short_runs(world, seconds, hours=2))
    assert second.version == "2.4.15"
