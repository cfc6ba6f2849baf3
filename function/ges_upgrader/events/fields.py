"""What the fields of a structured message say. What cannot be read raises Doubt, if a restriction may stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ges_upgrader.domain.model import Severity, Targets
from ges_upgrader.domain.version import Version
from ges_upgrader.events.meanings import Doubt

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．ｖＶ", "0123456789.vV")


def version_of(value: Any, name: str) -> Version:
    if not isinstance(value, str):
        raise Doubt(f"`{name}` is not a version in quotes")
    try:
        return Version.written(plain_digits(value))
    except ValueError as error:
        raise Doubt(f"`{name}`: {error}") from None


def plain_digits(version: str) -> str:
    """With ASCII digits. A superscript stays what it is, and no digit."""
    return version[:100].translate(_FULL_WIDTH)


def soak_hours(value: Any) -> float | None:
    if value is None:
        return None
    if not _is_number(value) or not 0 <= value <= 24 * 365:
        raise Doubt("`soak_hours` is not a number of hours")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def least_urgent(values: Iterable[Any]) -> Severity:
    """The least urgent that is given."""
    given = (_severity_of(value) for value in values if value is not None)
    return min(given, key=list(Severity).index, default=Severity.NORMAL)


def _severity_of(value: Any) -> Severity:
    """What is not one of the three is the ordinary one, which waits the longest."""
    return Severity(value) if isinstance(value, str) and value in tuple(Severity) else Severity.NORMAL


def targets_of(value: Any) -> Targets:
    if value is None:
        return Targets()
    if not isinstance(value, Mapping):
        raise Doubt("`targets` is not an object")
    unknown = sorted(set(value) - {"graph_ids", "graph_names", "tags"})
    if unknown:
        raise Doubt(f"`targets` has a field that is not known: `{unknown[0][:80]}`")
    tags = _tags(value.get("tags"))
    return Targets(texts(value, "graph_ids"), texts(value, "graph_names"), tags)


def _tags(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(map(_is_text, value.values())):
        raise Doubt("`targets.tags` is not an object of texts")
    return dict(value)


def texts(content: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = content.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(map(_is_text, value)):
        raise Doubt(f"`{name}` is not a list of texts")
    return tuple(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def bound(content: Mapping[str, Any], name: str) -> datetime | None:
    value = content.get(name)
    instant = instant_of(value)
    if value is not None and instant is None:
        raise Doubt(f"`{name}` is not an instant with its offset, from 2000 to 2099")
    return instant


def instant_of(value: Any) -> datetime | None:
    """The instant of a text that has an offset, from 2000 to 2099; else None."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        written = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value.strip()))
        instant = written.astimezone(timezone.utc) if written.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return instant if instant and 2000 <= instant.year < 2100 else None
