"""FunctionGraph: asynchronous invocation (functiongraph.md, Delivery)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..gateway.addresses import Target
from ..wire import Answer, Request, Response, no_such_api

Accept = Callable[[str, Any], None]  # takes a function's URN and the event for it


def route(accept: Accept, request: Request, target: Target) -> tuple[str, Answer]:
    if request.method == "POST" and target.parts[5:] == ["invocations-async"]:
        return "invoke_async", lambda: _invoke_async(accept, request, target.parts[4])
    return "unknown", no_such_api


def _invoke_async(accept: Accept, request: Request, urn: str) -> Response:
    """202 says that the event was accepted, not that the function ran."""
    accept(urn, request.json)
    return Response.of(202, {"request_id": request.id})
