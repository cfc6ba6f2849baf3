"""A graph's own engine, through both doors of the simulator, and our client's judgement of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from simulator import Cloud, VirtualClock, faults, mock_huaweicloud, serve
from simulator.ges.models import Graph
from tests.builders import NOW, PROJECT, PROJECT_ID
from upgrader import model
from upgrader.cloud.engine import Engine
from upgrader.cloud.errors import CloudError
from upgrader.model import Status
from upgrader.versions import Version

TOKEN = "MIIEtoken"
COUNT = "MATCH (n) RETURN count(n)"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_huaweicloud(Cloud(VirtualClock(NOW))) as mocked:
        mocked.token(TOKEN)
        yield mocked


@pytest.fixture
def graph(cloud: Cloud) -> Graph:
    return cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.15")


def ailment(
    cloud: Cloud, graph: Graph, cypher: str | None = None, rows: list[list[object]] | None = None, token: str | None = TOKEN
) -> str | None:
    end = cloud.clock.now() + timedelta(minutes=5)
    engine = Engine(token, cloud.clock, lambda: end - cloud.clock.now())
    shown = model.Graph(PROJECT, graph.id, graph.name, Version("2.4.15"), Status("200"), address=graph.private_ip)
    return engine.ailment(shown, Version("2.4.15"), cypher, rows)


def test_an_engine_that_says_its_version_and_sums_up_is_well(cloud: Cloud, graph: Graph) -> None:
    assert ailment(cloud, graph) is None
    assert [request.operation for request in cloud.requests] == ["engine.version", "engine.summary"]
    assert {request.headers["x-auth-token"] for request in cloud.requests} == {TOKEN}


def test_an_engine_at_another_version_ails(cloud: Cloud, graph: Graph) -> None:
    graph.engine_version = "2.4.4"
    assert ailment(cloud, graph) == "the engine says that it runs '2.4.4', not 2.4.15"


def test_a_statement_must_give_the_rows_that_are_expected_of_it(cloud: Cloud, graph: Graph) -> None:
    graph.answers[COUNT] = [[3]]
    assert ailment(cloud, graph, COUNT) is None
    assert ailment(cloud, graph, COUNT, [[3]]) is None
    assert ailment(cloud, graph, COUNT, [[4]]) == "the statement of the health check gives [[3]], not [[4]]"


def test_a_statement_that_fails_is_an_error_with_its_code(cloud: Cloud, graph: Graph) -> None:
    with pytest.raises(CloudError, match="HTTP 400"):
        ailment(cloud, graph, "MATCH (n:unindexed) RETURN n")


def test_an_engine_that_is_not_up_yet_is_asked_again(cloud: Cloud, graph: Graph) -> None:
    cloud.fault("engine.version", faults.error(500, "GES.8602", "The engine service is unavailable."), times=3)
    assert ailment(cloud, graph) is None
    assert len(cloud.calls("engine.version")) == 4


def test_an_engine_that_stays_down_cannot_be_asked(cloud: Cloud, graph: Graph) -> None:
    graph.sick = True
    with pytest.raises(CloudError) as refused:
        ailment(cloud, graph)
    assert refused.value.code == "GES.8602"


@pytest.mark.parametrize(("token", "code"), [(None, "no-token"), ("wrong", "GES.8007")])
def test_without_a_good_token_the_engine_cannot_be_asked(cloud: Cloud, graph: Graph, token: str | None, code: str) -> None:
    with pytest.raises(CloudError) as refused:
        ailment(cloud, graph, token=token)
    assert refused.value.code == code
    assert "wrong" not in str(refused.value)


def test_an_address_where_nothing_listens_gives_no_answer(cloud: Cloud, graph: Graph) -> None:
    cloud.project("cn-north-4", PROJECT_ID).delete(graph)
    with pytest.raises(CloudError) as lost:
        ailment(cloud, graph)
    assert lost.value.status is None


def test_the_simulators_server_has_the_data_plane_too() -> None:
    cloud = Cloud()
    cloud.token(TOKEN)
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.15")
    with serve(cloud) as server:
        url = f"{server.url}/ges/v1.0/{PROJECT_ID}/graphs/demo/version"
        assert requests.get(url, headers={"X-Auth-Token": TOKEN}, timeout=10).json() == {"version": "2.4.15"}
        refused = requests.get(url, timeout=10)
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "GES.8007")
