"""Why, and what if: every gate with its value, which one binds, and what would make the start earlier."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from ges_upgrader.diagnosis.explain import explain, state_of
from ges_upgrader.diagnosis.forecast import forecast
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Graph, Release, Severity, Targets, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackedUp,
    BackupIntended,
    Ended,
    Noticed,
    Paused,
    Refused,
    Released,
    Told,
    Withdrawn,
)
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.policy.schema import Policy
from tests.builders import NOW, at, attempt, backup_attempt, begin, graph, history, policy, survey

X = Version("2.4.15")
DEMO = graph("demo")


def explained(under: Policy, past: History, *others: Graph, of: Graph = DEMO, complete: bool = True) -> dict[str, Any]:
    surveyed = survey(under, [of, *others], past, NOW, complete)
    return explain(surveyed, plan_of(surveyed)).get(of.key, {})


def value(under: Policy, past: History, name: str, *others: Graph) -> str:
    return str(next(check["value"] for check in explained(under, past, *others)["checks"] if check["check"] == name))


def binding(under: Policy, past: History, *others: Graph) -> list[str]:
    return [check["check"] for check in explained(under, past, *others)["checks"] if check["binding"]]


def seen(*records: AnyRecord) -> History:
    return History([Released(at=NOW, release=Release(X)), *records])


def refused() -> History:
    past = begin(seen(), attempt(DEMO, job_id=None))
    past.apply(Refused(at=NOW, attempt_id="attempt-demo", code="GES.7041", detail="not permitted"))
    return past


FREEZE = {"freezes": "[{from: 2026-11-23, until: 2026-11-25, reason: sale}]"}
WAVES = "[{name: dev, match: {name: 'dev*'}}, {name: prod, after: [dev], soak: 6h}]"


@pytest.mark.parametrize(
    ("rules", "fields", "past", "name", "text"),
    [
        ("[{}]", {}, seen(), "release", "2.4.15"),
        ("[{}]", {}, seen(), "rule", "rule-1, which governs 1"),
        ("[{}]", {}, history(), "release", "none is known"),
        ("[{versions: '>3'}]", {}, seen(), "release", "none to upgrade to; 2.4.15 is not allowed by versions >3"),
        ("[{}]", {"enabled": "false"}, seen(), "pause", "the policy says enabled: false"),
        ("[{}]", {}, seen(Paused(at=NOW, reason="month end")), "pause", "since 2026-11-23T02:00:00Z: month end"),
        ("[{}]", {}, seen(), "pause", "none"),
        ("[{max_graphs: 3}]", {}, seen(), "count", "1 of at most 3"),
        ("[{max_failures: 2}]", {}, seen(), "failures", "0 of 2 at 2.4.15"),
        ("[{}]", {}, seen(), "status", "200"),
        ("[{}]", {}, refused(), "refusal", "GES.7041, 1 times, the last at 2026-11-23T02:00:00Z: not permitted"),
        ("[{min_release_age: 7d}]", {}, seen(), "age", "2.4.15 counts from 2026-11-23T02:00:00Z and needs 7d"),
        ("[{mode: approve}]", {}, seen(), "mode", "approve"),
        ("[{mode: approve}]", {}, seen(), "approval", "none"),
        (
            "[{mode: approve}]",
            {},
            seen(Approved(at=NOW, version=X, rule="rule-1")),
            "approval",
            "expires 2026-12-07T02:00:00Z",
        ),
        ("[{}]", FREEZE, seen(), "freeze", "sale, until 2026-11-25T00:00:00Z"),
        ("[{}]", {"freezes": "[{from: 2026-12-24, until: 2026-12-25}]"}, seen(), "freeze", "none of 1 now"),
        (
            "[{}]",
            {"freezes": "[{when: 'Mon 02:15-04:00 UTC', reason: sale}]"},
            seen(),
            "freeze",
            "sale, from 2026-11-23T02:15:00Z, cutoff 30m, until 2026-11-23T04:00:00Z",
        ),
        ("[{}]", {"freezes": "[{when: always}]"}, seen(), "freeze", "no reason given, with no end in sight"),
        (
            "[{}]",
            {"freezes": "[{when: always, reason: sale, allow: {versions: '~=2.4.0'}}]"},
            seen(),
            "freeze",
            "sale, with no end in sight, allows 2.4.15",
        ),
        ("[{}]", {}, seen(), "window", "always"),
        (
            "[{windows: ['Sat 02:00-06:00 UTC', 'Sun 02:00-06:00 UTC']}]",
            {},
            seen(),
            "window",
            "Sat 02:00-06:00 UTC | Sun 02:00-06:00 UTC, cutoff 30m: from 2026-11-28T02:00:00Z, before 2026-11-28T05:30:00Z",
        ),
        ("[{notice: 24h}]", {}, seen(), "notice", "1d before the start; announced not yet"),
        ("[{backup: required}]", {}, seen(), "backup", "required; none is known yet"),
        (
            "[{backup: required}]",
            {},
            seen(BackedUp(at=NOW, graph_id=DEMO.id, made_at=NOW)),
            "backup",
            "required; the last one known serves until 2026-11-24T02:00:00Z",
        ),
        ("[{}]", {}, seen(), "budget", "1 of 1 under the rule, 1 of 1 that could be failures at 2.4.15"),
        (
            "[{max_concurrent: 3, max_failures: 4}]",
            {"max_concurrent": "2"},
            seen(),
            "budget",
            "1 of 3 under the rule, 1 of 4 that could be failures at 2.4.15, 1 of 2 in all",
        ),
    ],
)
def test_each_gate_shows_its_value(rules: str, fields: dict[str, str], past: History, name: str, text: str) -> None:
    assert value(policy(rules, **fields), past, name) == text


def test_a_gate_that_the_rule_does_not_have_is_not_shown() -> None:
    names = [check["check"] for check in explained(policy(), seen())["checks"]]
    assert names == ["release", "rule", "pause", "failures", "status", "age", "mode", "window", "budget"]


def test_a_wave_names_the_graphs_that_it_waits_for() -> None:
    under = policy(WAVES)
    assert value(under, seen(), "wave", graph("dev_a"), graph("dev_b", "2.4.15")) == "dev: 1 of 2 do not run 2.4.15: dev_a"
    assert value(under, seen(), "wave", graph("dev_b", "2.4.15")) == "dev: all 1 run 2.4.15, soaking 6h"
    checks = explained(under, seen(), complete=False)["checks"]
    assert "some project could not be listed" in next(one["value"] for one in checks if one["check"] == "wave")


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("restrictions", "why"),
    [
        ({"regions": ("cn-east-3", "cn-south-1")}, "is only for region cn-east-3, cn-south-1"),
        ({"product_types": ("Persistence",)}, "is only for product type Persistence"),
        ({"arch": ("aarch64",)}, "is only for arch aarch64"),
        ({"min_source_version": Version("2.4.9")}, "is only for graphs at 2.4.9 or later"),
        ({"targets": Targets(graph_names=("other",))}, "is meant for other graphs"),
        ({"not_before": NOW + 2 * DAY}, "may not be started before 2026-11-25T02:00:00Z"),
        ({"not_after": NOW - DAY}, "may not be started from 2026-11-22T02:00:00Z on"),
        (
            {"not_before": NOW + 2 * DAY, "not_after": NOW + DAY},
            "may not be started before 2026-11-25T02:00:00Z and may not be started from 2026-11-24T02:00:00Z on",
        ),
        ({"arch": ("aarch64",), "regions": ("x",)}, "is only for region x and is only for arch aarch64"),
    ],
)
def test_a_release_whose_announcement_does_not_fit_is_told_with_the_reason(restrictions: dict[str, Any], why: str) -> None:
    past = history("2.4.15")
    past.apply(Released(at=NOW, release=Release(Version("2.4.20"), **restrictions)))
    assert value(policy(), past, "release") == f"2.4.15; 2.4.20 {why}"


@pytest.mark.parametrize("version", ["2.4.4", "2.4.15"])
def test_a_graph_without_a_release_or_up_to_date_is_told_what_does_not_fit_it(version: str) -> None:
    past = history("2.4.15") if version == "2.4.15" else history()
    past.apply(Released(at=NOW, release=Release(Version("2.4.20"), arch=("aarch64",))))
    (check, _) = explained(policy(), past, of=graph("demo", version))["checks"]
    assert (check["value"], check["binding"]) == ("none to upgrade to; 2.4.20 is only for arch aarch64", True)


def test_a_release_that_the_rule_or_its_history_passes_over_is_told_with_the_reason() -> None:
    past = history("2.4.9", "2.4.15")
    past.apply(Released(at=NOW - 8 * DAY, release=Release(Version("2.4.4"))))
    past.apply(Released(at=NOW - 8 * DAY, release=Release(Version("3.0.0"))))
    past.apply(Withdrawn(at=NOW, version=X))
    assert value(policy("[{versions: '<3'}]"), past, "release") == (
        "2.4.9; 3.0.0 is not allowed by versions <3; 2.4.15 is withdrawn"
    )
    assert value(policy("[{min_release_age: 7d, versions: '<2.4.15'}]"), past, "release") == (
        "2.4.9; 3.0.0 is not allowed by versions <2.4.15; 2.4.15 is withdrawn"
    )
    young = value(policy("[{min_release_age: 7d, versions: '!=2.4.9'}]"), past, "release")
    assert young == "3.0.0"
    past.apply(Released(at=NOW, release=Release(Version("3.1.0"))))
    young = value(policy("[{min_release_age: 7d, versions: '!=2.4.9'}]"), past, "release")
    assert young == "3.0.0; 3.1.0 is not old enough (7d) before 2026-11-30T02:00:00Z"


def test_a_release_that_failed_is_told_as_halted_or_quarantined() -> None:
    failed = begin(history("2.4.9", "2.4.15"), attempt(graph("dev"), rule="dev"))
    failed.apply(Ended(at=NOW, attempt_id="attempt-dev", verdict=Verdict.FAILED))
    waves = policy(WAVES.replace("dev*", "dev"))
    assert value(waves, failed, "release", graph("dev", "2.4.9")) == "2.4.9; 2.4.15 is quarantined"
    young = policy("[{name: dev, min_release_age: {default: 1d, security: 0d}}]")
    failed.apply(Released(at=NOW, release=Release(Version("2.4.12"), severity=Severity.SECURITY)))
    assert value(young, failed, "release") == (
        "2.4.12; 2.4.15 is halted under this rule and is not old enough (1d) before 2026-11-24T02:00:00Z"
    )


def test_where_no_release_fits_every_one_is_told_of() -> None:
    past = history("2.4.9", "2.4.15", regions=("cn-east-3",))
    past.apply(Withdrawn(at=NOW, version=X))
    (check, _) = explained(policy(), past, of=graph("demo", "2.4.10"))["checks"]
    assert check["value"] == ("none to upgrade to; 2.4.15 is withdrawn")
    (check, _) = explained(policy(), past, of=graph("demo", "3.0.0"))["checks"]
    assert check["value"] == (
        "none to upgrade to; 2.4.15 is withdrawn; 2.4.9 is no later than the graph's 3.0.0 and is only for region cn-east-3"
    )
    over = history("2.4.15", not_after=NOW + DAY)
    (check, _) = explained(policy("[{min_release_age: 7d}]"), over)["checks"]
    assert check["value"] == (
        "none to upgrade to; 2.4.15 is not old enough (7d) before 2026-11-30T02:00:00Z "
        "and may not be started from 2026-11-24T02:00:00Z on"
    )


def test_no_more_than_the_newest_releases_are_told_of() -> None:
    past = history("2.4.15", *(f"3.0.{number}" for number in range(9)))
    told = value(policy("[{versions: '<3'}]"), past, "release").split("; ")
    assert [one.split()[0] for one in told] == ["2.4.15", "3.0.8", "3.0.7", "3.0.6", "3.0.5", "3.0.4", "4"]
    assert told[-1] == "4 more are rejected"


def test_a_release_that_takes_the_place_of_the_one_that_is_chosen_is_told_of() -> None:
    past = history("2.4.15")
    past.apply(Released(at=NOW, release=Release(Version("2.4.20"), not_before=NOW + DAY)))
    assert value(policy("[{windows: ['Sat 02:00-06:00 UTC']}]"), past, "release") == (
        "2.4.15 now, and 2.4.20 by the time of the start; 2.4.20 may not be started before 2026-11-24T02:00:00Z"
    )


def test_an_age_that_only_the_announcement_asks_for_says_so() -> None:
    past = history("2.4.15", not_before=NOW + DAY)
    assert value(policy(), past, "age") == (
        "2.4.15 counts from 2026-11-23T02:00:00Z and needs 0s; not before 2026-11-24T02:00:00Z"
    )


@pytest.mark.parametrize(
    ("rules", "fields", "past", "bound"),
    [
        ("[{min_release_age: 7d, windows: ['Sat 02:00-06:00 UTC']}]", {}, seen(), "age"),
        ("[{min_release_age: 1d, windows: ['Sat 02:00-06:00 UTC']}]", {}, seen(), "window"),
        ("[{windows: ['* 02:30-06:00 UTC']}]", FREEZE, seen(), "freeze"),
        ("[{notice: 48h, min_release_age: 1d}]", {}, seen(), "notice"),
        ("[{mode: approve, windows: ['Sat 02:00-06:00 UTC']}]", {}, seen(), "approval"),
        ("[{windows: ['Sat 02:00-06:00 UTC']}]", {"enabled": "false"}, seen(), "pause"),
        ("[{}]", {}, refused(), "refusal"),
        ("[{versions: '>3'}]", {}, seen(), "release"),
    ],
)
def test_the_one_gate_that_decides_is_marked(rules: str, fields: dict[str, str], past: History, bound: str) -> None:
    assert binding(policy(rules, **fields), past) == [bound]


@pytest.mark.parametrize(
    ("rules", "restrictions", "text"),
    [
        (
            "[{windows: ['Sat 02:00-06:00 UTC']}]",
            {"not_after": at("2026-11-25 00:00")},
            "2.4.15 could start only before 2026-11-25T00:00:00Z (its not_after), and all else passes at 2026-11-28T02:00:00Z",
        ),
        (
            "[{windows: ['Sat 02:00-06:00 UTC'], mode: approve, approval_lifetime: 1d}]",
            {},
            "2.4.15 could start only before 2026-11-24T02:00:00Z (when its approval expires), "
            "and all else passes at 2026-11-28T02:00:00Z",
        ),
    ],
)
def test_a_release_whose_time_ends_before_all_gates_agree_is_told_as_what_binds(
    rules: str, restrictions: dict[str, Any], text: str
) -> None:
    past = history("2.4.15", **restrictions)
    past.apply(Approved(at=NOW, version=X, rule="rule-1"))
    found = explained(policy(rules), past)
    (bound,) = [check for check in found["checks"] if check["binding"]]
    assert bound == {"check": "expiry", "blocks": True, "value": text, "until": None, "binding": True}
    assert found["earlier"] == ["a window on Monday gives 2026-11-23T02:00:00Z"]


@pytest.mark.parametrize(
    ("fields", "hours", "now", "never"),
    [
        ({}, 5, NOW, "cutoff 5h: never, because the cutoff of 5h is as long as the windows"),
        ({}, 4.501, NOW, "cutoff 271m: never, because the cutoff of 271m is as long as the windows"),
        (
            {"freezes": "[{from: 2027-01-01, until: 2029-01-01}]"},
            1,
            at("2027-01-02 00:00"),
            "cutoff 1h: never, because the freezes leave no time within 400 days",
        ),
    ],
)
def test_windows_in_which_nothing_can_ever_start_say_why(
    fields: dict[str, str], hours: float, now: datetime, never: str
) -> None:
    past = seen()
    one = attempt(graph("other"), to="2.4.9", rule="elsewhere", began_at=NOW - timedelta(hours=hours))
    begin(past, one).apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=NOW))
    under = policy("[{windows: ['* 02:00-06:00 UTC'], cutoff: auto}]", **fields)
    surveyed = survey(under, [DEMO], past, now)
    planned = plan_of(surveyed)
    assert planned.decisions[0].until is None
    checks = explain(surveyed, planned)[DEMO.key]["checks"]
    (window,) = [check for check in checks if check["check"] == "window"]
    assert (window["value"], window["until"]) == (f"* 02:00-06:00 UTC, {never}", None)
    assert window["binding"] or fields


def test_a_cutoff_as_long_as_the_windows_can_be_helped_by_a_longer_one() -> None:
    past = seen()
    one = attempt(graph("other"), to="2.4.9", rule="elsewhere", began_at=NOW - timedelta(hours=5))
    begin(past, one).apply(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=NOW))
    found = explained(policy("[{windows: ['* 02:00-06:00 UTC'], cutoff: auto}]"), past)
    assert found["earlier"] == ["a window on Monday gives 2026-11-23T02:00:00Z"]


def test_a_wave_of_no_graphs_is_told_as_not_waited_for() -> None:
    assert value(policy(WAVES), seen(), "wave") == "dev: governs no graph, so it is not waited for"


def test_a_release_that_another_follows_is_told_with_what_holds_that_one() -> None:
    past = history("2.4.15")
    past.apply(Released(at=NOW, release=Release(Version("2.4.20"), not_before=NOW + DAY)))
    past.apply(Approved(at=NOW, version=X, rule="rule-1"))
    under = policy("[{windows: ['Sat 02:00-06:00 UTC'], mode: approve}]")
    assert binding(under, past) == ["expiry"]
    assert value(under, past, "expiry") == (
        "2.4.15 could start only before 2026-11-24T02:00:00Z (when 2.4.20 takes its place), "
        "and all else passes at 2026-11-28T02:00:00Z; 2.4.20 is blocked by approval"
    )


def test_a_release_of_which_another_ends_meanwhile_is_told_once() -> None:
    past = history("2.4.15", not_after=at("2026-11-27 00:00"))
    past.apply(Released(at=NOW, release=Release(Version("2.4.9"), not_after=at("2026-11-25 00:00"))))
    told = value(policy("[{windows: ['Sat 02:00-06:00 UTC']}]"), past, "expiry")
    assert told == (
        "2.4.15 could start only before 2026-11-27T00:00:00Z (its not_after), and all else passes at 2026-11-28T02:00:00Z"
    )


def test_an_age_beyond_all_windows_in_sight_binds_and_can_be_shortened() -> None:
    found = explained(policy("[{min_release_age: 600d, windows: ['Sat 02:00-06:00 UTC']}]"), seen())
    assert [check["check"] for check in found["checks"] if check["binding"]] == ["age"]
    assert found["earlier"][0] == "shortening min_release_age gives 2026-11-28T02:00:00Z"


def test_where_no_change_of_one_gate_helps_the_one_that_holds_the_longest_binds() -> None:
    """The refusal is looked at first, and is over in five minutes; the age and the notice hold for a day, both of them."""
    past = refused()
    assert binding(policy("[{min_release_age: 1d, notice: 1d, windows: ['Tue 00:00-04:00 UTC']}]"), past) == ["age"]
    assert binding(policy("[{min_release_age: 1d, notice: 30h}]"), past) == ["notice"]
    assert binding(policy("[{notice: 24h, windows: ['* 02:00-03:00 UTC', '* 12:00-13:00 UTC']}]"), past) == ["notice"]


def test_of_gates_that_time_does_not_lift_the_first_binds_whatever_else_holds() -> None:
    past = seen(Paused(at=NOW))
    assert binding(policy("[{mode: approve, min_release_age: 7d}]"), seen()) == ["approval"]
    assert binding(policy("[{mode: approve, min_release_age: 7d}]"), past) == ["pause"]


def test_nothing_binds_a_graph_that_starts() -> None:
    assert binding(policy(), seen()) == []


def test_the_limits_bind_a_graph_that_waits_for_its_turn() -> None:
    fleet = [graph("a"), graph("b")]
    under = policy()
    surveyed = survey(under, fleet, seen(), NOW)
    found = explain(surveyed, plan_of(surveyed))
    bound = [[check["check"] for check in one["checks"] if check["binding"]] for one in found.values()]
    assert sorted(bound) == [[], ["budget"]]


def test_a_change_of_each_field_is_tried() -> None:
    rules = (
        "[{name: dev, match: {name: dev}}, {name: prod, after: [dev], soak: 30h, notice: 24h, "
        "min_release_age: 2d, windows: ['Sat 02:00-06:00 UTC']}]"
    )
    under = policy(rules, freezes="[{from: 2026-11-28, until: 2026-11-30, reason: sale}]")
    found = explained(under, seen(), graph("dev", "2.4.15"))
    assert found["earlier"] == [
        "shortening min_release_age changes nothing",
        "shortening the soak changes nothing",
        "lifting the rule's freezes gives 2026-11-28T02:00:00Z",
        "a window on Wednesday gives 2026-11-25T02:00:00Z",
        "shortening the notice changes nothing",
    ]
    assert explained(policy(), seen())["earlier"] == []


@pytest.mark.parametrize(
    ("windows", "now", "sentence"),
    [
        (
            "'Sat 02:00-06:00 Asia/Shanghai'",
            "2026-11-23 18:00",
            "a window on Tuesday (Asia/Shanghai) gives 2026-11-23T18:00:00Z",
        ),
        ("'Sat 02:00-06:00 UTC'", "2026-11-23 18:00", "a window on Monday gives 2026-11-23T18:00:00Z"),
        ("'Sat 02:00-06:00 UTC'", "2026-11-23 23:45", "a window on Tuesday gives 2026-11-24T00:00:00Z"),
        ("'Tue 00:00-06:00 UTC'", "2026-11-23 23:45", "a window on Monday gives 2026-11-23T23:45:00Z"),
        ("'Mon 00:00-06:00 UTC'", "2026-11-24 23:45", "a window on Wednesday gives 2026-11-25T00:00:00Z"),
    ],
)
def test_a_day_that_would_help_is_named_in_the_zone_of_the_windows_and_leaves_room_for_the_cutoff(
    windows: str, now: str, sentence: str
) -> None:
    under = policy(f"[{{windows: [{windows}]}}]")
    surveyed = survey(under, [DEMO], history("2.4.15"), at(now))
    assert explain(surveyed, plan_of(surveyed))[DEMO.key]["earlier"] == [sentence]


def test_a_change_is_not_said_to_help_while_others_take_the_places() -> None:
    busy = begin(seen(), attempt(graph("busy")))
    found = explained(policy("[{windows: ['Sat 02:00-06:00 UTC']}]"), busy, graph("busy", status="201"))
    assert found["earlier"] == ["a window on Monday leaves it waiting for a place (max-concurrent)"]


@pytest.mark.parametrize(("limit", "waiting"), [("1", ["a", "b"]), ("2", ["a"]), ("3", [])])
def test_a_change_is_tried_with_the_graphs_of_other_rules_in_their_turns(limit: str, waiting: list[str]) -> None:
    """The turns are those of `one`, `b` and `a`."""
    rules = "[{match: {name: one}}, {windows: ['Sat 02:00-06:00 UTC'], max_concurrent: 2, max_failures: 2}]"
    under = policy(rules, max_concurrent=limit)
    surveyed = survey(under, [graph("a"), graph("b"), graph("one")], seen(), NOW)
    found = explain(surveyed, plan_of(surveyed))
    assert found[graph("one").key]["earlier"] == []
    for name in "ab":
        gives = "leaves it waiting for a place (max-concurrent)" if name in waiting else "gives 2026-11-23T02:00:00Z"
        assert found[graph(name).key]["earlier"] == [f"a window on Monday {gives}"]


def test_a_change_that_leads_to_a_later_start_is_not_said_to_change_nothing() -> None:
    """Without the age the newer release is chosen, which nobody was told of yet."""
    past = History([Released(at=NOW - 8 * DAY, release=Release(Version("2.4.9"))), Released(at=NOW, release=Release(X))])
    told = Noticed(at=NOW - DAY, notice_id="n", text="", notice_kind="planned", version=Version("2.4.9"), graphs=(DEMO.id,))
    past.apply(told)
    past.apply(Told(at=NOW - DAY, event_id="n", message_id=""))
    under = policy("[{min_release_age: 7d, notice: 36h}]")
    assert explained(under, past)["earlier"] == [
        "shortening min_release_age makes it no earlier",
        "shortening the notice gives 2026-11-23T02:00:00Z",
    ]


def test_freezes_that_are_over_are_not_spoken_of() -> None:
    under = policy("[{windows: ['Sat 02:00-06:00 UTC']}]", freezes="[{from: 2026-11-01, until: 2026-11-02}]")
    assert explained(under, seen())["earlier"] == ["a window on Monday gives 2026-11-23T02:00:00Z"]


BACKUP = backup_attempt(DEMO, job_id="job-2")


@pytest.mark.parametrize(
    ("of", "past", "rules", "check", "text"),
    [
        (DEMO, seen(), "[{match: {name: x}}]", "rule", "none matches"),
        (graph("a", **{"ges-upgrader": "off"}), seen(), "[{}]", "opt-out", "the graph's own tag ges-upgrader=off"),
        (graph("a", None), seen(), "[{}]", "version", "GES shows no version of the graph, or none that can be read"),
        (graph("a", status="203"), seen(), "[{}]", "status", "203: an upgrade or its rollback, begun outside this tool"),
        (DEMO, begin(seen(), attempt(DEMO)), "[{}]", "attempt", "to 2.4.15, since 2026-11-23T02:00:00Z, job job-1"),
        (DEMO, seen(BackupIntended(at=NOW, backup=BACKUP)), "[{}]", "backup", "since 2026-11-23T02:00:00Z, job job-2"),
        (DEMO, History(readable=False), "[{}]", "state", "the journal cannot be read or written"),
    ],
)
def test_what_is_clear_before_any_gate_is_the_one_check(of: Graph, past: History, rules: str, check: str, text: str) -> None:
    assert explained(policy(rules), past, of=of) == {
        "checks": [{"check": check, "blocks": True, "value": text, "until": None, "binding": True}],
        "earlier": [],
    }


def test_the_state_is_what_the_journal_holds() -> None:
    past = seen(
        Paused(at=NOW, rule="prod", reason="month end"),
        Approved(at=NOW, version=X, graph_id="g"),
        Withdrawn(at=NOW, version=X),
        Noticed(at=NOW, notice_id="n", text="x"),
    )
    begin(past, attempt(DEMO)).apply(Ended(at=NOW, attempt_id="attempt-demo", verdict=Verdict.FAILED))
    moment = "2026-11-23T02:00:00Z"
    assert state_of(past) == {
        "releases": [{"version": "2.4.15", "first_seen": moment, "withdrawn": True, "questioned": False}],
        "pauses": [{"rule": "prod", "graph_id": None, "since": moment, "reason": "month end"}],
        "approvals": [{"version": "2.4.15", "rule": None, "graph_id": "g", "at": moment}],
        "failures": [{"rule": "rule-1", "version": "2.4.15", "failures": 1}],
        "undelivered": ["n", "job-1:failed"],
    }


def test_a_forecast_takes_one_after_the_other_and_leaves_the_history_as_it_was() -> None:
    past = seen()
    fleet = [graph(name) for name in "abc"]
    found = forecast(policy(), Fleet.of(fleet), past, NOW, 1)
    assert [one.at for one in found] == [NOW, NOW + timedelta(minutes=15), NOW + timedelta(minutes=30)]
    assert {one.graph for one in found} == set("abc")
    assert past.attempts.open() == []


def test_a_forecast_takes_upgrades_for_as_long_as_they_took() -> None:
    past = seen()
    for number, minutes in enumerate((10, 40, 50)):
        one = attempt(graph(f"g{number}"), rule="elsewhere")
        end = NOW + timedelta(minutes=minutes)
        begin(past, one).apply(Ended(at=end, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=end))
    found = forecast(policy(), Fleet.of([graph("a"), graph("b")]), past, NOW, 1)
    assert found[1].at - found[0].at == timedelta(minutes=40)


def test_a_forecast_begins_with_what_is_on_its_way() -> None:
    one = attempt(DEMO, began_at=NOW - timedelta(minutes=5))
    under_way = msgspec.structs.replace(DEMO, status=graph("x", status="201").status)
    found = forecast(policy(), Fleet.of([under_way, graph("next")]), begin(seen(), one), NOW, 1)
    assert [(one.graph, one.at) for one in found] == [("next", NOW + timedelta(minutes=10))]


def test_a_forecast_ends_with_its_days() -> None:
    under = policy("[{windows: ['Sat 02:00-06:00 UTC']}]")
    assert forecast(under, Fleet.of([DEMO]), seen(), NOW, 5) == []
    (one,) = forecast(under, Fleet.of([DEMO]), seen(), NOW, 6)
    assert one.at == at("2026-11-28 02:00")


def test_a_forecast_goes_on_after_a_backup_that_is_on_its_way() -> None:
    backup = msgspec.structs.replace(BACKUP, began_at=NOW - timedelta(minutes=5))
    found = forecast(policy(), Fleet.of([DEMO, graph("next")]), seen(BackupIntended(at=NOW, backup=backup)), NOW, 90)
    assert {one.graph for one in found} == {"demo", "next"}
    assert found[0].at == NOW + timedelta(minutes=10)
    required = forecast(policy("[{backup: required}]"), Fleet.of([DEMO]), seen(BackupIntended(at=NOW, backup=backup)), NOW, 90)
    assert [one.at for one in required] == [NOW + timedelta(minutes=10)]


@pytest.mark.parametrize("status", ["201", "203", "903"])
def test_a_forecast_goes_on_after_what_another_hand_does(status: str) -> None:
    found = forecast(policy(), Fleet.of([graph("other", status=status)]), seen(), NOW, 90)
    assert [(one.graph, one.at, one.from_version.text) for one in found] == [("other", NOW + timedelta(minutes=15), "2.4.4")]


def test_a_forecast_goes_on_after_an_upgrade_of_a_graph_that_is_not_seen() -> None:
    found = forecast(policy(), Fleet.of([DEMO]), begin(seen(), attempt(graph("elsewhere"))), NOW, 90)
    assert [(one.graph, one.at) for one in found] == [("demo", NOW + timedelta(minutes=15))]


@pytest.mark.parametrize("status", ["900", "300", "800"])
def test_a_forecast_waits_for_no_person(status: str) -> None:
    assert forecast(policy(), Fleet.of([graph("stopped", status=status)]), seen(), NOW, 90) == []
    stopped = graph("demo", status=status)
    assert forecast(policy(), Fleet.of([stopped]), seen(BackupIntended(at=NOW, backup=BACKUP)), NOW, 90) == []
