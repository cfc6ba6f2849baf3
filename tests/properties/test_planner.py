"""Laws of the planner, over generated policies and fleets, and over histories that can be reached under them.

What is allowed is said here a second time, plainly and from the contract, and compared with what the planner starts.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from ges_upgrader.diagnosis.forecast import forecast
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Attempt, Decision, Graph, Reason, Release, Severity, Status, Targets, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    Approved,
    BackedUp,
    Ended,
    Intended,
    Noticed,
    Paused,
    Questioned,
    Refused,
    Reinstated,
    Released,
    Resumed,
    Retried,
    Told,
    Unpaused,
    Withdrawn,
)
from ges_upgrader.planning.planner import milestones, plan_of
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import Policy
from tests.builders import NOW, TOPIC, at, graph, plan, survey

VERSIONS = ["2.4.4", "2.4.9", "2.4.15", "2.4.20", "3.0.0"]
MINUTE = timedelta(minutes=1)
ALWAYS = ["always"]
WINDOWS = [
    ALWAYS,
    ["Mon 01:00-05:00 UTC"],
    ["* 22:00-03:00 UTC"],
    ["Sat,Sun 02:00-06:00 UTC", "Wed 23:00-01:00 UTC"],
    ["Mon-Fri 00:00-24:00 UTC"],
    ["Tue 02:00-04:00 UTC", "Tue 04:00-05:00 UTC"],
]
STARTED = (Action.UPGRADE, Action.BACKUP)

durations = st.sampled_from(["0m", "30m", "90m", "6h", "36h", "3d"])
limits = st.sampled_from([1, 2, 3, "10%", "50%", "100%"])
freezes = st.sampled_from(
    [
        {"from": "2026-11-23", "until": "2026-11-25"},
        {"from": "2026-11-24T03:00:00Z", "until": "2026-11-24T04:30:00Z", "rules": ["dev"]},
        {"from": "2026-11-28", "until": "2026-11-30", "timezone": "Asia/Shanghai", "reason": "sale"},
        {"from": "2026-11-23", "until": "2026-12-10", "allow": {"versions": "~=2.4.15"}},
        {"when": "Tue,Thu 12:00-24:00 UTC", "allow": {"versions": "<2.4.20"}, "rules": ["prod"]},
        {"when": "* 04:00-05:00 UTC"},
        {"when": "always", "allow": {"versions": "==2.4.9"}},
    ]
)


def rules(name: str, match: dict[str, Any] | None, after: list[list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"name": st.just(name), **({"match": st.just(match)} if match else {})},
        optional={
            "windows": st.sampled_from(WINDOWS),
            "cutoff": st.sampled_from(["0m", "30m", "auto"]),
            "spread": st.sampled_from(["0m", "45m"]),
            "versions": st.sampled_from([">=2.4.4,<3", "!=2.4.15", ">2"]),
            "min_release_age": st.sampled_from(["0d", "1d", "7d", {"default": "3d", "security": "6h"}]),
            "mode": st.sampled_from(["auto", "auto", "approve", "notify"]),
            "notice": durations,
            "after": st.sampled_from(after),
            "soak": durations,
            "max_graphs": st.sampled_from([2, 50]),
            "max_concurrent": limits,
            "max_failures": limits,
            "backup": st.sampled_from(["none", "required"]),
            "force": st.sampled_from(["never", "always", {"after": "1h"}]),
        },
    )


policies = st.fixed_dictionaries(
    {
        "notify": st.just(TOPIC),
        "state": st.just("none"),
        "rules": st.tuples(rules("dev", {"name": "dev*"}, [[]]), rules("prod", {"name": "prod*"}, [[], ["dev"]])).map(list),
    },
    optional={
        "enabled": st.sampled_from([True, True, True, False]),
        "freezes": st.lists(freezes, max_size=2),
        "max_concurrent": limits,
        "releases": st.just([{"version": "2.4.20"}]),
    },
)


@st.composite
def fleets(draw: st.DrawFn) -> list[Graph]:
    names = draw(
        st.lists(
            st.sampled_from([f"{kind}{n}" for kind in ("dev", "prod", "other") for n in range(4)]), min_size=1, unique=True
        )
    )
    return [
        graph(
            name,
            draw(st.sampled_from([*VERSIONS[:3], VERSIONS[0], VERSIONS[0], None])),
            draw(st.sampled_from(["200", "200", "200", "200", "201", "900", "300"])),
            **({"ges-upgrader": "off"} if draw(st.integers(0, 9)) == 9 else {}),
        )
        for name in names
    ]


releases = st.builds(
    Release,
    version=st.sampled_from(VERSIONS[1:]).map(Version),
    released_at=st.none(),
    severity=st.sampled_from(list(Severity)),
    min_source_version=st.sampled_from([None, None, Version("2.4.9")]),
    not_before=st.sampled_from([None, None, at("2026-11-25 00:30")]),
    not_after=st.sampled_from([None, None, at("2026-12-01 00:00")]),
    targets=st.sampled_from([Targets(), Targets(), Targets(graph_names=("dev1", "prod1"))]),
)


class Rollout:
    """A history as it comes about: time goes by, people act, and what the planner says is done.

    `wrong` are the attempts that went wrong and that nobody has forgiven since, in the order of their ends.
    """

    def __init__(self, written: dict[str, Any], fleet: list[Graph]) -> None:
        self.written = written
        self.policy, self.history, self.now = parsed(written), History(), NOW
        self.fleet = {one.id: one for one in fleet}
        self.numbers = itertools.count()
        self.wrong: list[Attempt] = []

    def do(self, draw: Callable[[Any], Any]) -> None:
        """One thing that can happen."""
        happens = draw(st.sampled_from(["wait", "wait", "release", "end", "end", "end", "person", "hand", "refuse"]))
        history, now = self.history, self.now
        if happens == "wait":
            self.now += draw(st.sampled_from([MINUTE, timedelta(minutes=37), timedelta(hours=5), timedelta(days=1, hours=3)]))
        elif happens == "release":
            history.apply(Released(at=now, release=draw(releases)))
        elif happens == "person":
            self.person(draw)
        elif happens == "hand":
            one = draw(st.sampled_from(sorted(self.fleet.values(), key=lambda graph: graph.id)))
            if history.attempts.open_of(one.key) is None:
                version, status = draw(st.sampled_from(VERSIONS)), draw(st.sampled_from(["200", "200", "201", "900"]))
                self.fleet[one.id] = msgspec.structs.replace(one, version=Version(version), status=Status(status))
        elif history.attempts.open():
            attempt = draw(st.sampled_from(history.attempts.open()))
            if happens == "refuse":
                code = draw(st.sampled_from(["GES.7041", "GES.7001", "no-answer"]))
                history.apply(Refused(at=now, attempt_id=attempt.id, code=code, detail=""))
                self.show(attempt.graph_id, None, "200")
            else:
                verdict = draw(st.sampled_from([Verdict.SUCCEEDED, Verdict.SUCCEEDED, *Verdict]))
                history.apply(Ended(at=now, attempt_id=attempt.id, verdict=verdict, job_ended_at=now))
                if verdict.ends:
                    self.wrong += [attempt] if verdict is not Verdict.SUCCEEDED else []
                    arrived = verdict in (Verdict.SUCCEEDED, Verdict.UNHEALTHY)
                    self.show(attempt.graph_id, attempt.to_version if arrived else None, "200")

    def person(self, draw: Callable[[Any], Any]) -> None:
        now = self.now
        rule = draw(st.sampled_from([None, "dev", "prod"]))
        one = draw(st.sampled_from(sorted(self.fleet)))
        version = Version(draw(st.sampled_from(VERSIONS[1:])))
        record = draw(
            st.sampled_from(
                [
                    Approved(at=now, version=version, rule=rule or "prod"),
                    Approved(at=now, version=version, graph_id=one),
                    Paused(at=now, rule=rule),
                    Resumed(at=now, rule=rule),
                    Resumed(at=now),
                    Retried(at=now, graph_id=one),
                    Retried(at=now, version=version),
                    Unpaused(at=now, rule=rule),
                    Withdrawn(at=now, version=version),
                    Reinstated(at=now, version=version),
                    Questioned(at=now, version=version, notice_id="n"),
                ]
            )
        )
        self.history.apply(record)
        if isinstance(record, Resumed):
            self.wrong = [one for one in self.wrong if record.rule not in (None, one.rule)]
        elif isinstance(record, Retried):
            meant = (record.graph_id, record.version)
            self.wrong = [
                one for one in self.wrong if meant[0] not in (None, one.graph_id) or meant[1] not in (None, one.to_version)
            ]

    def show(self, graph_id: str, version: Version | None, status: str) -> None:
        one = self.fleet[graph_id]
        self.fleet[graph_id] = msgspec.structs.replace(one, version=version or one.version, status=Status(status))

    def plan(self, now: datetime | None = None) -> tuple[Decision, ...]:
        planned = plan_of(survey(self.policy, self.fleet.values(), self.history, now or self.now))
        self.starts = {start.graph_id: start for start in planned.starts}
        return planned.decisions

    def run(self) -> tuple[Decision, ...]:
        """What a run does before it starts anything: write down releases, arrivals and notices, and plan."""
        for known in self.policy.releases:
            if known.version not in self.history.releases.known:
                self.history.apply(Released(at=self.now, release=known.release))
        surveyed = survey(self.policy, self.fleet.values(), self.history, self.now)
        for record in milestones(surveyed):
            self.history.apply(record)
        decisions = self.plan()
        for decision in decisions:
            if decision.announce and decision.target and length(self.rule(decision).get("notice", "0m")):
                self.announce(decision.graph_id, decision.target, decision.announce)
        return decisions

    def announce(self, graph_id: str, version: Version, start: datetime) -> None:
        notice_id = f"{graph_id}:{version}:{start}"
        about: dict[str, Any] = {"version": version, "graphs": (graph_id,), "starts": (start,)}
        self.history.apply(Noticed(at=self.now, notice_id=notice_id, text="", notice_kind="planned", **about))
        self.history.apply(Told(at=self.now, event_id=notice_id, message_id=""))

    def start(self, decision: Decision) -> None:
        assert decision.from_version and decision.target and decision.rule
        if decision.action is Action.BACKUP:
            self.history.apply(BackedUp(at=self.now, graph_id=decision.graph_id, made_at=self.now))
            return
        number = next(self.numbers)
        attempt = self.starts[decision.graph_id].attempt(f"a{number}", self.now)
        attempt = msgspec.structs.replace(attempt, job_id=f"job{number}")
        self.history.apply(Intended(at=self.now, attempt=attempt))
        self.show(decision.graph_id, None, "201")

    def rule(self, decision: Decision) -> dict[str, Any]:
        """The governing rule, as it was written."""
        found: dict[str, Any] = next(rule for rule in self.written["rules"] if rule["name"] == decision.rule)
        return found

    def governed(self, name: str) -> list[Graph]:
        return [one for one in self.fleet.values() if one.name.startswith(name) and one.tags.get("ges-upgrader") != "off"]


def parsed(written: dict[str, Any]) -> Policy:
    return parse_policy(json.dumps(written))


def length(text: str) -> timedelta:
    unit = {"m": "minutes", "h": "hours", "d": "days"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])})


def limit(value: Any, count: int) -> int:
    return max(1, count * int(value[:-1]) // 100) if isinstance(value, str) else int(value)


def open_spans(windows: list[str], around: datetime) -> list[tuple[datetime, datetime]]:
    """The times at which windows in UTC are open near an instant, touching ones as one."""
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    spans = []
    for window in windows:
        named, times, _ = window.split()
        first, _, last = named.partition("-")
        open_days = days if named == "*" else days[days.index(first) : days.index(last) + 1] if last else named.split(",")
        opens, closes = (timedelta(hours=int(text[:2]), minutes=int(text[3:])) for text in times.split("-"))
        for offset in range(-9, 9):
            midnight = around.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=offset)
            if days[midnight.weekday()] in open_days:
                spans.append((midnight + opens, midnight + closes + timedelta(days=closes <= opens)))
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def within_windows(rollout: Rollout, decision: Decision) -> bool:
    rule, now = rollout.rule(decision), rollout.now
    if rule.get("windows", ALWAYS) == ALWAYS:
        return True
    before = cutoff_of(rollout, rule)
    return any(begin <= now < end - before for begin, end in open_spans(rule["windows"], now))


def cutoff_of(rollout: Rollout, rule: dict[str, Any]) -> timedelta:
    cutoff = rule.get("cutoff", "30m")
    took = sorted(rollout.history.attempts.durations)
    slow = took[-(-len(took) * 9 // 10) - 1] if took else timedelta()
    return max(slow, timedelta(minutes=30)) if cutoff == "auto" else length(cutoff)


def frozen(rollout: Rollout, decision: Decision) -> bool:
    before, now = cutoff_of(rollout, rollout.rule(decision)), rollout.now
    periods = {
        "2026-11-23 2.4.15": (at("2026-11-23 00:00"), at("2026-12-10 00:00")),
        "2026-11-23": (at("2026-11-23 00:00"), at("2026-11-25 00:00")),
        "2026-11-24T03:00:00Z": (at("2026-11-24 03:00"), at("2026-11-24 04:30")),
        "2026-11-28": (at("2026-11-27 16:00"), at("2026-11-29 16:00")),
    }
    for freeze in rollout.written.get("freezes", []):
        allowed = freeze.get("allow", {}).get("versions")
        if decision.rule not in freeze.get("rules", [decision.rule]):
            continue
        if allowed is not None and SpecifierSet(allowed).contains(str(decision.target)):
            continue
        if freeze.get("when") == "always":
            return True
        spans = open_spans([freeze["when"]], now) if "when" in freeze else [periods[freeze["from"] + " 2.4.15" * bool(allowed)]]
        if any(begin - before <= now < end for begin, end in spans):
            return True
    return False


def check_start(rollout: Rollout, decision: Decision) -> None:
    """Everything that must be so where the planner starts something."""
    rule, history, now = rollout.rule(decision), rollout.history, rollout.now
    one, target = rollout.fleet[decision.graph_id], decision.target
    assert target is not None
    assert one.status.code == "200"
    assert one.version is not None and target > one.version
    assert history.attempts.open_of(one.key) is None
    wrong = [before for before in rollout.wrong if before.graph_id == one.id and before.to_version == target]
    start = rollout.starts[one.id]
    assert (start.action, start.to_version, start.rule) == (decision.action, target, decision.rule)
    assert not wrong or (start.force and wrong[-1].timed_out and not wrong[-1].force)
    assert one.tags.get("ges-upgrader") != "off"
    assert rollout.written.get("enabled", True)
    assert not {(None, None), (decision.rule, None), (None, one.id)} & set(history.controls.pauses)
    assert SpecifierSet(rule.get("versions", "")).contains(target.text)
    assert target not in history.releases.withdrawn
    check_age(rollout, decision, rule, target)
    assert within_windows(rollout, decision)
    assert not frozen(rollout, decision)
    assert start.start_before > now
    assert rule.get("mode", "auto") != "notify"
    if rule.get("mode") == "approve":
        approved = history.controls.approved_at(target, str(decision.rule), one.id)
        assert approved is not None and now < approved + timedelta(days=14)
    if length(rule.get("notice", "0m")):
        promise = history.outbox.promise(one.id, target)
        assert promise is not None and promise.delivered_at is not None and promise.start is not None
        assert promise.delivered_at + length(rule["notice"]) <= now and promise.start <= now
    assert len(rollout.governed(str(decision.rule))) <= rule.get("max_graphs", 99)
    if rule.get("backup") == "required" and decision.action is Action.UPGRADE:
        made_at = history.backups.latest_of(one.key)
        assert made_at is not None and now < made_at + timedelta(hours=24)
    if rule.get("after"):
        check_wave(rollout, target, length(rule.get("soak", "0m")))


def age_of(ages: dict[str, str], severity: str) -> str:
    """A `critical` release without an age of its own waits as one of `security` does."""
    severities = ("critical", "security") if severity == "critical" else (severity,)
    return next((ages[one] for one in severities if one in ages), ages["default"])


def check_age(rollout: Rollout, decision: Decision, rule: dict[str, Any], target: Version) -> None:
    """Each announcement that is meant for the graph bounds the start, and the age counts from the first of them."""
    announced = [
        one
        for one in rollout.history.releases.announcements(target)
        if decision.graph in (one.release.targets.graph_names or (decision.graph,))
    ]
    assert announced
    ages = rule.get("min_release_age", "0d")
    first = min(one.first_seen for one in announced)
    for release in (one.release for one in announced):
        age = age_of(ages, release.severity.value) if isinstance(ages, dict) else ages
        assert first + length(str(age)) <= rollout.now
        assert release.not_before is None or release.not_before <= rollout.now
        assert release.not_after is None or rollout.now < release.not_after
        assert release.min_source_version is None or (
            decision.from_version is not None and decision.from_version >= release.min_source_version
        )


def check_wave(rollout: Rollout, target: Version, soak: timedelta) -> None:
    """Every graph of dev runs the target soundly, and for as long as the soak."""
    for one in rollout.governed("dev"):
        assert one.version is not None and one.version >= target
        assert one.status.code not in ("201", "203", "300")
        assert rollout.history.attempts.open_of(one.key) is None
        ended = rollout.history.attempts.ended_of(one.key)
        arrived = [a for a in ended if a.verdict is Verdict.SUCCEEDED and a.to_version >= target]
        if arrived and arrived[0].ended_at:
            assert arrived[0].ended_at + soak <= rollout.now
    failed = rollout.history.attempts.failure_counts().get(("dev", target), 0)
    assert failed < limit(rollout.written["rules"][0].get("max_failures", 1), len(rollout.governed("dev")))


SLOW = settings(suppress_health_check=list(HealthCheck), max_examples=200)


@SLOW
@given(policies, fleets(), st.data())
def test_nothing_that_the_policy_forbids_is_ever_started(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    rollout = Rollout(written, fleet)
    rollout.history.apply(Released(at=NOW, release=Release(Version("2.4.15"))))
    for _ in range(data.draw(st.integers(5, 25))):
        rollout.do(data.draw)
        decisions = rollout.run()
        assert sorted(decision.graph_id for decision in decisions) == sorted(rollout.fleet)
        starts = [decision for decision in decisions if decision.action in STARTED]
        flying = Counter(attempt.rule for attempt in rollout.history.attempts.open())
        by_hand = sum(
            one.status.in_flight and rollout.history.attempts.open_of(one.key) is None and not one.name.startswith("other")
            for one in rollout.fleet.values()
        )
        for decision in starts:
            check_start(rollout, decision)
            event(f"started: {decision.action.value}")
        for name in {str(decision.rule) for decision in starts}:
            rule = next(rule for rule in written["rules"] if rule["name"] == name)
            new = sum(decision.rule == name for decision in starts)
            assert flying[name] + new <= limit(rule.get("max_concurrent", 1), len(rollout.governed(name)))
        if starts and "max_concurrent" in written:
            everything = len(rollout.governed("dev")) + len(rollout.governed("prod"))
            assert sum(flying.values()) + by_hand + len(starts) <= limit(written["max_concurrent"], everything)
        for decision in starts:
            rollout.start(decision)
        for (name, version), at_risk in Counter((a.rule, a.to_version) for a in rollout.history.attempts.open()).items():
            if (name, version) in {(decision.rule, decision.target) for decision in starts}:
                rule = next(rule for rule in written["rules"] if rule["name"] == name)
                failed = rollout.history.attempts.failure_counts().get((name, version), 0)
                assert failed + at_risk <= limit(rule.get("max_failures", 1), len(rollout.governed(name)))


@SLOW
@given(policies, fleets(), st.data())
def test_until_is_the_first_instant_at_which_the_graph_could_start(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    rollout = Rollout(written, fleet)
    rollout.history.apply(Released(at=NOW, release=Release(Version("2.4.15"))))
    for _ in range(data.draw(st.integers(2, 8))):
        rollout.do(data.draw)
        for decision in rollout.run():
            if decision.action in STARTED:
                rollout.start(decision)
    decisions = rollout.run()
    for decision in decisions:
        if decision.until is None:
            continue
        event(f"until: {decision.reason.value}")
        assert decision.until > rollout.now
        fraction = data.draw(st.floats(0, 1))
        between = rollout.now + (decision.until - rollout.now) * fraction
        for moment in (between, decision.until - timedelta(microseconds=1)):
            if rollout.now <= moment < decision.until:
                assert not startable(rollout, decision, moment)
        assert startable(rollout, decision, decision.until)
        there = next(one for one in rollout.plan(decision.until) if one.graph_id == decision.graph_id)
        assert there.target == decision.target


def startable(rollout: Rollout, decision: Decision, moment: datetime) -> bool:
    """Whether the graph could start then, if it were not for the places that others take."""
    found = next(one for one in rollout.plan(moment) if one.graph_id == decision.graph_id)
    return found.action in STARTED or found.reason is Reason.MAX_CONCURRENT


@SLOW
@given(policies, fleets(), st.data())
def test_the_same_is_planned_again_and_in_whatever_order_the_fleet_is_listed(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    rollout = Rollout(written, fleet)
    rollout.history.apply(Released(at=NOW, release=Release(Version("2.4.15"))))
    for _ in range(data.draw(st.integers(0, 5))):
        rollout.do(data.draw)
    decisions = rollout.plan()
    assert rollout.plan() == decisions
    shuffled = data.draw(st.permutations(list(rollout.fleet.values())))
    assert plan(parsed(written), shuffled, rollout.history, rollout.now) == decisions


NARROWER: list[dict[str, Any]] = [
    {"windows": ["Mon 01:30-03:30 UTC"]},
    {"cutoff": "90m", "windows": ["* 22:00-03:00 UTC"]},
    {"mode": "approve"},
    {"mode": "notify"},
    {"notice": "10d"},
    {"max_concurrent": 1},
    {"max_failures": 1},
    {"max_graphs": 1},
    {"soak": "10d", "after": ["dev"]},
]


@SLOW
@given(policies, fleets(), st.sampled_from(NARROWER), st.data())
def test_a_narrower_policy_never_starts_more(
    written: dict[str, Any], fleet: list[Graph], narrower: dict[str, Any], data: st.DataObject
) -> None:
    """`prod`, or the whole policy by a freeze or `enabled`, is narrowed; what it then starts is part of what it would have."""
    rollout = Rollout(written, fleet)
    rollout.history.apply(Released(at=NOW, release=Release(Version("2.4.15"))))
    for _ in range(data.draw(st.integers(0, 8))):
        rollout.do(data.draw)
    dev, prod = written["rules"]
    assume("windows" not in narrower or prod.get("windows", ALWAYS) == ALWAYS)
    assume("cutoff" not in narrower or "cutoff" not in prod)
    assume(all(narrower.get(name) != 1 or name == "max_graphs" or name in prod for name in narrower))
    assume("after" not in narrower or "soak" not in prod)
    assume("notice" not in narrower or length(prod.get("notice", "0m")) <= length("3d"))
    before = rollout.plan()
    for changed in (
        {**written, "rules": [dev, {**prod, **narrower}]},
        {**written, "enabled": False},
        {**written, "freezes": [*written.get("freezes", []), {"from": "2026-11-23", "until": "2026-11-25"}]},
    ):
        after = plan(parsed(changed), rollout.fleet.values(), rollout.history, rollout.now)
        event(f"started: {sum(one.action in STARTED for one in before)}")
        assert count(after) <= count(before)


def count(decisions: tuple[Decision, ...]) -> int:
    return sum(decision.action in STARTED for decision in decisions)


timely_policies = st.fixed_dictionaries(
    {
        "notify": st.just(TOPIC),
        "state": st.just("none"),
        "freezes": st.lists(freezes, min_size=1, max_size=3),
        "rules": st.tuples(
            st.fixed_dictionaries(
                {"name": st.just("dev"), "max_concurrent": st.just(99), "max_failures": st.just(99)},
                optional={
                    "windows": st.sampled_from(WINDOWS),
                    "cutoff": st.sampled_from(["0m", "30m", "90m"]),
                    "min_release_age": st.sampled_from(["1d", "7d"]),
                    "backup": st.just("required"),
                },
            )
        ).map(list),
    }
)


@given(
    timely_policies.map(lambda written: json.loads(json.dumps(written).replace('"prod"', '"dev"'))),
    st.lists(st.tuples(st.sampled_from(VERSIONS[1:4]), st.timedeltas(-timedelta(days=9), timedelta())), min_size=1, max_size=3),
    st.timedeltas(timedelta(), timedelta(days=9)),
)
def test_a_forecast_begins_as_the_plan_says(
    written: dict[str, Any], released: list[tuple[str, timedelta]], later: timedelta
) -> None:
    one, now, under = graph("dev1"), NOW + later, parsed(written)
    past = History(Released(at=NOW + age, release=Release(Version(version))) for version, age in released)
    (decision,) = plan(under, [one], past, now)
    found = [(start.at, start.to_version) for start in forecast(under, Fleet.of([one]), past, now, 60)]
    event(f"{decision.reason.value}, {len(found)} starts")
    if decision.action in STARTED:
        assert found[0] == (now, decision.target)
    elif decision.until is not None and decision.until < now + timedelta(days=60):
        assert found[0] == (decision.until, decision.target)
    else:
        assert not found
