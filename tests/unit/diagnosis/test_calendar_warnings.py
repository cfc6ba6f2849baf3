"""Windows, freezes and timers that are allowed, and yet likely not meant."""

from __future__ import annotations

import pytest

from ges_upgrader.diagnosis.lint import warnings
from ges_upgrader.policy.parsing import parse_policy
from tests.builders import NOW, PROJECT_ID, graph, history, policy, survey


def warned(rules: str = "[{}]", **fields: str) -> list[str]:
    return warnings(survey(policy(rules, **fields), [graph("a")], history(), NOW))


def by_rule(rule: str, duration: str, start: str = "02:00") -> str:
    return f"[{{windows: [{{rrule: '{rule}', start: '{start}', duration: {duration}, timezone: UTC}}]}}]"


@pytest.mark.parametrize(
    ("rule", "duration", "together"),
    [
        ("FREQ=WEEKLY;BYDAY=SA,SU", "38h", True),
        ("FREQ=DAILY", "25h", True),
        ("FREQ=DAILY;BYHOUR=0,12", "13h", True),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "24h", False),
        ("FREQ=WEEKLY;BYDAY=SA", "38h", False),
        ("FREQ=DAILY;BYHOUR=0,12", "12h", False),
    ],
)
def test_a_window_that_runs_into_itself_is_warned_of(rule: str, duration: str, together: bool) -> None:
    found = [text for text in warned(by_rule(rule, duration)) if "run together" in text]
    assert bool(found) == together


def test_whole_days_run_together_at_no_clock_change() -> None:
    assert warned("[{windows: ['* 00:00-24:00 Europe/Berlin']}]") == []


def test_a_freeze_that_is_over_is_warned_of() -> None:
    assert warned(freezes="[{from: 2026-11-01, until: 2026-11-23}, {from: 2026-11-01, until: 2026-11-24}]") == [
        "freezes[0]: it ended at 2026-11-23T00:00:00Z; remove it, or give it new dates"
    ]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("always", ["freezes[0]: when: it always holds for the next 400 days (always); to stop everything"]),
        ("'* 00:00-24:00 UTC'", ["freezes[0]: when: it always holds for the next 400 days (* 00:00-24:00 UTC)"]),
        (
            "{rrule: 'FREQ=DAILY;UNTIL=20261101', start: '00:00', duration: 1h, timezone: UTC}",
            ["it does not come within 400 d"],
        ),
        (
            "{rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', start: '00:00', duration: 1h, timezone: UTC}",
            ["does not come within"],
        ),
        ("'Fri 00:00-24:00 UTC'", []),
    ],
)
def test_a_freeze_that_never_or_always_recurs_is_warned_of(when: str, words: list[str]) -> None:
    found = [text for text in warned(freezes=f"[{{when: {when}}}]") if text.startswith("freezes")]
    assert len(found) == len(words) and all(expected in text for expected, text in zip(words, found))


def test_no_gap_is_seen_beside_a_freeze_that_recurs() -> None:
    assert warned(freezes="[{when: 'Mon,Wed 00:00-24:00 UTC'}, {from: 2026-12-24, until: 2026-12-31}]") == []


def test_a_gap_between_two_freezes_is_warned_of() -> None:
    (text,) = warned(freezes="[{from: 2027-01-01, until: 2027-01-04}, {from: 2026-12-24, until: 2026-12-31}]")
    assert text == (
        "freezes[0]: rule-1 may start upgrades from 2026-12-31T00:00:00Z until 2026-12-31T23:30:00Z, after freezes[1] and "
        "before this one; if they are meant as one, let the first end at 2027-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("rules", "second"),
    [
        ("[{}]", "'2026-12-31T00:29:00'"),  # the cutoff fills the gap
        ("[{}]", "2026-12-30"),  # they overlap
        ("[{}]", "2027-02-10"),  # two freezes of their own
        ("[{windows: ['Sat 00:00-24:00 UTC', 'Sun 00:00-24:00 UTC']}]", "2027-01-01"),  # no window opens on that Thursday
    ],
)
def test_freezes_with_nothing_between_them_are_fine(rules: str, second: str) -> None:
    found = warned(rules, freezes=f"[{{from: 2026-12-24, until: 2026-12-31}}, {{from: {second}, until: 2027-02-14}}]")
    assert not [text for text in found if "freezes" in text]


def test_a_second_between_freezes_counts_without_a_cutoff() -> None:
    freezes = "[{from: 2026-12-24, until: '2026-12-31T23:59:59'}, {from: 2027-01-01, until: 2027-01-04}]"
    assert warned(freezes=freezes) == []
    assert "from 2026-12-31T23:59:59Z until 2027-01-01T00:00:00Z" in warned("[{cutoff: 0m}]", freezes=freezes)[0]


SUNDAY = "[{windows: ['Sun 02:00-06:00 Asia/Shanghai', 'Sun 02:00-14:00 Asia/Shanghai']}]"


@pytest.mark.parametrize(("hour", "missed"), [(3, False), (19, True)])
def test_timers_of_a_region_in_china_fire_in_its_zone(hour: int, missed: bool) -> None:
    """03:00 in Shanghai is within the window, and 19:00 would be in UTC."""
    assert bool(warned(SUNDAY, timers=f"['0 0 {hour} ? * SUN']")) == missed


def test_elsewhere_a_timer_without_a_zone_is_not_judged() -> None:
    text = f"notify: urn:smn:eu-west-101:{PROJECT_ID}:t\nstate: file:///tmp/x\nrules: {SUNDAY}\ntimers: ['0 0 19 ? * SUN']"
    (warning,) = warnings(survey(parse_policy(text), [graph("a")], history(), NOW))
    assert warning.startswith("timers[0] (0 0 19 ? * SUN): ")
    assert warning.endswith("write `CRON_TZ=<zone> 0 0 19 ? * SUN`")


def test_a_timer_that_cannot_be_read_is_warned_of_alone() -> None:
    assert warned(SUNDAY, timers="['0 0 2 L * ?', '0 0 19 ? * SUN']") == [
        "timers[0] (0 0 2 L * ?): it cannot be judged here: 'L' cannot be read as a field of a schedule"
    ]
