"""The errors and warnings of a policy, each with its place in the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from ges_upgrader.diagnosis.lint import warnings
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Project
from ges_upgrader.history.history import History
from ges_upgrader.planning.survey import Survey, survey_of
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader_cli.checking.places import Place, Source
from ges_upgrader_cli.fleets.files import FleetFile, seen

_UNREADABLE = "the policy cannot be read as YAML or JSON: "
_LINE = re.compile(r"line (\d+), column (\d+): ")
_PLACE = re.compile(r" \((?:rule .*, )?line (\d+), column (\d+)\)$")  # which is shown beside the text
_PATH = re.compile(r"([a-z_]+(?:\[\d+\]|\.[A-Za-z_-]+)*)(?: \([^)]*\))?: ", re.ASCII)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`rule` is the name of the rule that it is about, `path` the field; `text` says what was found and what to write."""

    severity: Literal["error", "warning"]
    path: str | None
    rule: str | None
    place: Place | None
    text: str


class Checked(msgspec.Struct, frozen=True):
    """`survey` is that of the policy and the fleet; None if the policy has errors."""

    source: Source
    survey: Survey | None
    findings: tuple[Finding, ...]

    def count(self, severity: str) -> int:
        return sum(one.severity == severity for one in self.findings)


def check_policy(text: str, now: datetime, file: FleetFile | None = None) -> Checked:
    """What is to be said of the policy, with a fleet also of what becomes of it there."""
    source = Source(text)
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        return Checked(source, None, _ordered(_finding(source, "error", problem) for problem in error.problems))
    fleet, history = Fleet.of((), complete=False), History()
    if file is not None:
        topic = policy.outlet.topic
        fleet, history = seen(file, Project(topic.region, topic.project_id)), History(file.records)
    survey = survey_of(policy, fleet, history, now)
    return Checked(source, survey, _ordered(_finding(source, "warning", text) for text in warnings(survey)))


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.place.line, one.place.column) if one.place else (0, 0)))


def _finding(source: Source, severity: Literal["error", "warning"], problem: str) -> Finding:
    if problem.startswith(_UNREADABLE):
        text = problem[len(_UNREADABLE) :]
        match = _LINE.match(text)
        named = Place(int(match[1]), int(match[2])) if match else None
        place = source.broken if source.broken is not None else named
        return Finding(severity=severity, path=None, rule=None, place=place, text=_LINE.sub("", text, count=1))
    match = _PATH.match(problem)
    if match is None:
        return Finding(
            severity=severity, path=None, rule=None, place=_named(problem) or source.line(1), text=_PLACE.sub("", problem)
        )
    path, text = match[1], _PLACE.sub("", problem[match.end() :])
    place = source.at(path, text) or _named(problem) or source.line(1)
    return Finding(severity=severity, path=path, rule=source.name_of(path), place=place, text=text)


def _named(problem: str) -> Place | None:
    """The place that the problem itself names."""
    match = _PLACE.search(problem)
    return Place(int(match[1]), int(match[2])) if match else None
