"""Each gate at its edges: what it holds, until when, and what lifts it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from ges_upgrader.domain.model import Action, Decision, Graph, Reason, Release, Severity, Start, Targets, Verdict
from ges_upgrader.domain.timestamps import FAR
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackedUp,
    BackupEnded,
    BackupIntended,
    BackupStarted,
    Ended,
    FellBehind,
    Noticed,
    Paused,
    Refused,
    Released,
    Resumed,
    Retried,
    Told,
    Verified,
    Withdrawn,
)
from ges_upgrader.planning.planner import milestones
from ges_upgrader.policy.schema import Policy
from tests.builders import NOW, at, attempt, backup_attempt, begin, finish, graph, history, plan, policy, starts, survey

X = Version("2.4.15")
MICRO = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEMO = graph("demo")


def decide(under: Policy, past: History, now: datetime = NOW, of: Graph = DEMO, others: tuple[Graph, ...] = ()) -> Decision:
    return next(one for one in plan(under, [of, *others], past, now) if one.graph_id == of.id)


def start(under: Policy, past: History, of: Graph = DEMO) -> Start:
    (found,) = starts(under, [of], past)
    return found


def seen(*records: AnyRecord, at: datetime = NOW) -> History:
    """A history in which 2.4.15 was announced at NOW, and these records."""
    return History([Released(at=at, release=Release(X)), *records])


def refused(code: str, times: int = 1) -> History:
    past = seen()
    for _ in range(times):
        begin(past, attempt(DEMO, job_id=None))
        past.apply(Refused(at=NOW, attempt_id="attempt-demo", code=code, detail="no"))
    return past


def told(*graphs: Graph, moment: datetime = NOW) -> tuple[AnyRecord, AnyRecord]:
    ids = tuple(one.id for one in graphs)
    return (
        Noticed(at=moment, notice_id="n", text="", notice_kind="planned", version=X, graphs=ids),
        Told(at=moment, event_id="n", message_id=""),
    )


def backup(moment: datetime = NOW, identity: str = "b") -> BackupIntended:
    made = backup_attempt(DEMO, id=identity, began_at=moment)
    return BackupIntended(at=moment, backup=made)


def failed_backups(times: int, code: str = "backup") -> History:
    past = seen()
    for _ in range(times):
        past.apply(backup())
        past.apply(BackupEnded(at=NOW, backup_id="b", code=code, detail="no room"))
    return past


SEVERE = History([Released(at=NOW, release=Release(X, severity=Severity.SECURITY))])
AGES = "[{min_release_age: {default: 7d, security: 36h}}]"
SOAK = "[{name: dev, match: {name: dev}}, {name: prod, after: [dev], soak: 6h}]"
DEV = graph("dev", "2.4.15")

TIMED: list[tuple[str, str, dict[str, str], History, datetime, Reason]] = [
    ("age", "[{min_release_age: 7d}]", {}, seen(), NOW + 7 * DAY, Reason.TOO_YOUNG),
    ("age of a severity", AGES, {}, SEVERE, NOW + 36 * HOUR, Reason.TOO_YOUNG),
    ("age of another severity", AGES, {}, seen(), NOW + 7 * DAY, Reason.TOO_YOUNG),
    ("not_before", "[{}]", {}, history("2.4.15", not_before=NOW + 5 * HOUR), NOW + 5 * HOUR, Reason.TOO_YOUNG),
    (
        "not_before and age",
        "[{min_release_age: 1d}]",
        {},
        history("2.4.15", not_before=NOW + 5 * HOUR),
        NOW + DAY,
        Reason.TOO_YOUNG,
    ),
    ("refusal that passes", "[{}]", {}, refused("no-answer"), NOW + timedelta(seconds=30), Reason.REFUSED),
    ("third refusal that passes", "[{}]", {}, refused("GES.7006", 3), NOW + timedelta(minutes=2), Reason.REFUSED),
    ("refusal for a person", "[{}]", {}, refused("GES.7041"), NOW + timedelta(minutes=5), Reason.REFUSED),
    ("third refusal for a person", "[{}]", {}, refused("APIGW.0302", 3), NOW + timedelta(minutes=20), Reason.REFUSED),
    ("many refusals", "[{}]", {}, refused("GES.7041", 30), NOW + 6 * HOUR, Reason.REFUSED),
    ("not running, says the call", "[{}]", {}, refused("GES.7001"), NOW + timedelta(minutes=5), Reason.NOT_RUNNING),
    ("backing up, says the call", "[{}]", {}, refused("GES.7002"), NOW + timedelta(minutes=5), Reason.BACKING_UP),
    ("notice", "[{notice: 24h}]", {}, seen(*told(DEMO)), NOW + DAY, Reason.NOTICE),
    ("freeze", "[{}]", {"freezes": "[{from: 2026-11-23, until: 2026-11-25}]"}, seen(), at("2026-11-25 00:00"), Reason.FROZEN),
    (
        "cutoff before a freeze",
        "[{}]",
        {"freezes": "[{from: '2026-11-23T02:30:00Z', until: 2026-11-25}]"},
        seen(),
        at("2026-11-25 00:00"),
        Reason.FROZEN,
    ),
    (
        "cutoff between two freezes",
        "[{cutoff: 1h}]",
        {"freezes": "[{from: 2026-11-23, until: 2026-11-24}, {from: '2026-11-24T00:59:00Z', until: 2026-11-25}]"},
        seen(),
        at("2026-11-25 00:00"),
        Reason.FROZEN,
    ),
    (
        "cutoff before a freeze that recurs",
        "[{windows: ['* 00:00-24:00 UTC']}]",
        {"freezes": "[{when: 'Mon,Wed 02:30-24:00 UTC'}]"},
        seen(),
        at("2026-11-24 00:00"),
        Reason.FROZEN,
    ),
    ("window", "[{windows: ['Mon 03:00-05:00 UTC']}]", {}, seen(), NOW + HOUR, Reason.OUTSIDE_WINDOW),
    (
        "after the cutoff",
        "[{windows: ['Mon 01:00-02:30 UTC', 'Tue 01:00-03:00 UTC']}]",
        {},
        seen(),
        at("2026-11-24 01:00"),
        Reason.OUTSIDE_WINDOW,
    ),
    (
        "a freeze over the start of a window",
        "[{windows: ['Mon 03:00-07:00 UTC']}]",
        {"freezes": "[{from: '2026-11-23T01:00:00Z', until: '2026-11-23T05:00:00Z'}]"},
        seen(),
        at("2026-11-23 05:00"),
        Reason.FROZEN,
    ),
    (
        "age, then window, then freeze",
        "[{min_release_age: 1d, windows: ['Tue 03:00-07:00 UTC', 'Sat 03:00-07:00 UTC']}]",
        {"freezes": "[{from: 2026-11-24, until: 2026-11-25}]"},
        seen(),
        at("2026-11-28 03:00"),
        Reason.TOO_YOUNG,
    ),
    ("failed backup", "[{backup: required}]", {}, failed_backups(1), NOW + timedelta(seconds=30), Reason.BACKUP_FAILED),
    ("second failed backup", "[{backup: required}]", {}, failed_backups(2), NOW + timedelta(minutes=1), Reason.BACKUP_FAILED),
    (
        "no backup, as the graph does not run",
        "[{backup: required}]",
        {},
        failed_backups(1, "GES.7001"),
        NOW + timedelta(minutes=5),
        Reason.NOT_RUNNING,
    ),
    (
        "no backup, as another is being made",
        "[{backup: required}]",
        {},
        failed_backups(1, "GES.7002"),
        NOW + timedelta(minutes=5),
        Reason.BACKING_UP,
    ),
]


@pytest.mark.parametrize(
    ("rules", "fields", "past", "opens", "reason"), [row[1:] for row in TIMED], ids=[row[0] for row in TIMED]
)
def test_a_gate_that_time_lifts_holds_up_to_its_instant_and_no_longer(
    rules: str, fields: dict[str, str], past: History, opens: datetime, reason: Reason
) -> None:
    under = policy(rules, **fields)
    first = decide(under, past)
    assert (first.reason, first.until, first.target) == (reason, opens, X)
    needs_somebody = past.backups.refusals or any(one.code[:4] in ("GES.", "APIG") for one in past.attempts.refusals.values())
    waits = not needs_somebody or reason in (Reason.NOT_RUNNING, Reason.BACKING_UP) or "GES.7006" in str(past.attempts.refusals)
    assert first.action is (Action.WAIT if waits else Action.BLOCKED)
    last = decide(under, past, opens - MICRO)
    assert last.until == opens
    assert last.action not in (Action.UPGRADE, Action.BACKUP)
    assert decide(under, past, opens).reason is Reason.DUE


def test_the_soak_counts_from_the_written_moment_and_from_the_last_success_after_it() -> None:
    past = seen(Verified(at=NOW - HOUR, rule="dev", version=X))
    decision = decide(policy(SOAK), past, others=(DEV,))
    assert (decision.action, decision.reason, decision.until) == (Action.WAIT, Reason.SOAKING, NOW + 5 * HOUR)
    assert decide(policy(SOAK), past, NOW + 5 * HOUR - MICRO, others=(DEV,)).reason is Reason.SOAKING
    assert decide(policy(SOAK), past, NOW + 5 * HOUR, others=(DEV,)).reason is Reason.DUE
    late = attempt(graph("dev"), rule="dev", began_at=NOW)
    begin(past, late).apply(Ended(at=NOW + 2 * HOUR, attempt_id=late.id, verdict=Verdict.SUCCEEDED))
    assert decide(policy(SOAK), past, NOW + 3 * HOUR, others=(DEV,)).until == NOW + 8 * HOUR


def test_a_soak_that_was_never_written_down_begins_now() -> None:
    assert decide(policy(SOAK), seen(), NOW + HOUR, others=(DEV,)).until == NOW + 7 * HOUR


def test_a_rule_without_graphs_holds_nothing_up() -> None:
    assert decide(policy(SOAK), seen()).reason is Reason.DUE


def test_a_later_upgrade_of_the_rule_before_does_not_begin_the_soak_again() -> None:
    past = seen(Verified(at=NOW - 10 * HOUR, rule="dev", version=X))
    once = attempt(graph("dev"), rule="dev", began_at=NOW - 11 * HOUR)
    begin(past, once).apply(Ended(at=NOW - 10 * HOUR, attempt_id=once.id, verdict=Verdict.SUCCEEDED))
    more = msgspec.structs.replace(once, id="more", from_version=X, to_version=Version("2.4.20"))
    begin(past, more).apply(Ended(at=NOW - HOUR, attempt_id="more", verdict=Verdict.SUCCEEDED))
    assert decide(policy(SOAK), past, others=(graph("dev", "2.4.20"),)).reason is Reason.DUE


def failing(verdict: Verdict, *more: AnyRecord) -> History:
    past = begin(seen(Verified(at=NOW - DAY, rule="dev", version=X)), attempt(graph("dev"), rule="dev"))
    past.apply(Ended(at=NOW, attempt_id="attempt-dev", verdict=verdict))
    for record in more:
        past.apply(record)
    return past


@pytest.mark.parametrize(
    ("dev", "past"),
    [
        (graph("dev", "2.4.9"), seen()),
        (graph("dev", None), seen()),
        (graph("dev", "2.4.15", "201"), seen()),
        (graph("dev", "2.4.15", "203"), seen()),
        (graph("dev", "2.4.15", "300"), seen()),
        (graph("dev", "2.4.15"), begin(seen(), attempt(graph("dev"), rule="dev"))),
        (graph("dev", "2.4.15"), failing(Verdict.UNHEALTHY)),
        (graph("dev", "2.4.15"), failing(Verdict.TIMED_OUT)),
    ],
)
def test_a_rule_waits_for_every_graph_of_the_rules_before_to_run_the_target_soundly(dev: Graph, past: History) -> None:
    waves = policy("[{name: dev, match: {name: dev}, max_failures: 9}, {name: prod, after: [dev]}]")
    decision = decide(waves, past, others=(dev,))
    assert (decision.action, decision.reason, decision.until) == (Action.WAIT, Reason.AFTER_RULE, None)


@pytest.mark.parametrize(
    ("dev", "past"),
    [
        (graph("dev", "2.4.15"), seen()),
        (graph("dev", "2.4.20"), seen()),
        (graph("dev", "2.4.15", "900"), seen()),
        (graph("dev", "2.4.4", **{"ges-upgrader": "off"}), seen()),
        (graph("dev", "2.4.15"), failing(Verdict.SUCCEEDED)),
        (graph("dev", "2.4.15"), failing(Verdict.UNHEALTHY, Retried(at=NOW, graph_id=graph("dev").id))),
        (graph("dev", "2.4.15"), failing(Verdict.UNHEALTHY, Resumed(at=NOW, rule="dev"))),
    ],
)
def test_a_rule_goes_on_once_they_do(dev: Graph, past: History) -> None:
    waves = policy("[{name: dev, match: {name: dev}, max_failures: 9}, {name: prod, after: [dev]}]")
    assert decide(waves, past, others=(dev,)).reason is Reason.DUE


def test_a_rule_waits_where_nobody_knows_whether_the_graphs_before_it_are_all_there() -> None:
    waves = policy("[{name: dev, match: {name: dev}}, {name: prod, after: [dev]}]")
    (decision,) = plan(waves, [DEMO], seen(), NOW, complete=False)
    assert decision.reason is Reason.AFTER_RULE
    (decision,) = plan(policy(), [DEMO], seen(), NOW, complete=False)
    assert decision.reason is Reason.DUE


def test_a_rule_with_max_graphs_starts_nothing_where_nobody_can_count_its_graphs() -> None:
    (decision,) = plan(policy("[{max_graphs: 5}]"), [DEMO], seen(), NOW, complete=False)
    assert (decision.action, decision.reason) == (Action.BLOCKED, Reason.TOO_MANY)


def test_what_the_rules_have_reached_is_found_once_for_rules_that_a_soak_counts_from() -> None:
    def found(past: History, rules: str, *fleet: Graph, complete: bool = True) -> list[AnyRecord]:
        under = policy(rules)
        return [*milestones(survey(under, fleet, past, NOW, complete))]

    verified = Verified(at=NOW, rule="dev", version=X)

    two = graph("dev", "2.4.20"), msgspec.structs.replace(DEV, id="other")
    assert found(seen(), SOAK, *two) == [verified]
    assert found(seen(), SOAK, *two, complete=False) == []
    assert found(seen(verified), SOAK, *two) == []
    assert found(seen(Verified(at=NOW, rule="dev", version=Version("2.4.9"))), SOAK, *two) == [verified]
    assert found(seen(), SOAK, graph("dev", "2.4.15", "201")) == []
    assert found(seen(), SOAK) == []
    assert found(seen(), SOAK.replace("soak: 6h", "soak: 0h"), *two) == []


def test_a_rule_that_falls_behind_begins_its_soak_again_once_it_is_back() -> None:
    """A graph that is created, or rolled back, below the target has proved nothing, whoever upgrades it then."""
    past = seen(Verified(at=NOW - 9 * DAY, rule="dev", version=Version("2.4.9")), Verified(at=NOW - DAY, rule="dev", version=X))
    under, old = policy(SOAK.replace("{name: dev}}", "{name: 'dev*'}}")), graph("dev-2", "2.4.9")

    def pass_by(now: datetime, *fleet: Graph) -> list[AnyRecord]:
        passed = milestones(survey(under, fleet, past, now, complete=False))
        for record in passed:
            past.apply(record)
        return [*passed]

    assert pass_by(NOW, DEV, old) == [FellBehind(at=NOW, rule="dev", version=Version("2.4.9"))]
    assert pass_by(NOW, DEV, old) == []
    assert past.rollout.verified_at("dev", Version("2.4.9")) == NOW - 9 * DAY
    back = graph("dev-2", "2.4.15")
    assert decide(under, past, NOW + HOUR, others=(DEV, back)).until == NOW + 7 * HOUR


@pytest.mark.parametrize(
    ("records", "rules", "paused"),
    [
        ([Paused(at=NOW)], "[{}]", True),
        ([Paused(at=NOW, rule="rule-1")], "[{}]", True),
        ([Paused(at=NOW, rule="other")], "[{}, {name: other}]", False),
        ([Paused(at=NOW, graph_id=DEMO.id)], "[{}]", True),
        ([Paused(at=NOW, graph_id="other")], "[{}]", False),
        ([Paused(at=NOW), Resumed(at=NOW)], "[{}]", False),
        ([Paused(at=NOW), Resumed(at=NOW, rule="rule-1")], "[{}]", True),
        ([Paused(at=NOW, rule="rule-1"), Resumed(at=NOW, rule="rule-1")], "[{}]", False),
        ([Paused(at=NOW, rule="rule-1"), Resumed(at=NOW, version=X)], "[{}]", True),
        ([Paused(at=NOW, graph_id=DEMO.id), Resumed(at=NOW, graph_id=DEMO.id)], "[{}]", False),
        ([Paused(at=NOW, graph_id=DEMO.id), Resumed(at=NOW, graph_id="other")], "[{}]", True),
    ],
)
def test_a_pause_holds_what_it_names_until_it_is_resumed(records: list[AnyRecord], rules: str, paused: bool) -> None:
    decision = decide(policy(rules), seen(*records))
    assert (decision.action, decision.reason) == ((Action.BLOCKED, Reason.PAUSED) if paused else (Action.UPGRADE, Reason.DUE))
    assert decision.until is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Approved(at=NOW, version=X, rule="rule-1"), Reason.DUE),
        (Approved(at=NOW, version=X, graph_id=DEMO.id), Reason.DUE),
        (Approved(at=NOW - 14 * DAY + MICRO, version=X, rule="rule-1"), Reason.DUE),
        (Approved(at=NOW - 14 * DAY, version=X, rule="rule-1"), Reason.AWAITING_APPROVAL),
        (Approved(at=NOW, version=X, rule="other"), Reason.AWAITING_APPROVAL),
        (Approved(at=NOW, version=X, graph_id="other"), Reason.AWAITING_APPROVAL),
        (Approved(at=NOW, version=Version("2.4.9"), rule="rule-1"), Reason.AWAITING_APPROVAL),
    ],
)
def test_an_approval_is_of_a_version_for_a_rule_or_a_graph_and_lapses(record: AnyRecord, reason: Reason) -> None:
    decision = decide(policy("[{mode: approve}]"), seen(record))
    assert decision.reason is reason
    assert decision.action is (Action.UPGRADE if reason is Reason.DUE else Action.WAIT)


def test_the_later_of_two_approvals_counts_and_bounds_the_start() -> None:
    past = seen(Approved(at=NOW - DAY, version=X, rule="rule-1"), Approved(at=NOW - HOUR, version=X, graph_id=DEMO.id))
    assert start(policy("[{mode: approve}]"), past).start_before == NOW - HOUR + 14 * DAY


def test_a_start_after_the_approval_has_lapsed_is_not_foreseen() -> None:
    past = seen(Approved(at=NOW, version=X, rule="rule-1"))
    under = policy("[{mode: approve, approval_lifetime: 5d, windows: ['Sat 02:00-06:00 UTC']}]")
    assert decide(under, past).until is None
    under = policy("[{mode: approve, approval_lifetime: 6d, windows: ['Sat 02:00-06:00 UTC']}]")
    assert decide(under, past).until == at("2026-11-28 02:00")


def test_mode_notify_never_starts() -> None:
    decision = decide(policy("[{mode: notify}]"), seen())
    assert (decision.action, decision.reason, decision.target, decision.until) == (Action.SKIP, Reason.NOTIFY_ONLY, X, None)


@pytest.mark.parametrize(("most", "reason"), [(1, Reason.TOO_MANY), (2, Reason.DUE)])
def test_a_rule_that_governs_more_than_max_graphs_starts_nothing(most: int, reason: Reason) -> None:
    out = graph("out", **{"ges-upgrader": "off"})
    decision = decide(policy(f"[{{max_graphs: {most}, max_concurrent: 9, max_failures: 9}}]"), seen(), others=(graph("b"), out))
    assert decision.reason is reason
    assert decision.action is (Action.UPGRADE if reason is Reason.DUE else Action.BLOCKED)


@pytest.mark.parametrize(
    ("limits", "starts"),
    [
        ("max_concurrent: 2, max_failures: 9", 2),
        ("max_concurrent: 25%, max_failures: 9", 2),
        ("max_concurrent: 1%, max_failures: 9", 1),
        ("max_concurrent: 100%, max_failures: 100%", 10),
        ("max_concurrent: 9, max_failures: 3", 3),
        ("max_concurrent: 9, max_failures: 39%", 3),
    ],
)
def test_limits_are_numbers_or_parts_rounded_down_and_at_least_one(limits: str, starts: int) -> None:
    fleet = [graph(f"g{number}") for number in range(10)]
    found = [(one.action, one.reason) for one in plan(policy(f"[{{{limits}}}]"), fleet, seen(), NOW)]
    assert found.count((Action.UPGRADE, Reason.DUE)) == starts
    assert found.count((Action.WAIT, Reason.MAX_CONCURRENT)) == 10 - starts


def test_what_is_under_way_by_any_hand_takes_its_place_in_the_limits() -> None:
    fleet = [graph(f"g{number}") for number in range(5)]
    under = policy("[{max_concurrent: 4, max_failures: 9}]", max_concurrent="4")
    ours, backing_up, by_hand = fleet[0], fleet[1], msgspec.structs.replace(fleet[2], status=graph("x", status="203").status)
    past = begin(seen(), attempt(ours))
    past.apply(BackupIntended(at=NOW, backup=backup_attempt(backing_up)))
    fleet[2] = by_hand
    fleet[0] = msgspec.structs.replace(ours, status=by_hand.status)
    reasons = [one.reason for one in plan(under, fleet, past, NOW)]
    assert sorted(reasons) == sorted([Reason.UPGRADING, Reason.BACKING_UP, Reason.UPGRADING, Reason.DUE, Reason.MAX_CONCURRENT])


def test_the_policys_own_limit_counts_over_all_rules() -> None:
    fleet = [graph(f"a{number}") for number in range(4)] + [graph(f"b{number}") for number in range(4)]
    rules = "[{match: {name: 'a*'}, max_concurrent: 4, max_failures: 4}, {max_concurrent: 4, max_failures: 4}]"
    assert [one.reason for one in plan(policy(rules, max_concurrent="60%"), fleet, seen(), NOW)].count(Reason.DUE) == 4
    assert [one.reason for one in plan(policy(rules, max_concurrent="3"), fleet, seen(), NOW)].count(Reason.DUE) == 3
    assert [one.reason for one in plan(policy(rules), fleet, seen(), NOW)].count(Reason.DUE) == 8


def test_failures_count_for_their_version_and_rule_until_they_are_resumed() -> None:
    def after(*records: AnyRecord, rule: str = "rule-1") -> Reason:
        past = begin(seen(), attempt(graph("other"), rule=rule))
        past.apply(Ended(at=NOW, attempt_id="attempt-other", verdict=Verdict.ROLLED_BACK))
        for record in records:
            past.apply(record)
        return decide(policy("[{}, {name: second}]"), past).reason

    assert after() is Reason.HALTED
    assert after(rule="second") is Reason.DUE
    assert after(Resumed(at=NOW)) is Reason.DUE
    assert after(Resumed(at=NOW, version=X)) is Reason.DUE
    assert after(Resumed(at=NOW, version=Version("2.4.9"))) is Reason.HALTED
    assert after(Resumed(at=NOW, rule="second")) is Reason.HALTED
    assert after(Retried(at=NOW, graph_id=graph("other").id)) is Reason.DUE
    assert after(Retried(at=NOW, graph_id=DEMO.id)) is Reason.HALTED
    assert after(Released(at=NOW, release=Release(Version("2.4.20")))) is Reason.DUE
    assert after(Released(at=NOW, release=Release(Version("2.4.9")))) is Reason.HALTED


def test_a_halt_ends_when_a_newer_release_is_old_enough_and_that_is_foreseen() -> None:
    past = finish(begin(seen(at=NOW - 9 * DAY), attempt(graph("other"))), attempt(graph("other")), Verdict.FAILED)
    past.apply(Released(at=NOW, release=Release(Version("2.4.20"))))
    decision = decide(policy("[{min_release_age: 7d}]"), past)
    assert (decision.action, decision.reason) == (Action.BLOCKED, Reason.HALTED)
    assert (decision.until, decision.target) == (NOW + 7 * DAY, Version("2.4.20"))


WAVES = "[{name: a, match: {name: a}}, {name: b, match: {name: b}, after: [a]}, {name: c, after: [b]}, {name: d}]"


def test_a_version_that_halts_a_rule_is_quarantined_in_every_rule_after_it() -> None:
    past = finish(begin(seen(), attempt(graph("a"), rule="a")), attempt(graph("a"), rule="a"), Verdict.FAILED)
    decision = decide(policy(WAVES), past, others=(graph("a"), graph("b", "2.4.15")))
    assert (decision.action, decision.reason, decision.target) == (Action.BLOCKED, Reason.QUARANTINED, X)


def test_an_older_release_is_taken_where_the_newest_is_quarantined() -> None:
    past = finish(begin(seen(), attempt(graph("a"), rule="a")), attempt(graph("a"), rule="a"), Verdict.FAILED)
    past.apply(Released(at=NOW, release=Release(Version("2.4.9"))))
    decision = decide(policy(WAVES), past, others=(graph("a", "2.4.9"), graph("b", "2.4.9")))
    assert (decision.reason, decision.target) == (Reason.DUE, Version("2.4.9"))


@pytest.mark.parametrize(
    ("minutes", "cutoff"),
    [([], 30), ([10] * 20, 30), ([10] * 8 + [50, 90], 50), ([10] * 17 + [40, 45, 90], 40), ([45], 45)],
)
def test_an_automatic_cutoff_is_the_90th_percentile_of_past_upgrades_and_half_an_hour_at_least(
    minutes: list[int], cutoff: int
) -> None:
    past = seen()
    for number, took in enumerate(minutes):
        one = attempt(graph(f"g{number}"), rule="elsewhere")
        end = NOW + timedelta(minutes=took)
        begin(past, one).apply(Ended(at=end + DAY, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=end))
    found = start(policy("[{windows: ['Mon 01:00-05:00 UTC'], cutoff: auto}]"), past)
    assert found.start_before == at("2026-11-23 05:00") - timedelta(minutes=cutoff)
    assert found.closes == at("2026-11-23 05:00")


def test_a_start_carries_the_earliest_instant_from_which_it_is_too_late() -> None:
    def bound(rules: str, past: History, **fields: str) -> datetime:
        return start(policy(rules, **fields), past).start_before

    assert bound("[{}]", seen()) == FAR
    assert bound("[{}]", history("2.4.15", not_after=NOW + HOUR)) == NOW + HOUR
    freeze = "[{from: '2026-11-23T03:30:00Z', until: 2026-11-25}]"
    assert bound("[{windows: ['Mon 01:00-05:00 UTC']}]", seen(), freezes=freeze) == at("2026-11-23 03:00")
    backed = seen(BackedUp(at=NOW, graph_id=DEMO.id, made_at=NOW - 20 * HOUR))
    assert bound("[{backup: required}]", backed) == NOW + 4 * HOUR
    young = seen(Released(at=NOW - DAY, release=Release(Version("2.4.9"))))
    assert bound("[{min_release_age: 20h}]", young) == NOW + 20 * HOUR


@pytest.mark.parametrize(
    ("began", "action"), [(NOW - DAY + MICRO, Action.UPGRADE), (NOW - DAY, Action.BACKUP), (None, Action.BACKUP)]
)
def test_a_backup_comes_first_unless_one_is_young_enough(began: datetime | None, action: Action) -> None:
    past = seen(*([BackedUp(at=NOW, graph_id=DEMO.id, made_at=began)] if began else []))
    decision = decide(policy("[{backup: required}]"), past)
    assert (decision.action, decision.reason, decision.target) == (action, Reason.DUE, X)
    assert decide(policy(), past).action is Action.UPGRADE


def test_a_backup_under_way_is_waited_for_and_its_success_serves() -> None:
    past = seen(backup(), BackupStarted(at=NOW, backup_id="b", job_id="j"))
    decision = decide(policy("[{backup: required}]"), past)
    assert (decision.action, decision.reason, decision.job_id) == (Action.WAIT, Reason.BACKING_UP, "j")
    past.apply(BackupEnded(at=NOW + 3 * HOUR, backup_id="b", made="made", made_at=NOW + HOUR))
    assert decide(policy("[{backup: required}]"), past, NOW + DAY + HOUR - MICRO).action is Action.UPGRADE
    assert decide(policy("[{backup: required}]"), past, NOW + DAY + HOUR).action is Action.BACKUP


@pytest.mark.parametrize(
    ("force", "timed_out", "began", "forced"),
    [
        ("never", True, NOW - 99 * HOUR, False),
        ("always", True, NOW, True),
        ("always", False, NOW, False),
        ("{after: 24h}", True, NOW - DAY, True),
        ("{after: 24h}", True, NOW - DAY + MICRO, False),
        ("{after: 24h}", False, NOW - DAY, False),
    ],
)
def test_force_is_for_graphs_that_waited_in_vain_for_long_enough(
    force: str, timed_out: bool, began: datetime, forced: bool
) -> None:
    one = attempt(DEMO, began_at=began)
    past = begin(seen(), one)
    if timed_out:
        past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.TIMED_OUT))
    past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.ROLLED_BACK))
    found = starts(policy(f"[{{force: {force}, max_failures: 2}}]"), [DEMO], past)
    assert any(one.force for one in found) is forced


def test_what_is_always_forced_is_forced_at_once() -> None:
    assert start(policy("[{force: always}]"), seen()).force


def test_an_upgrade_that_failed_without_having_waited_is_not_tried_again_with_force() -> None:
    waited, failed = attempt(DEMO, to="2.4.9", began_at=NOW - 9 * DAY), msgspec.structs.replace(attempt(DEMO), id="later")
    past = begin(seen(), waited)
    past.apply(Ended(at=NOW - 8 * DAY, attempt_id=waited.id, verdict=Verdict.TIMED_OUT))
    past.apply(Ended(at=NOW - 7 * DAY, attempt_id=waited.id, verdict=Verdict.ROLLED_BACK))
    finish(begin(past, failed), failed, Verdict.ROLLED_BACK)
    for force in ("always", "{after: 24h}"):
        decision = decide(policy(f"[{{force: {force}, max_failures: 3}}]"), past)
        assert (decision.action, decision.reason, decision.until) == (Action.BLOCKED, Reason.QUARANTINED, None)


def test_a_timed_out_attempt_to_an_earlier_release_counts_too_as_long_as_the_graph_has_not_moved() -> None:
    one = attempt(DEMO, to="2.4.9", began_at=NOW - 2 * DAY)
    past = begin(seen(), one)
    past.apply(Ended(at=NOW - DAY, attempt_id=one.id, verdict=Verdict.TIMED_OUT))
    past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.ROLLED_BACK))
    under = policy("[{force: {after: 24h}}]")
    assert start(under, past).force
    assert not start(under, past, of=msgspec.structs.replace(DEMO, version=Version("2.4.9"))).force


@pytest.mark.parametrize("verdict", [Verdict.ROLLED_BACK, Verdict.VERSION_UNCHANGED, Verdict.VANISHED])
def test_a_graph_whose_upgrade_went_wrong_is_left_alone_at_that_version_though_its_rule_goes_on(verdict: Verdict) -> None:
    other = graph("other")
    past = finish(begin(seen(), attempt(DEMO)), attempt(DEMO), verdict)
    under = policy("[{max_failures: 3, max_concurrent: 3}]")
    decision = decide(under, past, others=(other,))
    assert (decision.action, decision.reason, decision.until) == (Action.BLOCKED, Reason.QUARANTINED, None)
    assert decide(under, past, of=other, others=(DEMO,)).reason is Reason.DUE
    for lifted in (Retried(at=NOW, graph_id=DEMO.id), Resumed(at=NOW), Released(at=NOW, release=Release(Version("2.4.20")))):
        past = finish(begin(seen(), attempt(DEMO)), attempt(DEMO), verdict)
        past.apply(lifted)
        assert decide(under, past, others=(other,)).reason is Reason.DUE


def test_a_version_that_went_wrong_with_a_graph_stays_so_whatever_was_tried_since() -> None:
    """The soak's seed 6200: the newer release, which failed as well, was withdrawn, and the older one is what is left."""
    older, newer = attempt(DEMO, to="2.4.9"), msgspec.structs.replace(attempt(DEMO), id="newer")
    past = seen(Released(at=NOW, release=Release(older.to_version)))
    for one in (older, newer):
        finish(begin(past, one), one, Verdict.ROLLED_BACK)
    past.apply(Withdrawn(at=NOW, version=newer.to_version))
    decision = decide(policy("[{max_failures: 3}]"), past)
    assert (decision.action, decision.reason, decision.target) == (Action.BLOCKED, Reason.QUARANTINED, older.to_version)


