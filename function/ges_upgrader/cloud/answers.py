"""What a service says in JSON: objects, and errors in any of their envelopes (ges.md 5.1, smn-obs-core.md A4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ges_upgrader.cloud.errors import CloudError

_CODES = ("error_code", "errorCode", "errCode")
_MESSAGES = ("error_msg", "errorMessage", "errorMsg", "externalMessage", "message")

# An escaped pair is one character, half of a pair is none. A backslash takes the character after it along.
_ESCAPES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.")


class Refusal(msgspec.Struct, frozen=True):
    """An error as its envelope has it; a part that is missing is empty."""

    code: str = ""
    message: str = ""
    request_id: str = ""


def decode_json(text: str) -> Any:
    """The value of a text; {} of an empty one, None of one that is no JSON. Half a surrogate becomes U+FFFD."""
    if not text.strip():
        return {}
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        whole = _ESCAPES.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)
    try:
        return msgspec.json.decode(whole) if whole != text else None
    except (ValueError, RecursionError):
        return None


def text_of(item: Mapping[str, Any], *names: str) -> str | None:
    """The first of the names that holds a text or a whole number, as a text."""
    for name in names:
        value = item.get(name)
        if type(value) in (str, int) and value != "":  # a bool is no number here
            return str(value)
    return None


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list. What is no list has none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def accepted(answer: Mapping[str, Any], service: str, operation: str, region: str, *names: str) -> str:
    """What a service names when it accepts a call: a job, a message. Raises CloudError if it is missing.

    A status of success alone proves nothing, so the call may have acted, or not.
    """
    found = text_of(answer, *names)
    if found is None:
        what = f"the answer names no {names[0]}"
        raise CloudError(service, operation, region, 200, "unreadable", what, may_have_acted=True)
    return found


def soft_error(content: Mapping[str, Any]) -> Refusal | None:
    """The error that stands in an answer with a status of success, as v1.0 of GES and engines may give it."""
    return _refusal(content) if text_of(content, *_CODES) not in (None, "0") else None


def hard_error(content: Any) -> Refusal:
    """The error of an answer with a status of failure. Cypher's is the first of its `errors`."""
    found = content if isinstance(content, dict) else {}
    errors = found.get("errors")
    first = objects_in(errors[:1] if isinstance(errors, list) else None)
    return _refusal(first[0] if first else found)


def plain(page: str) -> str:
    """The words of a page, as a gateway sends it."""
    return " ".join(re.sub(r"<[^>]*>", " ", page[:2000]).split())[:200] or "no text"


def _refusal(content: Mapping[str, Any]) -> Refusal:
    code, message = text_of(content, *_CODES, "code"), text_of(content, *_MESSAGES)
    return Refusal(code or "", message or "", text_of(content, "request_id") or "")
