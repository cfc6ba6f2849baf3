"""follow_up: invoke: what one run's time does not suffice for goes on without a timer, and each chain of runs ends."""

from __future__ import annotations

import json
from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from huaweicloud_simulator.cloud import Invocation
from tests.builders import NOW
from tests.builders import policy_text as policy
from tests.journeys.runs import FUNCTION, TIMER, World, fall_silent, release
from tests.journeys.test_overlaps import once

QUARTER = 900.0


def invoking(rules: str = "[{}]", **fields: str) -> str:
    return policy(rules, follow_up="invoke", **fields)


def go_on(world: World, event: object = None, seconds: float = QUARTER) -> list[dict[str, Any]]:
    """The results of a run and of those that come of it by invocation alone; the platform starts each after the last."""
    accepted: deque[Invocation] = deque()
    world.cloud.on_invoke = accepted.append
    results = [world.run(event, seconds=seconds)]
    while accepted:
        assert len(results) < 100, "the chain does not end"
        results.append(world.run(accepted.popleft().event, seconds=seconds))
    return results


def notices(world: World) -> list[dict[str, Any]]:
    told = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in told if "kind" in content]


def test_an_upgrade_longer_than_a_run_is_followed_to_its_end_and_told_without_a_timer(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    graph = world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=70)
    first, *others = go_on(world)
    assert len(others) == 4
    assert [len(result["pending"]) for result in (first, *others)] == [1, 1, 1, 1, 0]
    assert graph.version == "2.4.15"
    assert world.told() == ["succeeded"]
    assert len(world.cloud.upgrades) == 1
    assert world.cloud.clock.now() < NOW + timedelta(minutes=72)
    assert {one.function_urn for one in world.cloud.invocations} == {FUNCTION}
    assert world.cloud.invocations[0].event == {"command": "reconcile", "reason": f"continues run {first['run_id']}"}
    assert [result["errors"] for result in (first, *others)] == [[]] * 5


