"""When something recurs, by a rule of RFC 5545: `FREQ=MONTHLY;BYDAY=3TH`. Pure.

A rule is asked for one period after the other (days, weeks, months or years), from where a question begins to where it
ends, so that a rule without a single opening is no longer looked at than any other.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from itertools import islice, product

SHAPE = r"(?:[Rr][Rr][Uu][Ll][Ee]:)?[A-Za-z]+=[0-9A-Za-z,+-]+(?:;[A-Za-z]+=[0-9A-Za-z,+-]+)*"
_MOST_A_DAY = 96

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_OF_A_DAY = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_NUMBERS = {
    "INTERVAL": range(1, 10_000),
    "COUNT": range(1, 10_000),
    "BYMONTH": range(1, 13),
    "BYMONTHDAY": range(1, 32),
    "BYYEARDAY": range(1, 367),
    "BYWEEKNO": range(1, 54),
    "BYSETPOS": range(1, 367),
    "BYHOUR": range(24),
    "BYMINUTE": range(60),
    "BYSECOND": range(60),
}
_SINGLE = ("INTERVAL", "COUNT")
_FROM_THE_END = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_NAMES = ("FREQ", "UNTIL", "WKST", "BYDAY", *_NUMBERS)
_ONLY_WITH = {
    "BYWEEKNO": ("YEARLY",),
    "BYYEARDAY": ("YEARLY",),
    "BYMONTHDAY": ("DAILY", "MONTHLY", "YEARLY"),
}


class Rule:
    """The wall-clock times at which something opens. `opens` is the time of day where the rule names none.

    `began`: where INTERVAL and COUNT count from, and what the rule leaves open is taken from; None: it must need neither.
    `zone`: where the clocks hang, for an UNTIL in UTC.
    """

    __slots__ = ("_began", "_count", "_frequency", "_interval", "_phase", "_positions", "_times", "_until", "_wanted", "_wkst")

    def __init__(self, text: str, opens: time, began: date | None, zone: tzinfo = timezone.utc) -> None:
        """Raises ValueError with what is wrong and what is accepted."""
        parts = _parts(text)
        named = parts["FREQ"] == "DAILY" or any(name in parts for name in ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"))
        if began is not None and not named:
            _name_days(parts, began)
        numbers = {name: _numbers(name, parts[name]) for name in _NUMBERS if name in parts}
        self._frequency = parts["FREQ"]
        self._interval = numbers.get("INTERVAL", [1])[0]
        self._count = numbers["COUNT"][0] if "COUNT" in numbers else None
        if began is None and (not named or self._interval > 1 or self._count):
            raise ValueError('this rrule counts from where it began: give start a date, as "2026-01-03T23:00"')
        self._until = _until(parts["UNTIL"], zone) if "UNTIL" in parts else None
        self._wkst = _weekday("WKST", parts.get("WKST", "MO"))

        self._wanted: dict[str, frozenset[object]] = {name: frozenset(numbers[name]) for name in _OF_A_DAY if name in numbers}
        if "BYDAY" in parts:
            self._wanted["BYDAY"] = frozenset(_numbered_weekday(part) for part in parts["BYDAY"].split(","))
        self._positions = frozenset(numbers["BYSETPOS"]) if "BYSETPOS" in numbers else None
        clock = {"BYHOUR": opens.hour, "BYMINUTE": opens.minute, "BYSECOND": 0}
        named_clock = (sorted({*numbers.get(name, [own])}) for name, own in clock.items())
        self._times = [time(hour, minute, second) for hour, minute, second in product(*named_clock)]
        if len(self._times) > _MOST_A_DAY:
            raise ValueError(f"rrule opens {len(self._times)} times a day; accepted are {_MOST_A_DAY}")

        self._began = None if began is None else datetime.combine(began, opens)
        self._phase = 0 if began is None else self._period(began)[0]

    def walls(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """All from `after` on and before `before`, in order."""
        found = self._all(after, before)
        if self._began is not None:
            began = self._began
            since = self._all(began if self._count else max(began, after), before)
            found = islice((wall for wall in since if wall >= began), self._count)
        for wall in found:
            if self._until is not None and wall > self._until:
                return
            if after <= wall < before:
                yield wall

    def _all(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """From the start of the period of `begin` to the end of that of `end`, the rule's own beginning and end aside."""
        following = begin.date()
        while following <= end.date():
            number, first, following = self._period(following)
            if (number - self._phase) % self._interval == 0:
                yield from self._within(first, following)

    def _within(self, first: date, following: date) -> list[datetime]:
        days = (date.fromordinal(ordinal) for ordinal in range(first.toordinal(), following.toordinal()))
        walls = [datetime.combine(day, opens) for day in days if self._accepts(day) for opens in self._times]
        if self._positions is None:
            return walls
        return [wall for place, wall in enumerate(walls, 1) if not self._positions.isdisjoint(_places(place, len(walls)))]

    def _accepts(self, day: date) -> bool:
        return all(not wanted.isdisjoint(self._called(day, name)) for name, wanted in self._wanted.items())

    def _called(self, day: date, name: str) -> Iterable[object]:
        """What a day is called in a part of the rule; it has several names there."""
        if name == "BYMONTH":
            return (day.month,)
        if name == "BYMONTHDAY":
            return _places(*_in_month(day))
        if name == "BYYEARDAY":
            return _places(*_in_year(day))
        if name == "BYWEEKNO":
            # A week belongs to the year that has four of its days: to that of its fourth.
            return _sevenths(*_in_year(day + timedelta(days=3 - (day.weekday() - self._wkst) % 7)))
        within = _in_month if self._frequency == "MONTHLY" or "BYMONTH" in self._wanted else _in_year
        return [(number, day.weekday()) for number in (0, *_sevenths(*within(day)))]

    def _period(self, day: date) -> tuple[int, date, date]:
        """The number of the period that a day is in, its first day, and the first of the next."""
        if self._frequency == "DAILY":
            return day.toordinal(), day, day + timedelta(days=1)
        if self._frequency == "WEEKLY":
            first = day - timedelta(days=(day.weekday() - self._wkst) % 7)
            return first.toordinal() // 7, first, first + timedelta(days=7)
        if self._frequency == "MONTHLY":
            first = day.replace(day=1)
            return day.year * 12 + day.month, first, (first + timedelta(days=31)).replace(day=1)
        return day.year, date(day.year, 1, 1), date(day.year + 1, 1, 1)