def test_a_graph_that_waited_in_vain_waits_for_its_force() -> None:
    one = attempt(DEMO, began_at=NOW - HOUR)
    past = begin(seen(), one)
    past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.TIMED_OUT))
    past.apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.ROLLED_BACK))
    decision = decide(policy("[{force: {after: 24h}, max_failures: 2}]"), past)
    assert (decision.action, decision.reason, decision.until) == (Action.WAIT, Reason.QUARANTINED, NOW + 23 * HOUR)
    forced = msgspec.structs.replace(one, id="forced", force=True, began_at=NOW + DAY)
    finish(begin(past, forced), forced, Verdict.ROLLED_BACK)
    decision = decide(policy("[{force: {after: 24h}, max_failures: 3}]"), past, NOW + 9 * DAY)
    assert (decision.reason, decision.until) == (Reason.QUARANTINED, None)


def test_refusals_in_one_window_do_not_lengthen_the_pauses_in_the_next() -> None:
    past = refused("GES.7004", 9)
    begin(past, attempt(DEMO, job_id=None, began_at=NOW + 7 * DAY))
    past.apply(Refused(at=NOW + 7 * DAY, attempt_id="attempt-demo", code="GES.7004", detail="no"))
    assert decide(policy(), past, NOW + 7 * DAY).until == NOW + 7 * DAY + timedelta(seconds=30)
    assert past.attempts.refusals[DEMO.key].since == NOW


