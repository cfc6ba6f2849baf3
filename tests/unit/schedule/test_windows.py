from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.schedule.calendars import Calendar, Opening, why_never
from ges_upgrader.schedule.windows import HORIZON, Window
from tests.builders import at

NOTHING = timedelta()


def first_start(windows: list[Window], cutoff: timedelta, now: datetime) -> tuple[datetime, datetime | None] | None:
    """The first start from `now` on, and the instant from which on it is too late; None where the windows never close."""
    opening = Calendar(windows, cutoff, (), now).first(now)
    return (opening.start, opening.before if opening.closes else None) if opening else None


def opening(text: str, after: str) -> datetime:
    found = first_start([Window(text)], NOTHING, at(after))
    assert found
    return found[0]


def test_a_window_opens_at_its_wall_clock_time() -> None:
    assert opening("Sat,Sun 02:00-06:00 Asia/Shanghai", "2026-11-23 00:00") == at("2026-11-27 18:00")


def test_a_window_may_open_in_the_last_minute_of_an_hour_and_of_the_day() -> None:
    assert opening("Sun 02:59-06:00 UTC", "2026-11-23 00:00") == at("2026-11-29 02:59")
    assert opening("Sun 23:59-24:00 UTC", "2026-11-23 00:00") == at("2026-11-29 23:59")


def test_inside_a_window_a_start_is_allowed_now_until_it_closes() -> None:
    now = at("2026-11-27 19:00")
    assert first_start([Window("Sat 02:00-06:00 Asia/Shanghai")], NOTHING, now) == (now, at("2026-11-27 22:00"))


def test_nothing_starts_at_the_cutoff_or_after_it() -> None:
    window, cutoff = [Window("Sat 02:00-06:00 UTC")], timedelta(minutes=30)
    assert first_start(window, cutoff, at("2026-11-28 05:29")) == (at("2026-11-28 05:29"), at("2026-11-28 05:30"))
    found = first_start(window, cutoff, at("2026-11-28 05:30"))
    assert found and found[0] == at("2026-12-05 02:00")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    window = [Window("Sat 23:00-03:00 UTC")]
    sunday = at("2026-11-29 02:00")
    assert first_start(window, NOTHING, sunday) == (sunday, at("2026-11-29 03:00"))
    saturday = first_start(window, NOTHING, at("2026-11-28 01:00"))
    assert saturday and saturday[0] == at("2026-11-28 23:00")


def test_a_window_skipped_by_a_clock_change_opens_at_the_first_instant_after_it() -> None:
    # New York jumps from 02:00 to 03:00 on 2026-03-08, at 07:00 UTC.
    found = first_start([Window("Sun 02:15-02:45 America/New_York")], NOTHING, at("2026-03-08 00:00"))
    assert found == (at("2026-03-08 07:00"), at("2026-03-08 07:30"))


def test_a_window_repeated_by_a_clock_change_opens_once_at_the_first() -> None:
    # New York repeats 01:00 to 02:00 on 2026-11-01, from 06:00 UTC.
    window = [Window("Sun 01:30-02:00 America/New_York")]
    assert first_start(window, NOTHING, at("2026-11-01 00:00")) == (at("2026-11-01 05:30"), at("2026-11-01 06:00"))
    again = first_start(window, NOTHING, at("2026-11-01 06:30"))
    assert again and again[0] == at("2026-11-08 06:30")


def test_windows_that_touch_are_one_so_that_the_cutoff_counts_from_the_last_close() -> None:
    windows = [Window("Sat 02:00-04:00 UTC"), Window("Sat 04:00-06:00 UTC")]
    now = at("2026-11-28 03:50")
    assert first_start(windows, timedelta(minutes=30), now) == (now, at("2026-11-28 05:30"))


def test_a_window_of_every_whole_day_never_closes() -> None:
    now = at("2026-11-28 23:59")
    assert first_start([Window("* 00:00-24:00 UTC")], timedelta(minutes=30), now) == (now, None)


