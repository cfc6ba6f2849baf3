"""Both doors behave alike: the official clients in the process, at the real host names, and against the server."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ConnectionException, SdkException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkfunctiongraph.v2 import AsyncInvokeFunctionRequest, FunctionGraphClient
from huaweicloudsdkges.v2 import GesClient
from huaweicloudsdkges.v2 import model as v2
from huaweicloudsdkges.v2.region.ges_region import GesRegion
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, current, faults, mock_huaweicloud, serve
from huaweicloud_simulator.demo import demo_cloud
from tests.builders import PROJECT_ID, TOPIC
from tests.wire.raw import call

KEY_NUMBERS = itertools.count(1)
FUNCTION = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:latest"

Endpoint = Callable[[str], str]


@pytest.fixture(params=["in the process", "server"])
def endpoint(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[Endpoint]:
    """The address of a service, for each door in turn."""
    with ExitStack() as doors:
        if request.param == "server":
            url = doors.enter_context(serve(cloud)).url
            yield lambda service: url
        else:
            doors.enter_context(mock_huaweicloud(cloud))
            yield lambda service: f"https://{service}.cn-north-4.myhuaweicloud.com"


def client(kind: Any, service: str, endpoint: Endpoint, timeout: float = 10) -> Any:
    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID)
    config = HttpConfig(timeout=(timeout, timeout))
    built = kind.new_builder().with_credentials(credentials).with_endpoint(endpoint(service))
    return built.with_http_config(config).build()


def test_official_clients_upgrade_and_publish(cloud: Cloud, endpoint: Endpoint) -> None:
    cloud.upgrade_duration = timedelta(0)
    project = cloud.project("cn-north-4", PROJECT_ID)
    graph, topic = project.graph("demo", version="2.4.4"), project.topic("ges-upgrades")
    ges, smn = client(GesClient, "ges", endpoint), client(SmnClient, "smn", endpoint)
    body = v2.UpgradeGraphReq(upgrade_version="2.4.15")
    job_id = ges.upgrade_graph2(v2.UpgradeGraph2Request(graph_id=graph.id, body=body)).job_id
    assert ges.show_job2(v2.ShowJob2Request(graph_id=graph.id, job_id=job_id)).status == "success"
    assert ges.show_graph2(v2.ShowGraph2Request(graph_id=graph.id)).graph.data_store_version == "2.4.15"
    message = PublishMessageRequestBody(subject="done", message="demo runs 2.4.15")
    smn.publish_message(PublishMessageRequest(topic_urn=TOPIC, body=message))
    assert [message.subject for message in topic.messages] == ["done"]
    seen = [(request.operation, request.api, request.status) for request in cloud.requests]
    assert seen == [
        ("ges.upgrade_graph", "v2", 200),
        ("ges.show_job", "v2", 200),
        ("ges.show_graph", "v2", 200),
        ("smn.publish", "", 200),
    ]
    assert cloud.requests[0].json == {"upgrade_version": "2.4.15"}


def test_both_doors_give_the_same_bytes() -> None:
    paths = [
        ("GET", f"/v2/{PROJECT_ID}/graphs"),
        ("GET", f"/v1.0/{PROJECT_ID}/graphs"),
        ("GET", f"/v2/{PROJECT_ID}/graphs/quotas"),
        ("GET", f"/v2/{PROJECT_ID}/graphs/none"),
        ("POST", f"/v2/{PROJECT_ID}/graphs/none"),
        ("DELETE", f"/v2/{PROJECT_ID}/graphs/none/backups/none"),
    ]
    cloud = Cloud()
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", tags={"owner": "市场"})

    def answers(url: str) -> list[tuple[int, str | None, bytes]]:
        cloud.requests.clear()
        found = [call(method, url + path) for method, path in paths]
        return [(one.status_code, one.headers["Content-Type"], one.content) for one in found]

    with mock_huaweicloud(cloud):
        inside = answers("https://ges.cn-north-4.myhuaweicloud.com")
    with serve(cloud) as server:
        assert answers(server.url) == inside
    assert [status for status, _, _ in inside] == [200, 200, 200, 400, 404, 400]


@pytest.mark.parametrize(
    ("fault", "acted"),
    [
        (faults.lost_answer(), 1),
        (faults.drop_connection(), 0),
        (faults.read_timeout(), 1),
        (faults.read_timeout(acts=False), 0),
    ],
    ids=["lost answer", "dropped", "timeout", "timeout without acting"],
)
def test_lost_answer_hides_whether_the_service_acted(cloud: Cloud, endpoint: Endpoint, fault: faults.Fault, acted: int) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    ges = client(GesClient, "ges", endpoint, timeout=0.5)
    cloud.fault("ges.upgrade_graph", fault)
    body = v2.UpgradeGraphReq(upgrade_version="2.4.15")
    expected = requests.ReadTimeout if fault.name == "timeout" else ConnectionException  # smn-obs-core.md B3
    with pytest.raises(expected):
        ges.upgrade_graph2(v2.UpgradeGraph2Request(graph_id=graph.id, body=body))
    assert len(cloud.upgrades) == acted
    assert [request.status for request in cloud.requests] == [None]


def test_receiver_of_an_invocation_may_call_the_cloud(cloud: Cloud, endpoint: Endpoint) -> None:
    """It may call from another thread, as the server does, so the cloud must not be locked meanwhile."""
    ges, functions = client(GesClient, "ges", endpoint), client(FunctionGraphClient, "functiongraph", endpoint)
    counted: list[int] = []
    cloud.on_invoke = lambda invocation: counted.append(ges.list_graphs2(v2.ListGraphs2Request()).graph_count)
    event = {"command": "reconcile"}
    answer = functions.async_invoke_function(AsyncInvokeFunctionRequest(function_urn=FUNCTION, body=event))
    assert (answer.status_code, bool(answer.request_id)) == (202, True)
    assert counted == [0]
    assert [(one.function_urn, one.event) for one in cloud.invocations] == [(FUNCTION, event)]


def test_invocation_without_receiver_is_only_recorded(cloud: Cloud, endpoint: Endpoint) -> None:
    functions = client(FunctionGraphClient, "functiongraph", endpoint)
    functions.async_invoke_function(AsyncInvokeFunctionRequest(function_urn=FUNCTION, body={"number": 1}))
    received: list[Any] = []
    cloud.on_invoke = lambda invocation: received.append(invocation.event)
    functions.async_invoke_function(AsyncInvokeFunctionRequest(function_urn=FUNCTION, body={"number": 2}))
    assert received == [{"number": 2}]
    assert [one.event for one in cloud.invocations] == [{"number": 1}, {"number": 2}]


def test_invocation_in_an_unknown_project_is_refused(endpoint: Endpoint) -> None:
    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, "f" * 32)
    built = FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(endpoint("functiongraph"))
    with pytest.raises(ClientRequestException) as caught:
        built.build().async_invoke_function(AsyncInvokeFunctionRequest(function_urn=FUNCTION, body={}))
    assert (caught.value.status_code, caught.value.error_code) == (403, "APIGW.0302")


def fresh_key(cloud: Cloud) -> BasicCredentials:
    """The SDK remembers a region's project by access key until the process ends (smn-obs-core.md B1)."""
    key = f"KEY{next(KEY_NUMBERS)}OFTHISTEST"
    cloud.credentials(key, "secret")
    return BasicCredentials(key, "secret")


