"""The gates: each answers one question about one graph and one release. May it be upgraded, or what blocks it? Pure.

Their order is the policy of the product: the first that blocks gives the reason. A block that time ends says until when.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Action, Attempt, Graph, Reason, Verdict
from ges_upgrader.domain.timestamps import LONG_AGO
from ges_upgrader.history.attempts import Refusal
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Paused
from ges_upgrader.planning.releases import Choice
from ges_upgrader.planning.survey import Block, Step
from ges_upgrader.policy.schema import Policy, Rule
from ges_upgrader.schedule.calendars import FOREVER, Calendar, Opening

_FIRST_PAUSE, _FIRST_SLOW_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=6)

# GES's words for "not now" (ges.md 5.2); every other refusal needs a person, and may yet pass.
NOT_NOW = {
    "GES.7001": Reason.NOT_RUNNING,
    "GES.7002": Reason.BACKING_UP,
    "GES.7003": Reason.NOT_RUNNING,
    "GES.7042": Reason.NOT_RUNNING,
}

UNHEALTHY_BEFORE = "unhealthy-before"  # the code of a start that was not made, as the graph fails its health check

_PASSING = ("GES.7004", "GES.7005", "GES.7006", "GES.7051", "GES.9999", "APIGW.0201", "APIGW.0308")


class Case(msgspec.Struct, frozen=True):
    """One graph and one release before the gates. `place` is the graph's in the spread."""

    graph: Graph
    choice: Choice
    step: Step
    policy: Policy
    history: History
    place: float
    now: datetime

    @property
    def rule(self) -> Rule:
        return self.step.rule

    @property
    def calendar(self) -> Calendar:
        return self.step.calendar_of(self.choice.release.version)

    def opening(self, after: datetime) -> Opening | None:
        """The first time, not before `after`, that windows and freezes leave for the start."""
        return self.step.opening(self.choice.release.version, after, self.place)

    @property
    def paused(self) -> Paused | None:
        """The pause that blocks the graph. The pause of a removed rule blocks every graph."""
        if not self.history.controls.pauses:
            return None
        return self.history.controls.paused(self.rule.name, self.graph.id) or self.step.orphaned

    @property
    def approval_expires(self) -> datetime | None:
        approved = self.history.controls.approved_at(self.choice.release.version, self.rule.name, self.graph.id)
        return approved + self.rule.approval_lifetime if approved else None

    @property
    def backup_expires(self) -> datetime | None:
        """Until when a backup that exists will do."""
        backup = self.history.backups.latest_of(self.graph.key)
        return backup + self.rule.backup_max_age if backup else None

    @property
    def forced_from(self) -> datetime | None:
        """From when on a start interrupts running work: always, or so long after attempts that waited for it in vain."""
        force = self.rule.force
        if force.after is None:
            return LONG_AGO if force.always else None
        in_vain = filter(waited_in_vain, self.history.attempts.ended_of(self.graph.key))
        return min((one.began_at + force.after for one in in_vain if one.from_version == self.graph.version), default=None)

    @property
    def ends(self) -> datetime:
        """From this instant on a start would be another case."""
        expires = self.approval_expires if self.rule.mode == "approve" else None
        return min(self.choice.ends, expires or self.choice.ends)


def waited_in_vain(attempt: Attempt) -> bool:
    """Whether it took too long and did not get through."""
    return attempt.timed_out and attempt.verdict not in (Verdict.SUCCEEDED, Verdict.UNHEALTHY)


Gate = Callable[[Case], "Block | None"]


def paused_gate(case: Case) -> Block | None:
    if case.policy.enabled and not case.paused:
        return None
    return Block(Action.BLOCKED, Reason.PAUSED)


def mode_gate(case: Case) -> Block | None:
    return Block(Action.SKIP, Reason.NOTIFY_ONLY) if case.rule.mode == "notify" else None


def count_gate(case: Case) -> Block | None:
    """If the fleet could not be listed as a whole, the number of graphs is unknown, and the gate blocks."""
    most = case.rule.max_graphs
    return Block(Action.BLOCKED, Reason.TOO_MANY) if most is not None and not case.step.governs_at_most(most) else None


