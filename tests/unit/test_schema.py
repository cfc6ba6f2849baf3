"""policy.schema.json is current, and says to an editor what the function would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.schema import text
from tests.builders import NOW, TOPIC
from tests.unit.test_policy import RULE_PROBLEMS
from upgrader.policy import PolicyError, parse_policy
from upgrader.policy_text import read

ROOT = Path(__file__).parents[2]
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
freezes: [{{from: 2026-12-24, until: "2027-01-04T12:00", timezone: Asia/Shanghai, reason: year end, rules: [prod]}}]
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
    parse_policy(policy, NOW)
    assert errors(read(policy)) == []


def test_the_whole_policy_leaves_no_field_out() -> None:
    written = read(WHOLE)
    fields = SCHEMA["$defs"]
    assert set(written) == set(fields["Policy"]["properties"])
    assert {*written["rules"][0], *written["rules"][1]} == set(fields["Rule"]["properties"])
    assert set(written["freezes"][0]) == set(fields["Freeze"]["properties"])


BETWEEN_FIELDS = (
    "numbers the days of a month",
    "at most 3650d",
    "none can meet",
    "from 1 to 9999",
    "is no rule",
    "each waits",
    "They need",
    "give start",
    "use BYHOUR",
    "cannot be read",
    "no IANA",
    "400 days",
)


@pytest.mark.parametrize("rule", [rule for rule, words in RULE_PROBLEMS if words not in BETWEEN_FIELDS])
def test_what_is_wrong_in_one_field_the_schema_refuses_too(rule: str) -> None:
    policy = f"notify: {TOPIC}\nrules: [{{{rule}}}]"
    with pytest.raises(PolicyError) as refused:
        parse_policy(policy, NOW)
    if not any(words in str(refused.value) for words in BETWEEN_FIELDS):
        assert errors(read(policy))


def test_a_misspelled_field_is_refused() -> None:
    assert errors(read(f"notify: {TOPIC}\nrules: [{{window: always}}]"))
    assert errors(read(f"notfy: {TOPIC}\nrules: [{{}}]"))
