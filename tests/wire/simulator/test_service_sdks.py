"""The official clients of SMN, FunctionGraph and OBS, and the look-up of projects in huaweicloudsdkcore."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkfunctiongraph.v2 import AsyncInvokeFunctionRequest, FunctionGraphClient
from huaweicloudsdkges.v2 import GesClient, ListGraphs2Request
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient
from obs import ObsClient, convertor

from ges_upgrader.clock import SystemClock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.transport import Transport
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, faults
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID, TOPIC


@pytest.fixture
def smn(server: Server, credentials: BasicCredentials) -> Any:
    return SmnClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def publish(smn: Any, urn: str = TOPIC, **body: Any) -> Any:
    return smn.publish_message(PublishMessageRequest(topic_urn=urn, body=PublishMessageRequestBody(**body)))


def test_smn_accepts_a_message_for_each_channel(cloud: Cloud, smn: Any) -> None:
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    structure = {"default": "{}", "email": "long", "sms": "short"}
    answer = publish(smn, subject="图引擎", message_structure=json.dumps(structure))
    (message,) = topic.messages
    assert (message.subject, message.structure, message.message_id) == ("图引擎", structure, answer.message_id)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"subject": "x" * 513, "message": "m"}, 403, "SMN.0008"),
        ({"subject": "图" * 171, "message": "m"}, 403, "SMN.0008"),
        ({"subject": "two\nlines", "message": "m"}, 403, "SMN.0008"),
        ({"subject": "s"}, 403, "SMN.0009"),
        ({"message": "x" * 263_000}, 403, "SMN.0009"),
        ({"message_structure": "no json"}, 400, "SMN.0021"),
        ({"message_structure": '{"email": "no default"}'}, 400, "SMN.0021"),
    ],
)
def test_smn_refuses_beyond_its_limits(cloud: Cloud, smn: Any, body: dict[str, str], status: int, code: str) -> None:
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    with pytest.raises(ClientRequestException) as caught:
        publish(smn, **body)
    assert (caught.value.status_code, caught.value.error_code) == (status, code)
    assert topic.messages == []


@pytest.mark.parametrize(("urn", "status", "code"), [(TOPIC, 404, "SMN.0006"), ("urn:nonsense", 400, "SMN.0005")])
def test_smn_refuses_an_unknown_topic(smn: Any, urn: str, status: int, code: str) -> None:
    with pytest.raises(ClientRequestException) as caught:
        publish(smn, urn, message="m")
    assert (caught.value.status_code, caught.value.error_code) == (status, code)


def test_smn_throttled_keeps_the_gateways_code(cloud: Cloud, smn: Any) -> None:
    cloud.fault("smn.publish", faults.throttle(retry_after=1))
    with pytest.raises(ClientRequestException) as caught:
        publish(smn, message="m")
    assert caught.value.error_code == "APIGW.0308"


def test_core_finds_the_project_of_a_region(cloud: Cloud, server: Server) -> None:
    from huaweicloudsdkcore.region.region import Region

    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY).with_iam_endpoint(server.url)
    region = Region("cn-north-4", server.url)
    ges = GesClient.new_builder().with_credentials(credentials).with_region(region).build()
    assert ges.list_graphs2(ListGraphs2Request()).graph_count == 0
    assert [call.query for call in cloud.calls("iam.list_projects")] == [{"name": "cn-north-4"}]


def test_functiongraph_accepts_an_asynchronous_invocation(cloud: Cloud, server: Server, credentials: BasicCredentials) -> None:
    client = FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()
    urn = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:latest"
    answer = client.async_invoke_function(AsyncInvokeFunctionRequest(function_urn=urn, body={"command": "reconcile"}))
    assert answer.request_id
    assert [(one.function_urn, one.event) for one in cloud.invocations] == [(urn, {"command": "reconcile"})]


def test_our_client_invokes_as_the_sdk_does(cloud: Cloud, server: Server, credentials: BasicCredentials) -> None:
    urn = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:latest"
    event = {"command": "reconcile", "reason": "goes on for run 7"}
    official = FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()
    official.async_invoke_function(AsyncInvokeFunctionRequest(function_urn=urn, body=event))
    transport = Transport(
        Credentials(ACCESS_KEY, SECRET_KEY), lambda service, region: server.url, SystemClock(), lambda: timedelta(minutes=1)
    )
    request_id = FunctionGraph(transport).invoke_async("cn-north-4", PROJECT_ID, urn, event)
    theirs, ours = cloud.calls("functiongraph.invoke_async")
    assert (ours.method, ours.path, ours.query, ours.json) == (theirs.method, theirs.path, theirs.query, theirs.json)
    assert ours.headers["x-project-id"] == theirs.headers["x-project-id"]
    assert ours.headers["content-type"].partition(";")[0] == theirs.headers["content-type"].partition(";")[0]
    assert (ours.status, theirs.status, request_id) == (202, 202, ours.id)
    assert [(one.function_urn, one.event) for one in cloud.invocations] == [(urn, event)] * 2


def obs_client(server: Server, secret: str = SECRET_KEY) -> Any:
    """At an IP address the SDK would use AWS's signature. This makes it use its own."""
    client = ObsClient(access_key_id=ACCESS_KEY, secret_access_key=secret, server=server.url, max_retry_count=0)
    client.signature = client.thread_local.signature = "obs"
    client.ha = convertor.Adapter("obs")
    client.convertor = convertor.Convertor("obs", client.ha)
    return client


@pytest.fixture
def obs(cloud: Cloud, server: Server) -> Any:
    cloud.bucket("state")
    return obs_client(server)


def append(obs: Any, position: int, text: str) -> Any:
    from obs import AppendObjectContent

    return obs.appendObject("state", "journal/log", AppendObjectContent(content=text, position=position))


def test_obs_appends_only_at_the_end(cloud: Cloud, obs: Any) -> None:
    assert append(obs, 0, "one\n").status == 200
    lost = append(obs, 0, "two\n")
    assert (lost.status, lost.errorCode) == (409, "PositionNotEqualToLength")
    assert append(obs, 4, "two\n").body.nextPosition == 8
    assert obs.getObject("state", "journal/log", loadStreamInMemory=True).body.buffer == b"one\ntwo\n"


def test_obs_does_not_append_to_what_was_put(obs: Any) -> None:
    assert obs.putContent("state", "journal/log", "whole").status == 200
    refused = append(obs, 5, "more")
    assert (refused.status, refused.errorCode) == (409, "ObjectNotAppendable")


def test_obs_reports_missing_and_deletes_objects(cloud: Cloud, obs: Any) -> None:
    assert obs.getObject("state", "nothing").errorCode == "NoSuchKey"
    assert obs.getObject("nowhere", "nothing").errorCode == "NoSuchBucket"
    append(obs, 0, "one\n")
    assert obs.headObject("state", "journal/log").status == 200
    assert obs.deleteObject("state", "journal/log").status == 204
    assert cloud.bucket("state").objects == {}


def test_obs_refuses_a_wrong_signature(cloud: Cloud, server: Server) -> None:
    cloud.bucket("state")
    assert obs_client(server, "wrong").getObject("state", "x").errorCode == "SignatureDoesNotMatch"
