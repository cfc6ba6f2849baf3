"""Lists that change while they are read, and totals that lie. What may be incomplete says so (ges.md 2.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.client import Ges, Listing
from ges_upgrader.cloud.ges.pages import LISTINGS
from ges_upgrader.cloud.transport import Transport
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, faults, mock_huaweicloud
from huaweicloud_simulator.projects import Project
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, PROJECT, PROJECT_ID

Change = Callable[[dict[str, Any], Request], None]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_huaweicloud(Cloud(VirtualClock(NOW))) as mocked:
        yield mocked


@pytest.fixture
def project(cloud: Cloud) -> Project:
    """With graphs for two and a half pages."""
    project = cloud.project("cn-north-4", PROJECT_ID)
    for number in range(250):
        project.graph(f"graph_{number}")
    return project


def listed(cloud: Cloud, api: Any = "v2") -> Listing:
    transport = Transport(
        Credentials(ACCESS_KEY, SECRET_KEY),
        lambda service, region: f"https://{service}.{region}.myhuaweicloud.com",
        cloud.clock,
        lambda: timedelta(hours=1),
    )
    return Ges(transport, api).list_graphs(PROJECT)


def altered(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Every answer to a listing is changed before it is sent."""
    handle = cloud.handle

    def changed(request: Request) -> Response:
        response = handle(request)
        content = json.loads(response.body)
        change(content, request)
        response.body = json.dumps(content).encode()
        return response

    monkeypatch.setattr(cloud, "handle", changed)


def between_pages(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], times: int = 1) -> None:
    """Something happens after a first page, so many times."""
    left = [times]

    def change(_: dict[str, Any], request: Request) -> None:
        if request.query["offset"] == "0" and left[0]:
            left[0] -= 1
            act()

    altered(cloud, monkeypatch, change)


def oldest(project: Project) -> Any:
    return next(iter(project.graphs.values()))


@pytest.mark.parametrize("api", ["v2", "v1.0"])
def test_quiet_list_is_read_once(cloud: Cloud, project: Project, api: Any) -> None:
    listing = listed(cloud, api)
    assert [graph.id for graph in listing.graphs] == list(project.graphs)
    assert listing.problems == ()
    assert len(cloud.calls("ges.list_graphs")) == 3