def test_what_was_begun_under_another_rule_counts_under_the_one_that_governs_now() -> None:
    other = graph("other")
    rules = "[{name: old, match: {name: nothing}}, {name: new}]"
    for of, under_way in (
        (graph("demo", status="201"), begin(seen(), attempt(DEMO, rule="old"))),
        (DEMO, seen(msgspec.structs.replace(backup(), backup=msgspec.structs.replace(backup().backup, rule="old")))),
    ):
        assert decide(policy(rules), under_way, of=other, others=(of,)).reason is Reason.MAX_CONCURRENT


def test_a_planned_start_is_announced_once_with_its_instant() -> None:
    under = policy("[{notice: 24h, windows: ['Sat 02:00-06:00 UTC']}]")
    decision = decide(under, seen())
    assert (decision.reason, decision.announce) == (Reason.OUTSIDE_WINDOW, at("2026-11-28 02:00"))
    assert decide(under, seen(*told(DEMO))).announce is None
    assert decide(under, seen(told(DEMO)[0])).announce is None


def test_a_graph_that_waits_for_its_turn_is_announced_too() -> None:
    under = policy("[{notice: 24h}]")
    fleet = [graph("a"), graph("b")]
    past = seen(*told(*fleet))
    first, second = sorted(plan(under, fleet, past, NOW + DAY), key=lambda one: one.reason.value)
    assert (first.reason, second.reason, second.until) == (Reason.DUE, Reason.MAX_CONCURRENT, None)


