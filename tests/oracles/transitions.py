"""Every change of the clocks in every IANA zone from 2024 to 2038, found by asking what the offset is, instant by instant."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from ges_upgrader.schedule.zones import zone

FIRST = datetime(2024, 1, 1, tzinfo=timezone.utc)
LAST = datetime(2038, 1, 1, tzinfo=timezone.utc)


class Change(NamedTuple):
    """At `at`, a whole minute, the clocks go from `before` to `after`, their distances from UTC."""

    at: datetime
    before: timedelta
    after: timedelta


class Behaviour(NamedTuple):
    """Zones whose clocks show the same at every instant from FIRST to LAST. `zones` in alphabetical order."""

    zones: tuple[str, ...]
    offset: timedelta
    changes: tuple[Change, ...]


def zone_names() -> list[str]:
    """Every zone that a window may name."""
    return [name for name in sorted(available_timezones()) if _accepted(name)]


def behaviours(step: timedelta) -> list[Behaviour]:
    """A change is seen unless it is taken back within `step`."""
    found: dict[tuple[timedelta, tuple[Change, ...]], list[str]] = {}
    for name in zone_names():
        where = ZoneInfo(name)
        found.setdefault((_offset(where, FIRST), tuple(_changes(where, step))), []).append(name)
    return [Behaviour(tuple(names), offset, changes) for (offset, changes), names in found.items()]


def _accepted(name: str) -> bool:
    try:
        return bool(zone(name))
    except ValueError:
        return False


def _offset(where: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(where).utcoffset()
    assert offset is not None
    return offset


def _changes(where: ZoneInfo, step: timedelta) -> list[Change]:
    changes = []
    at, before = FIRST, _offset(where, FIRST)
    while at < LAST:
        following = min(at + step, LAST)
        while _offset(where, following) != before:
            change = _bisected(where, at, following, before)
            if change.at == LAST:
                break
            changes.append(change)
            at, before = change.at, change.after
        at = following
    return changes


def _bisected(where: ZoneInfo, low: datetime, high: datetime, before: timedelta) -> Change:
    """The change between `low`, where the offset is still `before`, and `high`, where it is another."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if _offset(where, middle) == before:
            low = middle
        else:
            high = middle
    assert high.second == 0, f"{where} changes within a minute, at {high}"
    return Change(high, before, _offset(where, high))