def _parts(text: str) -> dict[str, str]:
    """The parts of a rule by their names, which go together."""
    if not re.fullmatch(SHAPE, text):
        raise ValueError(f"rrule {text[:80]!r} cannot be read; accepted is RFC 5545 in one line, as FREQ=MONTHLY;BYDAY=3TH")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, value = part.split("=")
        if name in parts:
            raise ValueError(f"rrule gives {name} twice")
        if name not in _NAMES:
            raise ValueError(f"rrule has no {name}; accepted are {', '.join(_NAMES)}")
        parts[name] = value
    frequency = parts.get("FREQ")
    if frequency not in _FREQUENCIES:
        raise ValueError("rrule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY; for several openings a day use BYHOUR")
    for name, accepted in _ONLY_WITH.items():
        if name in parts and frequency not in accepted:
            raise ValueError(f"rrule has {name} with FREQ={frequency}; it is accepted with {' or '.join(accepted)}")
    if re.search(r"\d", parts.get("BYDAY", "")) and (frequency in ("DAILY", "WEEKLY") or "BYWEEKNO" in parts):
        raise ValueError(f"BYDAY={parts['BYDAY']} numbers the days of a month or a year: accepted with FREQ=MONTHLY or YEARLY")
    _refuse_ambiguous(parts)
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("rrule has COUNT and UNTIL; accepted is one of them")
    if "BYSETPOS" in parts and not [name for name in parts if name.startswith("BY") and name != "BYSETPOS"]:
        raise ValueError("BYSETPOS picks from what another part names, as BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")
    return parts


