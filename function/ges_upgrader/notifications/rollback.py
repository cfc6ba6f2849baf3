"""Reminders that GES soon no longer rolls an upgrade back: 7 days and 2 days before. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from ges_upgrader.domain.model import Attempt, Graph
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.naming import count_of, names_of
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.planning.survey import Survey

SINCE, LASTS = Version("2.4.4"), timedelta(days=30)  # ges.md 6
BEFORE = (2, 7)  # days, the nearest first

_Group = tuple[str, Version, str, int]  # the rule, the version, the last day, and how many days before it


def rollback_notices(survey: Survey) -> list[Noticed]:
    """The reminders that are due and were not recorded yet: one for all graphs of a rule that were upgraded on a day."""
    groups: dict[_Group, list[Attempt]] = {}
    for one in survey.governed:
        attempt = _reversible(survey, one.graph)
        if attempt is None:
            continue
        until = rollback_until(attempt, survey.history.attempts.duration_of(attempt.id))
        days = next((days for days in BEFORE if until - timedelta(days=days) <= survey.now < until), None)
        if days is not None:
            groups.setdefault((attempt.rule, attempt.to_version, f"{until:%Y-%m-%d}", days), []).append(attempt)
    return [notice for group, attempts in groups.items() for notice in _notice(survey, group, attempts)]


def rollback_until(attempt: Attempt, duration: timedelta | None) -> datetime:
    """Counted from the end of the job; if that is unknown, from its beginning: better too early than too late."""
    return attempt.began_at + (duration or timedelta()) + LASTS


def _reversible(survey: Survey, graph: Graph) -> Attempt | None:
    """The upgrade that brought the graph to the version that it runs, if GES can roll it back."""
    last = next(reversed(survey.history.attempts.ended_of(graph.key)), None)
    if last is None or last.verdict is None or not last.verdict.upgraded or graph.status.in_flight:
        return None
    return last if last.to_version == graph.version and last.to_version >= SINCE else None


def _notice(survey: Survey, group: _Group, attempts: list[Attempt]) -> Iterator[Noticed]:
    rule, version, until, days = group
    about = f"rollback-ending:{rule}:{version}:{until}:{days}"
    named = survey.history.outbox.named(about)
    left = [one for one in attempts if one.graph_id not in named]
    if left:
        ids = ",".join(one.id for one in left)
        yield noticed(
            "rollback-ending",
            f"{about}:{sha256(ids.encode(errors='surrogatepass')).hexdigest()[:12]}",
            survey.now,
            rule=rule,
            version=version,
            graphs=tuple(one.graph_id for one in left),
            count=count_of(left),
            until=until,
            names=names_of(left),
        )
