"""A graph's own engine, through both doors of the simulator, and our client's judgement of it (ges.md 2.8)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.engine import PATIENCE, Engine, address_of
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.platform import Platform
from ges_upgrader.cloud.transport import TRIES, Transport
from ges_upgrader.domain import model
from ges_upgrader.domain.model import Status
from ges_upgrader.domain.version import Version
from huaweicloud_simulator import Cloud, VirtualClock, faults, mock_huaweicloud, serve
from huaweicloud_simulator.ges.models import Graph
from tests.builders import NOW, PROJECT, PROJECT_ID
from tests.wire.simulator.test_shapes import differences, shape

TOKEN = "MIIEtoken+of/the-agency=="
COUNT = "MATCH (n) RETURN count(n)"
TARGET = Version("2.4.15")
DATA_PLANE = f"/ges/v1.0/{PROJECT_ID}/graphs/"

Address = Callable[[model.Graph], "str | None"]


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(VirtualClock(NOW))
    cloud.token(TOKEN)
    return cloud


@pytest.fixture
def graph(cloud: Cloud) -> Graph:
    return cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.15")


@pytest.fixture
def mocked(cloud: Cloud) -> Iterator[Cloud]:
    with mock_huaweicloud(cloud):
        yield cloud


@pytest.fixture(params=["in the process", "server"])
def address(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[Address]:
    """Where a client finds a graph's engine, for each door in turn."""
    with ExitStack() as doors:
        if request.param == "server":
            url = doors.enter_context(serve(cloud)).url
            yield lambda graph: url
        else:
            doors.enter_context(mock_huaweicloud(cloud))
            yield address_of


def seen(cloud: Cloud, graph: Graph) -> model.Graph:
    """The graph as GES's management plane shows it."""
    with mock_huaweicloud(cloud):
        ges = Ges(
            Transport(Credentials(token=TOKEN), lambda s, r: f"https://{s}.{r}.myhuaweicloud.com", cloud.clock, hour), "v2"
        )
        shown = ges.show_graph(PROJECT, graph.id)
    assert shown is not None
    cloud.requests.clear()
    return shown


def hour() -> timedelta:
    return timedelta(hours=1)


def health_problem(
    cloud: Cloud,
    graph: Graph,
    cypher: str | None = None,
    rows: list[list[Any]] | None = None,
    address: Address = address_of,
    token: str | None = TOKEN,
    left: timedelta = timedelta(hours=1),
    expected: Version = TARGET,
) -> str | None:
    shown = seen(cloud, graph)
    end = cloud.clock.now() + left
    return Engine(token, cloud.clock, lambda: end - cloud.clock.now(), address).health_problem(shown, expected, cypher, rows)


def ask(graph: Graph, what: str, method: str = "GET", token: str | None = TOKEN, **how: Any) -> requests.Response:
    headers = {} if token is None else {"X-Auth-Token": token}
    url = f"http://{how.pop('host', graph.private_ip)}{DATA_PLANE}{how.pop('name', graph.name)}/{what}"
    return requests.request(method, url, headers=headers, timeout=5, **how)


# What the simulator answers.


def statement(text: str) -> dict[str, Any]:
    return {"statements": [{"statement": text, "parameters": {}, "resultDataContents": ["row"], "includeStats": False}]}


def test_a_graph_answers_in_the_documented_shapes(mocked: Cloud, graph: Graph) -> None:
    graph.vertices, graph.edges, graph.answers = 3, 2, {COUNT: [[3]]}
    assert ask(graph, "version").json() == {"version": "2.4.15"}
    summary = ask(graph, "summary?label_details=true").json()
    counted = {"vertexNum": 3, "edgeNum": 2}
    documented = {"data": {**counted, "labelDetails": {"labelInVertex": {}, "labelInEdge": {}}}}
    assert differences(shape(summary), shape(documented)) == []
    assert {name: summary["data"][name] for name in counted} == counted
    assert ask(graph, "summary").json() == {"data": counted}
    found = ask(graph, "action?action_id=execute-cypher-query", "POST", json=statement(COUNT)).json()
    assert (found["errors"], [line["row"] for line in found["results"][0]["data"]]) == ([], [[3]])
    unknown = ask(graph, "action?action_id=execute-cypher-query", "POST", json=statement("MATCH (m) RETURN m"))
    assert (unknown.status_code, unknown.json()["results"]) == (400, [])
    assert [set(error) for error in unknown.json()["errors"]] == [{"code", "message"}]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"statements": [1]}', b'{"statements": 1}'])
