"""Whole stories: from the event through the cloud to the message."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ges_upgrader.domain.model import Project
from tests.builders import PROJECT, at
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, message, only, release


def test_an_announced_version_upgrades_a_graph_and_the_result_is_told() -> None:
    world = World()
    graph = world.graph()
    result = world.run()
    (upgrade,) = world.cloud.upgrades
    assert (upgrade.graph_id, upgrade.to_version, upgrade.force) == (graph.id, "2.4.15", False)
    assert graph.version == "2.4.15"
    decision = only(result)
    assert (decision["action"], decision["reason"], decision["job_id"]) == ("upgrade", "due", upgrade.job_id)
    (outcome,) = result["outcomes"]
    assert outcome == {
        "graph_id": graph.id,
        "job_id": upgrade.job_id,
        "from_version": "2.4.4",
        "to_version": "2.4.15",
        "outcome": "succeeded",
        "detail": None,
    }
    assert (result["notified"], result["pending"], result["errors"]) == (1, [], [])
    (told,) = world.topic.messages
    assert told.attributes is None
    assert set(told.structure or {}) == {"default", "email", "sms"}
    content = json.loads((told.structure or {})["default"])
    assert (content["outcome"], content["event_id"]) == ("succeeded", f"{upgrade.job_id}:succeeded")


def test_repeated_delivery_starts_nothing_and_tells_nothing_twice() -> None:
    world = World()
    world.graph()
    world.run()
    again = world.run()
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]
    assert (only(again)["reason"], again["outcomes"], again["notified"]) == ("up-to-date", [], 0)


def test_the_upgrade_call_is_exactly_the_documented_one() -> None:
    world = World(policy("[{force: always}]"))
    graph = world.graph()
    world.run()
    (call,) = world.cloud.calls("ges.upgrade_graph")
    assert call.path == f"/v2/{world.project.id}/graphs/{graph.id}/upgrade"
    assert call.json == {"upgrade_version": "2.4.15", "force_upgrade": True}


def test_a_region_without_v2_is_upgraded_through_v1() -> None:
    world = World()
    world.cloud.project("cn-north-4", world.project.id, has_v2=False)
    graph = world.graph(tags={"env": "prod"})
    result = world.run()
    (call,) = world.cloud.calls("ges.upgrade_graph")
    assert call.path == f"/v1.0/{world.project.id}/graphs/{graph.id}/action"
    assert call.query == {"action_id": "upgrade"}
    assert call.json == {"upgradeVersion": "2.4.15", "forceUpgrade": False}
    assert result["outcomes"][0]["outcome"] == "succeeded"
    assert [request.api for request in world.cloud.calls("ges.list_graphs")].count("v2") == 1


def test_v1_can_be_asked_for() -> None:
    world = World(policy(api="v1.0"))
    world.graph()
    assert world.run()["outcomes"][0]["outcome"] == "succeeded"
    assert {request.api for request in world.cloud.requests if request.service == "ges"} == {"v1.0"}


def test_all_pages_of_a_large_fleet_are_seen() -> None:
    world = World()
    for number in range(230):
        world.graph(f"graph_{number}", version="2.4.15")
    result = world.run()
    assert len({decision["graph_id"] for decision in result["decisions"]}) == 230
    assert len(result["decisions"]) == 230


def test_all_projects_of_the_policy_are_seen_and_upgraded_in_their_own_region() -> None:
    world = World()
    other = world.cloud.project("cn-east-3", "f" * 32)
    other.graph("elsewhere", version="2.4.4")
    world.graph()
    projects = (PROJECT, Project("cn-east-3", "f" * 32))
    result = world.run(projects=projects)
    assert sorted(decision["region"] for decision in result["decisions"]) == ["cn-east-3", "cn-north-4"]
    world.run(projects=projects)
    assert {upgrade.to_version for upgrade in world.cloud.upgrades} == {"2.4.15"}
    assert len(world.cloud.upgrades) == 2


def test_graphs_of_one_rule_are_upgraded_one_after_the_other_in_one_run() -> None:
    world = World()
    for name in ("graph_a", "graph_b", "graph_c"):
        world.graph(name)
    result = world.run(seconds=7200)
    assert world.told() == ["succeeded"] * 3
    assert [outcome["outcome"] for outcome in result["outcomes"]] == ["succeeded"] * 3
    first, second, third = world.cloud.upgrades
    assert first.ended_at <= second.at
    assert second.ended_at <= third.at


def test_following_costs_one_list_a_tick_and_one_job_query_for_each_graph_that_left_201() -> None:
    world = World(policy("[{max_concurrent: 20, max_failures: 20}]"))
    for number in range(20):
        world.graph(f"graph_{number}")
    world.run()
    lists = len(world.cloud.calls("ges.list_graphs"))
    jobs = len(world.cloud.calls("ges.show_job"))
    assert len(world.cloud.upgrades) == 20
    assert jobs <= 20 + 2
    assert lists <= 40
    assert not world.cloud.calls("ges.show_graph")


def test_a_run_that_nears_its_end_hands_its_jobs_to_the_next_run_of_any_kind(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    first = world.run(seconds=60)
    assert [pending["job_id"] for pending in first["pending"]] == [world.cloud.upgrades[0].job_id]
    assert world.told() == []
    world.later(minutes=20)
    second = world.run(TIMER)
    assert (second["outcomes"][0]["outcome"], second["pending"]) == ("succeeded", [])
    assert world.told() == ["succeeded"]
    assert len(world.cloud.upgrades) == 1


def test_a_run_never_goes_past_its_time() -> None:
    world = World()
    world.graph()
    began = world.clock.now()
    world.run(seconds=60)
    assert world.clock.now() - began < timedelta(seconds=60)


def test_without_a_lasting_journal_a_new_process_takes_up_what_it_finds_on_its_way() -> None:
    world = World()
    world.graph()
    world.run(seconds=60)
    world.forget()
    result = world.run(TIMER)
    assert result["outcomes"][0]["job_id"] == world.cloud.upgrades[0].job_id
    assert world.told() == ["succeeded"]


def test_outside_its_window_nothing_starts_and_inside_it_does() -> None:
    world = World(policy("[{windows: ['Mon 04:00-06:00 UTC']}]"))
    world.graph()
    waiting = only(world.run())
    assert (waiting["action"], waiting["reason"]) == ("wait", "outside-window")
    assert waiting["until"] == "2026-11-23T04:00:00Z"
    assert world.cloud.upgrades == []
    world.later(hours=2)
    world.run(TIMER)
    assert [upgrade.at for upgrade in world.cloud.upgrades] == [at("2026-11-23 04:00")]


def test_a_window_that_closes_during_a_run_lets_nothing_more_start_but_what_runs_is_followed() -> None:
    world = World(policy("[{windows: ['Mon 01:00-02:10 UTC'], cutoff: 5m}]"))
    for name in ("graph_a", "graph_b"):
        world.graph(name)
    result = world.run()
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["notice", "succeeded"]
    assert "runs past the end of its window" in (world.topic.messages[0].structure or {})["email"]
    assert sorted(decision["reason"] for decision in result["decisions"]) == ["due", "outside-window"]


@pytest.mark.parametrize(
    "event", [{"key": "value"}, {"command": "plan"}, {"command": "status"}, {"command": "reconcile", "dry_run": True}]
)
def test_a_plan_changes_nothing(event: dict[str, object]) -> None:
    world = World(policy(releases="[{version: 2.4.15}]"))
    world.graph()
    result = world.run(event)
    assert (only(result)["action"], only(result)["reason"]) == ("upgrade", "due")
    assert result["dry_run"] is True
    assert {request.method for request in world.cloud.requests} == {"GET"}


def test_a_dry_run_of_a_release_shows_what_it_would_do_and_forgets_it() -> None:
    world = World()
    world.graph()
    assert only(world.run({"command": "release", "version": "2.4.15", "dry_run": True}))["reason"] == "due"
    assert only(world.run(TIMER))["reason"] == "no-release"
    assert world.cloud.upgrades == []


def test_a_release_is_remembered_for_later_runs(tmp_path: Path) -> None:
    world = World(policy("[{windows: ['Mon 04:00-06:00 UTC']}]", state=f"file://{tmp_path}"))
    world.graph()
    world.run({"command": "release", "version": "2.4.15"})
    world.later(hours=2)
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_a_withdrawn_release_starts_nothing(tmp_path: Path) -> None:
    world = World(policy("[{windows: ['Mon 04:00-06:00 UTC']}]", state=f"file://{tmp_path}"))
    world.graph()
    world.run(release("2.4.15"))
    world.run(message(json.dumps({"event": "ges.version.withdrawn", "version": "2.4.15"}), "m2"))
    world.later(hours=2)
    assert only(world.run(TIMER))["reason"] == "no-release"
    assert world.cloud.upgrades == []


def test_a_message_that_names_several_versions_changes_nothing_and_says_so_once() -> None:
    world = World(policy(releases="[{version: 2.4.15}]"))
    world.graph()
    first = world.run(message("GES 2.4.9 and 2.4.15 are available"))
    world.run(message("GES 2.4.9 and 2.4.15 are available"))
    assert world.cloud.upgrades == []
    assert "several versions" in first["errors"][0]
    assert world.told() == ["notice"]


def test_an_upgrade_by_another_hand_is_not_ours_to_tell(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    graph = world.graph()
    graph.begin_upgrade("2.4.15", force=False)
    result = world.run()
    assert only(result)["reason"] == "upgrading"
    assert (result["pending"], world.told()) == ([], [])


def test_missing_and_unknown_fields_and_codes_are_tolerated() -> None:
    world = World()
    world.graph("bare", missing=("tags", "sys_tags", "arch", "product_type", "private_ip"), extra={"new_field": {"a": [1]}})
    world.graph("odd", status="999")
    world.graph("unversioned", missing=("data_store_version",))
    world.graph("nameless", missing=("name",))
    result = world.run()
    reasons = {decision["graph"]: decision["reason"] for decision in result["decisions"]}
    assert reasons["bare"] == "due"
    assert reasons["odd"] == "not-running"
    assert reasons["unversioned"] == "refused"
    assert len(reasons) == 4


def test_a_failed_upgrade_halts_the_rule_and_is_not_tried_again() -> None:
    world = World()
    world.graph().next_upgrade("failed", fail_reason="no space left")
    result = world.run()
    assert world.told() == ["rolled-back"]
    assert result["outcomes"][0]["detail"] == "no space left"
    assert (only(world.run())["action"], only(world.run())["reason"]) == ("blocked", "halted")
    assert len(world.cloud.upgrades) == 1


def test_notify_on_chooses_what_is_told() -> None:
    topic = "{topic: 'urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:ges-upgrades', on: [failed]}"

    world = World(f"notify: {topic}\nrules: [{{}}]")
    world.graph()
    world.run()
    assert world.told() == []
    assert len(world.cloud.upgrades) == 1


def test_a_plan_leaves_no_trace_where_the_journal_will_be(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}/state"), new=True)
    world.graph()
    world.run({"command": "plan"})
    assert not (tmp_path / "state").exists()


def test_a_plan_sends_nothing_that_an_earlier_run_could_not(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    topics = dict(world.project.topics)
    world.project.topics.clear()
    world.run(message("GES 2.4.9 and 2.4.15"))
    world.project.topics.update(topics)
    world.later(hours=2)
    world.run({"command": "status"})
    assert world.topic.messages == []
    world.run(TIMER)
    assert world.told() == ["notice"]
