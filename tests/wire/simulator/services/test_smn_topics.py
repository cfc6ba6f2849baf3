"""Topics and subscriptions in the eyes of the official SDK (deploy.md 2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdksmn import v2 as smn

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID

URN = f"urn:smn:cn-north-4:{PROJECT_ID}:ges-upgrades"


@pytest.fixture
def client(server: Server, credentials: BasicCredentials) -> Any:
    return smn.SmnClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def create(client: Any, name: str = "ges-upgrades") -> Any:
    return client.create_topic(smn.CreateTopicRequest(body=smn.CreateTopicRequestBody(name=name, display_name="GES")))


def subscribe(client: Any, endpoint: str = "ops@example.com", protocol: str = "email") -> Any:
    body = smn.AddSubscriptionRequestBody(protocol=protocol, endpoint=endpoint, remark="deploy")
    return client.add_subscription(smn.AddSubscriptionRequest(topic_urn=URN, body=body))


def listed(client: Any) -> list[tuple[str, int]]:
    request = smn.ListSubscriptionsByTopicRequest(topic_urn=URN, offset=0, limit=100)
    return [(one.endpoint, one.status) for one in client.list_subscriptions_by_topic(request).subscriptions or []]


def test_topic_is_created_once(cloud: Cloud, client: Any) -> None:
    assert [create(client).topic_urn, create(client).topic_urn] == [URN] * 2
    assert [call.status for call in cloud.calls("smn.create_topic")] == [201, 200]
    found = client.list_topics(smn.ListTopicsRequest(name="ges-upgrades"))
    assert [(one.topic_urn, one.display_name) for one in found.topics] == [(URN, "GES")]


@pytest.mark.parametrize("name", ["", "-first", "ä", "x" * 256])
def test_topic_with_a_wrong_name_is_refused(client: Any, name: str) -> None:
    with pytest.raises(ClientRequestException) as caught:
        create(client, name)
    assert caught.value.status_code == 400


def test_subscription_waits_for_confirmation(cloud: Cloud, client: Any) -> None:
    create(client)
    first = subscribe(client).subscription_urn
    assert (subscribe(client).subscription_urn, listed(client)) == (first, [("ops@example.com", 0)])
    assert [call.status for call in cloud.calls("smn.add_subscription")] == [201, 200]
    client.cancel_subscription(smn.CancelSubscriptionRequest(subscription_urn=first))
    assert listed(client) == []


def test_function_needs_no_confirmation(client: Any) -> None:
    create(client)
    endpoint = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:latest"
    subscribe(client, endpoint, "functionstage")
    assert listed(client) == [(endpoint, 1)]


@pytest.mark.parametrize(("protocol", "endpoint"), [("email", "nobody"), ("pigeon", "a@b.c"), ("http", "ftp://x")])
def test_wrong_endpoint_is_refused(client: Any, protocol: str, endpoint: str) -> None:
    create(client)
    with pytest.raises(ClientRequestException) as caught:
        subscribe(client, endpoint, protocol)
    assert caught.value.status_code == 400


def test_access_policy_is_replaced_whole(client: Any) -> None:
    create(client)
    for sid in ("first", "second"):
        body = smn.UpdateTopicAttributeRequestBody(value=json.dumps({"Version": "2016-09-07", "Statement": [{"Sid": sid}]}))
        client.update_topic_attribute(smn.UpdateTopicAttributeRequest(topic_urn=URN, name="access_policy", body=body))
    found = client.list_topic_attributes(smn.ListTopicAttributesRequest(topic_urn=URN, name="access_policy"))
    assert [one["Sid"] for one in json.loads(found.attributes.access_policy)["Statement"]] == ["second"]
