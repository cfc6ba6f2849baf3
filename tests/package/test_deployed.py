"""The real zip as a deployed function: its own triggers wake it, and its agency's rights limit it, for virtual days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ges_upgrader_cli.deploying.rights import policy
from ges_upgrader_cli.packaged.zip import TARGET
from huaweicloud_simulator import Cloud, VirtualClock, serve
from huaweicloud_simulator.functiongraph.models import Code, Function, Trigger
from huaweicloud_simulator.iam import permissions
from huaweicloud_simulator.iam.models import Role
from huaweicloud_simulator.server import Server
from huaweicloud_simulator.smn.models import Status
from tests.builders import NOW, PROJECT_ID, RELEASES_TOPIC, TOPIC

POLICY = f"notify: {TOPIC}\nstate: obs://state/ges\nrules: [{{windows: ['* 20:00-22:00 UTC']}}]"


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(VirtualClock(NOW))
    cloud.release("2.4.15")
    cloud.bucket("state")
    project = cloud.project("cn-north-4", PROJECT_ID)
    project.graph("demo", version="2.4.9")
    project.topic("ges-upgrades").subscribe("email", "ops@example.com").status = Status.CONFIRMED
    agency = cloud.iam.add_agency("ges-upgrader")
    project_rights = Role("project", "XA", policy("project", function_name="ges-upgrader"), domain_id="d")
    obs_rights = Role("obs", "AX", policy("obs", bucket="state", prefix="ges"), domain_id="d")
    cloud.iam.grant(agency, project_rights, "project", PROJECT_ID)
    cloud.iam.grant(agency, obs_rights, "all", "")
    cloud.iam.enforced = True
    deploy(cloud)
    return cloud


def deploy(cloud: Cloud) -> None:
    """What `create function` and two triggers do; the APIs have tests of their own."""
    settings = {"runtime": "Python3.10", "handler": "index.handler", "timeout": 900, "memory_size": 256}
    settings |= {"app_xrole": "ges-upgrader", "initializer_handler": "index.initializer"}
    settings["user_data"] = json.dumps({"POLICY": POLICY, "REGION": "cn-north-4"})
    function = Function("cn-north-4", PROJECT_ID, "default", "ges-upgrader", settings, Code(TARGET.read_bytes()), NOW)
    cloud.functions.functions[function.urn] = function
    data = {"name": "hourly", "schedule_type": "Rate", "schedule": "1h"}
    function.triggers.append(Trigger("TIMER", data, NOW, fired_until=NOW))
    topic = cloud.project("cn-north-4", PROJECT_ID).topic(RELEASES_TOPIC.rpartition(":")[2])
    topic.subscribe("functionstage", f"{function.urn}:latest")


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


def test_release_is_installed_in_the_next_window(cloud: Cloud, server: Server) -> None:
    topic, graph = cloud.topic(RELEASES_TOPIC), next(iter(cloud.projects[PROJECT_ID].graphs.values()))
    assert topic is not None
    cloud.smn.send(topic, "GES 2.4.15", '{"schema": "ges.release/1", "version": "2.4.15"}')
    cloud.deliver()
    server.platform.advance(NOW + timedelta(hours=17))
    assert (graph.version, cloud.upgrades) == ("2.4.9", [])
    server.platform.advance(NOW + timedelta(hours=19))
    assert [upgrade.at - NOW for upgrade in cloud.upgrades] >= [timedelta(hours=18)]
    assert graph.version == "2.4.15"
    assert [run.error for run in server.platform.runs] == [""] * len(server.platform.runs)
    mails = [one.text for one in cloud.smn.outbox]
    assert any("2.4.15" in text and "demo" in text for text in mails)
    backups = {"ges:backup:list", "ges:backup:create", "ges:backup:delete"}
    not_in_this_story = {
        "ges:graph:getDetail",
        "ges:jobs:list",
        "functiongraph:function:invokeAsync",
        "obs:object:DeleteObject",
    }
    platform = {"smn:topic:list"}
    assert permissions.unused(cloud.iam, "ges-upgrader") <= {*backups, *not_in_this_story, *platform}


@pytest.mark.parametrize(("name", "expected"), [("ges-upgrader", True), ("another", False)])
def test_function_may_invoke_only_itself(cloud: Cloud, name: str, expected: bool) -> None:
    agency = cloud.iam.agency("ges-upgrader")
    assert agency is not None
    access = permissions.Access("functiongraph.invoke_async", PROJECT_ID, f"function:default/{name}")
    session = cloud.iam.sessions[cloud.iam.credentials_for(agency).access]
    assert permissions.allowed(cloud.iam, session, "functiongraph:function:invokeAsync", access) == expected
