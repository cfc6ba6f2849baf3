"""The API of LTS: groups, streams and keyword alarms; and the calls of CTS and CES. Codes of LTS are inferred."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from ..gateway.routes import Api, Call
from ..wire import Refusal, Response
from .state import Group, State

MAX_RULES, MAX_KEYWORDS = 200, 1024


def _create_group(state: State, call: Call) -> Response:
    name, days = call.fields().get("log_group_name"), call.fields().get("ttl_in_days")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,64}", name):
        raise Refusal(400, "LTS.0104", "Invalid log_group_name")
    if not isinstance(days, int) or not 1 <= days <= 365:
        raise Refusal(400, "LTS.0105", "Invalid ttl_in_days")
    if any(one.name == name for one in _groups(state, call)):
        raise Refusal(400, "LTS.0103", "The log group name already exists")
    group = Group(name, call.values[0], days, state.now())
    state.groups[group.id] = group
    return Response.of(201, {"log_group_id": group.id})


def _groups(state: State, call: Call) -> list[Group]:
    return [one for one in state.groups.values() if one.project_id == call.values[0]]


def _list_groups(state: State, call: Call) -> Response:
    return Response.of(200, {"log_groups": [_shown(one) for one in _groups(state, call)]})


def _shown(group: Group) -> dict[str, Any]:
    shown = {"log_group_id": group.id, "log_group_name": group.name, "creation_time": group.created}
    return {**shown, "ttl_in_days": group.days, "tag": {}}


def _group(state: State, call: Call) -> Group:
    group = state.groups.get(call.values[1])
    if group is None or group.project_id != call.values[0]:
        raise Refusal(404, "LTS.0201", "The log group is not existed")
    return group


def _update_group(state: State, call: Call) -> Response:
    group = _group(state, call)
    group.days = int(call.fields().get("ttl_in_days") or group.days)
    return Response.of(200, _shown(group))


def _delete_group(state: State, call: Call) -> Response:
    del state.groups[_group(state, call).id]
    return Response(204)


def _create_stream(state: State, call: Call) -> Response:
    group, name = _group(state, call), call.fields().get("log_stream_name")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,64}", name):
        raise Refusal(400, "LTS.0204", "Invalid log_stream_name")
    if name in group.streams.values():
        raise Refusal(400, "LTS.0205", "The log stream name already exists")
    stream = str(uuid4())
    group.streams[stream] = name
    return Response.of(201, {"log_stream_id": stream})


def _list_streams(state: State, call: Call) -> Response:
    group = _group(state, call)
    shown = [
        {"log_stream_id": id, "log_stream_name": name, "creation_time": group.created, "filter_count": 0, "tag": {}}
        for id, name in group.streams.items()
    ]
    return Response.of(200, {"log_streams": shown})


def _delete_stream(state: State, call: Call) -> Response:
    if _group(state, call).streams.pop(call.values[2], None) is None:
        raise Refusal(404, "LTS.0208", "The log stream is not existed")
    return Response(204)


def _create_alarm(state: State, call: Call) -> Response:
    fields = call.fields()
    _check_alarm(state, fields)
    if any(one["keywords_alarm_rule_name"] == fields["keywords_alarm_rule_name"] for one in state.alarms.values()):
        raise Refusal(400, "LTS.2004", "The alarm rule name already exists")
    if len(state.alarms) >= MAX_RULES:
        raise Refusal(400, "LTS.2005", "Too many alarm rules")
    rule = str(uuid4())
    state.alarms[rule] = {**fields, "keywords_alarm_rule_id": rule, "create_time": state.now(), "status": "RUNNING"}
    return Response.of(201, {"keywords_alarm_rule_id": rule})


def _check_alarm(state: State, fields: dict[str, Any]) -> None:
    name, requests = fields.get("keywords_alarm_rule_name"), fields.get("keywords_requests")
    if not isinstance(name, str) or not re.fullmatch(r"(?![-_.])[\w.-]{1,64}(?<![-_.])", name):
        raise Refusal(400, "LTS.2001", "Invalid keywords_alarm_rule_name")
    if not isinstance(requests, list) or not requests:
        raise Refusal(400, "LTS.2002", "Invalid keywords_requests")
    for one in requests:
        group = state.groups.get(one.get("log_group_id"))
        if group is None or one.get("log_stream_id") not in group.streams:
            raise Refusal(400, "LTS.0208", "The log group or stream is not existed")
        if not 0 < len(str(one.get("keywords"))) <= MAX_KEYWORDS or one.get("condition") not in (">=", "<=", "<", ">"):
            raise Refusal(400, "LTS.2002", "Invalid keywords_requests")


def _list_alarms(state: State, _: Call) -> Response:
    return Response.of(200, {"keywords_alarm_rules": list(state.alarms.values())})


def _update_alarm(state: State, call: Call) -> Response:
    fields = call.fields()
    rule = state.alarms.get(str(fields.get("keywords_alarm_rule_id")))
    if rule is None:
        raise Refusal(404, "LTS.2003", "The alarm rule is not existed")
    _check_alarm(state, {**rule, **fields})
    rule |= fields
    return Response.of(200, rule)


def _delete_alarm(state: State, call: Call) -> Response:
    if state.alarms.pop(call.values[1], None) is None:
        raise Refusal(404, "LTS.2003", "The alarm rule is not existed")
    return Response(204)


_ALARMS = "v2/*/lts/alarms/keywords-alarm-rule"
API: Api[State] = Api(
    {
        "POST v2/*/groups": ("create_group", _create_group),
        "GET v2/*/groups": ("list_groups", _list_groups),
        "POST v2/*/groups/*": ("update_group", _update_group),
        "DELETE v2/*/groups/*": ("delete_group", _delete_group),
        "POST v2/*/groups/*/streams": ("create_stream", _create_stream),
        "GET v2/*/groups/*/streams": ("list_streams", _list_streams),
        "DELETE v2/*/groups/*/streams/*": ("delete_stream", _delete_stream),
        f"POST {_ALARMS}": ("create_alarm", _create_alarm),
        f"GET {_ALARMS}": ("list_alarms", _list_alarms),
        f"PUT {_ALARMS}": ("update_alarm", _update_alarm),
        f"DELETE {_ALARMS}/*": ("delete_alarm", _delete_alarm),
    }
)


def _operations(_: State, call: Call) -> Response:
    graph = ["createGraph", "deleteGraph", "startGraph", "stopGraph", "restartGraph", "upgradeGraph", "rollback"]
    known = [{"service_type": "GES", "resource_type": "graph", "operation_list": graph}]
    wanted = call.request.query.get("service_type", "GES")
    return Response.of(200, {"operations": [one for one in known if one["service_type"] == wanted]})


def _traces(*_: object) -> Response:
    return Response.of(200, {"traces": [], "meta_data": {"count": 0, "marker": ""}})


CTS: Api[State] = Api(
    {
        "GET v3/*/operations": ("list_operations", _operations),
        "GET v3/*/traces": (
            "list_traces",
            lambda *_: Response.of(200, {"traces": [], "meta_data": {"count": 0, "marker": ""}}),
        ),
    }
)


def _metrics(state: State, call: Call) -> Response:
    body = call.request.json
    if not isinstance(body, list) or not all(isinstance(one, dict) and "metric" in one for one in body):
        raise Refusal(400, "ces.0014", "The content must be a list of metrics")
    state.metrics += body
    return Response.of(201, {})


CES: Api[State] = Api({"POST V1.0/*/metric-data": ("create_metric_data", _metrics)})
