"""Triggers on the wire (deploy.md 1.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...gateway.routes import Call
from ...wire import Response
from ..errors import refusal
from ..models import Function, Trigger
from ..schedules import Schedule
from ..state import MAX_TRIGGERS, State
from .shapes import trigger_shown


def create(state: State, call: Call) -> Response:
    function, body = state.find(*call.values[:2]), call.fields()
    kind, data = body.get("trigger_type_code"), body.get("event_data")
    if kind not in _CHECKS:
        raise refusal("FSS.1101", f"The simulator has triggers of the types {', '.join(_CHECKS)}.")
    if not isinstance(data, dict):
        raise refusal("FSS.0400", "event_data is required.")
    if len(function.triggers) >= MAX_TRIGGERS:
        raise refusal("FSS.1306")
    now = state.clock.now()
    trigger = Trigger(kind, dict(data), now, body.get("trigger_status") or "ACTIVE", fired_until=now)
    _CHECKS[kind](state, function, trigger)
    function.triggers.append(trigger)
    return Response.of(201, trigger_shown(trigger))


def _check_timer(_: State, function: Function, trigger: Trigger) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", trigger.name):
        raise refusal("FSS.1109", "Invalid timer trigger: the name.")
    try:
        Schedule.of(trigger.data)
    except ValueError as error:
        raise refusal("FSS.1109", f"Invalid timer trigger: {error}.") from None
    if any(one.type == "TIMER" and one.name == trigger.name for one in function.triggers):
        raise refusal("FSS.1148")


def _subscribe(state: State, function: Function, trigger: Trigger) -> None:
    """It is a subscription of the topic, which needs no confirmation."""
    if not trigger.topic_urn:
        raise refusal("FSS.1102")
    topic = state.smn.topic(trigger.topic_urn)
    if topic is None:
        raise refusal("FSS.1171")
    if any(one.type == "SMN" and one.topic_urn == trigger.topic_urn for one in function.triggers):
        raise refusal("FSS.1141")
    topic.subscribe("functionstage", f"{function.urn}:latest")


def _check_cts(_: State, function: Function, trigger: Trigger) -> None:
    """It is stored. The simulator has no CTS that would fire it."""
    operations = trigger.data.get("operations")
    if not isinstance(operations, list) or not re.fullmatch(r"[A-Za-z0-9_]{1,64}", trigger.name):
        raise refusal("FSS.1312")
    if not all(re.fullmatch(r"[^:]+(:[^:]+){2}", str(one)) for one in operations):
        raise refusal("FSS.1312")


_CHECKS: dict[str, Callable[[State, Function, Trigger], None]] = {
    "TIMER": _check_timer,
    "SMN": _subscribe,
    "CTS": _check_cts,
}


def list_(state: State, call: Call) -> Response:
    """A bare array."""
    return Response.of(200, [trigger_shown(one) for one in state.find(*call.values[:2]).triggers])


def show(state: State, call: Call) -> Response:
    return Response.of(200, trigger_shown(_found(state, call)[1]))


def update(state: State, call: Call) -> Response:
    """Only a timer can be disabled."""
    trigger, status = _found(state, call)[1], call.fields().get("trigger_status")
    if trigger.type != "TIMER" or status not in ("ACTIVE", "DISABLED"):
        raise refusal("FSS.0400", "Only a timer can be disabled or enabled.")
    if trigger.status != status:
        trigger.status, trigger.fired_until = status, state.clock.now()
    return Response.of(200, trigger_shown(trigger))


def delete(state: State, call: Call) -> Response:
    state.drop_trigger(*_found(state, call))
    return Response(204)


def delete_all(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    for trigger in list(function.triggers):
        state.drop_trigger(function, trigger)
    return Response(204)


def _found(state: State, call: Call) -> tuple[Function, Trigger]:
    function: Function = state.find(*call.values[:2])
    wanted: Any = (call.values[2], call.values[3])
    for trigger in function.triggers:
        if (trigger.type, trigger.id) == wanted:
            return function, trigger
    raise refusal("FSS.1131")