def test_a_notice_that_is_not_out_yet_counts_from_when_it_will_be() -> None:
    past = seen(told(DEMO)[0])
    assert decide(policy("[{notice: 24h}]"), past, NOW + HOUR).until == NOW + HOUR + DAY


@pytest.mark.parametrize(
    ("order", "setting"),
    [
        (Reason.PAUSED, {"enabled": "false"}),
        (Reason.TOO_MANY, {"max_graphs": "1"}),
        (Reason.NOT_RUNNING, {}),
    ],
)
def test_the_first_gate_that_holds_gives_the_reason(order: Reason, setting: dict[str, str]) -> None:
    stopped = graph("demo", status="900")
    rule = f"max_graphs: {setting['max_graphs']}, " if "max_graphs" in setting else ""
    fields: dict[str, Any] = {"enabled": "false"} if "enabled" in setting else {}
    under = policy(f"[{{{rule}min_release_age: 7d, windows: ['Sat 02:00-06:00 UTC'], mode: approve}}]", **fields)
    assert decide(under, seen(), of=stopped, others=(graph("b"),)).reason is order


def test_the_spread_gives_each_graph_its_own_place_in_the_window() -> None:
    under = policy("[{windows: ['Mon 03:00-07:00 UTC'], spread: 1h, max_concurrent: 99, max_failures: 99}]")
    fleet = [graph(f"g{number}") for number in range(40)]
    starts = [one.until for one in plan(under, fleet, seen(), NOW) if one.until]
    opens = at("2026-11-23 03:00")
    assert len(set(starts)) == 40
    assert all(opens <= start < opens + HOUR for start in starts)
    assert max(starts) - min(starts) > timedelta(minutes=40)
    assert [one.until for one in plan(under, fleet, seen(), NOW + timedelta(minutes=30))] == [
        one.until for one in plan(under, fleet, seen(), NOW)
    ]


