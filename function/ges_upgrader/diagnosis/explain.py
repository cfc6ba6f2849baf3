"""Why: every gate of a graph with its value in words and which of them decides; and what would make its start earlier. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ges_upgrader.diagnosis.counterfactuals import Counterfactuals
from ges_upgrader.diagnosis.gate_texts import GATE_TEXTS
from ges_upgrader.diagnosis.rejected_releases import rejected_releases
from ges_upgrader.domain.model import Decision, GraphKey, Reason
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.history.history import History
from ges_upgrader.planning.gates import GATES, Case
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.planner import Plan, all_pass_at, case_of
from ges_upgrader.planning.releases import Choice, Offer
from ges_upgrader.planning.survey import Block, Survey

# What may decide and is still a matter of time, at least under another policy.
_TIMELY = ("age", "freeze", "window", "notice", "expiry")


def explain(survey: Survey, plan: Plan) -> dict[GraphKey, dict[str, Any]]:
    """For each graph, `checks` and `earlier`."""
    explained = explainer(survey, plan)
    return {decision.key: explained(decision.key) for decision in plan.decisions}


def explainer(survey: Survey, plan: Plan) -> Callable[[GraphKey], dict[str, Any]]:
    """What gives the `checks` and `earlier` of one graph; nothing for a graph that is not in the plan.

    A check has its name, whether it blocks, its value in words, until when it blocks, and whether it is the one that decides
    (`binding`). `earlier` are sentences on what a change of the policy would give.
    """
    counterfactuals = Counterfactuals(survey, plan.decisions)
    decided = {decision.key: (one, decision) for one, decision in zip(survey.governed, plan.decisions)}

    def explained(key: GraphKey) -> dict[str, Any]:
        if key not in decided:
            return {}
        one, decision = decided[key]
        settled = _settled(survey, one, decision)
        checks = [settled] if settled is not None else _checks(survey, plan, counterfactuals, one, decision)
        binding = next((check["check"] for check in checks if check["binding"]), None)
        waits = decision.until is not None or binding in _TIMELY
        return {"checks": checks, "earlier": [*counterfactuals.sentences(one, decision)] if waits else []}

    return explained


def state_of(history: History) -> dict[str, Any]:
    """What the journal holds, for `status`."""
    releases = history.releases
    return {
        "releases": [
            {
                "version": version.text,
                "first_seen": iso(first_seen),
                "withdrawn": version in releases.withdrawn,
                "questioned": version in releases.questioned,
            }
            for version in sorted(releases.known)
            if (first_seen := releases.first_seen(version)) is not None
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
        "undelivered": history.outbox.pending_ids(),
    }


def _settled(survey: Survey, one: Governed, decision: Decision) -> dict[str, Any] | None:
    """The one check of a graph whose releases need no look."""
    attempt, backup = survey.history.attempts.open_of(one.graph.key), survey.history.backups.open_of(one.graph.key)
    if attempt is not None:
        name, value = "attempt", f"to {attempt.to_version}, since {iso(attempt.began_at)}, job {attempt.job_id or 'unknown'}"
    elif one.opted_out:
        name, value = "opt-out", "the graph's own tag ges-upgrader=off"
    elif one.rule is None:
        name, value = "rule", "none matches"
    elif one.graph.status.in_flight:
        name, value = "status", f"{one.graph.status.code}: an upgrade or its rollback, begun outside this tool"
    elif backup is not None:
        name, value = "backup", f"since {iso(backup.began_at)}, job {backup.job_id or 'unknown'}"
    elif not survey.history.readable:
        name, value = "state", "the journal cannot be read or written"
    elif decision.reason is Reason.STATE_UNAVAILABLE:
        name, value = "state", "a record of the journal that is about it cannot be understood; see the errors"
    elif one.graph.version is None:
        name, value = "version", "GES shows no version of the graph, or none that can be read"
    else:
        return None
    return _check(name, Block(decision.action, decision.reason), value, binding=True)


def _checks(
    survey: Survey, plan: Plan, counterfactuals: Counterfactuals, one: Governed, decision: Decision
) -> list[dict[str, Any]]:
    assert one.rule is not None
    step = survey.steps[one.rule.name]
    offered = step.offer(one.graph)
    release = "; ".join([_chosen(survey, decision, offered), *rejected_releases(survey, one, offered)])
    rule = _check("rule", None, f"{one.rule.name}, which governs {step.governs}")
    if offered.nothing is not None:
        return [_check("release", Block(decision.action, offered.nothing), release, binding=True), rule]
    case = case_of(survey, one, offered.choices[0])
    answers = {name: gate(case) for name, gate in GATES.items()}
    blocks = {name: block for name, block in answers.items() if block is not None}
    binding = _binding(decision, blocks, _expires(survey, case), lambda: counterfactuals.starts(one)) if blocks else None
    checks = [_check("release", None, release), rule]
    for name, block in answers.items():
        value = GATE_TEXTS[name](survey, case)
        if value is not None:
            checks.append(_check(name, block, value, name == binding))
    if binding == "expiry":
        checks.append(_check("expiry", Block(decision.action, decision.reason), _expiry(survey, one, offered), binding=True))
    full = Block(decision.action, decision.reason) if decision.reason is Reason.MAX_CONCURRENT else None
    checks.append(_check("budget", full, plan.budget.text(one.rule, case.choice.release.version), full is not None))
    return checks


def _check(name: str, block: Block | None, value: str, binding: bool = False) -> dict[str, Any]:
    until = ceiled(block.until) if block and block.until else None
    return {"check": name, "blocks": block is not None, "value": value, "until": until, "binding": binding}


def _binding(decision: Decision, blocks: dict[str, Block], expires: bool, starts: Callable[[], dict[str, datetime]]) -> str:
    """Which of the gates that block decides.

    The first that time does not open; else that the release does not last until all pass; else the gate without which the
    start would be the earliest; and if no change of one helps, the one that blocks the longest.
    """
    untils = {name: block.until for name, block in blocks.items() if block.until is not None}
    lasting = [name for name in blocks if name not in untils]
    if lasting:
        return lasting[0]
    if decision.until is None and expires:
        return "expiry"
    helped = _earlier(decision.until, blocks, starts) if decision.until is not None else {}
    return min(helped, key=helped.__getitem__) if helped else max(untils, key=untils.__getitem__)


def _earlier(until: datetime, blocks: dict[str, Block], starts: Callable[[], dict[str, datetime]]) -> dict[str, datetime]:
    """The starts that would come before `until` without one of the gates that block."""
    return {name: start for name, start in starts().items() if name in blocks and start < until}


def _expires(survey: Survey, case: Case) -> bool:
    """Whether all gates pass at some time, and the case is another one by then."""
    start = all_pass_at(survey, case)
    return start is not None and start >= case.ends


def _expiry(survey: Survey, one: Governed, offered: Offer) -> str:
    """For each release in its turn, why it is not started before its time is over."""
    parts = []
    for choice, following in zip(offered.choices, [*offered.choices[1:], None]):
        version = choice.release.version
        if following is not None and following.release.version == version:
            continue  # its time continues
        case = case_of(survey, one, choice)
        start = all_pass_at(survey, case)
        if start is not None:
            end = f"{ceiled(case.ends)} ({_end(case, following)})"
            parts.append(f"{version} could start only before {end}, and all else passes at {ceiled(start)}")
        else:
            blocking = next((name for name, gate in GATES.items() if (block := gate(case)) and block.until is None), "window")
            parts.append(f"{version} is blocked by {blocking}")
    return "; ".join(parts)


def _end(case: Case, following: Choice | None) -> str:
    if case.ends < case.choice.ends:
        return "when its approval expires"
    if following is None or case.ends == case.choice.release.not_after:
        return "its not_after"
    return f"when {following.release.version} takes its place"


def _chosen(survey: Survey, decision: Decision, offered: Offer) -> str:
    if not offered.choices:
        return "none to upgrade to" if survey.all_known else "none is known"
    chosen = offered.choices[0].release.version
    later = decision.target if decision.target != chosen else None
    return f"{chosen} now, and {later} by the time of the start" if later else chosen.text
