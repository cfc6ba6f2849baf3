"""A project or a journal that cannot be observed is reported, and so is that it can be again (interface.md, Result)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ges_upgrader.domain.model import Project
from huaweicloud_simulator import faults
from tests.builders import PROJECT, TOPIC, policy_text
from tests.journeys.runs import TIMER, World

ELSEWHERE = Project("cn-east-3", "f" * 32)
BUSY = faults.error(503, "ServiceUnavailable", "Reduce your request rate.")


def kinds(world: World) -> list[str]:
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content["kind"] for content in contents if content["schema"] == "ges.upgrade.notice/1"]


def last_mail(world: World) -> str:
    return str((world.topic.messages[-1].structure or {})["email"])


def run_every(world: World, hours: float, times: int, **options: tuple[Project, ...]) -> None:
    for _ in range(times):
        world.run(TIMER, seconds=60, **options)
        world.later(hours=hours)


@pytest.mark.parametrize("fault", [faults.html(503), faults.error(403, "APIGW.0302", "no right")], ids=["busy", "forbidden"])
def test_blind_project_is_reported_once_and_recovers(tmp_path: Path, fault: faults.Fault) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.fault("ges.list_graphs", fault, times=None)
    began = world.clock.now()
    world.run(TIMER, seconds=60)
    world.later(minutes=100)
    world.run(TIMER, seconds=60)
    assert kinds(world) == []
    run_every(world, 1, 30)
    assert kinds(world) == ["blind"]
    mail = last_mail(world)
    assert f"cannot be listed since {began:%Y-%m-%dT%H:%M}" in mail
    assert PROJECT.project_id in mail
    world.cloud.clear_faults()
    run_every(world, 1, 3)
    assert kinds(world) == ["blind", "recovered"]


def test_alert_after_says_when_a_project_is_blind(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}", alert_after="2d"))
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
    run_every(world, 12, 4)
    assert kinds(world) == []
    run_every(world, 12, 1)
    assert kinds(world) == ["blind"]


def test_short_outage_is_not_reported(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    for _ in range(3):
        world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
        run_every(world, 1, 2)
        world.cloud.clear_faults()
        run_every(world, 24, 1)
    assert kinds(world) == []


def test_each_project_is_blind_by_itself(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    world.graph(version="2.4.15")
    world.cloud.project(ELSEWHERE.region, ELSEWHERE.project_id)
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None, where=lambda one: ELSEWHERE.project_id in one.path)
    run_every(world, 1, 5, projects=(PROJECT, ELSEWHERE))
    assert kinds(world) == ["blind"]
    assert ELSEWHERE.project_id in last_mail(world)


def test_second_outage_is_reported_again(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    for _ in range(2):
        world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
        run_every(world, 1, 5)
        world.cloud.clear_faults()
        run_every(world, 1, 2)
    assert kinds(world) == ["blind", "recovered"] * 2


def test_blind_is_sent_whatever_is_selected(tmp_path: Path) -> None:
    world = World(f"notify: {{topic: '{TOPIC}', on: []}}\nstate: file://{tmp_path}\nrules: [{{}}]")
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
    run_every(world, 1, 5)
    world.cloud.clear_faults()
    run_every(world, 1, 1)
    assert kinds(world) == ["blind", "recovered"]


def test_plan_reports_nothing(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None)
    for _ in range(5):
        world.run({"command": "plan"})
        world.later(hours=5)
    assert kinds(world) == []


def test_unreachable_journal_is_reported_once_a_day() -> None:
    world = World(policy_text(state="obs://state/ges"))
    world.graph()
    world.run(TIMER, seconds=60)
    world.cloud.fault("obs.*", BUSY, times=None)
    began = world.clock.now()
    while world.clock.now() - began < timedelta(hours=46):  # from 02:00 on Monday to 24:00 on Tuesday
        world.run(TIMER, seconds=60)
        world.later(hours=1)
    assert kinds(world) == ["blind", "blind"]
    assert "obs://state/ges cannot be reached since 2026-11-23T02:0" in last_mail(world)
    world.cloud.clear_faults()
    run_every(world, 1, 3)
    assert kinds(world) == ["blind", "blind", "recovered"]


def test_journal_that_comes_back_in_the_run_is_not_reported() -> None:
    world = World(policy_text(state="obs://state/ges"))
    world.graph()
    world.run(seconds=60)
    gone = world.clock.now() + timedelta(minutes=2)
    world.cloud.fault("obs.*", BUSY, times=None, where=lambda request: request.at < gone)
    world.run(TIMER)
    assert kinds(world) == []


def test_lifted_damage_is_reported(tmp_path: Path) -> None:
    world = World(policy_text(state=f"file://{tmp_path}"))
    world.graph()
    world.run({"command": "pause", "graph": "demo"})
    (tmp_path / "journal-1.jsonl").open("ab").write(b'{"kind":"frozen","at":"2026-11-23T00:00:00Z"}\n')
    run_every(world, 1, 2)
    assert kinds(world) == ["damaged"]
    world.run({"command": "resume"})
    run_every(world, 1, 2)
    assert kinds(world) == ["damaged", "recovered"]