def test_the_target_is_the_one_of_the_start_and_not_that_of_the_first_sight() -> None:
    """A newer release that will be old enough when the window opens is what will be started then."""
    past = seen(Released(at=NOW - DAY, release=Release(Version("2.4.20"))), at=NOW - 9 * DAY)
    under = policy("[{min_release_age: 3d, windows: ['Sat 02:00-06:00 UTC']}]")
    decision = decide(under, past)
    assert (decision.until, decision.target) == (at("2026-11-28 02:00"), Version("2.4.20"))
    assert decide(under, past, at("2026-11-28 02:00")).target == Version("2.4.20")


def test_a_graph_that_is_created_again_does_not_begin_the_soak_again() -> None:
    past = seen(Verified(at=NOW - 10 * HOUR, rule="dev", version=X))
    again = msgspec.structs.replace(DEV, id="another")
    assert decide(policy(SOAK), past, others=(again,)).reason is Reason.DUE


def test_a_release_without_a_date_is_not_pending_for_ever() -> None:
    assert decide(policy("[{min_release_age: 7d}]", trust_released_at="true"), seen()).until == NOW + 7 * DAY


def test_a_release_that_the_journal_has_not_seen_yet_is_first_seen_now() -> None:
    under = policy("[{min_release_age: 7d}]", releases="[{version: 2.4.15, released_at: 2026-10-01}]")
    assert decide(under, History()).until == NOW + 7 * DAY
    trusting = policy(
        "[{min_release_age: 7d}]", releases="[{version: 2.4.15, released_at: 2026-10-01}]", trust_released_at="true"
    )
    assert decide(trusting, History()).reason is Reason.DUE
    assert decide(trusting, seen()).reason is Reason.DUE


