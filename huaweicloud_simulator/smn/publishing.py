"""Publishing on the wire (smn-obs-core.md A1 to A4)."""

from __future__ import annotations

import json
import re
from typing import Any, TypeGuard
from uuid import uuid4

from ..gateway.routes import Call
from ..wire import Refusal, Response
from .errors import must_find
from .models import Message, State

MAX_SUBJECT, MAX_MESSAGE = 512, 256 * 1024  # bytes


def publish(state: State, call: Call) -> Response:
    topic, body = must_find(state, call.values[1]), call.request.json
    if not isinstance(body, dict):
        raise _invalid_message()
    subject, structure = _subject(body), _structure_of(body)
    message_id = uuid4().hex
    attributes = body.get("message_attributes")
    state.publish(topic, Message(subject, body.get("message"), structure, attributes, message_id, call.request.at, body))
    return Response.of(200, {"request_id": call.request.id, "message_id": message_id})


def _subject(body: dict[str, Any]) -> str:
    subject = body.get("subject", "")
    if not isinstance(subject, str) or len(subject.encode()) > MAX_SUBJECT or re.search(r"[\x00-\x1f\x7f]", subject):
        raise Refusal(403, "SMN.0008", "Subject invalid.")
    return subject


def _structure_of(body: dict[str, Any]) -> dict[str, str] | None:
    """A structure outranks a template, and a template outranks a message (A1)."""
    _check_sizes(body)
    if "message_structure" in body:
        return _structure(body["message_structure"])
    if "message_template_name" in body:  # the simulator has no templates
        raise Refusal(404, "SMN.0027", "The message template does not exist.")
    if not isinstance(body.get("message"), str) or not body["message"]:
        raise _invalid_message()
    return None


def _check_sizes(body: dict[str, Any]) -> None:
    if any(len(str(body.get(name, "")).encode()) > MAX_MESSAGE for name in ("message_structure", "message")):
        raise _invalid_message()


def _invalid_message() -> Refusal:
    return Refusal(403, "SMN.0009", "Message invalid.")


def _structure(text: Any) -> dict[str, str]:
    """A JSON text with a text for each channel, and one for all others."""
    try:
        structure = json.loads(text)
    except (TypeError, ValueError):
        structure = None
    if not _is_structure(structure):
        raise Refusal(400, "SMN.0021", "Message structure invalid.")
    return structure


def _is_structure(value: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and "default" in value and all(isinstance(text, str) for text in value.values())
