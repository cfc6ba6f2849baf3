"""Invocations on the wire, asynchronous and synchronous (functiongraph.md, Delivery; deploy.md 1.5)."""

from __future__ import annotations

import base64
import json

from ...gateway.routes import Call
from ...wire import Response
from ..errors import FunctionError
from ..state import State

MAX_LOG = 2048  # bytes of the log in an answer (deploy.md 1.5)


def invoke(state: State, call: Call) -> Response:
    """Runs without the cloud's lock, since the function calls the cloud."""
    return Response(200, later=lambda: _run(state, call))


def _run(state: State, call: Call) -> Response:
    """With the header for it, the result is a text beside the request's id and the log; else it is the whole body.

    How a failed function is answered is inferred.
    """
    wanted = call.request.headers
    try:
        (result, log), status = state.run(call.values[1], call.request.json), 200
    except FunctionError as error:
        (result, log), status = ({"errorMessage": str(error), "errorType": "FunctionError"}, error.log), 500
    headers = {} if status == 200 else {"X-Is-Func-Err": "true"}
    if wanted.get("x-cff-request-version") != "v1":
        return Response.of(status, result, **headers)
    tail = log.encode()[-MAX_LOG:] if wanted.get("x-cff-log-type") == "tail" else b""
    shown = {"request_id": call.request.id, "result": json.dumps(result), "log": base64.b64encode(tail).decode()}
    return Response.of(200, {**shown, "status": status}, **headers)


def invoke_async(state: State, call: Call) -> Response:
    """202 says that the event was accepted, not that the function ran."""
    state.accept(call.values[1], call.request.json)
    return Response.of(202, {"request_id": call.request.id})
