"""Wall-clock times to instants, wherever the machine itself believes to be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from ges_upgrader.schedule.wallclock import instant
from tests.builders import at

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True, params=["UTC", "Asia/Tokyo"])
def _here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_an_ordinary_time() -> None:
    assert instant(datetime(2026, 11, 23, 2, 0), NEW_YORK) == at("2026-11-23 07:00")
    assert instant(datetime(2026, 11, 23, 2, 0), NEW_YORK, last=True) == at("2026-11-23 07:00")


def test_a_time_that_is_shown_twice_is_its_first_or_its_last() -> None:
    assert instant(datetime(2026, 11, 1, 1, 30), NEW_YORK) == at("2026-11-01 05:30")
    assert instant(datetime(2026, 11, 1, 1, 30), NEW_YORK, last=True) == at("2026-11-01 06:30")


@pytest.mark.parametrize("minute", [0, 1, 15, 59])
def test_a_time_that_is_skipped_is_the_end_of_the_gap(minute: int) -> None:
    assert instant(datetime(2026, 3, 8, 2, minute), NEW_YORK) == at("2026-03-08 07:00")
    assert instant(datetime(2026, 3, 8, 2, minute), NEW_YORK, last=True) == at("2026-03-08 07:00")


def test_a_gap_of_half_an_hour() -> None:
    assert instant(datetime(2026, 10, 4, 2, 15), ZoneInfo("Australia/Lord_Howe")) == at("2026-10-03 15:30")


@pytest.mark.parametrize(
    "wall",
    [datetime(2026, 11, 23, 2, 0), datetime(2026, 11, 1, 1, 30), datetime(2026, 3, 8, 2, 0), datetime(2026, 3, 8, 2, 15)],
)
def test_whatever_the_time_its_instant_is_told_in_utc(wall: datetime) -> None:
    assert instant(wall, NEW_YORK).tzinfo is timezone.utc
    assert instant(wall, NEW_YORK, last=True).tzinfo is timezone.utc
