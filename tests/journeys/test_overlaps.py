"""Two runs at once, and what changes between a look and an act."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.history.records import BackupEnded, Refused
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Folder
from huaweicloud_simulator import faults
from huaweicloud_simulator.ges.models import Job
from huaweicloud_simulator.wire import Request, Response
from tests.builders import at
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, only, release


def once(world: World, operation: str, action: Callable[[], Any], saying: bytes = b"") -> None:
    """Does something else in the middle of the next request of that operation whose body says that."""
    left = [action]

    def meanwhile(request: Request) -> bool:
        if request.operation == operation and saying in request.body and left:
            left.pop()()
        return False

    world.cloud.fault(operation, faults.html(), times=None, where=meanwhile)


def after_the_first_look(world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Lets something happen when the fleet was listed for the first time, and the answer is on its way."""
    handle, left = world.cloud.handle, [True]

    def overtaken(request: Request) -> Response:
        response = handle(request)
        if request.operation == "ges.list_graphs" and left:
            left.pop()
            act()
        return response

    monkeypatch.setattr(world.cloud, "handle", overtaken)


def test_a_run_that_starts_the_graph_behind_the_back_of_another_keeps_it_from_starting_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other saw the graph at its old version, and read the journal before the intent was written."""
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    after_the_first_look(world, monkeypatch, lambda: world.run(seconds=30))
    world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("seconds", [2, 60, 150])
def test_a_run_in_the_middle_of_the_upgrade_call_of_another_starts_nothing(tmp_path: Path, seconds: float) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    once(world, "ges.upgrade_graph", lambda: world.run(TIMER, seconds=seconds))
    assert world.run()["errors"] == []
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert world.told() == ["succeeded"]


def test_a_run_that_stood_still_in_its_call_for_long_finds_that_another_did_its_work(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    once(world, "ges.upgrade_graph", lambda: world.run(TIMER, seconds=900))
    world.run()
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]
    assert world.run(TIMER)["errors"] == []


def test_a_run_that_stood_still_before_its_call_for_long_does_not_make_it(tmp_path: Path) -> None:
    """The write of its intent took longer than others wait for its call."""
    world = World(policy(state="obs://state/ges"))
    world.graph()
    once(world, "obs.append_object", lambda: world.later(minutes=4), saying=b"intended")
    result = world.run(seconds=250)
    assert world.cloud.calls("ges.upgrade_graph") == []
    assert only(result)["action"] == "wait"
    assert [error for error in result["errors"] if "its time was over before it could be started" in error]
    world.later(minutes=30)
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_a_start_obeys_what_another_run_learned_since_it_was_planned() -> None:
    """The release is narrowed between the plan and the intent; the call is throttled past its end."""
    world = World(policy(state="obs://state/ges"))
    world.graph()
    narrower = release("2.4.15", not_after="2026-11-23T02:00:20Z")
    once(world, "obs.append_object", lambda: world.run(narrower, seconds=1.5), saying=b"intended")
    world.cloud.fault("ges.upgrade_graph", faults.throttle(retry_after=60), times=1)
    world.run(seconds=600)
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert world.cloud.upgrades == []


def test_an_event_that_another_run_tells_meanwhile_is_not_told_again(tmp_path: Path) -> None:
    world = World(policy("[{max_concurrent: 2, max_failures: 2}]", state=f"file://{tmp_path}"))
    for name in ("graph_a", "graph_b"):
        world.graph(name)
    world.run(seconds=60)
    world.later(minutes=20)
    once(world, "smn.publish", lambda: world.run(TIMER))
    world.run(TIMER)
    told = [json.loads((message.structure or {})["default"])["graph"] for message in world.topic.messages]
    assert sorted(told) == ["graph_a", "graph_b"]


def test_a_throttled_call_is_not_repeated_after_its_window_closed() -> None:
    world = World(policy("[{windows: ['Mon 01:00-02:05 UTC'], cutoff: 0m}]"))
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.throttle(retry_after=400), times=None)
    world.run()
    calls = world.cloud.calls("ges.upgrade_graph")
    assert 2 <= len(calls) <= 5
    assert all(call.at < at("2026-11-23 02:05") for call in calls)
    assert world.cloud.upgrades == []


def test_a_graph_whose_turn_comes_after_the_window_closed_is_not_started() -> None:
    world = World(policy("[{windows: ['Mon 01:00-02:05 UTC'], cutoff: 0m, max_concurrent: 2, max_failures: 2}]"))
    for name in ("graph_a", "graph_b"):
        world.graph(name)
    once(world, "ges.upgrade_graph", lambda: world.later(minutes=6))
    world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1


def test_a_version_that_shows_a_little_later_than_the_job_ends_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the version changes before the job succeeds is not documented (ges.md 10)."""
    world = World()
    graph = world.graph()
    handle, lagging = world.cloud.handle, [True, True]

    def slow(request: Request) -> Response:
        response = handle(request)
        if request.operation == "ges.list_graphs" and graph.version == "2.4.15" and lagging:
            lagging.pop()
            response.body = response.body.replace(b"2.4.15", b"2.4.4")
        return response

    monkeypatch.setattr(world.cloud, "handle", slow)
    world.run()
    assert lagging == []
    assert world.told() == ["succeeded"]


