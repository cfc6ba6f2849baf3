"""What the control API changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .. import faults
from ..clock import VirtualClock
from ..cloud import Cloud
from ..functiongraph.runtime.platform import Platform
from ..ges.models import Graph
from ..projects import Project
from ..smn.models import Status

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FAULTS = {
    "throttle": faults.throttle,
    "server_error": faults.server_error,
    "error": faults.error,
    "html": faults.html,
    "gateway_timeout": faults.gateway_timeout,
    "malformed": faults.malformed,
    "lost_answer": faults.lost_answer,
    "drop_connection": faults.drop_connection,
    "read_timeout": faults.read_timeout,
}
_OPERATIONS: dict[str, Any] = {"start": "StartGraph", "stop": "StopGraph", "restart": "RestartGraph"}


def set_clock(cloud: Cloud, platform: Platform, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`advance` is a length such as `90s`, `1h` or `7d`; `set` is a time with a zone. Due timers fire on the way."""
    if not isinstance(cloud.clock, VirtualClock):
        raise ValueError("the clock is the machine's; start the simulator with --virtual-clock")
    until = cloud.clock.now() + _length(str(fields["advance"])) if "advance" in fields else _moment(str(fields.get("set")))
    return {"now": platform.advance(until).isoformat()}


def _length(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([smhd]?)", text)
    if found is None:
        raise ValueError(f"{text!r} is no length such as 90s, 1h or 7d")
    return timedelta(**{_UNITS[found[2] or "s"]: int(found[1])})


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def add_fault(cloud: Cloud, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`operation` is a glob such as `ges.*`, `arguments` those of the fault, `times` null for always."""
    name = fields.get("fault")
    if name not in _FAULTS:
        raise ValueError(f"fault is one of {', '.join(_FAULTS)}")
    try:
        fault = _FAULTS[name](**fields.get("arguments", {}))  # type: ignore[operator]
    except TypeError as error:
        raise ValueError(str(error)) from None
    cloud.fault(str(fields.get("operation", "*")), fault, times=fields.get("times", 1), after=int(fields.get("after", 0)))
    return {}


def confirm(cloud: Cloud, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Clicks the link in the mail of each subscription of an endpoint. `status` 3 is the one that unsubscribes."""
    found = [one for topic in cloud.smn.topics() for one in topic.subscriptions if one.endpoint == fields.get("endpoint")]
    if not found:
        raise LookupError(f"nobody subscribed {fields.get('endpoint')}")
    for one in found:
        one.status = Status(fields.get("status", 1))
    return {"confirmed": [one.urn for one in found]}


def publish(cloud: Cloud, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """As a person on the console does. `name` is a topic's name or URN."""
    topic = next((one for one in cloud.smn.topics() if name in (one.name, one.urn)), None)
    if topic is None:
        raise LookupError(f"there is no topic {name}")
    sent = cloud.smn.send(topic, str(fields.get("subject", "")), str(fields.get("message", "")))
    cloud.deliver()
    return {"message_id": sent.message_id}


def operate(cloud: Cloud, name: str, action: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What operators do with a graph on the console, by its name or id; or how its next upgrade ends."""
    project, graph = _found(cloud, name)
    if action == "delete":
        project.delete(graph)
    else:
        _act(graph, action, fields)
    return {"name": graph.name, "status": graph.status, "version": graph.version}


def _found(cloud: Cloud, name: str) -> tuple[Project, Graph]:
    for project in cloud.projects.values():
        for graph in project.graphs.values():
            if name in (graph.name, graph.id):
                return project, graph
    raise LookupError(f"there is no graph {name}")


def _act(graph: Graph, action: str, fields: Mapping[str, Any]) -> None:
    if action == "rollback":
        graph.roll_back()
    elif action == "next_upgrade":
        graph.next_upgrade(fields.get("outcome", "failed"), fail_reason=fields.get("fail_reason"))
    elif action == "change":
        graph.status = str(fields.get("status", graph.status))
        graph.version = str(fields.get("version", graph.version))
    elif action in _OPERATIONS:
        graph.operate(_OPERATIONS[action])
    else:
        raise ValueError(f"action is one of delete, rollback, next_upgrade, change, {', '.join(_OPERATIONS)}")


def set_rights(cloud: Cloud, fields: Mapping[str, Any]) -> dict[str, Any]:
    cloud.iam.enforced = bool(fields.get("enforced", cloud.iam.enforced))
    cloud.iam.refuses_unknown = bool(fields.get("refuses_unknown", cloud.iam.refuses_unknown))
    if "grant_delay" in fields:
        cloud.iam.grant_delay = _length(str(fields["grant_delay"]))
    return {}