def test_a_query_without_a_statement_is_refused(mocked: Cloud, graph: Graph, body: bytes) -> None:
    refused = ask(graph, "action?action_id=execute-cypher-query", "POST", data=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "GES.8005")


@pytest.mark.parametrize(
    ("spoiled", "status", "code"),
    [
        ({"token": None}, 400, "GES.8007"),
        ({"token": "unknown"}, 400, "GES.8007"),
        ({"name": "another"}, 404, "GES.8000"),
        ({"what": "versions"}, 404, "GES.8000"),
        ({"what": "version", "method": "POST"}, 404, "GES.8000"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_the_engines_own_envelope(
    mocked: Cloud, graph: Graph, spoiled: dict[str, Any], status: int, code: str
) -> None:
    refused = ask(graph, **{"what": "version", **spoiled})
    assert refused.status_code == status
    assert set(refused.json()) == {"errorCode", "errorMessage"}
    assert refused.json()["errorCode"] == code


@pytest.mark.parametrize("status", ["201", "203", "300", "900"])
def test_a_graph_that_is_not_running_has_no_engine(mocked: Cloud, graph: Graph, status: str) -> None:
    graph.status = status
    refused = ask(graph, "version")
    assert (refused.status_code, refused.json()["errorCode"]) == (500, "GES.8602")


def test_every_graph_has_addresses_of_its_own_which_both_apis_show_and_which_stay(mocked: Cloud, graph: Graph) -> None:
    project = mocked.project("cn-north-4", PROJECT_ID)
    graphs = [graph, *(project.graph(f"graph_{number}") for number in range(300))]
    everywhere = [address for one in graphs for address in one.addresses]
    assert len(set(everywhere)) == len(everywhere)
    assert all(one.private_ip.startswith("192.168.") for one in graphs)
    project.delete(graphs[1])
    assert project.graph("newcomer").private_ip not in everywhere
    for api, private, traffic, public in (
        ("v2", "private_ip", "traffic_ip_list", "public_ip"),
        ("v1.0", "privateIp", "trafficIpList", "publicIp"),
    ):
        url = f"https://ges.cn-north-4.myhuaweicloud.com/{api}/{PROJECT_ID}/graphs/{graphs[7].id}"
        shown = requests.get(url, headers={"X-Auth-Token": TOKEN}, timeout=5).json()["graph"]
        assert [shown[private], *shown[traffic], shown[public]] == graphs[7].addresses


def test_each_address_of_a_graph_leads_to_it_and_to_no_other(mocked: Cloud, graph: Graph) -> None:
    other = mocked.project("cn-north-4", PROJECT_ID).graph("other", version="2.4.9")
    assert [ask(other, "version", host=host).json() for host in other.addresses] == [{"version": "2.4.9"}] * 4
    assert ask(graph, "version", host=other.private_ip).status_code == 404
    mocked.project("cn-east-3", "f" * 32)
    foreign = f"http://{graph.private_ip}{DATA_PLANE.replace(PROJECT_ID, 'f' * 32)}demo/version"
    assert requests.get(foreign, headers={"X-Auth-Token": TOKEN}, timeout=5).json()["errorCode"] == "GES.8006"
    with pytest.raises(requests.Timeout):
        ask(graph, "version", host="192.168.200.200")


def test_a_graph_takes_one_scheme_and_its_port(mocked: Cloud, graph: Graph) -> None:
    url = f"{graph.private_ip}{DATA_PLANE}demo/version"
    for https, right, wrong in ((False, "http", "https"), (True, "https", "http")):
        graph.https = https
        assert requests.get(f"{right}://{url}", headers={"X-Auth-Token": TOKEN}, timeout=5).status_code == 200
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{wrong}://{url}", headers={"X-Auth-Token": TOKEN}, timeout=5)
    graph.https = False
    with pytest.raises(requests.ConnectionError):
        ask(graph, "version", host=f"{graph.private_ip}:8080")


def test_the_data_plane_is_not_at_the_management_planes_address(mocked: Cloud, graph: Graph) -> None:
    refused = ask(graph, "version", host="ges.cn-north-4.myhuaweicloud.com")
    assert (refused.status_code, refused.json()["error_code"]) == (404, "APIGW.0101")
    url = f"https://ges.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/graphs"
    assert requests.get(url, headers={"X-Auth-Token": TOKEN}, timeout=5).status_code == 200


def test_the_server_tells_graphs_apart_by_their_names_in_their_projects(cloud: Cloud, graph: Graph) -> None:
    graph.https = True
    cloud.project("cn-east-3", "f" * 32).graph("elsewhere", version="2.4.9")
    with serve(cloud) as server:

        def version(project_id: str, name: str) -> Any:
            url = f"{server.url}/ges/v1.0/{project_id}/graphs/{name}/version"
            return requests.get(url, headers={"X-Auth-Token": TOKEN}, timeout=10).json()

        assert version(PROJECT_ID, "demo") == {"version": "2.4.15"}
        assert version("f" * 32, "elsewhere") == {"version": "2.4.9"}
        assert version(PROJECT_ID, "elsewhere")["errorCode"] == "GES.8000"
        assert version("0" * 32, "demo")["errorCode"] == "GES.8006"


# What our client makes of it.


def test_an_engine_that_says_its_version_and_sums_up_is_well(cloud: Cloud, graph: Graph, address: Address) -> None:
    assert health_problem(cloud, graph, address=address) is None
    assert [request.operation for request in cloud.requests] == ["engine.version", "engine.summary"]
    assert {request.headers["x-auth-token"] for request in cloud.requests} == {TOKEN}
    assert {request.headers["x-language"] for request in cloud.requests} == {"en-us"}
    assert not any("authorization" in request.headers for request in cloud.requests)


def test_the_statement_is_asked_last_and_must_give_the_rows_that_are_expected(
    cloud: Cloud, graph: Graph, address: Address
) -> None:
    graph.answers[COUNT] = [[3], ["三"]]
    assert health_problem(cloud, graph, COUNT, address=address) is None
    assert health_problem(cloud, graph, COUNT, [[3], ["三"]], address=address) is None
    assert [request.operation for request in cloud.requests] == [
        "engine.version",
        "engine.summary",
        "engine.execute-cypher-query",
    ]
    found = health_problem(cloud, graph, COUNT, [[4]], address=address)
    assert found == "the statement of the health check gives [[3], ['三']], not [[4]]"


def test_a_statement_without_rows_gives_no_rows(mocked: Cloud, graph: Graph) -> None:
    graph.answers[COUNT] = []
    assert health_problem(mocked, graph, COUNT, []) is None
    assert health_problem(mocked, graph, COUNT, [[1]]) == "the statement of the health check gives [], not [[1]]"


def test_an_engine_at_another_version_ails(cloud: Cloud, graph: Graph, address: Address) -> None:
    graph.engine_version = "2.4.4"
    assert health_problem(cloud, graph, address=address) == "the engine says that it runs 2.4.4, not 2.4.15"


def test_versions_are_compared_by_number(mocked: Cloud, graph: Graph) -> None:
    graph.engine_version = "2.4.15.0"
    assert health_problem(mocked, graph) is None
    graph.engine_version = "2.4.015-beta"
    assert "2.4.015-beta, not 2.4.15" in str(health_problem(mocked, graph))


def test_a_statement_that_fails_is_an_ailment_with_its_code(cloud: Cloud, graph: Graph, address: Address) -> None:
    found = health_problem(cloud, graph, "MATCH (n:unindexed) RETURN n", address=address)
    assert found == (
        "the statement of the health check fails: GES.8904 (HTTP 400): Label index in vertices is not found."
    )  # fmt: skip


def test_an_engine_that_does_not_know_its_graph_ails(mocked: Cloud, graph: Graph) -> None:
    shown = seen(mocked, graph)
    graph.name = "renamed"
    found = Engine(TOKEN, mocked.clock, hour).health_problem(shown, TARGET)
    assert found is not None and "GES.8000 (HTTP 404)" in found


def test_a_graphs_name_is_encoded_in_the_path(mocked: Cloud) -> None:
    graph = mocked.project("cn-north-4", PROJECT_ID).graph("a/b ü", version="2.4.15")
    assert health_problem(mocked, graph) is None
    assert mocked.requests[0].path == f"{DATA_PLANE}a%2Fb%20%C3%BC/version"


@pytest.mark.parametrize(
    "refusal",
    [
        faults.error(500, "GES.8602", "Engine service unavailable."),
        faults.error(500, "GES.8601", "Gremlin service unavailable."),
        faults.throttle(),
        faults.html(503),
        faults.refuse_connection(),
        faults.read_timeout(),
    ],
    ids=["engine", "gremlin", "throttled", "page", "refused connection", "no answer"],
)
def test_an_engine_that_is_not_up_yet_is_asked_again(mocked: Cloud, graph: Graph, refusal: faults.Fault) -> None:
    mocked.fault("engine.*", refusal, times=3)
    assert health_problem(mocked, graph) is None
    assert len(mocked.calls("engine.version")) == 4


def test_a_statement_is_asked_again_too(mocked: Cloud, graph: Graph) -> None:
    graph.answers[COUNT] = [[3]]
    mocked.fault("engine.execute-cypher-query", faults.error(500, "GES.8602", "Engine service unavailable."), times=3)
    assert health_problem(mocked, graph, COUNT, [[3]]) is None


def test_an_engine_that_stays_down_ails_after_a_minute(mocked: Cloud, graph: Graph) -> None:
    graph.sick = True
    began = mocked.clock.now()
    found = health_problem(mocked, graph)
    assert found == "the engine does not say its version: GES.8602 (HTTP 500): Engine service unavailable."
    assert PATIENCE / 2 < mocked.clock.now() - began <= PATIENCE


def test_the_minute_is_that_of_all_three_questions(mocked: Cloud, graph: Graph) -> None:
    graph.answers[COUNT] = [[3]]
    unavailable = faults.error(500, "GES.8602", "Engine service unavailable.")
    mocked.fault("engine.version", unavailable, times=4)
    mocked.fault("engine.summary", unavailable, times=4)
    mocked.fault("engine.execute-cypher-query", unavailable, times=None)
    began = mocked.clock.now()
    assert "the statement of the health check fails: GES.8602" in str(health_problem(mocked, graph, COUNT))
    assert mocked.clock.now() - began <= PATIENCE


def test_a_throttle_that_asks_for_longer_than_a_minute_is_an_ailment_at_once(mocked: Cloud, graph: Graph) -> None:
    mocked.fault("engine.version", faults.throttle(retry_after=300))
    assert "APIGW.0308 (HTTP 429)" in str(health_problem(mocked, graph))
    assert len(mocked.requests) == 1


def test_the_runs_time_is_not_exceeded(mocked: Cloud, graph: Graph) -> None:
    graph.sick = True
    began = mocked.clock.now()
    assert health_problem(mocked, graph, left=timedelta(seconds=10)) is not None
    assert mocked.clock.now() - began < timedelta(seconds=10)
    with pytest.raises(Unreachable, match="out-of-time"):
        health_problem(mocked, graph, left=timedelta(0))


@pytest.mark.parametrize("fault", [faults.refuse_connection(), faults.read_timeout(), faults.drop_connection()])
def test_an_address_that_never_answers_is_unreachable_and_no_ailment(mocked: Cloud, graph: Graph, fault: faults.Fault) -> None:
    mocked.fault("engine.*", fault, times=None)
    began = mocked.clock.now()
    with pytest.raises(Unreachable):
        health_problem(mocked, graph)
    assert len(mocked.requests) == TRIES
    assert mocked.clock.now() - began < PATIENCE / 2


def test_an_address_where_no_graph_listens_is_unreachable(mocked: Cloud, graph: Graph) -> None:
    shown = seen(mocked, graph)
    mocked.project("cn-north-4", PROJECT_ID).delete(graph)
    with pytest.raises(Unreachable):
        Engine(TOKEN, mocked.clock, hour).health_problem(shown, TARGET)


@pytest.mark.parametrize("token", [None, "", "with\nlines", "ümlaut", "two words"])
def test_without_a_token_nothing_is_asked(mocked: Cloud, graph: Graph, token: str | None) -> None:
    with pytest.raises(CloudError) as refused:
        health_problem(mocked, graph, token=token)
    assert refused.value.code == "no-token"
    assert mocked.requests == []
    assert not token or token not in str(refused.value)


def test_a_token_that_is_refused_says_nothing_about_the_engine(mocked: Cloud, graph: Graph) -> None:
    with pytest.raises(CloudError) as refused:
        health_problem(mocked, graph, token="unknown-token")
    assert (refused.value.code, refused.value.status) == ("GES.8007", 400)
    assert len(mocked.requests) == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.error(400, "GES.8020", "The current user does not have permission."), "GES.8020"),
        (faults.error(400, "GES.8006", "Invalid resource access."), "GES.8006"),
        (faults.error(401, "APIGW.0301", "Incorrect IAM authentication information"), "APIGW.0301"),
        (faults.redirect(), "HTTP-302"),
    ],
)
def test_what_keeps_us_out_says_nothing_about_the_engine(mocked: Cloud, graph: Graph, fault: faults.Fault, code: str) -> None:
    mocked.fault("engine.version", fault, times=None)
    with pytest.raises(CloudError) as refused:
        health_problem(mocked, graph)
    assert refused.value.code == code
    assert {request.headers["host"] for request in mocked.requests} == {graph.private_ip}