def test_a_cutoff_as_long_as_the_window_never_allows_a_start() -> None:
    assert first_start([Window("Sun 02:00-02:30 UTC")], timedelta(minutes=30), at("2026-01-01 00:00")) is None


def test_days_are_lists_and_ranges_which_may_go_over_the_week_end() -> None:
    assert opening_days("Fri-Mon 02:00-03:00 UTC") == {4, 5, 6, 0}
    assert opening_days("mon,WED-Fri 02:00-03:00 UTC") == {0, 2, 3, 4}


def opening_days(text: str) -> set[int]:
    openings = Window(text).openings(at("2026-11-23 00:00"))
    return {opened.weekday() for opened, _ in itertools.islice(openings, 20)}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "a window is"),
        ("Sun 2:00-6:00 UTC", "a window is"),
        ("Sun 02:00-06:00", "a window is"),
        ("Sunday 02:00-06:00 UTC", "names no days"),
        ("Mon- 02:00-06:00 UTC", "names no days"),
        ("Sun 02:60-06:00 UTC", "no time of day"),
        ("Sun 02:00-24:30 UTC", "no time of day"),
        ("Sun 02:00-25:00 UTC", "no time of day"),
        ("Sun 24:00-06:00 UTC", "opens at 23:59"),
        ("Sun 02:00-02:00 UTC", "empty or a day"),
        ("Sun 02:00-06:00 Asia/Shanghay", "no IANA time zone"),
        ("Sun 02:00-06:00 ../../etc/passwd", "no IANA time zone"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_with_the_reason(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Window(text)


ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"]


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2037, 1, 1), timezones=st.just(timezone.utc)),
    st.integers(0, 23 * 60 + 59),
    st.integers(1, 23 * 60),
    st.sets(st.integers(0, 6), min_size=1),
)
def test_a_window_is_open_when_its_last_opening_is_less_than_its_length_ago(
    zone: str, now: datetime, opens: int, length: int, days: set[int]
) -> None:
    """Against an oracle that walks the days and asks each for its opening, minute by minute."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    closes = (opens + length) % (24 * 60)
    times = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    text = f"{','.join(names[day] for day in days)} {times} {zone}"
    found = first_start([Window(text)], NOTHING, now)
    assert found
    assert (found[0] == now) == _open(ZoneInfo(zone), now, opens, length, days)


def _open(zone: ZoneInfo, now: datetime, opens: int, length: int, days: set[int]) -> bool:
    for back in range(-1, 4):
        day = now.astimezone(zone).date() - timedelta(days=back)
        if day.weekday() in days:
            begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(timezone.utc) - timedelta(hours=3)
            opened = _first_minute(zone, begin, day, opens)
            if opened <= now < opened + timedelta(minutes=length):
                return True
    return False


def _first_minute(zone: ZoneInfo, begin: datetime, day: object, opens: int) -> datetime:
    """The first minute whose wall clock shows the opening or, on the same day, something later."""
    minute = begin
    while True:
        wall = minute.astimezone(zone)
        if wall.date() == day and wall.hour * 60 + wall.minute >= opens:
            return minute
        if str(wall.date()) > str(day):
            return minute
        minute += timedelta(minutes=1)


def by_rule(rrule: str, start: str = "23:00", duration: str = "3h", timezone: str = "UTC") -> dict[str, str]:
    return {"rrule": rrule, "start": start, "duration": duration, "timezone": timezone}


@pytest.mark.parametrize(
    ("written", "opens"),
    [
        (by_rule("FREQ=MONTHLY;BYDAY=3TH"), ["2026-12-17 23:00", "2027-01-21 23:00"]),
        (by_rule("RRULE:FREQ=MONTHLY;BYDAY=-1SU"), ["2026-11-29 23:00", "2026-12-27 23:00"]),
        (by_rule("freq=monthly;bymonthday=1,15"), ["2026-12-01 23:00", "2026-12-15 23:00"]),
        (by_rule("FREQ=YEARLY;BYYEARDAY=1,100"), ["2027-01-01 23:00", "2027-04-10 23:00"]),
        (by_rule("FREQ=YEARLY;BYWEEKNO=2;BYDAY=MO"), ["2027-01-11 23:00"]),
        (by_rule("FREQ=WEEKLY;BYDAY=SA,SU", "02:00"), ["2026-11-28 02:00", "2026-11-29 02:00", "2026-12-05 02:00"]),
        (by_rule("FREQ=DAILY;INTERVAL=1", "02:00"), ["2026-11-23 02:00", "2026-11-24 02:00"]),
        (by_rule("FREQ=DAILY;BYHOUR=2,14", "02:00"), ["2026-11-23 02:00", "2026-11-23 14:00", "2026-11-24 02:00"]),
        (by_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "2026-01-03T02:00"), ["2026-12-05 02:00", "2026-12-19 02:00"]),
        (by_rule("FREQ=WEEKLY", "2026-01-01 02:00"), ["2026-11-26 02:00", "2026-12-03 02:00"]),
        (by_rule("FREQ=MONTHLY;COUNT=12", "2026-01-31T02:00"), ["2026-12-31 02:00", "2027-01-31 02:00", "2027-03-31 02:00"]),
        (by_rule("FREQ=DAILY;UNTIL=20261125T000000", "02:00"), ["2026-11-23 02:00", "2026-11-24 02:00"]),
        (by_rule("FREQ=DAILY", "02:00", timezone="Asia/Shanghai"), ["2026-11-23 18:00", "2026-11-24 18:00"]),
    ],
)
def test_a_window_by_rule_opens_as_rfc_5545_says(written: dict[str, str], opens: list[str]) -> None:
    openings = [opened for opened, _ in Window(written).openings(at("2026-11-23 00:00")) if opened >= at("2026-11-23 00:00")]
    assert openings[: len(opens)] == [at(text) for text in opens]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261124T180000Z", "2026-11-24 18:00"),
        ("20261124T175959Z", "2026-11-23 18:00"),
        ("20261124T180000", "2026-11-23 18:00"),
    ],
)
def test_an_until_with_a_z_is_in_utc_and_one_without_by_the_clocks_of_the_zone(
    until: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")  # which says nothing
    time.tzset()
    try:
        window = Window(by_rule(f"FREQ=DAILY;UNTIL={until}", "02:00", timezone="Asia/Shanghai"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [opened for opened, _ in window.openings(at("2026-11-23 00:00"))][-1] == at(last)


def test_a_window_by_rule_ends_with_its_rule() -> None:
    ending = Window(by_rule("FREQ=DAILY;UNTIL=20261125T000000", "02:00"))
    assert first_start([ending], NOTHING, at("2026-11-25 00:00")) is None
    counted = Window(by_rule("FREQ=DAILY;COUNT=2", "2026-11-24T02:00"))
    assert [opened for opened, _ in counted.openings(at("2026-11-23 00:00"))] == [
        at("2026-11-24 02:00"),
        at("2026-11-25 02:00"),
    ]


def test_a_window_by_rule_that_opened_days_ago_is_still_open() -> None:
    written = by_rule("FREQ=MONTHLY;BYMONTHDAY=20", "00:00", "5d")
    now = at("2026-11-23 12:00")
    assert first_start([Window(written)], NOTHING, now) == (now, at("2026-11-25 00:00"))


RULE = by_rule("FREQ=DAILY", "02:00")


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (5, "a window is a text, as `Sun 02:00-06:00 Asia/Shanghai`, or {rrule, start, duration, timezone}"),
        ({**RULE, "more": "x"}, "a window by rule has rrule, start, duration, timezone, all of them and nothing else"),
        ({**RULE, "duration": "0m"}, "a window has a duration of more than nothing"),
        ({**RULE, "rrule": 5}, "rrule and start are texts in quotes"),
        ({**RULE, "start": 120}, "rrule and start are texts in quotes"),
        (
            {**RULE, "rrule": "FREQ=MINUTELY"},
            "rrule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY; for several openings a day use BYHOUR",
        ),
        (
            {**RULE, "start": "2 o'clock"},
            'start is a time of day, as "23:00", or a local date from 2000 to 2099 with its time, as "2026-01-03T23:00"',
        ),
        (
            {**RULE, "start": "٠٢:٠٠"},
            'start is a time of day, as "23:00", or a local date from 2000 to 2099 with its time, as "2026-01-03T23:00"',
        ),
        *(
            (
                {**RULE, "rrule": rule},
                'this rrule counts from where it began: give start a date, as "2026-01-03T23:00"',
            )
            for rule in ("FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;INTERVAL=2")
        ),
    ],
)
def test_a_window_by_rule_that_cannot_be_read_is_refused_with_the_reason(written: object, wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        Window(written)
    assert str(refused.value) == wrong


def test_a_rule_that_is_none_is_refused_with_the_part_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"BYDAY=XX cannot be read; accepted are MO, TU"):
        Window({**RULE, "rrule": "FREQ=DAILY;BYDAY=XX"})


@pytest.mark.parametrize("start", ["25:00", "02:60", "1999-12-31T02:00", "2026-13-01T02:00", "2026-01-03T02", "20260103T0200"])
def test_a_start_that_is_no_time_is_refused(start: str) -> None:
    with pytest.raises(
        ValueError, match=r'^start is a time of day, as "23:00", or a local date from 2000 to 2099 with its time'
    ):
        Window({**RULE, "start": start})


def test_a_start_on_a_day_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="start 2026-02-30T02:00: there is no such day"):
        Window({**RULE, "start": "2026-02-30T02:00"})


def test_a_window_lasts_a_year_at_most() -> None:
    assert Window({**RULE, "duration": "366d"}).length == timedelta(days=366)
    with pytest.raises(ValueError, match="a window lasts at most 366d; accepted for one without an end is always"):
        Window({**RULE, "duration": "367d"})


def test_a_spread_longer_than_the_time_looked_ahead_leaves_the_windows_in_sight() -> None:
    found = calendar(["* 02:00-06:00 UTC"], spread=timedelta(days=500))
    assert span(found.first(at("2026-11-23 00:00"), 0.5)) == ("23 04:00", "23 06:00")


def test_always_is_always() -> None:
    now = at("2026-11-23 02:00")
    assert first_start([Window("always")], timedelta(hours=9), now) == (now, None)
    assert first_start([Window(" always ")], timedelta(hours=9), now) == (now, None)
    always = Opening(now, datetime.max.replace(tzinfo=timezone.utc), None)
    assert Calendar([Window("always")], timedelta(hours=9), (), now).first(now) == always


def test_a_week_of_days_beyond_seven_is_none() -> None:
    assert opening_days("* 02:00-03:00 UTC") == set(range(7))
    with pytest.raises(ValueError, match="names no days"):
        Window("Mon-Xyz 02:00-03:00 UTC")


def calendar(
    windows: list[str], *freezes: tuple[str, str], spread: timedelta = NOTHING, cutoff: timedelta = NOTHING
) -> Calendar:
    periods = [(at(begin), at(end)) for begin, end in freezes]
    return Calendar([Window(text) for text in windows], cutoff, periods, at("2026-11-23 00:00"), spread)


def span(opening: Opening | None) -> tuple[str, str] | None:
    return (f"{opening.start:%d %H:%M}", f"{opening.before:%d %H:%M}") if opening else None


def test_freezes_cut_windows_into_parts() -> None:
    found = calendar(["* 02:00-06:00 UTC"], ("2026-11-23 03:00", "2026-11-23 04:00"), ("2026-11-23 05:00", "2026-11-24 03:00"))
    assert span(found.first(at("2026-11-23 00:00"))) == ("23 02:00", "23 03:00")
    assert span(found.first(at("2026-11-23 03:00"))) == ("23 04:00", "23 05:00")
    assert span(found.first(at("2026-11-23 04:30"))) == ("23 04:30", "23 05:00")
    assert span(found.first(at("2026-11-23 05:00"))) == ("24 03:00", "24 06:00")


def test_freezes_may_overlap_and_touch() -> None:
    found = calendar(
        ["* 02:00-06:00 UTC"], ("2026-11-23 02:00", "2026-11-23 03:00"), ("2026-11-23 02:30", "2026-11-23 04:00"),
        ("2026-11-23 04:00", "2026-11-23 05:00"),
    )  # fmt: skip
    assert span(found.first(at("2026-11-23 00:00"))) == ("23 05:00", "23 06:00")


def test_a_freeze_leaves_the_cutoff_where_it_is() -> None:
    found = calendar(["* 02:00-06:00 UTC"], ("2026-11-23 02:00", "2026-11-23 05:45"), cutoff=timedelta(minutes=30))
    assert span(found.first(at("2026-11-23 00:00"))) == ("24 02:00", "24 05:30")


def test_a_place_in_the_spread_is_a_part_of_it_from_the_opening() -> None:
    found = calendar(["* 02:00-06:00 UTC"], spread=timedelta(hours=2))
    assert span(found.first(at("2026-11-23 00:00"), 0.25)) == ("23 02:30", "23 06:00")
    assert span(found.first(at("2026-11-23 03:00"), 0.25)) == ("23 03:00", "23 06:00")
    assert span(found.first(at("2026-11-23 03:00"), 0.75)) == ("23 03:30", "23 06:00")


def test_without_a_place_in_the_spread_the_start_is_at_the_opening() -> None:
    assert span(calendar(["* 02:00-06:00 UTC"], spread=timedelta(hours=2)).first(at("2026-11-23 00:00"))) == (
        "23 02:00",
        "23 06:00",
    )


def test_a_spread_longer_than_the_window_is_over_what_there_is() -> None:
    found = calendar(["* 02:00-03:00 UTC"], spread=timedelta(hours=9), cutoff=timedelta(minutes=20))
    assert span(found.first(at("2026-11-23 00:00"), 0.5)) == ("23 02:20", "23 02:40")


def test_no_windows_are_always_and_have_no_spread() -> None:
    found = calendar([], spread=timedelta(hours=9))
    now = at("2026-11-23 02:00")
    assert found.first(now, 0.9) == Opening(now, datetime.max.replace(tzinfo=timezone.utc), None)


def test_a_window_that_opens_at_the_horizon_is_still_in_sight_and_one_that_opens_after_it_is_not() -> None:
    window = Window(by_rule("FREQ=MONTHLY;BYMONTHDAY=28", "00:00", "1h"))
    opens = at("2027-12-28 00:00")
    after = opens - timedelta(days=1)
    assert Calendar([window], NOTHING, (), opens - HORIZON).first(after) == Opening(
        opens, opens + timedelta(hours=1), opens + timedelta(hours=1)
    )
    assert Calendar([window], NOTHING, (), opens - HORIZON - timedelta(microseconds=1)).first(after) is None


@pytest.mark.parametrize(
    ("until", "before", "closes"),
    [
        ("20271227T000000", "2027-12-28 00:00", None),
        ("20271226T000000", "2027-12-26 23:30", "2027-12-27 00:00"),
    ],
)
def test_what_is_open_from_now_to_the_horizon_has_no_end_in_sight_and_no_cutoff(
    until: str, before: str, closes: str | None
) -> None:
    """2027-12-28 00:00 is 400 days after the opening."""
    now = at("2026-11-23 00:00")
    days = Window(by_rule(f"FREQ=DAILY;UNTIL={until}", "2026-11-23T00:00", "24h"))
    found = Calendar([days], timedelta(minutes=30), (), now).first(now)
    assert found == Opening(now, at(before), at(closes) if closes else None)


@pytest.mark.parametrize("written", ["Mon 02:00-06:00 UTC", by_rule("FREQ=WEEKLY;BYDAY=MO", "02:00")])
def test_a_window_opens_at_the_beginning_of_what_is_asked_for_and_not_at_its_end(written: object) -> None:
    recurrence = Window(written).recurrence
    assert recurrence is not None
    first, second, third = (datetime(2026, 11, 23, 2) + timedelta(days=days) for days in (0, 7, 14))
    assert list(recurrence.walls(first, third)) == [first, second]


@pytest.mark.parametrize(
    ("window", "cutoff", "freeze", "never"),
    [
        ("* 02:00-06:00 UTC", 3, ("2026-11-01 00:00", "2027-12-01 00:00"), None),
        ("* 02:00-06:00 UTC", 4, (), "cutoff"),
        ("* 02:00-06:00 UTC", 3, ("2026-11-01 00:00", "2028-12-01 00:00"), "freezes"),
        ("* 02:00-06:00 UTC", 4, ("2026-11-01 00:00", "2028-12-01 00:00"), "cutoff"),
        (by_rule("FREQ=DAILY;UNTIL=20261122", "02:00"), 0, (), "windows"),
        (by_rule("FREQ=DAILY;UNTIL=20261122", "02:00"), 0, ("2026-11-01 00:00", "2026-12-01 00:00"), "windows"),
    ],
)
def test_where_nothing_can_ever_start_it_is_known_what_is_in_its_way(
    window: object, cutoff: int, freeze: tuple[str, ...], never: str | None
) -> None:
    freezes = [(at(freeze[0]), at(freeze[1]))] if freeze else []
    assert why_never([Window(window)], timedelta(hours=cutoff), freezes, at("2026-11-23 00:00")) == never


def test_a_window_that_ends_after_the_horizon_still_has_its_cutoff() -> None:
    found = calendar(["* 02:00-06:00 UTC"], cutoff=timedelta(minutes=30))
    late = at("2026-11-23 00:00") + timedelta(days=400, hours=1)
    assert found.first(late) is None
    assert span(found.first(late - timedelta(days=1))) == ("27 02:00", "27 05:30")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Sun", "a window is `<days> <opens>-<closes> <zone>`, as `Sat,Sun 02:00-06:00 Asia/Shanghai`, or `always`"),
        ("Sun 24:00-06:00 UTC", "a window opens at 23:59 at the latest; 24:00 is accepted as its close"),
        ("Sun 02:00-02:00 UTC", "a window that closes when it opens is empty or a day: write 00:00-24:00 for a day"),
    ],
)
def test_the_words_of_a_refusal(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        Window(text)
    assert str(refused.value) == wrong


def test_a_whole_day_is_24_hours() -> None:
    (opened, closed) = next(Window("Sun 00:00-24:00 UTC").openings(at("2026-11-23 00:00")))
    assert closed - opened == timedelta(hours=24)


def test_a_window_shows_what_was_written() -> None:
    assert Window(" Sun  02:00-06:00 UTC ").text == "Sun 02:00-06:00 UTC"
    assert Window(RULE).text == "duration 3h; rrule FREQ=DAILY; start 02:00; timezone UTC"


def test_a_zone_is_a_text() -> None:
    with pytest.raises(ValueError, match="5 is no IANA time zone"):
        Window({**RULE, "timezone": 5})


def test_a_week_of_the_year_alone_is_enough() -> None:
    openings = Window(by_rule("FREQ=YEARLY;BYWEEKNO=2;BYDAY=MO,TU,WE,TH,FR,SA,SU")).openings(at("2026-11-23 00:00"))
    assert [opened for opened, _ in openings][:2] == [at("2027-01-11 23:00"), at("2027-01-12 23:00")]
