"""A policy is right as a whole, or refused with everything that is wrong with it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ges_upgrader.domain.model import Severity, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader.policy.schema import HealthCheck, fingerprint
from tests.builders import RELEASES_TOPIC, TOPIC, at, policy

SMALLEST = f'notify: {TOPIC}\nstate: obs://bucket/ges-upgrader\nrules: [{{windows: ["Sun 02:00-06:00 Asia/Shanghai"]}}]'


def problems(text: str) -> list[str]:
    """What is wrong with a policy; it has a state unless it says otherwise."""
    stated = "state:" in text or "notify:" not in text
    with pytest.raises(PolicyError) as caught:
        parse_policy(text if stated else f"{text}\nstate: none")
    return [without_place(problem) for problem in caught.value.problems]


def without_place(problem: str) -> str:
    return re.sub(r" \((rule .*, )?line \d+, column \d+\)$", "", problem)


def test_the_smallest_policy_gets_the_interfaces_defaults() -> None:
    policy = parse_policy(SMALLEST)
    (rule,) = policy.rules
    assert (policy.enabled, policy.state.text, policy.api, rule.name) == (True, "obs://bucket/ges-upgrader", "auto", "rule-1")
    assert rule.cutoff
    assert (rule.cutoff.length, rule.max_concurrent.text, rule.max_failures.text) == (timedelta(minutes=30), 1, 1)
    assert (rule.mode, rule.force.text, rule.backup, rule.after) == ("auto", "never", "none", ())
    assert (rule.job_timeout, rule.backup_max_age) == (timedelta(hours=2), timedelta(hours=24))
    assert (rule.notice, rule.soak, rule.spread, rule.approval_lifetime) == (*[timedelta()] * 3, timedelta(days=14))
    assert policy.outlet.on[:4] == ("succeeded", "failed", "blocked", "overrun")


def test_a_rule_without_windows_has_the_default_cutoff() -> None:
    assert policy().rules[0].cutoff.length == timedelta(minutes=30)


def test_json_is_a_policy_too_and_means_the_same() -> None:
    state = "obs://bucket/ges-upgrader"
    text = f'{{"notify": "{TOPIC}", "state": "{state}", "rules": [{{"windows": ["Sun 02:00-06:00 Asia/Shanghai"]}}]}}'
    assert fingerprint(parse_policy(text)) == fingerprint(parse_policy(SMALLEST))


def test_a_default_that_is_spelled_out_does_not_change_the_fingerprint_and_a_change_does() -> None:
    spelled = SMALLEST.replace("rules: [{", "version: 1\nenabled: true\nrules: [{cutoff: 30m, ")
    assert fingerprint(parse_policy(spelled)) == fingerprint(parse_policy(SMALLEST))
    assert fingerprint(parse_policy(SMALLEST.replace("02:00", "03:00"))) != fingerprint(parse_policy(SMALLEST))


@pytest.mark.parametrize("tests", ["[{name: x, then: null}, 5]", "{}", "{a: [b]}"])
def test_tests_of_the_policy_are_ignored(tests: str) -> None:
    with_tests = parse_policy(f"{SMALLEST}\ntests: {tests}")
    assert fingerprint(with_tests) == fingerprint(parse_policy(SMALLEST))


def test_alert_after_is_two_hours_unless_given() -> None:
    assert policy().alert_after == timedelta(hours=2)
    assert policy(alert_after="30m").alert_after == timedelta(minutes=30)
    assert "longer than zero" in problems(f"{SMALLEST}\nalert_after: 0h")[0]


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        ("[{windows: ['Sun 02:00-06:00 UTC']}]", "windows"),
        ("[{min_release_age: 7d}]", "min_release_age"),
        ("[{min_release_age: {default: 0d, security: 1d}}]", "min_release_age"),
        ("[{notice: 1h}]", "notice"),
        ("[{soak: 1h}]", "soak"),
        ("[{name: a}, {after: [a]}]", "after"),
        ("[{mode: approve}]", "mode: approve"),
        ("[{backup: required}]", "backup"),
        ("[{}]\nfreezes: [{from: 2026-12-24, until: 2027-01-04}]", "freezes"),
        ("[{backup: required}, {notice: 1h}]", "backup, notice"),
    ],
)
def test_what_needs_memory_needs_a_state(rules: str, fields: str) -> None:
    text = f"notify: {TOPIC}\nrules: {rules}"
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    (problem,) = caught.value.problems
    assert problem.startswith(f"state: missing; {fields} can only work if")
    assert "add the line `state: obs://<bucket>/ges-upgrader`" in problem
    assert parse_policy(f"{text}\nstate: none").state.given
    assert parse_policy(f"{text}\nstate: file:///var/ges").state.folder


def test_without_need_of_memory_state_may_be_left_out() -> None:
    defaults = "windows: always, min_release_age: 0d, notice: 0d, soak: 0d, after: [], mode: notify, backup: none"
    policy = parse_policy(f"notify: {TOPIC}\nfreezes: []\nrules: [{{{defaults}}}]")
    assert (policy.state.text, policy.state.given) == ("none", False)


def test_a_wrong_state_is_one_error() -> None:
    assert len(problems(f"notify: {TOPIC}\nstate: bucket\nrules: [{{notice: 1h}}]")) == 1


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


def test_what_an_error_entails_is_not_told_as_another() -> None:
    assert len(problems(f"notify: {TOPIC}\nrules: [{{windows: [Sunday]}}]")) == 1
    assert len(problems(f"notify: {TOPIC}\nrules: [{{name: [], mode: auto}}, {{after: [dev]}}]")) == 1


def test_a_rule_that_is_not_there_is_told_beside_the_errors_of_other_fields() -> None:
    found = problems(f"notify: {TOPIC}\nrules: [{{name: dev, cutoff: 30}}, {{after: [dev, test]}}]")
    assert [problem.split(";")[0] for problem in found] == [
        "rules[0].cutoff: expected a number with its unit (s, m, h, d or w), as 90m, 36h or 7d, or auto",
        "rules[1].after: 'test' is not the name of a rule",
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("enabled: 'yes'", "expected true or false; found 'yes'"),
        ("api: v3", "expected auto, v2 or v1.0; found 'v3'"),
        ("version: 2", "expected 1; found 2"),
        ("state: obs://Bucket/prefix", "expected none, obs://bucket/prefix"),
        ("state: obs://ab", "expected none, obs://bucket/prefix"),
        ("journal_keep: 999999d", "expected a duration of at most 3650d"),
        ("state: /tmp", "expected none, obs://bucket/prefix, or file:///path"),
        ("verzion: 1", "did you mean version?"),
        ("release_topics: ", "release_topics: has no value; leave the field out, or give a list of topic URNs"),
        ("releases: [{version: }]", "releases[0].version: has no value; give a version, as 2.4.15"),
        (
            "freezes: ~",
            "freezes: has no value; leave the field out, or give a list of {from, until, …}, or {when, …}",
        ),
        ("projects: []", "projects: expected a list of {region, project_id}; found []"),
        ("releases: [{version: 2.4}]", "expected a version in quotes"),
        ("releases: [{released_at: 2026-10-01}]", "the field version is missing"),
        ("releases: [{version: 2.4.15, released_at: soon}]", "expected a date"),
        ("releases: [{version: 2.4.15, released_at: '2026-10-01T02:00'}]", "or an instant, as 2026-10-01T02:00:00Z"),
        ("releases: [{version: 2.4.15, released_at: 9999-12-31}]", "expected a date from 2000 to 2099"),
        ("projects: [{region: cn-north-4, project_id: a/b}]", "expected the id of a project"),
        ('projects: [{region: cn-north-4, project_id: "abc\\n"}]', "expected the id of a project"),
        (f"release_topics: ['{TOPIC}']", "is also the topic of notify"),
        ("notify: 5", "expected the URN of a topic"),
    ],
)
def test_an_error_says_what_was_found_and_what_is_accepted(field: str, words: str) -> None:
    text = f"{field}\nrules: [{{}}]" if field.startswith("notify") else f"{field}\nnotify: {TOPIC}\nrules: [{{}}]"
    assert words in "\n".join(problems(text))


RULE_PROBLEMS = [
    ("versions: ", "rules[0].versions: has no value; leave the field out, or give PEP 440 specifiers"),
    ("max_graphs: ~", "rules[0].max_graphs: has no value; leave the field out, or give a whole number from 1"),
    ("cutoff: null", "rules[0].cutoff: has no value; leave the field out, or give a duration, as 30m, or auto"),
    ("match: ", "rules[0].match: has no value; leave the field out, or give what a graph must be like, as {name: 'dev_*'}"),
    ("match: {name: }", "rules[0].match.name: has no value; leave the field out, or give a text, in which * and ?"),
    ("match: {tags: }", "rules[0].match.tags: has no value; leave the field out, or give tags and their values"),
    ("match: {tags: {env: }}", "expected text as the value of the tag 'env', in quotes if need be"),
    ("match: {tags: {code: 09}}", "expected text as the value of the tag 'code', in quotes if need be"),
    ("force: {after: }", "expected a number with its unit"),
    ("health_check: {rows: }", "rules[0].health_check.rows: has no value"),
    ("after: [~]", "rules[0].after[0]: expected an item of a list of names of rules; found nothing"),
    ("maxConcurrent: 2", "rules[0].maxConcurrent: unknown field; did you mean max_concurrent?"),
    ("max-concurrent: 2", "rules[0].max-concurrent: unknown field; did you mean max_concurrent?"),
    ("MAX CONCURRENT: 2", "rules[0].MAX CONCURRENT: unknown field; did you mean max_concurrent?"),
    ("minReleaseAge: 7d", "rules[0].minReleaseAge: unknown field; did you mean min_release_age?"),
    ("match: {Name: dev}", "rules[0].match.Name: unknown field; did you mean name?"),
    (
        "match: {colour: dev}",
        "unknown field; accepted are name, id, tags, region, project_id, enterprise_project, product_type",
    ),
    ("'x - at `$.y': 1", "rules[0].x - at `$.y: unknown field; accepted are name, match, mode"),
    ("'a.b': ~", "rules[0].a.b: unknown field; accepted are name, match, mode"),
    ("mode: manual", "expected auto, approve or notify"),
    ("min_release_age: 7", "expected a number with its unit"),
    ("min_release_age: {secure: 1d}", "accepted are default, normal, security, critical"),
    ("min_release_age: {security: 1d}", "expected a default beside the severities, as {default: 7d, security: 1d}"),
    ("versions: ','", "expected version specifiers of PEP 440"),
    ("versions: ' '", "expected version specifiers of PEP 440"),
    ("versions: '>=2.4.4,'", "expected version specifiers of PEP 440"),
    ("versions: '>=2.4.4rc1'", "expected version specifiers of PEP 440"),
    ("versions: '~=2'", "expected version specifiers of PEP 440"),
    ("versions: '>=99999999999'", "expected version specifiers of PEP 440"),
    ("versions: '>3,<2'", "expected version specifiers that a version can meet; none can meet all of these"),
    ("notice: 24", "expected a number with its unit"),
    ("notice: 999999999w", "expected a duration of at most 3650d"),
    ("soak: 3651d", "expected a duration of at most 3650d"),
    ("notice: ٢٤h", "expected a number with its unit"),
    ("approval_lifetime: 0d", "expected a duration longer than zero, as 24h"),
    ("approval_lifetime: 999999w", "expected a duration of at most 3650d"),
    ("backup_max_age: 0s", "expected a duration longer than zero, as 24h"),
    ("after: dev", "'dev' is not the name of a rule; accepted are rule-1"),
    ("after: 5", "expected a list of names of rules"),
    ("after: [dev]", "'dev' is not the name of a rule; accepted are rule-1"),
    ("after: [rule-1]", "each waits for the other"),
    ("soak: soon", "expected a number with its unit"),
    ("max_graphs: 0", "expected a whole number from 1"),
    ("max_concurrent: 0%", "as 10%"),
    ("max_failures: 101%", "as 10%"),
    ("max_failures: 05%", "as 10%"),
    ("max_concurrent: true", "as 10%"),
    ("backup: sometimes", "expected none or required"),
    ("backup_keep: 0", "expected a whole number from 1"),
    ("force: {after: 24}", "expected a number with its unit"),
    ("force: perhaps", "expected never, always or {after: 24h}"),
    ("cutoff: automatic", "or auto"),
    ("cutoff: 999999d", "expected a duration of at most 3650d, or auto"),
    ("health_check: {rows: [[1]]}", "rows need a statement in cypher"),
    ("health_check: {cipher: x}", "did you mean cypher?"),
    ("windows: Sun", "as `Sat,Sun 02:00-06:00 Asia/Shanghai`"),
    ("windows: 5", "expected a list of windows"),
    ("match: {name: '^dev_.*$'}", "'^dev_.*$' looks like a regular expression; expected a glob, as 'dev_*'"),
    ("match: {id: [a, 'b.*']}", "'b.*' looks like a regular expression"),
    ("match: {name: []}", "expected a text, in which * and ?"),
    ("match: {tags: {env: []}}", "expected text as the value of the tag 'env'"),
    ("backup: true", "expected none or required; found true"),
    ("mode: aprove", "expected auto, approve or notify; found 'aprove'; did you mean approve?"),
    (
        "windows: []",
        "02:00-06:00 Asia/Shanghai`, or always; found []",
    ),
    ("windows: [{rrule: 'FREQ=MONTHLY', start: '02:00', duration: 4h, timezone: UTC}]", "give start a date"),
    ("windows: [{rrule: 'FREQ=HOURLY', start: '02:00', duration: 4h, timezone: UTC}]", "use BYHOUR"),
    ("windows: [{rrule: 'FREQ=DAILY;BYDAY=XX', start: '02:00', duration: 4h, timezone: UTC}]", "cannot be read"),
    ("windows: [{rrule: 'FREQ=DAILY', start: '25:00', duration: 4h, timezone: UTC}]", "start is a time of day"),
    ("windows: [{rrule: 'FREQ=WEEKLY;BYDAY=3TH', start: '02:00', duration: 4h, timezone: UTC}]", "numbers the days of a month"),
    ("windows: [{rrule: 'FREQ=DAILY;INTERVAL=0', start: '2026-01-03T02:00', duration: 4h, timezone: UTC}]", "from 1 to 9999"),
    (
        "windows: [{rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', start: '02:00', duration: 4h, timezone: UTC}]",
        "rules[0].windows[0]: opens on no day",
    ),
    ("windows: [{rrule: 'FREQ=DAILY', start: '02:00', duration: 4, timezone: UTC}]", "a number with its unit"),
    ("windows: [{rrule: 'FREQ=DAILY', start: '02:00', duration: 4h, timezone: Mars}]", "no IANA time zone"),
    ("windows: [{rrule: 'FREQ=DAILY', start: '02:00', duration: 4h}]", "all of them and nothing else"),
    (
        "windows: [{rrule: 'FREQ=DAILY;UNTIL=20260101T000000', start: '2026-01-03T02:00', duration: 4h, timezone: UTC}]",
        "rules[0].windows[0]: opens on no day",
    ),
]


@pytest.mark.parametrize(("rule", "words"), RULE_PROBLEMS)
def test_a_wrong_field_of_a_rule_is_told_with_what_is_accepted(rule: str, words: str) -> None:
    found = problems(f"notify: {TOPIC}\nrules: [{{{rule}}}]")
    assert any(words in problem for problem in found), found
    assert all(problem.startswith("rules") for problem in found)


@pytest.mark.parametrize(
    ("freeze", "words"),
    [
        ("{from: 2026-12-24}", "freezes[0]: the field until is missing"),
        ("{from: soon, until: 2027-01-04}", "freezes[0].from: expected a date"),
        *(
            (f"{{from: {written}, until: 2027-01-04}}", "freezes[0].from: expected a date from 2000 to 2099, as 2026-12-24")
            for written in (
                "20261224",
                "2026-W52-1",
                "2026-W52",
                "2026-12-24T02",
                "'2026-12-24T02:00:00.5'",
                "2026-12-24T24:00",
            )
        ),
        ("{from: 2026-12-24, until: 2026-02-30}", "freezes[0].until: expected a date; there is no 2026-02-30"),
        ("{from: 2027-01-04, until: 2026-12-24}", "freezes[0].until: 2026-12-24 is not after 2027-01-04"),
        ("{from: 2026-12-24, until: 2027-01-04, timezone: Mars/Olympus}", "freezes[0].timezone: 'Mars/Olympus' is no IANA"),
        ("{reason: sale}", "freezes[0]: when it holds is missing; expected from and until, or when if it recurs"),
        ("{from: 2026-12-24, until: 2027-01-04, when: always}", "freezes[0].from: when says it already; remove from"),
        ("{when: always, timezone: UTC}", "freezes[0].timezone: when says it already"),
        ("{when: Sat}", "freezes[0].when: a window is `<days> <opens>-<closes> <zone>`"),
        ("{when: [always]}", "freezes[0].when: a window is a text"),
        ("{when: always, allow: {}}", "freezes[0].allow: the field versions is missing"),
        ("{when: always, allow: {versions: [2.4.15]}}", "freezes[0].allow.versions: expected version specifiers"),
        ("{when: always, allow: {graphs: a}}", "freezes[0].allow.graphs: unknown field; accepted are versions"),
        ("{from: 2026-12-24, until: 2027-01-04, rules: [prod]}", "freezes[0].rules: 'prod' is not the name of a rule"),
        ("{from: 2026-12-24, until: 2027-01-04, rules: []}", "freezes[0].rules: expected a list of names of rules; found []"),
    ],
)
def test_a_wrong_freeze_is_an_error_and_never_ignored(freeze: str, words: str) -> None:
    found = problems(f"notify: {TOPIC}\nfreezes: [{freeze}]\nrules: [{{}}]")
    assert any(words in problem for problem in found), found


def test_a_policy_without_what_it_must_have_says_so_once() -> None:
    missing = "rules: missing; expected at least one rule, as [{windows: [...]}]"
    assert problems(f"notify: {TOPIC}") == problems(f"notify: {TOPIC}\nrules:") == [missing]
    assert problems(f"notify: {TOPIC}\nrules: []") == ["rules: expected a list of rules, as [{windows: [...]}]; found []"]
    unheard = "notify: missing; expected the URN of the SMN topic to notify"
    assert problems("rules: [{}]") == problems("notify:\nrules: [{}]") == [unheard]


def test_a_value_that_a_graph_must_give_may_be_null() -> None:
    check = policy("[{health_check: {cypher: x, rows: [[null, {a: null}]]}}]").rules[0].health_check
    assert isinstance(check, HealthCheck) and check.rows == [[None, {"a": None}]]


def test_rules_that_wait_for_each_other_are_an_error() -> None:
    (problem,) = problems(
        f"notify: {TOPIC}\nrules: [{{name: a, after: [b]}}, {{name: b, after: [c]}}, {{name: c, after: [a]}}]"
    )
    assert "each waits for the other" in problem


def test_a_freeze_is_a_date_in_its_zone_or_an_instant() -> None:
    local = "[{from: 2026-12-24, until: '2027-01-04T12:00', timezone: Asia/Shanghai}]"
    assert [one.held for one in policy(freezes=local).freezes] == [(at("2026-12-23 16:00"), at("2027-01-04 04:00"))]
    instants = "[{from: '2026-12-24T00:00:00Z', until: 2027-01-04, rules: [a]}]"
    named = policy("[{name: a}, {}]", freezes=instants)
    assert [one.held for one in named.freezes_of("a")] == [(at("2026-12-24 00:00"), at("2027-01-04 00:00"))]
    assert named.freezes_of("rule-2") == []


def test_a_freeze_that_recurs_is_part_of_the_fingerprint() -> None:
    freezes = ("when: always", "when: 'Fri 00:00-24:00 UTC'", "when: always, allow: {versions: '~=2.4.0'}")
    assert len({fingerprint(policy(freezes=f"[{{{freeze}}}]")) for freeze in freezes}) == len(freezes)


def test_a_freeze_holds_what_it_does_not_allow() -> None:
    (freeze,) = policy(freezes="[{when: always, allow: {versions: '~=2.4.0'}}]").freezes
    assert freeze.holds("rule-1") and freeze.holds("rule-1", Version("2.5.0"))
    assert not freeze.holds("rule-1", Version("2.4.15"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("7d", [7, 7, 7]),
        ("{default: 7d, security: 1d}", [7, 1, 1]),
        ("{default: 7d, security: 1d, critical: 2d}", [7, 1, 2]),
        ("{default: 7d, critical: 0d}", [7, 7, 0]),
        ("{default: 7d, normal: 14d}", [14, 7, 7]),
    ],
)
def test_a_critical_release_must_be_no_older_than_one_of_security_where_nothing_else_is_said(
    written: str, expected: list[int]
) -> None:
    ages = policy(f"[{{min_release_age: {written}}}]").rules[0].min_release_age
    assert [ages.of(severity) for severity in Severity] == [timedelta(days=days) for days in expected]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-12-24", "2026-12-23 16:00"),
        ("2026-12-24T02:00", "2026-12-23 18:00"),
        ("2026-12-24 02:00:30", "2026-12-23 18:00:30"),
        ("2026-12-24T02:00Z", "2026-12-24 02:00"),
        ("2026-12-24T02:00:00z", "2026-12-24 02:00"),
        ("2026-12-24T02:00:00-03:30", "2026-12-24 05:30"),
    ],
)
def test_a_date_is_written_in_one_way_on_every_python(written: str, expected: str) -> None:
    freezes = policy(freezes=f"[{{from: '{written}', until: 2027-01-04, timezone: Asia/Shanghai}}]").freezes
    assert freezes[0].period[0] == at(expected)


def test_a_window_that_its_cutoff_fills_is_an_error() -> None:
    for cutoff, words in [("30m", "30m is"), ("1h", "1h is"), ("auto", "auto, at least 30m, is")]:
        found = problems(f"notify: {TOPIC}\nrules: [{{windows: ['Sun 02:00-02:30 UTC'], cutoff: {cutoff}}}]")
        assert found == [f"rules[0].cutoff: {words} as long as the windows; nothing could ever start"]
    assert policy("[{windows: ['Sun 02:00-02:31 UTC'], cutoff: auto}]")


def test_windows_that_touch_are_longer_than_their_cutoff() -> None:
    assert policy("[{windows: ['* 02:00-02:30 UTC', '* 02:30-03:00 UTC']}]")
    twice = "{rrule: 'FREQ=MONTHLY;BYDAY=1SU;BYHOUR=2,3', start: '02:00', duration: 1h, timezone: UTC}"
    assert policy(f"[{{windows: [{twice}], cutoff: 1h}}]")


@pytest.mark.parametrize(
    "rrule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=YEARLY;INTERVAL=5;BYMONTH=2;BYMONTHDAY=29"]
)
def test_rare_windows_are_no_error(rrule: str) -> None:
    assert policy(f"[{{windows: [{{rrule: '{rrule}', start: '2026-01-01T02:00', duration: 4h, timezone: UTC}}]}}]")


@pytest.mark.parametrize("freeze", ["{from: 2020-01-01, until: 2021-01-04}", "{from: 2026-11-01, until: 2099-12-31}"])
def test_freezes_of_any_length_are_no_error(freeze: str) -> None:
    assert policy(freezes=f"[{freeze}]")


def test_two_rules_with_one_name_are_an_error() -> None:
    assert "earlier rule" in problems(f"notify: {TOPIC}\nrules: [{{name: rule-2}}, {{}}]")[0]


def test_names_of_rules_have_a_limit() -> None:
    assert policy(f"[{{name: {'图' * 200}}}]")
    (problem,) = problems(f"notify: {TOPIC}\nrules: [{{name: {'x' * 201}}}]")
    assert "rules[0].name: has 201 characters; at most 200 are accepted" in problem


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


@pytest.mark.parametrize(
    ("on", "sent", "not_sent"),
    [
        (None, "failed succeeded unhealthy halted set-aside overrun backup-slow policy-warning blind unclear", "started"),
        ("[failed]", "failed timed-out vanished recovered damaged policy-refused", "succeeded halted overrun"),
        ("[blocked]", "awaiting-approval available refused halted too-many backup-failed stalled overdue set-aside", "failed"),
        ("[halted, vanished, started]", "halted vanished started test", "refused failed overrun"),
        ("[]", "blind policy-refused damaged journal-started recovered unclear timer-mistake test", "halted failed"),
    ],
)
def test_kinds_and_outcomes_select_messages(on: str | None, sent: str, not_sent: str) -> None:
    notify = f"{{topic: '{TOPIC}'{'' if on is None else f', on: {on}'}}}"
    outlet = parse_policy(f"notify: {notify}\nrules: [{{}}]").outlet
    outcomes = {verdict.value for verdict in Verdict}

    def wants(word: str) -> bool:
        return outlet.wants_outcome(word) if word in outcomes else outlet.wants_notice(word)

    assert all(wants(word) for word in sent.split())
    assert not any(wants(word) for word in not_sent.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "rules:\n- versions: >=2.4.4, <3",
            "line 4, column 14: ",
        ),
        ("rules: [{versions: >=2.4.4, <3}]", 'put the text in quotes, as ">=2.4.4, <3"'),
        ("rules:\n- versions: >=2.4.4, <3", 'put the text in quotes, as ">=2.4.4, <3"'),
        ("rules: [{match: {name: *}}]", 'put the text in quotes, as "*"'),
        ("rules:\n- match:\n    name: *\n", 'put the text in quotes, as "*"'),
        ("rules: [{match: {name: *_dev}}]", 'put the text in quotes, as "*_dev"'),
        ("rules:\n- name：prod", "： is a full-width character: write : and a blank"),
        ("rules:\n- name: prod\n  mode：auto", "： is a full-width character: write : and a blank"),
        ("rules: [{windows: “Sun 02:00-06:00 UTC”}]", "“ is a full-width character"),
        ("rules: [{}]\n---\na: 1", "a policy is one document: remove the line `---`"),
        ("rules:\n\t- name: x", "indent with blanks, not with tabs"),
    ],
)
def test_a_text_that_yaml_reads_otherwise_gets_a_hint(text: str, words: str) -> None:
    (problem,) = problems(f"notify: {TOPIC}\nstate: none\n{text}")
    assert words in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the policy is empty; expected at least `notify:"),
        ("# nothing\n", "the policy is empty; expected at least `notify:"),
        ("- a", "the policy is a list, not a mapping of fields to values"),
        ("notify：urn", "： is a full-width character"),
        (f"notify: {{topic: '{TOPIC}', on: [success]}}\nrules: [{{}}]", "found 'success'; did you mean succeeded?"),
        ("notify: urn:smn:cn-north-4:<project_id>:t\nrules: [{}]", "replace <project_id> with a value of yours"),
        (f"notify: {TOPIC}\nstate: obs://<bucket>/x\nrules: [{{}}]", "replace <bucket> with a value of yours"),
    ],
)
def test_a_beginner_is_told_what_to_write(text: str, words: str) -> None:
    (problem,) = problems(text)
    assert words in problem


def test_errors_name_line_column_and_rule() -> None:
    text = f"""notify: {TOPIC}
