"""What is kept between runs stays with the graph, the version and the rule for which it was meant."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from simulator import faults
from simulator.wire import Request, Response
from tests.builders import NOW, PROJECT, at, policy
from tests.journeys.runs import REGION, TIMER, World, only, release
from tests.journeys.test_policies import notices, reason, world_under
from upgrader.model import Project

ANOTHER = Project(REGION, "f" * 32)


def results(world: World) -> list[dict[str, Any]]:
    told = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in told if one["schema"] == "ges.upgrade.result/1"]


def outcomes(result: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in result["outcomes"]]


def changed(world: World, tmp_path: Path, rules: str) -> None:
    """The operator deploys another policy."""
    world.policy = policy(rules, state=f"file://{tmp_path}")


def leave_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """GES's lists show no graph, though it is there."""
    handle = world.cloud.handle

    def forgetful(request: Request) -> Response:
        response = handle(request)
        if request.operation == "ges.list_graphs":
            response.body = b'{"graph_count": 1, "graphs": []}'
        return response

    monkeypatch.setattr(world.cloud, "handle", forgetful)


# Backups


def test_a_backup_of_another_hand_is_not_taken_for_the_one_that_was_made_here(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required, backup_keep: 1, backup_max_age: 1h}]")
    graph = world.graph()
    world.cloud.backup_duration = timedelta(minutes=5)
    world.run(release("2.4.9"), seconds=60)
    world.later(minutes=30)
    _, by_hand = graph.begin_backup()
    world.later(minutes=10)
    world.run(TIMER)
    world.later(days=1)
    world.run(release("2.4.15"))
    assert graph.version == "2.4.15"
    assert world.cloud.calls("ges.delete_backup")
    assert by_hand in graph.backups


def test_a_backup_of_another_hand_that_failed_is_not_ours(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required}]")
    graph = world.graph()
    world.cloud.backup_duration = timedelta(minutes=5)
    world.run(seconds=60)
    world.later(minutes=30)
    graph.next_backup("failed")
    graph.begin_backup()
    world.later(minutes=10)
    assert world.run(TIMER)["errors"] == []
    assert graph.version == "2.4.15"


# What is looked at is looked at whole


def test_a_graph_that_the_list_leaves_out_is_examined_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_under(tmp_path, "[{health_check: true}]")
    world.graph().sick = True
    world.run(seconds=60)
    world.later(minutes=20)
    leave_out(world, monkeypatch)
    assert outcomes(world.run(TIMER)) == ["unhealthy"]


def test_a_graph_of_a_project_that_the_policy_names_no_more_is_examined_too(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{health_check: true}]")
    world.graph().sick = True
    world.run(seconds=60)
    world.later(minutes=20)
    assert outcomes(world.run(TIMER, projects=(ANOTHER,))) == ["unhealthy"]


def test_an_upgrade_that_never_began_is_no_failure_of_a_graph_that_the_list_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_under(tmp_path, "[{}]")
    graph = world.graph()

    def killed() -> Response:
        raise KeyboardInterrupt

    world.cloud.fault("ges.upgrade_graph", faults.Fault("killed", acts=False, strike=killed))
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.later(minutes=20)
    with monkeypatch.context() as patched:
        leave_out(world, patched)
        assert outcomes(world.run(TIMER)) == []
    world.run(TIMER)
    assert graph.version == "2.4.15"


# How long upgrades take


def test_an_automatic_cutoff_counts_how_long_upgrades_took_and_not_when_that_was_seen(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{windows: ['Sat 02:00-06:00 UTC'], cutoff: auto}]")
    graph = world.graph()
    world.run(release("2.4.9"), seconds=60)
    for saturday in ("2026-11-28", "2026-12-05"):
        world.clock.sleep((at(f"{saturday} 02:00") - world.clock.now()).total_seconds())
        world.run(TIMER, seconds=300)
    world.run(release("2.4.15"), seconds=300)
    world.later(days=7)
    world.run(TIMER)
    assert graph.version == "2.4.15"
    first = results(world)[0]
    assert first["ended_at"][:10] == "2026-11-28"
    assert "until 2026-12-28" in (world.topic.messages[0].structure or {})["email"]


