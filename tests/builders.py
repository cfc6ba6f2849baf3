"""Fleets, policies and histories in a line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Attempt, BackupAttempt, Decision, Graph, Project, Release, Start, Status, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Ended, Intended, Released, Started
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.planning.survey import Survey, survey_of
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import Policy

PROJECT_ID = "0123456789abcdef0123456789abcdef"
PROJECT = Project("cn-north-4", PROJECT_ID)
TOPIC = f"urn:smn:cn-north-4:{PROJECT_ID}:ges-upgrades"
RELEASES_TOPIC = f"urn:smn:cn-north-4:{PROJECT_ID}:ges-releases"


def at(text: str) -> datetime:
    """`2026-11-23 02:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


NOW = at("2026-11-23 02:00")


def graph(name: str, version: str | None = "2.4.4", status: str = "200", **tags: str) -> Graph:
    return Graph(
        project=PROJECT,
        id=str(uuid5(NAMESPACE_DNS, name)),
        name=name,
        version=Version(version) if version else None,
        status=Status(status),
        tags=tags,
        product_type="InMemory",
        arch="x86_64",
    )


def policy_text(rules: str = "[{}]", **fields: str) -> str:
    """A policy with a topic and these rules, in YAML's flow form; without a state unless one is given."""
    given = {"state": "none", **fields}
    return "\n".join([f"notify: {TOPIC}", f"rules: {rules}", *(f"{name}: {value}" for name, value in given.items())])


def policy(rules: str = "[{}]", **fields: str) -> Policy:
    """The same, parsed, with a state."""
    return parse_policy(policy_text(rules, **{"state": "file:///var/ges", **fields}))


def survey(under: Policy, graphs: Iterable[Graph], past: History, now: datetime = NOW, complete: bool = True) -> Survey:
    """A survey of these graphs; not `complete`: their projects are listed in part."""
    return survey_of(under, Fleet.of(graphs, complete), past, now)


def plan(
    under: Policy, graphs: Iterable[Graph], past: History, now: datetime = NOW, complete: bool = True
) -> tuple[Decision, ...]:
    """The decisions about these graphs."""
    return plan_of(survey(under, graphs, past, now, complete)).decisions


def starts(under: Policy, graphs: Iterable[Graph], past: History, now: datetime = NOW) -> tuple[Start, ...]:
    """The starts of these graphs that are due."""
    return plan_of(survey(under, graphs, past, now)).starts


def history(*versions: str, **restrictions: Any) -> History:
    """A history in which these releases were announced."""
    return History(Released(at=NOW, release=Release(Version(version), **restrictions)) for version in versions)


def attempt(of: Graph, to: str = "2.4.15", rule: str = "rule-1", **fields: Any) -> Attempt:
    assert of.version
    given: dict[str, Any] = {"began_at": NOW, "job_id": "job-1", "force": False, **fields}
    return Attempt(
        id=f"attempt-{of.name}",
        project=of.project,
        graph_id=of.id,
        graph=of.name,
        rule=rule,
        from_version=of.version,
        to_version=Version(to),
        **given,
    )


def backup_attempt(of: Graph, to: str = "2.4.15", rule: str = "rule-1", **fields: Any) -> BackupAttempt:
    given: dict[str, Any] = {"id": "b", "began_at": NOW, **fields}
    return BackupAttempt(project=of.project, graph_id=of.id, graph=of.name, rule=rule, to_version=Version(to), **given)


def begin(to: History, one: Attempt) -> History:
    to.apply(Intended(at=one.began_at, attempt=one))
    if one.job_id:
        to.apply(Started(at=one.began_at, attempt_id=one.id, job_id=one.job_id))
    return to


def finish(to: History, one: Attempt, verdict: Verdict) -> History:
    to.apply(Ended(at=one.began_at, attempt_id=one.id, verdict=verdict))
    return to
