"""Why: every gate of a graph with its value in words and which of them decides; and what would make its start earlier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
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

_MOST_TURNS = 10  # of releases, whose missed starts are listed: freezes may give them the one after the other
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
    return {
        "releases": list(_releases(history)),
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


def _releases(history: History) -> Iterator[dict[str, Any]]:
    releases = history.releases
    for version in sorted(releases.known):
        first_seen = releases.first_seen(version)
        if first_seen is not None:
            yield {
                "version": version.text,
                "first_seen": iso(first_seen),
                "withdrawn": version in releases.withdrawn,
                "questioned": version in releases.questioned,
            }


def _settled(survey: Survey, one: Governed, decision: Decision) -> dict[str, Any] | None:
    """The one check of a graph whose releases need no look."""
    for name, words in _SETTLING:
        value = words(survey, one, decision)
        if value is not None:
            return _check(name, Block(decision.action, decision.reason), value, binding=True)
    return None


def _attempt(survey: Survey, one: Governed, decision: Decision) -> str | None:
    attempt = survey.history.attempts.open_of(one.graph.key)
    if attempt is None:
        return None
    return f"to {attempt.to_version}, since {iso(attempt.began_at)}, job {attempt.job_id or 'unknown'}"


def _opt_out(survey: Survey, one: Governed, decision: Decision) -> str | None:
    return "the graph's own tag ges-upgrader=off" if one.opted_out else None


def _no_rule(survey: Survey, one: Governed, decision: Decision) -> str | None:
    return "none matches" if one.rule is None else None


def _in_flight(survey: Survey, one: Governed, decision: Decision) -> str | None:
    status = one.graph.status
    return f"{status.code}: an upgrade or its rollback, begun outside this tool" if status.in_flight else None


def _backup(survey: Survey, one: Governed, decision: Decision) -> str | None:
    backup = survey.history.backups.open_of(one.graph.key)
    return None if backup is None else f"since {iso(backup.began_at)}, job {backup.job_id or 'unknown'}"


def _state(survey: Survey, one: Governed, decision: Decision) -> str | None:
    if not survey.history.readable:
        return "the journal cannot be read or written"
    damaged = decision.reason is Reason.STATE_UNAVAILABLE
    return "a record of the journal that is about it cannot be understood; see the errors" if damaged else None


def _no_version(survey: Survey, one: Governed, decision: Decision) -> str | None:
    return "GES shows no version of the graph, or none that can be read" if one.graph.version is None else None


# What settles a graph before its releases are looked at, in the planner's order: the check, and its value if it applies.
_SETTLING: tuple[tuple[str, Callable[[Survey, Governed, Decision], str | None]], ...] = (
    ("attempt", _attempt),
    ("opt-out", _opt_out),
    ("rule", _no_rule),
    ("status", _in_flight),
    ("backup", _backup),
    ("state", _state),
    ("version", _no_version),
)


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
    blocks = {name: block for name, gate in GATES.items() if (block := gate(case)) is not None}
    binding = _binding(decision, blocks, _expires(case), lambda: counterfactuals.starts(one)) if blocks else None
    return [
        _check("release", None, release),
        rule,
        *_gate_checks(survey, case, blocks, binding),
        *([_expiry_check(survey, one, offered, decision)] if binding == "expiry" else []),
        _budget_check(plan, case, decision),
    ]


def _gate_checks(survey: Survey, case: Case, blocks: Mapping[str, Block], binding: str | None) -> Iterator[dict[str, Any]]:
    for name in GATES:
        value = GATE_TEXTS[name](survey, case)
        if value is not None:
            yield _check(name, blocks.get(name), value, name == binding)


def _expiry_check(survey: Survey, one: Governed, offered: Offer, decision: Decision) -> dict[str, Any]:
    return _check("expiry", Block(decision.action, decision.reason), _expiry(survey, one, offered), binding=True)


def _budget_check(plan: Plan, case: Case, decision: Decision) -> dict[str, Any]:
    full = decision.reason is Reason.MAX_CONCURRENT
    text = plan.budget.text(case.rule, case.choice.release.version)
    return _check("budget", Block(decision.action, decision.reason) if full else None, text, full)


def _check(name: str, block: Block | None, value: str, binding: bool = False) -> dict[str, Any]:
    until = ceiled(block.until) if block and block.until else None
    return {"check": name, "blocks": block is not None, "value": value, "until": until, "binding": binding}


def _binding(decision: Decision, blocks: dict[str, Block], expires: bool, starts: Callable[[], dict[str, datetime]]) -> str:
    """Which of the gates that block decides.

    The first that time does not open; else that the release does not last until all pass; else the gate without which the
    start would be the earliest; and if no change of one helps, the one that blocks the longest.
    """
    lasting = next((name for name, block in blocks.items() if block.until is None), None)
    if lasting is not None:
        return lasting
    if decision.until is None:
        return "expiry" if expires else _longest(blocks)
    return _most_helpful(decision.until, blocks, starts()) or _longest(blocks)


def _longest(blocks: Mapping[str, Block]) -> str:
    """The gate that blocks the longest. All of them open by time alone."""
    untils = {name: block.until for name, block in blocks.items() if block.until is not None}
    return max(untils, key=untils.__getitem__)


def _most_helpful(until: datetime, blocks: Mapping[str, Block], starts: Mapping[str, datetime]) -> str | None:
    """The gate among those that block without which the start would be the earliest, if that is before `until`."""
    earlier = {name: start for name, start in starts.items() if name in blocks and start < until}
    return min(earlier, key=earlier.__getitem__, default=None)


def _expires(case: Case) -> bool:
    """Whether all gates pass at some time, and the case is another one by then."""
    start = all_pass_at(case)
    return start is not None and start >= case.ends


def _expiry(survey: Survey, one: Governed, offered: Offer) -> str:
    """For each release in its turn, why it is not started before its time is over."""
    turns = zip(offered.choices, [*offered.choices[1:], None])
    ending = islice(((choice, following) for choice, following in turns if _ends(choice, following)), _MOST_TURNS)
    return "; ".join(_missed(case_of(survey, one, choice), following) for choice, following in ending)


def _ends(choice: Choice, following: Choice | None) -> bool:
    """Whether the time of a release ends with the choice, and does not continue in the following one."""
    return following is None or following.release.version != choice.release.version


def _missed(case: Case, following: Choice | None) -> str:
    version, start = case.choice.release.version, all_pass_at(case)
    if start is None:
        return f"{version} is blocked by {_lasting_gate(case)}"
    end = f"{ceiled(case.ends)} ({_end(case, following)})"
    return f"{version} could start only before {end}, and all else passes at {ceiled(start)}"


def _lasting_gate(case: Case) -> str:
    """The first gate that no time opens; if there is none, the windows leave no time."""
    return next((name for name, gate in GATES.items() if (block := gate(case)) and block.until is None), "window")


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
