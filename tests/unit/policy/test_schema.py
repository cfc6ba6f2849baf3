"""policy.schema.json is current, and says to an editor what the function would say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.schema import text
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader.policy.yaml_text import read
from tests.builders import TOPIC
from tests.unit.policy.test_policy import RULE_PROBLEMS

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "policy.schema.json").read_text())
WHOLE = f"""
version: 1
enabled: true
notify: {{topic: "{TOPIC}", on: [planned, started, succeeded, failed, blocked, overrun]}}
state: file:///var/ges
release_topics: ["urn:smn:cn-north-4:abc:ges-releases"]
releases: [{{version: 2.4.15, released_at: 2026-10-01}}]
trust_released_at: false
projects: [{{region: cn-north-4, project_id: abc}}]
api: auto
max_concurrent: 10%
journal_keep: 180d
follow_up: invoke
timers: ["0 15 2 * * ?", 30m]
alert_after: 2h
tests: [{{name: a test, given: x}}]
freezes: [{{from: 2026-12-24, until: "2027-01-04T12:00", timezone: Asia/Shanghai, reason: year end, rules: [prod]}},
          {{when: "Fri 00:00-24:00 UTC", allow: {{versions: ~=2.4.0}}}}]
rules:
  - {{name: dev, match: {{name: "dev_*"}}, windows: always}}
  - name: prod
    match: {{tags: {{env: prod}}, region: cn-*, id: "*", project_id: abc, enterprise_project: "0", product_type: InMemory}}
    mode: approve
    versions: ">=2.4.4,<3,!=2.4.9"
    min_release_age: {{default: 7d, security: 1d}}
    notice: 24h
    windows:
      - Sat,Sun 02:00-06:00 Asia/Shanghai
      - {{rrule: "FREQ=MONTHLY;BYDAY=3TH", start: "23:00", duration: 3h, timezone: Asia/Shanghai}}
    cutoff: auto
    spread: 30m
    after: [dev]
    soak: 48h
    max_graphs: 20
    max_concurrent: 2
    max_failures: 25%
    approval_lifetime: 14d
    backup: required
    backup_max_age: 24h
    backup_keep: 2
    force: {{after: 24h}}
    job_timeout: 2h
    overdue: 30d
    health_check: {{cypher: "MATCH (n) RETURN count(n)", rows: [[3]]}}