state: none
api: v3
rules:
  - name: dev
    cutoff: 30
  - cutoffs: 1h
    windows:
      - Sun 02:00-06:00 UTC
      - Sunday
"""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    places = {problem.split(":")[0]: problem.rpartition(" (")[2] for problem in caught.value.problems}
    assert places == {
        "api": "line 3, column 6)",
        "rules[0].cutoff": "rule dev, line 6, column 13)",
        "rules[1].cutoffs": "line 7, column 5)",
        "rules[1].windows[1]": "line 10, column 9)",
    }


@pytest.mark.parametrize("mark", ["", "---\n"])
def test_json_errors_have_places_too(mark: str) -> None:
    text = f'{mark}{{"notify": "{TOPIC}",\n "rules": [{{"name": "p", "mode": "on"}}]}}'
    with pytest.raises(PolicyError, match=rf"\(rule p, line {2 + mark.count('-') // 3}, column 34\)"):
        parse_policy(text)


def test_a_rule_name_given_twice_is_one_error() -> None:
    assert len(problems(f"notify: {TOPIC}\nstate: none\nrules: [{{name: a}}, {{name: a, after: [a]}}]")) == 1


@pytest.mark.parametrize(
    ("single", "listed"),
    [
        ("[{windows: 'Sun 02:00-06:00 UTC'}]", "[{windows: ['Sun 02:00-06:00 UTC']}]"),
        ("[{windows: {W}}]", "[{windows: [{W}]}]"),
        ("[{name: a}, {after: a}]", "[{name: a}, {after: [a]}]"),
        ("[{match: {name: 'dev_*'}}]", "[{match: {name: ['dev_*']}}]"),
        ("[{}]\ntimers: 30m", "[{}]\ntimers: [30m]"),
        ("[{}]\nrelease_topics: {T}", "[{}]\nrelease_topics: ['{T}']"),
        (
            "[{name: a}]\nfreezes: [{from: 2026-12-24, until: 2027-01-04, rules: a}]",
            "[{name: a}]\nfreezes: [{from: 2026-12-24, until: 2027-01-04, rules: [a]}]",
        ),
    ],
)
def test_a_single_value_is_a_list_of_one(single: str, listed: str) -> None:
    window = "{rrule: 'FREQ=DAILY', start: '02:00', duration: 4h, timezone: UTC}"
    texts = (text.replace("{W}", window).replace("{T}", RELEASES_TOPIC) for text in (single, listed))
    first, second = (fingerprint(policy(text)) for text in texts)
    assert first == second
