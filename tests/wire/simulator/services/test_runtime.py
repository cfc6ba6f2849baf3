"""Deployed code runs when a client, a message or a timer invokes it: the zip itself, on the cloud's clock."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from huaweicloud_simulator import Cloud, VirtualClock, serve
from huaweicloud_simulator.functiongraph.errors import FunctionError
from huaweicloud_simulator.functiongraph.models import Code, Function, Trigger
from huaweicloud_simulator.functiongraph.schedules import Schedule
from huaweicloud_simulator.server import Server
from huaweicloud_simulator.smn.models import Status
from tests.builders import NOW, PROJECT_ID

SOURCE = """
import datetime, time
starts = []

def initializer(context):
    starts.append(context.getFunctionName())

def handler(event, context):
    print("seen", event)
    began = datetime.datetime.now(datetime.timezone.utc)
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("fail") or event.get("trigger_name") == "failing":
        raise ValueError("as asked")
    return {
        "began": began.isoformat(), "time": time.time(), "starts": starts, "key": context.getSecurityAccessKey(),
        "left": context.getRemainingTimeInMilliSeconds(), "variable": context.getUserData("NAME"),
    }
"""


def zipped(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", source)
    return content.getvalue()


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(VirtualClock(NOW))
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-releases")
    cloud.iam.add_agency("ges-upgrader")
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


def deployed(cloud: Cloud, source: str = SOURCE, **settings: Any) -> Function:
    given = {"runtime": "Python3.10", "handler": "index.handler", "timeout": 60, "memory_size": 128}
    given |= {"initializer_handler": "index.initializer", "app_xrole": "ges-upgrader", "user_data": '{"NAME": "value"}'}
    function = Function("cn-north-4", PROJECT_ID, "default", "echo", {**given, **settings}, Code(zipped(source)), NOW)
    cloud.functions.functions[function.urn] = function
    return function


def timer(function: Function, schedule: str, name: str = "hourly", kind: str = "Rate") -> None:
    data = {"name": name, "schedule_type": kind, "schedule": schedule}
    function.triggers.append(Trigger("TIMER", data, NOW, fired_until=NOW))


def test_function_sees_the_clouds_time(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    result = server.platform.call(function.urn, {"sleep": 20})
    assert datetime.fromisoformat(result["began"]) == NOW
    assert datetime.fromtimestamp(result["time"], timezone.utc) == NOW + timedelta(seconds=20) == cloud.clock.now()
    assert (result["left"], result["variable"]) == (40_000, "value")
    assert result["key"] in cloud.iam.keys


def test_instance_is_kept_between_invocations(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    for _ in range(2):
        assert server.platform.call(function.urn, {})["starts"] == ["echo"]
    assert [run.log for run in server.platform.runs] == ["seen {}\n"] * 2


def test_failures_of_a_function_are_told_apart(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    for event, why in (({"fail": True}, "ValueError: as asked"), ({"sleep": 61}, "timeout of 60 s")):
        with pytest.raises(FunctionError, match=why):
            server.platform.call(function.urn, event)
    deployed(cloud, "def handler(event, context): return {}")
    with pytest.raises(FunctionError, match="initializer"):
        server.platform.call(function.urn, {})
    cloud.functions.functions[function.urn].code = Code()
    with pytest.raises(FunctionError, match="empty"):
        server.platform.call(function.urn, {})


def test_agency_of_another_party_gives_no_keys(cloud: Cloud, server: Server) -> None:
    cloud.iam.add_agency("other", trusts="op_svc_obs")
    function = deployed(cloud, app_xrole="other")
    assert server.platform.call(function.urn, {})["key"] == ""


def test_timers_fire_as_time_passes(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    timer(function, "1h")
    timer(function, "CRON_TZ=Asia/Shanghai 0 30 10 * * *", "daily", "Cron")
    server.platform.advance(NOW + timedelta(hours=3))
    assert [(run.event["trigger_name"], run.begin - NOW) for run in server.platform.runs] == [
        ("daily", timedelta(minutes=30)),
        *[("hourly", timedelta(hours=number)) for number in (1, 2, 3)],
    ]
    assert server.platform.runs[0].event["time"] == "2026-11-23T10:30:00+08:00"


def test_message_invokes_the_subscribed_function(cloud: Cloud, server: Server) -> None:
    function = deployed(cloud)
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-releases")
    topic.subscribe("functionstage", f"{function.urn}:latest")
    topic.subscribe("email", "a@example.com")
    topic.subscribe("email", "b@example.com").status = Status.CONFIRMED
    cloud.smn.send(topic, "GES 2.4.15", '{"version": "2.4.15"}')
    cloud.deliver()
    server.platform.settle()
    (run,) = server.platform.runs
    assert run.event["record"][0]["smn"]["message"] == '{"version": "2.4.15"}'
    assert [(one.endpoint, one.subject) for one in cloud.smn.outbox] == [("b@example.com", "GES 2.4.15")]


@pytest.mark.parametrize(("retries", "attempts"), [(None, 1), (0, 1), (2, 3)])
def test_failed_event_is_retried_as_configured(cloud: Cloud, server: Server, retries: int | None, attempts: int) -> None:
    function = deployed(cloud)
    alarms = cloud.project("cn-north-4", PROJECT_ID).topic("alarms")
    failure = {"destination": "SMN", "param": json.dumps({"topic_urn": alarms.urn})}
    if retries is not None:
        function.asynchronous = {
            "max_async_retry_attempts": retries,
            "max_async_event_age_in_seconds": 3600,
            "destination_config": {"on_failure": failure},
        }
    server.platform.accept(function.urn, {"fail": True})
    server.platform.advance(NOW + timedelta(minutes=10))
    assert [run.attempt for run in server.platform.runs] == list(range(1, attempts + 1))
    told = [json.loads(message.message or "")["request_context"] for message in alarms.messages]
    assert [one["approximate_invoke_count"] for one in told] == ([] if retries is None else [attempts])


def test_single_instance_takes_one_event_at_a_time() -> None:
    cloud = Cloud()
    cloud.project("cn-north-4", PROJECT_ID)
    function = deployed(cloud, app_xrole="")
    function.strategy["concurrency"] = 1
    with serve(cloud) as server:
        for _ in range(3):
            server.platform.accept(function.urn, {"sleep": 0.02})
        server.platform.settle()
        runs = sorted(server.platform.runs, key=lambda run: run.begin)
    assert [run.error for run in runs] == [""] * 3
    assert all(before.end is not None and before.end <= after.begin for before, after in itertools.pairwise(runs))


def test_server_ends_what_still_runs() -> None:
    cloud = Cloud()
    cloud.project("cn-north-4", PROJECT_ID)
    function = deployed(cloud, app_xrole="")
    with serve(cloud) as server:
        platform = server.platform
        platform.accept(function.urn, {"sleep": 50})
        while not platform.runs:
            pass
    platform.settle()
    assert [run.error != "" for run in platform.runs] == [True]


@pytest.mark.parametrize("rights", [("smn:topic:publish",), ("smn:topic:publish", "smn:topic:list")])
def test_destination_needs_the_agencys_rights(cloud: Cloud, server: Server, rights: tuple[str, ...]) -> None:
    function, alarms = deployed(cloud), cloud.project("cn-north-4", PROJECT_ID).topic("alarms")
    failure = {"destination": "SMN", "param": json.dumps({"topic_urn": alarms.urn})}
    function.asynchronous = {"max_async_retry_attempts": 0, "destination_config": {"on_failure": failure}}
    agency = cloud.iam.agency("ges-upgrader")
    assert agency is not None
    cloud.iam.allow(agency, *rights)
    cloud.iam.enforced = True
    server.platform.accept(function.urn, {"fail": True})
    server.platform.settle()
    assert len(alarms.messages) == len(rights) - 1


@pytest.mark.parametrize(
    ("schedule", "firings"),
    [
        ("CRON_TZ=UTC 0 0 3 * * ?", ["2026-11-23T03:00", "2026-11-24T03:00"]),
        ("0 0 3 * * *", ["2026-11-23T19:00", "2026-11-24T19:00"]),
        ("CRON_TZ=UTC 0 0/20 2 * * *", ["2026-11-23T02:20", "2026-11-23T02:40"]),
        ("CRON_TZ=UTC 0 0 2 ? * SAT,SUN", ["2026-11-28T02:00", "2026-11-29T02:00"]),
        ("CRON_TZ=UTC 0 0 2 1 JAN-FEB *", ["2027-01-01T02:00", "2027-02-01T02:00"]),
        ("CRON_TZ=UTC 0 0 2 30 * MON", ["2026-11-30T02:00", "2026-12-07T02:00"]),
        ("@every 1h30m", ["2026-11-23T03:30", "2026-11-23T05:00"]),
    ],
)
def test_cron_fires_when_it_says(schedule: str, firings: list[str]) -> None:
    timetable, at = Schedule.of({"schedule_type": "Cron", "schedule": schedule}), NOW
    for expected in firings:
        found = timetable.next(at)
        assert found is not None
        at = found
        assert at.strftime("%Y-%m-%dT%H:%M") == expected
