"""Log groups, streams and keyword alarms in the eyes of the official SDK (deploy.md 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdklts import v2 as lts

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.server import Server


@pytest.fixture
def client(server: Server, credentials: BasicCredentials) -> Any:
    return lts.LtsClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def refused(act: Callable[[], Any]) -> int:
    with pytest.raises(ClientRequestException) as caught:
        act()
    return int(caught.value.status_code)


def create_group(client: Any, days: int = 90) -> str:
    body = lts.CreateLogGroupParams(log_group_name="ges-upgrader", ttl_in_days=days)
    return str(client.create_log_group(lts.CreateLogGroupRequest(body=body)).log_group_id)


def create_stream(client: Any, group: str) -> str:
    body = lts.CreateLogStreamParams(log_stream_name="ges-upgrader")
    return str(client.create_log_stream(lts.CreateLogStreamRequest(log_group_id=group, body=body)).log_stream_id)


def test_group_and_stream_are_listed(client: Any) -> None:
    group = create_group(client)
    stream = create_stream(client, group)
    groups = client.list_log_groups(lts.ListLogGroupsRequest()).log_groups
    streams = client.list_log_stream(lts.ListLogStreamRequest(log_group_id=group)).log_streams
    assert [(one.log_group_id, one.log_group_name, one.ttl_in_days) for one in groups] == [(group, "ges-upgrader", 90)]
    assert [(one.log_stream_id, one.log_stream_name) for one in streams] == [(stream, "ges-upgrader")]


def test_second_group_of_a_name_is_refused(client: Any) -> None:
    group = create_group(client)
    create_stream(client, group)
    assert (refused(lambda: create_group(client)), refused(lambda: create_stream(client, group))) == (400, 400)
    assert refused(lambda: create_stream(client, "nowhere")) == 404


def test_alarm_is_for_a_stream_that_exists(cloud: Cloud, client: Any) -> None:
    group = create_group(client)
    stream = create_stream(client, group)

    def create(stream: str) -> Any:
        words = lts.KeywordsRequest(
            log_stream_id=stream,
            log_group_id=group,
            keywords="ges_upgrader_alarm",
            condition=">=",
            number=1,
            search_time_range=10,
            search_time_range_unit="minute",
        )
        body = lts.CreateKeywordsAlarmRuleRequestBody(
            keywords_alarm_rule_name="ges-upgrader-errors",
            keywords_requests=[words],
            frequency=lts.Frequency(type="FIXED_RATE", fixed_rate=5, fixed_rate_unit="minute"),
            keywords_alarm_level="CRITICAL",
            domain_id="d" * 32,
            notification_frequency=30,
        )
        return client.create_keywords_alarm_rule(lts.CreateKeywordsAlarmRuleRequest(body=body)).keywords_alarm_rule_id

    made = create(stream)
    assert refused(lambda: create("nowhere")) == 400
    listed = client.list_keywords_alarm_rules(lts.ListKeywordsAlarmRulesRequest()).keywords_alarm_rules
    assert [(one.keywords_alarm_rule_id, one.keywords_alarm_rule_name) for one in listed] == [(made, "ges-upgrader-errors")]
    client.delete_keywords_alarm_rule(lts.DeleteKeywordsAlarmRuleRequest(keywords_alarm_rule_id=made))
    assert cloud.lts.alarms == {}
