"""The data plane: what a graph's own engine answers at the graph's own address (ges.md 2.8, memory edition)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..wire import NoAnswer, Refusal, Request, Response, no_such_api
from .models import Graph

if TYPE_CHECKING:
    from ..cloud import Cloud


def answer(cloud: Cloud, request: Request, host: str, parts: list[str]) -> Callable[[], Response]:
    """`parts` are ges, v1.0, a project's id, graphs, a graph's name and what is asked for."""
    what = parts[5] if len(parts) == 6 else ""
    action = request.query.get("action_id") if what == "action" else None
    request.service, request.api = "engine", "v1.0"
    request.operation = f"engine.{action or what or 'unknown'}"

    def respond() -> Response:
        graph = next((graph for graph in _graphs(cloud, parts[2]) if host in ("", graph.private_ip)), None)
        if graph is None:
            raise NoAnswer("timeout")
        if request.headers.get("x-auth-token") not in cloud.tokens:
            raise Refusal(400, "GES.8007", "Invalid token.")
        if graph.name != parts[4]:
            raise Refusal(404, "GES.8000", "The graph does not exist.")
        if graph.sick or graph.status != "200":
            raise Refusal(500, "GES.8602", "The engine service is unavailable.")
        if request.method == "GET" and what == "version":
            return Response.of(200, {"version": graph.engine_version or graph.version})
        if request.method == "GET" and what == "summary":
            return Response.of(200, {"data": {"vertexNum": 146, "edgeNum": 1489, "labelDetails": {}}})
        if request.method == "POST" and action == "execute-cypher-query":
            return _cypher(graph, request)
        raise no_such_api()

    return respond


def _graphs(cloud: Cloud, project_id: str) -> list[Graph]:
    return [graph for project in cloud.projects.values() if project.id == project_id for graph in project.graphs.values()]


def _cypher(graph: Graph, request: Request) -> Response:
    """A statement that the graph was not taught an answer to lacks its index."""
    statements: list[dict[str, Any]] = (request.json or {}).get("statements") or []
    if len(statements) != 1 or statements[0].get("statement") not in graph.answers:
        errors = [{"code": "GES.8904", "message": "Label index is missing."}]
        return Response.of(400, {"results": [], "errors": errors})
    rows = graph.answers[statements[0]["statement"]]
    data = [{"row": row, "meta": [None] * len(row)} for row in rows]
    return Response.of(200, {"results": [{"columns": [], "data": data}], "errors": []})
