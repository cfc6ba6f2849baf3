"""What is allowed, and yet likely not meant."""

from __future__ import annotations

import pytest

from tests.builders import NOW, policy
from upgrader.lint import warnings


@pytest.mark.parametrize(
    ("rule", "fields", "words"),
    [
        ("windows: ['Sun 02:00-06:00 UTC']", {}, "open for 16h in the next 32 days, less than 48h"),
        ("windows: ['* 02:00-04:00 UTC']", {}, "a window of 2h is short"),
        ("windows: ['* 02:00-06:00 UTC'], cutoff: 0m", {"timers": "['0 0 6 * * ?']"}, "none of the timers (0 0 6 * * ?)"),
        ("soak: 2d", {}, "soak does nothing without after"),
        ("spread: 2h", {}, "spread does nothing without windows"),
        ("max_concurrent: 3", {}, "max_failures 1 lets only 1 of max_concurrent 3"),
        (
            "min_release_age: 7d, soak: 1d, notice: 1h, mode: approve",
            {},
            "min_release_age, notice, soak, mode: approve: with state",
        ),
    ],
)
def test_what_is_likely_not_meant_is_warned_of(rule: str, fields: dict[str, str], words: str) -> None:
    (warning,) = [text for text in warnings(policy(f"[{{name: prod, {rule}}}]", **fields), NOW) if words in text]
    assert warning.startswith("rules[0] (prod): ")


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("", {}),
        ("windows: always", {}),
        ("windows: ['* 02:00-06:00 UTC']", {"timers": "['0 0 5 * * ?']"}),
        ("windows: ['* 02:00-06:00 UTC']", {"timers": "[30m]"}),
        ("max_concurrent: 3, max_failures: 3", {}),
        ("min_release_age: 7d", {"trust_released_at": "true"}),
        ("min_release_age: 7d, notice: 1d", {"state": "file:///tmp/x"}),
        ("name: first, match: {name: x}}, {after: [first], soak: 1d", {"state": "file:///tmp/x"}),
        ("match: {name: x}}, {match: {tags: {a: b}}}, {", {}),
    ],
)
def test_what_is_fine_is_not(rule: str, fields: dict[str, str]) -> None:
    assert warnings(policy(f"[{{{rule}}}]", **fields), NOW) == []


def test_freezes_count_against_the_time_that_is_open() -> None:
    rule = "[{windows: ['* 00:00-06:00 UTC']}]"
    assert warnings(policy(rule), NOW) == []
    assert "less than 48h" in warnings(policy(rule, freezes="[{from: 2026-11-24, until: 2026-12-20}]"), NOW)[0]


@pytest.mark.parametrize("match", ["", ", match: {}"])
def test_a_rule_after_one_that_takes_every_graph_is_warned_of(match: str) -> None:
    rules = (
        f"[{{name: dev, match: {{name: 'dev_*'}}}}, {{name: rest{match}}}, {{name: prod, match: {{name: x}}}}, {{name: last}}]"
    )
    reason = "it never governs a graph, as rules[1] (rest) has no match and takes every graph before it"
    assert warnings(policy(rules), NOW) == [f"rules[2] (prod): {reason}", f"rules[3] (last): {reason}"]
