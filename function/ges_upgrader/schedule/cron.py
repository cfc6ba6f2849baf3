"""When the timers of the function fire, by their schedules (functiongraph.md, TIMER). Pure.

    3m, 1h, 1d                       a rate, or `@every 1h30m`, counted from an unknown instant
    0 15 2 * * ?                     second, minute, hour, day of the month, month, day of the week
    CRON_TZ=Asia/Shanghai 0 15 2 * * ?

A schedule that names no zone fires in that of the function's region (deploy.md 1.4). The list of timers serves warnings alone:
what looks like a schedule is never refused, also if it says more than is read here (`0 0 2 L * ?`, `15W`, `6#1`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ges_upgrader.domain.duration import Duration
from ges_upgrader.schedule.wallclock import instant
from ges_upgrader.schedule.zones import named

_NAMES = {
    **{name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))},
    **{
        name: number
        for number, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)
    },
}
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CLOCK_CHANGE = timedelta(hours=2)  # more than any


_FIELD = re.compile(r"[0-9A-Za-z*?,/#-]+", re.ASCII)


class Timer:
    """A schedule, or a rate: `every` is its period. Raises ValueError for what is neither.

    `zone` is the one that it names; None: that of the region. `unread` is what cannot be read of it.
    """

    __slots__ = ("_fields", "every", "text", "unread", "zone")

    def __init__(self, value: object) -> None:
        if not isinstance(value, str):
            raise ValueError("expected a schedule, as 30m or `0 15 2 * * ?`")
        self.text = value
        self.zone, self.unread = None, ""
        text = value.strip()
        in_zone = re.match(r"CRON_TZ=(\S+)\s+", text)
        if in_zone:
            self.zone, text = named(in_zone[1]), text[in_zone.end() :]
            self.unread = "" if self.zone else f"{in_zone[1]} is no IANA time zone"
        self.every = _every(text)
        fields = text.split()[:6]
        if self.every is None and (len(fields) < 6 or not all(map(_FIELD.fullmatch, fields))):
            raise ValueError("expected a schedule of six fields, as `0 15 2 * * ?`, or a rate, as 30m")
        self._fields: list[frozenset[int]] = []
        if self.every is None:
            try:
                self._fields = [_numbers(field, *bounds) for field, bounds in zip(fields, _RANGES)]
            except ValueError as error:
                self.unread = self.unread or str(error)

    @property
    def readable(self) -> bool:
        return not self.unread

    def meets(self, begin: datetime, end: datetime, where: ZoneInfo | None = None) -> bool:
        """Whether it is sure to fire in [begin, end)."""
        if self.every is not None:
            return end - begin >= self.every
        return any(True for _ in self.firings(begin, end, where))

    def firings(self, begin: datetime, end: datetime, where: ZoneInfo | None = None) -> Iterator[datetime]:
        """The instants in [begin, end) at which a schedule fires, `where` in the region's zone if it names none.

        Those of a rate, of what cannot be read, and of what has no known zone cannot be known.
        """
        where = self.zone or where
        if self.every is not None or not self.readable or where is None:
            return
        seconds, minutes, hours, days, months, weekdays = self._fields
        first, last = (at.astimezone(where).replace(tzinfo=None) for at in (begin, end))
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        while instant(day, where) < end:
            if day.day in days and day.month in months and {day.isoweekday() % 7, day.isoweekday()} & weekdays:
                for hour in sorted(hours):
                    if not first - _CLOCK_CHANGE < day.replace(hour=hour, minute=59) < last + _CLOCK_CHANGE:
                        continue
                    for minute in sorted(minutes):
                        at = instant(day.replace(hour=hour, minute=minute, second=min(seconds)), where)
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
            raise ValueError(f"{field!r} cannot be read as a field of a schedule") from None
        if not (low <= begin <= high and low <= end <= high and stride >= 1):
            raise ValueError(f"{field!r} is out of its range, {low} to {high}")
        whole = [*range(begin, end + 1)] if begin <= end else [*range(begin, high + 1), *range(low, end + 1)]  # 22-2
        numbers.update(whole[::stride])
    return frozenset(numbers)


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)
