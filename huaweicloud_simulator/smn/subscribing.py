"""Subscriptions on the wire (deploy.md 2). They are confirmed by people, never by an API of SMN."""

from __future__ import annotations

import re
from typing import Any

from ..gateway.routes import Call
from ..wire import Refusal, Response
from .errors import invalid, must_find
from .models import State, Subscription, Topic
from .topics import page

_ENDPOINTS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "sms": r"\+?[0-9]{5,20}",
    "http": r"http://.+",
    "https": r"https://.+",
    "functionstage": r"urn:fss:.+",
    "functiongraph": r".+",
    "callnotify": r".+",
    "wechat": r".+",
    "dingding": r".+",
    "feishu": r".+",
    "welink": r".+",
}
MAX_REMARK = 128  # bytes


def add(state: State, call: Call) -> Response:
    """One subscription, or up to 50. 201 for a new one, 200 for one that is already there."""
    topic, fields = must_find(state, call.values[1]), call.fields()
    if "subscriptions" in fields:
        return _add_many(topic, call, fields["subscriptions"])
    protocol, endpoint, remark = _checked(fields)
    is_new = topic.subscription(protocol, endpoint) is None
    found = topic.subscribe(protocol, endpoint, remark)
    return Response.of(201 if is_new else 200, {"request_id": call.request.id, "subscription_urn": found.urn})


def _add_many(topic: Topic, call: Call, wanted: Any) -> Response:
    if not isinstance(wanted, list) or not 0 < len(wanted) <= 50:
        raise invalid("subscriptions")
    found = [topic.subscribe(*_checked(one)) for one in wanted]
    results = [
        {"endpoint": one.endpoint, "subscription_urn": one.urn, "code": "201", "message": "", "protocol": one.protocol}
        for one in found
    ]
    return Response.of(201, {"request_id": call.request.id, "subscriptions_result": results})


def _checked(fields: dict[str, Any]) -> tuple[str, str, str]:
    """The protocol, the endpoint and the remark."""
    protocol, endpoint, remark = fields.get("protocol"), fields.get("endpoint"), fields.get("remark") or ""
    if protocol not in _ENDPOINTS:
        raise Refusal(400, "SMN.0011", "Protocol invalid.")
    if not isinstance(endpoint, str) or not re.fullmatch(_ENDPOINTS[protocol], endpoint):
        raise Refusal(400, "SMN.0012", "Endpoint invalid.")
    if not isinstance(remark, str) or len(remark.encode()) > MAX_REMARK:
        raise invalid("remark")
    return protocol, endpoint, remark


def list_of_topic(state: State, call: Call) -> Response:
    return _listed(must_find(state, call.values[1]).subscriptions, call)


def list_of_project(state: State, call: Call) -> Response:
    topics = (topic for topic in state.topics() if topic.project_id == call.values[0])
    return _listed([one for topic in topics for one in topic.subscriptions], call)


def cancel(state: State, call: Call) -> Response:
    """It leaves the list at once. Status 3 is for a receiver who cancelled by the link in a mail."""
    found = state.subscription(call.values[1])
    if found is None:
        raise Refusal(404, "SMN.0013", "Subscription not found.")
    topic = must_find(state, found.topic_urn)
    topic.subscriptions.remove(found)
    return Response.of(200, {"request_id": call.request.id})


def _listed(subscriptions: list[Subscription], call: Call) -> Response:
    shown = [_shown(one) for one in page(subscriptions, call)]
    content = {"request_id": call.request.id, "subscription_count": len(subscriptions), "subscriptions": shown}
    return Response.of(200, content)


def _shown(one: Subscription) -> dict[str, Any]:
    return {
        "topic_urn": one.topic_urn,
        "protocol": one.protocol,
        "subscription_urn": one.urn,
        "owner": one.topic_urn.split(":")[3],
        "endpoint": one.endpoint,
        "remark": one.remark,
        "status": int(one.status),
        "filter_polices": [],
    }
