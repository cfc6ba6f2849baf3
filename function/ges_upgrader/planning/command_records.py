"""A person's command to what is written down about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ges_upgrader.domain.model import Graph
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    Moved,
    Paused,
    Questioned,
    Released,
    ReleaseSource,
    Resumed,
    Retried,
    Withdrawn,
)
from ges_upgrader.planning.matching import govern
from ges_upgrader.policy.schema import Policy


class Unclear(ValueError):
    """The command names something that is not there, or not clear; the message says what is accepted."""


def records_of(command: Command, policy: Policy, fleet: Iterable[Graph], history: History, now: datetime) -> list[AnyRecord]:
    """What the command adds to the journal; nothing where that stands there already. Raises Unclear."""
    if command.rule is not None and command.rule not in _rules(command.word, policy, history):
        accepted = ", ".join(rule.name for rule in policy.rules)
        raise Unclear(f"{command.word.value}: there is no rule {command.rule!r}; accepted are {accepted}; nothing was changed")
    graph_id = _graph_id(command, fleet, history) if command.graph is not None else None
    if command.word is Word.APPROVE and command.version is not None:
        _must_be_known(command.version, policy, history)
        return [Approved(at=now, version=command.version, rule=command.rule, graph_id=graph_id, reason=command.reason)]
    if command.word is Word.PAUSE:
        paused = (command.rule, graph_id) in history.controls.pauses
        return [] if paused else [Paused(at=now, rule=command.rule, graph_id=graph_id, reason=command.reason)]
    if command.word is Word.RESUME:
        return [Resumed(at=now, rule=command.rule, graph_id=graph_id, version=command.version, reason=command.reason)]
    if command.word is Word.RETRY:
        named = [graph_id] if graph_id is not None else _in_trouble(command.rule, policy, fleet, history)
        return [Retried(at=now, graph_id=one, reason=command.reason) for one in named]
    return []


def news(command: Command, policy: Policy, history: History, now: datetime) -> list[AnyRecord]:
    """What the event and the policy tell of releases and withdrawals, and is not known yet."""
    records: list[AnyRecord] = []
    source = ReleaseSource.COMMAND if command.word is Word.RELEASE else ReleaseSource.MESSAGE
    for release in command.releases:
        if history.releases.learns_from(release, source):
            records.append(Released(at=now, release=release, source=source))
    for version in command.withdrawn:
        if version not in history.releases.withdrawn:
            records.append(Withdrawn(at=now, version=version, reason=command.reason))
    for known in policy.releases:
        if history.releases.learns_from(known.release, ReleaseSource.POLICY):
            records.append(Released(at=now, release=known.release, source=ReleaseSource.POLICY))
    return [*records, *_questions(command, policy, history, now)]


def _questions(command: Command, policy: Policy, history: History, now: datetime) -> Iterator[Questioned]:
    """The known versions that a message may withdraw or warn of. A message that comes again asks nothing anew."""
    known = {*history.releases.known, *(release.version for release in policy.releases)} - history.releases.withdrawn
    for question in command.questioned:
        if question.version in known and not history.outbox.knows(question.notice_id):
            yield Questioned(at=now, version=question.version, notice_id=question.notice_id)


def moved(policy: Policy, fleet: Iterable[Graph], history: History, now: datetime) -> list[AnyRecord]:
    """What is on its way or counts as a failure under rules that the policy no longer has, under those that govern now."""
    rules = {rule.name for rule in policy.rules}
    attempts = [*history.attempts.open(), *(attempt for failures in history.attempts.all_failures() for attempt in failures)]
    left = [attempt for attempt in attempts if attempt.rule not in rules]
    governs = {one.graph.id: one.rule.name for one in govern(policy.rules, fleet) if one.rule} if left else {}
    return [Moved(at=now, attempt_id=one.id, rule=governs[one.graph_id]) for one in left if one.graph_id in governs]


def _must_be_known(version: Version, policy: Policy, history: History) -> None:
    known = {*history.releases.known, *(release.version for release in policy.releases)} - history.releases.withdrawn
    if version not in known:
        names = ", ".join(str(one) for one in sorted(known)) or "none yet"
        raise Unclear(f"approve: no release {version} is known; known are {names}; nothing was changed")


def _in_trouble(rule: str | None, policy: Policy, fleet: Iterable[Graph], history: History) -> list[str]:
    """The ids of the rule's graphs with which something went wrong."""
    keys = [one.graph.key for one in govern(policy.rules, fleet) if one.rule and one.rule.name == rule]
    failed = {attempt.key for failures in history.attempts.all_failures() for attempt in failures}
    return [one[1] for one in keys if one in failed or one in history.attempts.refusals or one in history.backups.refusals]


def _rules(word: Word, policy: Policy, history: History) -> set[str | None]:
    """The names that a command may use. What a rule that is gone has left behind can still be lifted."""
    rules: set[str | None] = {rule.name for rule in policy.rules}
    if word is not Word.RESUME:
        return rules
    failing = {attempt.rule for failures in history.attempts.all_failures() for attempt in failures}
    return (
        rules
        | failing
        | {rule for rule, _ in history.controls.pauses}
        | {damage.rule for damage in history.controls.damages.values()}
    )


def _graph_id(command: Command, fleet: Iterable[Graph], history: History) -> str:
    found = [graph for graph in fleet if command.graph in (graph.id, graph.name)]
    controls = history.controls
    held = {damage.graph_id for damage in controls.damages.values()} | {graph_id for _, graph_id in controls.pauses}
    if not found and command.graph is not None and command.word is Word.RESUME and command.graph in held:
        return command.graph  # it is gone, but what holds it is not
    if not found:
        raise Unclear(
            f"{command.word.value}: there is no graph with the id or the name {command.graph!r} in the projects of the policy; "
            "nothing was changed"
        )
    if len(found) > 1:
        ids = ", ".join(f"{graph.id} ({graph.project.region})" for graph in found)
        raise Unclear(
            f"{command.word.value}: {len(found)} graphs are named {command.graph!r}: use an id: {ids}; nothing was changed"
        )
    return found[0].id
