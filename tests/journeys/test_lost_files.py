"""Files of the journal that are gone or cut: the journal is never silently younger than it was."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from huaweicloud_simulator.obs.models import Object
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World

DATA = Path(__file__).parent.parent / "data"
OLD = DATA / "journal-of-980b919"
SEALS = ("journal-1.jsonl", "journal-2.jsonl", "journal-3.jsonl", "journal-4.jsonl")


def reasons(result: dict[str, Any]) -> set[str]:
    return {one["reason"] for one in result["decisions"]}


def notices(world: World, kind: str) -> list[dict[str, Any]]:
    events = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [one for one in events if one["event_id"].startswith(kind)]


def paused_world(tmp_path: Path, files: int = 4) -> World:
    """All is paused, and the journal has come to its file of that number."""
    world = World(policy(state=f"file://{tmp_path}", journal_keep="1d", releases="[{version: 2.4.15}]"))
    graph = world.graph()
    world.run({"command": "pause"})
    world.run({"command": "release", "version": "2.4.9"})
    for number in range(1, files):
        world.run({"command": "release", "version": f"2.4.1{number}"})
        world.run({"command": "pause", "graph": graph.id})
        world.run({"command": "resume", "graph": graph.id})
        world.run({"command": "pause"})
        world.later(days=30)
        world.run(TIMER)
    assert {path.name for path in tmp_path.iterdir()} == {*SEALS[:files], *(["head"] if files > 1 else [])}
    assert reasons(world.run(TIMER)) == {"paused"}
    return world


def lose_head(folder: Path) -> None:
    (folder / "head").unlink()


def empty_head(folder: Path) -> None:
    (folder / "head").write_bytes(b"")


def garble_head(folder: Path) -> None:
    (folder / "head").write_bytes(b"r\n")


HEADS = [lambda _: None, lose_head, empty_head, garble_head]
GONE: list[set[str]] = [
    set(),
    {SEALS[0]},
    {SEALS[1]},
    {SEALS[2]},
    {SEALS[3]},
    {SEALS[0], SEALS[1]},
    {SEALS[1], SEALS[2]},
    {SEALS[0], SEALS[1], SEALS[2]},
    {SEALS[1], SEALS[2], SEALS[3]},
]


@pytest.mark.parametrize("harm", HEADS)
@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("empty", [False, True])
def test_lost_files_never_lift_a_pause(tmp_path: Path, harm: Callable[[Path], None], gone: set[str], empty: bool) -> None:
    world = paused_world(tmp_path)
    harm(tmp_path)
    for name in gone:
        (tmp_path / name).write_bytes(b"") if empty else (tmp_path / name).unlink()
    for _ in range(2):
        assert reasons(world.run(TIMER)) <= {"paused", "state-unavailable"}
    assert world.cloud.upgrades == []


@pytest.mark.parametrize("harm", HEADS[1:])
def test_lost_head_is_written_again(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """The marker names the newest file, too; the files between may be gone."""
    world = paused_world(tmp_path)
    harm(tmp_path)
    for name in SEALS[1:3]:
        (tmp_path / name).unlink()
    assert reasons(world.run(TIMER)) == {"paused"}
    assert b"\n4\n" in b"\n" + (tmp_path / "head").read_bytes()


def test_all_but_the_newest_file_gone_is_unavailable(tmp_path: Path) -> None:
    world = paused_world(tmp_path)
    for name in ("head", *SEALS[:3]):
        (tmp_path / name).unlink()
    result = world.run(TIMER)
    assert reasons(result) == {"state-unavailable"}
    assert "journal-1.jsonl is missing" in result["errors"][0]
    assert {path.name for path in tmp_path.iterdir()} == {SEALS[3]}


def test_lost_marker_is_damage_until_resume(tmp_path: Path) -> None:
    world = paused_world(tmp_path)
    (tmp_path / SEALS[0]).unlink()
    for _ in range(2):
        result = world.run(TIMER)
        assert reasons(result) == {"state-unavailable"}
        assert "journal-1.jsonl cannot be understood: it is missing" in result["errors"][0]
    assert len([one for one in world.told() if one == "notice"]) == 1
    assert not (tmp_path / SEALS[0]).exists()
    world.run({"command": "resume", "record_only": True})
    assert reasons(world.run({"command": "pause"})) == {"paused"}
    assert (tmp_path / SEALS[0]).exists()
    assert reasons(world.run(TIMER)) == {"paused"}


@pytest.mark.parametrize("left", [0, 1, 2])
def test_cut_file_is_damage_until_resume(tmp_path: Path, left: int) -> None:
    """Notices about the damage make the file no whole one."""
    world = paused_world(tmp_path)
    newest = tmp_path / SEALS[3]
    newest.write_bytes(b"".join(newest.read_bytes().splitlines(keepends=True)[:left]))
    for _ in range(6):
        assert reasons(world.run(TIMER)) == {"state-unavailable"}
    world.later(days=30)
    world.run(TIMER)
    assert reasons(world.run(TIMER)) == {"state-unavailable"}
    assert world.cloud.upgrades == []
    world.run({"command": "resume"})
    assert "state-unavailable" not in reasons(world.run(TIMER))


def test_empty_first_file_is_damage(tmp_path: Path) -> None:
    world = paused_world(tmp_path, files=1)
    (tmp_path / SEALS[0]).write_bytes(b"")
    for _ in range(2):
        assert reasons(world.run(TIMER)) == {"state-unavailable"}
    assert world.cloud.upgrades == []


@pytest.mark.parametrize("place", ["file", "obs"])
def test_new_journal_is_reported_once(tmp_path: Path, place: str) -> None:
    state = f"file://{tmp_path}/state" if place == "file" else "obs://state/ges"
    world = World(policy(state=state), new=True)
    graph = world.graph()
    world.run({"command": "plan"})
    assert world.topic.messages == []
    for _ in range(3):
        world.run()
        world.forget()
    (notice,) = notices(world, "journal-started")
    assert graph.version == "2.4.15"
    assert state in notice["detail"]
    if place == "obs":
        world.cloud.buckets["state"].objects.clear()
    else:
        shutil.rmtree(tmp_path / "state")
    world.later(hours=1)
    for _ in range(2):
        world.run(TIMER)
    assert len({one["event_id"] for one in notices(world, "journal-started")}) == 2


def test_state_none_reports_no_new_journal() -> None:
    world = World(policy(state="none"), new=True)
    world.graph()
    world.run()
    assert notices(world, "journal-started") == []


def old_world(state: str) -> tuple[World, dict[str, Any]]:
    """The fleet and the policy with which version 980b919 wrote its journal, and the plan that it made."""
    said = json.loads((DATA / "journal-of-980b919.json").read_text())
    world = World(policy(said["rules"], state=state, journal_keep="30d"))
    world.clock.sleep((datetime.fromisoformat(said["now"].replace("Z", "+00:00")) - world.clock.now()).total_seconds())
    for name, version in said["graphs"].items():
        world.graph(name, version, id=f"graph-{name}")
    return world, said


def plan_of(result: dict[str, Any], said: dict[str, Any]) -> list[dict[str, Any]]:
    names = said["decisions"][0]
    return sorted(({name: one[name] for name in names} for one in result["decisions"]), key=lambda one: str(one["graph"]))


@pytest.mark.parametrize("older", [True, False], ids=["with-older-files", "without-older-files"])
@pytest.mark.parametrize("place", ["file", "obs", "obs-without-list"])
def test_journal_of_980b919_gives_the_same_plan(tmp_path: Path, older: bool, place: str) -> None:
    world, said = old_world(f"file://{tmp_path}" if place == "file" else "obs://state/ges")
    bucket = world.cloud.buckets["state"]
    bucket.list_allowed = place != "obs-without-list"
    for path in OLD.iterdir():
        if older or path.name in ("head", SEALS[3]):
            data = path.read_bytes()
            if place == "file":
                (tmp_path / path.name).write_bytes(data)
            else:
                bucket.objects[f"ges/{path.name}"] = Object(data, appendable=True)
    expected = sorted(said["decisions"], key=lambda one: str(one["graph"]))
    result = world.run({"command": "plan"})
    assert result["errors"] == []
    assert plan_of(result, said) == expected
    assert world.run(TIMER, seconds=10)["errors"] == []
    names = {path.name for path in tmp_path.iterdir()} or {name.removeprefix("ges/") for name in bucket.objects}
    assert {"head", SEALS[0], "journal-5.jsonl"} <= names
    assert plan_of(world.run({"command": "plan"}), said) == expected
    if place == "file":
        (tmp_path / SEALS[0]).unlink()
        assert reasons(world.run(TIMER, seconds=10)) == {"state-unavailable"}


def test_marker_of_an_old_journal_replaces_head(tmp_path: Path) -> None:
    """Version 980b919 let its older files be deleted; the first run of this one makes the marker."""
    world, said = old_world(f"file://{tmp_path}")
    for name in ("head", SEALS[3]):
        shutil.copy(OLD / name, tmp_path / name)
    world.run(TIMER, seconds=10)
    (tmp_path / "head").unlink()
    (tmp_path / SEALS[3]).unlink()
    assert reasons(world.run({"command": "plan"})) == {one["reason"] for one in said["decisions"]}
    (tmp_path / "journal-5.jsonl").unlink()
    assert reasons(world.run({"command": "plan"})) == {"state-unavailable"}


@pytest.mark.parametrize("name", ["head", SEALS[3]])
def test_frozen_holder_of_a_lock_never_outlasts_a_run(tmp_path: Path, name: str) -> None:
    world = paused_world(tmp_path)
    end = world.clock.now() + timedelta(seconds=60)
    with (tmp_path / name).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = world.run(TIMER, seconds=60)
    assert world.clock.now() < end
    assert reasons(result) == {"state-unavailable"}
    assert "another process holds its lock" in result["errors"][0]
    assert reasons(world.run(TIMER)) == {"paused"}


@pytest.mark.parametrize("name", ["head", SEALS[0], SEALS[3]])
@pytest.mark.parametrize("kind", ["fifo", "symlink", "dangling", "folder"])
def test_only_plain_files_are_touched(tmp_path: Path, name: str, kind: str) -> None:
    state = tmp_path / "state"
    world = paused_world(state)
    path, elsewhere = state / name, tmp_path / "elsewhere"
    path.rename(elsewhere)
    before = elsewhere.read_bytes()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere if kind == "symlink" else tmp_path / "nothing")
    assert reasons(world.run(TIMER, seconds=60)) == {"state-unavailable"}
    assert elsewhere.read_bytes() == before
    assert not (tmp_path / "nothing").exists()
