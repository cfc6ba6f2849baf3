"""Why, and what if: every gate of a graph with its value, which of them binds, and what would make its start earlier. Pure.

What would help is asked of the planner itself, under a policy in which one thing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from .choice import Offer, Sight, seen
from .durations import Duration, spelled
from .gates import GATES, Case, Hold
from .governing import Governed
from .history import History
from .model import Decision, Reason
from .moments import ceiled, iso
from .passed_over import passed_over
from .planner import Survey, first_start
from .policy import Policy, Rule
from .policy_fields import Ages

MOST_NAMES = 5


class Change(msgspec.Struct, frozen=True):
    """One thing that an operator could change about a gate. `used` says whether the rule has it at all."""

    words: str
    used: Callable[[Policy, Rule], bool]
    rule: Callable[[Rule], Rule] = lambda rule: rule
    policy: Callable[[Policy], Policy] = lambda policy: policy


CHANGES = {
    "age": Change(
        "shortening min_release_age",
        lambda _, rule: bool(rule.min_release_age),
        lambda rule: msgspec.structs.replace(rule, min_release_age=Ages("0d")),
    ),
    "wave": Change(
        "shortening the soak",
        lambda _, rule: bool(rule.soak and rule.after),
        lambda rule: msgspec.structs.replace(rule, soak=Duration()),
    ),
    "freeze": Change(
        "lifting the freeze",
        lambda policy, rule: bool(policy.frozen(rule.name)),
        policy=lambda policy: msgspec.structs.replace(policy, freezes=()),
    ),
    "window": Change(
        "a window on {day}",
        lambda _, rule: bool(rule.windows),
        lambda rule: msgspec.structs.replace(rule, windows=()),
    ),
    "notice": Change(
        "shortening the notice",
        lambda _, rule: bool(rule.notice),
        lambda rule: msgspec.structs.replace(rule, notice=Duration()),
    ),
}


def explain(survey: Survey, decisions: Iterable[Decision]) -> dict[str, dict[str, Any]]:
    """For each graph, `checks` and `earlier`.

    A check has its name, whether it holds, its value in words, until when it holds, and whether it is the one that binds.
    `earlier` are sentences on what a change of the policy would give.
    """
    changed = {name: _starts(survey, change) for name, change in CHANGES.items()}
    known = seen(survey.policy, survey.history, survey.now)
    found: dict[str, dict[str, Any]] = {}
    for one, decision in zip(survey.governed, decisions):
        settled = _settled(survey, one, decision)
        if settled is not None:
            found[decision.graph_id] = {"checks": [settled], "earlier": []}
            continue
        assert one.rule is not None
        starts = {
            name: starts.get(one.graph.id) for name, starts in changed.items() if CHANGES[name].used(survey.policy, one.rule)
        }
        checks = _checks(survey, known, one, decision, starts)
        found[decision.graph_id] = {"checks": checks, "earlier": _earlier(decision, starts)}
    return found


def state_of(history: History) -> dict[str, Any]:
    """What the journal holds, for `status`."""
    return {
        "releases": [
            {"version": version.text, "first_seen": iso(at), "withdrawn": version in history.withdrawn}
            for version, (_, at) in sorted(history.releases.items())
        ],
        "pauses": [
            {"rule": rule, "graph_id": graph_id, "since": iso(pause.at), "reason": pause.reason}
            for (rule, graph_id), pause in history.pauses.items()
        ],
        "approvals": [
            {"version": version.text, "rule": rule, "graph_id": graph_id, "at": iso(at)}
            for (version, rule, graph_id), at in history.approvals().items()
        ],
        "failures": [
            {"rule": rule, "version": version.text, "failures": times} for (rule, version), times in history.failed().items()
        ],
        "untold": history.outbox(),
    }


def _starts(survey: Survey, change: Change) -> dict[str, datetime]:
    """When each graph would start if the policy were changed so."""
    rules = {rule.name: change.rule(rule) for rule in survey.policy.rules}
    policy = change.policy(msgspec.structs.replace(survey.policy, rules=tuple(rules.values())))
    governed = [msgspec.structs.replace(one, rule=rules[one.rule.name] if one.rule else None) for one in survey.governed]
    other = Survey(policy, governed, survey.history, survey.now, survey.complete)
    found = {}
    for one in governed:
        if one.rule is not None and one.graph.version is not None and not one.opted_out:
            start = first_start(other, one, other.stages[one.rule.name].offer(one.graph))
            if start is not None:
                found[one.graph.id] = start[0]
    return found


def _settled(survey: Survey, one: Governed, decision: Decision) -> dict[str, Any] | None:
    """The one check of a graph about which everything is clear before any release is looked at."""
    attempt = survey.history.open_attempt(one.graph.id)
    backup = survey.history.open_backup(one.graph.id)
    if attempt is not None:
        name, value = "attempt", f"to {attempt.to_version}, since {iso(attempt.began_at)}, job {attempt.job_id or 'unknown'}"
    elif one.opted_out:
        name, value = "opt-out", "the graph's own tag ges-upgrader=off"
    elif one.rule is None:
        name, value = "rule", "none matches"
    elif one.graph.status.in_flight:
        name, value = "status", f"{one.graph.status.code}: an upgrade or its rollback, by another hand"
    elif backup is not None:
        name, value = "backup", f"since {iso(backup.began_at)}, job {backup.job_id or 'unknown'}"
    elif not survey.history.readable:
        name, value = "state", "the journal cannot be read or written"
    elif decision.reason is Reason.STATE_UNAVAILABLE:
        name, value = "state", "a record of the journal that is about it cannot be understood; see the errors"
    elif one.graph.version is None:
        name, value = "version", "GES tells no version of the graph, or none that can be read"
    else:
        return None
    return _check(name, Hold(decision.action, decision.reason), value, binding=True)


def _checks(
    survey: Survey, known: list[Sight], one: Governed, decision: Decision, starts: dict[str, datetime | None]
) -> list[dict[str, Any]]:
    assert one.rule is not None
    stage = survey.stages[one.rule.name]
    offered = stage.offer(one.graph)
    release = "; ".join([_chosen(known, decision, offered), *passed_over(survey, known, one, offered)])
    rule = _check("rule", None, f"{one.rule.name}, which governs {stage.governs}")
    if offered.nothing is not None:
        return [_check("release", Hold(decision.action, offered.nothing), release, binding=True), rule]
    case = survey.case(one, offered.choices[0])
    checks = [_check("release", None, release), rule]
    holds = {name: gate(case) for name, gate in GATES.items()}
    binding = _binding(decision, holds, starts)
    for name, hold in holds.items():
        value = _VALUES[name](survey, case)
        if value is not None:
            checks.append(_check(name, hold, value, name == binding))
    full = Hold(decision.action, decision.reason) if decision.reason is Reason.MAX_CONCURRENT else None
    checks.append(_check("budget", full, survey.budget.value(one.rule, case.choice.release.version), full is not None))
    return checks


def _check(name: str, hold: Hold | None, value: str, binding: bool = False) -> dict[str, Any]:
    until = ceiled(hold.until) if hold and hold.until else None
    return {"check": name, "holds": hold is not None, "value": value, "until": until, "binding": binding}


def _binding(decision: Decision, holds: dict[str, Hold | None], starts: dict[str, datetime | None]) -> str | None:
    """What decides: a gate that time does not lift, or the one without which the start would be the earliest."""
    holding = [name for name, hold in holds.items() if hold is not None]
    lasting = [name for name in holding if (hold := holds[name]) is not None and hold.until is None]
    if lasting or decision.until is None:
        return next(iter(lasting), None)
    until = decision.until
    found = [(start, name) for name, start in starts.items() if start is not None and start < until]
    return min(found)[1] if found else next(iter(holding), None)


def _earlier(decision: Decision, starts: dict[str, datetime | None]) -> list[str]:
    if decision.until is None:
        return []
    lines = []
    for name, start in starts.items():
        words = CHANGES[name].words
        if start is None or start >= decision.until:
            lines.append(f"{words.format(day='another day')} changes nothing")
        else:
            lines.append(f"{words.format(day=start.strftime('%A'))} gives {ceiled(start)}")
    return lines


def _chosen(known: list[Sight], decision: Decision, offered: Offer) -> str:
    if not offered.choices:
        return "none to upgrade to" if known else "none is known"
    chosen = offered.choices[0].release.version
    later = decision.target if decision.target != chosen else None
    return f"{chosen} now, and {later} by the time of the start" if later else chosen.text


def _pause(survey: Survey, case: Case) -> str:
    if not case.policy.enabled:
        return "the policy says enabled: false"
    pause = case.history.paused(case.rule.name, case.graph.id)
    return f"since {iso(pause.at)}: {pause.reason or 'no reason given'}" if pause else "none"


def _count(survey: Survey, case: Case) -> str | None:
    most = case.rule.max_graphs
    return f"{case.stage.governs} of at most {most}" if most is not None else None


def _failures(survey: Survey, case: Case) -> str:
    version = case.choice.release.version
    failed = len(case.history.failures(case.rule.name, version))
    return f"{failed} of {survey.stages[case.rule.name].max_failures} at {version}"


def _refusal(survey: Survey, case: Case) -> str | None:
    refusal = case.history.refusals.get(case.graph.id)
    return f"{refusal.code}, {refusal.times} times, the last at {iso(refusal.at)}: {refusal.detail}" if refusal else None


def _age(survey: Survey, case: Case) -> str:
    release = case.choice.release
    age = spelled(case.rule.min_release_age.of(release.severity))
    words = f"{release.version} counts from {iso(case.choice.since)} and needs {age}"
    return f"{words}; not before {ceiled(release.not_before)}" if release.not_before else words


def _wave(survey: Survey, case: Case) -> str | None:
    if not case.rule.after:
        return None
    version = case.choice.release.version
    parts = []
    for name in case.rule.after:
        stage = survey.stages[name]
        behind = stage.behind(version)
        if behind:
            names = ", ".join(graph.name for graph in behind[:MOST_NAMES])
            parts.append(f"{name}: {len(behind)} of {stage.governs} do not run {version}: {names}")
        else:
            parts.append(f"{name}: all {stage.governs} run {version}, soaking {spelled(case.rule.soak)}")
    return "; ".join([*parts, *([] if survey.complete else ["some project could not be listed"])])


def _mode(survey: Survey, case: Case) -> str:
    return case.rule.mode


def _approval(survey: Survey, case: Case) -> str | None:
    if case.rule.mode != "approve":
        return None
    return f"lapses {iso(case.approval_lapses)}" if case.approval_lapses else "none"


def _freeze(survey: Survey, case: Case) -> str | None:
    held = [freeze for freeze in case.policy.freezes if freeze.holds(case.rule.name)]
    now = [freeze for freeze in held if freeze.period[0] <= case.now < freeze.period[1]]
    if now:
        return "; ".join(f"{freeze.reason or 'no reason given'}, until {iso(freeze.period[1])}" for freeze in now)
    return f"none of {len(held)} now" if held else None


def _window(survey: Survey, case: Case) -> str:
    if not case.rule.windows:
        return "always"
    stage = survey.stages[case.rule.name]
    opening = stage.opening(case.now, case.place)
    written = " | ".join(window.text for window in case.rule.windows)
    if opening is None:
        return f"{written}, cutoff {spelled(stage.cutoff)}: never"
    return f"{written}, cutoff {spelled(stage.cutoff)}: from {ceiled(opening.start)}, before {iso(opening.before)}"


def _notice(survey: Survey, case: Case) -> str | None:
    if not case.rule.notice:
        return None
    told = case.history.planned.get((case.graph.id, case.choice.release.version))
    return f"{spelled(case.rule.notice)} before the start; told {iso(told) if told else 'not yet'}"


def _backup(survey: Survey, case: Case) -> str | None:
    if case.rule.backup == "none":
        return None
    expires = case.backup_expires
    there = f"the last one known serves until {iso(expires)}" if expires else "none is known yet"
    failed = case.history.backup_refusals.get(case.graph.id)
    return "; ".join(["required", there, *([failed.detail] if failed else [])])


_VALUES: dict[str, Callable[[Survey, Case], str | None]] = {
    "pause": _pause,
    "count": _count,
    "failures": _failures,
    "status": lambda _, case: case.graph.status.code or "unknown",
    "refusal": _refusal,
    "age": _age,
    "wave": _wave,
    "mode": _mode,
    "approval": _approval,
    "freeze": _freeze,
    "window": _window,
    "notice": _notice,
    "backup": _backup,
}