TWO = "[{max_concurrent: 2, max_failures: 2}]"


@pytest.mark.parametrize("command", [{"command": "pause"}, {"command": "withdraw", "version": "2.4.15"}])
def test_what_a_person_says_while_a_run_starts_one_graph_keeps_it_from_the_next(
    tmp_path: Path, command: dict[str, str]
) -> None:
    world = World(policy(TWO, state=f"file://{tmp_path}"))
    for name in ("graph_a", "graph_b"):
        world.graph(name)
    once(world, "ges.upgrade_graph", lambda: world.run(command, seconds=2))
    world.run()
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]


def test_a_graph_that_another_run_upgraded_since_the_look_is_not_called_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    after_the_first_look(world, monkeypatch, world.run)
    world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("rules", ["[{}]", "[{backup: required}]"])
def test_a_job_whose_attempt_another_run_took_for_never_begun_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str
) -> None:
    """Clocks that are wrong by more than the slack."""
    world = World(policy(rules, state=f"file://{tmp_path}"))
    world.graph()
    handle, left = world.cloud.handle, ["ges.create_backup" if "backup" in rules else "ges.upgrade_graph"]

    def overtaken(request: Request) -> Response:
        response = handle(request)
        if request.operation in left:
            left.clear()
            journal = Journal(Folder(tmp_path))
            journal.refresh()
            now = world.clock.now()
            for backup in journal.history.backups.open():
                journal.write(BackupEnded(at=now, backup_id=backup.id, detail="it left no trace"))
            for attempt in journal.history.attempts.open():
                journal.write(Refused(at=now, attempt_id=attempt.id, code="never-began", detail=""))
        return response

    monkeypatch.setattr(world.cloud, "handle", overtaken)
    world.run()
    assert left == []
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert len(world.cloud.calls("ges.create_backup")) == ("backup" in rules)
    assert world.told() == ["succeeded"]
    assert world.run(TIMER)["errors"] == []


def test_of_two_runs_that_each_find_a_failure_the_second_tells_that_the_rule_halts(tmp_path: Path) -> None:
    world = World(policy("[{max_concurrent: 2, max_failures: 2}]", state=f"file://{tmp_path}"))
    for name in ("graph_a", "graph_b"):
        world.graph(name).next_upgrade("failed")
    world.run(seconds=60)
    world.later(minutes=20)
    once(world, "ges.show_job", lambda: world.run(TIMER))
    world.run(TIMER)
    told = [json.loads((message.structure or {})["default"])["halted"] for message in world.topic.messages]
    assert sorted(told) == [False, True]


@pytest.mark.parametrize("minutes", [1, 12])
def test_the_work_of_another_hand_is_not_taken_for_an_upgrade_that_never_began(tmp_path: Path, minutes: int) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.Fault("killed", acts=False, strike=_killed))
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.later(minutes=minutes)
    now = world.clock.now()
    graph.jobs.append(Job(id="import-1", name="ImportGraph", graph=graph, begin=now, end=now + timedelta(seconds=30)))
    world.later(minutes=20)
    world.run(TIMER)
    assert (graph.version, world.told()) == ("2.4.15", ["succeeded"])


def _killed() -> Response:
    raise KeyboardInterrupt


def test_a_backup_whose_intent_took_long_to_write_is_not_made(tmp_path: Path) -> None:
    world = World(policy("[{backup: required}]", state="obs://state/ges"))
    graph = world.graph()
    once(world, "obs.append_object", lambda: world.later(minutes=4), saying=b"backup-intended")
    world.run(seconds=250)
    assert world.cloud.calls("ges.create_backup") == []
    world.later(minutes=30)
    world.run(TIMER)
    assert (graph.version, len(graph.backups)) == ("2.4.15", 1)
