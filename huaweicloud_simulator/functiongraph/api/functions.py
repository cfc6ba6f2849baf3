"""Functions on the wire: create, list, configure, change the code, delete (deploy.md 1.1 and 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...gateway.routes import Call
from ...wire import Response
from ..errors import refusal
from ..models import Function
from ..state import State
from .checks import check_settings, code_of
from .shapes import code_shown, function_shown

# What PUT config replaces. Whether it also keeps what it is not given is unknown (deploy.md 1.1); here it does not.
_SETTINGS = (
    *("func_name", "runtime", "timeout", "handler", "memory_size", "user_data", "encrypted_user_data", "xrole", "app_xrole"),
    *("description", "initializer_handler", "initializer_timeout", "pre_stop_handler", "pre_stop_timeout", "func_vpc"),
    *("enterprise_project_id", "enable_lts_log", "log_config", "depend_version_list"),
)


def create(state: State, call: Call) -> Response:
    """Without content a zip is accepted: the function has empty code (deploy.md 1.2)."""
    body, project_id = call.fields(), call.values[0]
    check_settings(body)
    state.check_agency(body)
    region = state.region_of(project_id)
    code = code_of(body, state.buckets, region)
    package = str(body.get("package") or "default")
    function = Function(region, project_id, package, body["func_name"], _settings(body), code, state.clock.now())
    if function.urn in state.functions:
        raise refusal("FSS.1061")
    state.functions[function.urn] = function
    return _shown(state, function, 201)


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _SETTINGS if body.get(name) is not None}


def list_(state: State, call: Call) -> Response:
    query = call.request.query
    own = [one for one in state.functions.values() if one.project_id == call.values[0] and _is_wanted(one, query)]
    try:
        marker, most = int(query.get("marker") or 0), int(query.get("maxitems") or 400)
    except ValueError:
        raise refusal("FSS.0400") from None
    page = own[marker : marker + most]
    shown = [function_shown(one, state.iam.domain_id) for one in page]
    return Response.of(200, {"functions": shown, "next_marker": marker + len(page), "count": len(page)})


def _is_wanted(function: Function, query: Mapping[str, str]) -> bool:
    name, package = query.get("func_name", function.name), query.get("package_name", function.package)
    return (name, package) == (function.name, function.package)


def show(state: State, call: Call) -> Response:
    return _shown(state, state.find(*call.values[:2]))


def configure(state: State, call: Call) -> Response:
    function, body = state.find(*call.values[:2]), call.fields()
    check_settings(body)
    state.check_agency(body)
    if body["func_name"] != function.name or body["runtime"] != function.settings["runtime"]:
        raise refusal("FSS.0400", "func_name and runtime cannot be changed.")
    function.settings = _settings(body)
    if isinstance(body.get("strategy_config"), dict):
        function.strategy |= body["strategy_config"]
    function.modified = state.clock.now()
    return _shown(state, function)


def set_instances(state: State, call: Call) -> Response:
    function, most = state.find(*call.values[:2]), call.fields().get("max_instance_num")
    if not isinstance(most, int) or not -1 <= most <= 1000:
        raise refusal("FSS.0400", "max_instance_num must be from -1 to 1000.")
    function.strategy["concurrency"] = most
    return _shown(state, function)


def show_code(state: State, call: Call) -> Response:
    return Response.of(200, code_shown(state.find(*call.values[:2]), state.iam.domain_id))


def change_code(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    function.code = code_of(call.fields(), state.buckets, function.region)
    function.modified = state.clock.now()
    return Response.of(200, code_shown(function, state.iam.domain_id))


def delete(state: State, call: Call) -> Response:
    """The whole function by its URN without a version, or one version (deploy.md 1)."""
    function, version = state.find(*call.values[:2]), call.values[1].split(":")[7:]
    if version == ["latest"]:
        raise refusal("FSS.0400", "The version latest cannot be deleted.")
    if version:
        if function.versions.pop(version[0], None) is None:
            raise refusal("FSS.1052")
        return Response(204)
    for trigger in list(function.triggers):
        state.drop_trigger(function, trigger)
    del state.functions[function.urn]
    return Response(204)


def _shown(state: State, function: Function, status: int = 200) -> Response:
    return Response.of(status, function_shown(function, state.iam.domain_id))


def tag(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    function.tags |= {one["key"]: one.get("value", "") for one in call.fields().get("tags") or []}
    return Response(204)


def untag(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    for one in call.fields().get("tags") or []:
        function.tags.pop(one["key"], None)
    return Response(204)


def list_tags(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    return Response.of(200, {"tags": [{"key": key, "value": value} for key, value in function.tags.items()], "sys_tags": []})


def list_agencies(state: State, _: Call) -> Response:
    """The agencies that FunctionGraph may assume."""
    own = [one for one in state.iam.agencies.values() if state.trusted_agency(one.name)]
    return Response.of(200, {"agencies": [{"name": one.name, "expire_time": None} for one in own]})


def list_quotas(state: State, call: Call) -> Response:
    own = [one for one in state.functions.values() if one.project_id == call.values[0]]
    size = sum(len(one.code.content) for one in own) // 1024 // 1024
    resources = [
        {"type": "fgs_func_num", "used": len(own), "quota": 400, "unit": ""},
        {"type": "fgs_func_code_size", "used": size, "quota": 10240, "unit": "MB"},
    ]
    return Response.of(200, {"quotas": {"resources": resources}})
