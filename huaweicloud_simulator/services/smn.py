"""SMN: publishing to a topic (smn-obs-core.md A1 to A4)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeGuard
from uuid import uuid4

from ..gateway.addresses import Target
from ..wire import Answer, Refusal, Request, Response, no_such_api

MAX_SUBJECT, MAX_MESSAGE = 512, 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message. `structure` is the text for each channel, None if all channels get `message`."""

    subject: str
    message: str | None
    structure: dict[str, str] | None
    attributes: Any
    message_id: str
    at: datetime
    body: dict[str, Any]


@dataclass(slots=True)
class Topic:
    urn: str
    messages: list[Message] = field(default_factory=list)


FindTopic = Callable[[str], "Topic | None"]  # by its URN


def route(find: FindTopic, request: Request, target: Target) -> tuple[str, Answer]:
    if request.method == "POST" and target.parts[5:] == ["publish"]:
        return "publish", lambda: _publish(find, request, target.parts[4])
    return "unknown", no_such_api


def _publish(find: FindTopic, request: Request, urn: str) -> Response:
    topic, body = _topic(find, urn), request.json
    if not isinstance(body, dict):
        raise _invalid_message()
    subject, structure = _subject(body), _structure_of(body)
    message_id = uuid4().hex
    topic.messages.append(
        Message(subject, body.get("message"), structure, body.get("message_attributes"), message_id, request.at, body)
    )
    return Response.of(200, {"request_id": request.id, "message_id": message_id})


def _topic(find: FindTopic, urn: str) -> Topic:
    if not re.fullmatch(r"urn:smn:[a-z0-9-]+:[A-Za-z0-9]+:[A-Za-z0-9_-]+", urn):
        raise Refusal(400, "SMN.0005", "TopicUrn invalid.")
    topic = find(urn)
    if topic is None:
        raise Refusal(404, "SMN.0006", "Topic not found.")
    return topic


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
