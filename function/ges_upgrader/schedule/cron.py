"""When the timers of the function fire, by their schedules (functiongraph.md, TIMER). Pure.

    3m, 1h, 1d                       a rate, or `@every 1h30m`, counted from an instant that nobody knows
    0 15 2 * * ?                     second, minute, hour, day of the month, month, day of the week
    CRON_TZ=Asia/Shanghai 0 15 2 * * ?

The zone of a schedule that names none is not documented; it is taken as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ges_upgrader.domain.duration import Duration
from ges_upgrader.schedule.wallclock import instant
from ges_upgrader.schedule.zones import zone

_NAMES = {
    **{name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))},
    **{
        name: number
        for number, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)
    },
}
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CLOCK_CHANGE = timedelta(hours=2)  # more than any


class Timer:
    """A schedule, or a rate: `every` is its period. Raises ValueError for one that cannot be read."""

    __slots__ = ("_fields", "_zone", "every", "text")

    def __init__(self, value: object) -> None:
        if not isinstance(value, str):
            raise ValueError("expected a schedule, as 30m or `0 15 2 * * ?`")
        self.text = value
        self._zone = ZoneInfo("UTC")
        text = value.strip()
        named = re.match(r"CRON_TZ=(\S+)\s+", text)
        if named:
            self._zone, text = zone(named[1]), text[named.end() :]
        self.every = _every(text)
        fields = text.split()[:6]
        if self.every is None and len(fields) < 6:
            raise ValueError("expected a schedule of six fields, as `0 15 2 * * ?`, or a rate, as 30m")
        self._fields = [] if self.every else [_numbers(field, *bounds) for field, bounds in zip(fields, _RANGES)]

    def meets(self, begin: datetime, end: datetime) -> bool:
        """Whether it is sure to fire in [begin, end)."""
        if self.every is not None:
            return end - begin >= self.every
        return any(True for _ in self.firings(begin, end))

    def firings(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in [begin, end) at which a schedule fires; those of a rate cannot be known."""
        if self.every is not None:
            return
        seconds, minutes, hours, days, months, weekdays = self._fields
        first, last = (at.astimezone(self._zone).replace(tzinfo=None) for at in (begin, end))
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        while instant(day, self._zone) < end:
            if day.day in days and day.month in months and {day.isoweekday() % 7, day.isoweekday()} & weekdays:
                for hour in sorted(hours):
                    if not first - _CLOCK_CHANGE < day.replace(hour=hour, minute=59) < last + _CLOCK_CHANGE:
                        continue
                    for minute in sorted(minutes):
                        at = instant(day.replace(hour=hour, minute=minute, second=min(seconds)), self._zone)
                        if begin <= at < end:
                            yield at
            day += timedelta(days=1)


def _every(text: str) -> timedelta | None:
    rate = re.fullmatch(r"(?:@every\s+)?((?:\d+[smhd])+)", text)
    if rate is None:
        return None
    every = sum((Duration.parse(part) for part in re.findall(r"\d+[smhd]", rate[1])), timedelta())
    if not every:
        raise ValueError("a timer cannot fire every nothing")
    return every


def _numbers(field: str, low: int, high: int) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        every = first in ("*", "?")
        try:
            begin = low if every else _number(first)
            end = high if every or (step and not last) else _number(last or first)
            stride = int(step or 1)
        except ValueError:
            raise ValueError(f"{field!r} is no field of a schedule") from None
        if not (low <= begin <= end <= high and stride >= 1):
            raise ValueError(f"{field!r} is out of its range, {low} to {high}")
        numbers.update(range(begin, end + 1, stride))
    return frozenset(numbers)


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)
