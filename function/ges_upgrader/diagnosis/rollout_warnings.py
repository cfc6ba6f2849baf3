"""What keeps a rule from its releases, though each of its fields is allowed: waves, approvals, announced times. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, pairwise

from ges_upgrader.diagnosis.openings import stretches
from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.domain.version import Version
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.fields import Versions
from ges_upgrader.policy.schema import Rule
from ges_upgrader.schedule.windows import HORIZON

_SOME_OPENINGS = 60
_SOME_RELEASES = 3


def rollout_warnings(survey: Survey, step: Step) -> Iterator[str]:
    yield from _approvals(survey, step)
    yield from _expiring(survey, step)
    for name in step.rule.after:
        yield from _wave(survey, step, survey.steps[name])
    if step.rule.force.after is not None and step.rule.max_failures.text == 1:
        yield (
            f"force after {spelled(step.rule.force.after)} never comes, as max_failures is 1: the attempt that timed out halts "
            "the rule first; write max_failures: 2 or more"
        )


def _approvals(survey: Survey, step: Step) -> Iterator[str]:
    rule = step.rule
    if rule.mode != "approve" or not rule.windows:
        return
    openings = islice(stretches(step.calendar, survey.now, HORIZON), _SOME_OPENINGS)
    gap = max((later[0] - earlier[1] for earlier, later in pairwise(openings)), default=timedelta())
    if gap > rule.approval_lifetime:
        yield (
            f"approval_lifetime {spelled(rule.approval_lifetime)} is shorter than the time between its windows, up to "
            f"{gap.days}d: an approval may expire before a window opens"
        )


def _expiring(survey: Survey, step: Step) -> Iterator[str]:
    """Releases that may start only up to an instant before the next window."""
    opening = step.calendar.first(survey.now)
    for known in survey.known[:_SOME_RELEASES]:
        ends = [one.release.not_after for one in known.announcements if one.release.not_after is not None]
        end = min((end for end in ends if end > survey.now), default=None)
        if end is None or not _allowed(step.rule, known.version):
            continue
        if opening is None or opening.start >= end:
            when = f"its next window opens at {iso(opening.start)}" if opening else "no window of it opens before"
            yield f"{known.version.text} may start only before {iso(end)} (not_after), and {when}"


def _wave(survey: Survey, step: Step, before: Step) -> Iterator[str]:
    """What a rule that is waited for will never bring."""
    rule, other = step.rule, before.rule
    if other.mode == "notify":
        yield f"it waits for {other.name}, whose mode is notify: its graphs reach a version only if they are upgraded by hand"
    if other.versions is None:
        return
    target = next((known.version for known in survey.known if _allowed(rule, known.version)), None)
    if _never_both(rule.versions, other.versions):
        yield f"it waits for {other.name}, whose versions ({other.versions.text}) allow none that its own allow"
    elif target is not None and not _allowed(other, target) and (before.behind(target) or not survey.governed):
        yield f"it waits for {other.name} to run {target.text}, which the versions of that ({other.versions.text}) never allow"


def _allowed(rule: Rule, version: Version) -> bool:
    return rule.versions is None or rule.versions.allow(version)


def _never_both(one: Versions | None, other: Versions) -> bool:
    if one is None:
        return False
    try:
        Versions(f"{one.text},{other.text}")
    except ValueError:
        return True
    return False
