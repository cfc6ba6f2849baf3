"""FunctionGraph: asynchronous invocation (functiongraph.md, Delivery)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .wire import Request, Response, no_such_api

if TYPE_CHECKING:
    from .cloud import Project


def route(request: Request, parts: list[str]) -> tuple[str, Callable[[Project, Request, list[str]], Response]]:
    if request.method == "POST" and parts[5:] == ["invocations-async"]:
        return "invoke_async", invoke_async
    return "unknown", _unknown


def _unknown(*_: object) -> Response:
    raise no_such_api()


def invoke_async(project: Project, request: Request, parts: list[str]) -> Response:
    """202 says that the event was accepted, not that the function ran."""
    project.cloud.invoke(parts[4], request.json)
    return Response.of(202, {"request_id": request.id})
