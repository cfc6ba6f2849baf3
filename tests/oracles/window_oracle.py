"""When windows are open, found by walking the clock: no arithmetic on local times, no search, no calendar library.

A clock is walked minute by minute in UTC and asked what it shows; a local time is never turned into an instant. What the
walk writes down is, for every local minute, the UTC minute at which it is first shown or, where the clocks jump over it, the
first minute after the jump. Windows then paint their minutes on a line, and all questions are read off the line: windows
that touch are one because their paint is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = 24 * 60


@dataclass(frozen=True)
class Nominal:
    """A window, as written and as meant: it opens on the days that `on` accepts, at each of `opens`, minutes of the day.

    `length` is in minutes.
    """

    written: str | Mapping[str, str]
    zone: str
    on: Callable[[date], bool]
    opens: Sequence[int]
    length: int


class Span:
    """The minutes from `begin`, a whole minute, up to `begin` + `count` minutes, and what the clocks show at each."""

    def __init__(self, begin: datetime, count: int) -> None:
        self.minutes = [begin + index * MINUTE for index in range(count)]
        self._clocks: dict[str, dict[int, int]] = {}

    def clock(self, zone: str) -> dict[int, int]:
        """For every local minute, counted from the year 1: the first index at which it is shown, or just jumped over."""
        if zone not in self._clocks:
            self._clocks[zone] = self._walked(ZoneInfo(zone))
        return self._clocks[zone]

    def _walked(self, where: ZoneInfo) -> dict[int, int]:
        first: dict[int, int] = {}
        previous = None
        for index, minute in enumerate(self.minutes):
            local = minute.astimezone(where)
            assert local.second == 0
            shown = local.toordinal() * DAY + local.hour * 60 + local.minute
            if previous is not None:
                for skipped in range(previous + 1, shown):
                    first.setdefault(skipped, index)
            first.setdefault(shown, index)
            previous = shown
        return first

    def openings(self, window: Nominal) -> list[int]:
        clock = self.clock(window.zone)
        days = range(min(clock) // DAY, max(clock) // DAY + 1)
        walls = (day * DAY + opens for day in days if window.on(date.fromordinal(day)) for opens in window.opens)
        return sorted(clock[wall] for wall in walls if wall in clock)


@dataclass(frozen=True)
class Start:
    """Where the next start is allowed, and from where on it is too late again; None: not within the span."""

    start: datetime
    before: datetime | None


def starts(
    span: Span, windows: Sequence[Nominal], cutoff: int, freezes: Sequence[tuple[datetime, datetime]] = ()
) -> list[Start | None]:
    """For every minute of the span the first start that is allowed from it on; None: none within the span.

    Blind to windows that opened before the span. A start is allowed as long as the windows are open now and stay open,
    without a minute's break, for `cutoff` minutes more; so that nothing is known about the span's last `cutoff` minutes.
    A freeze, of whole minutes, wipes the paint off. No windows: all is painted, and the span's end is no edge.
    """
    count = len(span.minutes)
    painted = bytearray(count) if windows else bytearray(b"\1" * count)
    for window in windows:
        for opened in span.openings(window):
            closed = min(opened + window.length, count)
            painted[opened:closed] = b"\1" * (closed - opened)

    for begin, until in freezes:
        for index, minute in enumerate(span.minutes):
            if begin <= minute < until:
                painted[index] = 0

    found: list[Start | None] = [None] * count
    following: Start | None = None
    end = None
    for index in range(count - 1, -1, -1):
        if not painted[index]:
            end = index
        elif end is None or index < end - cutoff:
            before = None if end is None else span.minutes[end - cutoff]
            following = Start(span.minutes[index], before)
        found[index] = following
    return found
