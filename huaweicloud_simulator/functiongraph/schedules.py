"""When a timer fires: `Rate` such as 3m, and `Cron` with six fields and a time zone (deploy.md 1.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS = {"m": ("minutes", 60), "h": ("hours", 24), "d": ("days", 30)}
_EVERY = re.compile(r"@every ((?P<hours>\d+)h)?((?P<minutes>\d+)m)?((?P<seconds>\d+)s)?")
_LIMITS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # second, minute, hour, day, month, weekday
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
DEFAULT_ZONE = "Asia/Shanghai"  # of the region, where a Cron names none
_FAR = timedelta(days=4 * 366)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either every `period`, or at the times of day that `fields` allow in a zone."""

    period: timedelta | None = None
    fields: tuple[frozenset[int], ...] = ()
    zone: tzinfo = timezone.utc
    any_day: bool = True  # the day of the month is * or ?
    any_weekday: bool = True

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Schedule:
        """Raises ValueError for what FunctionGraph refuses."""
        kind, text = data.get("schedule_type"), data.get("schedule")
        if not isinstance(text, str):
            raise ValueError("schedule must be a text")
        if kind == "Rate":
            return cls(_rate(text))
        if kind == "Cron":
            return _cron(text)
        raise ValueError("schedule_type must be Rate or Cron")

    def next(self, after: datetime) -> datetime | None:
        """The first firing after an instant. A rate counts from there."""
        if self.period is not None:
            return after + self.period
        day = after.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for number in range(_FAR.days):
            found = self._first_on(day + timedelta(days=number), after)
            if found is not None:
                return found
        return None

    def _first_on(self, day: datetime, after: datetime) -> datetime | None:
        if not self._is_on(day):
            return None
        seconds, minutes, hours = (sorted(one) for one in self.fields[:3])
        for hour in hours:
            if (day.replace(hour=hour, minute=59, second=59, tzinfo=self.zone)).astimezone(timezone.utc) <= after:
                continue
            for minute in minutes:
                for second in seconds:
                    local = day.replace(hour=hour, minute=minute, second=second, tzinfo=self.zone)
                    moment = local.astimezone(timezone.utc)
                    if moment > after:
                        return moment
        return None

    def _is_on(self, day: datetime) -> bool:
        """If both the day and the weekday are named, either is enough."""
        if day.month not in self.fields[4]:
            return False
        by_day, by_weekday = day.day in self.fields[3], day.isoweekday() % 7 in self.fields[5]
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


def _rate(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if found is None:
        raise ValueError(f"the rate {text} is not like 3m, 1h or 1d")
    unit, most = _UNITS[found[2]]
    if not 1 <= int(found[1]) <= most:
        raise ValueError(f"a rate in {unit} is from 1 to {most}")
    return timedelta(**{unit: int(found[1])})


def _cron(text: str) -> Schedule:
    every = _EVERY.fullmatch(text)
    if every is not None:
        period = timedelta(**{unit: int(number) for unit, number in every.groupdict(default="0").items()})
        if not period:
            raise ValueError("@every needs a length such as 1h30m")
        return Schedule(period)
    zone_name, _, rest = (
        text.removeprefix("CRON_TZ=").partition(" ") if text.startswith("CRON_TZ=") else (DEFAULT_ZONE, "", text)
    )
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"the time zone {zone_name} is unknown") from None
    parts = rest.split()
    if len(parts) != len(_LIMITS):
        raise ValueError("Cron has six fields: second, minute, hour, day, month, weekday")
    fields = tuple(_field(part, number) for number, part in enumerate(parts))
    return Schedule(None, fields, zone, parts[3] in ("*", "?"), parts[5] in ("*", "?"))


def _field(text: str, number: int) -> frozenset[int]:
    found = frozenset(value for part in text.split(",") for value in _values(part, number))
    return frozenset(value % 7 for value in found) if number == 5 else found


def _values(part: str, number: int) -> range:
    """The values of `*`, `a`, `a-b`, and each of them with `/step`."""
    low, high = _LIMITS[number]
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        raise ValueError(f"the step of {part} is no number")
    if span not in ("*", "?"):
        first, dash, last = span.partition("-")
        low, high = _number(first, number), _number(last, number) if dash else (high if slash else _number(first, number))
    return range(low, high + 1, int(step or 1))


def _number(text: str, number: int) -> int:
    names = {4: _MONTHS, 5: _DAYS}.get(number, ())
    if text.upper() in names:
        return names.index(text.upper()) + (number == 4)
    low, high = _LIMITS[number]
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(f"{text} is not from {low} to {high}")
    return int(text)
