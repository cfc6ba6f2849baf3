"""Topics on the wire: create, list, look at, configure and delete (deploy.md 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..gateway.routes import Call
from ..projects import Project
from ..wire import Refusal, Response
from .errors import invalid, must_find
from .models import State, Topic

_LIMITS = {"access_policy": 30 * 1024, "introduction": 120, "sms_sign_id": 64}  # bytes of an attribute's value
FindProject = Callable[[str], Project]


def create(find: FindProject, call: Call) -> Response:
    """201 for a new topic, 200 for one that is already there."""
    project, fields = find(call.values[0]), call.fields()
    name = fields.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}", name):
        raise invalid("name")
    is_new = not any(topic.name == name for topic in project.topics.values())
    topic = project.topic(name)
    if is_new:
        topic.created = call.request.at
        topic.display_name = str(fields.get("display_name") or "")
        topic.enterprise_project = str(fields.get("enterprise_project_id") or "0")
    return Response.of(201 if is_new else 200, {"request_id": call.request.id, "topic_urn": topic.urn})


def list_(find: FindProject, call: Call) -> Response:
    query = call.request.query
    topics = [topic for topic in find(call.values[0]).topics.values() if query.get("name", topic.name) == topic.name]
    if query.get("fuzzy_name"):
        topics = [topic for topic in topics if query["fuzzy_name"] in topic.name]
    shown = [_shown(topic) for topic in page(topics, call)]
    return Response.of(200, {"request_id": call.request.id, "topic_count": len(topics), "topics": shown})


def page(items: list[Any], call: Call) -> list[Any]:
    """`offset` is the number of the first item; at most 100 in a page."""
    query = call.request.query
    try:
        offset, limit = int(query.get("offset", "0")), min(int(query.get("limit", "100")), 100)
    except ValueError:
        raise invalid("offset or limit") from None
    return items[offset : offset + limit]


def show(state: State, call: Call) -> Response:
    topic = must_find(state, call.values[1])
    created = (topic.created or call.request.at).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = {"create_time": created, "update_time": created}
    return Response.of(200, {"request_id": call.request.id, **_shown(topic), **times})


def update(state: State, call: Call) -> Response:
    must_find(state, call.values[1]).display_name = str(call.fields().get("display_name") or "")
    return Response.of(200, {"request_id": call.request.id})


def delete(find: FindProject, state: State, call: Call) -> Response:
    topic = must_find(state, call.values[1])
    find(topic.project_id).topics.pop(topic.urn, None)
    return Response.of(200, {"request_id": call.request.id})


def list_attributes(state: State, call: Call) -> Response:
    topic, wanted = must_find(state, call.values[1]), call.request.query.get("name")
    shown = {name: value for name, value in topic.attributes.items() if wanted in (None, name)}
    return Response.of(200, {"request_id": call.request.id, "attributes": {"access_policy": "", "introduction": "", **shown}})


def set_attribute(state: State, call: Call) -> Response:
    """It replaces the whole attribute."""
    topic, name, value = must_find(state, call.values[1]), call.values[2], call.fields().get("value")
    if name not in _LIMITS or not isinstance(value, str) or len(value.encode()) > _LIMITS[name]:
        raise invalid("attribute")
    if name == "access_policy":
        _check_policy(value)
    topic.attributes[name] = value
    return Response.of(200, {"request_id": call.request.id})


def _check_policy(text: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise Refusal(400, "SMN.0010", "Access policy invalid.")


def delete_attribute(state: State, call: Call) -> Response:
    must_find(state, call.values[1]).attributes.pop(call.values[2], None)
    return Response.of(200, {"request_id": call.request.id})


def _shown(topic: Topic) -> dict[str, Any]:
    return {
        "topic_urn": topic.urn,
        "name": topic.name,
        "display_name": topic.display_name,
        "push_policy": 0,
        "enterprise_project_id": topic.enterprise_project,
        "topic_id": topic.name,
    }
