"""By when everybody must have arrived once nothing goes wrong any more: worked out from the policy alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.simulation.policies import DAY, HOUR, Policy, Rule

TIMER = DAY  # the nightly timer; those in the windows come at least as often as the windows
PEOPLE = 4 * DAY + TIMER  # a release, then `resume`, `retry` and approvals: at once, and again after four days


class Bound:
    """`arrival` is when the last graph of each rule has arrived; `telling` how long after its end a result is told.

    `graphs` are the graphs of each rule, `begins` is when all is made well, `limit` the time that a run has.
    """

    def __init__(self, policy: Policy, graphs: Mapping[str, int], begins: datetime, limit: timedelta) -> None:
        self.begins = begins
        self.telling = TIMER + 2 * limit + HOUR  # a lease that was left behind ends, and the next timer comes
        self.arrival: dict[str, datetime] = {}
        thaw = max([begins, *(freeze.ends for freeze in policy.freezes)])
        for rule in policy.rules:
            ready = max([thaw + PEOPLE, begins + HOUR + rule.min_release_age])
            for before in policy.before(rule):
                ready = max(ready, self.arrival[before.name] + rule.soak)
            queue = sum(graphs.values()) if policy.max_concurrent else graphs[rule.name]
            self.arrival[rule.name] = ready + TIMER + rule.notice + (queue + 1) * _between_starts(rule)


def _between_starts(rule: Rule) -> timedelta:
    """From one run that may start something to the next: of each window at least one does. After a backup, one more."""
    days = sorted({day for window in rule.windows for day in window.days}) if rule.windows else [*range(7)]
    gaps = [(following - day) % 7 or 7 for day, following in zip(days, [*days[1:], days[0]])]
    return max(gaps) * DAY * (2 if rule.backup else 1)
