"""FunctionGraph: asynchronous invocation (functiongraph.md, Delivery)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Refusal, Request, Response

if TYPE_CHECKING:
    from .cloud import Project


def invoke_async(project: Project, request: Request, parts: list[str]) -> Response:
    if request.method != "POST" or parts[5:] != ["invocations-async"]:
        raise Refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
    from .cloud import Invocation

    invocation = Invocation(parts[4], request.json, project.cloud.clock.now())
    project.cloud.invocations.append(invocation)
    if project.cloud.on_invoke is not None:
        project.cloud.on_invoke(invocation)
    return Response.of(202, {"request_id": f"{len(project.cloud.invocations):032x}"})
