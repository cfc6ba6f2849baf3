"""What is allowed, and yet likely not meant: warnings about a policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from .durations import spelled
from .policy import Match, Policy, Rule
from .timers import firings
from .windows import Calendar

LOOK_AHEAD = timedelta(days=32)
LEAST_TIME, LEAST_WINDOW = timedelta(hours=48), timedelta(hours=4)


def warnings(policy: Policy, now: datetime) -> list[str]:
    """One sentence each, with the path of what it is about."""
    found = []
    for number, rule in enumerate(policy.rules):
        where = f"rules[{number}] ({rule.name})"
        found += [
            f"{where}: {text}"
            for text in (
                *_shadowed(policy, number),
                *_windows(policy, rule, now),
                *_idle(rule),
                *_limits(rule),
                *_forgotten(policy, rule),
            )
        ]
    return found


def _shadowed(policy: Policy, number: int) -> Iterator[str]:
    for earlier, rule in enumerate(policy.rules[:number]):
        if rule.match == Match():
            yield f"it never governs a graph, as rules[{earlier}] ({rule.name}) has no match and takes every graph before it"
            return


def _windows(policy: Policy, rule: Rule, now: datetime) -> Iterator[str]:
    if not rule.windows:
        return
    stretches = list(_stretches(Calendar(rule.windows, timedelta(), policy.frozen(rule.name), now), now))
    open_for = sum((end - begin for begin, end in stretches), timedelta())
    if open_for < LEAST_TIME:
        yield f"its windows are open for {spelled(open_for)} in the next 32 days, less than 48h: upgrades may be long in coming"
    short = min((window.length for window in rule.windows), default=LEAST_WINDOW)
    if short < LEAST_WINDOW:
        yield f"a window of {spelled(short)} is short: less than 4h leaves little room for retries and for graphs in a row"
    cutoff = (rule.cutoff and rule.cutoff.length) or timedelta()
    calendar = Calendar(rule.windows, cutoff, policy.frozen(rule.name), now)
    if policy.timers and not _met(calendar, policy, now):
        timers = ", ".join(timer.text for timer in policy.timers)
        yield f"none of the timers ({timers}) fires while a window is open, so that nothing would ever start"


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


def _forgotten(policy: Policy, rule: Rule) -> Iterator[str]:
    needed = {
        "min_release_age": bool(rule.min_release_age) and not policy.trust_released_at,
        "notice": bool(rule.notice),
        "soak": bool(rule.soak),
        "mode: approve": rule.mode == "approve",
    }
    names = [name for name, needs in needed.items() if needs]
    if names and policy.state.text == "none":
        yield f"{', '.join(names)}: with state: none this is forgotten between runs, so that it may never be fulfilled"


def _stretches(calendar: Calendar, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    after, end = now, now + LOOK_AHEAD
    while after < end:
        opening = calendar.first(after)
        if opening is None or opening.start >= end:
            return
        yield opening.start, min(opening.before, end)
        after = opening.before


def _met(calendar: Calendar, policy: Policy, now: datetime) -> bool:
    for at in firings(policy.timers, now, now + LOOK_AHEAD):
        opening = calendar.first(at)
        if opening is not None and opening.start <= at:
            return True
    return False
