"""An operator's command to what is recorded of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Graph, Release
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.events.commands import command as written
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    Moved,
    Paused,
    Questioned,
    Reinstated,
    Released,
    ReleaseSource,
    Retried,
    Unpaused,
    Withdrawn,
)
from ges_upgrader.planning.matching import govern
from ges_upgrader.policy.schema import Policy

Done = dict[str, "str | None"]


class Unclear(ValueError):
    """The command names something that is not there, or not clear; the message says what is accepted."""


class Instruction(msgspec.Struct, frozen=True):
    """What a command adds to the journal (nothing if that stands there already), and what the result says was done."""

    records: list[AnyRecord]
    done: Done


class _Case(msgspec.Struct, frozen=True):
    """A command and what it is about. `graph` is one that GES lists; `graph_id` may be that of a deleted one."""

    command: Command
    policy: Policy
    fleet: tuple[Graph, ...]
    history: History
    now: datetime
    graph: Graph | None
    graph_id: str | None

    @property
    def version(self) -> Version:
        assert self.command.version is not None  # or the command was refused
        return self.command.version


def instruction_of(command: Command, policy: Policy, fleet: Iterable[Graph], history: History, now: datetime) -> Instruction:
    """What an operator's command records. Raises Unclear."""
    graphs = tuple(fleet)
    _must_name_a_rule(command, policy, history)
    graph, graph_id = _named_graph(command, graphs, history)
    case = _Case(command, policy, graphs, history, now, graph, graph_id)
    records = _RECORDS[command.word](case)
    done = {
        "command": command.word.value,
        "version": command.version.text if command.version else None,
        "rule": command.rule,
        "graph": graph.name if graph else graph_id,
        "until": _until(case) if command.word is Word.APPROVE else None,
    }
    return Instruction(records, done)


def check_filters(command: Command, policy: Policy, fleet: Iterable[Graph]) -> None:
    """Raises Unclear for a rule or a graph that is not there."""
    if command.rule is not None and all(rule.name != command.rule for rule in policy.rules):
        raise _no_rule(command, policy)
    if command.graph is not None and not any(command.graph in (graph.id, graph.name) for graph in fleet):
        raise _no_graph(command)


def news(command: Command, policy: Policy, history: History, now: datetime) -> list[AnyRecord]:
    """What the event's messages and the policy say of releases and withdrawals, and is not known yet."""
    records: list[AnyRecord] = []
    for release in command.releases:
        if history.releases.learns_from(release, ReleaseSource.MESSAGE):
            records.append(Released(at=now, release=release, source=ReleaseSource.MESSAGE))
    for version in command.withdrawn:
        if version not in history.releases.withdrawn:
            records.append(Withdrawn(at=now, version=version))
    for known in policy.releases:
        if history.releases.learns_from(known.release, ReleaseSource.POLICY):
            records.append(Released(at=now, release=known.release, source=ReleaseSource.POLICY))
    return [*records, *_questions(command, policy, history, now)]


def moved(policy: Policy, fleet: Iterable[Graph], history: History, now: datetime) -> list[AnyRecord]:
    """What is in progress or counts as a failure under rules that the policy no longer has, under those that govern now."""
    rules = {rule.name for rule in policy.rules}
    attempts = [*history.attempts.open(), *(attempt for failures in history.attempts.all_failures() for attempt in failures)]
    left = [attempt for attempt in attempts if attempt.rule not in rules]
    governs = {one.graph.id: one.rule.name for one in govern(policy.rules, fleet) if one.rule} if left else {}
    return [Moved(at=now, attempt_id=one.id, rule=governs[one.graph_id]) for one in left if one.graph_id in governs]


def _questions(command: Command, policy: Policy, history: History, now: datetime) -> Iterator[Questioned]:
    """The known versions that a message may withdraw or warn of. A message that comes again asks nothing again."""
    known = _known(policy, history) - history.releases.withdrawn
    for question in command.questioned:
        if question.version in known and not history.outbox.knows(question.notice_id):
            yield Questioned(at=now, version=question.version, notice_id=question.notice_id)


def _release(case: _Case) -> list[AnyRecord]:
    releases, release = case.history.releases, Release(case.version)
    if case.version in releases.withdrawn:
        raise _withdrawn(case)
    record = Released(at=case.now, release=release, source=ReleaseSource.COMMAND, by=case.command.by)
    return [record] if releases.learns_from(release, ReleaseSource.COMMAND) else []


def _withdraw(case: _Case) -> list[AnyRecord]:
    known = case.version in case.history.releases.withdrawn
    said = case.command
    return [] if known else [Withdrawn(at=case.now, version=case.version, reason=said.reason, by=said.by)]


def _reinstate(case: _Case) -> list[AnyRecord]:
    withdrawn = case.history.releases.withdrawn
    if case.version not in withdrawn | _known(case.policy, case.history):
        names = ", ".join(str(one) for one in sorted(withdrawn)) or "none"
        raise Unclear(f"reinstate: {case.version} was not withdrawn; withdrawn are {names}; nothing was changed")
    said = case.command
    record = Reinstated(at=case.now, version=case.version, reason=said.reason, by=said.by)
    return [record] if case.version in withdrawn else []


def _approve(case: _Case) -> list[AnyRecord]:
    if case.version in case.history.releases.withdrawn:
        raise _withdrawn(case)
    known = _known(case.policy, case.history)
    if case.version not in known:
        names = ", ".join(str(one) for one in sorted(known - case.history.releases.withdrawn)) or "none yet"
        release = written("release", version=case.version.text)
        raise Unclear(
            f"approve: no release {case.version} is known; known are {names}; nothing was changed. To name it: {release}"
        )
    said = case.command
    return [Approved(at=case.now, version=case.version, rule=said.rule, graph_id=case.graph_id, reason=said.reason, by=said.by)]


