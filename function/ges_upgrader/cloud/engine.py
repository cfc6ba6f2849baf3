"""A graph's own engine, asked at the graph's own address whether it is well (ges.md 2.8, the data plane).

The address lies in the graph's VPC, so that the function needs a way into it; and the engine knows IAM tokens only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.transport import Call, Transport
from ges_upgrader.domain.model import Graph
from ges_upgrader.domain.version import Version

# An engine may refuse for a while after the restart that ends an upgrade.
PATIENCE = timedelta(seconds=60)
_TRIES = 20

# Refusals of the caller, which say nothing about the engine (ges.md 5.2).
_NOT_FOR_US = ("no-token", "no-address", "GES.8006", "GES.8007", "GES.8008", "GES.8020")

_FAILED = {
    "version": "the engine does not tell its version",
    "summary": "the engine gives no summary of its vertices and edges",
    "cypher": "the statement of the health check fails",
}


def address_of(graph: Graph) -> str | None:
    """Scheme and host of the graph's engine, without a path; None: no address is known that may be asked.

    Private addresses come first. A public one serves over https only: over http a token would cross the internet in clear.
    """
    usable = (address for address in graph.addresses if graph.https or not ip_address(address).is_global)
    address = next(usable, None)
    if address is None:
        return None
    return f"{'https' if graph.https else 'http'}://{f'[{address}]' if ':' in address else address}"


class Engine:
    """The engines of all graphs.

    `token` is the IAM token of the function's agency, of the graphs' project; None where it has none. `remaining` is the
    time that the run has left. `address` says where a graph's engine is; None: nowhere.
    """

    def __init__(
        self,
        token: str | None,
        clock: Clock,
        remaining: Callable[[], timedelta],
        address: Callable[[Graph], str | None] = address_of,
    ) -> None:
        # What is no header's value would stand in the exception of the HTTP library.
        self._credentials = Credentials(token=token if token and re.fullmatch(r"[!-~]+", token) else "")
        self._clock, self._address = clock, address
        self._transport = Transport(self._credentials, lambda *_: "", clock, remaining)

    def ailment(
        self, graph: Graph, expected: Version, cypher: str | None = None, rows: list[list[Any]] | None = None
    ) -> str | None:
        """What is wrong with the graph's engine, in a sentence for the operator; None: it is well.

        It must say that it runs `expected`, must count its vertices and edges, and must answer `cypher` without an error,
        with just these `rows` in this order where they are given. The statement must only read: it may be sent more than
        once. An engine that is not up, or throttles, is asked again for up to PATIENCE; then that is the ailment.

        Raises Unreachable where nothing answers at the address, or the run has no time left; CloudError where the engine
        does not let the function ask (GES.8006, 8007, 8008, 8020, HTTP 401 and 403, a redirect), and with the codes
        no-token and no-address. In all of these cases nothing is known about the engine. Sources: ges.md 2.8 and 5.
        """
        before = self._clock.now() + PATIENCE
        try:
            found = self._version(graph, expected, before) or self._summary(graph, before)
            if found is None and cypher is not None:
                found = self._query(graph, cypher, rows, before)
        except Unreachable:
            raise
        except CloudError as error:
            if error.code in _NOT_FOR_US or error.status in (401, 403) or 300 <= (error.status or 0) < 400:
                raise
            found = f"{_FAILED[error.operation]}: {error.code} (HTTP {error.status}): {error.message}"
        return found

    def _version(self, graph: Graph, expected: Version, before: datetime) -> str | None:
        told = self._ask(graph, "version", "GET", "/version", before).get("version")
        try:
            right = isinstance(told, str) and Version(told) == expected
        except ValueError:
            right = False
        return None if right else f"the engine says that it runs {self._shown(told)}, not {expected}"

    def _summary(self, graph: Graph, before: datetime) -> str | None:
        """Without the details by label, which take an index (GES.8017)."""
        data = self._ask(graph, "summary", "GET", "/summary", before).get("data")
        counts = data if isinstance(data, dict) else {}
        missing = [name for name in ("vertexNum", "edgeNum") if counts.get(name) is None]
        return f"{_FAILED['summary']}: there is no {' and no '.join(missing)} in it" if missing else None

    def _query(self, graph: Graph, cypher: str, rows: list[list[Any]] | None, before: datetime) -> str | None:
        statement = {"statement": cypher, "parameters": {}, "resultDataContents": ["row"], "includeStats": False}
        query = {"action_id": "execute-cypher-query"}
        answer = self._ask(graph, "cypher", "POST", "/action", before, query, {"statements": [statement]})
        if answer.get("errors"):
            return f"{_FAILED['cypher']}: {self._shown(answer['errors'])}"
        results = answer.get("results")
        if not isinstance(results, list):
            return f"{_FAILED['cypher']}: there are no results in the answer"
        if rows is None:
            return None
        try:
            found = [line["row"] for line in results[0]["data"]]
        except (KeyError, IndexError, TypeError):
            return f"{_FAILED['cypher']}: there are no rows in the answer"
        return None if found == rows else f"the statement of the health check gives {self._shown(found)}, not {rows}"[:500]

    def _shown(self, value: object) -> str:
        return self._credentials.mask(str(value))[:200]

    def _ask(
        self,
        graph: Graph,
        operation: str,
        method: str,
        path: str,
        before: datetime,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        project = graph.project
        if not self._credentials.token:
            problem = "the function has no IAM token: give it an agency"
            raise CloudError("engine", operation, project.region, None, "no-token", problem)
        address = self._address(graph)
        if not address:
            problem = "GES shows no address of the graph that a token may be sent to"
            raise CloudError("engine", operation, project.region, None, "no-address", problem)
        answer = self._transport.call(
            Call(
                service="engine",
                operation=operation,
                region=project.region,
                project_id=project.project_id,
                method=method,
                path=f"/ges/v1.0/{quote(project.project_id, safe='')}/graphs/{quote(graph.name, safe='')}{path}",
                query=query or {},
                body=body,
                before=before,
                tries=_TRIES,
                address=address,
                headers={"X-Language": "en-us"},
            )
        )
        code = answer.get("errorCode")
        if code:
            raise CloudError(
                "engine", operation, project.region, 200, self._shown(code), self._shown(answer.get("errorMessage") or "")
            )
        return answer
