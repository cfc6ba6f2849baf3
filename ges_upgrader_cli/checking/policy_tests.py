"""A policy's own tests: at a time, with graphs and releases, what is expected of each graph.

tests:
  - name: production waits for Saturday
    at: 2026-12-02T02:00:00Z
    graphs: [{name: orders, version: 2.4.9, tags: {env: prod}}]
    releases: [{version: 2.4.15, seen: 2026-11-01}]
    expect:
      orders: {action: wait, reason: outside-window, target: 2.4.15, until: 2026-12-04T18:00:00Z}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from ges_upgrader.domain.model import Action, Reason
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.policy.fields import Instant
from ges_upgrader.policy.yaml_text import read
from ges_upgrader_cli.fleets.files import FileGraph, FileRelease, FleetError, FleetFile, read_fleet_data
from ges_upgrader_cli.fleets.functions import SimulatedFunction

_FIELDS = ("action", "reason", "target", "until", "rule")


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not given is not compared. A null `target` or `until` expects none."""

    action: Action | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    target: str | msgspec.UnsetType | None = msgspec.UNSET
    until: str | msgspec.UnsetType | None = msgspec.UNSET
    rule: str | msgspec.UnsetType | None = msgspec.UNSET


class PolicyTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    at: str
    graphs: tuple[FileGraph, ...]
    expect: dict[str, Expected]
    versions: tuple[str, ...] = ()
    releases: tuple[FileRelease, ...] = ()
    journal: tuple[dict[str, Any], ...] = ()

    @property
    def moment(self) -> datetime:
        return Instant(self.at).at


class Outcome(msgspec.Struct, frozen=True):
    """Of a graph in a test. `differs` holds (field, expected, found); `checks` are the gates as the plan shows them."""

    graph: str
    differs: tuple[tuple[str, str, str], ...]
    checks: tuple[dict[str, Any], ...]


class TestsError(Exception):
    """The tests cannot be run; the message says where and why."""


def read_tests(text: str) -> list[PolicyTest]:
    """Raises TestsError."""
    raw = read(text)
    tests = raw.get("tests", []) if isinstance(raw, Mapping) else []
    if isinstance(tests, Mapping):
        tests = [{"name": name, **test} if isinstance(test, Mapping) else test for name, test in tests.items()]
    found = []
    for number, test in enumerate(tests):
        try:
            found.append(msgspec.convert(test, PolicyTest))
            _ = found[-1].moment
            fleet_of(found[-1])
        except (msgspec.ValidationError, FleetError, ValueError) as error:
            raise TestsError(f"tests[{number}]: {error}") from None
    return found


def fleet_of(test: PolicyTest) -> FleetFile:
    """Raises FleetError."""
    return read_fleet_data(FleetFile(test.graphs, test.versions, test.releases, test.journal))


def run_test(text: str, test: PolicyTest) -> list[Outcome]:
    """What the function says of each graph, beside what is expected."""
    result = SimulatedFunction(text, test.moment, fleet_of(test)).ask({"command": "plan"})
    decisions = {one["graph"]: one for one in result["decisions"]}
    return [_outcome(graph, expected, decisions.get(graph)) for graph, expected in test.expect.items()]


def _outcome(graph: str, expected: Expected, found: dict[str, Any] | None) -> Outcome:
    if found is None:
        return Outcome(graph, (("graph", graph, "not among the graphs"),), ())
    wanted = {name: value for name in _FIELDS if (value := getattr(expected, name)) is not msgspec.UNSET}
    if isinstance(wanted.get("until"), str):
        wanted["until"] = iso(Instant(wanted["until"]).at)
    shown = {name: getattr(value, "value", value) for name, value in wanted.items()}
    differs = tuple((name, str(value), str(found[name])) for name, value in shown.items() if value != found[name])
    return Outcome(graph, differs, tuple(found["checks"]))
