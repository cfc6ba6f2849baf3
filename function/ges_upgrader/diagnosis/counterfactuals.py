"""What if: the planner asked again, under a policy in which one thing about one rule is changed. Pure.

What it says of a start is what planning under that policy gives, with the limits and who else then takes a place in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ges_upgrader.domain.duration import Duration
from ges_upgrader.domain.model import Action, Decision, GraphKey, Reason
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.planning.budget import Budget, Occupied
from ges_upgrader.planning.matching import Governed
from ges_upgrader.planning.planner import decide
from ges_upgrader.planning.roster import Roster
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.fields import Ages
from ges_upgrader.policy.schema import Policy, Rule
from ges_upgrader.schedule.windows import Window

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Change(msgspec.Struct, frozen=True):
    """One thing that an operator could change about a rule. `used`: the rule has it at all."""

    words: str
    used: Callable[[Survey, Rule], bool]
    made: Callable[[Policy, Rule], Policy]


def _with(policy: Policy, rule: Rule, **fields: Any) -> Policy:
    changed = msgspec.structs.replace(rule, **fields)
    rules = tuple(changed if one.name == rule.name else one for one in policy.rules)
    return msgspec.structs.replace(policy, rules=rules)


def _thawed(policy: Policy, rule: Rule) -> Policy:
    """The policy without the rule's freezes, which stay for all other rules."""
    others = [one.name for one in policy.rules if one.name != rule.name]
    freezes = (msgspec.structs.replace(one, rules=tuple(filter(one.holds, others))) for one in policy.freezes)
    return msgspec.structs.replace(policy, freezes=tuple(freezes))


# By the gate that each is about, in their order.
CHANGES = {
    "age": Change(
        "shortening min_release_age",
        lambda _, rule: bool(rule.min_release_age),
        lambda policy, rule: _with(policy, rule, min_release_age=Ages("0d")),
    ),
    "wave": Change(
        "shortening the soak",
        lambda _, rule: bool(rule.soak and rule.after),
        lambda policy, rule: _with(policy, rule, soak=Duration()),
    ),
    "freeze": Change(
        "lifting the rule's freezes",
        lambda survey, rule: any(not freeze.is_over(survey.now) for freeze in survey.policy.freezes_of(rule.name)),
        _thawed,
    ),
    "window": Change(
        "any window",
        lambda _, rule: bool(rule.windows) and all(window.recurrence is not None for window in rule.windows),
        lambda policy, rule: _with(policy, rule, windows=()),
    ),
    "notice": Change(
        "shortening the notice",
        lambda _, rule: bool(rule.notice),
        lambda policy, rule: _with(policy, rule, notice=Duration()),
    ),
}


class Counterfactuals:
    """A fleet whose decisions are known, under changed policies. Each is planned once."""

    def __init__(self, survey: Survey, decisions: Iterable[Decision]) -> None:
        self._survey = survey
        self._planned: dict[tuple[str, str], dict[GraphKey, Decision]] = {}
        # Graphs of other rules count only by the places that they take in the policy's own limit.
        limited = survey.policy.max_concurrent is not None
        self._competing = {one.key for one in decisions if limited and _startable(one)}

    def starts(self, one: Governed) -> dict[str, datetime]:
        """When the graph could start, were it not for others, if the gate were changed."""
        starts = ((gate, self._start(self._changed(one, change))) for gate, change in self._possible(one))
        return {gate: start for gate, start in starts if start is not None}

    def sentences(self, one: Governed, decision: Decision) -> Iterator[str]:
        """What each change of the rule would give the graph."""
        for gate, change in self._possible(one):
            found = self._changed(one, change)
            yield self._window(one, decision, found) if gate == "window" else self._sentence(change.words, found, decision)

    def _possible(self, one: Governed) -> Iterator[tuple[str, Change]]:
        """The changes that can be made to the rule of the graph, with their gates."""
        assert one.rule is not None
        for gate, change in CHANGES.items():
            if change.used(self._survey, one.rule):
                yield gate, change

    def _changed(self, one: Governed, change: Change) -> Decision:
        """The decision about the graph if the policy were changed so."""
        rule = one.rule
        assert rule is not None
        key = (rule.name, change.words)
        if key not in self._planned:
            self._planned[key] = self._decided(rule.name, change.made(self._survey.policy, rule))
        return self._planned[key][one.graph.key]

    def _decided(self, name: str, policy: Policy) -> dict[GraphKey, Decision]:
        """The decisions about the graphs of the rule of that name, under a policy in which it is changed."""
        survey = self._survey
        changed = next(rule for rule in policy.rules if rule.name == name)
        governed = [_under(changed, one) for one in survey.governed]
        planned = Survey(Roster(policy, survey.roster.fleet, governed), survey.history, survey.now)
        budget = Budget(planned, Occupied.under(planned))
        asked = (one for one in governed if one.rule is changed or one.graph.key in self._competing)
        return {one.graph.key: decide(planned, one, budget)[0] for one in asked}

    def _window(self, one: Governed, decision: Decision, unbound: Decision) -> str:
        """A day on which a window would help: that of the first start without any, or the next if that is too late."""
        start = self._start(unbound)
        if start is None or not self._helps(unbound, decision):
            return "no window makes it earlier"
        assert one.rule is not None
        zone = one.rule.windows[0].zone
        day = start.astimezone(zone)
        first, second = _window_on(day, str(zone)), _window_on(day + timedelta(days=1), str(zone))
        helping = next((change for change in (first, second) if self._helps(self._changed(one, change), decision)), first)
        return self._sentence(helping.words, self._changed(one, helping), decision)

    def _sentence(self, words: str, found: Decision, decision: Decision) -> str:
        start = self._start(found)
        if start is not None and self._helps(found, decision):
            queued = found.reason is Reason.MAX_CONCURRENT
            return f"{words} leaves it waiting for a place (max-concurrent)" if queued else f"{words} gives {ceiled(start)}"
        same = (found.until, found.target) == (decision.until, decision.target)
        return f"{words} changes nothing" if same else f"{words} makes it no earlier"

    def _helps(self, found: Decision, decision: Decision) -> bool:
        start = self._start(found)
        return start is not None and (decision.until is None or start < decision.until)

    def _start(self, found: Decision) -> datetime | None:
        return self._survey.now if _startable(found) else found.until


def _startable(decision: Decision) -> bool:
    """Whether it starts, or would if there were a place for it."""
    return decision.action in (Action.UPGRADE, Action.BACKUP) or decision.reason is Reason.MAX_CONCURRENT


def _under(changed: Rule, one: Governed) -> Governed:
    """The graph under the changed rule, if that governs it."""
    return msgspec.structs.replace(one, rule=changed) if one.rule and one.rule.name == changed.name else one


def _window_on(instant: datetime, zone: str) -> Change:
    """A window on the day of the week of the instant."""
    day = _WEEK[instant.weekday()]
    added = Window(f"{day[:3]} 00:00-24:00 {zone}")
    return Change(
        f"a window on {day}" if zone == "UTC" else f"a window on {day} ({zone})",
        lambda _, rule: True,
        lambda policy, rule: _with(policy, rule, windows=(*rule.windows, added)),
    )