"""


def errors(policy: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(policy)]


def test_the_schema_is_current() -> None:
    assert (ROOT / "policy.schema.json").read_text() == text(), "run `make schema`"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("policy", [WHOLE, f"notify: {TOPIC}\nrules: [{{}}]"])
def test_what_the_function_accepts_the_schema_accepts(policy: str) -> None:
    parse_policy(policy)
    assert errors(read(policy)) == []


def test_the_whole_policy_leaves_no_field_out() -> None:
    written = read(WHOLE)
    fields = SCHEMA["$defs"]
    assert set(written) == set(fields["Policy"]["properties"])
    assert {*written["rules"][0], *written["rules"][1]} == set(fields["Rule"]["properties"])
    assert {*written["freezes"][0], *written["freezes"][1]} == set(fields["Freeze"]["properties"])


# What a schema cannot say, by the function's own words, each with the reason.
BEYOND_THE_SCHEMA = {
    "looks like a regular expression": "what a glob has no use for",
    "is not the name of a rule": "names of other rules",
    "each waits": "names of other rules",
    "rows need": "one field only with another",
    "is not after": "one field beside another",
    "opens on no day": "what a rule of recurrence means",
    "as long as the windows": "one field beside another",
    "no IANA": "the names of the zones are the system's",
    "at most 3650d": "numbers in texts: a pattern could, and nobody could read it in an editor",
    "at most 366d": "numbers in texts",
    "there is no": "how long months are",
    "none can meet": "what specifiers mean together",
    "empty or a day": "two parts of a text that must differ",
    "give start": "what a rule of recurrence means",
    "numbers the days of a month": "what a rule of recurrence means",
    "use BYHOUR": "what a rule of recurrence means",
    "cannot be read": "what a rule of recurrence means",
    "is out of its range": "what a schedule means",
    "is no field of a schedule": "what a schedule means",
}


@pytest.mark.parametrize("rule", [rule for rule, _ in RULE_PROBLEMS])
def test_what_is_wrong_in_one_field_the_schema_refuses_too(rule: str) -> None:
    assert_judged_alike(f"notify: {TOPIC}\nstate: none\nrules: [{{{rule}}}]")


def assert_judged_alike(policy: str) -> None:
    by_schema, by_function = errors(read(policy)), problems(policy)
    if by_schema:
        assert by_function, by_schema
    else:
        assert all(any(words in problem for words in BEYOND_THE_SCHEMA) for problem in by_function), by_function


def problems(policy: str) -> list[str]:
    try:
        parse_policy(policy)
    except PolicyError as error:
        return error.problems
    return []


FIELDS: dict[str, list[Any]] = {
    "rules: [{notice: %}]": ["7d", "0m", "007d", "٧d", "7", 7, "7D", " 7d", "-7d", "7d 2h", "3651d", "9999999999s", ""],
    "rules: [{approval_lifetime: %}]": ["7d", "0d", "00s", "07d", 0],
    "rules: [{cutoff: %}]": ["auto", "7m", "Auto", 0],
    "rules: [{force: %}]": ["never", "always", "Never", {"after": "7d"}, {"after": "soon"}, {}, True],
    "rules: [{max_concurrent: %}]": [1, 0, -1, 2.5, "1%", "05%", "100%", "101%", "0%", "1", "1.5%", "10 %", "٥%", True],
    "rules: [{max_graphs: %}]": [1, 0, "1", 10**17, True],
    "rules: [{min_release_age: %}]": ["7d", {"default": "7d"}, {"security": "1d"}, {"default": "7d", "low": "1d"}, {}],
    "rules: [{versions: %}]": [
        *(">=2.4.4,<3,!=2.4.9", "~=2.4", " >= 2.4 , <3 ", "==2.4.*", "==v2.4", ">3,<2"),
        *("", " ", ",", ">=2,", "2.4.4", "=2.4", ">=2.*", "~=2", "===2.4", ">=2.4rc1", 2.4),
    ],
    "rules: [{match: %}]": [
        *({}, {"name": ""}, {"name": "a*"}, {"name": ["a*", "b"]}, {"name": []}, {"name": [5]}, [], "dev"),
        *({"tags": {}}, {"tags": {"a": 1}}, {"tags": {"a": ""}}, {"tags": {"a": ["b"]}}, {"tags": {"a": []}}),
    ],
    "rules: [{windows: %}]": [
        "always",
        " always",
        "Always",
        [],
        ["always"],
        [" always "],
        [" Sun  02:00-06:00 UTC "],
        [5],
        [{}],
    ],
    "rules: [{windows: [%]}]": [
        *("Mon-Fri,sun 22:00-02:00 UTC", "* 00:00-24:00 UTC", "Sun 02:00-02:00 UTC", "Sun 02:00-06:00 Mars"),
        *("Sunday 02:00-06:00 UTC", "Mon- 02:00-06:00 UTC", "Sun 2:00-6:00 UTC", "Sun 02:60-06:00 UTC", "Sun 02:00-24:30 UTC"),
        *("Sun 24:00-06:00 UTC", "Sun 02:00-06:00", "Sun ٠٢:٠٠-06:00 UTC", ""),
    ],
    'rules: [{windows: [{rrule: %, start: "02:00", duration: 3h, timezone: UTC}]}]': [
        *(
            "FREQ=DAILY",
            "RRULE:FREQ=DAILY",
            "rrule:freq=daily",
            "FREQ=WEEKLY",
            "FREQ=WEEKLY;BYDAY=3TH",
            "FREQ=DAILY;INTERVAL=0",
        ),
        *("FREQ=DAILY\nRDATE:20261125T100000", "FREQ=DAILY;", "FREQ", "", "FREQ=DAILY;BYHOUR=", "FREQ=DAILY BYHOUR=2", 5),
    ],
    "rules: [{windows: [{rrule: FREQ=DAILY, start: %, duration: 3h, timezone: UTC}]}]": [
        *("02:00", "2026-01-03T02:00", "2026-01-03 02:00", "2026-02-30T02:00"),
        *("2:00", "24:00", "02:00:00", "2026-01-03", "2026-01-03T02:00Z", "1999-01-01T02:00", "٠٢:٠٠", 120),
    ],
    'rules: [{windows: [{rrule: FREQ=DAILY, start: "02:00", duration: %, timezone: UTC}]}]': ["3h", "0h", "366d", "367d", 3],
    "rules: [{}]\nfreezes: [{from: %, until: 2026-12-31}]": [
        *(
            "2026-12-24",
            "2026-12-24T02:00",
            "2026-12-24 02:00:30",
            "2026-12-24T02:00Z",
            "2026-12-24T02:00:00+08:00",
            "2026-11-31",
        ),
        *("20261224", 20261224, "2026-W52", "2026-W52-1", "2026-12-24T02", "2026-12-24T02:00:00.5", "2026-12-24T02:00+0800"),
        *("2026-12-24T24:00", "2026-13-01", "2026-12-32", "0001-01-01", "2026-12-24T", "٢026-12-24", "soon", ""),
    ],
    "rules: [{}]\nfreezes: [{from: 2026-12-24, until: 2026-12-31, rules: %}]": [["rule-1"], ["x"], [], "rule-1"],
    "rules: [{}]\nfreezes: [{when: %}]": [
        *("always", "Fri 00:00-24:00 UTC", {"rrule": "FREQ=DAILY", "start": "02:00", "duration": "3h", "timezone": "UTC"}),
        *({"rrule": "FREQ=DAILY"}, "Fri", [], ["always"], 5),
    ],
    "rules: [{}]\nfreezes: [%]": [
        *({"from": "2026-12-24", "until": "2026-12-31", "when": "always"}, {"when": "always", "timezone": "UTC"}, {}),
        *({"from": "2026-12-24"}, {"until": "2026-12-24"}, {"when": "always", "until": "2026-12-31"}, {"allow": {}}),
    ],
    "rules: [{}]\nfreezes: [{when: always, allow: {versions: %}}]": ["~=2.4.0", "2.4", ">=2,<1", 2.4, ""],
    "rules: [{}]\nreleases: [{version: 2.4.15, released_at: %}]": [
        *(
            "2026-10-01",
            "2026-10-01T02:00Z",
            "2026-10-01T02:00:00+08:00",
            "2026-10-01T02:00",
            "2026-10-01 02:00:00",
            "20261001",
        ),
    ],
    "rules: [{}]\nreleases: [{version: %}]": [
        "2.4.15",
        "v2.4.15",
        " 2.4.15 ",
        "2.4.15.1",
        "2.4",
        "2.4.x",
        "2.4.1234567890",
        2.4,
    ],
    "rules: [{}]\nprojects: [{region: %, project_id: abc}]": ["cn-north-4", "cn_north", "", "CN"],
    "rules: [{}]\nprojects: %": [[], [{"region": "a", "project_id": "b"}], [{"region": "a"}], {}],
    "rules: [{}]\nstate: %": [
        *("none", "obs://abc", "obs://abc/", "obs://abc/x y", "file:///a", "None"),
        *("obs://ab", "obs://Abc", "obs://abc-", "obs://" + "a" * 64, "file://", "file:///", "file://a", "/a", "", 5),
    ],
    "rules: [{}]\ntimers: [%]": [
        *(
            "30m",
            "@every 1h30m",
            "0 15 2 * * ?",
            "CRON_TZ=Asia/Shanghai 0 15 2 * * ?",
            " 0 0 2 ? * MON-WED ",
            "0 0 2,14 ? * SUN",
            "0 0 2 L * ?",
            "0 0 2 ? * 6#1",
            "0 0 2 15W * ?",
        ),
        *("any text", "0 15 2 * *", "0 99 2 * * ?", "0 15 2 * * XYZ", "0m", "CRON_TZ=Mars 0 0 2 * * ?", "3651d", "", 5),
    ],
    "rules: [{}]\nrelease_topics: [%]": ["urn:smn:cn-north-4:abc:x", "urn:smn:cn-north-4:abc:-x", "urn:smn", 5],
    "rules: %": [[], [{}], {}, "all", [{}, 5]],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FIELDS.items() for value in values])
def test_the_function_and_the_schema_judge_a_value_alike(field: str, value: Any) -> None:
    stated = "" if "state" in field else "state: none\n"
    assert_judged_alike(f"notify: {TOPIC}\n{stated}{field.replace('%', json.dumps(value))}")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(inner, (*path, key))


@pytest.mark.parametrize("path", [path for path in paths(read(WHOLE)) if not {"rows", "tests"} & set(path[:-1])])
def test_nothing_is_a_value_nowhere(path: tuple[Any, ...]) -> None:
    policy = read(WHOLE)
    parent = policy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = None
    assert errors(policy)
    assert problems(json.dumps(policy))


def test_a_misspelled_field_is_refused() -> None:
    assert errors(read(f"notify: {TOPIC}\nrules: [{{window: always}}]"))
    assert errors(read(f"notfy: {TOPIC}\nrules: [{{}}]"))
