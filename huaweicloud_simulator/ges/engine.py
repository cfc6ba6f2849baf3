"""The data plane: what a graph's own engine answers at the graph's own address (ges.md 2.8, memory edition)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..wire import NoAnswer, Refusal, Request, Response
from .models import Graph

if TYPE_CHECKING:
    from ..cloud import Cloud


def answer(cloud: Cloud, request: Request, parts: list[str]) -> Callable[[], Response]:
    """`parts` are ges, v1.0, a project's id, graphs, a graph's name and what is asked for."""
    what = "/".join(parts[5:])
    action = request.query.get("action_id") if what == "action" else None
    request.service, request.api = "engine", "v1.0"
    request.operation = f"engine.{action or what or 'unknown'}"

    def respond() -> Response:
        addressed = _listening(cloud, request)
        if request.headers.get("x-auth-token") not in cloud.tokens:
            raise Refusal(400, "GES.8007", "Invalid token.")
        project = cloud.projects.get(parts[2])
        if project is None or (addressed is not None and addressed.project is not project):
            raise Refusal(400, "GES.8006", "Invalid resource access.")
        request.region = project.region
        candidates = project.graphs.values() if addressed is None else [addressed]
        graph = next((graph for graph in candidates if graph.name == parts[4]), None)
        if graph is None:
            raise _not_found()
        if graph.sick or graph.status != "200":
            raise Refusal(500, "GES.8602", "Engine service unavailable.")
        if (request.method, what) == ("GET", "version"):
            return Response.of(200, {"version": graph.engine_version or graph.version})
        if (request.method, what) == ("GET", "summary"):
            return _summary(graph, request)
        if (request.method, action) == ("POST", "execute-cypher-query"):
            return _cypher(graph, request)
        raise _not_found()

    return respond


def _listening(cloud: Cloud, request: Request) -> Graph | None:
    """The graph at the address, which must be asked in its scheme. None: the host stands for every graph.

    That is so for a name, and for loopback, where no graph can be: there the graph's name in the path decides.
    """
    host, _, port = request.headers.get("host", "").partition(":")
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.is_loopback:
        return None
    found = (graph for project in cloud.projects.values() for graph in project.graphs.values() if host in graph.addresses)
    graph = next(found, None)
    if graph is None:
        raise NoAnswer("timeout")
    scheme, own_port = ("https", "443") if graph.https else ("http", "80")
    if request.scheme != scheme or port not in ("", own_port):
        raise NoAnswer("refuse")
    return graph


def _not_found() -> Refusal:
    return Refusal(404, "GES.8000", "Not found. Please check the input parameters.")


def _summary(graph: Graph, request: Request) -> Response:
    data: dict[str, Any] = {"vertexNum": graph.vertices, "edgeNum": graph.edges}
    if request.query.get("label_details") == "true":
        data["labelDetails"] = {"labelInVertex": {"default": graph.vertices}, "labelInEdge": {"default": graph.edges}}
    return Response.of(200, {"data": data})


def _cypher(graph: Graph, request: Request) -> Response:
    """A statement that the graph was not taught an answer to lacks its index."""
    body = request.json
    asked = body.get("statements") if isinstance(body, dict) else None
    given = asked if isinstance(asked, list) else []
    statements = [str(one.get("statement")) for one in given if isinstance(one, dict)]
    if not statements:
        return _failed("GES.8005", "Incorrect parameter.")
    if any(statement not in graph.answers for statement in statements):
        return _failed("GES.8904", "Label index in vertices is not found.")
    return Response.of(200, {"results": [_result(graph.answers[statement]) for statement in statements], "errors": []})


def _failed(code: str, message: str) -> Response:
    return Response.of(400, {"results": [], "errors": [{"code": code, "message": message}]})


def _result(rows: list[list[Any]]) -> dict[str, Any]:
    columns = [f"column {number}" for number in range(1, len(rows[0]) + 1)] if rows else []
    return {"columns": columns, "data": [{"row": row, "meta": [None] * len(row)} for row in rows]}
