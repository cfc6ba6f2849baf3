"""The journal out of reach, damaged, or of a later version: nothing is started blindly, what runs is followed and told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.running.run import Unrecorded
from huaweicloud_simulator import faults
from tests.builders import NOW, TOPIC
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, fall_silent, message, only, release

BUSY = faults.error(503, "ServiceUnavailable", "Reduce your request rate.")
STATE = "obs://state/ges"


def out_of_reach(world: World) -> None:
    world.cloud.fault("obs.*", BUSY, times=None)


def events(world: World) -> list[dict[str, Any]]:
    """What was sent, apart from notices that the journal cannot be reached (`notices/test_blind.py`)."""
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in contents if content.get("kind") != "blind"]


def told(world: World) -> list[str]:
    return [one.get("outcome", "notice") for one in events(world)]


def test_what_runs_is_followed_and_told_while_the_state_is_out_of_reach() -> None:
    world = World(policy(state=STATE))
    world.graph("a")
    world.graph("b", version="2.4.9")
    world.run(seconds=60)
    assert len(world.cloud.upgrades) == 1
    out_of_reach(world)
    world.later(minutes=5)
    result = world.run(TIMER)
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert "state-unavailable" in [one["reason"] for one in result["decisions"]]
    assert any("nothing is started until it can be read" in error for error in result["errors"])
    assert [one.get("outcome") for one in events(world)] == ["succeeded"]
    assert len(world.cloud.upgrades) == 1
    world.cloud.clear_faults()
    world.run(TIMER)
    assert len({one["event_id"] for one in events(world) if one.get("job_id") == world.cloud.upgrades[0].job_id}) == 1


def test_a_run_goes_on_when_the_state_is_back_and_tells_nothing_twice() -> None:
    world = World(policy("[{max_failures: 2}]", state=STATE))
    for name in ("a", "b"):
        world.graph(name)
    world.run(seconds=60)
    gone = world.clock.now() + timedelta(minutes=5)
    world.cloud.fault("obs.*", BUSY, times=None, where=lambda request: request.at < gone)
    result = world.run(TIMER)
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded", "succeeded"]
    assert told(world) == ["succeeded", "succeeded"]
    assert world.run(TIMER)["notified"] == 0


def test_a_state_that_goes_away_before_the_intent_is_written_starts_nothing() -> None:
    world = World(policy(state=STATE))
    world.graph()
    world.run({"command": "release", "version": "2.4.15", "dry_run": False}, seconds=1)
    world.cloud.fault("obs.append_object", BUSY, times=None)
    result = world.run(seconds=60)
    assert only(result)["reason"] == "state-unavailable"
    assert world.cloud.upgrades == []


def announced(world: World, word: str) -> dict[str, Any]:
    return (
        release("2.4.15") if word == "released" else message(json.dumps({"service": "GES", "event": word, "version": "2.4.15"}))
    )


@pytest.mark.parametrize("word", ["released", "withdrawn"])
def test_announcement_while_the_state_is_away_is_not_lost(word: str) -> None:
    """It is reported, and delivered again until it is recorded."""
    world = World(policy(state=STATE, releases="[]" if word == "released" else "[{version: 2.4.15}]"))
    graph = world.graph()
    out_of_reach(world)
    for _ in range(2):
        with pytest.raises(Unrecorded):
            world.run(announced(world, word), seconds=300)
        world.forget()
    first, second = events(world)
    assert first["event_id"] == second["event_id"]
    assert first["state"].startswith("unavailable")
    assert f"2.4.15 was {word}" in first["detail"]
    assert "send the message again" in first["detail"]
    world.cloud.clear_faults()
    assert world.run(announced(world, word))["errors"] == []
    assert graph.version == ("2.4.15" if word == "released" else "2.4.4")


@pytest.mark.parametrize("lasting", [True, False])
def test_messages_say_the_true_state(lasting: bool) -> None:
    world = World(policy(state=STATE if lasting else "none"))
    world.graph()
    world.run(seconds=60)
    out_of_reach(world)
    world.later(minutes=5)
    world.run(TIMER)
    assert events(world)[-1]["state"].split(":")[0] == ("unavailable" if lasting else "none")


@pytest.mark.parametrize("word", ["pause", "resume"])
def test_a_command_that_cannot_be_written_down_is_refused(word: str) -> None:
    world = World(policy(state=STATE))
    out_of_reach(world)
    result = world.run({"command": word}, seconds=300)
    assert any(f"the command {word} was not recorded; nothing was changed" in error for error in result["errors"])


def test_a_damage_holds_its_graph_is_told_once_and_resume_lifts_it(tmp_path: Path) -> None:
    world = World(policy("[{max_concurrent: 2, max_failures: 2}]", state=f"file://{tmp_path}"))
    held, free = world.graph("held"), world.graph("free")
    record = {"kind": "frozen", "at": "2026-11-23T00:00:00Z", "graph_id": held.id}
    (tmp_path / "journal-1.jsonl").write_text(json.dumps(record) + "\n")
    for _ in range(2):
        result = world.run()
        assert [one["graph"] for one in result["decisions"] if one["reason"] == "state-unavailable"] == ["held"]
        assert f'{{"command": "resume", "graph": "{held.id}"}}' in result["errors"][0]
    assert [upgrade.graph_id for upgrade in world.cloud.upgrades] == [free.id]
    assert told(world) == ["notice", "succeeded"]
    assert world.run({"command": "resume", "graph": "held"})["errors"] == []
    assert [upgrade.graph_id for upgrade in world.cloud.upgrades] == [free.id, held.id]


def test_what_runs_is_followed_and_told_beside_a_damage(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.run(seconds=60)
    with (tmp_path / "journal-1.jsonl").open("ab") as file:
        file.write(b'{"kind":"started","at":"2026')
    result = world.run(TIMER)
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert sorted(told(world)) == ["notice", "succeeded"]
    assert "record 5 of journal-1.jsonl cannot be understood" in result["errors"][0]


def test_no_look_finishes_or_begins_a_file(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}", journal_keep="1d"))
    world.graph()
    world.run()
    world.later(days=30)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for word in ("plan", "status", "forecast"):
        world.run({"command": word})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    world.run(TIMER)
    assert {path.name for path in tmp_path.iterdir()} == {"head", "journal-1.jsonl", "journal-2.jsonl"}


def test_an_event_that_can_be_neither_written_down_nor_told_is_given_back_to_the_platform() -> None:
    world = World(policy(state=STATE))
    graph = world.graph()
    out_of_reach(world)
    world.cloud.fault("smn.publish", faults.error(503, "SMN.0016", "busy"), times=None)
    with pytest.raises(Unrecorded):
        world.run(release("2.4.15"))
    world.cloud.clear_faults()
    world.run(release("2.4.15"))
    assert graph.version == "2.4.15"


def test_a_release_that_is_not_written_down_is_told_and_given_back_whatever_is_to_be_told() -> None:
    world = World(f"notify: {{topic: '{TOPIC}', on: [succeeded, failed]}}\nstate: {STATE}\nrules: [{{}}]")
    world.graph()
    out_of_reach(world)
    with pytest.raises(Unrecorded):
        world.run(release("2.4.15"))
    assert told(world) == ["notice"]
    world.cloud.fault("smn.publish", faults.error(503, "SMN.0016", "busy"), times=None)
    with pytest.raises(Unrecorded):
        world.run(release("2.4.16"))


def test_the_resume_that_a_damage_asks_for_is_taken_when_its_graph_is_gone(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    graph = world.graph()
    world.run({"command": "pause", "graph": "demo"})
    journal = tmp_path / "journal-1.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"kind":"paused"', b'"kind":"pawsed"'))
    world.project.delete(graph)
    assert len(world.run(TIMER)["errors"]) == 1
    assert world.run({"command": "resume", "graph": graph.id})["errors"] == []
    assert world.run(TIMER)["errors"] == []
    assert "there is no graph" in world.run({"command": "retry", "graph": graph.id})["errors"][0]


def test_a_release_that_stands_in_the_policy_is_not_told_as_forgotten() -> None:
    world = World(policy(state=STATE, releases="[{version: 2.4.15}]"))
    world.graph()
    out_of_reach(world)
    for _ in range(2):
        world.run(TIMER)
    assert told(world) == []


def test_an_append_that_met_another_operation_is_made_again() -> None:
    world = World(policy(state=STATE))
    graph = world.graph()
    world.cloud.fault("obs.append_object", faults.error(409, "OperationAborted", "A conflicting operation."), after=2)
    assert world.run()["errors"] == []
    assert graph.version == "2.4.15"


def test_an_end_that_could_not_be_written_down_is_not_pending_too() -> None:
    world = World(policy(state=STATE))
    world.graph()
    world.run(seconds=60)
    world.later(minutes=15)
    world.cloud.fault("obs.append_object", faults.error(403, "AccessDenied", "no"), times=None)
    result = world.run(TIMER, seconds=60)
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert result["pending"] == []


def test_a_withdrawn_release_that_is_announced_again_is_told_to_stay_withdrawn(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.run({"command": "withdraw", "version": "2.4.15", "reason": "broken"})
    assert '"reason":"broken"' in (tmp_path / "journal-1.jsonl").read_text()
    assert "2.4.15 was withdrawn" in world.run(release("2.4.15"))["errors"][0]
    assert world.cloud.upgrades == []


@pytest.mark.parametrize("written", ["2026-10-01", "'2026-10-01T02:00:00Z'", "'2026-10-01T02:00:00+08:00'"])
def test_a_release_of_the_policy_may_have_a_date(tmp_path: Path, written: str) -> None:
    releases = f"[{{version: 2.4.15, released_at: {written}}}]"
    under = policy("[{min_release_age: 7d}]", state=f"file://{tmp_path}", releases=releases, trust_released_at="true")
    world = World(under)
    graph = world.graph()
    for _ in range(2):
        assert world.run(TIMER)["errors"] == []
    assert graph.version == "2.4.15"


def test_what_was_heard_while_the_state_was_out_of_reach_is_not_forgotten_by_a_return_that_comes_halfway() -> None:
    world = World(policy("[{windows: ['Mon 02:01-06:00 UTC'], cutoff: 0m}]", state=STATE))
    world.graph()
    world.run(release("2.4.15"), seconds=10)
    back = world.clock.now() + timedelta(seconds=60)
    world.cloud.fault("obs.get_object", BUSY, times=None, where=lambda request: request.at < back)
    later = back + timedelta(seconds=40)
    world.cloud.fault("obs.append_object", BUSY, times=None, where=lambda request: request.at < later)
    result = world.run({"command": "withdraw", "version": "2.4.15"}, seconds=900)
    world.run(TIMER)
    assert world.cloud.upgrades == []
    assert any("nothing is started until it can be read" in error for error in result["errors"])


def test_a_state_of_which_only_a_part_can_be_read_makes_nobody_forget_what_runs() -> None:
    world = World(policy("[{max_failures: 2}]", state=STATE))
    world.graph()
    began = world.clock.now()
    gone = (began + timedelta(seconds=20), began + timedelta(minutes=30))
    world.cloud.fault("obs.append_object", BUSY, times=None, where=lambda request: gone[0] <= request.at < gone[1])
    world.cloud.fault(
        "obs.get_object", BUSY, times=None, where=lambda request: gone[0] <= request.at < gone[1] and "journal" in request.path
    )
    world.graph("other").next_upgrade("success", timedelta(minutes=3))
    result = world.run(seconds=900)
    assert {one["outcome"] for one in result["outcomes"]} == {"succeeded"}
    assert len(told(world)) == len(world.cloud.upgrades)


@pytest.mark.parametrize("seconds", [60, 120, 180, 300, 900])
def test_a_silent_state_leaves_time_to_look_and_to_tell(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    world = World(policy(state=STATE))
    world.graph()
    world.cloud.upgrade_duration = timedelta(minutes=20)
    world.run(seconds=60)
    world.clock.sleep((NOW + timedelta(minutes=20) - world.clock.now()).total_seconds() - seconds / 2)
    fall_silent(monkeypatch, world, ".obs.")
    end = world.clock.now() + timedelta(seconds=seconds)
    result = world.run(TIMER, seconds=seconds)
    assert world.clock.now() < end
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert told(world) == ["succeeded"]


def test_the_run_says_whether_its_state_is_kept(tmp_path: Path) -> None:
    assert World().run(TIMER)["journal"].startswith("none")
    assert World(policy(state=f"file://{tmp_path}")).run(TIMER)["journal"] == "kept"
    world = World(policy(state=STATE))
    out_of_reach(world)
    assert world.run(TIMER, seconds=60)["journal"] == "unavailable"


def test_an_approval_whose_answer_is_lost_is_not_said_to_have_changed_nothing() -> None:
    world = World(policy("[{name: all, mode: approve}]", state=STATE))
    world.graph()
    world.run(seconds=60)
    world.cloud.fault("obs.append_object", faults.lost_answer())
    written = len(world.cloud.calls("obs.append_object"))
    world.cloud.fault("obs.get_object", BUSY, times=None, where=lambda _: len(world.cloud.calls("obs.append_object")) > written)
    result = world.run({"command": "approve", "version": "2.4.15", "rule": "all"}, seconds=300)
    assert any("the command approve may have been recorded, or not" in error for error in result["errors"])