# A message is about one thing, once


def test_what_was_told_while_the_state_was_away_is_not_told_under_another_id_when_it_is_back() -> None:
    world = World(policy("[{max_concurrent: 2, max_failures: 2}]", state="obs://state/ges"))
    graphs = (world.graph("a"), world.graph("b"))
    first = min(graphs, key=lambda graph: sha256(graph.id.encode()).digest())
    first.next_upgrade("success", timedelta(minutes=40))
    began: list[Request] = []

    def away(request: Request) -> bool:
        if request.operation == "obs.append_object" and b'"kind":"started"' in request.body:
            began.append(request)
        return len(began) > 1 and request.at < NOW + timedelta(minutes=20)

    busy = faults.error(503, "ServiceUnavailable", "Reduce your request rate.")
    world.cloud.fault("obs.*", busy, times=None, where=away)
    world.run(seconds=3600)
    world.run(TIMER)
    ids = [(one["graph"], one["outcome"], one["event_id"]) for one in results(world)]
    assert len(ids) == len(set(ids)) == 2


def test_a_graph_that_comes_to_wait_for_approval_later_is_told_of_too(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, mode: approve}]")
    first = world.graph("first")
    world.run()
    world.run({"command": "approve", "version": "2.4.15", "graph": "first"})
    second = world.graph("second")
    for _ in range(2):
        assert reason(world.run(TIMER), "second") == "awaiting-approval"
    assert [notice["graph_ids"] for notice in notices(world)] == [[first.id], [second.id]]


def test_a_release_is_told_for_each_graph_of_a_rule_that_only_notifies_once(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{mode: notify}]")
    first = world.graph("first")
    world.run()
    second = world.graph("second")
    world.run(TIMER)
    world.run(TIMER)
    assert [notice["graph_ids"] for notice in notices(world)] == [[first.id], [second.id]]


# Failures


def test_a_halt_is_told_again_when_a_policy_that_bore_more_bears_less(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: all}]")
    for name in ("a", "b", "c"):
        world.graph(name).next_upgrade("failed")
    world.run()
    changed(world, tmp_path, "[{name: all, max_failures: 3}]")
    world.run(TIMER, seconds=60)
    world.later(minutes=30)
    world.run(TIMER, seconds=1)
    changed(world, tmp_path, "[{name: all, max_failures: 2}]")
    world.run(TIMER)
    assert len(world.cloud.upgrades) == 2
    (halted,) = [notice for notice in notices(world) if "halted" in notice["notice"] + notice["event_id"]]
    assert "went wrong 2 times" in halted["detail"]


def test_while_a_project_is_not_listed_nobody_says_that_a_part_of_the_fleet_has_failed(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: all, max_failures: 50%}]")
    elsewhere = world.cloud.project(REGION, ANOTHER.project_id)
    for name in ("a1", "a2"):
        world.graph(name).next_upgrade("failed")
    for name in ("b1", "b2"):
        elsewhere.graph(name, version="2.4.15")
    both = (PROJECT, ANOTHER)
    world.run(seconds=60, projects=both)
    world.later(minutes=30)
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None, where=lambda request: ANOTHER.project_id in request.path)
    world.run(TIMER, seconds=120, projects=both)
    world.cloud.clear_faults()
    world.run(TIMER, projects=both)
    assert [one["halted"] for one in results(world)] == [False, True]


