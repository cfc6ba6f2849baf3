"""A sample of `make windows`: around some changes of the clocks of all zones that differ, minute by minute."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ges_upgrader.schedule.calendars import Calendar
from ges_upgrader.schedule.windows import Window
from tests.builders import at
from tests.oracles.comparison import compared, looked_at
from tests.oracles.transitions import Behaviour, Change, behaviours
from tests.oracles.window_cases import Case, cases
from tests.oracles.window_oracle import DAY, Nominal, Span, starts

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


WHERE_FROZEN = at("2026-11-20 00:00")
PAINTED = Span(WHERE_FROZEN, 12 * DAY)
KINDS = [
    Nominal("* 22:00-02:00 UTC", "UTC", lambda _: True, (22 * 60,), 240),
    Nominal("Sun 01:00-04:00 Asia/Shanghai", "Asia/Shanghai", lambda day: day.weekday() == 6, (60,), 180),
    Nominal("* 00:00-24:00 UTC", "UTC", lambda _: True, (0,), DAY),
]
minutes = st.integers(DAY, 4 * DAY)


@settings(max_examples=150)
@given(
    windows=st.lists(st.sampled_from(KINDS), max_size=2, unique_by=lambda one: str(one.written)),
    freezes=st.lists(st.tuples(minutes, st.integers(1, 400)), max_size=4),
    cutoff=st.sampled_from([0, 1, 30, 150]),
    data=st.data(),
)
def test_starts_keep_the_cutoff_before_freezes(
    windows: list[Nominal], freezes: list[tuple[int, int]], cutoff: int, data: st.DataObject
) -> None:
    periods = [(PAINTED.minutes[begin], PAINTED.minutes[begin + length]) for begin, length in freezes]
    edges = [
        begin + length * past - cutoff * (1 - past) + off for begin, length in freezes for past in (0, 1) for off in (-1, 0)
    ]
    expected = starts(PAINTED, windows, cutoff, periods)
    for index in data.draw(st.lists(st.sampled_from(edges) if edges else minutes, max_size=8)) + data.draw(
        st.lists(minutes, min_size=2, max_size=4)
    ):
        minute = PAINTED.minutes[max(index, DAY)]
        calendar = Calendar([Window(one.written) for one in windows], timedelta(minutes=cutoff), periods, minute)
        found, wanted = calendar.first(minute), expected[max(index, DAY)]
        assert found and wanted and found.start == wanted.start
        assert wanted.before in (None, found.before)


FREEZES = [
    Nominal("Sat,Sun 22:00-02:00 UTC", "UTC", lambda day: day.weekday() > 4, (22 * 60,), 240),
    Nominal("Mon 00:00-24:00 Asia/Shanghai", "Asia/Shanghai", lambda day: day.weekday() == 0, (0,), DAY),
    Nominal("Wed 23:00-04:00 UTC", "UTC", lambda day: day.weekday() == 2, (23 * 60,), 300),
]


@given(
    windows=st.lists(st.sampled_from(KINDS), max_size=2, unique_by=lambda one: str(one.written)),
    recurring=st.lists(st.sampled_from(FREEZES), min_size=1, max_size=2, unique_by=lambda one: str(one.written)),
    cutoff=st.sampled_from([0, 30, 150]),
    minute=minutes,
)
def test_a_freeze_that_recurs_is_each_of_its_times(
    windows: list[Nominal], recurring: list[Nominal], cutoff: int, minute: int
) -> None:
    now = PAINTED.minutes[minute]
    periods = [
        (PAINTED.minutes[begin], PAINTED.minutes[begin + freeze.length])
        for freeze in recurring
        for begin in PAINTED.openings(freeze)
        if begin + freeze.length < len(PAINTED.minutes)
    ]
    opens, before = [Window(one.written) for one in windows], timedelta(minutes=cutoff)
    found = Calendar(opens, before, [Window(one.written) for one in recurring], now)
    listed = Calendar(opens, before, periods, now)
    assert found.first(now) == listed.first(now)
    assert found.frozen_until(now) == listed.frozen_until(now)


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
