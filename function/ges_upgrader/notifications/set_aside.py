"""Notices about versions that are set aside for graphs: rolled back by an operator, or unknown to GES. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from ges_upgrader.domain.model import Graph
from ges_upgrader.domain.plain_text import MOST_NAME, plain
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.records import Noticed
from ges_upgrader.history.set_aside import KIND
from ges_upgrader.notifications.naming import listed
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.planning.survey import Survey


class _Found(msgspec.Struct, frozen=True):
    """One version that is set aside for one graph, since the attempt or the instant that `mark` names."""

    graph: Graph
    rule: str
    mark: str


_Groups = dict[Version, list[_Found]]


def set_aside_notices(survey: Survey) -> list[Noticed]:
    """The notices that are due and were not recorded yet: one for each version, about all graphs that it newly concerns.

    Of a fleet that was listed before the last upgrade ended, nothing follows.
    """
    rolled_back: _Groups = {}
    unknown: _Groups = {}
    history = survey.history
    for one in survey.governed:
        graph, rule = one.graph, one.rule
        busy = graph.status.in_flight or history.attempts.open_of(graph.key) is not None
        seen = survey.roster.shows(history.attempts.ended_of(graph.key))
        if rule is None or one.opted_out or graph.version is None or busy or not seen:
            continue
        reached = history.set_aside.rolled_back(graph.key, graph.version)
        if reached is not None and not reached.reported:
            rolled_back.setdefault(reached.version, []).append(_Found(graph, rule.name, reached.attempt_id))
        for version, target in history.set_aside.unknown(graph.key, survey.now).items():
            if version > graph.version and not target.reported:
                unknown.setdefault(version, []).append(_Found(graph, rule.name, target.attempts[0]))
    return [*_rolled_back(survey, rolled_back), *_unknown(survey, unknown)]


def _rolled_back(survey: Survey, groups: _Groups) -> Iterator[Noticed]:
    for version, found in groups.items():
        one = found[0].graph
        yield _notice(
            survey,
            version,
            found,
            "rolled-back",
            shown=f", {one.version}" if len(found) == 1 else "",
            retries="\n".join(f"  {command('retry', graph=_argument(each.graph))}" for each in found[:3]),
        )


def _unknown(survey: Survey, groups: _Groups) -> Iterator[Noticed]:
    for version, found in groups.items():
        yield _notice(
            survey,
            version,
            found,
            "unknown",
            withdraw=command("withdraw", version=version.text),
            retry=command("retry", graph=_argument(found[0].graph)),
        )


def _notice(survey: Survey, version: Version, found: list[_Found], what: str, **fields: Any) -> Noticed:
    marks = ",".join(sorted(each.mark for each in found))
    rules = {each.rule for each in found}
    return noticed(
        f"{KIND}:{what}",
        f"{KIND}:{what}:{version}:{sha256(marks.encode()).hexdigest()[:12]}",
        survey.now,
        rule=rules.pop() if len(rules) == 1 else None,
        version=version,
        graphs=tuple(each.graph.id for each in found),
        count=_count(found),
        names=_names(found),
        **fields,
    )


def _count(found: list[_Found]) -> str:
    return f"{len(found)} graphs" if len(found) > 1 else plain(found[0].graph.name, MOST_NAME)


def _names(found: list[_Found]) -> str:
    return listed([plain(each.graph.name, MOST_NAME) for each in found])


def _argument(graph: Graph) -> str:
    return graph.name if len(graph.name) <= MOST_NAME else graph.id