def test_official_regions_reach_the_cloud(cloud: Cloud) -> None:
    with mock_huaweicloud(cloud):
        builder = GesClient.new_builder().with_credentials(fresh_key(cloud)).with_region(GesRegion.value_of("cn-north-4"))
        assert builder.build().list_graphs2(v2.ListGraphs2Request()).graph_count == 0
    assert [(request.operation, request.query) for request in cloud.requests] == [
        ("iam.list_projects", {"name": "cn-north-4"}),
        ("ges.list_graphs", {}),
    ]


def test_first_project_has_the_regions_name(cloud: Cloud) -> None:
    """The SDK fails if a name belongs to more than one project."""
    cloud.project("cn-north-4", "a" * 32).graph("of another project")
    with mock_huaweicloud(cloud):
        builder = GesClient.new_builder().with_credentials(fresh_key(cloud)).with_region(GesRegion.value_of("cn-north-4"))
        assert builder.build().list_graphs2(v2.ListGraphs2Request()).graph_count == 0
        everything = call("GET", "https://iam.cn-north-4.myhuaweicloud.com/v3/projects").json()["projects"]
    assert [(one["name"], one["id"]) for one in everything] == [
        ("cn-north-4", PROJECT_ID),
        ("cn-north-4_aaaaaaaa", "a" * 32),
    ]


def test_region_without_project_is_not_found(cloud: Cloud, endpoint: Endpoint) -> None:
    credentials = fresh_key(cloud).with_iam_endpoint(endpoint("iam"))
    builder = GesClient.new_builder().with_credentials(credentials).with_region(Region("cn-east-3", endpoint("ges")))
    with pytest.raises(SdkException, match=r"[Pp]roject"):
        builder.build().list_graphs2(v2.ListGraphs2Request())


