"""What each gate looks at about a graph, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable

from ges_upgrader.diagnosis.openings import cutoff_of, why_never
from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.planning.gates import Case
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.freezes import Freeze
from ges_upgrader.schedule.calendars import FOREVER

MOST_NAMES = 5
UNLISTED = "; some project could not be listed as a whole"


def _pause(survey: Survey, case: Case) -> str:
    if not case.policy.enabled:
        return "the policy says enabled: false"
    pause = case.paused
    return f"since {iso(pause.at)}: {pause.reason or 'no reason given'}" if pause else "none"


def _count(survey: Survey, case: Case) -> str | None:
    most = case.rule.max_graphs
    if most is None:
        return None
    return f"{case.step.governs} of at most {most}{'' if survey.complete else UNLISTED}"


def _failures(survey: Survey, case: Case) -> str:
    version = case.choice.release.version
    failed = survey.failed(case.rule.name)[version]
    return f"{failed} of {survey.steps[case.rule.name].max_failures} at {version}"


def _refusal(survey: Survey, case: Case) -> str | None:
    refusal = case.history.attempts.refusals.get(case.graph.key)
    return f"{refusal.code}, {refusal.times} times, the last at {iso(refusal.at)}: {refusal.detail}" if refusal else None


def _age(survey: Survey, case: Case) -> str:
    release = case.choice.release
    age = spelled(case.rule.min_release_age.of(release.severity))
    words = f"{release.version} counts from {iso(case.choice.since)} and needs {age}"
    return f"{words}; not before {ceiled(release.not_before)}" if release.not_before else words


def _wave(survey: Survey, case: Case) -> str | None:
    if not case.rule.after:
        return None
    parts = (f"{name}: {_progress(survey.steps[name], case)}" for name in case.rule.after)
    return "; ".join(parts) + ("" if survey.complete else UNLISTED)


def _progress(step: Step, case: Case) -> str:
    """How far a rule that comes before is with the release."""
    version = case.choice.release.version
    if not step.governs:
        return "governs no graph, so it is not waited for"
    behind = step.behind(version)
    if not behind:
        return f"all {step.governs} run {version}, soaking {spelled(case.rule.soak)}"
    names = ", ".join(graph.name for graph in behind[:MOST_NAMES])
    return f"{len(behind)} of {step.governs} do not run {version}: {names}"


def _mode(survey: Survey, case: Case) -> str:
    return case.rule.mode


def _approval(survey: Survey, case: Case) -> str | None:
    if case.rule.mode != "approve":
        return None
    return f"expires {iso(case.approval_expires)}" if case.approval_expires else "none"


def _freeze(survey: Survey, case: Case) -> str | None:
    governing = [freeze for freeze in case.policy.freezes if freeze.holds(case.rule.name)]
    step = survey.steps[case.rule.name]
    if not governing:
        return None
    near = list(filter(None, (_frozen(freeze, step, case) for freeze in governing)))
    return "; ".join(near) or f"none of {len(governing)} now"


def _frozen(freeze: Freeze, step: Step, case: Case) -> str | None:
    """The freeze if it covers this instant, or begins within the cutoff."""
    covering = step.calendar_under([freeze]).frozen(case.now)
    if covering is None:
        return None
    begin, end = covering[0] + step.cutoff, covering[1]
    ahead = f", from {iso(begin)}, cutoff {cutoff_of(step)}" if case.now < begin else ""
    until = f"until {iso(end)}" if end < FOREVER else "with no end in sight"
    version = case.choice.release.version
    allowed = "" if freeze.holds(case.rule.name, version) else f", allows {version}"
    return f"{freeze.reason or 'no reason given'}{ahead}, {until}{allowed}"


def _window(survey: Survey, case: Case) -> str:
    if not case.rule.windows:
        return "always"
    step = survey.steps[case.rule.name]
    opening = case.opening(case.now)
    written = f"{' | '.join(window.text for window in case.rule.windows)}, cutoff {cutoff_of(step)}"
    if opening is None:
        return f"{written}: never, because {why_never(survey, step)}"
    return f"{written}: from {ceiled(opening.start)}, before {iso(opening.before)}"


def _notice(survey: Survey, case: Case) -> str | None:
    if not case.rule.notice:
        return None
    promise = case.history.outbox.promise(case.graph.id, case.choice.release.version)
    announced = promise.delivered_at if promise else None
    return f"{spelled(case.rule.notice)} before the start; announced {iso(announced) if announced else 'not yet'}"


def _backup(survey: Survey, case: Case) -> str | None:
    if case.rule.backup == "none":
        return None
    expires = case.backup_expires
    there = f"the last one known serves until {iso(expires)}" if expires else "none is known yet"
    failed = case.history.backups.refusals.get(case.graph.key)
    return "; ".join(["required", there, *([failed.detail] if failed else [])])


# By the gate. None: the rule does not have it.
GATE_TEXTS: dict[str, Callable[[Survey, Case], str | None]] = {
    "pause": _pause,
    "count": _count,
    "failures": _failures,
    "status": lambda _, case: case.graph.status.code or "unknown",
    "refusal": _refusal,
    "age": _age,
    "wave": _wave,
    "mode": _mode,
    "approval": _approval,
    "freeze": _freeze,
    "window": _window,
    "notice": _notice,
    "backup": _backup,
}
