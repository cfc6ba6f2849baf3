"""The real zip on `ges-upgrader simulator --virtual-clock`: deployed by the official SDKs, and left to its own triggers."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkfunctiongraph import v2 as fg
from huaweicloudsdkiam import v3 as iam
from huaweicloudsdksmn import v2 as smn
from obs import ObsClient

from ges_upgrader_cli.packaged.zip import TARGET

ROOT = Path(__file__).parents[2]
FLEET = "graphs:\n  - {name: demo_movies, version: 2.4.9}\nversions: [2.4.15]\n"
ANNOUNCED = '{"schema": "ges.release/1", "version": "2.4.15"}'


class Account:
    """A person's way into the served cloud: the SDKs' clients, and the control API."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.url, self.project_id = variables["HUAWEICLOUD_SDK_IAM_ENDPOINT"], variables["HUAWEICLOUD_SDK_PROJECT_ID"]
        self.keys = variables["HUAWEICLOUD_SDK_AK"], variables["HUAWEICLOUD_SDK_SK"]

    def client(self, kind: Any) -> Any:
        credentials = BasicCredentials(*self.keys, self.project_id)
        return kind.new_builder().with_credentials(credentials).with_endpoint(self.url).build()

    def control(self, path: str, content: Any = None) -> Any:
        method = "GET" if content is None else "POST"
        answer = requests.request(method, f"{self.url}/_control/{path}", json=content, timeout=120)
        assert answer.ok, answer.text
        return answer.json()

    def create_agency(self) -> None:
        builder = iam.IamClient.new_builder().with_credentials(GlobalCredentials(*self.keys, "d" * 32))
        agency = iam.CreateAgencyOption(name="ges-upgrader", domain_id="d" * 32, trust_domain_name="op_svc_cff")
        body = iam.CreateAgencyRequestBody(agency=agency)
        builder.with_endpoint(self.url).build().create_agency(iam.CreateAgencyRequest(body=body))

    def create_topics(self) -> dict[str, str]:
        """Their URNs. An operator has confirmed the mail of results."""
        client = self.client(smn.SmnClient)
        made = {
            name: client.create_topic(smn.CreateTopicRequest(body=smn.CreateTopicRequestBody(name=name))).topic_urn
            for name in ("ges-upgrades", "ges-releases")
        }
        body = smn.AddSubscriptionRequestBody(protocol="email", endpoint="ops@example.com")
        client.add_subscription(smn.AddSubscriptionRequest(topic_urn=made["ges-upgrades"], body=body))
        self.control("subscriptions", {"endpoint": "ops@example.com"})
        return made

    def create_function(self, policy: str, topic: str) -> None:
        client = self.client(fg.FunctionGraphClient)
        code = {"code_type": "zip", "code_filename": "function.zip", "app_xrole": "ges-upgrader"}
        settings = {"runtime": "Python3.10", "handler": "index.handler", "timeout": 900, "memory_size": 256, **code}
        settings |= {"initializer_handler": "index.initializer", "func_name": "ges-upgrader", "package": "default"}
        settings["func_code"] = {"file": base64.b64encode(TARGET.read_bytes()).decode()}
        settings["user_data"] = json.dumps({"POLICY": policy, "REGION": "cn-north-4"})
        request = fg.CreateFunctionRequest(body=fg.CreateFunctionRequestBody(**settings))
        urn = client.create_function(request).func_urn
        hourly = {"name": "hourly", "schedule_type": "Cron", "schedule": "CRON_TZ=Asia/Shanghai 0 0 * * * *"}
        for kind, data in (("TIMER", hourly), ("SMN", {"topic_urn": topic})):
            trigger = fg.CreateFunctionTriggerRequestBody(trigger_type_code=kind, trigger_status="ACTIVE", event_data=data)
            client.create_function_trigger(fg.CreateFunctionTriggerRequest(function_urn=urn, body=trigger))

    def invoke(self, event: Any) -> Any:
        urn = f"urn:fss:cn-north-4:{self.project_id}:function:default:ges-upgrader:latest"
        request = fg.InvokeFunctionRequest(function_urn=urn, body=event, x_cff_request_version="v1")
        return json.loads(self.client(fg.FunctionGraphClient).invoke_function(request).result)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The SDK writes into the home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "fleet.yaml").write_text(FLEET)
    command = [sys.executable, "-m", "ges_upgrader_cli", "simulator", "--port", "0", "--virtual-clock"]
    command += ["--fleet", str(tmp_path / "fleet.yaml")]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'function'}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, "the server ended"
            printed += line
        yield Account(dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE)))
        process.terminate()


def test_deployed_function_upgrades_in_its_window(account: Account) -> None:
    """And its doctor finds nothing wrong, two virtual days later."""
    obs = ObsClient(access_key_id=account.keys[0], secret_access_key=account.keys[1], server=account.url)
    assert obs.createBucket("my-state", location="cn-north-4").status == 200
    account.create_agency()
    topics = account.create_topics()
    policy = f"notify: {topics['ges-upgrades']}\nstate: obs://my-state/ges\nrules: [{{windows: ['* 20:00-22:00 UTC']}}]"
    account.create_function(policy, topics["ges-releases"])
    account.control("topics/ges-releases/publish", {"subject": "GES 2.4.15", "message": ANNOUNCED})
    account.control("clock", {"advance": "2d"})
    (graph,) = account.control("graphs")
    assert (graph["version"], graph["status"]) == ("2.4.15", "200")
    runs = account.control("runs")
    assert (len(runs) >= 49, {run["error"] for run in runs}) == (True, {""}), "one message, 48 timers"
    assert "GES succeeded: demo_movies 2.4.9 to 2.4.15" in [mail["subject"] for mail in account.control("outbox")]
    assert [one.key for one in obs.listObjects("my-state").body.contents] == ["ges/journal-1.jsonl"]
    found = account.invoke({"command": "doctor"})["doctor"]
    assert [(one["name"], one["detail"]) for one in found if one["result"] not in ("ok", "not-proved")] == []
    assert "journal append" in {one["name"] for one in found if one["result"] == "ok"}
