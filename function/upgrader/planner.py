"""Policy, fleet, history and the time, to one decision for every graph. Pure; the heart.

A gate answers one question about one graph: may it be upgraded, or what holds it? The gates in their order are the
policy of the product; the first that holds gives the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256

import msgspec

from .history import History, Refusal
from .model import Action, Decision, Graph, Reason, Release
from .policy import Match, Policy, Rule
from .versions import Version
from .windows import first_start

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)

# GES's words for "not now" (ges.md 5.2); every other refusal needs a person.
_NOT_NOW = {
    "GES.7001": Reason.NOT_RUNNING,
    "GES.7002": Reason.BACKING_UP,
    "GES.7003": Reason.NOT_RUNNING,
    "GES.7042": Reason.NOT_RUNNING,
}


class Case(msgspec.Struct):
    """One graph before the gates: the rule that governs it, the release chosen for it, and what the rule has going."""

    graph: Graph
    rule: Rule
    release: Release
    policy: Policy
    history: History
    failures: int
    free_slots: int
    now: datetime


class Hold(msgspec.Struct, frozen=True):
    """What holds a graph, and whether time alone lifts it."""

    action: Action
    reason: Reason
    passes: bool = False


Gate = Callable[[Case], "Hold | None"]


def enabled_gate(case: Case) -> Hold | None:
    return None if case.policy.enabled else Hold(Action.BLOCKED, Reason.PAUSED)


def failures_gate(case: Case) -> Hold | None:
    return Hold(Action.BLOCKED, Reason.HALTED) if case.failures >= case.rule.max_failures else None


def status_gate(case: Case) -> Hold | None:
    if case.graph.status.running:
        return None
    return Hold(Action.WAIT, Reason.BACKING_UP if case.graph.status.backing_up else Reason.NOT_RUNNING)


def refusal_gate(case: Case) -> Hold | None:
    refusal = case.history.refusals.get(case.graph.id)
    if refusal is None or refusal.version != case.release.version or case.now >= _retry_at(refusal):
        return None
    not_now = _NOT_NOW.get(refusal.code)
    return Hold(Action.WAIT, not_now) if not_now else Hold(Action.BLOCKED, Reason.REFUSED)


def age_gate(case: Case) -> Hold | None:
    not_before = case.release.not_before
    return Hold(Action.WAIT, Reason.TOO_YOUNG, passes=True) if not_before and case.now < not_before else None


def window_gate(case: Case) -> Hold | None:
    start = _start(case, case.now)
    return None if start and start[0] <= case.now else Hold(Action.WAIT, Reason.OUTSIDE_WINDOW, passes=True)


def concurrency_gate(case: Case) -> Hold | None:
    return Hold(Action.WAIT, Reason.MAX_CONCURRENT) if case.free_slots < 1 else None


GATES: tuple[Gate, ...] = (
    enabled_gate,
    failures_gate,
    status_gate,
    refusal_gate,
    age_gate,
    window_gate,
    concurrency_gate,
)


def plan(policy: Policy, fleet: Iterable[Graph], history: History, now: datetime) -> tuple[Decision, ...]:
    """One decision for every graph, in the order in which a rule's graphs take their turns."""
    graphs = sorted(fleet, key=_turn)
    governed = [(graph, govern(policy, graph)) for graph in graphs]
    flying: dict[str, int] = {}
    for graph, rule in governed:
        attempt = history.open_attempt(graph.id)
        if attempt or (rule and graph.status.in_flight):
            name = attempt.rule if attempt else rule.name if rule else ""
            flying[name] = flying.get(name, 0) + 1
    decisions = []
    for graph, rule in governed:
        decision = _decide(policy, graph, rule, history, flying, now)
        if decision.action is Action.UPGRADE and rule:
            flying[rule.name] = flying.get(rule.name, 0) + 1
        decisions.append(decision)
    return tuple(decisions)


def govern(policy: Policy, graph: Graph) -> Rule | None:
    """The first rule that matches the graph."""
    return next((rule for rule in policy.rules if _matches(rule.match, graph)), None)