def arrived(*ends: tuple[str, str, Verdict, int]) -> History:
    """A history in which dev's attempts ended so: name, version, how, and how many hours after NOW."""
    past = seen(Verified(at=NOW - DAY, rule="dev", version=Version("2.4.9")))
    past.apply(Verified(at=NOW - DAY, rule="dev", version=X))
    for name, version, verdict, hours in ends:
        one = msgspec.structs.replace(attempt(graph("dev"), version, rule="dev"), id=name)
        begin(past, one).apply(Ended(at=NOW + hours * HOUR, attempt_id=name, verdict=verdict))
    past.apply(Resumed(at=NOW))
    return past


def test_a_soak_counts_from_the_success_at_the_target_and_from_no_failure_and_no_earlier_version() -> None:
    failed_first = arrived(("one", "2.4.15", Verdict.ROLLED_BACK, 1), ("two", "2.4.15", Verdict.SUCCEEDED, 3))
    assert decide(policy(SOAK), failed_first, NOW + 4 * HOUR, others=(DEV,)).until == NOW + 9 * HOUR
    in_two_steps = arrived(("one", "2.4.9", Verdict.SUCCEEDED, 1), ("two", "2.4.15", Verdict.SUCCEEDED, 3))
    assert decide(policy(SOAK), in_two_steps, NOW + 4 * HOUR, others=(DEV,)).until == NOW + 9 * HOUR