VERSION, SUMMARY = {"version": "2.4.15"}, {"data": {"vertexNum": 0, "edgeNum": 0}}


@pytest.mark.parametrize(
    ("version", "summary", "cypher", "expected"),
    [
        (VERSION, SUMMARY, {"results": [], "errors": []}, None),
        (VERSION, SUMMARY, {"results": None, "errors": []}, "there are no results in the answer"),
        (VERSION, SUMMARY, {"results": [], "errors": [{"code": "GES.8904"}]}, "GES.8904"),
        ({}, SUMMARY, None, "runs None, not 2.4.15"),
        ({"version": 2.4}, SUMMARY, None, "runs 2.4, not 2.4.15"),
        ({"errorCode": "GES.8002", "errorMessage": "odd"}, SUMMARY, None, "say its version: GES.8002 (HTTP 200): odd"),
        ([1], SUMMARY, None, "does not say its version: unreadable"),
        (VERSION, {"data": {"vertexNum": 1}}, None, "there is no edgeNum in it"),
        (VERSION, {"data": [5]}, None, "there is no vertexNum and no edgeNum in it"),
        (VERSION, {"errorCode": "GES.8001", "errorMessage": "Failed"}, None, "no summary of its vertices and edges: GES.8001"),
        (VERSION, {"data": {"vertexNum": 1, "edgeNum": 1, "labelDetails": {"errorCode": "GES.8017"}}}, None, None),
    ],
)
def test_answers_of_every_kind_are_judged(version: Any, summary: Any, cypher: Any, expected: str | None) -> None:
    clock = VirtualClock(NOW)
    graph = model.Graph(PROJECT, "id", "demo", TARGET, Status("200"), addresses=("192.168.0.4",))
    base = f"http://192.168.0.4{DATA_PLANE}demo"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.get(f"{base}/version", json=version)
        wire.get(f"{base}/summary", json=summary)
        wire.post(f"{base}/action", json=cypher)
        found = Engine(TOKEN, clock, hour).health_problem(graph, TARGET, COUNT if cypher else None)
    assert found is None if expected is None else found is not None and expected in found


