"""What a policy that is refused still says: whom to notify of that, and where the journal is. Pure.

Only a value that would be accepted by itself is taken, and none if the text names two. A topic or a place in a comment, or
under another field, is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from ges_upgrader.policy.fields import State, Topic
from ges_upgrader.policy.yaml_text import UnreadableText, read

T = TypeVar("T", Topic, State)

_MOST = 200_000  # characters that are searched


class Legible(msgspec.Struct, frozen=True):
    """None: it cannot be read, or is not there."""

    notify: Topic | None = None
    state: State | None = None


@lru_cache(maxsize=1)
def legible(text: str) -> Legible:
    """Never raises, whatever the text is."""
    try:
        raw = read(text)
    except UnreadableText:
        return Legible(_found(_NOTIFY, text, Topic), _found(_STATE, text, State))
    if not isinstance(raw, dict):
        return Legible()
    notify = raw.get("notify")
    return Legible(_made(Topic, notify.get("topic") if isinstance(notify, dict) else notify), _made(State, raw.get("state")))


def _made(kind: Callable[[object], T], value: Any) -> T | None:
    try:
        return kind(value)
    except ValueError:
        return None


# A field of the policy itself stands at the start of a line, or in JSON at the start of the text or after a value.
_FIELD = r"""(?:^|\A\s*\{{\s*|^\s*(?=["'])|,\s*(?=["']))["']?{name}["']?\s*[:：]\s*"""
_NOTIFY = re.compile(
    _FIELD.format(name="notify") + r"""(?:\{?\s*["']?topic["']?\s*[:：]\s*)?["']?(?P<value>[^\s"',}\]#]+)""", re.MULTILINE
)
_STATE = re.compile(_FIELD.format(name="state") + r"""["']?(?P<value>[^\s"',}\]#]+)""", re.MULTILINE)


def _found(field: re.Pattern[str], text: str, kind: Callable[[object], T]) -> T | None:
    """The one value that the field has in a text that is neither YAML nor JSON."""
    lines = (line for line in text[:_MOST].splitlines() if not line.lstrip().startswith("#"))
    values = {match["value"] for match in field.finditer("\n".join(lines))}
    return _made(kind, values.pop()) if len(values) == 1 else None
