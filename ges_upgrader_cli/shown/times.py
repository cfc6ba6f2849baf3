"""Instants as an operator reads them: in the zone of the rule, with UTC beside."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo

from ges_upgrader.policy.schema import Rule

UTC: tzinfo = timezone.utc


def zone_of(rule: Rule | None) -> tzinfo:
    """The zone of the rule's first window that has one; else UTC."""
    windows = (window for window in rule.windows if window.recurrence is not None) if rule else iter(())
    return next((window.zone for window in windows), UTC)


def local(at: datetime, zone: tzinfo) -> str:
    """`Sat 2026-12-05 02:00`."""
    return at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


def both(at: datetime, zone: tzinfo) -> str:
    """`Sat 2026-12-05 02:00 Asia/Shanghai (Fri 18:00 UTC)`; in UTC without the rest."""
    if str(zone) == "UTC":
        return f"{local(at, UTC)} UTC"
    return f"{local(at, zone)} {zone} ({at.astimezone(UTC):%a %H:%M} UTC)"


def span(begin: datetime, end: datetime, zone: tzinfo) -> str:
    """`Sat 2026-12-05 02:00 to 05:30 Asia/Shanghai (Fri 18:00 UTC)`; the end's day only if it is another."""
    same_day = begin.astimezone(zone).date() == end.astimezone(zone).date()
    until = local(end, zone)[-5:] if same_day else local(end, zone)
    first, rest = local(begin, zone), both(begin, zone)
    return f"{first} to {until}{rest[len(first) :]}"