@pytest.mark.parametrize("rows", [{"results": []}, {"results": [{"data": [{}]}]}, {"results": [5]}])
def test_rows_that_cannot_be_found_are_not_those_expected(rows: Any) -> None:
    graph = model.Graph(PROJECT, "id", "demo", TARGET, Status("200"), addresses=("192.168.0.4",))
    base = f"http://192.168.0.4{DATA_PLANE}demo"
    with responses.RequestsMock() as wire:
        wire.get(f"{base}/version", json=VERSION)
        wire.get(f"{base}/summary", json=SUMMARY)
        wire.post(f"{base}/action", json={**rows, "errors": []})
        found = Engine(TOKEN, VirtualClock(NOW), hour).health_problem(graph, TARGET, COUNT, [[3]])
    assert found == "the statement of the health check fails: there are no rows in the answer"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "x" * 1990 + TOKEN),
        (400, "<p>" + "x" * 190 + TOKEN),
        (400, json.dumps({"errorCode": "GES.8000", "errorMessage": "y" * 490 + TOKEN})),
        (400, json.dumps({"errorCode": TOKEN, "errorMessage": "no"})),
        (400, json.dumps({"errorCode": "GES.8007", "errorMessage": "no", "request_id": "z" * 50 + TOKEN})),
        (200, json.dumps({"version": "v" * 190 + TOKEN})),
        (200, json.dumps({"errorCode": "GES.1", "errorMessage": "w" * 190 + TOKEN})),
    ],
)
def test_no_part_of_a_token_that_an_engine_echoes_is_passed_on(status: int, body: str) -> None:
    graph = model.Graph(PROJECT, "id", "demo", TARGET, Status("200"), addresses=("192.168.0.4",))
    with responses.RequestsMock() as wire:
        wire.get(f"http://192.168.0.4{DATA_PLANE}demo/version", body=body, status=status)
        try:
            found = Engine(TOKEN, VirtualClock(NOW), hour).health_problem(graph, TARGET)
        except CloudError as error:
            found = f"{error} {error!r} {vars(error)}"
    assert found
    assert TOKEN[:4] not in found