def test_a_graph_back_at_a_version_that_failed_on_it_holds_the_next_rule(tmp_path: Path) -> None:
    dev_rule = "{name: dev, match: {name: dev}, max_failures: 3, health_check: true}"
    world = world_under(tmp_path, f"[{dev_rule}, {{name: prod, after: [dev], min_release_age: 1d}}]")
    dev, prod = world.graph("dev"), world.graph("prod")
    dev.sick = True
    world.run(release("2.4.9"))
    dev.sick = False
    world.run(release("2.4.15"))
    dev.version = "2.4.9"  # rolled back in the console
    world.run({"command": "withdraw", "version": "2.4.15"})
    world.later(days=2)
    assert reason(world.run(TIMER), "prod") == "after-rule"
    assert prod.version == "2.4.4"


def test_a_newer_release_that_failed_does_not_hold_an_older_one_that_runs_soundly(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: dev, match: {name: dev}}, {name: prod, after: [dev], min_release_age: 1d}]")
    dev, prod = world.graph("dev"), world.graph("prod")
    world.run(release("2.4.9"))
    dev.next_upgrade("failed")
    world.run(release("2.4.15"))
    assert dev.version == "2.4.9"
    world.later(days=2)
    world.run(TIMER)
    assert prod.version == "2.4.9"


def test_an_upgrade_that_was_late_and_succeeded_is_no_reason_for_force(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{force: {after: 24h}, job_timeout: 10m}]")
    graph = world.graph()
    world.run(release("2.4.9"))
    assert [one["outcome"] for one in results(world)] == ["timed-out", "succeeded"]
    graph.version = "2.4.4"  # rolled back in the console
    world.run({"command": "withdraw", "version": "2.4.9"})
    world.later(days=2)
    world.run(release("2.4.15"))
    assert [one.force for one in world.cloud.upgrades] == [False, False]


# Rules that are renamed, removed or moved


def test_a_rule_that_is_renamed_stays_halted_until_resume(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    for name in ("a", "b"):
        world.graph(name).next_upgrade("failed")
    world.run()
    changed(world, tmp_path, "[{name: production}]")
    waiting = next(graph.name for graph in world.project.graphs.values() if not graph.jobs)
    assert reason(world.run({"command": "plan"}), waiting) == "halted"
    assert reason(world.run(TIMER), waiting) == "halted"
    assert len(world.cloud.upgrades) == 1
    world.run({"command": "resume", "rule": "production"})
    assert len(world.cloud.upgrades) > 1


def test_an_upgrade_is_examined_under_the_rule_that_took_the_place_of_its_own(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, health_check: true}]")
    world.graph().sick = True
    world.run(seconds=60)
    world.later(minutes=20)
    changed(world, tmp_path, "[{name: production, health_check: true}]")
    assert outcomes(world.run(TIMER)) == ["unhealthy"]
    assert results(world)[0]["rule"] == "production"


def test_the_pause_of_a_rule_that_is_gone_holds_everything_until_somebody_lifts_it(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    graph = world.graph()
    world.run({"command": "pause", "rule": "prod"})
    changed(world, tmp_path, "[{name: production}]")
    result = world.run()
    assert only(result)["reason"] == "paused"
    (error,) = result["errors"]
    assert '{"command": "resume", "rule": "prod"}' in error
    assert world.run({"command": "resume", "rule": "prod"})["errors"] == []
    assert graph.version == "2.4.15"


def test_a_rule_without_a_name_under_which_something_is_kept_is_warned_of(tmp_path: Path) -> None:
    rules = "[{match: {name: dev}, mode: approve}, {match: {name: test}}, {name: prod}]"
    world = world_under(tmp_path, rules)
    for name in ("dev", "test", "prod"):
        world.graph(name)
    (warning,) = world.run({"command": "plan"})["warnings"]
    assert "rules[0] (rule-1): it has no name" in warning
    world.run({"command": "pause", "rule": "rule-2"})
    assert "rules[1] (rule-2): it has no name" in world.run({"command": "plan"})["warnings"][1]
    changed(world, tmp_path, "[{mode: approve}]")
    world.run({"command": "resume"})
    assert world.run({"command": "plan"})["warnings"] == []
