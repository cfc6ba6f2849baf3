"""What an announcement restricts, and the parts of it that are read leniently. Which messages announce: tests/announcements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ges_upgrader.domain.model import Release, Severity, Targets
from ges_upgrader.domain.version import Version
from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.meanings import Announced, Foreign, Meaning, Unclear, Withdrawal
from tests.builders import NOW, at

CANONICAL = {"schema": "ges.release/1", "event": "ges.version.released", "version": "2.4.6", "regions": ["cn-north-4"]}


def read(content: object, subject: str = "", named_topic: bool = False) -> Meaning:
    text = content if isinstance(content, str) else json.dumps(content)
    return read_announcement(text, subject, NOW, named_topic)


def releases(content: object) -> tuple[Release, ...]:
    found = read(content)
    assert isinstance(found, Announced)
    return found.releases


def release(content: object) -> Release:
    (found,) = releases(content)
    return found


def why(content: object) -> str:
    found = read(content)
    assert isinstance(found, Unclear)
    return found.why


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(CANONICAL),
        json.dumps(json.dumps(CANONICAL)),
        f"\ufeff \r\n{json.dumps(CANONICAL)}\n",
        f"\u200b{json.dumps(CANONICAL)}\u3000",
        f"```json\n{json.dumps(CANONICAL)}\n```",
        f"```\n{json.dumps(CANONICAL)}\n```",
        json.dumps({"message": json.dumps(json.dumps(CANONICAL))}),
    ],
)
def test_padding_fences_and_double_encoding_are_undone(message: str) -> None:
    assert release(message) == Release(Version("2.4.6"), regions=("cn-north-4",))


def test_restrictions_are_kept() -> None:
    message = {
        **CANONICAL,
        "released_at": "2026-11-20T02:00:00Z",
        "product_types": ["InMemory"],
        "arch": ["aarch64"],
        "min_source_version": "2.3.0",
        "severity": "security",
        "not_before": "2026-12-24T00:00:00+08:00",
        "not_after": "2027-01-04T00:00:00Z",
        "soak_hours": 72,
        "targets": {"graph_ids": ["g1"], "graph_names": ["demo"], "tags": {"env": "dev"}},
    }
    assert release(message) == Release(
        version=Version("2.4.6"),
        released_at=at("2026-11-20 02:00"),
        regions=("cn-north-4",),
        product_types=("InMemory",),
        arch=("aarch64",),
        min_source_version=Version("2.3.0"),
        severity=Severity.SECURITY,
        not_before=at("2026-12-23 16:00"),
        not_after=at("2027-01-04 00:00"),
        soak_hours=72,
        targets=Targets(("g1",), ("demo",), {"env": "dev"}),
    )


def test_envelope_restricts_what_it_wraps() -> None:
    inside = {"version": "2.4.6", "regions": ["cn-north-4", "cn-east-3"], "not_before": "2026-12-01T00:00:00Z", "soak_hours": 5}
    outside = {
        "region": "cn-east-3",
        "not_before": "2026-12-24T00:00:00Z",
        "not_after": "2027-01-04T00:00:00Z",
        "targets": {"graph_names": ["demo"]},
        "detail": inside,
    }
    found = release({"targets": {"tags": {"env": "dev"}}, "not_before": "2026-12-02T00:00:00Z", "data": outside})
    assert found.regions == ("cn-east-3",)
    assert (found.not_before, found.not_after) == (at("2026-12-24 00:00"), at("2027-01-04 00:00"))
    assert found.targets == Targets(graph_names=("demo",), tags={"env": "dev"})
    assert found.soak_hours == 5


def test_envelope_restricts_text_inside() -> None:
    found = release({"not_before": "2026-12-24T00:00:00Z", "region": "cn-north-4", "message": "GES 2.4.6 is available"})
    assert found == Release(Version("2.4.6"), regions=("cn-north-4",), not_before=at("2026-12-24 00:00"))


@pytest.mark.parametrize(
    ("outside", "inside", "severity"),
    [
        ("critical", None, Severity.CRITICAL),
        (None, "security", Severity.SECURITY),
        ("critical", "normal", Severity.NORMAL),
        ("security", "critical", Severity.SECURITY),
        ("security", "red", Severity.NORMAL),
        (None, None, Severity.NORMAL),
    ],
)
def test_lesser_severity_counts(outside: str | None, inside: str | None, severity: Severity) -> None:
    assert release({"severity": outside, "data": {"version": "2.4.6", "severity": inside}}).severity is severity


@pytest.mark.parametrize("released_at", ["2027-11-20T02:00:00Z", "soon", "2026-11-20T02:00:00", 5])
def test_impossible_released_at_is_ignored(released_at: object) -> None:
    assert release({**CANONICAL, "released_at": released_at}).released_at is None


def test_naming_all_kinds_restricts_nothing() -> None:
    both: dict[str, Any] = {"version": "2.4.15", "product_types": ["Persistence", "InMemory"], "arch": ["x86_64", "aarch64"]}
    assert release(both) == Release(Version("2.4.15"))
    assert release({**both, "arch": ["aarch64"]}).arch == ("aarch64",)
    assert release({**both, "product_types": ["Persistence"]}).product_types == ("Persistence",)


def test_list_names_several_releases_once_each() -> None:
    found = releases({"versions": ["2.4.9", "2.4.15", "2.4.15.0"], "regions": ["cn-north-4"]})
    assert [one.version.text for one in found] == ["2.4.9", "2.4.15"]
    assert {one.regions for one in found} == {("cn-north-4",)}


def test_at_most_twenty_versions() -> None:
    versions = [f"2.4.{number}" for number in range(1, 22)]
    assert len(releases({"versions": versions[:20]})) == 20
    assert "more than 20 versions" in why({"versions": versions})
    assert "more than 20 versions" in why({"event": "ges.version.withdrawn", "versions": versions})
    assert read({"event": "ges.version.withdrawn", "versions": versions[:20]}) == Withdrawal(tuple(map(Version, versions[:20])))


def test_withdrawal_names_what_it_could_not_read() -> None:
    message = {"event": "ges.version.withdrawn", "versions": ["2.4.6", "soon"], "version": "02.4.007", "dry_run": True}
    assert read(message) == Withdrawal((Version("2.4.6"), Version("2.4.7")), dry_run=True, unread=("soon",))


@pytest.mark.parametrize("text", ["2.4.015", "02.4.15", "2.04.15", "2.4.15.00"])
def test_leading_zeros_are_refused(text: str) -> None:
    assert "leading zeros" in why({"version": text})


def test_message_over_64_kb_is_unclear() -> None:
    assert "over 64 KB" in why({"version": "2.4.15", "annotations": {"text": "x" * 65_536}})
    recalled = read(f"GES 2.4.16 has been recalled. {'图' * 30_000}")
    assert isinstance(recalled, Unclear)
    assert recalled.questioned == (Version("2.4.16"),)


def test_long_text_still_warns() -> None:
    read_ = read(f"GES 2.4.16 has been recalled. {'all is well. ' * 2000}")
    assert isinstance(read_, Unclear)
    assert "too long" in read_.why
    assert read_.questioned == (Version("2.4.16"),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("GES 2.4.9 and 2.4.15 are available", "several versions: 2.4.9, 2.4.15"),
        ("GES 2.4.15-rc1 is available", "'2.4.15-rc1', which is no GES version"),
        ("GES is available", "names no version"),
        ("GES 2.4.15 will be available", "a word of future or plan: 'will'"),
        ("GES 2.4.15 is available from 2026-12-24", "a day that is still to come: 2026-12-24"),
        ("GES 2.4.15 is the version", "plain words"),
        ("GES 2.4.15 is available {1}", "mixes text and data"),
        ({"version": "2.4.15", "when": "now"}, "a field that is not known: `when`"),
        ({"version": "2.4.15", "targets": {"names": []}}, "`targets` has a field that is not known: `names`"),
        ({"schema": "ges.release/2", "version": "2.4.15"}, "schema 'ges.release/2' is not known"),
        ('{"version": "2.4.15", "version": "2.4.15"}', "`version` twice"),
        ('{"version": "2.4.15", "regions": ["\\ud800"]}', "surrogate"),
        ('{"version": "2.4.15"', "not valid JSON"),
        ("version: 2.4.15", "a key and a value"),
    ],
)
def test_doubt_says_why(message: object, reason: str) -> None:
    assert reason in why(message)


def test_foreign_message_says_what_it_is() -> None:
    assert read({"schema": "ges.upgrade.result/1"}) == Foreign("a message of this product")
    assert read({"service": "RDS", "version": "5.7.44"}) == Foreign("a message of the service 'RDS'")


def test_last_line_of_our_mail_is_foreign() -> None:
    mail = "GES 2.4.15 is available for demo.\n\nEvent available:prod:2.4.15, run 0123abc, policy 0123456789ab.\n"
    assert read(mail) == Foreign("a message of this product")
