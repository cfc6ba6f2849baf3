"""Create, delete, start and stop in the eyes of the official SDK (ges.md 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkges import v2

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID

BODY: Any = {}  # from the state at the stop


@pytest.fixture
def ges(server: Server, credentials: BasicCredentials) -> Any:
    return v2.GesClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(ClientRequestException) as caught:
        act()
    return str(caught.value.error_code)


def test_graph_stops_and_starts(cloud: Cloud, ges: Any) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo")

    def start() -> Any:
        return ges.start_graph2(v2.StartGraph2Request(graph_id=graph.id, body=BODY))

    assert refused(start) == "GES.7037"
    assert ges.stop_graph2(v2.StopGraph2Request(graph_id=graph.id)).job_id == graph.jobs[-1].id
    assert graph.status == "901"
    assert refused(lambda: ges.stop_graph2(v2.StopGraph2Request(graph_id=graph.id))) == "GES.7003"
    graph.status = "900"
    assert start().job_id == graph.jobs[-1].id
    assert graph.status == "920"


def test_graph_is_created_and_deleted(cloud: Cloud, ges: Any) -> None:
    fields = v2.CreateGraphReqGraph(
        name="fresh", graph_size_type_index="1", vpc_id="v", subnet_id="s", security_group_id="g", arch="aarch64"
    )
    made = ges.create_graph2(v2.CreateGraph2Request(body=v2.CreateGraphReq(graph=fields)))
    shown = ges.show_graph2(v2.ShowGraph2Request(graph_id=made.id)).graph
    assert (shown.name, shown.status, shown.data_store_version, shown.arch) == ("fresh", "100", "2.4.15", "aarch64")
    ges.delete_graph2(v2.DeleteGraph2Request(graph_id=made.id))
    assert refused(lambda: ges.show_graph2(v2.ShowGraph2Request(graph_id=made.id))) == "GES.7000"


def test_graph_with_a_wrong_name_is_refused(ges: Any) -> None:
    fields = v2.CreateGraphReqGraph(name="a b", graph_size_type_index="1", vpc_id="v", subnet_id="s", security_group_id="g")
    assert refused(lambda: ges.create_graph2(v2.CreateGraph2Request(body=v2.CreateGraphReq(graph=fields)))) == "GES.0001"