def test_failed_backups_hold_only_rules_that_want_one() -> None:
    assert decide(policy("[{backup: none}]"), failed_backups(1)).reason is Reason.DUE


def test_a_release_is_not_started_when_its_time_is_over() -> None:
    ending = history("2.4.15", not_after=NOW + HOUR)
    under = policy("[{windows: ['Mon 03:00-05:00 UTC', 'Sat 03:00-05:00 UTC']}]")
    assert decide(under, ending).until is None
    assert decide(under, history("2.4.15", not_after=NOW + HOUR + MICRO)).until == NOW + HOUR
    ending.apply(Released(at=NOW, release=Release(Version("2.4.9"))))
    decision = decide(under, ending)
    assert (decision.until, decision.target) == (NOW + HOUR, Version("2.4.9"))


def test_the_lowest_source_of_a_release_is_one_that_it_is_for() -> None:
    assert decide(policy(), history("2.4.15", min_source_version=Version("2.4.4"))).reason is Reason.DUE


def test_graphs_alike_in_their_targets_but_not_in_their_versions_are_told_apart() -> None:
    past = history("2.4.15", targets=Targets(tags={}, graph_names=("a", "b")))
    low, high = graph("a"), graph("b", "2.4.15")
    reasons = {one.graph: one.reason for one in plan(policy(), [low, high], past, NOW)}
    assert reasons == {"a": Reason.DUE, "b": Reason.UP_TO_DATE}


