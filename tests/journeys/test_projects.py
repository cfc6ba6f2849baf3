"""Several projects, and lists that change while they are read: nobody is served at the cost of another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from ges_upgrader.cloud.ges.pages import LISTINGS
from ges_upgrader.cloud.sockets import LimitedAdapter
from ges_upgrader.domain.model import Project
from huaweicloud_simulator.wire import Request
from tests.builders import PROJECT, policy_text
from tests.journeys.runs import TIMER, World, release

ELSEWHERE = Project("cn-east-3", "f" * 32)


class Silence:
    """GES of a region takes requests and answers none, until `ends`. `lasted` is how long the run waited for it in all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, world: World, region: str) -> None:
        self.lasted = timedelta()
        self.over = False

        def silent(adapter: LimitedAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            if self.over or f"//ges.{region}." not in (request.url or ""):
                return HTTPAdapter.send(adapter, request, **options)
            self.lasted += timedelta(seconds=options["timeout"][1])
            world.clock.sleep(options["timeout"][1])
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request)

        monkeypatch.setattr(LimitedAdapter, "send", silent)


@pytest.fixture
def world() -> World:
    """With a graph in each of two projects."""
    world = World(policy_text())
    world.graph()
    world.cloud.project(ELSEWHERE.region, ELSEWHERE.project_id).graph("other", version="2.4.4")
    return world


def upgraded(world: World) -> list[str]:
    """The names of the graphs whose upgrades were started."""
    names = {graph.id: graph.name for project in world.cloud.projects.values() for graph in project.graphs.values()}
    return [names[upgrade.graph_id] for upgrade in world.cloud.upgrades]


@pytest.mark.parametrize("order", [(ELSEWHERE, PROJECT), (PROJECT, ELSEWHERE)], ids=["first", "last"])
@pytest.mark.parametrize("seconds", [6, 20, 60, 900])
def test_silent_project_takes_a_third(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, order: tuple[Project, ...]
) -> None:
    world.cloud.upgrade_duration = timedelta(seconds=seconds / 4)
    silence = Silence(monkeypatch, world, "cn-east-3")
    result = world.run(seconds=seconds, projects=order)
    assert silence.lasted <= timedelta(seconds=seconds) / 3
    assert upgraded(world) == ["demo"]
    ends = f"nothing was started in project {ELSEWHERE.project_id}"
    assert len([error for error in result["errors"] if error.endswith(ends)]) == 1


def test_many_silent_projects_leave_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = [Project("cn-east-3", str(number) * 32) for number in range(9)]
    Silence(monkeypatch, world, "cn-east-3")
    world.run(seconds=60, projects=(*silent, PROJECT))
    assert upgraded(world) == ["demo"]


def test_project_is_served_again_when_it_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.cloud.upgrade_duration = timedelta(minutes=5)
    silence = Silence(monkeypatch, world, "cn-east-3")
    handle = world.cloud.handle

    def heal(request: Request) -> Any:
        silence.over = silence.over or bool(world.cloud.upgrades)
        return handle(request)

    monkeypatch.setattr(world.cloud, "handle", heal)
    world.run(seconds=900, projects=(ELSEWHERE, PROJECT))
    assert sorted(upgraded(world)) == ["demo", "other"]


def test_one_id_in_two_projects_is_two_graphs(world: World) -> None:
    """GES's ids are unique within a project only as far as is documented."""
    (mine,) = world.project.graphs.values()
    there = world.cloud.project(ELSEWHERE.region, ELSEWHERE.project_id).graphs
    (other,) = list(there.values())
    del there[other.id]
    other.id = mine.id
    there[other.id] = other
    world.policy = policy_text("[{max_concurrent: 2}]")
    result = world.run(projects=(PROJECT, ELSEWHERE))
    decisions = {(one["project_id"], one["graph_id"], one["graph"]) for one in result["decisions"]}
    assert decisions == {(PROJECT.project_id, mine.id, "demo"), (ELSEWHERE.project_id, mine.id, "other")}
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"] * 2
    assert (mine.version, other.version) == ("2.4.15", "2.4.15")


@pytest.mark.parametrize("times", [1, LISTINGS], ids=["once", "always"])
def test_graph_hidden_by_a_deletion_blocks_later_waves(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """A graph of the first page is deleted before the second is read, so that the first of the second page is not listed."""
    world = World(
        policy_text("[{name: dev, match: {name: 'dev_*'}, windows: ['Sun 02:00-06:00 UTC']}, {name: prod, after: [dev]}]")
    )
    done = [world.graph(f"dev_{number}", version="2.4.15") for number in range(100)]
    world.graph("dev_hidden")
    world.graph("prod")
    handle, left = world.cloud.handle, [times]

    def restless(request: Request) -> Any:
        response = handle(request)
        if request.operation == "ges.list_graphs" and request.query["offset"] == "0" and left[0]:
            left[0] -= 1
            world.project.delete(done.pop())
        return response

    monkeypatch.setattr(world.cloud, "handle", restless)
    world.run(release("2.4.15"))
    world.run(TIMER)
    assert world.cloud.upgrades == []
