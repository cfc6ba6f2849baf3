"""When: maintenance windows in their short form, and the first instant at which something may start.

The rule: a window opens at a wall-clock time and lasts an elapsed time. An opening that a clock change skips moves to the
first instant that exists; one that it repeats opens once, at the first. A window over midnight belongs to the day on
which it opens.

    Sat,Sun 02:00-06:00 Asia/Shanghai     four hours from 02:00 on Saturdays and on Sundays
    Mon-Fri 22:00-02:00 Europe/Berlin     Friday's closes on Saturday at 02:00
    * 00:00-24:00 UTC                     always
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from heapq import merge
from zoneinfo import ZoneInfo

HORIZON = timedelta(days=400)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHORT_FORM = re.compile(r"(?P<days>\S+)\s+(?P<open>\d\d:\d\d)-(?P<close>\d\d:\d\d)\s+(?P<zone>\S+)", re.ASCII)
_DAY = timedelta(days=1)


class Window:
    """A recurring window. `days` are the weekdays on which it opens, Monday is 0; `text` is what the operator wrote."""

    __slots__ = ("days", "length", "opens", "text", "zone")

    def __init__(self, text: str) -> None:
        """Raises ValueError with what is wrong and what is accepted."""
        match = _SHORT_FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError("a window is `<days> <opens>-<closes> <zone>`, as `Sat,Sun 02:00-06:00 Asia/Shanghai`")
        opens, closes = _minutes(match["open"]), _minutes(match["close"])
        if opens == 24 * 60:
            raise ValueError("a window opens at 23:59 at the latest; 24:00 is accepted as its close")
        if opens == closes:
            raise ValueError("a window that closes when it opens is empty or a day: write 00:00-24:00 for a day")
        self.days = _days(match["days"])
        self.opens = time(opens // 60, opens % 60)
        self.length = timedelta(minutes=(closes - opens) % (24 * 60) or 24 * 60)
        self.zone = _zone(match["zone"])
        self.text = text.strip()

    def openings(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Openings and closings in UTC, in order, from the last one that began before `after` could matter."""
        day = after.astimezone(self.zone).date() - self.length - 2 * _DAY
        last = (after + HORIZON).astimezone(self.zone).date()
        while day <= last:
            if day.weekday() in self.days:
                opened = self._opening(day)
                yield opened, opened + self.length
            day += _DAY

    def _opening(self, day: date) -> datetime:
        wall = datetime.combine(day, self.opens, self.zone)
        opened = wall.astimezone(timezone.utc)
        if opened.astimezone(self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            return opened
        return _first_instant_after_gap(wall)


def first_start(windows: Sequence[Window], cutoff: timedelta, now: datetime) -> tuple[datetime, datetime | None] | None:
    """The first instant, not before `now`, at which a start is allowed, and the instant from which on it is no longer.

    The windows are a union: where they touch or overlap they are one. A start is allowed from the opening up to, and not
    at, `cutoff` before the close. No end: open for as long as is looked ahead. None: never within HORIZON.
    """
    for opened, closed in _union(windows, now):
        if now >= opened and closed >= now + HORIZON:
            return now, None
        if closed - cutoff > max(opened, now):
            return max(opened, now), closed - cutoff
    return None


def _union(windows: Sequence[Window], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches in which at least one window is open, in order, without those that closed before `now`."""
    current: tuple[datetime, datetime] | None = None
    for opened, closed in merge(*(window.openings(now) for window in windows)):
        if closed <= now:
            continue
        if current is None:
            current = (opened, closed)
        elif opened <= current[1]:
            current = (current[0], max(current[1], closed))
        else:
            yield current
            current = (opened, closed)
    if current is not None:
        yield current


def _first_instant_after_gap(wall: datetime) -> datetime:
    """The instant at which the clocks jump over `wall`, a time that does not exist in its zone."""
    before = wall.replace(fold=1).astimezone(timezone.utc)
    after = wall.replace(fold=0).astimezone(timezone.utc)
    new_offset = after.astimezone(wall.tzinfo).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(wall.tzinfo).utcoffset() == new_offset:
            after = middle
        else:
            before = middle
    return after


def _minutes(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours > 24 or (hours == 24 and minutes):
        raise ValueError(f"{text} is no time of day; accepted are 00:00 to 24:00")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    if text == "*":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or part.endswith("-"):
            raise ValueError(f"{part!r} names no days; accepted are Mon, Tue, Wed, Thu, Fri, Sat, Sun, Mon-Fri and *")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; accepted are names as Asia/Shanghai or UTC") from None
