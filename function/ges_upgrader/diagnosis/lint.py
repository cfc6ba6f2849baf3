"""What is allowed, and yet likely not meant: warnings about a policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from ges_upgrader.diagnosis.openings import why_never
from ges_upgrader.domain.duration import spelled
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import Match, Policy, Rule
from ges_upgrader.schedule.windows import HORIZON, Calendar

LOOK_AHEAD = timedelta(days=32)
LEAST_TIME, LEAST_WINDOW = timedelta(hours=48), timedelta(hours=4)
_MINUTE = timedelta(minutes=1)
MOST_OPENINGS = 1000  # as many as a rule has within the horizon, unless its windows open many times a day


def warnings(survey: Survey) -> list[str]:
    """One sentence each, with the path of what it is about."""
    found = [*_stateless(survey.policy)]
    for number, rule in enumerate(survey.policy.rules):
        where, step = f"rules[{number}] ({rule.name})", survey.steps[rule.name]
        texts = (
            *_governing(survey, number),
            *_windows(survey, step),
            *_unnamed(survey, number),
            *_idle(rule),
            *_limits(rule),
        )
        found += [f"{where}: {text}" for text in texts]
    return found


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


def _windows(survey: Survey, step: Step) -> Iterator[str]:
    rule, now = step.rule, survey.now
    never = why_never(survey, step)
    if not rule.windows:
        if never is not None:
            yield f"nothing can start: {never}"
        return
    windows = Calendar(rule.windows, timedelta(), survey.policy.frozen(rule.name), now)
    open_for = sum((end - begin for begin, end in _stretches(windows, now, LOOK_AHEAD)), timedelta())
    if open_for < LEAST_TIME:
        yield f"its windows are open for {spelled(open_for)} in the next 32 days, less than 48h: upgrades may be long in coming"
    short = min((window.length for window in rule.windows), default=LEAST_WINDOW)
    if short < LEAST_WINDOW:
        yield f"a window of {spelled(short)} is short: less than 4h leaves little room for retries and for graphs in a row"
    if never is None:
        yield from _timers(survey, step)
    else:
        auto = rule.cutoff.length is None and "cutoff" in never
        yield f"nothing can start: {never}" + (" (auto: 90% of the fleet's own upgrades took no longer)" if auto else "")


def _timers(survey: Survey, step: Step) -> Iterator[str]:
    timers = survey.policy.timers
    if not timers:
        return
    openings = list(islice(_stretches(step.calendar, survey.now, HORIZON), MOST_OPENINGS))
    met = any(timer.meets(begin, end) for begin, end in openings for timer in timers)
    if met or len(openings) == MOST_OPENINGS:
        return
    written, rates = ", ".join(timer.text for timer in timers), ", ".join(timer.text for timer in timers if timer.every)
    if rates:
        longest = max(end - begin for begin, end in openings) // _MINUTE * _MINUTE
        yield (
            f"the timers ({written}) may miss its windows, so that nothing would ever start: a window lets things start for "
            f"{spelled(longest)} at the longest, and nobody knows from when on a rate ({rates}) counts"
        )
    else:
        yield (
            f"none of the timers ({written}) fires while a window lets anything start, so that nothing ever does, "
            "unless a run lasts until one opens"
        )


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
            "where the list changes; give it a name"
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
            f"max_failures {failures} lets only {failures} of max_concurrent {concurrent} be under way at once, "
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


def _stretches(calendar: Calendar, now: datetime, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The times within that length from now in which something may start."""
    after, end = now, now + length
    while after < end:
        opening = calendar.first(after)
        if opening is None or opening.start >= end:
            return
        yield opening.start, min(opening.before, end)
        after = opening.before
