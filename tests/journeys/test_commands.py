"""What an operator's commands do, say and leave alone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.builders import TOPIC, policy_text
from tests.journeys.runs import TIMER, World, only

STANDING = "[{version: 2.4.15}]"


def world_under(path: Path, rules: str = "[{name: prod, max_concurrent: 5}]", **fields: str) -> World:
    return World(policy_text(rules, state=f"file://{path}", **fields))


def journal(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(path.glob("*")))


def records(path: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in journal(path).splitlines() if line.startswith(b"{")]


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {one["graph"]: one["reason"] for one in result["decisions"]}


def notices(world: World) -> list[dict[str, Any]]:
    told = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in told if one["schema"] == "ges.upgrade.notice/1"]


def timer(user_event: str) -> dict[str, str]:
    return {**TIMER, "user_event": user_event}


# What is recorded and started


@pytest.mark.parametrize(
    "command", [{"command": "pause", "graph": "a"}, {"command": "withdraw", "version": "2.4.9"}, {"command": "pause"}]
)
def test_stopping_starts_nothing_in_its_run(command: dict[str, str], tmp_path: Path) -> None:
    world = world_under(tmp_path, releases=STANDING)
    world.graph("a"), world.graph("b")
    result = world.run(command)
    assert world.cloud.upgrades == []
    assert {one["action"] for one in result["decisions"]} <= {"wait", "blocked"}


def test_stopping_still_follows_what_runs(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    world.graph()
    world.run(seconds=60)
    world.later(hours=1)
    world.run({"command": "pause"})
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize(
    ("command", "of"),
    [
        ({"command": "release", "version": "2.4.15"}, {"version": "2.4.15"}),
        ({"command": "withdraw", "version": "2.4.9"}, {"version": "2.4.9"}),
        ({"command": "reinstate", "version": "2.4.8"}, {"version": "2.4.8"}),
        (
            {"command": "approve", "version": "2.4.15", "rule": "prod"},
            {"version": "2.4.15", "rule": "prod", "until": "2026-11-26T02:00:00Z"},
        ),
        (
            {"command": "approve", "version": "2.4.15", "graph": "demo"},
            {"version": "2.4.15", "graph": "demo", "until": "2026-11-26T02:00:00Z"},
        ),
        ({"command": "pause"}, {}),
        ({"command": "pause", "graph": "demo"}, {"graph": "demo"}),
        ({"command": "resume", "rule": "prod"}, {"rule": "prod"}),
        ({"command": "retry", "version": "2.4.15"}, {"version": "2.4.15"}),
    ],
)
def test_result_says_what_was_done(command: dict[str, str], of: dict[str, str], tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, mode: approve, approval_lifetime: 3d}]", releases=STANDING)
    world.graph()
    world.run({"command": "withdraw", "version": "2.4.8"}, seconds=60)
    empty = {"version": None, "rule": None, "graph": None, "until": None}
    for _ in range(2 if command["command"] == "pause" else 1):  # a repetition is acknowledged as well
        result = world.run(command, seconds=60)
        assert (result["done"], result["errors"]) == ([{"command": command["command"], **empty, **of}], [])
    assert world.run({**command, "dry_run": True})["done"] == []


def test_record_only_answers_at_once(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    world.graph()
    began = world.clock.now()
    result = world.run({"command": "release", "version": "2.4.15", "record_only": True})
    assert (world.clock.now() - began, world.cloud.upgrades) == (timedelta(), [])
    assert (only(result)["action"], result["dry_run"], len(result["done"])) == ("wait", False, 1)
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_who_and_why_are_recorded(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    world.run({"command": "pause", "by": "li", "reason": "月底"})
    assert '"by":"li"' in journal(tmp_path).decode()
    assert '"reason":"月底"' in journal(tmp_path).decode()


# What is refused


@pytest.mark.parametrize(
    "command",
    [
        {"command": "pause", "rule": "nope"},
        {"command": "approve", "version": "2.4.99", "rule": "prod"},
        {"command": "retry", "graph": "nope"},
        {"command": "reinstate", "version": "2.4.99"},
        {"command": "release", "version": "2.4.15", "dryrun": True},
        {"Command": "pause"},
        {"comand": "release", "version": "2.4.15"},
        {"action": "pause"},
    ],
)
def test_refused_command_records_nothing(command: dict[str, Any], tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: dev, match: {name: none}, max_failures: 5}, {name: prod, after: [dev], soak: 1d}]")
    world.graph()
    world.run(TIMER)
    before = journal(tmp_path)
    world.policy = world.policy + f"\nreleases: {STANDING}"
    result = world.run(command)
    assert "nothing was changed" in result["errors"][0]
    assert (journal(tmp_path), world.cloud.upgrades, result["dry_run"]) == (before, [], True)
    assert result.get("done", []) == []


def test_withdrawal_is_taken_back_only_by_reinstate(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, mode: approve}]")
    world.graph()
    world.run()
    world.run({"command": "withdraw", "version": "2.4.15"})
    for command in ({"command": "release", "version": "2.4.15"}, {"command": "approve", "version": "2.4.15", "rule": "prod"}):
        result = world.run(command)
        assert "2.4.15 was withdrawn" in result["errors"][0]
        assert '{"command": "reinstate", "version": "2.4.15"}' in result["errors"][0]
        assert only(result)["reason"] == "no-release"
    world.run()  # a later announcement does not either
    assert only(world.run({"command": "plan"}))["reason"] == "no-release"
    assert only(world.run({"command": "reinstate", "version": "2.4.15"}))["reason"] == "awaiting-approval"
    world.run({"command": "approve", "version": "2.4.15", "rule": "prod"})
    assert "succeeded" in world.told()


# `resume` and `retry`


def test_resume_clears_no_failure(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    graph = world.graph()
    graph.next_upgrade("failed")
    world.run()
    world.run({"command": "pause", "rule": "prod"})
    for command in ({"command": "resume"}, {"command": "resume", "rule": "prod"}, {"command": "resume", "graph": "demo"}):
        assert only(world.run(command))["reason"] == "halted"
    assert len(world.cloud.upgrades) == 1


@pytest.mark.parametrize("scope", [{"rule": "prod"}, {"graph": "demo"}, {"version": "2.4.15"}])
def test_retry_clears_failures_and_ends_no_pause(scope: dict[str, str], tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod}]")
    graph = world.graph()
    graph.next_upgrade("failed")
    world.run()
    assert only(world.run(TIMER))["reason"] == "halted"
    world.run({"command": "pause"}, seconds=60)
    assert only(world.run({"command": "retry", **scope}))["reason"] == "paused"
    assert len(world.cloud.upgrades) == 1
    world.run({"command": "resume"})
    assert graph.version == "2.4.15"


@pytest.mark.parametrize("scope", [{"rule": "prod"}, {"graph": "demo"}, {"version": "2.4.15"}])
def test_retry_lifts_refusals_and_failed_backups(scope: dict[str, str], tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, backup: required}]")
    graph = world.graph()
    graph.next_backup("failed")
    assert only(world.run(seconds=120))["reason"] == "backup-failed"
    world.run({"command": "retry", **scope})
    assert graph.version == "2.4.15"


def test_retry_of_another_version_lifts_nothing(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, backup: required}]")
    world.graph().next_backup("failed")
    world.run(seconds=120)
    assert only(world.run({"command": "retry", "version": "2.4.9"}, seconds=30))["reason"] == "backup-failed"


# A timer's user_event


@pytest.mark.parametrize("given", ["Plan", " withdraw 2.4.15", '{"dry_run":true}', '{"command": "pause", "rule": "nope"}'])
def test_mistaken_timer_follows_and_notifies_once_a_day(given: str, tmp_path: Path) -> None:
    world = world_under(tmp_path)
    world.graph("a")
    world.run(seconds=60)
    world.graph("b")
    world.later(hours=1)
    for _ in range(2):
        result = world.run(timer(given))
        assert (result["command"], result["done"]) == (
            json.loads(given).get("command", "reconcile") if "nope" in given else "reconcile",
            [],
        )
    assert sorted(world.told()) == ["notice", "succeeded"]
    assert reasons(result) == {"a": "up-to-date", "b": "due"}
    assert len(world.cloud.upgrades) == 1
    (notice,) = notices(world)
    assert notice["kind"] == "timer-mistake"
    world.later(days=1)
    world.run(timer(given))
    assert len(notices(world)) == 2


# Approvals


def test_lapsed_approval_of_one_graph_is_about_that_graph(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, mode: approve, approval_lifetime: 1d, windows: ['Sat 02:00-06:00 UTC']}]")
    one, other = world.graph("one"), world.graph("other")
    world.run(seconds=60)
    world.run({"command": "approve", "version": "2.4.15", "graph": "one"}, seconds=60)
    world.later(days=2)
    world.run(TIMER, seconds=60)
    first, second = notices(world)
    assert sorted(first["graph_ids"]) == sorted([one.id, other.id])
    assert second["graph_ids"] == [one.id]


# The result


def test_summary_counts_the_run(tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, match: {name: 'p*'}}]")
    world.graph("p1"), world.graph("q1")
    result = world.run()
    assert result["summary"]["actions"]["skip"] == 1
    assert sum(result["summary"]["actions"].values()) == 2
    assert {name: count for name, count in result["summary"]["outcomes"].items() if count} == {"succeeded": 1}


@pytest.mark.parametrize(
    ("command", "explained"),
    [
        ({"command": "plan"}, True),
        ({"command": "status"}, True),
        ({"command": "reconcile", "checks": True}, True),
        ({"command": "forecast", "checks": True}, True),
        ({"command": "reconcile"}, False),
        ({"command": "reconcile", "dry_run": True}, False),
        ({"command": "forecast"}, False),
        ({"command": "pause"}, False),
    ],
)
def test_checks_come_only_when_asked_for(command: dict[str, Any], explained: bool, tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: prod, windows: ['Sat 02:00-06:00 UTC']}]", releases=STANDING)
    world.graph()
    decision = only(world.run(command, seconds=60))
    assert ({"checks", "earlier"} <= set(decision)) is explained
    assert [check for check in decision.get("checks", []) if check["blocks"]] or not explained


@pytest.mark.parametrize("word", ["plan", "status", "forecast"])
def test_looking_is_filtered_and_paged(word: str, tmp_path: Path) -> None:
    world = world_under(tmp_path, "[{name: dev, match: {name: 'd*'}}, {name: prod}]", releases=STANDING)
    for name in ("d1", "d2", "p1"):
        world.graph(name)
    command = {"command": word}
    assert set(reasons(world.run({**command, "rule": "dev"}))) == {"d1", "d2"}
    assert set(reasons(world.run({**command, "graph": "p1"}))) == {"p1"}
    first = world.run({**command, "rule": "dev", "limit": 1})
    second = world.run({**command, "rule": "dev", "limit": 1, "cursor": first["cursor"]})
    assert (set(reasons(first)) | set(reasons(second)), second["cursor"]) == ({"d1", "d2"}, None)
    assert first["summary"]["actions"] == second["summary"]["actions"]
    assert "nothing was changed" in world.run({**command, "rule": "nope"})["errors"][0]
    if word == "forecast":
        assert {one["rule"] for one in world.run({**command, "rule": "dev"})["forecast"]} == {"dev"}


def test_ten_thousand_waiting_graphs_are_never_too_much(tmp_path: Path) -> None:
    rule = "{name: prod, match: {name: '图*'}, windows: ['Sat 02:00-06:00 UTC'], min_release_age: 1d, versions: '<3'}"
    world = world_under(tmp_path, f"[{rule}]", releases=STANDING)
    for number in range(10_000):
        world.graph(f"{'图库' if number % 2 else 'skipped'} {number} {'数据' * 20}")
    result = world.run({"command": "reconcile"}, seconds=60)
    assert len(json.dumps(result)) <= 5_000_000
    assert result["summary"]["actions"] == {"upgrade": 0, "backup": 0, "wait": 5000, "skip": 5000, "blocked": 0}
    assert sum(one["action"] == "wait" for one in result["decisions"]) == 5000
    page = world.run({"command": "plan"}, seconds=60)
    assert len(json.dumps(page)) <= 5_000_000
    following = world.run({"command": "plan", "cursor": page["cursor"]}, seconds=60)
    seen = [{one["graph_id"] for one in part["decisions"]} for part in (page, following)]
    assert seen[0] & seen[1] == set()
    assert min(map(len, seen)) > 1000


# A policy that is refused


REFUSED = "notify: {topic}\nstate: {state}\nrules: [{{windows: ['Sun 25:00']}}]\n# {nonce}"


def refused(state: str, nonce: int = 0) -> str:
    return REFUSED.format(topic=TOPIC, state=state, nonce=nonce)


def test_refused_policy_is_reported_once_a_day(tmp_path: Path) -> None:
    world = World(refused(f"file://{tmp_path}"))
    world.graph()
    for day in (1, 2):
        for nonce in range(3):
            world.policy = refused(f"file://{tmp_path}", nonce)
            world.forget()
            result = world.run(TIMER)
            assert (result["decisions"], result["notified"]) == ([], int(nonce == 0))
            assert "rules[0].windows" in result["errors"][0]
        assert [notice["event_id"] for notice in notices(world)][-1] == f"policy-refused:2026-11-{22 + day}"
        assert len(notices(world)) == day
        world.later(days=1)
    assert "25:00" in notices(world)[0]["detail"]
    assert world.cloud.upgrades == []


@pytest.mark.parametrize("state", ["none", "nowhere", "obs://missing/state"])
def test_without_readable_state_each_instance_reports_once_a_day(state: str) -> None:
    world = World(refused(state))
    for _ in range(2):
        world.run(TIMER)
    assert len(notices(world)) == 1
    world.forget()
    world.run(TIMER)
    assert len(notices(world)) == 2
    world.later(days=1)
    world.run(TIMER)
    assert len(notices(world)) == 3


def test_refusal_that_was_not_sent_is_sent_later(tmp_path: Path) -> None:
    world = World(refused(f"file://{tmp_path}"))
    world.cloud.fault("smn.*", faults.html(503), times=None)
    assert any("was not delivered" in error for error in world.run(TIMER)["errors"])
    world.cloud.clear_faults()
    world.later(hours=2)
    assert world.run(TIMER)["notified"] == 1


@pytest.mark.parametrize("policy", ["", "[1, 2]", "notify: nobody\nrules: [{}]", "rules: [", "\x00", "{'a': "])
def test_policy_without_readable_topic_is_an_error_only(policy: str) -> None:
    world = World(policy or " ")
    result = world.run(TIMER)
    assert result["errors"]
    assert world.topic.messages == []


def test_corrected_policy_finds_its_journal_again(tmp_path: Path) -> None:
    world = world_under(tmp_path)
    graph = world.graph()
    world.run(seconds=60)
    good, world.policy = world.policy, refused(f"file://{tmp_path}")
    world.run(TIMER)
    world.policy = good
    world.later(hours=1)
    world.run(TIMER)
    assert (world.told(), graph.version) == (["notice", "succeeded"], "2.4.15")