def failures_gate(case: Case) -> Block | None:
    """A graph whose upgrade failed is not tried again at that version, even if its rule allows more failures.

    One that waited for running work in vain is tried again with force, if the rule says so.
    """
    if case.choice.stopped:
        return Block(Action.BLOCKED, case.choice.stopped)
    failure = case.history.attempts.failure_of(case.graph.key, case.choice.release.version)
    if failure is None:
        return None
    forced = case.forced_from if waited_in_vain(failure) and not failure.force else None
    if forced is None:
        return Block(Action.BLOCKED, Reason.QUARANTINED)
    return Block(Action.WAIT, Reason.QUARANTINED, forced) if case.now < forced else None


def status_gate(case: Case) -> Block | None:
    if case.graph.status.running:
        return None
    return Block(Action.WAIT, Reason.BACKING_UP if case.graph.status.backing_up else Reason.NOT_RUNNING)


def refusal_gate(case: Case) -> Block | None:
    refusal = case.history.attempts.refusals.get(case.graph.key)
    if refusal is None or refusal.version != case.choice.release.version or case.now >= retry_at(refusal):
        return None
    action = Action.BLOCKED if needs_person(refusal) else Action.WAIT
    return Block(action, _reason(refusal), retry_at(refusal))


def _reason(refusal: Refusal) -> Reason:
    if refusal.code == UNHEALTHY_BEFORE:
        return Reason.UNHEALTHY_BEFORE
    return NOT_NOW.get(refusal.code, Reason.REFUSED)


def age_gate(case: Case) -> Block | None:
    ready = case.choice.begins
    return Block(Action.WAIT, Reason.TOO_YOUNG, ready) if case.now < ready else None


def wave_gate(case: Case) -> Block | None:
    return case.step.wave(case.choice) if case.rule.after else None


def approval_gate(case: Case) -> Block | None:
    if case.rule.mode != "approve":
        return None
    expires = case.approval_expires
    return None if expires and case.now < expires else Block(Action.WAIT, Reason.AWAITING_APPROVAL)


def freeze_gate(case: Case) -> Block | None:
    end = case.calendar.frozen_until(case.now) if case.policy.freezes else None
    return Block(Action.WAIT, Reason.FROZEN, end if end < FOREVER else None) if end else None


def window_gate(case: Case) -> Block | None:
    opening = case.opening(case.now)
    if opening and opening.start <= case.now:
        return None
    return Block(Action.WAIT, Reason.OUTSIDE_WINDOW, opening.start if opening else None)


def notice_gate(case: Case) -> Block | None:
    if not case.rule.notice:
        return None
    over = case.history.outbox.notice_ends(case.graph.id, case.choice.release.version, case.rule.notice, case.now)
    return Block(Action.WAIT, Reason.NOTICE, over) if case.now < over else None


def backup_gate(case: Case) -> Block | None:
    """Blocks only after a failure. A missing backup does not block: it is made once every other gate passes."""
    failed = case.history.backups.refusals.get(case.graph.key)
    if case.rule.backup == "none" or failed is None or case.now >= retry_at(failed):
        return None
    passing = NOT_NOW.get(failed.code)
    return Block(Action.WAIT if passing else Action.BLOCKED, passing or Reason.BACKUP_FAILED, retry_at(failed))


GATES: dict[str, Gate] = {
    "pause": paused_gate,
    "count": count_gate,
    "failures": failures_gate,
    "status": status_gate,
    "refusal": refusal_gate,
    "age": age_gate,
    "wave": wave_gate,
    "mode": mode_gate,
    "approval": approval_gate,
    "freeze": freeze_gate,
    "window": window_gate,
    "notice": notice_gate,
    "backup": backup_gate,
}


def needs_person(refusal: Refusal) -> bool:
    """Whether the same call would be refused again until somebody has done something (ges.md 5.2 and 5.3)."""
    code = refusal.code
    return code == UNHEALTHY_BEFORE or (code.startswith(("GES.", "APIGW.")) and code not in (*NOT_NOW, *_PASSING))


def retry_at(refusal: Refusal) -> datetime:
    """When a refused call is made again, after a pause that doubles up to six hours.

    The first is 30 seconds, or five minutes if the graph or an operator must do something.
    """
    slow = refusal.code in NOT_NOW or needs_person(refusal)
    first = _FIRST_SLOW_PAUSE if slow else _FIRST_PAUSE
    pause: timedelta = first * 2 ** min(refusal.times - 1, 10)
    return refusal.at + min(pause, _LONGEST_PAUSE)