def _refuse_ambiguous(parts: Mapping[str, str]) -> None:
    """A rule that RFC 5545 and common calendars read differently; from its start a calendar takes what it leaves open."""
    if parts["FREQ"] == "YEARLY" and "BYMONTHDAY" in parts and "BYMONTH" not in parts:
        given = f"FREQ=YEARLY;BYMONTHDAY={parts['BYMONTHDAY']}"
        add = "add BYMONTH, as BYMONTH=3, or write FREQ=MONTHLY"
        raise ValueError(f"{given} is every month by RFC 5545, and once a year in most calendars: {add}")
    if "BYWEEKNO" in parts and "BYDAY" not in parts:
        given = f"BYWEEKNO={parts['BYWEEKNO']}"
        add = f"add BYDAY, as BYDAY=SA, or all seven days, BYDAY={','.join(_WEEKDAYS)}"
        raise ValueError(f"{given} is all seven days by RFC 5545, and the start's weekday in most calendars: {add}")


def _name_days(parts: dict[str, str], began: date) -> None:
    """A rule that names no days recurs on such as it began on."""
    if parts["FREQ"] == "WEEKLY":
        parts["BYDAY"] = _WEEKDAYS[began.weekday()]
    else:
        parts["BYMONTHDAY"] = str(began.day)
    if parts["FREQ"] == "YEARLY":
        parts.setdefault("BYMONTH", str(began.month))


def _numbers(name: str, text: str) -> list[int]:
    """One number or several of them, within the range of the part."""
    accepted, signed = _NUMBERS[name], name in _FROM_THE_END
    written = [text] if name in _SINGLE else text.split(",")
    numbers = [int(one) for one in written if re.fullmatch(r"[+-]?[0-9]{1,4}" if signed else r"[0-9]{1,4}", one)]
    if len(numbers) < len(written) or any(abs(number) not in accepted for number in numbers):
        kind = "is a number" if name in _SINGLE else "are numbers"
        end = ", or from the end, as -1" if signed else ""
        raise ValueError(f"{name}={text} cannot be read; accepted {kind} from {accepted[0]} to {accepted[-1]}{end}")
    return numbers


def _numbered_weekday(text: str) -> tuple[int, int]:
    """`3TH` is (3, 3), the third Thursday; `TH` is (0, 3), each of them."""
    match = re.fullmatch(r"([+-]?(?:0?[1-9]|[1-4][0-9]|5[0-3]))?([A-Z]{2})", text)
    if match is None:
        raise ValueError(f"BYDAY={text} cannot be read; accepted are days of the week, as MO, 3TH or -1SU")
    return int(match[1] or 0), _weekday("BYDAY", match[2])


def _weekday(name: str, text: str) -> int:
    if text not in _WEEKDAYS:
        raise ValueError(f"{name}={text} cannot be read; accepted are {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(text)


def _until(text: str, zone: tzinfo) -> datetime:
    """By the clocks of the zone; a date is its first instant, as everywhere in a policy. A Z is UTC (RFC 5545, 3.3.10)."""
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", text)
    try:
        if match is not None:
            *numbers, in_utc = match.groups("00")
            until = datetime.fromisoformat("{}-{}-{} {}:{}:{}".format(*numbers))
            return until.replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None) if in_utc == "Z" else until
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"UNTIL={text} cannot be read; accepted are 20270131, 20270131T060000, or 20270130T220000Z in UTC")


def _in_month(day: date) -> tuple[int, int]:
    """Which day it is, and of how many."""
    return day.day, monthrange(day.year, day.month)[1]


def _in_year(day: date) -> tuple[int, int]:
    return day.timetuple().tm_yday, 366 if isleap(day.year) else 365


def _places(number: int, total: int) -> tuple[int, int]:
    """The place from the start, and from the end: of seven, the third is also the -5th."""
    return number, number - total - 1


def _sevenths(number: int, total: int) -> tuple[int, int]:
    """Which one of its weekday it is, from the start and from the end."""
    return (number - 1) // 7 + 1, -((total - number) // 7) - 1
