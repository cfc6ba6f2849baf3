"""What it costs, in CPU time, best and median: planning 10,000 graphs under 50 rules, explaining 1,000, their forecast."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "function"))

from ges_upgrader.diagnosis.explain import explain
from ges_upgrader.diagnosis.forecast import forecast
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Attempt, Graph, Project, Release, Status, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Ended, Intended, Released
from ges_upgrader.planning.planner import plan, plan_of
from ges_upgrader.planning.survey import survey_of
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import Policy

NOW = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
PROJECT = Project("cn-north-4", "0123456789abcdef0123456789abcdef")
TOPIC = f"urn:smn:cn-north-4:{PROJECT.project_id}:ges-upgrades"
VERSIONS = ("2.3.18", "2.4.4", "2.4.9", "2.4.15")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")
BUDGET_OF_A_GRAPH, BUDGET_OF_A_FORECAST = 40e-6, 10.0
ROUNDS = 7


def main() -> int:
    policy, fleet, history = a_policy(50), a_fleet(10_000, 50), a_history()
    decisions = plan(policy, fleet, history, NOW).decisions
    reasons = sorted({decision.reason.value for decision in decisions})
    once = measured(lambda: plan(policy, fleet, history, NOW), ROUNDS)
    per_graph = [seconds / len(fleet.visible) for seconds in once]
    print(f"plan: {len(fleet.visible):,} graphs, 50 rules; reasons seen: {', '.join(reasons)}")
    print(f"  {min(per_graph) * 1e6:.1f} µs of CPU a graph at best, {median(per_graph) * 1e6:.1f} median (budget 40)")
    small, thousand = a_policy(10), a_fleet(1_000, 10)
    why = measured(lambda: explained(small, thousand, history), 3)
    print(f"explain: {len(thousand.visible):,} graphs, 10 rules")
    print(f"  {min(why):.2f} s of CPU at best, {median(why):.2f} median")
    upgrades = forecast(small, thousand, history, NOW, 90)
    ahead = measured(lambda: forecast(small, thousand, history, NOW, 90), 3)
    print(f"forecast: {len(thousand.visible):,} graphs, 10 rules, 90 days: {len(upgrades)} upgrades foreseen")
    print(f"  {min(ahead):.2f} s of CPU at best, {median(ahead):.2f} median (budget 10)")
    alone = one_rule()
    upgrades = forecast(alone, thousand, a_history(), NOW, 90)
    ahead = measured(lambda: forecast(alone, thousand, history, NOW, 90), 3)
    print(
        f"forecast: {len(thousand.visible):,} graphs one after the other, 1 rule, no windows: {len(upgrades)} upgrades foreseen"
    )
    print(f"  {min(ahead):.2f} s of CPU at best, {median(ahead):.2f} median (budget 10)")
    return int(median(per_graph) > BUDGET_OF_A_GRAPH or median(ahead) > BUDGET_OF_A_FORECAST)


def explained(policy: Policy, fleet: Fleet, history: History) -> None:
    survey = survey_of(policy, fleet, history, NOW)
    explain(survey, plan_of(survey))


def measured(work: Callable[[], Any], rounds: int) -> list[float]:
    found = []
    for _ in range(rounds):
        begin = process_time()
        work()
        found.append(process_time() - begin)
    return found


def a_policy(rules: int) -> Policy:
    """Rules that match by name, tag and region, in waves of two, with everything that a rule can say."""
    written = []
    for number in range(rules):
        match: dict[str, Any] = {"name": f"team{number}_*"} if number % 3 else {"tags": {"team": f"t{number}"}}
        rule: dict[str, Any] = {
            "name": f"rule{number}",
            "match": match,
            "versions": ">=2.4.4,<3",
            "min_release_age": "3d" if number % 4 == 0 else "0d",
            "max_concurrent": "10%",
            "max_failures": "10%",
        }
        if number % 5:
            rule["windows"] = [f"Sat,Sun 02:00-06:00 {ZONES[number % 4]}", f"Mon-Fri 22:00-02:00 {ZONES[number % 4]}"]
        if number % 2:
            rule |= {"after": [f"rule{number - 1}"], "soak": "24h"}
        if number % 7 == 0:
            rule |= {"mode": "approve"} if number % 14 else {"notice": "24h"}
        if number % 6 == 0:
            rule |= {"spread": "30m"}
        written.append(rule)
    freezes = [{"from": "2026-12-24", "until": "2027-01-04", "timezone": "Asia/Shanghai", "reason": "year end"}]
    return parse_policy(json.dumps({"notify": TOPIC, "state": "none", "freezes": freezes, "rules": written}))


def one_rule() -> Policy:
    return parse_policy(json.dumps({"notify": TOPIC, "rules": [{}]}))


def a_fleet(graphs: int, rules: int) -> Fleet:
    return Fleet.of(
        Graph(
            project=PROJECT,
            id=f"{number:08x}-4f3f-2898-69e3-0123456789ab",
            name=f"team{number % (rules + 2)}_{number}",
            version=Version(VERSIONS[number % 4]),
            status=Status("200" if number % 11 else "900"),
            tags={"team": f"t{number % rules}"} if number % 3 == 0 else {"env": "prod"},
            product_type="InMemory",
            arch="x86_64",
        )
        for number in range(graphs)
    )


def a_history() -> History:
    history = History(Released(at=NOW - timedelta(days=9), release=Release(Version("2.4.9"))) for _ in range(1))
    history.apply(Released(at=NOW - timedelta(days=5), release=Release(Version("2.4.15"))))
    history.apply(Released(at=NOW - timedelta(days=1), release=Release(Version("2.4.20"))))
    for number in range(500):
        attempt = Attempt(
            id=f"a{number}",
            project=PROJECT,
            graph_id=f"{number:08x}-4f3f-2898-69e3-0123456789ab",
            graph=f"team{number % 50}_{number}",
            rule=f"rule{number % 50}",
            from_version=Version("2.4.4"),
            to_version=Version("2.4.9"),
            force=False,
            began_at=NOW - timedelta(days=8),
        )
        history.apply(Intended(at=attempt.began_at, attempt=attempt))
        verdict = Verdict.SUCCEEDED if number % 50 else Verdict.ROLLED_BACK
        history.apply(Ended(at=attempt.began_at + timedelta(minutes=12), attempt_id=attempt.id, verdict=verdict))
    return history


if __name__ == "__main__":
    sys.exit(main())
