"""What is allowed, and yet likely not meant: warnings about a policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ges_upgrader.diagnosis.calendar_warnings import policy_warnings, rule_warnings
from ges_upgrader.diagnosis.rollout_warnings import rollout_warnings
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.schema import Match, Policy, Rule


def warnings(survey: Survey) -> list[str]:
    """One sentence each, with the path of what it is about."""
    found = [*_stateless(survey.policy)]
    for number, rule in enumerate(survey.policy.rules):
        where, step = f"rules[{number}] ({rule.name})", survey.steps[rule.name]
        texts = (
            *_governing(survey, number),
            *rule_warnings(survey, step),
            *_unnamed(survey, number),
            *_idle(rule),
            *_limits(rule),
            *rollout_warnings(survey, step),
        )
        found += [f"{where}: {text}" for text in texts]
    return [*found, *policy_warnings(survey)]


def _governing(survey: Survey, number: int) -> Iterator[str]:
    """Where a rule governs no graph, why, and which rules would have waited for it.

    Of a fleet that was not seen as a whole only what the policy itself says: what was not seen may well match.
    """
    rules = survey.policy.rules
    later = [rule.name for rule in rules if rules[number].name in rule.after]
    so = f", so {', '.join(later)} {'do' if len(later) > 1 else 'does'} not wait for it" if later else ""
    for earlier, rule in enumerate(rules[:number]):
        if rule.match == Match():
            taker = f"rules[{earlier}] ({rule.name})"
            yield f"it never governs a graph, as {taker} has no match and takes every graph before it{so}"
            return
    if survey.governed and survey.complete and not survey.steps[rules[number].name].governs:
        yield f"it governs no graph, as none matches it that no rule before it governs and that has not opted out{so}"


def _unnamed(survey: Survey, number: int) -> Iterator[str]:
    """Where what people said of a rule is kept under its place in the list."""
    rules, history = survey.policy.rules, survey.history
    rule = rules[number]
    if rule.name != f"rule-{number + 1}" or len(rules) == 1:
        return
    kept = (
        {name for _, name, _ in history.controls.approvals()}
        | {name for name, _ in history.controls.pauses}
        | {name for name, _ in history.attempts.failure_counts()}
    )
    if rule.mode == "approve" or rule.name in kept:
        yield (
            "its name is only its place in the list: what is approved, paused or halted under it passes to another rule "
            "if the list changes; give it a name"
        )


def _idle(rule: Rule) -> Iterator[str]:
    if rule.soak and not rule.after:
        yield "soak does nothing without after, which names the rules whose graphs must have run the version for that long"
    if rule.spread and not rule.windows:
        yield "spread does nothing without windows, within which it spreads the starts"


def _limits(rule: Rule) -> Iterator[str]:
    concurrent, failures = rule.max_concurrent.text, rule.max_failures.text
    if isinstance(concurrent, int) and isinstance(failures, int) and failures < concurrent:
        yield (
            f"max_failures {failures} lets only {failures} of max_concurrent {concurrent} be in progress at once, "
            "as each could be the failure"
        )


def _stateless(policy: Policy) -> Iterator[str]:
    if policy.state.text != "none" or not policy.state.given:
        return
    yield "state: none keeps nothing: releases, approvals, pauses and failures are forgotten when the function's instance ends"
    for number, rule in enumerate(policy.rules):
        fields = policy.needing_memory(rule)
        if fields:
            yield (
                f"rules[{number}] ({rule.name}): {', '.join(fields)}: with state: none this is forgotten between runs, "
                "so that it may never be fulfilled"
            )
