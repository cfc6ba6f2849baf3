"""FunctionGraph's context, as far as an image has it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import index
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.platform import Platform
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.running import invocation
from ges_upgrader.running.context import home_of
from tests.builders import PROJECT_ID, TOPIC


def context(**methods: Any) -> object:
    """A context with these methods, each returning its value."""

    def method(value: Any) -> Any:
        return lambda self, *_: value

    return type("Context", (), {name: method(value) for name, value in methods.items()})()


def test_without_a_context_nothing_is_known_and_nothing_breaks() -> None:
    platform = Platform(None)
    assert (platform.request_id, platform.project_id, platform.remaining(), platform.credentials()) == (None,) * 4


def test_a_context_that_raises_is_one_that_does_not_know() -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any) -> None:
                raise RuntimeError(name)

            return fail

    platform = Platform(Broken())
    assert (platform.request_id, platform.remaining(), platform.credentials()) == (None, None, None)


def test_the_agencys_temporary_keys_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "env")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "env")
    keys = {"getSecurityAccessKey": "ak", "getSecuritySecretKey": "sk", "getSecurityToken": "sts", "getToken": "token"}
    assert Platform(context(**keys)).credentials() == Credentials("ak", "sk", "sts")


def test_then_its_token_and_then_the_variables_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Platform(context(getToken="token", getSecurityAccessKey=None)).credentials() == Credentials(token="token")
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "ak")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "sk")
    assert Platform(context(getToken="")).credentials() == Credentials("ak", "sk")


def test_obs_takes_keys_of_the_agency_or_of_the_variables_and_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Platform(context(getToken="token")).keys() == Credentials()
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "ak")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "sk")
    assert Platform(context(getToken="token")).keys() == Credentials("ak", "sk")
    agency = {"getSecurityAccessKey": "a", "getSecuritySecretKey": "b", "getSecurityToken": "c"}
    assert Platform(context(**agency)).keys() == Credentials("a", "b", "c")


def test_blanks_around_keys_and_variables_are_no_part_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "ak\n")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", " sk")
    assert Platform(None).credentials() == Credentials("ak", "sk")
    assert Platform(context(getToken=" token\n")).token == "token"


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (1500, timedelta(seconds=1.5)),
        (0, timedelta()),
        (-5, timedelta()),
        (10**15, timedelta(days=3)),
        (2**63 - 1, timedelta(days=3)),
        (float("inf"), timedelta(days=3)),
    ],
)
def test_the_time_that_is_left_is_what_the_platform_can_mean(told: float, left: timedelta) -> None:
    assert Platform(context(getRemainingTimeInMilliSeconds=told)).remaining() == left
    whole = Platform(context(getRunningTimeInSeconds=10**12)).remaining()
    assert whole == timedelta(days=3)


def test_the_keys_that_are_no_longer_maintained_are_never_asked_for() -> None:
    class Old:
        def getAccessKey(self) -> str:
            raise AssertionError("never use")

        getSecretKey = getAccessKey

    assert Platform(Old()).credentials() is None


def test_variables_of_the_function_come_before_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "process")
    assert Platform(context(getUserData="function")).variable("REGION") == "function"
    assert Platform(context(getUserData=None)).variable("REGION") == "process"


def test_the_time_left_is_counted_or_else_the_configured_time() -> None:
    assert Platform(context(getRemainingTimeInMilliSeconds=1500)).remaining() == timedelta(seconds=1.5)
    assert Platform(context(getRunningTimeInSeconds=900)).remaining() == timedelta(minutes=15)


def test_an_endpoint_is_the_services_own_or_that_of_the_sdks_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Platform(None).endpoint("ges", "cn-north-4") == "https://ges.cn-north-4.myhuaweicloud.com"
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_GES_CN_NORTH_4", "http://127.0.0.1:8080")
    assert Platform(None).endpoint("ges", "cn-north-4") == "http://127.0.0.1:8080"


OWN = {"getProjectID": PROJECT_ID, "getPackage": "default", "getFunctionName": "ges-upgrader", "getVersion": "7"}


def test_the_functions_urn_is_put_together_from_the_context() -> None:
    urn = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader"
    assert Platform(context(**OWN)).function_urn("cn-north-4") == f"{urn}:7"
    without_version = {name: value for name, value in OWN.items() if name != "getVersion"}
    assert Platform(context(**without_version)).function_urn("cn-north-4") == f"{urn}:latest"


@pytest.mark.parametrize("missing", ["getProjectID", "getPackage", "getFunctionName"])
@pytest.mark.parametrize("value", [None, "", 5, "absent", "broken"])
def test_where_a_part_of_the_urn_is_not_known_there_is_none(missing: str, value: object) -> None:
    known = context(**{**OWN, missing: value})
    if value == "absent":
        known = context(**{name: value for name, value in OWN.items() if name != missing})
    if value == "broken":
        setattr(type(known), missing, lambda self: 1 / 0)
    assert Platform(known).function_urn("cn-north-4") is None


def test_the_policy_is_the_variable_or_the_file_that_is_named_or_the_one_beside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text("beside")
    (tmp_path / "named.yaml").write_text("named")
    assert Platform(None).policy_text(tmp_path) == "beside"
    monkeypatch.setenv("POLICY_FILE", str(tmp_path / "named.yaml"))
    assert Platform(None).policy_text(tmp_path) == "named"
    monkeypatch.setenv("POLICY", "variable")
    assert Platform(None).policy_text(tmp_path) == "variable"


OTHER_TOPIC = TOPIC.replace(PROJECT_ID, "f" * 32).replace("cn-north-4", "cn-east-3")


@pytest.mark.parametrize(
    ("policy", "event_region", "variable", "region"),
    [
        (f"notify: {TOPIC}", "cn-south-1", "cn-north-1", "cn-south-1"),
        (f"notify: {TOPIC}\nprojects: [{{region: cn-east-3, project_id: {PROJECT_ID}}}]", None, "cn-north-1", "cn-east-3"),
        (f"notify: {TOPIC}", None, "cn-north-1", "cn-north-4"),
        (f"notify: {OTHER_TOPIC}", None, "cn-north-1", "cn-north-1"),
        (f"notify: {OTHER_TOPIC}", None, None, "cn-east-3"),
    ],
    ids=["event", "projects", "topic", "variable-before-a-foreign-topic", "foreign-topic"],
)
def test_the_functions_own_region(
    monkeypatch: pytest.MonkeyPatch, policy: str, event_region: str | None, variable: str | None, region: str
) -> None:
    if variable:
        monkeypatch.setenv("REGION", variable)
    platform = Platform(context(getProjectID=PROJECT_ID))
    home = home_of(platform, parse_policy(f"{policy}\nrules: [{{}}]"), Command(Word.PLAN, region=event_region))
    assert (home.region, home.project_id) == (region, PROJECT_ID)


def test_a_run_without_credentials_is_refused_and_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICY", f"notify: {TOPIC}\nrules: [{{}}]")
    result = index.handler({"command": "reconcile"}, None)
    assert "no credentials" in result["errors"][0]
    assert (result["decisions"], result["notified"]) == ([], 0)


@pytest.mark.parametrize("event", [b"\xff\xfe", {"command": "explode"}, {"record": [5]}, {"a": "x" * 300_000}])
def test_an_event_that_is_refused_gives_a_result_and_no_exception(monkeypatch: pytest.MonkeyPatch, event: object) -> None:
    monkeypatch.setenv("POLICY", f"notify: {TOPIC}\nrules: [{{}}]")
    result = index.handler(event, None)
    assert "nothing was changed" in result["errors"][0] or "it changed nothing" in result["errors"][0]


def test_a_fault_of_ours_is_told_and_is_no_exception(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLICY", f"notify: {TOPIC}\nrules: [{{}}]")
    monkeypatch.setattr(invocation, "read_event", lambda *_: 1 / 0)
    result = index.handler({}, None)
    assert "a fault of the function itself: ZeroDivisionError" in result["errors"][0]
    assert "run.crashed" in capsys.readouterr().out
