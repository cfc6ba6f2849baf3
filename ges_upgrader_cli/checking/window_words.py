"""A window in words: `Saturdays and Sundays, 02:00 to 06:00 (Asia/Shanghai)`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ges_upgrader.schedule.windows import DAYS, Window

_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
_MONTH_NAMES = (*_MONTHS, "November", "December")
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_PERIODS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_SAID = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "UNTIL", "COUNT", "WKST"}
_SHORT = re.compile(r"(\S+) (\d\d:\d\d)-(\d\d:\d\d) (\S+)")
_BY_RULE = re.compile(r"duration (?P<duration>\S+); rrule (?P<rrule>.+); start (?P<start>.+); timezone (?P<timezone>\S+)")


def in_words(window: Window) -> str:
    """What the window says, for a person to compare with what was meant."""
    if window.recurrence is None:
        return "always"
    short = _SHORT.fullmatch(window.text)
    if short is not None:
        days, opens, closes, zone = short.groups()
        over = " the next day" if closes <= opens else ""
        return f"{_weekly(days)}, {opens} to {closes}{over} ({zone})"
    written = written_form(window)
    return _by_rule(written) if isinstance(written, Mapping) else written


def written_form(window: Window) -> str | dict[str, str]:
    """The window as a policy takes it."""
    match = _BY_RULE.fullmatch(window.text)
    return window.text if match is None else {name: match[name] for name in ("rrule", "start", "duration", "timezone")}


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _weekly(days: str) -> str:
    if days == "*":
        return "every day"
    parts = []
    for part in days.lower().split(","):
        first, _, last = part.partition("-")
        begin = _NAMES[DAYS.index(first)]
        parts.append(f"{begin} to {_NAMES[DAYS.index(last)]}" if last else f"{begin}s")
    return listed(parts)


def _by_rule(written: Mapping[str, str]) -> str:
    text, start = written["rrule"].upper().removeprefix("RRULE:"), written["start"]
    parts = dict(part.split("=", 1) for part in text.split(";"))
    date, _, clock = start.replace(" ", "T").rpartition("T")
    when = _recurring(parts, date) if set(parts) <= _SAID else f"by the rule {text}"
    if date and (parts.get("INTERVAL", "1") != "1" or "COUNT" in parts):
        when += f", counted from {date}"
    return f"{when}, from {clock} for {written['duration']} ({written['timezone']})"


def _recurring(parts: Mapping[str, str], date: str) -> str:
    period, step = _PERIODS[parts["FREQ"]], int(parts.get("INTERVAL", "1"))
    days = [*_weekdays(parts.get("BYDAY", "")), *_month_days(parts.get("BYMONTHDAY", ""))]
    every = f"every {period}" if step == 1 else f"every second {period}" if step == 2 else f"every {step} {period}s"
    if days and period in ("month", "year"):
        when = f"{listed(days)} of {every}"
    else:
        when = f"{every} on {listed(days)}" if days else every
    if "BYMONTH" in parts:
        when += f" in {listed([_MONTH_NAMES[int(month) - 1] for month in parts['BYMONTH'].split(',')])}"
    if "UNTIL" in parts:
        until = parts["UNTIL"]
        when += f", until {until[:4]}-{until[4:6]}-{until[6:8]}"
    return f"{when}, {parts['COUNT']} times in all" if "COUNT" in parts else when


def _weekdays(text: str) -> list[str]:
    return [_weekday(*match.groups()) for match in re.finditer(r"([+-]?\d+)?([A-Z]{2})", text)]


def _weekday(number: str | None, code: str) -> str:
    name = _NAMES[_CODES.index(code)]
    return f"the {_ordinal(int(number))} {name}" if number else name


def _month_days(text: str) -> list[str]:
    numbers = [int(number) for number in text.split(",")] if text else []
    return [f"day {number}" if number > 0 else f"the {_ordinal(number)} day" for number in numbers]


def _ordinal(number: int) -> str:
    if number < 0:
        return "last" if number == -1 else f"{_ordinal(-number)}-last"
    return _ORDINALS[number] if number < len(_ORDINALS) else f"{number}th"
