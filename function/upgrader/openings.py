"""What the windows of a rule leave of the time, in words. Pure."""

from __future__ import annotations

from datetime import timedelta

from .durations import spelled
from .planner import Step, Survey
from .windows import HORIZON, Calendar

_MINUTE = timedelta(minutes=1)


def cutoff_of(step: Step) -> str:
    """The cutoff as it is; what `auto` comes to in whole minutes, rounded up."""
    auto = step.rule.cutoff is not None and step.rule.cutoff.length is None
    return spelled(-(-step.cutoff // _MINUTE) * _MINUTE if auto else step.cutoff)


def why_never(survey: Survey, step: Step) -> str | None:
    """Why the windows let nothing start in sight; None: they do.

    A policy in which that is so is refused; yet freezes come nearer, and a cutoff that is `auto` grows with the upgrades.
    """
    if step.calendar.first(survey.now) is not None:
        return None
    windows, frozen = step.rule.windows, survey.policy.frozen(step.rule.name)
    if Calendar(windows, timedelta(), frozen, survey.now).first(survey.now) is not None:
        return f"the cutoff of {cutoff_of(step)} is as long as the windows"
    if Calendar(windows, step.cutoff, (), survey.now).first(survey.now) is not None:
        return f"the freezes leave no time within {HORIZON.days} days"
    return f"no window opens within {HORIZON.days} days"
