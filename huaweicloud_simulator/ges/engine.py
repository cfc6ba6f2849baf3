"""The data plane: what a graph's own engine answers at the graph's own address (ges.md 2.8, memory edition)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from ..clock import Clock
from ..gateway.addresses import Target
from ..projects import Project
from ..wire import Answer, NoAnswer, Refusal, Request, Response
from .models import Graph


def route(
    projects: Mapping[str, Project], tokens: set[str], clock: Clock, request: Request, target: Target
) -> tuple[str, Answer]:
    """The parts of the path are ges, v1.0, a project's id, graphs, a graph's name and the subject."""
    parts = target.parts
    subject = "/".join(parts[5:])
    action = request.query.get("action_id") if subject == "action" else None

    def answer() -> Response:
        addressed = _listening(projects, request)
        if request.headers.get("x-auth-token") not in tokens:
            raise Refusal(400, "GES.8007", "Invalid token.")
        project = _project(projects, parts[2], addressed)
        request.region = project.region
        graph = _named(parts[4], project.graphs.values() if addressed is None else [addressed])
        if not graph.engine_is_ready:
            raise Refusal(500, "GES.8602", "Engine service unavailable.")
        if action and graph.version in graph.query_times:
            clock.sleep(graph.query_times[graph.version].total_seconds())
        return _SUBJECTS.get((request.method, action or subject), _unknown)(graph, request)

    return action or subject or "unknown", answer


def _project(projects: Mapping[str, Project], project_id: str, addressed: Graph | None) -> Project:
    """The project of that id, which is that of the graph at the address."""
    project = projects.get(project_id)
    if project is None or (addressed is not None and addressed.project_id != project.id):
        raise Refusal(400, "GES.8006", "Invalid resource access.")
    return project


def _listening(projects: Mapping[str, Project], request: Request) -> Graph | None:
    """The graph at the address, which listens on one scheme only.

    None if the host serves every graph: a host name, or loopback. Then the graph's name in the path decides.
    """
    host, _, port = request.headers.get("host", "").partition(":")
    if _serves_all(host):
        return None
    graph = _at_address(projects, host)
    scheme, own_port = ("https", "443") if graph.https else ("http", "80")
    if request.scheme != scheme or port not in ("", own_port):
        raise NoAnswer("refuse")
    return graph


def _at_address(projects: Mapping[str, Project], address: str) -> Graph:
    for graph in (graph for project in projects.values() for graph in project.graphs.values()):
        if address in graph.addresses:
            return graph
    raise NoAnswer("timeout")


def _serves_all(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return True


def _named(name: str, graphs: Iterable[Graph]) -> Graph:
    for graph in graphs:
        if graph.name == name:
            return graph
    raise _not_found()


def _not_found() -> Refusal:
    return Refusal(404, "GES.8000", "Not found. Please check the input parameters.")


def _unknown(*_: object) -> Response:
    raise _not_found()


def _version(graph: Graph, _: Request) -> Response:
    return Response.of(200, {"version": graph.engine_version or graph.version})


def _summary(graph: Graph, request: Request) -> Response:
    data: dict[str, Any] = {"vertexNum": graph.vertices, "edgeNum": graph.edges}
    if request.query.get("label_details") == "true":
        data["labelDetails"] = {"labelInVertex": {"default": graph.vertices}, "labelInEdge": {"default": graph.edges}}
    return Response.of(200, {"data": data})


def _cypher(graph: Graph, request: Request) -> Response:
    """A statement without an entry in the graph's `answers` fails, because its label index is missing."""
    statements = _statements(request.json)
    if not statements:
        return _failed("GES.8005", "Incorrect parameter.")
    if any(statement not in graph.answers for statement in statements):
        return _failed("GES.8904", "Label index in vertices is not found.")
    return Response.of(200, {"results": [_result(graph.answers[statement]) for statement in statements], "errors": []})


def _statements(body: Any) -> list[str]:
    given = body.get("statements") if isinstance(body, dict) else None
    listed = given if isinstance(given, list) else []
    return [str(one.get("statement")) for one in listed if isinstance(one, dict)]


def _failed(code: str, message: str) -> Response:
    return Response.of(400, {"results": [], "errors": [{"code": code, "message": message}]})


def _result(rows: list[list[Any]]) -> dict[str, Any]:
    columns = [f"column {number}" for number in range(1, len(rows[0]) + 1)] if rows else []
    return {"columns": columns, "data": [{"row": row, "meta": [None] * len(row)} for row in rows]}


# By the method, and by the last part of the path or the action.
_SUBJECTS: dict[tuple[str, str], Callable[[Graph, Request], Response]] = {
    ("GET", "version"): _version,
    ("GET", "summary"): _summary,
    ("POST", "execute-cypher-query"): _cypher,
}