def test_official_regions_read_the_servers_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(cloud) as server:
        for name, value in server.environment("cn-north-4").items():
            monkeypatch.setenv(name, value)
        region = GesRegion.value_of("cn-north-4")
        ges = GesClient.new_builder().with_credentials(fresh_key(cloud)).with_region(region).build()
        assert ges.list_graphs2(v2.ListGraphs2Request()).graph_count == 0
    assert [request.operation for request in cloud.requests] == ["iam.list_projects", "ges.list_graphs"]


@pytest.mark.parametrize(
    ("host", "status", "code"),
    [
        ("ges.cn-north-4.myhuaweicloud.com", 200, None),
        ("ges.cn-east-3.myhuaweicloud.com", 400, "GES.0016"),
        ("ges.eu-west-101.myhuaweicloud.eu", 400, "GES.0016"),
        ("smn.cn-north-4.myhuaweicloud.com", 404, "APIGW.0101"),
    ],
)
def test_host_serves_one_service_and_region(cloud: Cloud, host: str, status: int, code: str | None) -> None:
    with mock_huaweicloud(cloud):
        answer = call("GET", f"https://{host}/v2/{PROJECT_ID}/graphs")
    assert (answer.status_code, answer.json().get("error_code")) == (status, code)


def test_project_is_in_one_region(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match="cn-north-4"):
        cloud.project("cn-east-3", PROJECT_ID)


def test_refused_connection_looks_real_in_the_process(cloud: Cloud) -> None:
    cloud.fault("ges.*", faults.refuse_connection())
    with mock_huaweicloud(cloud), pytest.raises(requests.ConnectionError) as caught:
        call("GET", f"https://ges.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/graphs")
    assert type(caught.value.args[0].reason).__name__ == "NewConnectionError"


def test_only_loopback_passes_the_mock(cloud: Cloud) -> None:
    with serve(Cloud()) as other, mock_huaweicloud(cloud):
        assert requests.get(f"{other.url}/v2/x/graphs", timeout=5).status_code == 401
        for url in ("https://example.com/", "https://ges.cn-north-4.myhuaweicloud.com.example.com/"):
            with pytest.raises(requests.ConnectionError):
                requests.get(url, timeout=5)
    assert cloud.requests == []


@mock_huaweicloud
def count_requests() -> int:
    call("GET", f"https://ges.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/graphs")
    return len(current().requests)


@mock_huaweicloud()
def count_requests_too() -> int:
    return count_requests() + len(current().requests)


def test_decorated_function_gets_a_fresh_cloud() -> None:
    assert [count_requests(), count_requests(), count_requests_too()] == [1, 1, 1]


def test_fault_strikes_only_chosen_requests(cloud: Cloud, endpoint: Endpoint) -> None:
    cloud.fault("ges.list_*", faults.html(502), times=2, after=1, where=lambda request: request.method == "GET")
    url = f"{endpoint('ges')}/v2/{PROJECT_ID}/graphs"
    assert [call("GET", url).status_code for _ in range(4)] == [200, 502, 502, 200]
    cloud.fault("ges.list_graphs", faults.malformed(), times=None)
    malformed = call("GET", url)
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(malformed.content)
    assert call("GET", f"{url}/quotas").status_code == 200
    cloud.clear_faults()
    assert call("GET", url).json()["graph_count"] == 0


def test_one_of_many_racing_upgrades_begins(cloud: Cloud) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    with serve(cloud) as server:
        url = f"{server.url}/v2/{PROJECT_ID}/graphs/{graph.id}/upgrade"
        found: list[int] = []
        racers = [
            threading.Thread(target=lambda: found.append(call("POST", url, {"upgrade_version": "2.4.15"}).status_code))
            for _ in range(12)
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(20)
    assert sorted(found) == [200] + [400] * 11
    assert len(cloud.upgrades) == 1


def test_demo_shows_every_kind_of_graph() -> None:
    cloud = demo_cloud()
    with mock_huaweicloud(cloud):
        ges = client(GesClient, "ges", lambda service: f"https://{service}.cn-north-4.myhuaweicloud.com")
        graphs = ges.list_graphs2(v2.ListGraphs2Request()).graphs
    assert 6 <= len(graphs) <= 10
    assert "900" in {graph.status for graph in graphs}
    assert ("ges-upgrader", "off") in {(tag.key, tag.value) for graph in graphs for tag in graph.tags}
    assert len({graph.data_store_version for graph in graphs}) > 2
    assert {urn.rpartition(":")[2] for urn in cloud.project("cn-north-4", PROJECT_ID).topics} == {
        "ges-upgrades",
        "ges-releases",
    }
