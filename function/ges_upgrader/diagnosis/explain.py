"""Why: every gate of a graph with its value in words, and which of them binds; and what would make its start earlier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ges_upgrader.diagnosis.counterfactuals import WhatIf
from ges_upgrader.diagnosis.gate_texts import VALUES
from ges_upgrader.diagnosis.rejected_releases import passed_over
from ges_upgrader.domain.model import Decision, Reason
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.history.history import History
from ges_upgrader.planning.gates import GATES, Case, Hold
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.planner import Survey, agreed
from ges_upgrader.planning.releases import Choice, Offer, Sight, seen

# What may bind and is still a matter of time, at least under another policy.
_TIMELY = ("age", "freeze", "window", "notice", "expiry")


def explain(survey: Survey, decisions: Iterable[Decision]) -> dict[str, dict[str, Any]]:
    """For each graph, `checks` and `earlier`.

    A check has its name, whether it holds, its value in words, until when it holds, and whether it is the one that binds.
    `earlier` are sentences on what a change of the policy would give.
    """
    decided = list(decisions)
    known, what_if = seen(survey.policy, survey.history, survey.now), WhatIf(survey, decided)
    found: dict[str, dict[str, Any]] = {}
    for one, decision in zip(survey.governed, decided):
        settled = _settled(survey, one, decision)
        checks = [settled] if settled is not None else _checks(survey, known, what_if, one, decision)
        binding = next((check["check"] for check in checks if check["binding"]), None)
        waits = decision.until is not None or binding in _TIMELY
        found[decision.graph_id] = {"checks": checks, "earlier": [*what_if.sentences(one, decision)] if waits else []}
    return found


def state_of(history: History) -> dict[str, Any]:
    """What the journal holds, for `status`."""
    return {
        "releases": [
            {"version": version.text, "first_seen": iso(at), "withdrawn": version in history.releases.withdrawn}
            for version, (_, at) in sorted(history.releases.known.items())
        ],
        "pauses": [
            {"rule": rule, "graph_id": graph_id, "since": iso(pause.at), "reason": pause.reason}
            for (rule, graph_id), pause in history.controls.pauses.items()
        ],
        "approvals": [
            {"version": version.text, "rule": rule, "graph_id": graph_id, "at": iso(at)}
            for (version, rule, graph_id), at in history.controls.approvals().items()
        ],
        "failures": [
            {"rule": rule, "version": version.text, "failures": times}
            for (rule, version), times in history.attempts.failure_counts().items()
        ],
        "untold": history.outbox.pending_ids(),
    }


def _settled(survey: Survey, one: Governed, decision: Decision) -> dict[str, Any] | None:
    """The one check of a graph about which everything is clear before any release is looked at."""
    attempt = survey.history.attempts.open_of(one.graph.key)
    backup = survey.history.backups.open_of(one.graph.key)
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


def _checks(survey: Survey, known: list[Sight], what_if: WhatIf, one: Governed, decision: Decision) -> list[dict[str, Any]]:
    assert one.rule is not None
    stage = survey.stages[one.rule.name]
    offered = stage.offer(one.graph)
    release = "; ".join([_chosen(known, decision, offered), *passed_over(survey, known, one, offered)])
    rule = _check("rule", None, f"{one.rule.name}, which governs {stage.governs}")
    if offered.nothing is not None:
        return [_check("release", Hold(decision.action, offered.nothing), release, binding=True), rule]
    case = survey.case(one, offered.choices[0])
    holds = {name: gate(case) for name, gate in GATES.items()}
    held = {name: hold for name, hold in holds.items() if hold is not None}
    binding = _binding(decision, held, _expires(survey, case), lambda: what_if.starts(one)) if held else None
    checks = [_check("release", None, release), rule]
    for name, hold in holds.items():
        value = VALUES[name](survey, case)
        if value is not None:
            checks.append(_check(name, hold, value, name == binding))
    if binding == "expiry":
        checks.append(_check("expiry", Hold(decision.action, decision.reason), _expiry(survey, one, offered), binding=True))
    full = Hold(decision.action, decision.reason) if decision.reason is Reason.MAX_CONCURRENT else None
    checks.append(_check("budget", full, survey.budget.value(one.rule, case.choice.release.version), full is not None))
    return checks


def _check(name: str, hold: Hold | None, value: str, binding: bool = False) -> dict[str, Any]:
    until = ceiled(hold.until) if hold and hold.until else None
    return {"check": name, "holds": hold is not None, "value": value, "until": until, "binding": binding}


def _binding(decision: Decision, held: dict[str, Hold], expires: bool, starts: Callable[[], dict[str, datetime]]) -> str:
    """What decides, of the gates that hold.

    The first that time does not lift; else that the release does not last until all agree; else the gate without which
    the start would be the earliest; and where no change of one helps, the one that holds the longest.
    """
    untils = {name: hold.until for name, hold in held.items() if hold.until is not None}
    lasting = [name for name in held if name not in untils]
    if lasting:
        return lasting[0]
    if decision.until is None and expires:
        return "expiry"
    without = starts() if decision.until is not None else {}
    helped = {name: start for name, start in without.items() if name in held and decision.until and start < decision.until}
    return min(helped, key=helped.__getitem__) if helped else max(untils, key=untils.__getitem__)


def _expires(survey: Survey, case: Case) -> bool:
    """Whether the gates agree at some time, and the case is another one by then."""
    start = agreed(survey, case)
    return start is not None and start >= case.ends


def _expiry(survey: Survey, one: Governed, offered: Offer) -> str:
    """For each release in its turn, why it is not started before its time is over."""
    parts = []
    for choice, following in zip(offered.choices, [*offered.choices[1:], None]):
        version = choice.release.version
        if following is not None and following.release.version == version:
            continue  # its time goes on
        case = survey.case(one, choice)
        start = agreed(survey, case)
        if start is not None:
            end = f"{ceiled(case.ends)} ({_end(case, following)})"
            parts.append(f"{version} could start only before {end}, and all else agrees at {ceiled(start)}")
        else:
            holding = next((name for name, gate in GATES.items() if (hold := gate(case)) and hold.until is None), "window")
            parts.append(f"{version} is held by {holding}")
    return "; ".join(parts)


def _end(case: Case, following: Choice | None) -> str:
    if case.ends < case.choice.ends:
        return "when its approval lapses"
    if following is None or case.ends == case.choice.release.not_after:
        return "its not_after"
    return f"when {following.release.version} takes its place"


def _chosen(known: list[Sight], decision: Decision, offered: Offer) -> str:
    if not offered.choices:
        return "none to upgrade to" if known else "none is known"
    chosen = offered.choices[0].release.version
    later = decision.target if decision.target != chosen else None
    return f"{chosen} now, and {later} by the time of the start" if later else chosen.text