def _decide(
    policy: Policy, graph: Graph, rule: Rule | None, history: History, flying: dict[str, int], now: datetime
) -> Decision:
    def decision(action: Action, reason: Reason, target: Version | None = None) -> Decision:
        return Decision(
            project=graph.project,
            graph_id=graph.id,
            graph=graph.name,
            rule=rule.name if rule else None,
            from_version=graph.version,
            target=target,
            action=action,
            reason=reason,
        )

    attempt = history.open_attempt(graph.id)
    if attempt is not None:
        underway = decision(Action.WAIT, Reason.UPGRADING, attempt.to_version)
        return msgspec.structs.replace(underway, from_version=attempt.from_version, job_id=attempt.job_id)
    if graph.tags.get("ges-upgrader", "").strip().lower() == "off":
        return decision(Action.SKIP, Reason.OPTED_OUT)
    if rule is None:
        return decision(Action.SKIP, Reason.NO_RULE)
    if graph.status.in_flight:
        return decision(Action.WAIT, Reason.UPGRADING)
    if not history.readable:
        return decision(Action.BLOCKED, Reason.STATE_UNAVAILABLE)
    if graph.version is None:
        return decision(Action.BLOCKED, Reason.REFUSED)
    release = _choose(policy, rule, graph, history, now)
    if isinstance(release, Reason):
        return decision(Action.SKIP, release)
    case = Case(
        graph=graph,
        rule=rule,
        release=release,
        policy=policy,
        history=history,
        failures=len(history.failures(rule.name, release.version)),
        free_slots=rule.max_concurrent - flying.get(rule.name, 0),
        now=now,
    )
    hold = next(filter(None, (gate(case) for gate in GATES)), None)
    if hold is None:
        start = _start(case, now)
        return msgspec.structs.replace(
            decision(Action.UPGRADE, Reason.DUE, release.version),
            force=rule.force == "always",
            start_before=_earlier(start[1] if start else None, release.not_after),
        )
    held = decision(hold.action, hold.reason, release.version)
    if hold.passes:
        start = _start(case, max(now, release.not_before or now))
        if start and (release.not_after is None or start[0] < release.not_after):
            held = msgspec.structs.replace(held, until=start[0])
    return held


def _choose(policy: Policy, rule: Rule, graph: Graph, history: History, now: datetime) -> Release | Reason:
    """The newest release that fits the graph and that the rule allows, or why there is none."""
    known = {release.version: Release(release.version, release.released_at) for release in policy.releases}
    known.update({version: release for version, (release, _) in history.releases.items()})
    fitting = [
        release
        for version, release in known.items()
        if version not in history.withdrawn and _fits(release, graph) and (not release.not_after or now < release.not_after)
    ]
    if not fitting:
        return Reason.NO_RELEASE
    newer = [release for release in fitting if graph.version is not None and release.version > graph.version]
    if not newer:
        return Reason.UP_TO_DATE
    allowed = [release for release in newer if rule.versions is None or rule.versions.allow(release.version)]
    if not allowed:
        return Reason.VERSION_NOT_ALLOWED
    return max(allowed, key=lambda release: release.version)


def _fits(release: Release, graph: Graph) -> bool:
    """A restriction on something that GES did not tell of the graph is not met: when in doubt, no."""
    targets = release.targets
    return (
        (not release.regions or graph.project.region in release.regions)
        and (not release.product_types or graph.product_type in release.product_types)
        and (not release.arch or graph.arch in release.arch)
        and (release.min_source_version is None or (graph.version or release.version) >= release.min_source_version)
        and (not targets.graph_ids or graph.id in targets.graph_ids)
        and (not targets.graph_names or graph.name in targets.graph_names)
        and all(graph.tags.get(tag) == value for tag, value in targets.tags.items())
    )


def _matches(match: Match, graph: Graph) -> bool:
    texts = (
        (match.name, graph.name),
        (match.id, graph.id),
        (match.region, graph.project.region),
        (match.project_id, graph.project.project_id),
        (match.enterprise_project, graph.enterprise_project),
        (match.product_type, graph.product_type),
    )
    wanted = match.tags.wanted.items() if match.tags else ()
    return all(glob is None or (text is not None and fnmatchcase(text, glob)) for glob, text in texts) and all(
        tag in graph.tags and fnmatchcase(graph.tags[tag], value) for tag, value in wanted
    )


def _start(case: Case, after: datetime) -> tuple[datetime, datetime | None] | None:
    if not case.rule.windows:
        return after, None
    return first_start(case.rule.windows, case.rule.cutoff or timedelta(), after)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


def _retry_at(refusal: Refusal) -> datetime:
    pause: timedelta = _FIRST_PAUSE * 2 ** min(refusal.times - 1, 10)
    return refusal.at + min(pause, _LONGEST_PAUSE)


def _turn(graph: Graph) -> bytes:
    return sha256(graph.id.encode()).digest()
