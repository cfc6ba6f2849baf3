"""A calendar as text: a line a rule, a letter a day, four weeks beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from rich.console import Console

from ges_upgrader.policy.schema import Policy, Rule
from ges_upgrader.schedule.calendars import Calendar
from ges_upgrader_cli.shown.results import instant
from ges_upgrader_cli.shown.times import zone_of

_WEEKS, _WEEK, _DAY = 4, timedelta(days=7), timedelta(days=1)
_LEGEND = "U upgrades start, w window, s soak, F freeze, . nothing can start; days are those of the rule's zone"


def show_calendar(out: Console, policy: Policy, starts: Iterable[Mapping[str, Any]], now: datetime, days: int) -> None:
    """The weeks from now on. `starts` are those of a forecast."""
    rows = {rule.name: _Row(policy, rule, list(starts), now) for rule in policy.rules}
    width = min(20, max(map(len, rows)) + 2)
    first = now.date() - timedelta(days=now.weekday())
    end = (now + timedelta(days=days)).date()
    while first < end:
        weeks = [first + number * _WEEK for number in range(_WEEKS) if first + number * _WEEK < end]
        out.print("\n" + " " * width + " ".join(f"{week.day:>2} {week:%b} " for week in weeks).rstrip(), soft_wrap=True)
        out.print(" " * width + " ".join(["MTWTFSS"] * len(weeks)), style="dim", soft_wrap=True)
        for name, row in rows.items():
            letters = (row.letters(week, end) for week in weeks)
            out.print(f"{name[: width - 2]:<{width}}{' '.join(letters)}".rstrip(), soft_wrap=True)
        first += _WEEKS * _WEEK
    out.print(f"\n{_LEGEND}\n" if out.width > len(_LEGEND) else f"\n{_LEGEND.replace('; ', chr(10))}\n", soft_wrap=True)


class _Row:
    def __init__(self, policy: Policy, rule: Rule, starts: list[Mapping[str, Any]], now: datetime) -> None:
        self._zone: tzinfo = zone_of(rule)
        self._today = now.astimezone(self._zone).date()
        frozen = [freeze.held for freeze in policy.freezes_of(rule.name)]
        self._open = Calendar(rule.windows, timedelta(), (), now)
        self._free = Calendar(rule.windows, timedelta(), frozen, now)
        self._starts = {self._day(one["at"]) for one in starts if one["rule"] == rule.name}
        before = [instant(one["at"]) for one in starts if one["rule"] in rule.after]
        self._soaks = [(at, at + rule.soak) for at in before] if rule.soak else []

    def letters(self, week: date, end: date) -> str:
        return "".join(self._letter(week + number * _DAY, end) for number in range(7))

    def _letter(self, day: date, end: date) -> str:
        if day < self._today or day >= end:
            return " "
        begin = datetime.combine(day, time(), self._zone)
        close = datetime.combine(day + _DAY, time(), self._zone)
        if day in self._starts:
            return "U"
        if not _opens(self._open, begin, close):
            return "s" if self._soaking(begin, close) else "."
        if not _opens(self._free, begin, close):
            return "F"
        return "s" if self._soaking(begin, close) else "w"

    def _soaking(self, begin: datetime, end: datetime) -> bool:
        return any(first < end and last >= end for first, last in self._soaks)

    def _day(self, text: str) -> date:
        return instant(text).astimezone(self._zone).date()


def _opens(calendar: Calendar, begin: datetime, end: datetime) -> bool:
    opening = calendar.first(begin)
    return opening is not None and opening.start < end
