"""When: maintenance windows. What they leave of the time together with freezes is in `calendars.py`.

The rule: a window opens at a wall-clock time and lasts an elapsed time. An opening that a clock change skips moves to the
first instant that exists; one that it repeats opens once, at the first. A window over midnight belongs to the day on
which it opens.

    Sat,Sun 02:00-06:00 Asia/Shanghai     four hours from 02:00 on Saturdays and on Sundays
    Mon-Fri 22:00-02:00 Europe/Berlin     Friday's closes on Saturday at 02:00
    always
    {rrule: "FREQ=MONTHLY;BYDAY=3TH", start: "23:00", duration: 3h, timezone: Asia/Shanghai}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Protocol

from ges_upgrader.domain.duration import Duration, spelled
from ges_upgrader.schedule.recurrence import Rule
from ges_upgrader.schedule.wallclock import DATE, TIME, instant
from ges_upgrader.schedule.zones import zone

HORIZON = timedelta(days=400)
LONGEST = timedelta(days=366)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SHORT_FORM = re.compile(r"(?P<days>\S+)\s+(?P<open>\d\d:\d\d)-(?P<close>\d\d:\d\d)\s+(?P<zone>\S.*)", re.ASCII)
_START = re.compile(rf"(?:(?P<date>{DATE})[T ])?(?P<time>{TIME})")
_DAY = timedelta(days=1)
EVER = (datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc))


class Recurrence(Protocol):
    """The wall-clock times at which a window opens."""

    def walls(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """Naive, in order, from `after` on and before `before`."""


class Window:
    """A recurring window; `text` is what the operator wrote. `recurrence` None: always open."""

    __slots__ = ("length", "recurrence", "text", "zone")

    def __init__(self, written: object) -> None:
        """Raises ValueError with what is wrong and what is accepted."""
        self.recurrence: Recurrence | None
        if isinstance(written, Mapping):
            self.recurrence, self.length, self.zone = _recurring(written)
            self.text = "; ".join(f"{name} {value}" for name, value in sorted(written.items()))
        elif isinstance(written, str):
            self.text = " ".join(written.split())
            always = self.text == "always"
            self.recurrence, self.length, self.zone = (None, HORIZON, timezone.utc) if always else _short(self.text)
        else:
            raise ValueError("a window is a text, as `Sun 02:00-06:00 Asia/Shanghai`, or {rrule, start, duration, timezone}")

    def openings(self, after: datetime, end: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
        """Openings and closings in UTC, in order, from before the first that could still be open at `after`.

        To `end`; where none is given, for HORIZON.
        """
        if self.recurrence is None:
            yield EVER
            return
        end = end or after + HORIZON
        first, last = (at.astimezone(self.zone).replace(tzinfo=None) for at in (after, end))
        for wall in self.recurrence.walls(first - self.length - 2 * _DAY, last + 2 * _DAY):
            opened = instant(wall, self.zone)
            if opened > end:
                return
            yield opened, opened + self.length


class _Weekly:
    """The short form: a time of day on some days of the week; Monday is 0."""

    __slots__ = ("_days", "_opens")

    def __init__(self, days: frozenset[int], opens: time) -> None:
        self._days, self._opens = days, opens

    def walls(self, after: datetime, before: datetime) -> Iterator[datetime]:
        wall = datetime.combine(after.date(), self._opens)
        while wall < before:
            if wall.weekday() in self._days and wall >= after:
                yield wall
            wall += _DAY


def _short(text: str) -> tuple[Recurrence, timedelta, Any]:
    """The short form. An error says what was likely meant."""
    try:
        return _parsed(text)
    except ValueError as error:
        hint = _hint(text)
        if hint is None:
            raise
        raise ValueError(f"{error}; {hint}") from None


def _hint(text: str) -> str | None:
    from ges_upgrader.schedule.window_hints import meant

    found = meant(text)
    if found is None:
        return None
    window, where = found
    if not where:
        return f"did you mean `{window} <zone>`, as `{window} Asia/Shanghai`?"
    try:
        _parsed(f"{window} {where}")
    except ValueError as error:
        return None if text == f"{window} {where}" else str(error)
    return f"did you mean `{window} {where}`?"


def _parsed(text: str) -> tuple[Recurrence, timedelta, Any]:
    match = _SHORT_FORM.fullmatch(text)
    if match is None:
        raise ValueError("a window is `<days> <opens>-<closes> <zone>`, as `Sat,Sun 02:00-06:00 Asia/Shanghai`, or `always`")
    opens, closes = _minutes(match["open"]), _minutes(match["close"])
    if opens == 24 * 60:
        raise ValueError("a window opens at 23:59 at the latest; 24:00 is accepted as its close")
    if opens == closes:
        raise ValueError("a window that closes when it opens is empty or a day: write 00:00-24:00 for a day")
    length = timedelta(minutes=(closes - opens) % (24 * 60) or 24 * 60)
    return _Weekly(_days(match["days"]), time(opens // 60, opens % 60)), length, zone(match["zone"])


def _recurring(written: Mapping[str, object]) -> tuple[Recurrence, timedelta, Any]:
    names = ("rrule", "start", "duration", "timezone")
    if set(written) != set(names):
        raise ValueError(f"a window by rule has {', '.join(names)}, all of them and nothing else")
    length = Duration.parse(written["duration"])
    if not length:
        raise ValueError("a window has a duration of more than nothing")
    if length > LONGEST:
        raise ValueError(f"a window lasts at most {spelled(LONGEST)}; accepted for one without an end is always")
    where = zone(written["timezone"])
    text, start = written["rrule"], written["start"]
    if not isinstance(text, str) or not isinstance(start, str):
        raise ValueError("rrule and start are texts in quotes")
    match = _START.fullmatch(start)
    if match is None:
        local = 'a local date from 2000 to 2099 with its time, as "2026-01-03T23:00"'
        raise ValueError(f'start is a time of day, as "23:00", or {local}')
    try:
        began = date.fromisoformat(match["date"]) if match["date"] else None
    except ValueError:
        raise ValueError(f"start {start}: there is no such day") from None
    return Rule(text, time.fromisoformat(match["time"]), began, where), length, where


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
        if first not in DAYS or (last or first) not in DAYS or part.endswith("-"):
            raise ValueError(f"{part!r} names no days; accepted are Mon, Tue, Wed, Thu, Fri, Sat, Sun, Mon-Fri and *")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)