def test_a_fleet_that_takes_many_runs_is_upgraded_one_by_one_without_a_timer(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    graphs = [world.graph(f"graph_{number}") for number in range(6)]
    results = go_on(world)
    assert {graph.version for graph in graphs} == {"2.4.15"}
    assert world.told() == ["succeeded"] * 6
    assert len(world.cloud.upgrades) == 6
    assert len(world.cloud.invocations) == len(results) - 1


def test_without_a_lasting_state_the_next_process_takes_up_what_it_sees() -> None:
    world = World(invoking(releases="[{version: 2.4.15}]"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=40)
    accepted: list[Invocation] = []
    world.cloud.on_invoke = accepted.append
    world.run(seconds=QUARTER)
    while accepted:
        world.forget()
        world.run(accepted.pop().event, seconds=QUARTER)
    assert world.told() == ["succeeded"]
    assert len(world.cloud.invocations) == 2


def test_a_start_that_was_postponed_for_lack_of_time_is_made_by_the_run_after(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    for name in ("graph_a", "graph_b"):
        world.graph(name)
    world.cloud.upgrade_duration = timedelta(seconds=850)
    first, *_ = go_on(world, seconds=890)
    assert (first["pending"], [one["outcome"] for one in first["outcomes"]]) == ([], ["succeeded"])
    assert world.told() == ["succeeded"] * 2
    assert world.cloud.upgrades[1].at < NOW + timedelta(minutes=15)


def test_a_start_that_comes_soon_after_the_run_is_made_by_the_run_after(tmp_path: Path) -> None:
    rules = "[{match: {name: dev}}, {windows: ['Mon 02:20-04:00 UTC']}]"
    world = World(invoking(rules, state=f"file://{tmp_path}"))
    world.graph("dev")
    world.graph("prod")
    first, *others = go_on(world)
    assert (first["pending"], len(others)) == ([], 2)
    assert world.told() == ["succeeded"] * 2
    assert world.cloud.upgrades[1].at - NOW < timedelta(minutes=20, seconds=5)


@pytest.mark.parametrize("opens", ["02:15", "03:00"])
def test_a_start_that_no_run_could_wait_for_is_left_to_timers(opens: str) -> None:
    world = World(invoking(f"[{{windows: ['Mon {opens}-05:00 UTC']}}]"))
    world.graph()
    go_on(world)
    assert world.cloud.invocations == []


def test_a_run_too_short_to_start_anything_does_not_invoke_itself_for_ever(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    result = world.run(seconds=1.5)
    assert (result["decisions"][0]["reason"], world.cloud.upgrades) == ("due", [])
    assert world.cloud.invocations == []


@pytest.mark.parametrize("state", ["none", "file"])
def test_a_job_that_hangs_ends_the_chain_after_its_job_timeout(tmp_path: Path, state: str) -> None:
    world = World(invoking("[{job_timeout: 2h}]", state="none" if state == "none" else f"file://{tmp_path}"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(days=30)
    results = go_on(world)
    assert len(results) == 9
    assert world.cloud.clock.now() - NOW < timedelta(hours=2, minutes=15)
    assert world.told() == ["timed-out"]
    world.run(TIMER, seconds=QUARTER)
    assert len(world.cloud.invocations) == 8


def test_a_project_that_can_no_longer_be_seen_ends_the_chain_after_the_job_timeout(tmp_path: Path) -> None:
    """Then nothing can be found to have timed out."""
    world = World(invoking("[{job_timeout: 1h}]", state=f"file://{tmp_path}"))
    world.graph()
    world.run(seconds=60)
    world.cloud.fault("ges.list_graphs", faults.error(403, "GES.0013", "No permission."), times=None)
    results = go_on(world, TIMER)
    assert 4 <= len(results) <= 5
    assert world.told() == []


@pytest.mark.parametrize(
    "fault",
    [
        faults.error(403, "FSS.0403", "functiongraph:function:invokeAsync is not allowed"),
        faults.refuse_connection(),
        faults.throttle(retry_after=1),
        faults.html(500),
    ],
    ids=["forbidden", "unreachable", "throttled", "broken"],
)
def test_a_hand_over_that_fails_is_told_once_and_the_timer_goes_on(
    tmp_path: Path, fault: faults.Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    graph = world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=40)
    world.cloud.fault("functiongraph.invoke_async", fault, times=None)
    first, second = world.run(seconds=QUARTER), world.run(TIMER, seconds=QUARTER)
    for result in (first, second):
        (error,) = result["errors"]
        assert error.startswith("functiongraph invoke_async in cn-north-4: ")
        assert "(demo) was not handed over and is left to the next timer" in error
        assert "functiongraph:function:invokeAsync" in error
    assert "error.reported" in capsys.readouterr().out
    assert (tmp_path / "journal-1.jsonl").read_text().count("not-handed-on:") == 3, "noticed, claimed, told"
    (notice,) = notices(world)
    assert (notice["kind"], notice["graph_ids"]) == ("not-handed-over", [graph.id])
    assert "the next timer continues with demo" in notice["detail"]
    assert world.cloud.invocations == []
    world.run(TIMER, seconds=QUARTER)
    assert world.told() == ["notice", "succeeded"]


def test_a_hand_over_that_fails_again_and_again_leaves_time_to_tell_it() -> None:
    world = World(invoking())
    world.graph()
    world.cloud.fault("functiongraph.invoke_async", faults.throttle(retry_after=7), times=None)
    world.run(seconds=300)
    tried, (told,) = world.cloud.calls("functiongraph.invoke_async"), world.cloud.calls("smn.publish")
    end = NOW + timedelta(seconds=300)
    assert len(tried) >= 2
    assert told.at < tried[0].at + (end - tried[0].at) / 2


def test_a_throttled_hand_over_is_made_again() -> None:
    world = World(invoking())
    world.graph()
    world.cloud.fault("functiongraph.invoke_async", faults.throttle(retry_after=1))
    result = world.run(seconds=300)
    assert (len(world.cloud.invocations), result["errors"]) == (1, [])


@pytest.mark.parametrize("fault", [faults.lost_answer(), faults.gateway_timeout(), faults.malformed(), faults.read_timeout()])
def test_a_hand_over_whose_answer_is_lost_is_not_made_again(fault: faults.Fault) -> None:
    world = World(invoking())
    world.graph()
    world.cloud.fault("functiongraph.invoke_async", fault)
    result = world.run(seconds=300)
    assert len(world.cloud.calls("functiongraph.invoke_async")) == len(world.cloud.invocations) == 1
    assert (result["errors"], notices(world)) == ([], [])


def test_a_function_that_does_not_know_its_urn_says_so_and_calls_nothing(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    world.package = None
    world.cloud.upgrade_duration = timedelta(minutes=40)
    first, second = world.run(seconds=QUARTER), world.run(TIMER, seconds=QUARTER)
    assert ["own URN is unknown" in result["errors"][0] for result in (first, second)] == [True, True]
    assert world.cloud.calls("functiongraph.*") == []
    assert len(notices(world)) == 1


def test_timers_go_on_unless_the_policy_says_otherwise() -> None:
    world = World()
    world.graph()
    result = world.run(seconds=QUARTER / 3)
    assert (len(result["pending"]), result["errors"]) == (1, [])
    assert {request.service for request in world.cloud.requests} == {"ges"}


@pytest.mark.parametrize(
    "event",
    [
        {"command": "plan"},
        {"command": "status"},
        {"command": "forecast"},
        {"command": "reconcile", "dry_run": True},
        {"command": "pause", "rule": "nobody"},
        release("2.4.15", dry_run=True),
        "",
    ],
)
def test_what_changes_nothing_hands_nothing_on(tmp_path: Path, event: object) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    world.run(seconds=60)
    world.later(minutes=1)
    result = world.run(event, seconds=60)
    assert len(result["pending"]) == 1
    assert len(world.cloud.invocations) == 1
    world.run(TIMER, seconds=60)
    assert len(world.cloud.invocations) == 2


def test_nothing_is_handed_on_where_nothing_is_left() -> None:
    world = World(invoking())
    world.run(seconds=QUARTER)
    world.graph()
    world.run(seconds=QUARTER)
    assert world.told() == ["succeeded"]
    assert world.cloud.invocations == []


def test_a_journal_that_cannot_be_read_hands_nothing_on() -> None:
    world = World(invoking(state="obs://state/ges"))
    world.graph()
    world.cloud.fault("obs.get_object", faults.server_error(503), times=None)
    (result,) = go_on(world, TIMER)
    assert result["decisions"][0]["reason"] == "state-unavailable"


def test_a_journal_that_cannot_be_written_does_not_keep_what_is_on_its_way_from_being_handed_on() -> None:
    world = World(invoking(state="obs://state/ges"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=40)
    world.run(seconds=QUARTER)
    world.later(minutes=15)
    world.cloud.fault("obs.append_object", faults.server_error(503), times=None)
    result = world.run(TIMER, seconds=120)
    assert len(result["pending"]) == 1
    assert len(world.cloud.invocations) == 2


def test_runs_that_end_at_once_hand_on_once_and_start_and_tell_nothing_twice(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=40)
    accepted: list[Invocation] = []
    world.cloud.on_invoke = accepted.append
    once(world, "functiongraph.invoke_async", lambda: world.run(TIMER, seconds=20))
    world.run(seconds=QUARTER)
    assert len(world.cloud.invocations) == 1
    while accepted:
        world.run(accepted.pop().event, seconds=QUARTER)
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]


def test_a_run_that_is_handed_on_while_the_run_before_it_still_runs_does_no_harm(tmp_path: Path) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    for name in ("graph_a", "graph_b", "graph_c"):
        world.graph(name)
    world.cloud.upgrade_duration = timedelta(minutes=40)

    def at_once(invocation: Invocation) -> None:
        world.run(invocation.event, seconds=QUARTER)

    world.cloud.on_invoke = at_once
    world.run(seconds=QUARTER)
    assert len(world.cloud.upgrades) == 3
    assert world.told() == ["succeeded"] * 3


def test_timers_that_fire_into_a_chain_do_not_begin_chains_of_their_own(tmp_path: Path) -> None:
    """A timer fires whenever a run of the chain ends."""
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=100)
    accepted: deque[Invocation] = deque()
    world.cloud.on_invoke = accepted.append
    world.run(seconds=QUARTER)
    runs = 1
    while accepted:
        runs += 1
        world.run(accepted.popleft().event, seconds=QUARTER)
        world.run(TIMER, seconds=60)
    assert runs <= 8
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("seconds", [120, 300, 900])
def test_a_silence_of_ges_near_the_end_leaves_time_to_hand_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    world = World(invoking(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=40)
    end = world.clock.now() + timedelta(seconds=seconds)
    fall_silent(monkeypatch, world, "//ges.", begin=end - timedelta(seconds=40))
    world.run(seconds=seconds)
    assert world.clock.now() < end
    assert len(world.cloud.calls("functiongraph.invoke_async")) == 1