@pytest.mark.parametrize("replaced", [False, True], ids=["fewer", "same total"])
def test_deletion_between_pages_hides_nothing(
    cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    def act() -> None:
        project.delete(oldest(project))
        if replaced:
            project.graph("newcomer")

    between_pages(cloud, monkeypatch, act)
    listing = listed(cloud)
    assert {graph.id for graph in listing.graphs} == set(project.graphs)
    assert listing.problems == ()


def test_newcomer_in_front_hides_nothing(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        older = dict(project.graphs)
        project.graphs.clear()
        project.graph("newcomer")
        project.graphs.update(older)

    between_pages(cloud, monkeypatch, act)
    assert {graph.id for graph in listed(cloud).graphs} == set(project.graphs)


def test_restless_list_is_incomplete(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    between_pages(cloud, monkeypatch, lambda: project.delete(oldest(project)), times=LISTINGS)
    listing = listed(cloud)
    assert "ges list_graphs in cn-north-4: the list changed while it was read" in listing.problems
    assert len(cloud.calls("ges.list_graphs")) <= 5 * LISTINGS


def test_rounded_offsets_hide_nothing(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may take an offset for the page that it lies in."""
    ids = list(project.graphs)

    def rounded(content: dict[str, Any], request: Request) -> None:
        start = int(request.query["offset"]) // 100 * 100
        content["graphs"] = [{"id": graph_id} for graph_id in ids[start : start + 100]]

    altered(cloud, monkeypatch, rounded)
    listing = listed(cloud)
    assert ({graph.id for graph in listing.graphs}, listing.problems) == (set(project.graphs), ())


def test_changing_total_is_incomplete(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(content: dict[str, Any], request: Request) -> None:
        content["graph_count"] += request.query["offset"] != "0"

    altered(cloud, monkeypatch, change)
    assert listed(cloud).problems


@pytest.mark.parametrize("size", [1, 2, 7])
def test_any_page_size_is_read_to_the_end(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    project = cloud.project("cn-north-4", PROJECT_ID)
    for number in range(15):
        project.graph(f"graph_{number}")
    altered(cloud, monkeypatch, lambda content, _: content.update(graphs=content["graphs"][:size]))
    listing = listed(cloud)
    assert ([graph.id for graph in listing.graphs], listing.problems) == (list(project.graphs), ())


@pytest.mark.parametrize("total", [None, "250", 3, -1, True, 1.5, []], ids=str)
def test_odd_total_hides_nothing(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch, total: Any) -> None:
    altered(cloud, monkeypatch, lambda content, _: content.update(graph_count=total))
    listing = listed(cloud)
    assert ({graph.id for graph in listing.graphs}, listing.problems) == (set(project.graphs), ())


def test_total_above_the_list_is_incomplete(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    altered(cloud, monkeypatch, lambda content, _: content.update(graph_count=251))
    assert listed(cloud).problems == ("ges list_graphs in cn-north-4: 250 of 251 graphs were listed",)


@pytest.mark.parametrize("broken", [5, None, {}, {"id": ""}, {"id": []}, {"name": "x"}], ids=str)
@pytest.mark.parametrize("page", ["0", "99"])
def test_entry_without_id_is_a_problem(
    cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch, broken: Any, page: str
) -> None:
    def change(content: dict[str, Any], request: Request) -> None:
        if request.query["offset"] == page:
            content["graphs"][50] = broken

    altered(cloud, monkeypatch, change)
    listing = listed(cloud)
    assert len(listing.graphs) == 249
    assert "ges list_graphs in cn-north-4: an entry without an id was left alone" in listing.problems


def test_ignored_offset_is_incomplete(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first page again and again."""
    first = json.dumps([{"id": str(number)} for number in range(100)])
    altered(cloud, monkeypatch, lambda content, _: content.update(graphs=json.loads(first)))
    listing = listed(cloud)
    assert len(listing.graphs) == 100
    assert listing.problems
    assert len(cloud.calls("ges.list_graphs")) <= 4 * LISTINGS


def test_endless_list_ends(cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(content: dict[str, Any], request: Request) -> None:
        offset = int(request.query["offset"])
        content["graphs"] = [{"id": str(number)} for number in range(offset, offset + 2000)]
        content["graph_count"] = 10**8

    altered(cloud, monkeypatch, change)
    assert listed(cloud).problems


@pytest.mark.parametrize(("name", "count"), [("graphs", 250), ("graphs", None)])
def test_missing_list_is_an_error(
    cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch, name: str, count: int | None
) -> None:
    def change(content: dict[str, Any], _: Request) -> None:
        del content[name]
        content["graph_count"] = count

    altered(cloud, monkeypatch, change)
    with pytest.raises(CloudError, match="the answer has no graphs"):
        listed(cloud)


def test_fault_on_a_later_page_is_an_error(cloud: Cloud, project: Project) -> None:
    cloud.fault("ges.list_graphs", faults.error(400, "GES.7041", "Insufficient permission."), after=2, times=None)
    with pytest.raises(CloudError, match=r"GES\.7041"):
        listed(cloud)


@pytest.mark.parametrize(
    ("written", "read"), [("02.4.015", "2.4.15"), ("v2.04.9", "2.4.9"), ("2.4.0", "2.4.0"), ("002.4.10.00", "2.4.10.0")]
)
def test_leading_zeros_of_a_version_are_read(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, written: str, read: str) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo")
    altered(cloud, monkeypatch, lambda content, _: content["graphs"][0].update(data_store_version=written))
    (graph,) = listed(cloud).graphs
    assert str(graph.version) == read
