"""FunctionGraph in the eyes of the official SDK: functions, code, triggers and asynchronous configuration (deploy.md 1)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkfunctiongraph import v2 as fg

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID

URN = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader"
TOPIC = f"urn:smn:cn-north-4:{PROJECT_ID}:ges-releases"
CODE = b"PK of a zip"


@pytest.fixture
def client(cloud: Cloud, server: Server, credentials: BasicCredentials) -> Any:
    cloud.iam.add_agency("ges-upgrader")
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-releases")
    return fg.FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def body(**changes: Any) -> dict[str, Any]:
    given = {"func_name": "ges-upgrader", "package": "default", "runtime": "Python3.10", "timeout": 900}
    given |= {"handler": "index.handler", "memory_size": 256, "code_type": "zip", "code_filename": "function.zip"}
    given |= {"app_xrole": "ges-upgrader", "func_code": {"file": base64.b64encode(CODE).decode()}, "user_data": "{}"}
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def create(client: Any, **changes: Any) -> Any:
    return client.create_function(fg.CreateFunctionRequest(body=fg.CreateFunctionRequestBody(**body(**changes))))


def configure(client: Any, **fields: Any) -> Any:
    request = fg.UpdateFunctionConfigRequestBody(**fields)
    return client.update_function_config(fg.UpdateFunctionConfigRequest(function_urn=URN, body=request))


def trigger(client: Any, kind: str, **data: Any) -> Any:
    request = fg.CreateFunctionTriggerRequestBody(trigger_type_code=kind, trigger_status="ACTIVE", event_data=data)
    return client.create_function_trigger(fg.CreateFunctionTriggerRequest(function_urn=URN, body=request))


def timer(client: Any, schedule: str = "1h", kind: str = "Rate", name: str = "hourly") -> Any:
    return trigger(client, "TIMER", name=name, schedule_type=kind, schedule=schedule, sync_execution=False)


def refused(act: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ClientRequestException) as caught:
        act()
    return caught.value.status_code, caught.value.error_code


def test_created_function_shows_its_code(client: Any) -> None:
    made = create(client)
    assert made.func_urn == f"{URN}:latest"
    found = client.show_function_config(fg.ShowFunctionConfigRequest(function_urn="ges-upgrader"))
    assert (found.digest, found.code_size) == (hashlib.sha512(CODE).hexdigest(), len(CODE))
    assert (found.app_xrole, found.timeout, found.runtime) == ("ges-upgrader", 900, "Python3.10")
    listed = client.list_functions(fg.ListFunctionsRequest(func_name="ges-upgrader")).functions
    assert [one.func_urn for one in listed] == [f"{URN}:latest"]


def test_zip_without_content_is_accepted_empty(client: Any) -> None:
    assert create(client, func_code=None).code_size == 0


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"func_name": "9lives"}, 400, "FSS.1002"),
        ({"func_name": "ends-"}, 400, "FSS.1002"),
        ({"handler": "handler"}, 400, "FSS.1003"),
        ({"runtime": "Cobol85"}, 400, "FSS.1005"),
        ({"memory_size": 200}, 400, "FSS.1007"),
        ({"timeout": 2}, 400, "FSS.1008"),
        ({"user_data": "no json"}, 400, "FSS.1009"),
        ({"user_data": '{"9": "x"}'}, 400, "FSS.1009"),
        ({"user_data": json.dumps({f"V{number}": "x" for number in range(21)})}, 400, "FSS.1017"),
        ({"user_data": json.dumps({"POLICY": "x" * 4100})}, 400, "FSS.1018"),
        ({"description": "x" * 513}, 400, "FSS.1019"),
        ({"code_filename": "dist/function.zip"}, 400, "FSS.1078"),
        ({"initializer_handler": "initializer"}, 400, "FSS.1404"),
        ({"initializer_handler": "index.initializer", "initializer_timeout": 301}, 400, "FSS.1405"),
        ({"app_xrole": "nobody"}, 403, "FSS.1122"),
        ({"code_type": "obs", "code_url": "https://b.obs.cn-north-4.myhuaweicloud.com/no.zip"}, 404, "FSS.1054"),
    ],
)
def test_wrong_function_is_refused(client: Any, changes: dict[str, Any], status: int, code: str) -> None:
    assert refused(lambda: create(client, **changes)) == (status, code)


def test_code_in_another_region_is_refused(cloud: Cloud, client: Any) -> None:
    from huaweicloud_simulator.obs.models import Object

    cloud.bucket("far", "cn-east-3").objects["k.zip"] = Object(CODE, appendable=False)
    url = "https://far.obs.cn-east-3.myhuaweicloud.com/k.zip"
    assert refused(lambda: create(client, code_type="obs", code_url=url)) == (406, "FSS.1151")


def test_second_function_of_a_name_is_refused(client: Any) -> None:
    create(client)
    assert refused(lambda: create(client)) == (409, "FSS.1061")


def test_configuration_needs_all_required_fields(client: Any) -> None:
    create(client)
    assert refused(lambda: configure(client, func_name="ges-upgrader", timeout=60)) == (400, "FSS.0400")
    whole = {"func_name": "ges-upgrader", "runtime": "Python3.10", "handler": "index.handler", "memory_size": 512}
    changed = configure(client, **whole, timeout=60, strategy_config={"concurrency": 1, "concurrent_num": 1})
    assert (changed.timeout, changed.memory_size, changed.strategy_config.concurrency) == (60, 512, 1)
    assert changed.app_xrole is None, "what is not given is not kept"


def test_changed_code_has_another_digest(client: Any) -> None:
    create(client)
    file = base64.b64encode(b"other").decode()
    request = fg.UpdateFunctionCodeRequestBody(code_type="zip", code_filename="f.zip", func_code={"file": file})
    client.update_function_code(fg.UpdateFunctionCodeRequest(function_urn=URN, body=request))
    shown = client.show_function_code(fg.ShowFunctionCodeRequest(function_urn=URN))
    assert (shown.code_size, shown.digest) == (5, hashlib.sha512(b"other").hexdigest())


def test_function_is_deleted_without_version(client: Any) -> None:
    create(client)
    delete = fg.DeleteFunctionRequest
    assert refused(lambda: client.delete_function(delete(function_urn=f"{URN}:latest"))) == (400, "FSS.0400")
    client.delete_function(delete(function_urn=URN))
    assert refused(lambda: client.show_function_config(fg.ShowFunctionConfigRequest(function_urn=URN))) == (404, "FSS.1051")


def test_timer_is_listed_disabled_and_deleted(client: Any) -> None:
    create(client)
    made = timer(client)
    update = fg.UpdateTriggerRequestBody(trigger_status="DISABLED")
    where = {"function_urn": URN, "trigger_type_code": "TIMER", "trigger_id": made.trigger_id}
    client.update_trigger(fg.UpdateTriggerRequest(**where, body=update))
    (listed,) = client.list_function_triggers(fg.ListFunctionTriggersRequest(function_urn=URN)).body
    assert (listed.trigger_status, listed.event_data.schedule) == ("DISABLED", "1h")
    assert refused(lambda: timer(client)) == (409, "FSS.1148")
    client.delete_function_trigger(fg.DeleteFunctionTriggerRequest(**where))
    assert not client.list_function_triggers(fg.ListFunctionTriggersRequest(function_urn=URN)).body
    assert refused(lambda: client.delete_function_trigger(fg.DeleteFunctionTriggerRequest(**where))) == (404, "FSS.1131")


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [
        *[("Rate", one) for one in ("61m", "0m", "25h", "31d", "1w", "hourly")],
        *[("Cron", one) for one in ("0 0 * * *", "0 0 25 * * *", "CRON_TZ=Mars/Dome 0 0 2 * * *", "@every", "0 0 0 ? * * *")],
        ("Sometimes", "1h"),
    ],
)
def test_wrong_schedule_is_refused(client: Any, kind: str, schedule: str) -> None:
    create(client)
    assert refused(lambda: timer(client, schedule, kind)) == (400, "FSS.1109")


def test_smn_trigger_subscribes_the_function(cloud: Cloud, client: Any) -> None:
    create(client)
    made = trigger(client, "SMN", topic_urn=TOPIC)
    topic = cloud.topic(TOPIC)
    assert topic is not None
    assert [(one.protocol, one.endpoint, int(one.status)) for one in topic.subscriptions] == [
        ("functionstage", f"{URN}:latest", 1)
    ]
    assert refused(lambda: trigger(client, "SMN", topic_urn=TOPIC)) == (409, "FSS.1141")
    assert refused(lambda: trigger(client, "SMN", topic_urn=f"{TOPIC}-2")) == (404, "FSS.1171")
    where = {"function_urn": URN, "trigger_type_code": "SMN", "trigger_id": made.trigger_id}
    client.delete_function_trigger(fg.DeleteFunctionTriggerRequest(**where))
    assert topic.subscriptions == []


def test_async_configuration_is_absent_until_set(client: Any) -> None:
    create(client)
    show = fg.ShowFunctionAsyncInvokeConfigRequest(function_urn=URN)
    assert refused(lambda: client.show_function_async_invoke_config(show)) == (404, "FSS.0404")
    failure = {"destination": "SMN", "param": json.dumps({"topic_urn": TOPIC})}
    request = fg.UpdateFunctionAsyncInvokeConfigRequestBody(
        max_async_event_age_in_seconds=3600, max_async_retry_attempts=2, destination_config={"on_failure": failure}
    )
    client.update_function_async_invoke_config(fg.UpdateFunctionAsyncInvokeConfigRequest(function_urn=URN, body=request))
    found = client.show_function_async_invoke_config(show)
    assert (found.max_async_retry_attempts, found.destination_config.on_failure.destination) == (2, "SMN")
