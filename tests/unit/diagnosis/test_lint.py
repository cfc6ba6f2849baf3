"""What is allowed, and yet likely not meant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ges_upgrader.diagnosis.lint import warnings
from ges_upgrader.domain.model import Graph, Verdict
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Ended, Intended
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import Policy
from tests.builders import NOW, TOPIC, at, attempt, graph, history, policy, survey

FLEET = [graph("a"), graph("b", a="b"), graph("c")]


def warned(under: Policy, fleet: list[Graph] = FLEET, past: History | None = None, now: datetime = NOW) -> list[str]:
    return warnings(survey(under, fleet, past or history(), now))


@pytest.mark.parametrize(
    ("rule", "fields", "words"),
    [
        ("windows: ['Sun 02:00-06:00 UTC']", {}, "open for 16h in the next 32 days, less than 48h"),
        ("windows: ['* 02:00-04:00 UTC']", {}, "a window of 2h is short"),
        (
            "windows: ['* 02:00-06:00 UTC'], cutoff: 0m",
            {"timers": "['CRON_TZ=UTC 0 0 6 * * ?']"},
            "none of the timers (CRON_TZ=UTC 0 0 6 * * ?)",
        ),
        ("soak: 2d", {}, "soak does nothing without after"),
        ("spread: 2h", {}, "spread does nothing without windows"),
        ("max_concurrent: 3", {}, "max_failures 1 lets only 1 of max_concurrent 3"),
        (
            "min_release_age: 7d, soak: 1d, notice: 1h, mode: approve",
            {"state": "none"},
            "min_release_age, notice, soak, mode: approve: with state",
        ),
    ],
)
def test_what_is_likely_not_meant_is_warned_of(rule: str, fields: dict[str, str], words: str) -> None:
    (warning,) = [text for text in warned(policy(f"[{{name: prod, {rule}}}]", **fields)) if words in text]
    assert warning.startswith("rules[0] (prod): ")


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("", {}),
        ("windows: always", {}),
        ("windows: ['* 02:00-06:00 UTC']", {"timers": "['CRON_TZ=UTC 0 0 5 * * ?']"}),
        ("windows: ['* 02:00-06:00 UTC']", {"timers": "[30m]"}),
        ("max_concurrent: 3, max_failures: 3", {}),
        ("min_release_age: 7d", {"trust_released_at": "true"}),
        ("min_release_age: 7d, notice: 1d", {"state": "file:///tmp/x"}),
        ("name: first, match: {name: a}}, {after: [first], soak: 1d", {"state": "file:///tmp/x"}),
        ("match: {name: a}}, {match: {tags: {a: b}}}, {", {}),
    ],
)
def test_what_is_fine_is_not(rule: str, fields: dict[str, str]) -> None:
    assert warned(policy(f"[{{{rule}}}]", **fields)) == []


@pytest.mark.parametrize("rule", ["", "windows: ['* 00:00-24:00 UTC']"])
def test_an_explicit_lack_of_state_is_warned_of(rule: str) -> None:
    assert any(text.startswith("state: none keeps nothing") for text in warned(policy(f"[{{{rule}}}]", state="none")))
    assert warned(parse_policy(f"notify: {TOPIC}\nrules: [{{}}]")) == []


def test_freezes_count_against_the_time_that_is_open() -> None:
    rule = "[{windows: ['* 00:00-06:00 UTC']}]"
    assert warned(policy(rule)) == []
    assert "less than 48h" in warned(policy(rule, freezes="[{from: 2026-11-24, until: 2026-12-20}]"))[0]


@pytest.mark.parametrize("match", ["", ", match: {}"])
def test_a_rule_after_one_that_takes_every_graph_is_warned_of(match: str) -> None:
    rules = (
        f"[{{name: dev, match: {{name: 'dev_*'}}}}, {{name: rest{match}}}, {{name: prod, match: {{name: x}}}}, {{name: last}}]"
    )
    reason = "it never governs a graph, as rules[1] (rest) has no match and takes every graph before it"
    assert warned(policy(rules), [graph("dev_a"), *FLEET]) == [f"rules[2] (prod): {reason}", f"rules[3] (last): {reason}"]


YEARLY = "{rrule: 'FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1', start: '02:00', duration: 8h, timezone: UTC}"
SUNDAY = "'Sun 02:00-06:00 UTC'"


def of_timers(windows: str, timers: str, now: datetime = NOW, **fields: str) -> list[str]:
    found = warned(policy(f"[{{windows: [{windows}]}}]", timers=timers, **fields), now=now)
    return [text for text in found if "timers" in text]


@pytest.mark.parametrize(
    ("windows", "timers"),
    [
        (YEARLY, "[30m]"),
        (YEARLY, "['CRON_TZ=UTC 0 0 3 1 3 ?']"),
        (SUNDAY, "[3h]"),
        (SUNDAY, "[210m]"),
        (SUNDAY, "[1d, 'CRON_TZ=UTC 0 0 3 ? * SUN']"),
        ("always", "['CRON_TZ=UTC 0 0 3 24 12 ?']"),
    ],
)
def test_timers_that_meet_a_window_within_the_horizon_are_fine(windows: str, timers: str) -> None:
    assert of_timers(windows, timers) == []


@pytest.mark.parametrize("timers", ["[1d]", "[4h]", "['CRON_TZ=UTC 0 0 12 * * ?', 1d]", "['@every 3h31m']"])
def test_a_rate_longer_than_a_window_lets_things_start_may_miss_it_whenever_that_is_asked(timers: str) -> None:
    for hours in range(0, 24, 5):
        (text,) = of_timers(SUNDAY, timers, NOW + timedelta(hours=hours))
        assert "may miss its windows" in text
        assert "for 210m at the longest" in text


def test_a_schedule_that_fires_only_within_the_cutoff_or_a_freeze_is_warned_of() -> None:
    assert "none of the timers (CRON_TZ=UTC 0 45 5 * * ?)" in of_timers(SUNDAY, "['CRON_TZ=UTC 0 45 5 * * ?']")[0]
    frozen = "[{from: 2027-02-01, until: 2027-03-02}]"
    assert (
        "none of the timers (CRON_TZ=UTC 0 0 3 1 3 ?)"
        in of_timers(f"{YEARLY}, {SUNDAY}", "['CRON_TZ=UTC 0 0 3 1 3 ?']", freezes=frozen)[0]
    )


def test_windows_that_open_too_often_to_be_looked_at_are_not_warned_of() -> None:
    often = "{rrule: 'FREQ=DAILY;BYHOUR=0,4,8,12,16,20', start: '00:00', duration: 1h, timezone: UTC}"
    assert of_timers(often, "['0 0 2 * * ?']") == []


def upgraded(*hours: float) -> History:
    past = history()
    for number, length in enumerate(hours):
        one = attempt(graph(f"g{number}"), began_at=NOW - timedelta(hours=length))
        past.apply(Intended(at=one.began_at, attempt=one))
        past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=NOW))
    return past


@pytest.mark.parametrize(("hours", "cutoff"), [([5.0], "5h"), ([1.0] * 8 + [4.0] * 2, "4h"), ([4.501], "271m")])
def test_a_cutoff_that_the_upgrades_themselves_made_as_long_as_the_windows_is_told(hours: list[float], cutoff: str) -> None:
    under = policy("[{windows: ['* 02:00-06:00 UTC'], cutoff: auto}]", timers="['0 0 12 * * ?']")
    assert warned(under, past=upgraded(*hours)) == [
        f"rules[0] (rule-1): nothing can start: the cutoff of {cutoff} is as long as the windows "
        "(auto: 90% of the fleet's own upgrades took no longer)"
    ]


ONCE = "windows: [{rrule: 'FREQ=DAILY;COUNT=1', start: '2026-11-23T01:00', duration: 2h, timezone: UTC}]"


@pytest.mark.parametrize(
    ("rule", "fields", "hours", "words"),
    [
        (ONCE, {}, -1, None),
        (ONCE, {}, 0.4, None),
        (ONCE, {}, 0.6, "the last window is within its cutoff of 30m, and no other opens within 400 days"),
        (ONCE, {}, 2, "no window opens within 400 days"),
        (
            "windows: ['* 02:00-06:00 UTC']",
            {"freezes": "[{from: 2026-11-23, until: 2029-01-01}]"},
            0,
            "the freezes leave no time",
        ),
        ("", {"freezes": "[{from: 2026-11-23, until: 2029-01-01}]"}, 0, "the freezes leave no time within 400 days"),
        ("", {"freezes": "[{from: 2026-11-23, until: 2027-01-01}]"}, 0, None),
    ],
)
def test_a_rule_that_can_start_nothing_is_warned_of(rule: str, fields: dict[str, str], hours: float, words: str | None) -> None:
    found = warned(policy(f"[{{name: prod, {rule}}}]", **fields), now=NOW + timedelta(hours=hours))
    found = [text for text in found if "nothing can start" in text]
    assert len(found) == (words is not None)
    assert all(words in text for text in found if words)


def test_a_cutoff_that_leaves_room_is_fine() -> None:
    under = policy("[{windows: ['* 02:00-06:00 UTC'], cutoff: auto}]")
    assert warned(under, past=upgraded(3.9)) == []
    assert warned(under, past=upgraded(*[1.0] * 9, 9.0)) == []


def test_a_rule_that_governs_no_graph_is_told_once_and_with_what_comes_of_it() -> None:
    none = "as none matches it that no rule before it governs and that has not opted out"
    waves = (
        "[{name: canary, match: {name: 'canary*'}}, {name: prod, match: {name: a}, after: [canary]},"
        " {name: rest, match: {name: b}, after: [canary, prod]}]"
    )
    assert warned(policy(waves)) == [f"rules[0] (canary): it governs no graph, {none}, so prod, rest do not wait for it"]
    assert warned(policy(waves), [*FLEET, graph("canary_1")]) == []
    assert warned(policy(waves), [*FLEET, graph("canary_1", **{"ges-upgrader": "off"})]) != []
    lone = policy("[{name: prod, match: {name: p}}, {name: rest}]")
    assert warned(lone) == [f"rules[0] (prod): it governs no graph, {none}"]


def test_a_rule_that_never_governs_a_graph_is_told_with_the_rules_that_do_not_wait_for_it() -> None:
    (told, _) = warned(policy("[{name: rest, match: {}}, {name: canary, match: {name: a}}, {name: x, after: [canary]}]"))
    assert told.endswith("rules[0] (rest) has no match and takes every graph before it, so x does not wait for it")


def test_of_a_fleet_that_was_not_seen_as_a_whole_nothing_is_said_about_what_is_missing() -> None:
    under = policy("[{name: canary, match: {name: 'canary*'}}, {after: [canary]}]")
    assert warned(under, []) == []
    assert warnings(survey(under, FLEET, history(), NOW, complete=False)) == []


MONTHLY = "windows: [{rrule: 'FREQ=MONTHLY;BYDAY=1SU', start: '02:00', duration: 8h, timezone: UTC}]"


@pytest.mark.parametrize(
    ("rules", "past", "words"),
    [
        (
            f"[{{name: prod, mode: approve, {MONTHLY}}}]",
            history(),
            "approval_lifetime 14d is shorter than the time between its windows, up to 34d",
        ),
        (f"[{{name: prod, mode: approve, approval_lifetime: 40d, {MONTHLY}}}]", history(), None),
        (f"[{{name: prod, {MONTHLY}}}]", history(), None),
        (
            f"[{{name: prod, {MONTHLY}}}]",
            history("2.4.15", not_after=at("2026-12-01 00:00")),
            "2.4.15 may start only before 2026-12-01T00:00:00Z (not_after), and its next window opens at 2026-12-06T02:00:00Z",
        ),
        (f"[{{name: prod, {MONTHLY}}}]", history("2.4.15", not_after=at("2026-12-07 00:00")), None),
        (f"[{{name: prod, {MONTHLY}}}]", history("2.4.15", not_after=at("2026-11-22 00:00")), None),
        (f"[{{name: prod, versions: <2.4, {MONTHLY}}}]", history("2.4.15", not_after=at("2026-12-01 00:00")), None),
        (
            "[{name: dev, match: {name: a}, mode: notify}, {name: prod, after: dev}]",
            history(),
            "it waits for dev, whose mode is notify",
        ),
        (
            "[{name: dev, match: {name: a}, versions: '<2.4.10'}, {name: prod, after: dev}]",
            history("2.4.15"),
            "it waits for dev to run 2.4.15, which the versions of that (<2.4.10) never allow",
        ),
        ("[{name: dev, match: {name: a}, versions: '<2.4.10'}, {name: prod, after: dev}]", history("2.4.9"), None),
        (
            "[{name: dev, match: {name: a}, versions: '<2.4.10'}, {name: prod, versions: '>2.4.12', after: dev}]",
            history(),
            "it waits for dev, whose versions (<2.4.10) allow none that its own allow",
        ),
        ("[{name: prod, force: {after: 24h}}]", history(), "force after 1d never comes, as max_failures is 1"),
        ("[{name: prod, force: {after: 24h}, max_failures: 2}]", history(), None),
        ("[{name: prod, force: {after: 24h}, max_failures: 50%}]", history(), None),
    ],
)
def test_what_keeps_a_rule_from_releases_is_warned_of(rules: str, past: History, words: str | None) -> None:
    found = [text for text in warned(policy(rules), past=past) if "its windows are open for" not in text]
    assert len(found) == (words is not None), found
    assert all("(prod): " in text and words in text for text in found if words)
