"""Rules of RFC 5545: as its own examples say, as dateutil and libical have them, and never without an end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from unittest.mock import patch

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.schedule.recurrence import Rule
from tests.oracles import libical

TWO = time(2)
FROM, TO = datetime(2026, 11, 23), datetime(2028, 1, 1)
WORKDAYS = "BYDAY=MO,TU,WE,TH,FR"


def days(rule: str, began: str | None = None, begin: datetime = FROM, end: datetime = TO) -> list[str]:
    return [f"{wall:%Y-%m-%d}" for wall in Rule(rule, TWO, date.fromisoformat(began) if began else None).walls(begin, end)]


@pytest.mark.parametrize(
    ("rule", "began", "first"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "2027-08-03", ["2027-08-03", "2027-08-08", "2027-08-17"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "2027-08-03", ["2027-08-03", "2027-08-15", "2027-08-17"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", None, ["2027-08-13"]),
        ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", None, ["2026-12-12", "2027-01-09", "2027-02-13"]),
        (f"FREQ=MONTHLY;{WORKDAYS};BYSETPOS=-2", None, ["2026-11-27", "2026-12-30", "2027-01-28"]),
        ("FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", None, ["2026-12-03", "2027-01-07", "2027-02-04"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", None, ["2026-11-28", "2026-12-29", "2027-01-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", None, ["2026-11-30", "2026-12-01", "2026-12-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,3TH", None, ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14", "2026-12-17"]),
        ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2027-01-15", ["2027-01-15", "2027-01-30", "2027-02-15", "2027-03-15"]),
        ("FREQ=MONTHLY;BYDAY=1MO", None, ["2026-12-07", "2027-01-04", "2027-02-01"]),
        ("FREQ=MONTHLY;BYDAY=-2MO", None, ["2026-11-23", "2026-12-21", "2027-01-18"]),
        ("FREQ=YEARLY;BYDAY=20MO", None, ["2027-05-17"]),
        ("FREQ=YEARLY;BYDAY=53FR", None, ["2027-12-31"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", None, ["2027-05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;WKST=TU", None, ["2027-01-04"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU,SA;WKST=MO", None, ["2027-01-09", "2027-01-10"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU,SA;WKST=SU", None, ["2027-01-03", "2027-01-09"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", None, ["2027-03-04", "2027-03-11"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=1TH", None, ["2027-11-04"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", None, ["2026-12-31", "2027-12-31"]),
        ("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100", "2024-01-01", ["2027-01-01", "2027-04-10"]),
        ("FREQ=YEARLY", "2020-12-05", ["2026-12-05", "2027-12-05"]),
        ("FREQ=YEARLY;BYMONTH=6,7", "2020-12-10", ["2027-06-10", "2027-07-10"]),
        ("FREQ=MONTHLY;INTERVAL=18", "2025-06-10", ["2026-12-10"]),
        ("FREQ=DAILY;BYMONTH=1", None, ["2027-01-01", "2027-01-02"]),
        ("FREQ=DAILY;UNTIL=20261124", None, ["2026-11-23"]),
        ("FREQ=DAILY;UNTIL=20261124T020000", None, ["2026-11-23", "2026-11-24"]),
    ],
)
def test_a_rule_means_what_rfc_5545_says(rule: str, began: str | None, first: list[str]) -> None:
    found = days(rule, began)
    assert found[: len(first)] == first
    assert len(found) == len(first) or "UNTIL" not in rule


def test_the_last_day_of_a_leap_year_is_its_last() -> None:
    assert days("FREQ=YEARLY;BYYEARDAY=-1", None, TO, datetime(2030, 1, 1)) == ["2028-12-31", "2029-12-31"]


def test_a_count_counts_from_where_the_rule_began_and_not_from_the_question() -> None:
    assert days("FREQ=DAILY;COUNT=3", "2026-11-22") == ["2026-11-23", "2026-11-24"]
    assert days("FREQ=DAILY;COUNT=3", "2026-11-20") == []


def test_the_last_day_of_the_question_belongs_to_it_up_to_its_hour() -> None:
    rule = Rule("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0;BYSECOND=0,30", TWO, None)
    assert [f"{wall:%d %H:%M:%S}" for wall in rule.walls(FROM + timedelta(hours=3), FROM + timedelta(days=1, hours=2))] == [
        "23 03:00:00",
        "23 03:00:30",
        "24 01:00:00",
        "24 01:00:30",
    ]


def test_a_rule_opens_96_times_a_day_at_most() -> None:
    every_hour = "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))
    assert len(list(Rule(f"{every_hour};BYMINUTE=0,15,30,45", TWO, None).walls(FROM, FROM + timedelta(days=1)))) == 96
    with pytest.raises(ValueError, match="rrule opens 120 times a day; accepted are 96"):
        Rule(f"{every_hour};BYMINUTE=0,15,30,45,50", TWO, None)


def test_the_third_workday_of_the_week_is_wednesday_on_whatever_day_the_question_begins() -> None:
    for ahead in range(7):
        begin = FROM + timedelta(days=ahead)
        assert {date.fromisoformat(day).weekday() for day in days(f"FREQ=WEEKLY;{WORKDAYS};BYSETPOS=3", None, begin)} == {2}
    on_thursday = days(f"FREQ=WEEKLY;{WORKDAYS};BYSETPOS=3;COUNT=2", "2026-11-26")
    assert on_thursday == ["2026-12-02", "2026-12-09"]


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYWEEKNO=1;BYMONTH=6;BYDAY=MO", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1"],
)
def test_a_rule_that_never_comes_true_is_only_looked_at_where_it_is_asked(rule: str) -> None:
    assert days(rule) == []


def test_a_rule_that_began_with_another_weekday_never_meets_its_own() -> None:
    assert days("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "2026-11-23") == []


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("FREQ=WEEKLY;BYDAY=3TH", "BYDAY=3TH numbers the days of a month or a year: accepted with FREQ=MONTHLY or YEARLY"),
        ("FREQ=DAILY;BYDAY=-1SU", "numbers the days of a month or a year"),
        ("FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO", "numbers the days of a month or a year"),
        ("FREQ=DAILY;BYHOUR=2\nRDATE:20261125T100000", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY\nEXDATE:20261125T100000", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY BYHOUR=2", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY;", "accepted is RFC 5545 in one line"),
        ("", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY;BYHOUR", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY;BYHOUR=٢", "accepted is RFC 5545 in one line"),
        ("FREQ=DAILY;BYHOUR=2;byhour=3", "rrule gives BYHOUR twice"),
        ("FREQ=DAILY;BYEASTER=1", "rrule has no BYEASTER; accepted are FREQ, UNTIL, WKST, BYDAY, INTERVAL"),
        ("BYDAY=MO", "rrule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=HOURLY", "for several openings a day use BYHOUR"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 cannot be read; accepted is a number from 1 to 9999"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1 cannot be read"),
        ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL=1,2 cannot be read"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0 cannot be read"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "rrule has COUNT and UNTIL; accepted is one of them"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24 cannot be read; accepted are numbers from 0 to 23"),
        ("FREQ=DAILY;BYHOUR=-1", "BYHOUR=-1 cannot be read"),
        ("FREQ=DAILY;BYHOUR=1,", "BYHOUR=1, cannot be read"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0 cannot be read; accepted are numbers from 1 to 31, or from the end, as -1"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 cannot be read"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "rrule has BYMONTHDAY with FREQ=WEEKLY; it is accepted with DAILY or MONTHLY or YEARLY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "it is accepted with YEARLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "it is accepted with YEARLY"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS picks from what another part names"),
        ("FREQ=MONTHLY;BYDAY=0TH", "BYDAY=0TH cannot be read"),
        ("FREQ=YEARLY;BYDAY=54TH", "BYDAY=54TH cannot be read"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX cannot be read; accepted are MO, TU, WE, TH, FR, SA, SU"),
        ("FREQ=WEEKLY;BYDAY=MO,", "BYDAY= cannot be read"),
        ("FREQ=WEEKLY;BYDAY=MO;WKST=1", "WKST=1 cannot be read"),
        (
            "FREQ=DAILY;UNTIL=20270230",
            "UNTIL=20270230 cannot be read; accepted are 20270131, 20270131T060000, or 20270130T220000Z in UTC",
        ),
        ("FREQ=YEARLY;BYMONTHDAY=15", "once a year in most calendars: add BYMONTH, as BYMONTH=3, or write FREQ=MONTHLY"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=-1;BYDAY=SU", "FREQ=YEARLY;BYMONTHDAY=-1 is every month by RFC 5545"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;BYMONTHDAY=15", "add BYMONTH"),
        ("FREQ=YEARLY;BYWEEKNO=48", "BYWEEKNO=48 is all seven days by RFC 5545, and the start's weekday in most calendars"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYMONTH=1", "add BYDAY, as BYDAY=SA, or all seven days, BYDAY=MO,TU,WE,TH,FR,SA,SU"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL=SOON cannot be read"),
        ("FREQ=DAILY;UNTIL=20270131Z", "UNTIL=20270131Z cannot be read"),
        ("FREQ=DAILY;UNTIL=20270231T060000Z", "UNTIL=20270231T060000Z cannot be read"),
        ("FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=" + ",".join(map(str, range(60))), "rrule opens 300 times a day"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_is_accepted(rule: str, wrong: str) -> None:
    for began in (None, date(2026, 1, 1)):
        with pytest.raises(ValueError, match=r".+") as refused:
            Rule(rule, TWO, began)
        assert wrong in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24 cannot be read; accepted are numbers from 0 to 23"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 cannot be read; accepted is a number from 1 to 9999"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "rrule has COUNT and UNTIL; accepted is one of them"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS picks from what another part names, as BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ],
)
def test_the_words_of_a_refusal(rule: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        Rule(rule, TWO, None)
    assert str(refused.value) == words


def test_of_a_long_text_that_is_refused_80_characters_are_quoted() -> None:
    with pytest.raises(ValueError, match=f"^rrule '{'x' * 80}' cannot be read"):
        Rule("x" * 99, TWO, None)


def test_rules_open_where_libical_has_them_open() -> None:
    """A second oracle: what libical 3 answered once, each [rule, start, end of the comparison, occurrences]."""
    cases = json.loads(Path(libical.TARGET).read_text())
    assert len(cases) == libical.RULES
    disagreements = []
    for rule, *limits, expected in cases:
        start, end = map(datetime.fromisoformat, limits)
        dates: list[date | None] = [start.date()]
        if not re.search("COUNT|INTERVAL", rule) and re.search("BY(DAY|MONTHDAY|YEARDAY|WEEKNO)", rule):
            dates.append(None)  # it needs no date, and then opens the same
        for began in dates:
            found = [f"{wall:%Y-%m-%dT%H:%M}" for wall in Rule(rule, start.time(), began).walls(start, end)]
            if found != expected:
                disagreements.append(f"{rule} from {start}: {found}, but {expected}")
    assert not disagreements, "\n".join(disagreements)


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def numbers(most: int, least: int = 1, end: bool = False) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    return st.lists(number | number.map(int.__neg__) if end else number, min_size=1, max_size=4).map(
        lambda some: ",".join(map(str, some))
    )


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that RFC 5545 allows, less two that dateutil reads otherwise.

    Of a BYDAY that mixes `MO` and `1MO` it makes none; and that the -52nd week of a year may be its first, which begins in
    the year before, it does not see.
    """
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    possible: dict[str, st.SearchStrategy[str]] = {
        "INTERVAL": st.integers(1, 5).map(str),
        "WKST": st.sampled_from(WEEKDAYS),
        "BYMONTH": numbers(12),
        "BYHOUR": numbers(23, 0),
        "BYMINUTE": numbers(59, 0),
        "BYDAY": st.lists(st.sampled_from(WEEKDAYS), min_size=1).map(",".join),
    }
    if frequency != "WEEKLY":
        possible["BYMONTHDAY"] = numbers(31, end=True)
    if frequency == "YEARLY":
        possible["BYYEARDAY"] = numbers(366, end=True)
        possible["BYWEEKNO"] = numbers(53) | st.sampled_from(["-1", "-2,-51"])
    parts = draw(st.fixed_dictionaries({}, optional=possible))
    if frequency in ("MONTHLY", "YEARLY") and "BYDAY" in parts and "BYWEEKNO" not in parts and draw(st.booleans()):
        number = st.integers(1, 5) | st.integers(-5, -1)
        parts["BYDAY"] = ",".join(f"{draw(number)}{day}" for day in parts["BYDAY"].split(","))
    if frequency == "YEARLY" and "BYMONTHDAY" in parts and "BYMONTH" not in parts:
        parts["BYMONTH"] = draw(possible["BYMONTH"])  # or it is ambiguous, and refused
    if "BYWEEKNO" in parts and "BYDAY" not in parts:
        parts["BYDAY"] = draw(possible["BYDAY"])
    if any(name.startswith("BY") for name in parts) and draw(st.booleans()):
        parts["BYSETPOS"] = draw(numbers(9, end=True))
    end = draw(st.sampled_from(["", "", "COUNT=7", "UNTIL=20270615", "UNTIL=20270615T120000"]))
    return ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items()), *([end] if end else [])])


