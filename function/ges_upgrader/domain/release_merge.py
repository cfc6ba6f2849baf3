"""What several announcements of one version come to together. Pure.

Announcements are kept by their scope: the regions, product types, architectures and targets that they name. Within a scope,
and among the scopes that fit a graph, the strictest of each bound applies (interface.md, Announcements: Merging).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TypeVar

import msgspec

from ges_upgrader.domain.model import Release, Severity

T = TypeVar("T")
Scope = tuple[object, ...]

_URGENCY = list(Severity)


def scope_of(release: Release) -> Scope:
    """What the announcement is restricted to, comparable whatever the order in which it lists names."""
    targets = release.targets
    names = (release.regions, release.product_types, release.arch, targets.graph_ids, targets.graph_names)
    return (*map(frozenset, names), frozenset(targets.tags.items()))


def strictest(releases: Iterable[Release]) -> Release:
    """One release with the strictest bound of all, the first of which was seen first; its scope is the first one's."""
    return reduce(_stricter, releases)


def _stricter(first: Release, later: Release) -> Release:
    return msgspec.structs.replace(
        first,
        # A later announcement cannot make a release older than the first one said.
        released_at=max(_given(first.released_at, later.released_at)) if first.released_at else None,
        min_source_version=max(_given(first.min_source_version, later.min_source_version), default=None),
        not_before=max(_given(first.not_before, later.not_before), default=None),
        not_after=min(_given(first.not_after, later.not_after), default=None),
        soak_hours=max(_given(first.soak_hours, later.soak_hours), default=None),
        severity=min(first.severity, later.severity, key=_URGENCY.index),
    )


def _given(*values: T | None) -> Iterable[T]:
    return (value for value in values if value is not None)
