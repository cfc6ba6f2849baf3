"""FunctionGraph: invocation, asynchronous and synchronous (functiongraph.md, Delivery; deploy.md 1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..gateway.addresses import Target
from ..wire import Answer, Request, Response, no_such_api

Accept = Callable[[str, Any], None]  # takes a function's URN and the event for it
Run = Callable[[str, Any], Any]  # the same; the function's result


def route(accept: Accept, run: Run, request: Request, target: Target) -> tuple[str, Answer]:
    if request.method == "POST" and target.parts[5:] == ["invocations"]:
        return "invoke", lambda: _invoke(run, request, target.parts[4])
    if request.method == "POST" and target.parts[5:] == ["invocations-async"]:
        return "invoke_async", lambda: _invoke_async(accept, request, target.parts[4])
    return "unknown", no_such_api


def _invoke(run: Run, request: Request, urn: str) -> Response:
    """With the header for it, the result is a text beside the request's id and the log; else it is the whole body."""
    result = run(urn, request.json)
    if request.headers.get("x-cff-request-version") != "v1":
        return Response.of(200, result)
    return Response.of(200, {"request_id": request.id, "result": json.dumps(result), "log": "", "status": 200})


def _invoke_async(accept: Accept, request: Request, urn: str) -> Response:
    """202 says that the event was accepted, not that the function ran."""
    accept(urn, request.json)
    return Response.of(202, {"request_id": request.id})
