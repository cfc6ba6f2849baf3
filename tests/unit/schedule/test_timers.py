"""The schedules of FunctionGraph's timers, to the instants at which they fire."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from ges_upgrader.schedule.cron import Timer
from tests.builders import at

UTC = ZoneInfo("UTC")


def fired(schedule: str, begin: str, days: int = 7) -> list[str]:
    return [
        moment.strftime("%a %d %H:%M:%S")
        for moment in Timer(schedule).firings(at(begin), at(begin) + timedelta(days=days), UTC)
    ]


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        ("0 15 2 * * ?", ["Mon 23 02:15:00", "Tue 24 02:15:00"]),
        ("30 0/30 2 ? * SUN", ["Sun 29 02:00:30", "Sun 29 02:30:30"]),
        ("0 0 2 ? * 7", ["Sun 29 02:00:00"]),
        ("0 0 2,14 ? * MON-WED", ["Mon 23 02:00:00", "Mon 23 14:00:00", "Tue 24 02:00:00"]),
        ("0 0 1 25 NOV ?", ["Wed 25 01:00:00"]),
        ("CRON_TZ=Asia/Shanghai 0 0 2 * * ?", ["Mon 23 18:00:00", "Tue 24 18:00:00"]),
        ("0 0 1 1 JAN ?", []),
        ("0 0 2 * * ? 2026", ["Mon 23 02:00:00"]),
    ],
)
def test_a_schedule_fires_when_it_says(schedule: str, first: list[str]) -> None:
    assert fired(schedule, "2026-11-23 00:00")[: len(first) or None] == first


def test_firings_stay_within_the_time_that_is_asked_for() -> None:
    assert fired("0 0 2 * * ?", "2026-11-23 02:00", days=1) == ["Mon 23 02:00:00"]
    assert fired("0 0 2 * * ?", "2026-11-23 02:01", days=1) == ["Tue 24 02:00:00"]


@pytest.mark.parametrize(("rate", "minutes"), [("6h", 360), ("30m", 30), ("@every 1h30m", 90), ("1d", 1440)])
def test_a_rate_is_sure_to_fire_within_its_period_and_at_no_known_instant(rate: str, minutes: int) -> None:
    timer, begin, every = Timer(rate), at("2026-11-23 00:00"), timedelta(minutes=minutes)
    assert timer.every == every
    assert timer.meets(begin, begin + every)
    assert not timer.meets(begin, begin + every - timedelta(microseconds=1))
    assert list(timer.firings(begin, begin + timedelta(days=9))) == []


def test_a_schedule_meets_the_times_in_which_it_fires() -> None:
    timer = Timer("CRON_TZ=UTC 0 15 2 ? * SUN")
    assert timer.every is None
    assert timer.meets(at("2026-11-29 02:15"), at("2026-11-29 02:16"))
    assert not timer.meets(at("2026-11-29 02:16"), at("2026-12-06 02:15"))


@pytest.mark.parametrize(
    ("begin", "fires"),
    [
        ("2026-11-01 04:00", ["Sun 01 05:30:00"]),  # 01:30 comes twice, and the first counts
        ("2027-03-14 05:00", ["Sun 14 07:00:00"]),  # 02:00 to 03:00 does not exist
    ],
)
def test_a_schedule_at_a_change_of_the_clocks_fires_once(begin: str, fires: list[str]) -> None:
    hour = 1 if "11-01" in begin else 2
    assert fired(f"CRON_TZ=America/New_York 0 30 {hour} * * ?", begin, days=1)[:1] == fires


@pytest.mark.parametrize(
    "schedule",
    ["", "soon", "0 15 2 * *", "0 15 2 * * {}", "0m", 5],
)
def test_a_schedule_that_cannot_be_read_is_refused(schedule: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Timer(schedule)


def test_a_range_may_run_over_its_end() -> None:
    assert fired("0 0 22-2 * * ?", "2026-11-23 00:00", days=1) == [f"Mon 23 {hour:02}:00:00" for hour in (0, 1, 2, 22, 23)]
    assert fired("0 0 2 ? * FRI-MON", "2026-11-23 00:00") == [
        f"{day} 02:00:00" for day in ("Mon 23", "Fri 27", "Sat 28", "Sun 29")
    ]


@pytest.mark.parametrize(
    "schedule",
    [
        *("0 0 2 L * ?", "0 0 2 15W * ?", "0 0 2 LW * ?", "0 0 2 ? * 6#1", "0 0 2 ? * SUNL", "0 0 2 L-3 * ?"),
        *("0 61 2 * * ?", "0 15 2 * * XYZ", "CRON_TZ=Mars 0 0 2 * * ?"),
    ],
)
def test_what_cannot_be_read_fires_at_no_known_instant(schedule: str) -> None:
    timer = Timer(schedule)
    assert not timer.readable
    assert fired(schedule, "2026-11-23 00:00") == []


def test_a_schedule_without_a_zone_fires_in_the_regions() -> None:
    timer, begin = Timer("0 0 2 * * ?"), at("2026-11-23 00:00")
    assert list(timer.firings(begin, begin + timedelta(days=1), ZoneInfo("Asia/Shanghai"))) == [at("2026-11-23 18:00")]
    assert list(timer.firings(begin, begin + timedelta(days=1))) == []
    assert list(Timer("CRON_TZ=UTC 0 0 2 * * ?").firings(begin, begin + timedelta(days=1))) == [at("2026-11-23 02:00")]
