"""What the windows of a rule leave of the time, in words. Pure."""

from __future__ import annotations

from datetime import timedelta

from ges_upgrader.domain.duration import spelled
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.schedule import windows

_MINUTE = timedelta(minutes=1)


def cutoff_of(step: Step) -> str:
    """The cutoff as it is; what `auto` comes to in whole minutes, rounded up."""
    auto = step.rule.cutoff.length is None
    return spelled(-(-step.cutoff // _MINUTE) * _MINUTE if auto else step.cutoff)


def why_never(survey: Survey, step: Step) -> str | None:
    """Why the windows let nothing start in sight; None: they do.

    A policy in which that is so is refused; yet freezes come nearer, and a cutoff that is `auto` grows with the upgrades.
    """
    never = windows.why_never(step.rule.windows, step.cutoff, survey.policy.frozen(step.rule.name), survey.now)
    if never is None:
        return None
    return {
        "cutoff": f"the cutoff of {cutoff_of(step)} is as long as the windows",
        "freezes": f"the freezes leave no time within {windows.HORIZON.days} days",
        "windows": f"no window opens within {windows.HORIZON.days} days",
    }[never]
