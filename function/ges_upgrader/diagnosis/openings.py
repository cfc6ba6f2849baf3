"""What the windows of a rule leave of the time, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ges_upgrader.domain.duration import spelled
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import Rule
from ges_upgrader.schedule import calendars
from ges_upgrader.schedule.windows import HORIZON

_MINUTE = timedelta(minutes=1)


def cutoff_of(step: Step) -> str:
    """The cutoff as it is; what `auto` comes to in whole minutes, rounded up."""
    auto = step.rule.cutoff.length is None
    return spelled(-(-step.cutoff // _MINUTE) * _MINUTE if auto else step.cutoff)


def why_never(survey: Survey, step: Step) -> str | None:
    """Why the windows let nothing start in sight; None: they do."""
    rule, freezes = step.rule, [freeze.held for freeze in survey.policy.freezes_of(step.rule.name)]
    never = calendars.why_never(rule.windows, step.cutoff, freezes, survey.now)
    if never is None:
        return None
    if never == "cutoff" and _last(rule, survey.now):
        return f"the last window is within its cutoff of {cutoff_of(step)}, and no other opens within {HORIZON.days} days"
    return {
        "cutoff": f"the cutoff of {cutoff_of(step)} is as long as the windows",
        "freezes": f"the freezes leave no time within {HORIZON.days} days",
        "windows": f"no window opens within {HORIZON.days} days",
    }[never]


def _last(rule: Rule, now: datetime) -> bool:
    """Whether a window is open that no other follows in sight."""
    calendar = calendars.Calendar(rule.windows, timedelta(), (), now)
    current = calendar.first(now)
    return current is not None and current.start == now and calendar.first(current.before) is None


def stretches(calendar: calendars.Calendar, now: datetime, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The times within that length from now in which something may start."""
    after, end = now, now + length
    while after < end:
        opening = calendar.first(after)
        if opening is None or opening.start >= end:
            return
        yield opening.start, min(opening.before, end)
        after = opening.before