def _pause(case: _Case) -> list[AnyRecord]:
    said = case.command
    if (said.rule, case.graph_id) in case.history.controls.pauses:
        return []
    return [Paused(at=case.now, rule=said.rule, graph_id=case.graph_id, reason=said.reason, by=said.by)]


def _resume(case: _Case) -> list[AnyRecord]:
    said = case.command
    return [Unpaused(at=case.now, rule=said.rule, graph_id=case.graph_id, reason=said.reason, by=said.by)]


def _retry(case: _Case) -> list[AnyRecord]:
    """A rule's graphs have records of their own for what blocks the graph and not its rule."""
    said = case.command
    graphs = _in_trouble(case) if said.rule is not None else []
    scopes: list[tuple[str | None, str | None]] = [(said.rule, case.graph_id), *((None, one) for one in graphs)]
    return [_retried(case, rule, graph_id) for rule, graph_id in scopes]


def _retried(case: _Case, rule: str | None, graph_id: str | None) -> Retried:
    """A graph that is not rolled back is not meant by it: a later rollback counts."""
    said, set_aside = case.command, case.history.set_aside
    back = tuple(
        graph.id
        for graph in case.fleet
        if graph.version is not None
        and graph_id in (None, graph.id)
        and (rule is None or graph_id is not None)
        and set_aside.rolled_back(graph.key, graph.version) is not None
    )
    return Retried(
        at=case.now, rule=rule, graph_id=graph_id, version=said.version, reason=said.reason, by=said.by, rolled_back=back
    )


_RECORDS: dict[Word, Callable[[_Case], list[AnyRecord]]] = {
    Word.RELEASE: _release,
    Word.WITHDRAW: _withdraw,
    Word.REINSTATE: _reinstate,
    Word.APPROVE: _approve,
    Word.PAUSE: _pause,
    Word.RESUME: _resume,
    Word.RETRY: _retry,
}


def _until(case: _Case) -> str | None:
    """When the approval that was given expires."""
    lifetime = _approval_lifetime(case)
    return iso(case.now + lifetime) if lifetime is not None else None


def _approval_lifetime(case: _Case) -> timedelta | None:
    name = case.command.rule
    if case.graph is not None:
        name = next((one.rule.name for one in govern(case.policy.rules, [case.graph]) if one.rule), None)
    return next((rule.approval_lifetime for rule in case.policy.rules if rule.name == name), None)


def _known(policy: Policy, history: History) -> set[Version]:
    return {*history.releases.known, *(release.version for release in policy.releases)}


def _in_trouble(case: _Case) -> list[str]:
    """The ids of the rule's graphs that are blocked at some version."""
    history = case.history
    governed = (one.graph for one in govern(case.policy.rules, case.fleet) if one.rule and one.rule.name == case.command.rule)
    failed = {attempt.key for failures in history.attempts.all_failures() for attempt in failures}
    return [
        graph.id
        for graph in governed
        if graph.key in failed
        or graph.key in history.backups.refusals
        or graph.key in history.attempts.refusals
        or history.set_aside.holds(graph.key, graph.version)
    ]


def _must_name_a_rule(command: Command, policy: Policy, history: History) -> None:
    """What a rule that was removed has left behind can still be lifted."""
    rules: set[str | None] = {rule.name for rule in policy.rules}
    controls = history.controls
    if command.word is Word.RETRY:
        rules |= {attempt.rule for failures in history.attempts.all_failures() for attempt in failures}
    if command.word is Word.RESUME:
        rules |= {rule for rule, _ in controls.pauses} | {damage.rule for damage in controls.damages.values()}
    if command.rule is not None and command.rule not in rules:
        raise _no_rule(command, policy)


def _named_graph(command: Command, fleet: Iterable[Graph], history: History) -> tuple[Graph | None, str | None]:
    """The graph that the command names, and its id. A deleted graph has the id only."""
    if command.graph is None:
        return None, None
    found = [graph for graph in fleet if command.graph in (graph.id, graph.name)]
    if not found and command.graph in _left_behind(command.word, history):
        return None, command.graph
    if not found:
        raise _no_graph(command)
    if len(found) > 1:
        ids = ", ".join(f"{graph.id} ({graph.project.region})" for graph in found)
        raise Unclear(
            f"{command.word.value}: {len(found)} graphs are named {command.graph!r}: use an id: {ids}; nothing was changed"
        )
    return found[0], found[0].id


def _left_behind(word: Word, history: History) -> set[str | None]:
    """The ids of graphs, visible or not, of which something is recorded that the command lifts."""
    if word is Word.RESUME:
        damages = history.controls.damages.values()
        return {damage.graph_id for damage in damages} | {graph_id for _, graph_id in history.controls.pauses}
    if word is Word.RETRY:
        failed = [attempt.key for failures in history.attempts.all_failures() for attempt in failures]
        return {graph_id for _, graph_id in (*failed, *history.attempts.refusals, *history.backups.refusals)}
    return set()


def _no_rule(command: Command, policy: Policy) -> Unclear:
    accepted = ", ".join(rule.name for rule in policy.rules)
    return Unclear(f"{command.word.value}: there is no rule {command.rule!r}; accepted are {accepted}; nothing was changed")


def _no_graph(command: Command) -> Unclear:
    return Unclear(
        f"{command.word.value}: there is no graph with the id or the name {command.graph!r} in the projects of the policy; "
        "nothing was changed"
    )


def _withdrawn(case: _Case) -> Unclear:
    reinstate = written("reinstate", version=case.version.text)
    return Unclear(
        f"{case.command.word.value}: {case.version} was withdrawn; nothing was changed. To take that back: {reinstate}"
    )
