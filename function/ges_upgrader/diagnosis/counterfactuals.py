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
    names = [one.name for one in policy.rules]
    freezes = [
        msgspec.structs.replace(one, rules=tuple(name for name in names if one.holds(name) and name != rule.name))
        for one in policy.freezes
    ]
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
        lambda survey, rule: any(survey.now < end for _, end in survey.policy.frozen(rule.name)),
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
        assert one.rule is not None
        starts = {}
        for gate, change in CHANGES.items():
            if change.used(self._survey, one.rule):
                start = self._start(self._changed(one, change))
                if start is not None:
                    starts[gate] = start
        return starts

    def sentences(self, one: Governed, decision: Decision) -> Iterator[str]:
        """What each change of the rule would give the graph."""
        assert one.rule is not None
        for gate, change in CHANGES.items():
            if change.used(self._survey, one.rule):
                found = self._changed(one, change)
                yield self._window(one, decision, found) if gate == "window" else self._sentence(change.words, found, decision)

    def _changed(self, one: Governed, change: Change) -> Decision:
        """The decision about the graph if the policy were changed so."""
        rule, survey = one.rule, self._survey
        assert rule is not None
        key = (rule.name, change.words)
        if key not in self._planned:
            policy = change.made(survey.policy, rule)
            changed = next(other for other in policy.rules if other.name == rule.name)
            governed = [
                msgspec.structs.replace(other, rule=changed) if other.rule and other.rule.name == rule.name else other
                for other in survey.governed
            ]
            planned = Survey(Roster(policy, survey.roster.fleet, governed), survey.history, survey.now)
            budget = Budget(planned, Occupied.under(planned))
            self._planned[key] = {
                other.graph.key: decide(planned, other, budget)[0]
                for other in governed
                if other.rule is changed or other.graph.key in self._competing
            }
        return self._planned[key][one.graph.key]

    def _window(self, one: Governed, decision: Decision, unbound: Decision) -> str:
        """A day on which a window would help: the one of the first start without any, or the next where that is too late."""
        start = self._start(unbound)
        if start is None or not self._helps(unbound, decision):
            return "no window makes it earlier"
        assert one.rule is not None
        zone = one.rule.windows[0].zone
        first = start.astimezone(zone)
        sentences = []
        for day in (first, first + timedelta(days=1)):
            change = _window_on(_WEEK[day.weekday()], str(zone))
            found = self._changed(one, change)
            sentences.append(self._sentence(change.words, found, decision))
            if self._helps(found, decision):
                return sentences[-1]
        return sentences[0]

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


def _window_on(day: str, zone: str) -> Change:
    added = Window(f"{day[:3]} 00:00-24:00 {zone}")
    return Change(
        f"a window on {day}" if zone == "UTC" else f"a window on {day} ({zone})",
        lambda _, rule: True,
        lambda policy, rule: _with(policy, rule, windows=(*rule.windows, added)),
    )
