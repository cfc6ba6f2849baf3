"""By when everybody must have arrived once nothing goes wrong any more: worked out from the policy alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from tests.simulation.policies import DAY, HOUR, RARE_DAY, Policy, Rule, Window

PEOPLE = 4 * DAY  # a release, then `resume`, `retry` and approvals: at once, and again after four days for what was seen late


class Bound:
    """`arrival` is when the last graph of each rule has arrived; `telling` how long after its end a result is told.

    `graphs` are the graphs of each rule, `begins` is when all is made well, `limit` the time that a run has, `timer` the
    time from one timer to the next outside windows.
    """

    def __init__(
        self, policy: Policy, graphs: Mapping[str, int], begins: datetime, limit: timedelta, timer: timedelta = DAY
    ) -> None:
        self.begins = begins
        self.telling = timer + 2 * limit + HOUR  # a lease that was left behind ends, and the next timer comes
        self._policy, self._graphs, self._timer = policy, graphs, timer
        self._thaw = max([begins, *(freeze.ends for freeze in policy.freezes)])
        self.arrival = {rule.name: self._arrival(rule) for rule in policy.rules}

    def _arrival(self, rule: Rule) -> datetime:
        ready = max([self._thaw + PEOPLE + self._timer, self.begins + HOUR + rule.min_release_age])
        for before in self._policy.before(rule):
            ready = max(ready, self._arrival(before) + rule.soak)
        queue = sum(self._graphs.values()) if self._policy.max_concurrent else self._graphs[rule.name]
        return ready + self._timer + rule.notice + (queue + 1) * max(_between_starts(rule), self._timer)


def _between_starts(rule: Rule) -> timedelta:
    """From one run that may start something to the next: of each window at least one does. After a backup, one more."""
    gaps = [_longest_gap(window) for window in rule.windows] or [DAY]
    return min(gaps) * (2 if rule.backup else 1)


def _longest_gap(window: Window) -> timedelta:
    if window.months:
        opens = [datetime(year, month, RARE_DAY) for year in (2026, 2027) for month in sorted(window.months)]
        return max(later - earlier for earlier, later in pairwise(opens)) + DAY
    days = sorted(window.days)
    return max((following - day) % 7 or 7 for day, following in zip(days, [*days[1:], days[0]])) * DAY
