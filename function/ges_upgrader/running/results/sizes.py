"""A result that can be returned: plain, without secrets, and not larger than the platform takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ges_upgrader.domain.model import Action
from ges_upgrader.domain.plain_text import MOST_DETAIL, plain, plain_lines
from ges_upgrader.events.commands import LOOKING
from ges_upgrader.redaction import Secrets

MOST_BYTES = 5_000_000
_SHARES = {"forecast": 1_600_000}  # of a result that is too large, in bytes
_SHARE = 300_000  # of every other list in it, except the decisions, which get the rest
_ADDED = 30_000  # at most: the decisions' own name, a cursor of the longest ids, the last entries of `cut`


def presentable(result: Mapping[str, Any], secrets: Secrets) -> dict[str, Any]:
    """The result as the handler returns it: no secret in it, every text plain and bounded, every error on one line.

    Texts are masked and made plain where they arise as well; this is the last line of defence.
    """
    shown: dict[str, str] = {}  # most texts of a large result are repeated

    def text(value: str) -> str:
        if value not in shown:
            shown[value] = plain_lines(secrets.mask(value), MOST_DETAIL)
        return shown[value]

    def copy(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, Mapping):
            return {text(str(key)): copy(item) for key, item in value.items()}
        return [copy(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {**copy(result), "errors": [plain(secrets.mask(error), MOST_DETAIL) for error in result["errors"]]}


def bounded(result: dict[str, Any]) -> dict[str, Any]:
    """The result in at most MOST_BYTES. `cut` says how many entries of which list were left out.

    The decisions of `plan`, `status` and `forecast` end earlier, and `cursor` leads to the rest. Of other commands the graphs
    that are skipped are left out first.
    """
    if size_of(result) <= MOST_BYTES:
        return result
    cut: dict[str, int] = {}
    fitting = {name: _within(name, value, cut) for name, value in result.items() if name != "decisions"}
    looks = result["command"] in [word.value for word in LOOKING]
    decisions = sorted(result["decisions"], key=_place if looks else _is_skip)
    page = _first(decisions, MOST_BYTES - size_of({**fitting, "cut": cut}) - _ADDED)
    return {**fitting, **_left_out(page, decisions, looks, cut), "decisions": page, "cut": cut}


def _left_out(page: list[Any], decisions: list[Any], looks: bool, cut: dict[str, int]) -> dict[str, str]:
    """The cursor that leads to the decisions after the page; if there is none, `cut` counts them."""
    if len(page) == len(decisions):
        return {}
    if looks and page:
        return {"cursor": cursor_of(page[-1])}
    cut["decisions"] = len(decisions) - len(page)
    return {}


def size_of(value: Any) -> int:
    """The bytes of the value as JSON, with every character beyond ASCII escaped: no platform writes it longer."""
    return len(json.dumps(value))


def cursor_of(decision: Mapping[str, Any]) -> str:
    """Where a page ends with this decision."""
    return "/".join(_place(decision))


def _place(decision: Mapping[str, Any]) -> tuple[str, str]:
    return decision["project_id"], decision["graph_id"]


def _is_skip(decision: Mapping[str, Any]) -> bool:
    return bool(decision["action"] == Action.SKIP.value)


def _within(name: str, value: Any, cut: dict[str, int]) -> Any:
    """The value with its lists, and those of an object in it, no larger than their shares."""
    if isinstance(value, dict):
        return {key: _within(f"{name}.{key}", item, cut) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    fitting = _first(value, _SHARES.get(name, _SHARE))
    if len(fitting) < len(value):
        cut[name] = len(value) - len(fitting)
    return fitting


def _first(values: list[Any], most: int) -> list[Any]:
    """As many of the values as fit into so many bytes."""
    size = 0
    for number, value in enumerate(values):
        size += size_of(value) + 2
        if size > most:
            return values[:number]
    return values
