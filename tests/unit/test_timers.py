"""The schedules of FunctionGraph's timers, to the instants at which they fire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import at
from upgrader.timers import Timer, firings


def fired(schedule: str, begin: str, days: int = 7) -> list[str]:
    return [
        moment.strftime("%a %d %H:%M:%S") for moment in firings([Timer(schedule)], at(begin), at(begin) + timedelta(days=days))
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
        ("6h", ["Mon 23 00:00:00", "Mon 23 06:00:00"]),
        ("@every 1h30m", ["Mon 23 00:00:00", "Mon 23 01:30:00"]),
        ("0 0 2 * * ? 2026", ["Mon 23 02:00:00"]),
    ],
)
def test_a_schedule_fires_when_it_says(schedule: str, first: list[str]) -> None:
    assert fired(schedule, "2026-11-23 00:00")[: len(first) or None] == first


def test_firings_stay_within_the_time_that_is_asked_for() -> None:
    assert fired("0 0 2 * * ?", "2026-11-23 02:00", days=1) == ["Mon 23 02:00:00"]
    assert fired("0 0 2 * * ?", "2026-11-23 02:01", days=1) == ["Tue 24 02:00:00"]


@pytest.mark.parametrize(
    "schedule",
    ["", "soon", "0 15 2 * *", "0 61 2 * * ?", "0 15 2 * * XYZ", "0m", "CRON_TZ=Mars 0 0 2 * * ?", "0 9-3 2 * * ?", 5],
)
def test_a_schedule_that_cannot_be_read_is_refused(schedule: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Timer(schedule)
