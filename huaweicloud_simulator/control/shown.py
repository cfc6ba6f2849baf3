"""What happened in a cloud, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..cloud import Cloud
from ..functiongraph.runtime.platform import Platform
from ..iam import permissions


def calls(cloud: Cloud, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The requests that reached the cloud, in order; `operation` is a glob."""
    wanted = query.get("operation", "*")
    return [
        {"operation": one.operation, "method": one.method, "path": one.path, "status": one.status, "at": one.at.isoformat()}
        for one in cloud.requests
        if fnmatchcase(one.operation, wanted)
    ]


def messages(cloud: Cloud) -> list[dict[str, Any]]:
    """What was published, by topic."""
    return [
        {
            "topic_urn": topic.urn,
            "subject": one.subject,
            "message": one.message,
            "structure": one.structure,
            "message_id": one.message_id,
            "at": one.at.isoformat(),
        }
        for project in cloud.projects.values()
        for topic in project.topics.values()
        for one in topic.messages
    ]


def outbox(cloud: Cloud) -> list[dict[str, Any]]:
    """What confirmed subscribers received by mail, SMS or HTTP."""
    return [
        {"protocol": one.protocol, "endpoint": one.endpoint, "subject": one.subject, "text": one.text, "at": one.at.isoformat()}
        for one in cloud.smn.outbox
    ]


def subscriptions(cloud: Cloud) -> list[dict[str, Any]]:
    return [
        {"urn": one.urn, "protocol": one.protocol, "endpoint": one.endpoint, "status": int(one.status)}
        for topic in cloud.smn.topics()
        for one in topic.subscriptions
    ]


def runs(platform: Platform) -> list[dict[str, Any]]:
    """Deliveries of events to functions."""
    return [
        {
            "function_urn": one.urn,
            "event": one.event,
            "begin": one.begin.isoformat(),
            "end": one.end and one.end.isoformat(),
            "attempt": one.attempt,
            "result": one.result,
            "error": one.error,
            "log": one.log,
        }
        for one in platform.runs
    ]


def graphs(cloud: Cloud) -> list[dict[str, Any]]:
    return [
        {"project_id": project.id, "id": one.id, "name": one.name, "version": one.version, "status": one.status}
        for project in cloud.projects.values()
        for one in project.graphs.values()
    ]


def rights(cloud: Cloud) -> dict[str, Any]:
    """What agencies were granted, what their calls needed, and which grants no call has needed."""
    names = [one.name for one in cloud.iam.agencies.values()]
    agencies = {
        name: {
            "granted": sorted(permissions.granted(cloud.iam, name)),
            "needed": sorted(cloud.iam.needed.get(name, ())),
            "unused": sorted(permissions.unused(cloud.iam, name)),
        }
        for name in names
    }
    return {"enforced": cloud.iam.enforced, "refuses_unknown": cloud.iam.refuses_unknown, "agencies": agencies}
