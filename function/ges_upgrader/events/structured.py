"""Structured announcements and withdrawals: the fields of smn-obs-core.md E1 and what an envelope adds to them.

An announcement with a field that is not known here is unclear, as the field may restrict it. A withdrawal counts whatever
else it says.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ges_upgrader.domain.model import Release, Severity, Targets
from ges_upgrader.domain.release_merge import strictest
from ges_upgrader.domain.version import Version
from ges_upgrader.events.envelopes import WRAPPERS, Object, each
from ges_upgrader.events.fields import bound, instant_of, least_urgent, plain_digits, soak_hours, targets_of, texts, version_of
from ges_upgrader.events.meanings import MAX_VERSIONS, Announced, Doubt, Withdrawal

ALIASES = (
    "version",
    "target_version",
    "targetVersion",
    "upgrade_version",
    "upgradeVersion",
    "new_version",
    "newVersion",
    "latest_version",
)
_SURE_NAMES = ("versions", *ALIASES[1:])  # of versions, also on an envelope, whose `version` may be its own
_VERSION_NAMES = ("versions", *ALIASES)
_SAY_NOTHING = ("event_id", "force_upgrade", "rollback_supported", "notes_url", "publisher", "annotations")
_RESTRICTIONS = (
    *("released_at", "regions", "product_types", "arch", "min_source_version", "severity", "soak_hours"),
    *("not_before", "not_after", "targets", "dry_run"),
)
_ABOUT = ("schema", "event", "service")
_FIELDS = frozenset({*ALIASES, "versions", *_ABOUT, *_RESTRICTIONS, *_SAY_NOTHING})
_CLOUD_EVENTS = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype")
_EVENT_BRIDGE = ("version", "detail-type", "account", "region", "resources")
_ENVELOPE_FIELDS = frozenset({*_ABOUT, *_RESTRICTIONS, *_SAY_NOTHING, *_CLOUD_EVENTS, *_EVENT_BRIDGE, *WRAPPERS})
_PRODUCT_TYPES, _ARCHITECTURES = ("InMemory", "Persistence"), ("x86_64", "aarch64")  # ges.md 2.3
_LEADING_ZEROS = re.compile(r"\b0+(?=[0-9])")


def names_version(content: Object) -> bool:
    return any(content.get(name) is not None for name in ("versions", *ALIASES))


def releases_of(content: Object, envelopes: Sequence[Object], received: datetime) -> Announced:
    """The releases that `content` announces, with what the envelopes add. Raises Doubt."""
    _check_fields(content, _FIELDS)
    versions = _versions(content)
    levels = (content, *reversed(envelopes))
    return Announced(tuple(_release(version, levels, received) for version in versions), _dry_run(levels))


def restricted(release: Release, envelopes: Sequence[Object], received: datetime) -> Announced:
    """A release that a text inside the envelopes announces, with what they add. Raises Doubt."""
    if not envelopes:
        return Announced((release,))
    return Announced((_within(release, _release(release.version, envelopes, received)),), _dry_run(envelopes))


def check_envelope(envelope: Object) -> None:
    """Raises Doubt for a field that an envelope does not have."""
    _check_fields(envelope, _ENVELOPE_FIELDS)


def _check_fields(level: Object, known: frozenset[str]) -> None:
    unknown = sorted(set(level) - known)
    if unknown:
        raise Doubt(f"it has a field that is not known: `{unknown[0][:80]}`")
    if not isinstance(level.get("annotations", {}), dict):
        raise Doubt("`annotations` is not an object")


def withdrawal_of(levels: Sequence[Object], inside: Sequence[Version]) -> Withdrawal | None:
    """The versions that a withdrawal names anywhere, `inside` being those in a text that it wraps. None: no version.

    An envelope's own `version` counts only if nothing else is named.
    """
    versions, unread = list(inside), []
    for level in reversed(levels):
        innermost = level is levels[-1] and not inside
        names = _VERSION_NAMES if innermost or not versions else _SURE_NAMES
        for spelling in _texts_under(level, names):
            version = _readable_version(spelling)
            if version is None:
                unread.append(spelling[:80])
            else:
                versions.append(version)
    return _withdrawal(versions, unread, any(level.get("dry_run") is True for level in levels))


def _withdrawal(versions: Iterable[Version], unread: Sequence[str], dry_run: bool) -> Withdrawal | None:
    distinct = tuple(dict.fromkeys(versions))
    if len(distinct) > MAX_VERSIONS:
        raise Doubt(f"it names more than {MAX_VERSIONS} versions")
    return Withdrawal(distinct, dry_run, tuple(unread[:MAX_VERSIONS])) if distinct else None


def _texts_under(level: Object, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        for value in each(level.get(name)):
            yield from map(str, value if isinstance(value, list) else [value])


def _readable_version(spelling: str) -> Version | None:
    try:
        return Version(_LEADING_ZEROS.sub("", plain_digits(spelling)))
    except ValueError:
        return None


def _versions(content: Object) -> tuple[Version, ...]:
    """The versions that `versions` lists, or else the one that an alias names."""
    named, listed = _aliased(content), _listed(content.get("versions"))
    found = listed or named
    if not found:
        raise Doubt("it names no version")
    if named and set(named) != set(found):
        raise Doubt("`version` and `versions` name different versions")
    return found


def _aliased(content: Object) -> tuple[Version, ...]:
    """The version under one or several of its names; none if there is no such name."""
    named = {version_of(content[alias], alias) for alias in ALIASES if content.get(alias) is not None}
    if len(named) > 1:
        raise Doubt(f"it names several versions: {', '.join(map(str, sorted(named)))}")
    return tuple(named)


def _listed(value: Any) -> tuple[Version, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise Doubt("`versions` is not a list of versions")
    if len(value) > MAX_VERSIONS:
        raise Doubt(f"it names more than {MAX_VERSIONS} versions")
    return tuple(dict.fromkeys(version_of(item, "versions") for item in value))


def _release(version: Version, levels: Sequence[Object], received: datetime) -> Release:
    """The version with what each object says of it, the innermost first."""
    severity = least_urgent(level.get("severity") for level in levels)
    return functools.reduce(_within, (_restrictions(version, level, severity, received) for level in levels))


def _restrictions(version: Version, level: Object, severity: Severity, received: datetime) -> Release:
    """What one object says of the version. Raises Doubt if a restriction cannot be read.

    A `released_at` that is unreadable or more than a day ahead is ignored.
    """
    release = Release(
        version=version,
        released_at=_released_at(level, received),
        regions=texts(level, "regions"),
        product_types=_some(texts(level, "product_types"), _PRODUCT_TYPES),
        arch=_some(texts(level, "arch"), _ARCHITECTURES),
        min_source_version=_min_source_version(level),
        not_before=bound(level, "not_before"),
        not_after=bound(level, "not_after"),
        targets=targets_of(level.get("targets")),
        severity=severity,
        soak_hours=soak_hours(level.get("soak_hours")),
    )
    return _within(release, msgspec.structs.replace(release, regions=_region(level) or release.regions))


def _released_at(level: Object, received: datetime) -> datetime | None:
    instant = instant_of(level.get("released_at"))
    return None if instant is not None and instant > received + timedelta(hours=24) else instant


def _min_source_version(level: Object) -> Version | None:
    value = level.get("min_source_version")
    return None if value is None else version_of(value, "min_source_version")


def _region(level: Object) -> tuple[str, ...]:
    """The region that EventBridge names on its envelope, if it does."""
    region = level.get("region")
    if region is None:
        return ()
    if not isinstance(region, str) or not region.strip():
        raise Doubt("`region` is not the name of a region")
    return (region,)


def _within(inner: Release, outer: Release) -> Release:
    """The release with what both objects say of it. Raises Doubt if nothing is left that both mean."""
    targets = Targets(
        graph_ids=_common("targets.graph_ids", inner.targets.graph_ids, outer.targets.graph_ids),
        graph_names=_common("targets.graph_names", inner.targets.graph_names, outer.targets.graph_names),
        tags={**outer.targets.tags, **inner.targets.tags},
    )
    if any(targets.tags[tag] != value for tag, value in outer.targets.tags.items()):
        raise Doubt("its envelope and its content name different `targets.tags`")
    return msgspec.structs.replace(
        strictest((inner, outer)),
        regions=_common("regions", inner.regions, outer.regions),
        product_types=_common("product_types", inner.product_types, outer.product_types),
        arch=_common("arch", inner.arch, outer.arch),
        targets=targets,
    )


def _common(name: str, inner: tuple[str, ...], outer: tuple[str, ...]) -> tuple[str, ...]:
    """What two restrictions leave; an empty one restricts nothing."""
    if not (inner and outer):
        return inner or outer
    left = tuple(filter(outer.__contains__, inner))
    if not left:
        raise Doubt(f"its envelope and its content name different `{name}`")
    return left


def _some(names: tuple[str, ...], of: tuple[str, ...]) -> tuple[str, ...]:
    """To name all that there are restricts nothing, also where GES does not show which of them a graph is."""
    return () if set(of) <= set(names) else names


def _dry_run(levels: Sequence[Object]) -> bool:
    given = [level["dry_run"] for level in levels if level.get("dry_run") is not None]
    if not all(isinstance(value, bool) for value in given):
        raise Doubt("`dry_run` is neither true nor false")
    return any(given)
