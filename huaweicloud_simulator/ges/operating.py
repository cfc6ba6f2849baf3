"""Create, delete, start, stop and restart on the wire of v2 (ges.md 2.1 and 2.7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..projects import Project
from ..wire import Request, Response
from .errors import not_running, refusal
from .models import Graph
from .operations import KINDS, Operation
from .upgrades import order

Respond = Callable[[Project, Request, list[str]], Response]


def create_graph(project: Project, request: Request, _: list[str]) -> Response:
    """It shows 100 while it is made, and runs the newest version that GES knows."""
    body = request.json
    fields = body.get("graph") if isinstance(body, dict) else None
    if not isinstance(fields, dict):
        raise refusal("GES.7016")
    name = fields.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{3,49}", name):
        raise refusal("GES.0001")
    graph = project.graph(name, **_chosen(fields), version=max(project.ges.releases, key=order, default="2.4.4"))
    graph.operate("CreateGraph")
    return Response.of(200, {"id": graph.id, "name": graph.name})


def _chosen(fields: dict[str, Any]) -> dict[str, Any]:
    tags = {one["key"]: one.get("value", "") for one in fields.get("tags") or []}
    chosen = {name: fields[name] for name in ("product_type", "arch") if fields.get(name)}
    return {**chosen, "tags": tags}


def delete_graph(project: Project, _: Request, parts: list[str]) -> Response:
    """The graph is gone at once."""
    graph = _found(project, parts)
    job = {"job_id": f"ff8080{graph.id.replace('-', '')[6:]}"}
    project.delete(graph)
    return Response.of(200, job)


def operated(operation: Operation) -> Respond:
    def respond(project: Project, _: Request, parts: list[str]) -> Response:
        graph = _found(project, parts)
        if graph.status not in KINDS[operation].allowed_in:
            raise refusal("GES.7037") if operation == "StartGraph" else not_running(graph.status)
        return Response.of(200, {"job_id": graph.operate(operation).id})

    return respond


def _found(project: Project, parts: list[str]) -> Graph:
    graph = project.graphs.get(parts[3])
    if graph is None:
        raise refusal("GES.7000")
    return graph


OF_V2: dict[tuple[str, ...], tuple[str, Respond]] = {
    ("DELETE", "*"): ("delete_graph", delete_graph),
    ("POST", "*", "start"): ("start_graph", operated("StartGraph")),
    ("POST", "*", "stop"): ("stop_graph", operated("StopGraph")),
    ("POST", "*", "restart"): ("restart_graph", operated("RestartGraph")),
}