# Where an engine is.


@pytest.mark.parametrize(
    ("addresses", "https", "expected"),
    [
        (("192.168.0.4", "192.168.0.5", "49.4.81.183"), False, "http://192.168.0.4"),
        (("192.168.0.4", "192.168.0.5", "49.4.81.183"), True, "https://192.168.0.4"),
        (("192.168.0.5",), False, "http://192.168.0.5"),
        (("49.4.81.183",), True, "https://49.4.81.183"),
        (("49.4.81.183",), False, None),
        (("fd00::4",), False, "http://[fd00::4]"),
        ((), True, None),
    ],
)
def test_the_private_address_comes_first_and_no_token_crosses_the_internet_in_clear(
    addresses: tuple[str, ...], https: bool, expected: str | None
) -> None:
    graph = model.Graph(PROJECT, "id", "demo", TARGET, Status("200"), addresses=addresses, https=https)
    assert address_of(graph) == expected


def test_a_graph_without_an_address_is_not_asked(mocked: Cloud) -> None:
    graph = mocked.project("cn-north-4", PROJECT_ID).graph("demo", missing=("private_ip", "traffic_ip_list"))
    with pytest.raises(CloudError) as refused:
        health_problem(mocked, graph)
    assert refused.value.code == "no-address"
    assert mocked.requests == []


