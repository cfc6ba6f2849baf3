"""Errors on the wire: each layer has its envelope, each service its codes (ges.md 5, smn-obs-core.md A4)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import requests

from huaweicloud_simulator import Cloud, faults
from huaweicloud_simulator.faults import Fault
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID, TOPIC
from tests.wire.conftest import payload
from tests.wire.raw import call

PUBLISH = f"/v2/{PROJECT_ID}/notifications/topics/{quote(TOPIC, safe='')}/publish"


def upgrade(server: Server, api: str, graph_id: str, body: object) -> requests.Response:
    if api == "v2":
        return call("POST", f"{server.url}/v2/{PROJECT_ID}/graphs/{graph_id}/upgrade", body)
    url = f"{server.url}/v1.0/{PROJECT_ID}/graphs/{graph_id}/action"
    return call("POST", url, body, query=(("action_id", "upgrade"),))


@pytest.mark.parametrize(("api", "example"), [("v2", "upgrade_error_v2_not_running"), ("v1.0", "upgrade_error_v1_not_running")])
def test_stopped_graph_is_refused_as_documented(cloud: Cloud, server: Server, api: str, example: str) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", status="202")
    name = "upgrade_version" if api == "v2" else "upgradeVersion"
    refused = upgrade(server, api, graph.id, {name: "2.4.15"})
    assert (refused.status_code, refused.json()) == (400, payload(example))


@pytest.mark.parametrize(
    ("api", "body", "code"),
    [
        ("v2", {}, "GES.7049"),
        ("v2", {"upgradeVersion": "2.4.15"}, "GES.7049"),
        ("v2", {"upgrade_version": ""}, "GES.7050"),
        ("v2", {"upgrade_version": 2}, "GES.0001"),
        ("v2", {"upgrade_version": "2.4.15", "force_upgrade": "yes"}, "GES.0001"),
        ("v2", ["2.4.15"], "GES.7016"),
        ("v2", "no json", "GES.7016"),
        ("v1.0", {"upgrade_version": "2.4.15"}, "GES.7049"),
        ("v1.0", "", "GES.7016"),
    ],
)
def test_wrong_upgrade_body_is_refused(cloud: Cloud, server: Server, api: str, body: object, code: str) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo")
    refused = upgrade(server, api, graph.id, body)
    assert (refused.status_code, refused.json()["error_code" if api == "v2" else "errorCode"]) == (400, code)
    assert cloud.upgrades == []


def test_unknown_v1_action_is_refused(cloud: Cloud, server: Server) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo")
    refused = call("POST", f"{server.url}/v1.0/{PROJECT_ID}/graphs/{graph.id}/action", {}, query=(("action_id", "fly"),))
    assert refused.json()["errorCode"] == "GES.7048"


@pytest.mark.parametrize(
    "query",
    [
        ("status", "pending"),
        ("status", "done"),
        ("start_time", "01.02.2026"),
        ("end_time", "today"),
        ("limit", "0"),
        ("offset", "x"),
    ],
)
def test_job_centre_refuses_unknown_filters(server: Server, query: tuple[str, str]) -> None:
    refused = call("GET", f"{server.url}/v2/{PROJECT_ID}/graphs/jobs", query=(query,))
    assert refused.status_code == 400
    assert refused.json() == {"error_code": "GES.0001", "error_msg": "Incorrect parameter."}


def test_v1_job_centre_has_a_third_spelling(server: Server) -> None:
    refused = call("GET", f"{server.url}/v1.0/{PROJECT_ID}/graphs/jobs", query=(("status", "done"),))
    assert (refused.status_code, refused.json()) == (400, {"errCode": "GES.0001", "externalMessage": "Parameter error."})


def test_each_api_names_its_day_filters(cloud: Cloud, server: Server) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo")
    graph.begin_upgrade("2.4.15", force=False)
    counts = {
        (api, name): call("GET", f"{server.url}/{api}/{PROJECT_ID}/graphs/jobs", query=((name, "2100-01-01"),)).json()
        for api in ("v2", "v1.0")
        for name in ("start_time", "startTime")
    }
    assert counts["v2", "start_time"]["job_count"] == 0
    assert counts["v2", "startTime"]["job_count"] == 1
    assert counts["v1.0", "startTime"]["jobCount"] == 0
    assert counts["v1.0", "start_time"]["jobCount"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "example"), [(faults.throttle(), 429, "apigw_429"), (faults.gateway_timeout(), 504, None)]
)
def test_gateway_errors_name_the_request(cloud: Cloud, server: Server, fault: Fault, status: int, example: str | None) -> None:
    cloud.fault("ges.list_graphs", fault)
    refused = call("GET", f"{server.url}/v2/{PROJECT_ID}/graphs")
    assert refused.status_code == status
    assert set(refused.json()) == {"error_code", "error_msg", "request_id"}
    assert refused.json()["request_id"] == refused.headers["X-Request-Id"]
    if example:
        assert refused.json()["error_code"] == payload(example)["error_code"]
        assert refused.json()["error_msg"] == payload(example)["error_msg"]


def test_retry_after_appears_only_on_demand(cloud: Cloud, server: Server) -> None:
    cloud.fault("ges.*", faults.throttle())
    cloud.fault("ges.*", faults.throttle(retry_after=7))
    url = f"{server.url}/v2/{PROJECT_ID}/graphs"
    assert [call("GET", url).headers.get("Retry-After") for _ in range(3)] == [None, "7", None]


def test_each_service_has_its_internal_error(cloud: Cloud, server: Server) -> None:
    cloud.fault("*", faults.server_error(), times=2)
    ges, smn = call("GET", f"{server.url}/v2/{PROJECT_ID}/graphs"), call("POST", server.url + PUBLISH, {"message": "m"})
    assert (ges.status_code, ges.json()["error_code"]) == (500, "GES.7006")
    assert (smn.status_code, smn.json()["code"]) == (500, "SMN.0018")
    assert set(smn.json()) == {"request_id", "code", "message"}


def test_chosen_error_uses_the_apis_envelope(cloud: Cloud, server: Server) -> None:
    cloud.fault("*", faults.error(400, "GES.7041", "Insufficient permission."), times=None)
    assert call("GET", f"{server.url}/v2/{PROJECT_ID}/graphs").json() == {
        "error_code": "GES.7041",
        "error_msg": "Insufficient permission.",
    }
    assert call("GET", f"{server.url}/v1.0/{PROJECT_ID}/graphs").json() == {
        "errorCode": "GES.7041",
        "errorMessage": "Insufficient permission.",
    }


def test_answer_to_a_refused_call_can_be_lost(cloud: Cloud, server: Server) -> None:
    """A client without an answer must not learn whether the service accepted the call."""
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", status="900")
    cloud.fault("ges.upgrade_graph", faults.lost_answer())
    with pytest.raises(requests.ConnectionError):
        upgrade(server, "v2", graph.id, {"upgrade_version": "2.4.15"})
    assert cloud.upgrades == []
    assert cloud.calls("ges.upgrade_graph")[0].status is None


def test_message_is_measured_unescaped(cloud: Cloud, server: Server) -> None:
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    longest = '"' * 256 * 1024
    assert call("POST", server.url + PUBLISH, {"message": longest}).status_code == 200
    assert call("POST", server.url + PUBLISH, {"message": longest + '"'}).json()["code"] == "SMN.0009"
    assert [len(message.message or "") for message in topic.messages] == [256 * 1024]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message_structure": {"default": "an object, where a text is wanted"}, "message": "m"}, "SMN.0021"),
        ({"message_structure": json.dumps({"default": {"no": "text"}})}, "SMN.0021"),
        ({"message_template_name": "missing", "message": "m"}, "SMN.0027"),
        ({"message": ""}, "SMN.0009"),
        ("no json", "SMN.0009"),
    ],
)
def test_outranking_content_decides_the_refusal(cloud: Cloud, server: Server, body: object, code: str) -> None:
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    assert call("POST", server.url + PUBLISH, body).json()["code"] == code
    assert topic.messages == []


def test_publishing_from_a_foreign_project_is_refused(cloud: Cloud, server: Server) -> None:
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    refused = call("POST", server.url + PUBLISH.replace(PROJECT_ID, "f" * 32, 1), {"message": "m"})
    assert (refused.status_code, refused.json()["code"]) == (403, "SMN.0001")


def test_publishing_to_another_projects_topic_works(cloud: Cloud, server: Server) -> None:
    """The caller's project is in the path, the owner's in the URN (smn-obs-core.md A1)."""
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    cloud.project("cn-north-4", "e" * 32)
    assert call("POST", server.url + PUBLISH.replace(PROJECT_ID, "e" * 32, 1), {"message": "m"}).status_code == 200
    assert len(topic.messages) == 1