@given(rules(), st.dates(date(2024, 1, 1), date(2027, 6, 1)), st.integers(0, 400))
def test_a_rule_opens_where_dateutil_has_it_open(rule: str, began: date, ahead: int) -> None:
    if "WEEKLY" in rule and "BYSETPOS" in rule:
        # Of the week in which a rule begins dateutil counts only the rest, where RFC 5545 counts all of it.
        first = WEEKDAYS.index(rule.partition("WKST=")[2][:2] or "MO")
        began -= timedelta(days=(began.weekday() - first) % 7)
    begin = datetime.combine(began, TWO) + timedelta(days=ahead - 200)
    end = begin + timedelta(days=400)
    assert list(Rule(rule, TWO, began).walls(begin, end)) == list(by_dateutil(rule, began, begin, end))
    try:
        undated = Rule(rule, TWO, None)
    except ValueError:
        return
    earlier = began - timedelta(days=210)
    assert list(undated.walls(begin, end)) == list(by_dateutil(rule, earlier, begin, end))


def by_dateutil(rule: str, began: date, begin: datetime, end: datetime) -> Iterator[datetime]:
    with patch("datetime.MAXYEAR", 2040):  # or it would look for what never comes until the year 9999
        found = rrulestr(rule, dtstart=datetime.combine(began, TWO)).xafter(begin, inc=True)
        yield from takewhile(lambda wall: wall < end, found)


junk = st.text("0123456789,+-=;:TMOHZ \n", max_size=12)
texts = st.lists(
    st.tuples(
        st.sampled_from(["FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "BYHOUR", "X"]),
        st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "0", "1", "-1", "2,3", "MO", "3TH", "99999999999"]) | junk,
    ),
    max_size=6,
).map(lambda parts: ";".join("=".join(part) for part in parts))


@given(texts | rules() | junk, st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_whatever_is_written_is_a_rule_with_an_end_to_what_it_is_asked_or_is_refused(text: str, began: date | None) -> None:
    try:
        rule = Rule(text, TWO, began)
    except ValueError:
        return
    walls = list(rule.walls(FROM, TO))
    assert walls == sorted(walls)
    assert all(FROM <= wall < TO for wall in walls)
