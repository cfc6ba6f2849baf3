"""Faults of GES that pass, although they come with HTTP 400: repeated on reads, looked into after calls that act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.ges.codes import DOCUMENTED, PASSING, unknown_target
from ges_upgrader.cloud.transport import TRIES, Transport
from ges_upgrader.domain.version import Version
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, faults, mock_huaweicloud
from huaweicloud_simulator.ges.models import Graph
from tests.builders import NOW, PROJECT, PROJECT_ID, policy_text
from tests.journeys.runs import World

CODES = sorted(PASSING)
STATUS = {"GES.7005": 408, "GES.8302": 500}  # all others: HTTP 400 (ges.md 5.2)
READS: dict[str, Callable[[Ges, Graph], object]] = {
    "list_graphs": lambda ges, _: ges.list_graphs(PROJECT),
    "show_graph": lambda ges, graph: ges.show_graph(PROJECT, graph.id),
    "show_job": lambda ges, graph: ges.show_job(PROJECT, graph.id, graph.jobs[0].id),
    "list_jobs": lambda ges, graph: ges.list_jobs(PROJECT, graph.name, NOW),
    "list_graph_backups": lambda ges, graph: ges.list_backups(PROJECT, graph.id),
    "show_quotas": lambda ges, _: ges.backups_left(PROJECT),
}
ACTS: dict[str, Callable[[Ges, Graph], object]] = {
    "upgrade_graph": lambda ges, graph: ges.upgrade_graph(PROJECT, graph.id, Version("2.4.15"), force=False),
    "create_backup": lambda ges, graph: ges.create_backup(PROJECT, graph.id),
    "delete_backup": lambda ges, graph: ges.delete_backup(PROJECT, graph.id, "backup-1"),
}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_huaweicloud(Cloud(VirtualClock(NOW))) as mocked:
        mocked.release("2.4.15")
        yield mocked


@pytest.fixture
def graph(cloud: Cloud) -> Graph:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    graph.begin_backup()
    return graph


def client(cloud: Cloud) -> Ges:
    def address(service: str, region: str) -> str:
        return f"https://{service}.{region}.myhuaweicloud.com"

    return Ges(Transport(Credentials(ACCESS_KEY, SECRET_KEY), address, cloud.clock, lambda: timedelta(hours=1)), "v2")


def fault(code: str, soft: bool) -> faults.Fault:
    return faults.soft_error(code, "odd") if soft else faults.error(STATUS.get(code, 400), code, "odd")


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", READS)
def test_read_is_repeated(cloud: Cloud, graph: Graph, name: str, code: str, soft: bool) -> None:
    cloud.fault(f"ges.{name}", fault(code, soft), times=2)
    assert READS[name](client(cloud), graph) is not None
    assert len(cloud.calls(f"ges.{name}")) == 3


@pytest.mark.parametrize("code", CODES)
def test_lasting_fault_is_an_error(cloud: Cloud, graph: Graph, code: str) -> None:
    cloud.fault("ges.list_graphs", fault(code, soft=False), times=None)
    with pytest.raises(CloudError, match=code):
        client(cloud).list_graphs(PROJECT)
    assert len(cloud.calls("ges.list_graphs")) == TRIES


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", ACTS)
def test_act_is_not_repeated_without_a_look(cloud: Cloud, graph: Graph, name: str, code: str, soft: bool) -> None:
    cloud.fault(f"ges.{name}", fault(code, soft), times=None)
    with pytest.raises(CloudError) as caught:
        ACTS[name](client(cloud), graph)
    assert caught.value.may_have_acted
    assert len(cloud.calls(f"ges.{name}")) == 1


def test_refusal_is_not_repeated(cloud: Cloud, graph: Graph) -> None:
    cloud.fault("ges.list_graphs", faults.error(400, "GES.7041", "Insufficient permission."), times=None)
    with pytest.raises(CloudError) as caught:
        client(cloud).list_graphs(PROJECT)
    assert not caught.value.may_have_acted
    assert len(cloud.calls("ges.list_graphs")) == 1


@pytest.mark.parametrize("code", CODES)
def test_passing_fault_costs_no_window(code: str) -> None:
    world = World(policy_text("[{windows: ['Mon 02:00-06:00 UTC']}]"))
    world.graph()
    world.cloud.fault("ges.list_graphs", fault(code, soft=False), times=2)
    assert [one["outcome"] for one in world.run()["outcomes"]] == ["succeeded"]


@pytest.mark.parametrize("acts", [False, True])
def test_fault_of_an_upgrade_call_starts_one_upgrade(acts: bool) -> None:
    """Whether GES acted before it failed is looked up."""
    world = World(policy_text())
    world.graph()
    failed = faults.Fault("odd", acts, faults.error(400, "GES.7006", "odd").strike)
    world.cloud.fault("ges.upgrade_graph", failed)
    assert [one["outcome"] for one in world.run()["outcomes"]] == ["succeeded"]
    assert len(world.cloud.upgrades) == 1


# Which refusals can mean that GES does not know the target version (interface.md, "Unknown to GES").


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "GES.0001", True),
        (400, "GES.7071", True),
        (400, "GES.7099", True),
        (400, "GES.0002", True),
        (400, "GES.7036", False),
        (400, "GES.7001", False),
        (400, "GES.7041", False),
        (400, "GES.8011", False),
        (400, "GES.9999", False),
        (400, "APIGW.0201", False),
        (400, "HTTP-400", False),
        (400, "unreadable", False),
        (404, "GES.0001", False),
        (500, "GES.7071", False),
        (200, "GES.0001", False),
        (None, "GES.0001", False),
    ],
)
def test_unknown_target_is_told_from_other_refusals(status: int | None, code: str, expected: bool) -> None:
    error = CloudError("ges", "upgrade_graph", "cn-north-4", status, code, "no")
    assert unknown_target(error) is expected


def test_documented_codes_are_those_of_the_pages() -> None:
    assert len([code for code in DOCUMENTED if code < "GES.8"]) == 62
    assert PASSING <= DOCUMENTED


def test_unknown_version_is_an_unknown_target(cloud: Cloud, graph: Graph) -> None:
    with pytest.raises(CloudError) as refused:
        client(cloud).upgrade_graph(PROJECT, graph.id, Version("2.9.9"), force=False)
    assert (refused.value.code, refused.value.status) == ("GES.7002", 400)
    graph.backups.clear()
    cloud.clock.sleep(3600)
    with pytest.raises(CloudError) as unknown:
        client(cloud).upgrade_graph(PROJECT, graph.id, Version("2.9.9"), force=False)
    assert unknown_target(unknown.value)
