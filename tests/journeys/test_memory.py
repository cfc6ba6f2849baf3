"""What is kept between runs stays with the graph, the version and the rule for which it was meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.domain.model import Project
from huaweicloud_simulator import faults
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, PROJECT, at
from tests.builders import policy_text as policy
from tests.journeys.runs import REGION, TIMER, World, alter, only, release
from tests.journeys.test_overlaps import once
from tests.journeys.test_policies import notices, reason, world_under

ANOTHER = Project(REGION, "f" * 32)
BUSY = faults.error(503, "ServiceUnavailable", "Reduce your request rate.")
OTHERS = "[{name: other, match: {name: 'o*'}}, {name: %s}]"


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
    alter(world, monkeypatch, "ges.list_graphs", lambda _: b'{"graph_count": 1, "graphs": []}')


def in_obs(rules: str) -> str:
    return policy(rules, state="obs://state/ges")


def away_from_the_next_notice_on(world: World, minutes: int) -> None:
    """OBS cannot be reached from the moment on at which a notice is to be written down."""
    since: list[datetime] = []

    def away(request: Request) -> bool:
        if b'"noticed"' in request.body and not since:
            since.append(request.at)
        return bool(since) and request.at < since[0] + timedelta(minutes=minutes)

    world.cloud.fault("obs.*", BUSY, times=None, where=away)


def with_jobs(world: World, monkeypatch: pytest.MonkeyPatch, shown: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """GES shows its jobs otherwise."""
    alter(world, monkeypatch, "ges.show_job", lambda body: json.dumps(shown(json.loads(body))).encode())


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


def a_minute_ahead(job: dict[str, Any]) -> dict[str, Any]:
    ended = job.get("end_time")
    return (
        job if not ended else {**job, "end_time": f"{datetime.fromisoformat(ended) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"}
    )


def without_end(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "end_time": None}


@pytest.mark.parametrize("shown", [dict, a_minute_ahead, without_end])
def test_an_automatic_cutoff_learns_how_long_upgrades_take_whatever_clock_ges_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    world = world_under(tmp_path, "[{windows: ['* 02:00-06:00 UTC'], cutoff: auto}]")
    world.graph().next_upgrade("success", timedelta(hours=2))
    with_jobs(world, monkeypatch, shown)
    world.run(release("2.4.9"), seconds=3 * 3600)
    assert [one["outcome"] for one in results(world)] == ["succeeded"]
    world.clock.sleep((at("2026-11-24 05:00") - world.clock.now()).total_seconds())
    assert only(world.run(release("2.4.15"), seconds=300))["reason"] == "outside-window"


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

    world.cloud.fault("obs.*", BUSY, times=None, where=away)
    world.run(seconds=3600)
    world.run(TIMER)
    ids = [(one["graph"], one["outcome"], one["event_id"]) for one in results(world)]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("mode", ["approve", "notify"])
def test_what_was_told_while_the_state_was_away_is_not_told_again_beside_something_new(mode: str) -> None:
    world = World(in_obs(f"[{{name: other, match: {{name: 'o*'}}}}, {{name: prod, mode: {mode}}}]"))
    world.graph("o").next_upgrade("success", timedelta(minutes=20))
    world.run(seconds=30)
    first = world.graph("first")
    away_from_the_next_notice_on(world, minutes=3)
    world.run(TIMER)
    second = world.graph("second")
    world.run(TIMER)
    assert [notice["graph_ids"] for notice in notices(world)] == [[first.id], [second.id]]


@pytest.mark.parametrize("minutes", [1, 3, 8])
def test_an_upgrade_that_was_announced_while_the_state_was_away_is_made(minutes: int) -> None:
    world = World(in_obs("[{name: other, match: {name: 'o*'}}, {name: prod, notice: 1h}]"))
    world.graph("o").next_upgrade("success", timedelta(minutes=20))
    world.run(seconds=30)
    graph = world.graph("first")
    away_from_the_next_notice_on(world, minutes)
    world.run(TIMER, seconds=1500)
    world.later(hours=3)
    world.run(TIMER)
    assert graph.version == "2.4.15"


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
    (halted,) = [notice for notice in notices(world) if notice["kind"] == "halted"]
    assert "failed 2 times" in halted["detail"]


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


def test_an_upgrade_that_was_late_and_made_its_graph_ill_is_not_made_again_with_force(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{force: {after: 24h}, job_timeout: 10m, health_check: true, max_failures: 3}]")
    graph = world.graph()
    graph.sick = True
    world.run()
    assert [one["outcome"] for one in results(world)] == ["timed-out", "unhealthy"]
    graph.version, graph.sick = "2.4.4", False  # rolled back in the console
    world.later(days=2)
    decision = only(world.run(TIMER))
    assert (decision["reason"], decision["until"]) == ("quarantined", None)


# Rules that are renamed, removed or moved


def test_a_rule_that_is_renamed_stays_halted_until_retry(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    for name in ("a", "b"):
        world.graph(name).next_upgrade("failed")
    world.run()
    changed(world, tmp_path, "[{name: production}]")
    waiting = next(graph.name for graph in world.project.graphs.values() if not graph.jobs)
    assert reason(world.run({"command": "plan"}), waiting) == "halted"
    assert reason(world.run(TIMER), waiting) == "halted"
    assert len(world.cloud.upgrades) == 1
    world.run({"command": "retry", "rule": "production"})
    assert len(world.cloud.upgrades) > 1


def halted_under_prod(world: World) -> None:
    world.graph("a").next_upgrade("failed")
    world.run()
    world.graph("b")
    assert reason(world.run(TIMER), "b") == "halted"


def upgraded(world: World) -> list[str]:
    """The names of the graphs, in the order of their upgrades."""
    names = {graph.id: graph.name for graph in world.project.graphs.values()}
    return [names.get(upgrade.graph_id, "gone") for upgrade in world.cloud.upgrades]


def test_a_renamed_rule_stays_halted_where_the_failed_graph_is_gone_until_retry_with_its_old_name(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    halted_under_prod(world)
    world.project.delete(next(graph for graph in world.project.graphs.values() if graph.name == "a"))
    changed(world, tmp_path, "[{name: production}]")
    result = world.run(TIMER)
    assert reason(result, "b") == "halted"
    (error,) = result["errors"]
    assert '{"command": "retry", "rule": "prod"}' in error
    assert world.run({"command": "retry", "rule": "prod"})["errors"] == []
    assert upgraded(world) == ["gone", "b"]


def test_a_renamed_rule_stays_halted_where_the_failed_graph_cannot_be_listed(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    halted_under_prod(world)
    elsewhere = world.cloud.project(REGION, ANOTHER.project_id)
    elsewhere.graph("c", version="2.4.4")
    changed(world, tmp_path, "[{name: production}]")
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None, where=lambda request: PROJECT.project_id in request.path)
    assert reason(world.run(TIMER, projects=(PROJECT, ANOTHER)), "c") == "halted"


@pytest.mark.parametrize("away", ["obs.*", "obs.append_object", "ges.list_graphs"])
def test_a_renamed_rule_stays_halted_where_something_is_away_at_first(away: str) -> None:
    world = World(in_obs(OTHERS % "prod"))
    halted_under_prod(world)
    world.graph("o").next_upgrade("success", timedelta(minutes=30))
    world.run(TIMER, seconds=30)
    world.policy = in_obs(OTHERS % "production")
    begun = world.clock.now()
    world.cloud.fault(away, BUSY, times=None, where=lambda request: request.at < begun + timedelta(minutes=3))
    world.run(TIMER)
    assert upgraded(world) == ["a", "o"]


def test_a_run_under_the_old_policy_heeds_what_a_run_under_the_new_one_has_moved(tmp_path: Path) -> None:
    world = world_under(tmp_path, OTHERS % "prod")
    halted_under_prod(world)
    world.graph("o").next_upgrade("success", timedelta(minutes=30))
    old, begun, deployed = world.policy, world.clock.now(), [False]

    def deploy(request: Request) -> bool:
        if request.at > begun + timedelta(minutes=5) and not deployed[0]:
            deployed[0] = True
            changed(world, tmp_path, OTHERS % "production")
            world.run(TIMER, seconds=20)
            world.policy = old
        return False

    world.cloud.fault("ges.list_graphs", faults.html(), times=None, where=deploy)
    world.run(TIMER)
    assert deployed[0]
    assert upgraded(world) == ["a", "o"]


def test_a_start_under_the_old_name_takes_a_place_under_the_new_one() -> None:
    old, new = (in_obs(f"[{{name: {name}, max_concurrent: 2}}]") for name in ("prod", "production"))
    world = World(new)
    for name in ("a", "b"):
        world.graph(name)

    def another() -> None:
        world.policy = old
        world.run(seconds=20)
        world.policy = new

    once(world, "obs.append_object", another, saying=b"intended")
    world.run(seconds=120)
    assert len(world.cloud.upgrades) == 1


def test_a_failure_of_a_graph_that_no_rule_governs_any_more_holds_nothing(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: test, match: {name: a}}, {name: prod, match: {name: b}}]")
    world.graph("a").next_upgrade("failed")
    world.run()
    changed(world, tmp_path, "[{name: prod, match: {name: b}}]")
    world.graph("b")
    assert world.run(TIMER)["errors"] == []
    assert upgraded(world) == ["a", "b"]


def test_what_is_told_after_a_rule_was_renamed_names_the_rule_that_is_there(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    world.graph().next_upgrade("failed")
    world.cloud.fault("smn.*", faults.html(503), times=None)
    world.run()
    world.cloud.clear_faults()
    changed(world, tmp_path, "[{name: production}]")
    world.later(hours=2)
    world.run(TIMER)
    (told,) = results(world)
    assert told["rule"] == "production"
    assert '{"command": "retry", "rule": "production"}' in (world.topic.messages[0].structure or {})["email"]


def test_a_slow_backup_is_told_though_its_rule_was_renamed(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, backup: required, job_timeout: 1h}]")
    world.graph()
    world.cloud.backup_duration = timedelta(hours=20)
    world.run(seconds=60)
    changed(world, tmp_path, "[{name: production, backup: required, job_timeout: 1h}]")
    world.later(hours=5)
    world.run(TIMER, seconds=60)
    assert [notice["event_id"].split(":")[0] for notice in notices(world)] == ["slow-backup"]


def test_a_damaged_record_about_a_rule_that_is_gone_holds_everything(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    world.graph()
    world.run({"command": "pause", "rule": "prod"})
    file = tmp_path / "journal-1.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"kind":"paused"', b'"kind":"later"'))
    changed(world, tmp_path, "[{name: production}]")
    assert only(world.run())["reason"] == "state-unavailable"
    assert world.run({"command": "resume", "rule": "prod"})["decisions"][0]["reason"] == "due"


@pytest.mark.parametrize("project", [PROJECT, ANOTHER])
def test_a_graph_that_is_not_listed_is_examined_under_the_rule_that_took_the_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    world = world_under(tmp_path, "[{name: prod, health_check: true}]")
    world.graph().sick = True
    world.run(seconds=60)
    world.later(minutes=20)
    changed(world, tmp_path, "[{name: production, health_check: true}]")
    leave_out(world, monkeypatch)
    assert outcomes(world.run(TIMER, projects=(project,))) == ["unhealthy"]


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
    assert "rules[0] (rule-1): its name is only its place" in warning
    world.run({"command": "pause", "rule": "rule-2"})
    assert "rules[1] (rule-2): its name is only its place" in world.run({"command": "plan"})["warnings"][1]
    changed(world, tmp_path, "[{mode: approve}]")
    world.run({"command": "resume"})
    assert world.run({"command": "plan"})["warnings"] == []
