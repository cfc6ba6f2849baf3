"""The health of a graph's own engine, which answers at the graph's own address (ges.md 2.8, the data plane).

The address lies in the graph's VPC, so the function needs a way into it. An engine takes IAM tokens only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.ges.decoding import version_of
from ges_upgrader.cloud.transport import Call, Transport
from ges_upgrader.domain.model import Graph
from ges_upgrader.domain.version import Version

# An engine may refuse calls for a while after the restart that ends an upgrade.
PATIENCE = timedelta(seconds=60)
_TRIES = 20

# Refusals of the caller. They say nothing about the engine (ges.md 5.2).
_NOT_FOR_US = ("no-token", "no-address", "GES.8006", "GES.8007", "GES.8008", "GES.8020")

_FAILED = {
    "version": "the engine does not say its version",
    "summary": "the engine gives no summary of its vertices and edges",
    "cypher": "the statement of the health check fails",
}


def address_of(graph: Graph) -> str | None:
    """Scheme and host of the graph's engine, without a path; None: there is no address that may get a token.

    Private addresses come first. A public one serves with https only, because http would send the token in clear text.
    """
    usable = (address for address in graph.addresses if graph.https or not ip_address(address).is_global)
    address = next(usable, None)
    scheme = "https" if graph.https else "http"
    return None if address is None else f"{scheme}://{_host(address)}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _leaves_health_unknown(error: CloudError) -> bool:
    """Whether the error says nothing about the engine: nothing answered, or the caller was rejected or sent elsewhere."""
    if isinstance(error, Unreachable):
        return True
    return error.code in _NOT_FOR_US or error.status in (401, 403, *range(300, 400))


class Engine:
    """The engines of all graphs.

    `token` is the IAM token of the function's agency in the graphs' project, None if it has none. `remaining` is the time
    that the run has left. `address` gives the address of a graph's engine, None if it has none.
    """

    def __init__(
        self,
        token: str | None,
        clock: Clock,
        remaining: Callable[[], timedelta],
        address: Callable[[Graph], str | None] = address_of,
    ) -> None:
        # The HTTP library quotes a value that no header can have in its exception.
        self._credentials = Credentials(token=token if token and re.fullmatch(r"[!-~]+", token) else "")
        self._clock, self._address = clock, address
        self._transport = Transport(self._credentials, lambda *_: "", clock, remaining)

    def health_problem(
        self, graph: Graph, expected: Version, cypher: str | None = None, rows: list[list[Any]] | None = None
    ) -> str | None:
        """What is wrong with the graph's engine, in a sentence for the operator; None: it is well.

        A healthy engine runs `expected`, counts its vertices and edges, and answers `cypher` without an error; if `rows` are
        given, with exactly these in this order. The statement must only read, because it may be sent more than once. An
        engine that is not up, or throttles, is asked again for up to PATIENCE; after that, this is what is wrong.

        Raises Unreachable if nothing answers at the address or the run has no time left. Raises CloudError if the engine
        rejects the caller (GES.8006, 8007, 8008, 8020, HTTP 401 and 403, a redirect), and with the codes no-token and
        no-address. After each of these the engine's health is unknown. Sources: ges.md 2.8 and 5.
        """
        before = self._clock.now() + PATIENCE
        try:
            problem = self._version(graph, expected, before) or self._summary(graph, before)
            return problem or self._query(graph, cypher, rows, before)
        except CloudError as error:
            return self._described(error)

    def timed(self, graph: Graph, cypher: str, rows: list[list[Any]] | None, runs: int) -> timedelta | str:
        """The median time that the statement takes in so many runs; or what is wrong, in a sentence.

        The time is that of the whole exchange. A first run, which may fill the engine's caches, does not count. Raises
        CloudError as `health_problem` does.
        """
        before = self._clock.now() + PATIENCE
        taken = []
        for _ in range(1 + runs):
            began = self._clock.now()
            try:
                problem = self._query(graph, cypher, rows, before)
            except CloudError as error:
                problem = self._described(error)
            if problem is not None:
                return problem
            taken.append(self._clock.now() - began)
        return sorted(taken[1:])[runs // 2]

    def _described(self, error: CloudError) -> str:
        """What the error says about the engine. Raises it, if that is nothing."""
        if _leaves_health_unknown(error):
            raise error
        return f"{_FAILED[error.operation]}: {error.code} (HTTP {error.status}): {error.message}"

    def _version(self, graph: Graph, expected: Version, before: datetime) -> str | None:
        told = self._ask(graph, "version", "GET", "version", before).get("version")
        right = isinstance(told, str) and version_of(told) == expected
        return None if right else f"the engine says that it runs {self._shown(told)}, not {expected}"

    def _summary(self, graph: Graph, before: datetime) -> str | None:
        """Without the details by label, which need an index (GES.8017)."""
        data = self._ask(graph, "summary", "GET", "summary", before).get("data")
        counts = data if isinstance(data, dict) else {}
        missing = [name for name in ("vertexNum", "edgeNum") if counts.get(name) is None]
        return f"{_FAILED['summary']}: there is no {' and no '.join(missing)} in it" if missing else None

    def _query(self, graph: Graph, cypher: str | None, rows: list[list[Any]] | None, before: datetime) -> str | None:
        if cypher is None:
            return None
        statement = {"statement": cypher, "parameters": {}, "resultDataContents": ["row"], "includeStats": False}
        query = {"action_id": "execute-cypher-query"}
        answer = self._ask(graph, "cypher", "POST", "action", before, query, {"statements": [statement]})
        if answer.get("errors"):
            return f"{_FAILED['cypher']}: {self._shown(answer['errors'])}"
        if not isinstance(answer.get("results"), list):
            return f"{_FAILED['cypher']}: there are no results in the answer"
        return None if rows is None else self._compared(answer["results"], rows)

    def _compared(self, results: list[Any], rows: list[list[Any]]) -> str | None:
        """How the rows of the first result differ from those that were expected; None: not at all."""
        try:
            found = [line["row"] for line in results[0]["data"]]
        except (KeyError, IndexError, TypeError):
            return f"{_FAILED['cypher']}: there are no rows in the answer"
        return None if found == rows else f"the statement of the health check gives {self._shown(found)}, not {rows}"[:500]

    def _shown(self, value: object) -> str:
        try:
            text = str(value)
        except RecursionError:
            text = "a value that is nested too deeply"
        return self._credentials.mask(text[:10_000])[:200]

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
        return self._transport.call(
            Call(
                service="engine",
                operation=operation,
                region=project.region,
                project_id=project.project_id,
                method=method,
                path=("ges", "v1.0", project.project_id, "graphs", graph.name, path),
                query=query or {},
                body=body,
                before=before,
                tries=_TRIES,
                address=address,
                headers={"X-Language": "en-us"},
            )
        )
