"""A graph's own engine, asked at the graph's own address whether it is well (ges.md 2.8, the data plane).

The address lies in the graph's VPC, so that the function needs a way into it; and the engine knows IAM tokens only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from upgrader.clock import Clock
from upgrader.model import Graph
from upgrader.versions import Version

from .credentials import Credentials
from .errors import CloudError
from .transport import Call, Transport


class Engine:
    """`token` is the IAM token of the function's agency; None where it has none."""

    def __init__(self, token: str | None, clock: Clock, remaining: Callable[[], timedelta]) -> None:
        self._token, self._clock, self._remaining = token, clock, remaining

    def ailment(
        self, graph: Graph, expected: Version, cypher: str | None = None, rows: list[list[Any]] | None = None
    ) -> str | None:
        """What is wrong with the graph's engine, in a sentence; None: it is well.

        It must say that it runs `expected`, must be able to sum the graph up, and must answer the statement, with these
        `rows` where they are given. Raises CloudError where it cannot be asked, or refuses.
        """
        found = self._ask(graph, "version", "GET", "/version").get("version")
        if not isinstance(found, str) or found.removeprefix("v") != expected.text:
            return f"the engine says that it runs {str(found)[:40]!r}, not {expected}"
        summary = self._ask(graph, "summary", "GET", "/summary").get("data")
        if not isinstance(summary, dict) or not {"vertexNum", "edgeNum"} <= set(summary):
            return "the engine gives no summary of its vertices and edges"
        return self._query(graph, cypher, rows) if cypher is not None else None

    def _query(self, graph: Graph, cypher: str, rows: list[list[Any]] | None) -> str | None:
        statement = {"statement": cypher, "parameters": {}, "resultDataContents": ["row"], "includeStats": False}
        query = {"action_id": "execute-cypher-query"}
        answer = self._ask(graph, "cypher", "POST", "/action", query, {"statements": [statement]})
        if answer.get("errors"):
            return f"the statement of the health check gives errors: {str(answer['errors'])[:200]}"
        results = answer.get("results")
        try:
            found = [line["row"] for line in results[0]["data"]] if isinstance(results, list) else None
        except (KeyError, IndexError, TypeError):
            found = None
        if found is None:
            return "the statement of the health check gives no result"
        if rows is not None and found != rows:
            return f"the statement of the health check gives {str(found)[:200]}, not {str(rows)[:200]}"
        return None

    def _ask(
        self,
        graph: Graph,
        operation: str,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        project = graph.project
        if self._token is None:
            raise CloudError(
                "engine", operation, project.region, None, "no-token", "the function has no IAM token: give it an agency"
            )
        if not graph.address:
            raise CloudError("engine", operation, project.region, None, "no-address", "GES shows no address of the graph")
        address = f"{'https' if graph.https else 'http'}://{graph.address}"
        transport = Transport(Credentials(token=self._token), lambda *_: address, self._clock, self._remaining)
        name = quote(graph.name, safe="")
        return transport.call(
            Call(
                service="engine",
                operation=operation,
                region=project.region,
                project_id=project.project_id,
                method=method,
                path=f"/ges/v1.0/{quote(project.project_id, safe='')}/graphs/{name}{path}",
                query=query or {},
                body=body,
            )
        )
