"""What several announcements of one release restrict together. Pure.

A message can narrow what an earlier one said, and never widen it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ges_upgrader.domain.model import Release, Severity, Targets

T = TypeVar("T")

NOTHING = ("-",)  # a restriction that nothing meets: no region, kind or graph has this name
_URGENCY = list(Severity)


def narrowed(known: Release, later: Release) -> Release:
    """The release after another announcement of it: what either restricts is restricted, and the lesser urgency counts."""
    return Release(
        version=known.version,
        released_at=max(_given(known.released_at, later.released_at)) if known.released_at else None,
        regions=_common(known.regions, later.regions),
        product_types=_common(known.product_types, later.product_types),
        arch=_common(known.arch, later.arch),
        min_source_version=max(_given(known.min_source_version, later.min_source_version), default=None),
        not_before=max(_given(known.not_before, later.not_before), default=None),
        not_after=min(_given(known.not_after, later.not_after), default=None),
        targets=_both(known.targets, later.targets),
        severity=min(known.severity, later.severity, key=_URGENCY.index),
    )


def _both(known: Targets, later: Targets) -> Targets:
    """The graphs that both name."""
    at_odds = any(later.tags.get(tag, value) != value for tag, value in known.tags.items())
    return Targets(
        graph_ids=NOTHING if at_odds else _common(known.graph_ids, later.graph_ids),
        graph_names=_common(known.graph_names, later.graph_names),
        tags={**later.tags, **known.tags},
    )


def _common(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """What two restrictions leave; an empty one restricts nothing."""
    if not names or not others:
        return names or others
    return tuple(name for name in names if name in others) or NOTHING


def _given(*values: T | None) -> Iterable[T]:
    return (value for value in values if value is not None)
