"""The tables of docs/policy.md are made from the schema, and each of their examples is accepted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deploy.policy_fields import DOCUMENT, Field, document, fields, type_of
from ges_upgrader.policy.parsing import parse_policy
from tests.builders import TOPIC

WHOLE = {"notify": TOPIC, "state": "none", "rules": [{"name": "dev"}, {"name": "prod", "soak": "1d"}]}
PERIOD = {"from": "2026-12-24", "until": "2027-01-04"}
EXAMPLES = [(owner, name, field) for owner, described in fields().items() for name, field in described.items()]


def test_tables_are_current() -> None:
    assert DOCUMENT.read_text() == document(DOCUMENT.read_text()), "run `make schema`"


def test_every_type_has_its_table() -> None:
    text = DOCUMENT.read_text()
    assert {owner for owner in fields() if f"<!-- fields of {owner} -->" not in text} <= {"Allowed"}


@pytest.mark.parametrize("owner", fields())
def test_every_field_is_described(owner: str) -> None:
    assert set(fields()[owner]) == set(type_of(owner).__struct_encode_fields__)


@pytest.mark.parametrize(("owner", "name", "field"), EXAMPLES, ids=[f"{owner}.{name}" for owner, name, _ in EXAMPLES])
def test_example_is_accepted(owner: str, name: str, field: Field) -> None:
    parse_policy(msgspec.json.encode(within(owner, {name: field.value})).decode())


def within(owner: str, example: dict[str, Any]) -> dict[str, Any]:
    """A policy in which the example stands in its place."""
    if owner == "Policy":
        return {**WHOLE, **example}
    if owner == "Rule":
        return {**WHOLE, "rules": [{"name": "dev"}, {"name": "prod", **example}]}
    if owner == "Freeze":
        return {**WHOLE, "freezes": [example if "when" in example else {**PERIOD, **example}]}
    places: dict[str, dict[str, Any]] = {
        "Notify": {"notify": {"topic": TOPIC, **example}},
        "KnownRelease": {"releases": [{"version": "2.4.15", **example}]},
        "PolicyProject": {"projects": [{"region": "cn-north-4", "project_id": "abc", **example}]},
        "Allowed": {"freezes": [{**PERIOD, "allow": example}]},
        "Match": {"rules": [{"match": example}]},
        "HealthCheck": {"rules": [{"health_check": {**asked(example), **example}}]},
        "Statement": {"rules": [{"health_check": {"statements": [{"name": "n", "cypher": "RETURN 42", **example}]}}]},
    }
    return {**WHOLE, **places[owner]}


def asked(example: dict[str, Any]) -> dict[str, Any]:
    """What a health check needs beside the field."""
    if "rows" in example:
        return {"cypher": "RETURN 42"}
    return {"statements": [{"name": "n", "cypher": "RETURN 42"}]} if "max_growth" in example else {}
