"""The configuration of asynchronous invocations (deploy.md 1.5)."""

from __future__ import annotations

import json
from typing import Any

from ...gateway.routes import Call
from ...wire import Response
from ..errors import refusal
from ..state import State
from .shapes import time

MAX_RETRIES, MAX_AGE = 3, 86_400
_PARAMETERS = {"SMN": "topic_urn", "OBS": "bucket", "FunctionGraph": "func_urn", "DIS": "stream_name"}


def configure(state: State, call: Call) -> Response:
    function, body = state.find(*call.values[:2]), call.fields()
    retries, age = body.get("max_async_retry_attempts", 1), body.get("max_async_event_age_in_seconds", 3600)
    if not isinstance(retries, int) or not 0 <= retries <= MAX_RETRIES:
        raise refusal("FSS.0400", f"max_async_retry_attempts must be from 0 to {MAX_RETRIES}.")
    if not isinstance(age, int) or not 1 <= age <= MAX_AGE:
        raise refusal("FSS.0400", f"max_async_event_age_in_seconds must be from 1 to {MAX_AGE}.")
    destinations = body.get("destination_config") or {}
    for name in ("on_success", "on_failure"):
        _check_destination(destinations.get(name))
    now = time(state.clock.now())
    function.asynchronous = {
        "func_urn": f"{function.urn}:latest",
        "max_async_event_age_in_seconds": age,
        "max_async_retry_attempts": retries,
        "destination_config": destinations,
        "created_time": (function.asynchronous or {}).get("created_time", now),
        "last_modified": now,
        "enable_async_status_log": bool(body.get("enable_async_status_log")),
    }
    return Response.of(200, function.asynchronous)


def _check_destination(destination: Any) -> None:
    if destination is None:
        return
    try:
        known = _PARAMETERS[destination["destination"]]
        parameters = json.loads(destination["param"])
        is_complete = known in parameters
    except (KeyError, TypeError, ValueError):
        is_complete = False
    if not is_complete:
        raise refusal("FSS.0400", f"A destination is one of {', '.join(_PARAMETERS)}, with its param as JSON text.")


def show(state: State, call: Call) -> Response:
    """404 if there is none."""
    function = state.find(*call.values[:2])
    if function.asynchronous is None:
        raise refusal("FSS.0404")
    return Response.of(200, function.asynchronous)


def delete(state: State, call: Call) -> Response:
    state.find(*call.values[:2]).asynchronous = None
    return Response(204)
