"""Whole runs under every part of a policy, and every command, against the simulated cloud."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.domain.model import Project
from huaweicloud_simulator import faults
from huaweicloud_simulator.wire import Refusal, Request, Response
from tests.builders import PROJECT_ID, at
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, only, release


def world_under(tmp_path: Path, rules: str, **fields: str) -> World:
    return World(policy(rules, state=f"file://{tmp_path}", **fields))


def reason(result: dict[str, Any], graph: str = "demo") -> str:
    return str(next(decision["reason"] for decision in result["decisions"] if decision["graph"] == graph))


def notices(world: World) -> list[dict[str, Any]]:
    told = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in told if one["schema"] == "ges.upgrade.notice/1"]


def test_a_rule_in_mode_approve_asks_once_with_the_exact_command_and_starts_when_told_to(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, mode: approve}]")
    world.graph()
    assert reason(world.run()) == "awaiting-approval"
    assert reason(world.run(TIMER)) == "awaiting-approval"
    (asked,) = notices(world)
    command = json.loads(asked["detail"].split("\n")[1])
    assert command == {"command": "approve", "version": "2.4.15", "rule": "prod"}
    assert world.cloud.upgrades == []
    world.run(command)
    assert world.told() == ["notice", "succeeded"]


def test_an_approval_of_one_graph_is_for_that_graph(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{mode: approve, max_concurrent: 2, max_failures: 2}]")
    approved, other = world.graph("orders"), world.graph("fraud")
    world.run()
    world.run({"command": "approve", "version": "2.4.15", "graph": approved.id})
    assert (approved.version, other.version) == ("2.4.15", "2.4.4")


def test_approval_expires(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{mode: approve, approval_lifetime: 2d, windows: ['Sat 02:00-06:00 UTC']}]")
    world.graph()
    world.run()
    assert reason(world.run({"command": "approve", "version": "2.4.15", "rule": "rule-1"})) == "outside-window"
    world.later(days=5, hours=1)
    result = world.run(TIMER)
    assert (only(result)["reason"], only(result)["until"]) == ("awaiting-approval", None)
    assert len(notices(world)) == 2
    assert "has expired" in notices(world)[1]["detail"]


def test_a_rule_in_mode_notify_tells_once_and_never_starts(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{mode: notify}]")
    world.graph()
    result = world.run()
    world.run(TIMER)
    assert (only(result)["action"], only(result)["reason"]) == ("skip", "notify-only")
    assert world.told() == ["notice"]
    assert world.cloud.upgrades == []


def test_a_start_waits_until_its_planned_message_is_out_for_as_long_as_the_notice(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{notice: 24h}]")
    world.graph()
    world.cloud.fault("smn.publish", faults.error(500, "SMN.0001", "no"), times=50)
    result = world.run(seconds=300)
    assert only(result)["reason"] == "notice"
    assert world.told() == []
    world.cloud.clear_faults()
    world.later(hours=2)
    until = only(world.run(TIMER))["until"]
    assert world.told() == ["notice"]
    assert "demo: not before" in notices(world)[0]["detail"]
    world.later(hours=23)
    assert only(world.run(TIMER, seconds=60))["until"] == until
    assert world.cloud.upgrades == []
    world.later(hours=1, minutes=1)
    world.run(TIMER)
    (upgrade,) = world.cloud.upgrades
    assert upgrade.at >= world.topic.messages[0].at + timedelta(hours=24)


def test_a_freeze_wins_over_an_open_window_and_says_why(tmp_path: Path) -> None:
    freezes = "[{from: 2026-11-23, until: 2026-11-25, timezone: Asia/Shanghai, reason: singles week}]"
    world = world_under(tmp_path, "[{windows: ['* 00:00-24:00 UTC']}]", freezes=freezes)
    world.graph()
    world.run(release("2.4.15"))
    result = world.run({"command": "plan"})
    assert (only(result)["reason"], only(result)["until"]) == ("frozen", "2026-11-24T16:00:00Z")
    (check,) = [check for check in only(result)["checks"] if check["check"] == "freeze"]
    assert (check["blocks"], check["binding"]) == (True, True)
    assert "singles week" in check["value"]
    assert world.cloud.upgrades == []


def test_nothing_starts_within_the_cutoff_of_a_freeze(tmp_path: Path) -> None:
    freezes = "[{from: '2026-11-23T02:40:00Z', until: '2026-11-23T08:00:00Z', reason: sale}]"
    world = world_under(tmp_path, "[{}]", freezes=freezes)
    world.graph()
    world.later(minutes=10)
    assert (only(world.run(release("2.4.15")))["reason"]) == "frozen"
    result = world.run({"command": "plan"})
    assert (only(result)["reason"], only(result)["until"]) == ("frozen", "2026-11-23T08:00:00Z")
    (check,) = [check for check in only(result)["checks"] if check["check"] == "freeze"]
    assert check["value"] == "sale, from 2026-11-23T02:40:00Z, cutoff 30m, until 2026-11-23T08:00:00Z"
    (start,) = world.run({"command": "forecast", "days": 7})["forecast"]
    assert start["at"] == "2026-11-23T08:00:00Z"
    assert world.cloud.upgrades == []
    world.later(hours=5, minutes=30)
    world.run(TIMER)
    assert len(world.cloud.upgrades) == 1


def test_a_release_must_be_seen_for_as_long_as_the_age_and_its_date_counts_only_where_it_is_trusted(tmp_path: Path) -> None:
    announced = release("2.4.15", released_at="2026-10-01T00:00:00Z")
    world = world_under(tmp_path, "[{min_release_age: 7d}]")
    world.graph()
    assert (only(world.run(announced))["reason"], only(world.run(TIMER))["until"]) == ("too-young", "2026-11-30T02:00:00Z")
    world.later(days=7)
    assert only(world.run(TIMER))["reason"] == "due"
    trusting = World(policy("[{min_release_age: 7d}]", trust_released_at="true"))
    trusting.graph()
    assert only(trusting.run(announced))["reason"] == "due"


def test_a_security_release_may_be_younger_where_the_policy_says_so(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{min_release_age: {default: 7d, security: 1d}}]")
    world.graph()
    result = world.run(release("2.4.15", severity="security"))
    assert only(result)["until"] == "2026-11-24T02:00:00Z"


def test_where_the_newest_is_too_young_an_older_one_that_is_old_enough_is_taken(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{min_release_age: 2d}]")
    graph = world.graph()
    world.run(release("2.4.9"))
    world.later(days=3)
    world.run(release("2.4.15"))
    assert graph.version == "2.4.9"


WAVES = "[{name: dev, match: {name: 'dev*'}}, {name: prod, after: [dev], soak: 48h}]"


def test_a_rule_waits_for_the_rules_before_it_and_then_for_the_soak(tmp_path: Path) -> None:
    world = world_under(tmp_path, WAVES)
    world.graph("dev_a")
    world.graph("prod_a")
    first = world.run(seconds=120)
    assert (reason(first, "dev_a"), reason(first, "prod_a")) == ("due", "after-rule")
    world.later(minutes=30)
    second = world.run(TIMER)
    assert world.told() == ["succeeded"]
    (prod,) = [decision for decision in second["decisions"] if decision["graph"] == "prod_a"]
    assert (prod["reason"], prod["until"]) == ("soaking", second["now"].replace("11-23", "11-25"))
    world.later(days=2, minutes=1)
    world.run(TIMER)
    assert world.told() == ["succeeded", "succeeded"]


def test_a_soak_counts_from_when_graphs_were_first_seen_at_the_target_by_whatever_hand(tmp_path: Path) -> None:
    world = world_under(tmp_path, WAVES)
    world.graph("dev_a", version="2.4.15")
    world.graph("prod_a")
    until = [decision["until"] for decision in world.run()["decisions"] if decision["graph"] == "prod_a"]
    world.later(hours=20)
    again = [decision["until"] for decision in world.run(TIMER)["decisions"] if decision["graph"] == "prod_a"]
    assert until == again == ["2026-11-25T02:00:00Z"]


def test_a_failure_stops_the_next_rule_and_quarantines_the_version_until_retry(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: dev, match: {name: 'dev*'}}, {name: prod, after: [dev]}]")
    dev, prod = world.graph("dev_a"), world.graph("prod_a")
    dev.next_upgrade("failed")
    result = world.run()
    assert world.told() == ["rolled-back"]
    message = world.topic.messages[0].structure or {}
    assert "The rule dev is halted at 2.4.15" in message["email"]
    assert json.loads(message["default"])["halted"] is True
    assert {reason(result, "dev_a"), reason(world.run(TIMER), "dev_a")} <= {"due", "halted"}
    assert reason(world.run(TIMER), "prod_a") == "quarantined"
    assert len(world.cloud.upgrades) == 1
    world.run({"command": "retry", "rule": "dev"})
    assert (dev.version, prod.version) == ("2.4.15", "2.4.15")


def test_a_newer_version_starts_afresh_after_a_halt(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{}]")
    graph = world.graph()
    graph.next_upgrade("failed")
    world.run(release("2.4.9"))
    world.run(release("2.4.15"))
    assert graph.version == "2.4.15"


def test_parallel_failures_never_exceed_max_failures(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{max_concurrent: 4, max_failures: 2}]")
    for number in range(4):
        world.graph(f"graph_{number}").next_upgrade("failed")
    result = world.run()
    assert world.told() == ["rolled-back", "rolled-back"]
    assert sorted(decision["reason"] for decision in result["decisions"]) == ["due", "due", "halted", "halted"]


def test_a_rule_that_governs_more_than_expected_is_blocked_and_told_once(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{max_graphs: 2}]")
    for number in range(3):
        world.graph(f"graph_{number}")
    result = world.run()
    world.run(TIMER)
    assert {decision["reason"] for decision in result["decisions"]} == {"too-many"}
    assert world.told() == ["notice"]
    assert world.cloud.upgrades == []


def test_the_policys_own_limit_holds_over_all_rules(tmp_path: Path) -> None:
    rules = "[{name: a, match: {name: 'a*'}}, {name: b}]"
    world = world_under(tmp_path, rules, max_concurrent="1")
    for name in ("a_graph", "b_graph"):
        world.graph(name)
    result = world.run(seconds=120)
    assert sorted(decision["reason"] for decision in result["decisions"]) == ["due", "max-concurrent"]


BACKUP = "[{backup: required, backup_max_age: 24h}]"


def test_a_required_backup_is_made_and_waited_for_before_the_upgrade(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    world.cloud.backup_duration = timedelta(minutes=30)
    first = world.run(seconds=120)
    assert (only(first)["action"], only(first)["reason"]) == ("backup", "due")
    assert [pending["job"] for pending in first["pending"]] == ["backup"]
    assert (only(world.run(TIMER, seconds=60))["action"], reason(world.run(TIMER, seconds=60))) == ("wait", "backing-up")
    assert world.cloud.upgrades == []
    world.later(minutes=30)
    world.run(TIMER)
    assert graph.version == "2.4.15"
    assert len(world.cloud.calls("ges.create_backup")) == 1
    assert world.cloud.upgrades[0].at >= graph.backups[0].end


def test_a_backup_that_takes_longer_than_a_job_may_is_told_once_and_waited_for(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    world.cloud.backup_duration = timedelta(hours=6)
    world.run(seconds=60)
    world.later(hours=1)
    assert world.run(TIMER, seconds=60)["notified"] == 0
    world.later(hours=1)
    assert [world.run(TIMER, seconds=60)["notified"] for _ in range(2)] == [1, 0]
    assert "The backup of demo" in world.topic.messages[0].structure["default"]  # type: ignore[index]
    world.later(hours=4)
    world.run(TIMER)
    assert graph.version == "2.4.15"


def test_a_successful_backup_by_any_hand_that_is_young_enough_serves(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    graph.begin_backup()
    world.later(hours=23)
    world.run()
    assert not world.cloud.calls("ges.create_backup")
    assert graph.version == "2.4.15"


@pytest.mark.parametrize("age", [timedelta(hours=25)])
def test_a_backup_that_is_too_old_does_not_serve(tmp_path: Path, age: timedelta) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    graph.begin_backup()
    world.later(hours=age.total_seconds() / 3600)
    world.run()
    assert len(world.cloud.calls("ges.create_backup")) == 1
    assert graph.version == "2.4.15"


def test_without_a_successful_backup_nothing_is_upgraded_and_it_is_told(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    graph.next_backup("failed")
    result = world.run(seconds=200)
    assert (only(result)["action"], only(result)["reason"]) == ("blocked", "backup-failed")
    assert world.told() == ["notice"]
    assert world.cloud.upgrades == []
    world.run({"command": "retry", "graph": "demo"})
    assert graph.version == "2.4.15"


def test_retry_of_a_rule_is_for_all_its_graphs_with_which_something_went_wrong(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: all, max_concurrent: 2, max_failures: 2}]")
    for name in ("graph_a", "graph_b", "graph_c"):
        world.graph(name).next_upgrade("failed" if name != "graph_c" else "success")
    assert world.run()["outcomes"]
    world.run({"command": "retry", "rule": "all"})
    assert {graph.version for graph in world.project.graphs.values()} == {"2.4.15"}


def test_a_full_quota_of_backups_is_seen_before_anything_is_called(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    world.graph()
    world.cloud.backup_quota = 0
    result = world.run(seconds=200)
    assert only(result)["reason"] == "backup-failed"
    assert "quota" in result["errors"][0]
    assert not world.cloud.calls("ges.create_backup")


def test_a_quota_that_is_not_shown_is_left_to_ges(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    world.cloud.fault("ges.show_quotas", faults.error(400, "GES.7041", "Insufficient permission."), times=None)
    world.run()
    assert len(graph.backups) == 1
    assert graph.version == "2.4.15"


@pytest.mark.parametrize("shape", ["timestamps", "capitals"])
def test_a_backup_is_known_by_whichever_of_its_fields_ges_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    handle = world.cloud.handle

    def otherwise(request: Request) -> Response:
        response = handle(request)
        if request.operation == "ges.list_graph_backups":
            answer = json.loads(response.body)
            for one in answer["backup_list"]:
                one["status"] = one["status"].upper()
                for name in ("start_time", "end_time") if shape == "timestamps" else ():
                    one.pop(name, None)
            response.body = json.dumps(answer).encode()
        return response

    monkeypatch.setattr(world.cloud, "handle", otherwise)
    world.run()
    assert len(graph.backups) == 1
    assert graph.version == "2.4.15"


def test_a_backup_whose_call_got_no_answer_is_found_and_not_made_twice(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    world.cloud.fault("ges.create_backup", faults.lost_answer())
    world.run()
    assert len(graph.backups) == 1
    assert graph.version == "2.4.15"


def test_the_job_of_a_backup_is_not_taken_for_that_of_an_upgrade_that_never_began(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    graph = world.graph()
    world.cloud.backup_duration = timedelta(seconds=10)
    world.cloud.fault("ges.create_backup", faults.lost_answer())
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False))
    world.run()
    assert len(graph.backups) == 1
    assert len(world.cloud.calls("ges.upgrade_graph")) == 2
    assert world.told() == ["succeeded"]


def test_only_backups_made_here_beyond_backup_keep_are_deleted(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required, backup_max_age: 1h, backup_keep: 1}]")
    graph = world.graph(version="2.4.3")
    _, by_hand = graph.begin_backup()
    world.later(hours=2)
    for version in ("2.4.4", "2.4.9", "2.4.15"):
        world.cloud.release(version)
        world.run(release(version))
        world.later(hours=2)
    assert graph.version == "2.4.15"
    assert by_hand in graph.backups
    assert len(graph.backups) == 2
    assert len(world.cloud.calls("ges.delete_backup")) == 2


def test_a_backup_by_another_hand_that_was_waited_for_is_not_deleted_later(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required, backup_keep: 1}]")
    graph = world.graph()

    def begun_meanwhile() -> Response:
        graph.begin_backup()
        raise Refusal(503, "GES.7006", "An internal error occurs.")

    world.cloud.fault("ges.list_graph_backups", faults.Fault("begun meanwhile", acts=False, strike=begun_meanwhile), times=1)
    world.run(release("2.4.9"))
    world.later(days=3)
    world.run(release("2.4.15"))
    assert graph.version == "2.4.15"
    assert len(graph.backups) == 2
    assert not world.cloud.calls("ges.delete_backup")


def test_a_backup_that_takes_longer_than_its_age_may_be_serves_once_it_is_made(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required, backup_max_age: 2m}]")
    graph = world.graph()
    world.cloud.backup_duration = timedelta(minutes=5)
    world.run()
    assert graph.version == "2.4.15"
    assert len(graph.backups) == 1


def test_one_bad_graph_is_not_upgraded_again_and_again_until_its_rule_halts(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{max_failures: 3, max_concurrent: 2}]")
    world.graph("good_one")
    world.graph("bad_one").next_upgrade("failed")
    result = world.run()
    assert [upgrade.to_version for upgrade in world.cloud.upgrades] == ["2.4.15", "2.4.15"]
    assert reason(world.run(TIMER), "bad_one") == "quarantined"
    assert sorted(one["outcome"] for one in result["outcomes"]) == ["rolled-back", "succeeded"]
    rolled_back = next(message for message in world.topic.messages if "rolled-back" in (message.subject or ""))
    assert '{"command": "retry", "graph": "bad_one"}' in (rolled_back.structure or {})["email"]


def test_graphs_that_opted_out_are_no_part_of_what_max_failures_counts(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{max_failures: 50%}]")
    world.graph().next_upgrade("failed")
    for number in range(3):
        world.graph(f"out_{number}", tags={"ges-upgrader": "off"})
    assert reason(world.run()) in ("due", "halted")
    assert json.loads((world.topic.messages[0].structure or {})["default"])["halted"] is True


def test_a_halt_that_a_changed_policy_makes_is_told_once(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: all, max_failures: 2}]")
    world.graph("demo_a").next_upgrade("failed")
    world.run()
    world.graph("demo_b")
    world.policy = policy("[{name: all, max_failures: 1}]", state=f"file://{tmp_path}")
    for _ in range(2):
        world.run(TIMER, seconds=60)
    (halted,) = notices(world)
    assert '{"command": "retry", "rule": "all"}' in halted["detail"]


def test_a_later_message_narrows_what_an_earlier_one_announced_and_never_widens_it(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{windows: ['Sat 02:00-06:00 UTC']}]")
    graph = world.graph()
    world.run(release("2.4.15"))
    world.run(release("2.4.15", not_before="2026-12-01T00:00:00Z"))
    for _ in range(2):
        world.run(release("2.4.15"))
    assert (tmp_path / "journal-1.jsonl").read_text().count('"kind":"released"') == 2
    world.clock.sleep((at("2026-11-28 02:00") - world.clock.now()).total_seconds())
    assert reason(world.run(TIMER, seconds=600)) == "too-young"
    world.clock.sleep((at("2026-12-05 02:00") - world.clock.now()).total_seconds())
    world.run(TIMER)
    assert graph.version == "2.4.15"


def test_what_is_refused_again_after_a_retry_is_told_again(tmp_path: Path) -> None:
    world = world_under(tmp_path, BACKUP)
    world.graph()
    world.cloud.backup_quota = 0
    world.run(seconds=200)
    world.run(TIMER, seconds=200)
    assert len(notices(world)) == 1
    world.later(minutes=1)
    world.run({"command": "retry", "graph": "demo"}, seconds=200)
    assert len(notices(world)) == 2


def test_an_upgrade_that_waited_for_running_work_in_vain_is_next_started_with_force(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{force: {after: 24h}, job_timeout: 1h, max_failures: 3}]")
    world.graph().next_upgrade("failed", duration=timedelta(hours=25))
    world.run(seconds=120)
    world.later(hours=2)
    world.run(TIMER, seconds=120)
    world.later(hours=31)
    world.run(TIMER)
    assert [upgrade.force for upgrade in world.cloud.upgrades] == [False, True]
    assert world.told() == ["timed-out", "rolled-back", "succeeded"]


def test_a_failed_call_is_tried_again_inside_the_same_window(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{windows: ['Mon 02:00-03:00 UTC'], cutoff: 10m}]")
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.error(503, "GES.7006", "An internal error occurs."), times=3)
    world.run(seconds=900)
    world.later(minutes=15)
    world.run(TIMER)
    assert graph.version == "2.4.15"
    assert all(upgrade.at < at("2026-11-23 02:50") for upgrade in world.cloud.upgrades)


def test_the_starts_within_a_window_are_spread(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{windows: ['Mon 02:00-06:00 UTC'], spread: 60m, max_concurrent: 9, max_failures: 9}]")
    for number in range(6):
        world.graph(f"graph_{number}")
    world.run(seconds=7200)
    starts = sorted(upgrade.at for upgrade in world.cloud.upgrades)
    assert len(starts) == 6
    assert len(set(starts)) >= 5
    assert at("2026-11-23 02:00") <= starts[0] <= starts[-1] < at("2026-11-23 03:00")


def test_pause_wins_over_everything_and_resume_ends_it(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: all}]")
    world.graph()
    world.run({"command": "pause", "reason": "month end"})
    assert (only(world.run())["action"], reason(world.run(TIMER))) == ("blocked", "paused")
    status = world.run({"command": "status"})
    assert status["state"]["pauses"] == [
        {"rule": None, "graph_id": None, "since": "2026-11-23T02:00:00Z", "reason": "month end"}
    ]
    assert any(check["check"] == "pause" and "month end" in check["value"] for check in only(status)["checks"])
    world.run({"command": "resume"})
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("what", [{"rule": "dev"}, {"graph": "dev_a"}])
def test_a_pause_of_one_rule_or_graph_leaves_the_others(tmp_path: Path, what: dict[str, str]) -> None:
    world = world_under(tmp_path, "[{name: dev, match: {name: 'dev*'}}, {name: rest}]")
    paused, other = world.graph("dev_a"), world.graph("prod_a")
    world.run({"command": "pause", **what})
    world.run()
    assert (paused.version, other.version) == ("2.4.4", "2.4.15")


def test_a_withdrawn_version_is_started_no_more(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{windows: ['Sat 02:00-06:00 UTC']}]")
    world.graph()
    world.run()
    world.run({"command": "withdraw", "version": "2.4.15", "reason": "data loss"})
    world.later(days=5)
    assert reason(world.run(TIMER)) == "no-release"
    assert world.cloud.upgrades == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"command": "pause", "rule": "prod"}, "there is no rule 'prod'; accepted are rule-1"),
        ({"command": "pause", "graph": "nobody"}, "there is no graph with the id or the name 'nobody'"),
        ({"command": "retry", "graph": "twin"}, "2 graphs are named 'twin': use an id"),
        ({"command": "approve", "version": "2.4.51", "rule": "rule-1"}, "no release 2.4.51 is known; known are 2.4.15"),
    ],
)
def test_a_command_about_something_that_is_not_there_changes_nothing(
    tmp_path: Path, command: dict[str, str], words: str
) -> None:
    world = world_under(tmp_path, "[{windows: ['Sat 02:00-06:00 UTC']}]")
    world.graph("twin")
    other = world.cloud.project("cn-east-3", "fedcba9876543210fedcba9876543210")
    other.graph("twin")
    world.run()
    journal = (tmp_path / "journal-1.jsonl").read_bytes()
    projects = (Project("cn-north-4", PROJECT_ID), Project("cn-east-3", other.id))
    result = world.run(command, projects=projects)
    assert words in result["errors"][0]
    assert "nothing was changed" in result["errors"][0]
    assert (tmp_path / "journal-1.jsonl").read_bytes() == journal


@pytest.mark.parametrize("word", ["pause", "approve", "withdraw", "retry", "resume"])
def test_a_dry_run_of_a_command_shows_its_effect_and_writes_nothing(tmp_path: Path, word: str) -> None:
    world = world_under(tmp_path, "[{mode: approve}]")
    world.graph()
    world.run()
    journal = (tmp_path / "journal-1.jsonl").read_bytes()
    arguments = {
        "approve": {"version": "2.4.15", "rule": "rule-1"},
        "withdraw": {"version": "2.4.15"},
        "retry": {"graph": "demo"},
    }
    result = world.run({"command": word, "dry_run": True, **arguments.get(word, {})})
    expected = {"pause": "paused", "approve": "due", "withdraw": "no-release"}
    assert only(result)["reason"] == expected.get(word, "awaiting-approval")
    assert (tmp_path / "journal-1.jsonl").read_bytes() == journal
    assert world.cloud.upgrades == []


def test_without_state_a_command_says_how_long_it_is_remembered() -> None:
    world = World(policy("[{mode: approve}]"))
    world.graph()
    world.run()
    result = world.run({"command": "approve", "version": "2.4.15", "rule": "rule-1"})
    assert any("state is none" in error for error in result["errors"])
    assert any("mode: approve" in warning for warning in world.run({"command": "plan"})["warnings"])


PLANNED = "[{windows: ['Sat 02:00-06:00 UTC'], min_release_age: 1d, notice: 24h, versions: '<3'}]"


def test_a_plan_gives_every_gate_with_its_value_and_what_would_make_the_start_earlier(tmp_path: Path) -> None:
    world = world_under(tmp_path, PLANNED)
    world.graph()
    world.run()
    world.run(release("3.0.0"))
    decision = only(world.run({"command": "plan"}))
    checks = {check["check"]: check for check in decision["checks"]}
    assert decision["until"] == "2026-11-28T02:00:00Z"
    assert "3.0.0 is not allowed by versions <3" in checks["release"]["value"]
    assert checks["age"]["value"] == "2.4.15 counts from 2026-11-23T02:00:00Z and needs 1d"
    assert [name for name, check in checks.items() if check["binding"]] == ["window"]
    assert decision["earlier"] == [
        "shortening min_release_age changes nothing",
        "a window on Tuesday gives 2026-11-24T02:00:00Z",
        "shortening the notice changes nothing",
    ]


@pytest.mark.parametrize("word", ["plan", "status", "forecast"])
def test_looking_writes_and_calls_nothing(tmp_path: Path, word: str) -> None:
    world = world_under(tmp_path, PLANNED, releases="[{version: 2.4.15}]")
    world.new = True
    world.graph()
    world.run({"command": word})
    assert not (tmp_path / "journal-1.jsonl").exists()
    assert {request.method for request in world.cloud.requests} == {"GET"}


def test_a_forecast_lists_when_each_graph_would_be_upgraded_to_what(tmp_path: Path) -> None:
    rules = (
        "[{name: dev, match: {name: 'dev*'}}, "
        "{name: prod, windows: ['Sat 02:00-06:00 UTC'], after: [dev], soak: 48h, notice: 24h, backup: required}]"
    )
    world = world_under(tmp_path, rules, releases="[{version: 2.4.15}]")
    for name in ("dev_a", "dev_b", "prod_a", "prod_b"):
        world.graph(name)
    result = world.run({"command": "forecast", "days": 30})
    listed = [(one["at"], one["graph"][:-2], one["to_version"]) for one in result["forecast"]]
    assert listed == [
        ("2026-11-23T02:00:00Z", "dev", "2.4.15"),
        ("2026-11-23T02:15:00Z", "dev", "2.4.15"),
        ("2026-11-28T02:00:00Z", "prod", "2.4.15"),
        ("2026-11-28T02:15:00Z", "prod", "2.4.15"),
    ]


def test_what_is_forecast_is_what_then_happens(tmp_path: Path) -> None:
    dev = "{name: dev, match: {name: 'dev*'}, spread: 30m, windows: ['* 01:00-05:00 UTC']}"
    rules = f"[{dev}, {{name: prod, after: [dev], soak: 6h}}]"
    world = world_under(tmp_path, rules)
    world.cloud.upgrade_duration = timedelta(minutes=15)
    for name in ("dev_a", "dev_b", "prod_a"):
        world.graph(name)
    world.run({"command": "pause"})
    world.run(release("2.4.15"))
    foreseen = world.run({"command": "resume", "dry_run": True})
    assert foreseen["dry_run"] is True
    forecast = world.run({"command": "forecast", "days": 3})
    assert forecast["forecast"] == []
    world.run({"command": "resume"}, seconds=60)
    forecast = world.run({"command": "forecast", "days": 3})
    for _ in range(40):
        world.run(TIMER, seconds=890)
        world.later(minutes=15)
    happened = {upgrade.graph_id: upgrade.at for upgrade in world.cloud.upgrades}
    for one in forecast["forecast"]:
        late = happened[one["graph_id"]] - at(one["at"].replace("T", " ").removesuffix("Z"))
        assert timedelta(minutes=-2) <= late <= timedelta(minutes=32), one


def test_warnings_come_with_the_result() -> None:
    world = World(policy("[{windows: ['Sun 02:00-03:00 UTC']}]", timers="['CRON_TZ=UTC 0 0 12 * * ?']"))
    world.graph()
    warnings = "\n".join(world.run({"command": "plan"})["warnings"])
    assert "open for 4h in the next 32 days" in warnings
    assert "a window of 1h is short" in warnings
    assert "none of the timers (CRON_TZ=UTC 0 0 12 * * ?) fires while a window lets anything start" in warnings


def test_a_rule_that_the_fleet_leaves_without_graphs_is_warned_of() -> None:
    world = World(policy("[{name: canary, match: {name: 'canary*'}}, {name: prod, after: [canary]}]"))
    world.graph()
    for word in ("plan", "status"):
        (warning,) = [text for text in world.run({"command": word})["warnings"] if "state: none" not in text]
        assert warning.startswith("rules[0] (canary): it governs no graph, ")
        assert warning.endswith(", so prod does not wait for it")


def test_started_is_told_where_it_is_asked_for() -> None:
    topic = f"{{topic: 'urn:smn:cn-north-4:{PROJECT_ID}:ges-upgrades', on: [started, succeeded]}}"
    world = World(f"notify: {topic}\nrules: [{{}}]")
    world.graph()
    world.run()
    assert world.told() == ["notice", "succeeded"]
    assert notices(world)[0]["kind"] == "started"


COUNT = "MATCH (n) RETURN count(n)"


def test_an_upgrade_whose_engine_passes_the_health_check_succeeded() -> None:
    world = World(policy(f"[{{health_check: {{cypher: '{COUNT}', rows: [[3]]}}}}]"))
    world.graph().answers[COUNT] = [[3]]
    result = world.run()
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert result["outcomes"][0]["detail"] == "the health check passed"


@pytest.mark.parametrize("ailing", ["rows", "version", "sick", "token"])
def test_an_upgrade_whose_engine_fails_the_health_check_or_cannot_be_asked_is_a_failure(ailing: str) -> None:
    world = World(policy(f"[{{health_check: {{cypher: '{COUNT}', rows: [[3]]}}}}]"))
    graph = world.graph()
    graph.answers[COUNT] = [[2]] if ailing == "rows" else [[3]]
    graph.engine_version = "2.4.4" if ailing == "version" else None
    graph.sick = ailing == "sick"
    world.token = None if ailing == "token" else world.token
    world.run()
    assert world.told() == ["unhealthy"]
    message = (world.topic.messages[0].structure or {})["email"]
    assert "Roll Back" in message
    assert "within 30 days" in message
    assert "The rule rule-1 is halted at 2.4.15" in message


def test_an_engine_that_a_run_has_too_little_time_for_is_examined_by_the_next(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{health_check: true}]")
    graph = world.graph()
    graph.sick = True
    world.cloud.upgrade_duration = timedelta(seconds=140)
    result = world.run(seconds=200)
    assert graph.version == "2.4.15"
    assert [one["graph_id"] for one in result["pending"]] == [graph.id]
    assert world.told() == []
    graph.sick = False
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_a_graph_that_another_hand_took_further_is_examined_as_what_it_runs_by_now(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{health_check: true}]")
    graph = world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=10)
    world.run(seconds=60)
    world.later(minutes=15)
    graph.version = "2.4.16"
    assert [one["outcome"] for one in world.run(TIMER)["outcomes"]] == ["succeeded"]


def test_without_a_health_check_no_engine_is_asked() -> None:
    world = World()
    world.graph()
    world.run()
    assert not world.cloud.calls("engine.version")


def test_a_graph_that_is_deleted_while_it_is_backed_up_gives_its_place_back(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{backup: required}]")
    lost = world.graph("lost")
    world.cloud.backup_duration = timedelta(hours=1)
    world.run(seconds=60)
    assert len(world.cloud.calls("ges.create_backup")) == 1
    world.project.delete(lost)
    world.cloud.backup_duration = timedelta(minutes=1)
    world.graph("next")
    result = world.run(TIMER)
    assert len([error for error in result["errors"] if "the backup of lost" in error]) == 1
    assert [only(result)["graph"], world.told()[-1]] == ["next", "succeeded"]


def test_the_job_of_an_upgrade_whose_answer_was_lost_is_not_that_of_its_backup(tmp_path: Path) -> None:
    """The run dies between the intent and the call, right after a short backup."""
    world = world_under(tmp_path, "[{backup: required}]")
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False), times=None)
    world.cloud.fault("ges.list_jobs", faults.html(503), times=None)
    world.run(seconds=100)
    assert world.cloud.upgrades == []
    world.cloud.clear_faults()
    world.later(hours=1)
    world.run(TIMER)
    assert world.told() == ["succeeded"]
