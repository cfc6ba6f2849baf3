"""A policy is right as a whole, or refused with everything that is wrong with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import RELEASES_TOPIC, TOPIC
from upgrader.policy import PolicyError, fingerprint, parse_policy

SMALLEST = f'notify: {TOPIC}\nrules: [{{windows: ["Sun 02:00-06:00 Asia/Shanghai"]}}]'


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    return caught.value.problems


def test_the_smallest_policy_gets_the_interfaces_defaults() -> None:
    policy = parse_policy(SMALLEST)
    (rule,) = policy.rules
    assert (policy.enabled, policy.state.text, policy.api, rule.name) == (True, "none", "auto", "rule-1")
    assert (rule.cutoff, rule.max_concurrent, rule.max_failures) == (timedelta(minutes=30), 1, 1)
    assert (rule.force, rule.job_timeout) == ("never", timedelta(hours=2))


def test_a_rule_without_windows_has_no_cutoff() -> None:
    assert parse_policy(f"notify: {TOPIC}\nrules: [{{}}]").rules[0].cutoff == timedelta()


def test_json_is_a_policy_too_and_means_the_same() -> None:
    text = f'{{"notify": "{TOPIC}", "rules": [{{"windows": ["Sun 02:00-06:00 Asia/Shanghai"]}}]}}'
    assert fingerprint(parse_policy(text)) == fingerprint(parse_policy(SMALLEST))


def test_a_default_that_is_spelled_out_does_not_change_the_fingerprint_and_a_change_does() -> None:
    spelled = SMALLEST.replace("rules: [{", "version: 1\nenabled: true\nrules: [{cutoff: 30m, ")
    assert fingerprint(parse_policy(spelled)) == fingerprint(parse_policy(SMALLEST))
    assert fingerprint(parse_policy(SMALLEST.replace("02:00", "03:00"))) != fingerprint(parse_policy(SMALLEST))


def test_all_errors_are_told_at_once_each_with_its_path() -> None:
    found = problems(
        """
notify: urn:smn:cn-north-4
enabled: yes
api: v3
rules:
  - {windows: ["Sun 02:00-06:00 UTC", 5, "Sun 02:00-06:00 Mars/Olympus"]}
  - seven
  - {cutoff: 30, max_concurrent: 0, mach: {}}
"""
    )
    assert sorted(problem.split(":")[0] for problem in found) == [
        "api",
        "enabled",
        "notify.topic",
        "rules[0].windows[1]",
        "rules[0].windows[2]",
        "rules[1]",
        "rules[2].cutoff",
        "rules[2].mach",
        "rules[2].max_concurrent",
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("enabled: 'yes'", "expected true or false; found 'yes'"),
        ("api: v3", "expected auto, v2 or v1.0; found 'v3'"),
        ("version: 2", "expected 1; found 2"),
        ("state: obs://bucket/prefix", "obs:// is not supported yet"),
        ("state: /tmp", "expected none, or file:///path"),
        ("verzion: 1", "did you mean version?"),
        ("releases: [{version: 2.4}]", "expected a version in quotes"),
        ("releases: [{released_at: 2026-10-01}]", "the field version is missing"),
        ("releases: [{version: 2.4.15, released_at: soon}]", "expected a date"),
        ("projects: [{region: cn-north-4, project_id: a/b}]", "expected the id of a project"),
        (f"release_topics: ['{TOPIC}']", "is also the topic of notify"),
        ("notify: 5", "expected the URN of a topic"),
    ],
)
def test_an_error_says_what_was_found_and_what_is_accepted(field: str, words: str) -> None:
    text = f"{field}\nrules: [{{}}]" if field.startswith("notify") else f"{field}\nnotify: {TOPIC}\nrules: [{{}}]"
    assert words in "\n".join(problems(text))


@pytest.mark.parametrize(
    "rule",
    [
        "mode: approve",
        "min_release_age: 7d",
        "notice: 24h",
        "after: [dev]",
        "soak: 48h",
        "max_graphs: 20",
        "backup: required",
        "force: {after: 24h}",
        "cutoff: auto",
        "max_concurrent: 25%",
        "windows: [{rrule: 'FREQ=MONTHLY', start: '02:00', duration: 4h, timezone: UTC}]",
    ],
)
def test_a_field_that_is_not_built_yet_is_refused_and_never_ignored(rule: str) -> None:
    (problem,) = problems(f"notify: {TOPIC}\nrules: [{{{rule}}}]")
    assert problem.startswith("rules[0].")
    assert "not supported yet" in problem or "expected" in problem


def test_freezes_are_refused_until_they_are_built() -> None:
    assert problems(f"notify: {TOPIC}\nfreezes: [{{from: 2026-12-24}}]\nrules: [{{}}]")[0].startswith(
        "freezes: not supported yet"
    )


def test_the_default_of_a_field_that_is_not_built_yet_may_be_written() -> None:
    parse_policy(f"notify: {TOPIC}\nfreezes: []\nrules: [{{mode: auto, soak: 0h, after: [], backup: none, notice: 0d}}]")


def test_a_window_that_its_cutoff_fills_is_an_error() -> None:
    assert "nothing could ever start" in problems(f"notify: {TOPIC}\nrules: [{{windows: ['Sun 02:00-02:20 UTC']}}]")[0]


def test_two_rules_with_one_name_are_an_error() -> None:
    assert "earlier rule" in problems(f"notify: {TOPIC}\nrules: [{{name: rule-2}}, {{}}]")[0]


@pytest.mark.parametrize("text", ["", "5", "[]", "null", "a: [", "a: 1\na: 2", '{"a": 1, "a": 2}', "1: 2", "\0", "[" * 5000])
def test_what_is_no_policy_at_all_is_refused(text: str) -> None:
    assert problems(text)


def test_yaml_means_what_it_says() -> None:
    """`on` is a key, `02:00` no number, a date a text: YAML 1.1 would read them otherwise."""
    policy = parse_policy(
        f"notify: {{topic: '{TOPIC}', on: [failed]}}\n"
        "releases: [{version: 2.4.15, released_at: 2026-10-01}]\n"
        "rules: [{match: {tags: {a: off}}}]"
    )
    assert policy.notify
    assert policy.notify.on == ("failed",)
    assert policy.rules[0].match.tags
    assert policy.rules[0].match.tags.wanted == {"a": "off"}


def test_release_topics_are_kept() -> None:
    policy = parse_policy(f"notify: {TOPIC}\nrelease_topics: ['{RELEASES_TOPIC}']\nrules: [{{}}]")
    assert [topic.urn for topic in policy.release_topics or ()] == [RELEASES_TOPIC]
