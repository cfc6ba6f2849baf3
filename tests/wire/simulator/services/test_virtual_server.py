"""A served cloud on a virtual clock, for programs that live in the machine's time."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkfunctiongraph import v2 as fg
from huaweicloudsdkges.v2 import GesClient, ListGraphs2Request
from obs import CreateBucketHeader, ObsClient

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, mock_huaweicloud, serve
from huaweicloud_simulator.server import Server
from tests.builders import NOW, PROJECT_ID
from tests.wire.simulator.services.test_runtime import deployed, timer


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(VirtualClock(NOW))
    cloud.project("cn-north-4", PROJECT_ID).graph("demo")
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


def count(credentials: BasicCredentials, url: str) -> Any:
    client = GesClient.new_builder().with_credentials(credentials).with_endpoint(url).build()
    return client.list_graphs2(ListGraphs2Request()).graph_count


@pytest.mark.parametrize("days", [0, 7, 400])
def test_sdk_signs_with_the_machines_time(cloud: Cloud, server: Server, credentials: BasicCredentials, days: int) -> None:
    cloud.clock.sleep(days * 86_400)
    assert count(credentials, server.url) == 1


def test_obs_client_signs_with_the_machines_time(cloud: Cloud, server: Server) -> None:
    client = ObsClient(access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY, server=server.url, max_retry_count=0)
    statuses = [
        client.createBucket("any-bucket", location="cn-north-4").status,
        client.putContent("any-bucket", "a/key", "text").status,
        client.appendObject("any-bucket", "log", {"position": 0, "content": "one"}).status,
        client.getObjectMetadata("any-bucket", "a/key").status,
        client.deleteObject("any-bucket", "a/key").status,
        client.getObject("any-bucket", "a/key", loadStreamInMemory=True).status,
    ]
    assert statuses == [200, 200, 200, 200, 204, 404]
    listed = client.listObjects("any-bucket")
    assert [one.key for one in listed.body.contents] == ["log"]
    assert [one.name for one in client.listBuckets().body.buckets] == ["any-bucket"]


def test_obs_client_reads_a_buckets_settings(cloud: Cloud, server: Server) -> None:
    client = ObsClient(access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY, server=server.url, max_retry_count=0)
    header = CreateBucketHeader(aclControl="private", storageClass="WARM")
    assert client.createBucket("any-bucket", header, location="cn-north-4").status == 200
    assert cloud.buckets["any-bucket"].storage_class == "WARM"
    assert client.getBucketLocation("any-bucket").body.location == "cn-north-4"
    assert client.getBucketStoragePolicy("any-bucket").body.storageClass == "STANDARD_IA"
    found = client.getBucketMetadata("any-bucket").body
    assert (found.location, found.storageClass) == ("cn-north-4", "STANDARD_IA")
    client.setBucketVersioning("any-bucket", "Enabled")
    assert client.getBucketVersioning("any-bucket").body == "Enabled"
    assert client.getBucketLifecycle("any-bucket").status == 404
    assert client.createBucket("any-bucket", header, location="cn-north-4").errorCode == "BucketAlreadyOwnedByYou"


def test_wrong_secret_of_the_obs_client_is_refused(server: Server) -> None:
    client = ObsClient(access_key_id=ACCESS_KEY, secret_access_key="another", server=server.url, max_retry_count=0)
    assert client.listObjects("any-bucket").errorCode == "SignatureDoesNotMatch"


def test_mock_stays_strict_about_time(cloud: Cloud, credentials: BasicCredentials) -> None:
    with mock_huaweicloud(cloud), pytest.raises(ClientRequestException, match="15 minutes"):
        count(credentials, "https://ges.cn-north-4.myhuaweicloud.com")


def test_failure_destination_invokes_its_subscriber(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("alarms")
    topic.subscribe("functionstage", f"{function.urn}:latest")
    failure = {"destination": "SMN", "param": json.dumps({"topic_urn": topic.urn})}
    function.asynchronous = {
        "max_async_retry_attempts": 0,
        "max_async_event_age_in_seconds": 3600,
        "destination_config": {"on_failure": failure},
    }
    timer(function, "1h", name="failing")
    server.platform.advance(cloud.clock.now() + timedelta(minutes=61))
    server.platform.settle()
    assert [bool(run.error) for run in server.platform.runs] == [True, False]
    report = json.loads(server.platform.runs[1].event["record"][0]["smn"]["message"])
    assert json.loads(report["request_payload"])["trigger_name"] == "failing"


@pytest.mark.parametrize(("event", "status", "line"), [({"a": 1}, 200, "seen {'a': 1}"), ({"fail": True}, 500, "as asked")])
def test_invocation_shows_the_end_of_the_log(
    cloud: Cloud, server: Server, credentials: BasicCredentials, event: Any, status: int, line: str
) -> None:
    urn = f"{deployed(cloud).urn}:latest"
    client = fg.FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()
    request = {"function_urn": urn, "body": event, "x_cff_request_version": "v1"}
    found = client.invoke_function(fg.InvokeFunctionRequest(**request, x_cff_log_type="tail"))
    assert (found.status, line in base64.b64decode(found.log).decode()) == (status, True)
    assert client.invoke_function(fg.InvokeFunctionRequest(**request)).log == ""


def test_unknown_version_is_not_invoked(cloud: Cloud, server: Server, credentials: BasicCredentials) -> None:
    client = fg.FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()
    with pytest.raises(ClientRequestException) as caught:
        client.invoke_function(fg.InvokeFunctionRequest(function_urn=f"{deployed(cloud).urn}:v9", body={}))
    assert (caught.value.status_code, caught.value.error_code) == (404, "FSS.1052")


@pytest.mark.parametrize("machine", [True, False])
def test_answer_shows_the_time_of_its_client(cloud: Cloud, server: Server, machine: bool) -> None:
    """A function in the cloud's time, and a program outside it, both find that their clocks are right."""
    cloud.clock.sleep(30 * 86_400)
    now = datetime.now(timezone.utc) if machine else cloud.clock.now()
    headers = {"X-Sdk-Date": now.strftime("%Y%m%dT%H%M%SZ")}
    answer = requests.get(f"{server.url}/v2/{PROJECT_ID}/graphs", headers=headers, timeout=5)
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - now) < timedelta(minutes=1)
