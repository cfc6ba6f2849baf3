"""Every tolerated form of a release message (smn-obs-core.md E2), and those that change nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.model import Release, Targets
from ges_upgrader.domain.version import Version
from ges_upgrader.events.announcements import Announced, Foreign, Retracted, Unclear, read_announcement
from tests.builders import NOW

CANONICAL = {"schema": "ges.release/1", "event": "ges.version.released", "version": "2.4.6", "regions": ["cn-north-4"]}


def versions(message: str, subject: str = "") -> list[str]:
    read = read_announcement(message, subject, NOW)
    return [release.version.text for release in read.releases] if isinstance(read, Announced) else []


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(CANONICAL),
        json.dumps(json.dumps(CANONICAL)),
        f"\ufeff \r\n{json.dumps(CANONICAL)}\n",
        f"```json\n{json.dumps(CANONICAL)}\n```",
        json.dumps({"data": CANONICAL}),
        json.dumps({"detail": CANONICAL}),
        json.dumps({"message": json.dumps(CANONICAL)}),
        json.dumps({"default": json.dumps(CANONICAL)}),
        '{"target_version": "v2.4.6"}',
        '{"version": null, "target_version": "2.4.6"}',
        '{"versions": null, "version": "2.4.6"}',
        '{"targetVersion": "2.4.6"}',
        '{"upgrade_version": "2.4.6", "latest_version": "2.4.6"}',
        '{"newVersion": "2.4.6", "something": {"else": [1]}}',
        '{"versions": ["2.4.6"]}',
        '{"schema": "ges.release/1.2", "service": "ges", "event": null, "version": "2.4.6"}',
        "2.4.6",
        "v2.4.6",
        " 2.4.6\n",
        "GES 2.4.6 is available",
        "GES2.4.6 is out.",
        "The Graph Engine Service is now at 2.4.6.",
        "图引擎服务 GES 发布新版本 2.4.6，建议升级",
        "图引擎版本2.4.6，v2.4.6发布",
        "GES ２．４．６ 发布",
        "GES: upgrade from 2.4.5 to 2.4.6 recommended",
        "GES 从 2.4.5 升级到 2.4.6",
    ],
)
def test_a_tolerated_form_names_its_release(message: str) -> None:
    assert versions(message) == ["2.4.6"]


def test_the_keyword_may_stand_in_the_subject() -> None:
    assert versions("2.4.6 is available", "GES release") == ["2.4.6"]


def test_the_list_of_the_schema_may_name_several_releases() -> None:
    assert versions('{"schema": "ges.release/1", "versions": ["2.4.9", "2.4.15"]}') == ["2.4.9", "2.4.15"]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("", "without the word"),
        ("version 2.4.6 is out", "without the word"),
        ("GES is nice", "names no version"),
        ("GES 2.4.9 and 2.4.15 are out", "several versions"),
        ("GES 2026.11.23", "names no version"),
        ("GES at 10.20.30.40", "names no version"),
        ("GES 2.4.6-rc1", "names no version"),
        ("GES 1.2.3.4.5", "names no version"),
        ('{"version": "2.4.9", "target_version": "2.4.15"}', "several versions"),
        ('{"version": "2.4.9", "versions": ["2.4.15"]}', "different versions"),
        ('{"version": 2.4}', "not a version in quotes"),
        ('{"version": {"a": []}}', "not a version in quotes"),
        ('{"version": "latest"}', "three or four numbers"),
        ('{"schema": "ges.release/2", "version": "2.4.6"}', "schema"),
        ('{"event": "ges.version.party", "version": "2.4.6"}', "event"),
        ('{"version": "2.4.6", "regions": "cn-north-4"}', "`regions`"),
        ('{"version": "2.4.6", "not_before": "tomorrow"}', "`not_before`"),
        ('{"version": "2.4.6", "soak_hours": "72"}', "`soak_hours`"),
        ('{"version": "2.4.6", "soak_hours": 1e999}', "`soak_hours`"),
        ('{"version": "2.4.6", "targets": [1]}', "`targets`"),
        ('{"version": "2.4.6", "dry_run": "yes"}', "`dry_run`"),
        (
            '{"version": "2.4.6", "not_before": "9999-12-31T23:59:59.5Z"}',
            "is not an instant with its offset, from 2000 to",
        ),
        ('{"version": "2.4.6", "regions": ["\\ud800"]}', "surrogate"),
        ('{"version": "2.4.6", "targets": {"tags": {"a": "\\udc00"}}}', "surrogate"),
        ('{"name": "nothing here"}', "names no version"),
        ("[1, 2]", "neither"),
        ("x" * 70_000, "over 64 KB"),
        ("[" * 60_000, "without the word"),
    ],
)
def test_a_message_in_doubt_announces_nothing_and_says_why(message: str, why: str) -> None:
    read = read_announcement(message, "", NOW)
    assert isinstance(read, Unclear)
    assert why in read.why


@pytest.mark.parametrize(
    "message",
    [
        '{"schema": "ges.upgrade.result/1", "to_version": "2.4.6"}',
        '{"alarm_id": "al1", "metric_name": "ges001"}',
        '{"cts": {"trace_name": "upgradeGraph"}}',
        '{"service": "RDS", "version": "5.7.44"}',
    ],
)
def test_what_is_not_meant_for_us_is_left_alone(message: str) -> None:
    assert isinstance(read_announcement(message, "", NOW), Foreign)


def test_a_withdrawal_is_no_release() -> None:
    for dry_run in (True, False):
        text = json.dumps({"event": "ges.version.withdrawn", "version": "2.4.6", "dry_run": dry_run})
        assert read_announcement(text, "", NOW) == Retracted(Version("2.4.6"), dry_run)
    read = read_announcement('{"event": "ges.version.withdrawn", "version": "2.4.6"}', "", NOW)
    assert read == Retracted(Version("2.4.6"))


def test_restrictions_are_kept() -> None:
    message = {
        **CANONICAL,
        "released_at": "2026-11-20T02:00:00Z",
        "product_types": ["InMemory"],
        "min_source_version": "2.3.0",
        "soak_hours": 72,
        "targets": {"graph_names": ["demo"], "tags": {"env": "dev"}},
        "dry_run": True,
    }
    read = read_announcement(json.dumps(message), "", NOW)
    assert isinstance(read, Announced)
    (release,) = read.releases
    assert read.dry_run
    assert (release.regions, release.product_types) == (("cn-north-4",), ("InMemory",))
    assert release.min_source_version == Version("2.3.0")
    assert release.not_before == NOW + timedelta(hours=72)
    assert release.targets == Targets(graph_names=("demo",), tags={"env": "dev"})


@pytest.mark.parametrize("released_at", ["2027-11-20T02:00:00Z", "soon", "2026-11-20T02:00:00", 5])
def test_a_released_at_that_cannot_be_is_only_ignored(released_at: object) -> None:
    read = read_announcement(json.dumps({**CANONICAL, "released_at": released_at}), "", NOW)
    assert isinstance(read, Announced)
    assert read.releases[0].released_at is None


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "version",
    "versions",
    "schema",
    "event",
    "regions",
    "targets",
    "soak_hours",
    "not_before",
    "data",
    "message",
    "dry_run",
]


@given(st.dictionaries(st.sampled_from(KEYS), json_values))
def test_no_json_is_an_exception(message: dict[str, object]) -> None:
    assert isinstance(read_announcement(json.dumps(message), "GES", NOW), (Announced, Retracted, Unclear, Foreign))


@given(st.text())
def test_no_text_is_an_exception(message: str) -> None:
    assert isinstance(read_announcement(message, "GES", NOW), (Announced, Retracted, Unclear, Foreign))


def test_to_name_all_kinds_of_graphs_restricts_nothing() -> None:
    both: dict[str, Any] = {"version": "2.4.15", "product_types": ["Persistence", "InMemory"], "arch": ["x86_64", "aarch64"]}
    assert release_in(both) == Release(Version("2.4.15"))
    assert release_in({**both, "arch": ["aarch64"]}).arch == ("aarch64",)
    assert release_in({**both, "product_types": ["Persistence"]}).product_types == ("Persistence",)


def release_in(content: dict[str, Any]) -> Release:
    read = read_announcement(json.dumps(content), "", NOW)
    assert isinstance(read, Announced)
    (release,) = read.releases
    return release
