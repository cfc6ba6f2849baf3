"""Events of an iCalendar file as entries for a policy's `freezes`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

from ges_upgrader.schedule.windows import Window

_AHEAD = timedelta(days=400)
_DAY = timedelta(days=1)


class CalendarError(Exception):
    """The file cannot be used; the message says why."""


def freezes_of(
    text: bytes, now: datetime, zone: str, rules: tuple[str, ...] = (), containing: str = ""
) -> list[dict[str, Any]]:
    """The events that are not over, in order; of recurring ones those of the next 400 days. Cancelled ones are left out.

    `zone` is that of whole days. Raises CalendarError.
    """
    found = []
    for event in _events(text):
        reason = " ".join(str(event.get("SUMMARY", "")).split())
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or containing.lower() not in reason.lower():
            continue
        for begin, end in _spans(event, now, zone):
            found.append((begin, end, reason))
    return [_freeze(begin, end, reason, zone, rules) for begin, end, reason in sorted(found, key=lambda one: str(one[0]))]


def _events(text: bytes) -> list[Any]:
    import icalendar

    try:
        return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))
    except ValueError as error:
        raise CalendarError(f"it is no iCalendar file: {error}") from None


def _spans(event: Any, now: datetime, zone: str) -> Iterator[tuple[date, date]]:
    """The times of an event that are not over: dates, the last exclusive, or instants."""
    name = str(event.get("SUMMARY", "an event"))
    try:
        begin, length = event.DTSTART, event.duration
    except Exception as error:  # the library has an exception of its own for each way to be incomplete
        raise CalendarError(f"{name}: {error}") from None
    if begin is None or length <= timedelta():
        return
    rrule = event.get("RRULE")
    if rrule is None:
        spans = [(begin, begin + length)]
    else:
        spans = list(_recurring(begin, length, rrule.to_ical().decode(), now, zone, name))
    excluded = {_key(one.dt) for dates in _listed(event.get("EXDATE")) for one in dates.dts}
    for first, last in spans:
        over = _instant(last) <= now
        if not over and _key(first) not in excluded:
            yield first, last


def _recurring(begin: date, length: timedelta, rrule: str, now: datetime, zone: str, name: str) -> Iterator[tuple[date, date]]:
    """By the rule as the policy's windows know it: `began` is its first day."""
    whole_days = not isinstance(begin, datetime)
    wall = begin if isinstance(begin, datetime) else datetime.combine(begin, datetime.min.time())
    where = zone if whole_days or wall.tzinfo is None else str(getattr(wall.tzinfo, "key", "UTC"))
    written = {
        "rrule": rrule,
        "start": wall.strftime("%Y-%m-%dT%H:%M"),
        "duration": f"{int(length.total_seconds() // 60)}m",
        "timezone": where,
    }
    try:
        window = Window(written)
    except ValueError as error:
        raise CalendarError(f"{name} recurs in a way that cannot be taken over: {error}") from None
    for opened, closed in window.openings(now - length, now + _AHEAD):
        if whole_days:
            first = opened.astimezone(window.zone).date()
            yield first, first + max(_DAY, length)
        else:
            yield opened, closed


def _freeze(begin: date, end: date, reason: str, zone: str, rules: tuple[str, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {"from": _written(begin), "until": _written(end)}
    if not isinstance(begin, datetime) or begin.tzinfo is None:
        shown["timezone"] = zone
    if reason:
        shown["reason"] = reason
    return {**shown, "rules": list(rules)} if rules else shown


def _written(at: date) -> str:
    if not isinstance(at, datetime):
        return at.isoformat()
    return at.strftime("%Y-%m-%dT%H:%M:%S") if at.tzinfo is None else at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(at: date) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, datetime.min.time())
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _key(at: date) -> str:
    return _written(at)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
