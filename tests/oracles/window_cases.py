"""Windows around a change of the clocks: they open before, in, at both edges of and after what is skipped or repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .transitions import Change
from .window_oracle import DAY, Nominal

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LENGTHS = (1, 15, 60, 4 * 60, DAY - 1, DAY, 26 * 60)
_CUTOFFS = (0, 10, 30)


@dataclass(frozen=True)
class Case:
    """Windows whose union is looked at, and a cutoff in minutes."""

    windows: tuple[Nominal, ...]
    cutoff: int

    def __str__(self) -> str:
        return f"{' + '.join(str(window.written) for window in self.windows)}, cutoff {self.cutoff}m"


def cases(zone: str, change: Change) -> list[Case]:
    """Always as many, in the same order. Where the clocks do not change, the hour after `at` stands for what they skip."""
    walls = sorted((change.at + offset).replace(tzinfo=None) for offset in (change.before, change.after))
    low, high = walls[0], walls[1] if walls[0] < walls[1] else walls[0] + timedelta(hours=1)
    single = [*_at_the_edges(zone, low, high), *_over_midnight(zone, low, high), *_by_rule(zone, low, high)]
    found = [Case((window,), min(_CUTOFFS[index % 3], window.length - 1)) for index, window in enumerate(single)]
    never = _ruled(
        zone, "FREQ=DAILY;COUNT=2", f"{low:%Y-%m-%dT%H:%M}", 30, _days(low.date(), 0, 1), (low.hour * 60 + low.minute,)
    )
    found.append(Case((never,), 30))
    return found + [Case(windows, _CUTOFFS[index % 3]) for index, windows in enumerate(_unions(zone, low, high, change.at))]


def _at_the_edges(zone: str, low: datetime, high: datetime) -> Iterator[Nominal]:
    """Every opening with every length, in turn on that day alone, on it and the next, on it and before, and on every day."""
    jump = _minutes(high - low)
    places = (
        (low, -75),
        (low, -15),
        (low, -1),
        (low, 0),
        (low, 1),
        (low, jump // 2),
        (high, -1),
        (high, 0),
        (high, 1),
        (high, 45),
    )
    turn = 0
    for wall, distance in places:
        opens = wall + timedelta(minutes=distance)
        for length in (*_LENGTHS, jump):
            days = ((0,), (0, 1), (-1, 0), range(7))[turn % 4]
            yield _window(zone, opens, length, days)
            turn += 1
        turn += 1


def _over_midnight(zone: str, low: datetime, high: datetime) -> Iterator[Nominal]:
    for day in (-1, 0, 1):
        midnight = datetime.combine(low.date(), datetime.min.time()) + timedelta(days=day)
        for opens, length in ((23 * 60, 120), (23 * 60 + 30, 45), (DAY - 1, 2), (0, 30), (0, DAY)):
            yield _window(zone, midnight + timedelta(minutes=opens), length, (0,))
    midnight = datetime.combine(high.date(), datetime.min.time())
    yield _window(zone, midnight, DAY, range(7))
    yield _window(zone, midnight + timedelta(hours=22), 4 * 60, range(7))
    # It closes, by the clock, inside what is skipped or repeated.
    closing = low + (high - low) / 2
    opening = datetime.combine(low.date(), datetime.min.time()) - timedelta(hours=1)
    yield _window(zone, opening, _minutes(closing - opening), (0,))


def _by_rule(zone: str, low: datetime, high: datetime) -> Iterator[Nominal]:
    inside = low + timedelta(minutes=_minutes(high - low) // 2)
    for opens in (low, inside, high):
        day, minute = opens.date(), opens.hour * 60 + opens.minute
        week = {(opens.weekday() + step) % 7 for step in (-1, 0, 1)}
        by_day = ",".join(_NAMES[one][:2].upper() for one in sorted(week))
        at = opens.strftime("%H:%M")
        yield _ruled(zone, f"FREQ=DAILY;BYDAY={by_day}", at, 26 * 60, _weekly(week), (minute,))
        yield _ruled(zone, f"FREQ=WEEKLY;BYDAY={by_day}", at, 90, _weekly(week), (minute,))
        yield _ruled(zone, "FREQ=DAILY", at, 15, lambda _: True, (minute,))
        nth = (day.day - 1) // 7 + 1
        rule = f"FREQ=MONTHLY;BYDAY={nth}{_NAMES[opens.weekday()][:2].upper()}"
        yield _ruled(zone, rule, at, 3 * 60, _nth(opens.weekday(), nth), (minute,))
        yield _ruled(zone, f"FREQ=MONTHLY;BYMONTHDAY={day.day}", at, DAY + 60, _day_of_month(day.day), (minute,))
        yield _ruled(zone, "FREQ=DAILY;COUNT=2", f"{day}T{at}", 60, _days(day, 0, 1), (minute,))
        began = day - timedelta(days=4)
        yield _ruled(zone, "FREQ=DAILY;INTERVAL=2", f"{began}T{at}", 120, _every_second(began), (minute,))
        yield _ruled(zone, f"FREQ=DAILY;UNTIL={day:%Y%m%d}T{opens:%H%M}00", f"{began}T{at}", 60, _until(began, day), (minute,))
    several = sorted({low.hour, inside.hour, high.hour})
    rule = f"FREQ=DAILY;BYHOUR={','.join(map(str, several))}"
    yield _ruled(zone, rule, f"00:{inside.minute:02}", 20, lambda _: True, [hour * 60 + inside.minute for hour in several])


def _unions(zone: str, low: datetime, high: datetime, at: datetime) -> Iterator[tuple[Nominal, ...]]:
    jump = _minutes(high - low)
    hour = timedelta(hours=1)

    def local(opens: datetime, length: int) -> Nominal:
        return _window(zone, opens, length, (0,))

    def other(opens: datetime, length: int) -> Nominal:
        return _window("UTC", opens.replace(tzinfo=None), length, (0,))

    before = local(low - hour, 60)
    yield before, local(low, 30)
    yield before, local(high, 60)
    yield before, local(high - timedelta(minutes=1), 60), local(high + hour, 60)
    yield local(low, jump), local(high, jump)
    yield local(low - 2 * hour, 180), local(low + timedelta(minutes=jump // 2), 60)
    yield local(low - hour, 61), local(low, 1)
    yield before, other(at, 45)
    yield other(at - hour, 60), local(low, 45)
    yield other(at - hour, 60), local(high, 45)
    yield other(at - 3 * hour, 180), other(at, 1), local(high, 30)
    yield _window(zone, low, DAY, range(7)), _window(zone, low + 12 * hour, DAY, range(7))
    yield _window(zone, datetime.combine(low.date(), datetime.min.time()), DAY, range(7)), other(at - hour, 30)
    yield _window(zone, low - 2 * hour, 120, range(7)), _window("Asia/Shanghai", low, 600, range(7)), local(high, 15)


def _window(zone: str, opens: datetime, length: int, days: Iterable[int]) -> Nominal:
    """In the short form where it can say it. `days` count from that of `opens`."""
    week = {(opens.weekday() + day) % 7 for day in days}
    names = [_NAMES[day] for day in sorted(week)]
    minute = opens.hour * 60 + opens.minute
    closes = (minute + length) % DAY
    written: str | dict[str, str]
    if length < DAY or (length == DAY and minute == 0):
        text = "*" if len(week) == 7 else ",".join(names)
        written = f"{text} {_clock(minute)}-{_clock(closes or DAY)} {zone}"
        return Nominal(written, zone, _weekly(week), (minute,), length)
    rule = f"FREQ=DAILY;BYDAY={','.join(name[:2].upper() for name in names)}"
    return _ruled(zone, rule, _clock(minute), length, _weekly(week), (minute,))


def _ruled(zone: str, rule: str, start: str, length: int, on: Callable[[date], bool], opens: Iterable[int]) -> Nominal:
    written = {"rrule": rule, "start": start, "duration": f"{length}m", "timezone": zone}
    return Nominal(written, zone, on, tuple(opens), length)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)


def _weekly(week: set[int]) -> Callable[[date], bool]:
    return lambda day: day.weekday() in week


def _nth(weekday: int, nth: int) -> Callable[[date], bool]:
    return lambda day: day.weekday() == weekday and 7 * nth - 6 <= day.day <= 7 * nth


def _day_of_month(number: int) -> Callable[[date], bool]:
    return lambda day: day.day == number


def _days(first: date, *after: int) -> Callable[[date], bool]:
    return lambda day: (day - first).days in after


def _every_second(first: date) -> Callable[[date], bool]:
    return lambda day: day >= first and (day - first).days % 2 == 0


def _until(first: date, last: date) -> Callable[[date], bool]:
    return lambda day: first <= day <= last