@pytest.mark.parametrize("api", ["v2", "v1.0"])
def test_the_addresses_of_a_graph_are_read_from_both_apis(mocked: Cloud, graph: Graph, api: Any) -> None:
    graph.https = True
    transport = Transport(Credentials(token=TOKEN), lambda s, r: f"https://{s}.{r}.myhuaweicloud.com", mocked.clock, hour)
    (shown,) = Ges(transport, api).list_graphs(PROJECT).graphs
    assert (list(shown.addresses), shown.https) == (graph.addresses, True)


@pytest.mark.parametrize(
    ("fields", "addresses"),
    [
        ({}, ()),
        ({"private_ip": None, "traffic_ip_list": None, "public_ip": ""}, ()),
        ({"traffic_ip_list": 5}, ()),
        ({"private_ip": 5, "traffic_ip_list": "192.168.0.5", "public_ip": ["1.2.3.4"]}, ()),
        ({"private_ip": "192.168.0.4/x", "traffic_ip_list": [None, {}, "192.168.0.5", "host"]}, ("192.168.0.5",)),
        ({"private_ip": "192.168.0.4", "traffic_ip_list": ["192.168.0.4"], "enable_https": "no"}, ("192.168.0.4",)),
    ],
)
def test_addresses_of_odd_types_are_left_out(fields: dict[str, Any], addresses: tuple[str, ...]) -> None:
    item = {"id": "1", "name": "demo", "status": "200", **fields}
    with responses.RequestsMock() as wire:
        url = f"https://ges.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/graphs"
        wire.get(url, json={"graph_count": 1, "graphs": [item]})
        clock = VirtualClock(NOW)
        transport = Transport(Credentials(token=TOKEN), lambda s, r: f"https://{s}.{r}.myhuaweicloud.com", clock, hour)
        (shown,) = Ges(transport, "v2").list_graphs(PROJECT).graphs
    assert (shown.addresses, shown.https) == (addresses, False)


def test_the_token_is_that_of_the_context() -> None:
    assert Platform(type("Context", (), {"getToken": lambda self: TOKEN})()).token == TOKEN
    assert Platform(None).token is None
