"""A sample of `make windows`: around some changes of the clocks of all zones that differ, minute by minute."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.builders import at
from tests.oracles.comparison import compared, looked_at
from tests.oracles.transitions import Behaviour, Change, behaviours
from tests.oracles.window_cases import Case, cases
from tests.oracles.window_oracle import DAY, Nominal, Span

NEW_YORK = Change(at("2026-03-08 07:00"), timedelta(hours=-5), timedelta(hours=-4))


@pytest.fixture(scope="module")
def every_behaviour() -> list[Behaviour]:
    return behaviours(step=timedelta(days=14))


def test_windows_agree_with_the_oracle_around_changes_of_the_clocks_of_every_zone(every_behaviour: list[Behaviour]) -> None:
    disagreements = []
    for behaviour in every_behaviour:
        chosen = random.Random(behaviour.zones[0])
        zone = chosen.choice(behaviour.zones)
        for change in _neighbours(behaviour, chosen):
            disagreements += compared(change, chosen.sample(cases(zone, change), 2 if behaviour.changes else 1))
    assert not disagreements, "\n".join(disagreements)


def _neighbours(behaviour: Behaviour, chosen: random.Random) -> list[Change]:
    """Two changes in a row, mostly one forward and one back."""
    changes = looked_at(behaviour)
    first = chosen.randrange(max(len(changes) - 1, 1))
    return list(changes[first : first + 2])


def test_the_comparison_sees_a_window_that_opens_or_closes_a_minute_off() -> None:
    right = Nominal("Sun 02:15-02:45 America/New_York", "America/New_York", lambda day: day.weekday() == 6, (135,), 30)
    assert not compared(NEW_YORK, [Case((right,), 0)])
    assert compared(NEW_YORK, [Case((replace(right, length=31),), 0)])
    assert compared(NEW_YORK, [Case((replace(right, opens=(180 + 1,)),), 0)])
    assert compared(NEW_YORK, [Case((replace(right, on=lambda day: day.weekday() == 0),), 0)])


@pytest.mark.parametrize(
    ("zone", "day", "opens", "expected"),
    [
        # 02:00 becomes 03:00.
        ("America/New_York", "2026-03-08", 2 * 60 + 15, "2026-03-08 07:00"),
        # 02:00 becomes 01:00.
        ("America/New_York", "2026-11-01", 60 + 30, "2026-11-01 05:30"),
        # Midnight becomes 01:00.
        ("Africa/Cairo", "2026-04-24", 0, "2026-04-23 22:00"),
        # 23:00 becomes midnight.
        ("America/Nuuk", "2026-03-28", 23 * 60 + 30, "2026-03-29 01:00"),
        # Midnight becomes 23:00 of the day before.
        ("America/Santiago", "2026-04-04", 23 * 60 + 30, "2026-04-05 02:30"),
        ("America/Santiago", "2026-04-05", 0, "2026-04-05 04:00"),
        # 02:00 becomes 02:30.
        ("Australia/Lord_Howe", "2026-10-04", 2 * 60 + 10, "2026-10-03 15:30"),
    ],
)
def test_the_oracle_finds_the_first_minute_that_is_shown_or_follows_what_is_skipped(
    zone: str, day: str, opens: int, expected: str
) -> None:
    begin = at(f"{day} 00:00") - timedelta(days=1)
    on = date.fromisoformat(day)
    span = Span(begin, 3 * DAY)
    assert [span.minutes[index] for index in span.openings(Nominal("", zone, lambda one: one == on, (opens,), 60))] == [
        at(expected)
    ]


def test_the_changes_of_a_zone_are_found(every_behaviour: list[Behaviour]) -> None:
    (found,) = (one for one in every_behaviour if "America/New_York" in one.zones)
    in_2026 = [change for change in found.changes if change.at.year == 2026]
    assert in_2026 == [NEW_YORK, Change(at("2026-11-01 06:00"), timedelta(hours=-4), timedelta(hours=-5))]
    assert "America/Detroit" in found.zones
    assert max(change.at for change in found.changes) > at("2037-11-01 00:00")
