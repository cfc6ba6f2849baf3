"""One decision, with its reason, for every graph."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action, Decision, Graph, Project, Reason, Targets, Verdict
from ges_upgrader.domain.timestamps import FAR
from ges_upgrader.domain.version import Version
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Refused
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.policy.schema import Policy
from tests.builders import NOW, at, attempt, begin, finish, graph, history, plan, policy, starts, survey


def decide(policy_: Policy, graph_: Graph, history_: History | None = None) -> Decision:
    (decision,) = plan(policy_, [graph_], history("2.4.15") if history_ is None else history_, NOW)
    return decision


def test_a_graph_below_an_allowed_release_is_due() -> None:
    decision = decide(policy(), graph("a"))
    assert (decision.action, decision.reason, decision.target) == (Action.UPGRADE, Reason.DUE, Version("2.4.15"))
    assert decision.until is None


def test_the_first_rule_that_matches_governs() -> None:
    rules = "[{name: dev, match: {name: 'dev_*'}}, {name: rest}, {name: never}]"
    assert decide(policy(rules), graph("dev_a")).rule == "dev"
    assert decide(policy(rules), graph("prod_a")).rule == "rest"


def test_a_graph_that_no_rule_matches_is_left_alone() -> None:
    decision = decide(policy("[{match: {tags: {env: prod}}}]"), graph("a", env="dev"))
    assert (decision.action, decision.reason, decision.rule) == (Action.SKIP, Reason.NO_RULE, None)


@pytest.mark.parametrize(
    "match",
    [
        "{name: 'a*'}",
        "{tags: {env: prod}}",
        "{tags: {env: 'pr*'}}",
        "{region: cn-north-4}",
        "{project_id: '0123*'}",
        "{product_type: InMemory}",
        "{name: a, tags: {env: prod}}",
    ],
)
def test_a_rule_matches_by_everything_that_it_names(match: str) -> None:
    assert decide(policy(f"[{{match: {match}}}]"), graph("a", env="prod")).reason is Reason.DUE


@pytest.mark.parametrize(
    "match",
    ["{name: A}", "{id: 'x*'}", "{enterprise_project: '0'}", "{name: a, tags: {env: dev}}", "{region: cn-east-3}"],
)
def test_a_rule_does_not_match_where_one_thing_differs_or_is_not_known(match: str) -> None:
    assert decide(policy(f"[{{match: {match}}}]"), graph("a", env="prod")).reason is Reason.NO_RULE


def test_the_graphs_own_tag_wins_over_the_policy() -> None:
    assert decide(policy(), graph("a", **{"ges-upgrader": "off"})).reason is Reason.OPTED_OUT


def test_without_a_release_nothing_is_done() -> None:
    assert decide(policy(), graph("a"), history()).reason is Reason.NO_RELEASE


def test_a_release_of_the_policy_is_known_without_a_message() -> None:
    assert decide(policy(releases="[{version: 2.4.15}]"), graph("a"), history()).target == Version("2.4.15")


def test_a_graph_at_the_newest_release_is_up_to_date() -> None:
    assert decide(policy(), graph("a", "2.4.15")).reason is Reason.UP_TO_DATE
    assert decide(policy(), graph("a", "2.4.16")).reason is Reason.UP_TO_DATE


def test_a_graph_is_never_upgraded_to_a_version_that_the_rule_does_not_allow() -> None:
    decision = decide(policy("[{versions: '<2.4.10'}]"), graph("a"))
    assert (decision.action, decision.reason) == (Action.SKIP, Reason.VERSION_NOT_ALLOWED)


def test_the_newest_allowed_release_is_taken_by_number() -> None:
    decision = decide(policy("[{versions: '!=2.4.20'}]"), graph("a"), history("2.4.9", "2.4.15", "2.4.20"))
    assert decision.target == Version("2.4.15")


@pytest.mark.parametrize(
    "restrictions",
    [
        {"regions": ("cn-east-3",)},
        {"product_types": ("Persistence",)},
        {"arch": ("aarch64",)},
        {"min_source_version": Version("2.4.5")},
        {"targets": Targets(graph_names=("b",))},
        {"targets": Targets(tags={"env": "prod"})},
        {"not_after": NOW},
    ],
)
def test_a_release_that_is_not_for_the_graph_is_none(restrictions: dict[str, object]) -> None:
    assert decide(policy(), graph("a"), history("2.4.15", **restrictions)).reason is Reason.NO_RELEASE


def test_a_release_whose_time_is_over_is_none_for_the_graphs_that_run_it_either() -> None:
    assert decide(policy(), graph("a", "2.4.15"), history("2.4.15", not_after=NOW)).reason is Reason.NO_RELEASE
    later = NOW + timedelta(microseconds=1)
    assert decide(policy(), graph("a", "2.4.15"), history("2.4.15", not_after=later)).reason is Reason.UP_TO_DATE


def test_a_release_may_not_be_started_before_its_time() -> None:
    later = NOW + timedelta(hours=5)
    decision = decide(policy(), graph("a"), history("2.4.15", not_before=later))
    assert (decision.action, decision.reason, decision.until) == (Action.WAIT, Reason.TOO_YOUNG, later)


def test_outside_its_windows_a_graph_waits_until_the_next_one_opens() -> None:
    decision = decide(policy("[{windows: ['Sat 02:00-06:00 UTC']}]"), graph("a"))
    assert (decision.action, decision.reason) == (Action.WAIT, Reason.OUTSIDE_WINDOW)
    assert decision.until == at("2026-11-28 02:00")


def test_a_start_inside_a_window_carries_the_instant_from_which_it_is_too_late() -> None:
    (start,) = starts(policy("[{windows: ['Mon 01:00-04:00 UTC']}]"), [graph("a")], history("2.4.15"))
    assert start.start_before == at("2026-11-23 03:30")


def test_a_start_at_any_time_is_never_too_late() -> None:
    (start,) = starts(policy("[{windows: [always], cutoff: 30m}]"), [graph("a")], history("2.4.15"))
    assert (start.start_before, start.closes) == (FAR, FAR)


def test_calendars_are_worked_out_once_for_all_instants_that_are_looked_at_together() -> None:
    now = survey(policy("[{windows: ['Sat 02:00-06:00 UTC']}]"), [graph("a")], history("2.4.15"))
    later, apart = now.at(NOW + timedelta(hours=1)), survey(now.policy, [graph("a")], history("2.4.15"))
    assert now.steps["rule-1"].calendar is later.steps["rule-1"].calendar
    assert now.steps["rule-1"].calendar is not apart.steps["rule-1"].calendar
    assert plan_of(now).decisions == plan_of(later).decisions == plan_of(apart).decisions


def test_until_goes_through_the_release_and_the_window_together() -> None:
    soon = history("2.4.15", not_before=at("2026-11-28 05:00"))
    decision = decide(policy("[{windows: ['Sat 02:00-05:20 UTC', 'Wed 03:00-06:00 UTC']}]"), graph("a"), soon)
    assert decision.until == at("2026-12-02 03:00")


@pytest.mark.parametrize(
    ("status", "reason"), [("900", "not-running"), ("999", "not-running"), ("", "not-running"), ("903", "backing-up")]
)
def test_a_graph_that_is_not_running_waits(status: str, reason: str) -> None:
    decision = decide(policy(), graph("a", status=status))
    assert (decision.action.value, decision.reason.value, decision.until) == ("wait", reason, None)


@pytest.mark.parametrize("status", ["201", "203"])
def test_a_graph_that_is_being_upgraded_by_any_hand_waits(status: str) -> None:
    assert decide(policy(), graph("a", status=status)).reason is Reason.UPGRADING


def test_a_graph_with_an_open_attempt_waits_for_it_and_names_its_job() -> None:
    one = graph("a")
    decision = decide(policy(), one, begin(history("2.4.15"), attempt(one)))
    assert (decision.action, decision.reason, decision.job_id) == (Action.WAIT, Reason.UPGRADING, "job-1")


def test_a_graph_without_a_version_that_can_be_read_is_never_touched() -> None:
    assert decide(policy(), graph("a", None)).action is Action.BLOCKED


def test_a_disabled_policy_starts_nothing() -> None:
    assert decide(policy(enabled="false"), graph("a")).reason is Reason.PAUSED


def test_an_unreadable_journal_starts_nothing() -> None:
    unreadable = history("2.4.15")
    unreadable.readable = False
    assert decide(policy(), graph("a"), unreadable).reason is Reason.STATE_UNAVAILABLE


def test_a_failed_version_halts_its_rule_and_no_other() -> None:
    failed = graph("a")
    past = finish(begin(history("2.4.15"), attempt(failed, rule="dev")), attempt(failed, rule="dev"), Verdict.ROLLED_BACK)
    rules = policy("[{name: dev, match: {tags: {env: dev}}}, {name: prod}]")
    by_name = {one.graph: one.reason for one in plan(rules, [graph("b", env="dev"), graph("c")], past, NOW)}
    assert by_name == {"b": Reason.HALTED, "c": Reason.DUE}


def test_a_newer_version_is_not_halted_by_the_failure_of_an_older_one() -> None:
    failed = graph("a")
    past = finish(begin(history("2.4.15", "2.4.16"), attempt(failed)), attempt(failed), Verdict.FAILED)
    assert decide(policy(), failed, past).target == Version("2.4.16")


def test_no_more_than_max_concurrent_of_a_rule_are_started() -> None:
    decisions = plan(
        policy("[{max_concurrent: 2, max_failures: 2}]"), [graph(name) for name in "abcde"], history("2.4.15"), NOW
    )
    reasons = sorted(decision.reason.value for decision in decisions)
    assert reasons == ["due", "due", "max-concurrent", "max-concurrent", "max-concurrent"]


def test_upgrades_by_another_hand_count_against_max_concurrent() -> None:
    decisions = plan(policy(), [graph("a"), graph("b", status="201")], history("2.4.15"), NOW)
    assert {one.graph: one.reason for one in decisions} == {"a": Reason.MAX_CONCURRENT, "b": Reason.UPGRADING}


def test_a_refused_call_is_tried_again_only_after_a_pause_that_doubles() -> None:
    one = graph("a")
    past = begin(history("2.4.15"), attempt(one, job_id=None))
    past.apply(Refused(at=NOW, attempt_id="attempt-a", code="GES.7041", detail=""))
    assert decide(policy(), one, past).reason is Reason.REFUSED
    (later,) = plan(policy(), [one], past, NOW + timedelta(minutes=5))
    assert later.reason is Reason.DUE
    begin(past, attempt(one, job_id=None))
    past.apply(Refused(at=NOW, attempt_id="attempt-a", code="GES.7041", detail=""))
    (later,) = plan(policy(), [one], past, NOW + timedelta(minutes=5))
    assert later.reason is Reason.REFUSED


@pytest.mark.parametrize(("code", "reason"), [("GES.7001", "not-running"), ("GES.7002", "backing-up"), ("GES.0001", "refused")])
def test_ges_refusals_become_decisions(code: str, reason: str) -> None:
    one = graph("a")
    past = begin(history("2.4.15"), attempt(one, job_id=None))
    past.apply(Refused(at=NOW, attempt_id="attempt-a", code=code, detail=""))
    assert decide(policy(), one, past).reason.value == reason


def test_force_is_what_the_rule_says() -> None:
    for force, forced in (("always", True), ("never", False)):
        (start,) = starts(policy(f"[{{force: {force}}}]"), [graph("a")], history("2.4.15"))
        assert start.force is forced


@given(st.permutations(["a", "b", "c", "d", "e", "f"]))
def test_the_order_of_the_fleet_does_not_matter(names: list[str]) -> None:
    two_at_a_time = policy("[{max_concurrent: 2}]")
    expected = plan(two_at_a_time, [graph(name) for name in sorted(names)], history("2.4.15"), NOW)
    assert plan(two_at_a_time, [graph(name) for name in names], history("2.4.15"), NOW) == expected


def test_the_same_graph_id_in_two_regions_is_two_graphs_with_a_decision_each() -> None:
    here = graph("a")
    there = Graph(project=Project("cn-east-3", "p2"), id="other", name="a", version=here.version, status=here.status)
    assert len(plan(policy(), [here, there], history("2.4.15"), NOW)) == 2


@pytest.mark.parametrize(
    "targets",
    [
        Targets(graph_ids=(graph("a").id,)),
        Targets(graph_names=("b", "a")),
        Targets(tags={"env": "prod"}),
        Targets(graph_ids=(graph("a").id,), graph_names=("a",), tags={"env": "prod"}),
    ],
)
def test_a_release_with_targets_is_for_those(targets: Targets) -> None:
    announced = history("2.4.15", targets=targets)
    assert decide(policy(), graph("a", env="prod"), announced).reason is Reason.DUE
    assert decide(policy(), graph("x", env="dev"), announced).reason is Reason.NO_RELEASE


@pytest.mark.parametrize(
    "targets",
    [
        Targets(graph_ids=("other",), graph_names=("a",)),
        Targets(graph_names=("other",), graph_ids=(graph("a").id,)),
        Targets(graph_names=("a",), tags={"env": "test"}),
        Targets(graph_names=("a",), tags={"env": "prod", "team": "x"}),
    ],
)
def test_a_graph_must_fit_every_list_of_the_targets(targets: Targets) -> None:
    announced = history("2.4.15", targets=targets)
    assert decide(policy(), graph("a", env="prod"), announced).reason is Reason.NO_RELEASE


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ({}, {"dev_a", "dev_b", "prod_a"}),
        ({"rule": "dev"}, {"dev_a", "dev_b"}),
        ({"graph_id": graph("dev_a").id}, {"dev_a"}),
        ({"rule": "prod", "graph_id": graph("prod_a").id}, {"prod_a"}),
        ({"rule": "gone"}, {"dev_a", "dev_b", "prod_a"}),
    ],
)
def test_a_damage_of_the_journal_holds_what_it_is_about_and_nothing_else(scope: dict[str, str], held: set[str]) -> None:
    past = history("2.4.15")
    past.controls.suffer(Damage("d", "record 3 of journal-1.jsonl", "it is broken off", **scope))
    rules = "[{name: dev, match: {name: 'dev_*'}, max_concurrent: 2, max_failures: 2}, {name: prod}]"
    decisions = plan(policy(rules), [graph("dev_a"), graph("dev_b"), graph("prod_a")], past, NOW)
    blocked = {one.graph for one in decisions if one.reason is Reason.STATE_UNAVAILABLE and one.action is Action.BLOCKED}
    assert blocked == held
    assert {one.graph for one in decisions if one.action is Action.UPGRADE} == {"dev_a", "dev_b", "prod_a"} - held


GONE = graph("gone")


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.FAILED, Reason.HALTED), (None, Reason.MAX_CONCURRENT), (Verdict.SUCCEEDED, Reason.DUE)]
)
def test_what_became_of_a_graph_that_is_not_to_be_seen_counts_where_its_rule_is_gone(
    verdict: Verdict | None, reason: Reason
) -> None:
    one = attempt(GONE, rule="renamed")
    past = begin(history("2.4.15"), one)
    if verdict:
        finish(past, one, verdict)
    assert decide(policy("[{name: prod, max_concurrent: 2}]"), graph("a"), past).reason is reason
    assert decide(policy("[{name: prod, max_concurrent: 2, max_failures: 2}]"), graph("a"), past).reason is Reason.DUE


def test_what_failed_under_a_rule_that_is_gone_does_not_count_where_no_rule_governs_its_graph() -> None:
    past = finish(begin(history("2.4.15"), attempt(GONE, rule="renamed")), attempt(GONE, rule="renamed"), Verdict.FAILED)
    (decision, _) = sorted(
        plan(policy("[{name: prod, match: {name: a}}]"), [graph("a"), GONE], past, NOW), key=lambda one: one.graph
    )
    assert decision.reason is Reason.DUE


QUARTER_END = "[{from: 2026-11-20, until: 2026-12-01, allow: {versions: '~=2.4.0'}}]"


def test_what_a_freeze_allows_takes_the_place_of_what_it_blocks() -> None:
    under, past = policy(freezes=QUARTER_END), history("2.4.15", "2.5.0")
    (frozen,) = plan(under, [graph("demo")], past)
    assert (frozen.action, frozen.target) == (Action.UPGRADE, Version("2.4.15"))
    (thawed,) = plan(under, [graph("demo")], past, at("2026-12-01 00:00"))
    assert (thawed.action, thawed.target) == (Action.UPGRADE, Version("2.5.0"))
    (first,) = starts(under, [graph("demo")], past)
    assert first.start_before == at("2026-12-01 00:00")


def test_a_halted_version_keeps_its_place_in_a_freeze() -> None:
    under, past = policy(freezes=QUARTER_END), history("2.4.15", "2.5.0")
    failed = attempt(graph("other"), "2.5.0")
    (decision,) = plan(under, [graph("demo")], finish(begin(past, failed), failed, Verdict.FAILED))
    assert (decision.reason, decision.target) == (Reason.HALTED, Version("2.5.0"))


def test_without_an_allowed_version_the_newest_waits() -> None:
    (decision,) = plan(policy(freezes=QUARTER_END), [graph("late", "2.4.15")], history("2.4.15", "2.5.0"))
    assert (decision.reason, decision.target, decision.until) == (Reason.FROZEN, Version("2.5.0"), at("2026-12-01 00:00"))
