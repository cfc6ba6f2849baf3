"""How SMN refuses (smn-obs-core.md A4)."""

from __future__ import annotations

import re

from ..wire import Refusal
from .models import State, Topic


def must_find(state: State, urn: str) -> Topic:
    if not re.fullmatch(r"urn:smn:[a-z0-9-]+:[A-Za-z0-9]+:[A-Za-z0-9_-]+", urn):
        raise Refusal(400, "SMN.0005", "TopicUrn invalid.")
    topic = state.topic(urn)
    if topic is None:
        raise Refusal(404, "SMN.0006", "Topic not found.")
    return topic


def invalid(what: str) -> Refusal:
    """A parameter that SMN refuses. The documents readable to us give no code; this one is inferred."""
    return Refusal(400, "SMN.0002", f"Parameter invalid: {what}.")