def test_failures_and_what_is_under_way_fill_max_failures_together() -> None:
    fleet = [graph(f"g{number}") for number in range(5)]
    under = policy("[{max_concurrent: 9, max_failures: 3}]")
    past = finish(begin(seen(), attempt(fleet[0])), attempt(fleet[0]), Verdict.ROLLED_BACK)
    assert [one.reason for one in plan(under, fleet, past, NOW)].count(Reason.DUE) == 2
    begin(past, attempt(fleet[1]))
    assert [one.reason for one in plan(under, fleet, past, NOW)].count(Reason.DUE) == 1


def test_every_upgrade_by_hand_takes_a_place() -> None:
    fleet = [graph(f"g{number}", status="201" if number < 2 else "200") for number in range(5)]
    found = plan(policy("[{max_concurrent: 3, max_failures: 9}]"), fleet, seen(), NOW)
    assert [one.reason for one in found].count(Reason.DUE) == 1


@pytest.mark.parametrize(
    ("of", "records", "readable", "expected"),
    [
        (DEMO, "upgrade", True, (Action.WAIT, Reason.UPGRADING, "2.4.4", "2.4.15", "job-1")),
        (DEMO, "upgrade", False, (Action.WAIT, Reason.UPGRADING, "2.4.4", "2.4.15", "job-1")),
        (DEMO, "backup", True, (Action.WAIT, Reason.BACKING_UP, "2.4.4", "2.4.15", "job-2")),
        (graph("demo", **{"ges-upgrader": "off"}), "", True, (Action.SKIP, Reason.OPTED_OUT, "2.4.4", "None", None)),
        (graph("demo", status="201"), "", True, (Action.WAIT, Reason.UPGRADING, "2.4.4", "None", None)),
        (DEMO, "", False, (Action.BLOCKED, Reason.STATE_UNAVAILABLE, "2.4.4", "None", None)),
        (graph("demo", version=None), "", True, (Action.BLOCKED, Reason.REFUSED, "None", "None", None)),
    ],
)
def test_what_is_clear_before_a_release_is_looked_at(
    of: Graph, records: str, readable: bool, expected: tuple[Any, ...]
) -> None:
    past = seen()
    if records == "upgrade":
        begin(past, attempt(DEMO))
        of = msgspec.structs.replace(of, status=graph("x", status="201").status, version=None)
    if records == "backup":
        past.apply(backup())
        past.apply(BackupStarted(at=NOW, backup_id="b", job_id="job-2"))
    past.readable = readable
    found = decide(policy(), past, of=of)
    assert found.project == DEMO.project
    assert (found.action, found.reason, str(found.from_version), str(found.target), found.job_id) == expected


@pytest.mark.parametrize("reverse", [False, True])
def test_of_graphs_alike_only_those_that_a_release_targets_are_offered_it(reverse: bool) -> None:
    past = History([Released(at=NOW, release=Release(X, targets=Targets(graph_names=("a",))))])
    fleet = [graph("a"), graph("b")]
    found = plan(policy("[{max_concurrent: 9, max_failures: 9}]"), fleet[::-1] if reverse else fleet, past, NOW)
    assert {one.graph: one.reason for one in found} == {"a": Reason.DUE, "b": Reason.NO_RELEASE}


@pytest.mark.parametrize("freeze", ["when: always", "when: '* 00:00-24:00 UTC'", "when: always, allow: {versions: '>=2.5'}"])
def test_a_freeze_without_end_names_no_instant(freeze: str) -> None:
    decision = decide(policy(freezes=f"[{{{freeze}}}]"), seen())
    assert (decision.action, decision.reason, decision.until) == (Action.WAIT, Reason.FROZEN, None)
