"""Laws of explanations, over the policies, fleets and histories of the planner's own laws."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import event, given
from hypothesis import strategies as st

from ges_upgrader.diagnosis.explain import explain
from ges_upgrader.diagnosis.rejected_releases import misfits
from ges_upgrader.domain.model import Action, Decision, Graph, Reason, Release
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Approved, Released
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.planning.releases import fits
from tests.builders import NOW, TOPIC, at, graph, plan, survey
from tests.properties.test_planner import (
    SLOW,
    STARTED,
    WINDOWS,
    Rollout,
    fleets,
    freezes,
    limits,
    parsed,
    policies,
    releases,
)

ZONES = ["UTC", "Asia/Shanghai", "America/New_York"]
WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def waiting_rule(name: str, after: list[list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    """A rule that seldom lets anything start at once, and mostly at some time."""
    return st.fixed_dictionaries(
        {"name": st.just(name), "match": st.just({"name": f"{name}*"}), "windows": st.sampled_from(WINDOWS)},
        optional={
            "cutoff": st.sampled_from(["0m", "30m", "auto", "2h"]),
            "spread": st.sampled_from(["45m", "6h"]),
            "min_release_age": st.sampled_from(["1d", "7d", {"default": "3d", "security": "6h"}]),
            "mode": st.sampled_from(["auto", "approve"]),
            "approval_lifetime": st.sampled_from(["1h", "2d", "14d"]),
            "notice": st.sampled_from(["6h", "36h"]),
            "after": st.sampled_from(after),
            "soak": st.sampled_from(["6h", "3d"]),
            "max_concurrent": limits,
            "max_failures": limits,
            "backup": st.sampled_from(["none", "required"]),
        },
    )


waiting_policies = st.fixed_dictionaries(
    {
        "notify": st.just(TOPIC),
        "state": st.just("none"),
        "rules": st.tuples(waiting_rule("dev", [[]]), waiting_rule("prod", [[], ["dev"]])).map(list),
    },
    optional={"freezes": st.lists(freezes, max_size=2), "max_concurrent": limits},
)


@st.composite
def waiting_fleets(draw: st.DrawFn) -> list[Graph]:
    names = draw(
        st.lists(st.sampled_from([f"{kind}{n}" for kind in ("dev", "prod") for n in range(4)]), min_size=2, unique=True)
    )
    return [graph(name, draw(st.sampled_from(["2.4.4", "2.4.4", "2.4.15"]))) for name in names]


every_policy = policies | waiting_policies
every_fleet = fleets() | waiting_fleets()


def rolled(written: dict[str, Any], fleet: list[Graph], data: st.DataObject) -> Rollout:
    """A rollout in which some things happened."""
    zone = data.draw(st.sampled_from(ZONES))
    rollout = Rollout(json.loads(json.dumps(written).replace(' UTC"', f' {zone}"')), fleet)
    for version in data.draw(st.sampled_from([["2.4.9"], ["2.4.15"], ["2.4.9", "2.4.15"]])):
        rollout.history.apply(Released(at=NOW, release=Release(Version(version))))
    if data.draw(st.booleans()):
        rollout.history.apply(Approved(at=NOW, version=Version("2.4.15"), rule="prod"))
        rollout.history.apply(Released(at=NOW, release=Release(Version("2.4.20"), not_after=at("2026-11-24 12:00"))))
    for _ in range(data.draw(st.integers(0, 6))):
        rollout.do(data.draw)
        for decision in rollout.run():
            if decision.action in STARTED:
                rollout.start(decision)
    rollout.now += data.draw(st.sampled_from([timedelta(), timedelta(hours=22, minutes=50), timedelta(days=1, seconds=1)]))
    return rollout


def explained(rollout: Rollout) -> list[tuple[Decision, dict[str, Any]]]:
    surveyed = survey(rollout.policy, rollout.fleet.values(), rollout.history, rollout.now)
    planned = plan_of(surveyed)
    found = explain(surveyed, planned)
    return [(decision, found[decision.key]) for decision in planned.decisions]


@SLOW
@given(every_policy, every_fleet, st.data())
def test_exactly_one_check_binds_every_graph_that_does_not_start(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    for decision, found in explained(rolled(written, fleet, data)):
        binding = [check for check in found["checks"] if check["binding"]]
        assert len(binding) == (decision.action not in STARTED)
        assert all(check["blocks"] for check in binding)
        event(f"binds: {[check['check'] for check in binding]}")
        if decision.until is None and decision.action is Action.WAIT:
            assert all(check["until"] is None for check in binding)


@SLOW
@given(waiting_policies, waiting_fleets(), st.data())
def test_whatever_would_make_a_start_earlier_does_when_it_is_planned(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    rollout = rolled(written, fleet, data)
    for decision, found in explained(rollout):
        for sentence in found["earlier"]:
            event(re.sub(r"\d\S+|on \w+( \(.*\))?", "…", sentence))
            for changed in changes(rollout.written, str(decision.rule), sentence):
                after = plan(parsed(changed), rollout.fleet.values(), rollout.history, rollout.now)
                there = next(one for one in after if one.graph_id == decision.graph_id)
                check_claim(sentence, decision, there, rollout)


def changes(written: dict[str, Any], name: str, sentence: str) -> list[dict[str, Any]]:
    """The policy, as it is written, with the change that the sentence speaks of; with each such change, where it is of any."""
    (rule,) = [rule for rule in written["rules"] if rule["name"] == name]

    def changed(**fields: Any) -> dict[str, Any]:
        return {**written, "rules": [{**one, **fields} if one is rule else one for one in written["rules"]]}

    if sentence.startswith("shortening"):
        field = next(word for word in ("min_release_age", "soak", "notice") if word in sentence)
        return [changed(**{field: "0m"})]
    if sentence.startswith("lifting"):
        freezes = []
        for freeze in written["freezes"]:
            left = [one for one in freeze.get("rules", ["dev", "prod"]) if one != name]
            freezes += [{**freeze, "rules": left}] if left else []
        return [{**written, "freezes": freezes}]
    zone = rule["windows"][0].split()[-1]
    named = re.match(r"a window on (\w+)(?: \((\S+)\))?", sentence)
    days = [named[1]] if named else WEEK
    assert not named or zone == (named[2] or "UTC")
    return [changed(windows=[*rule["windows"], f"{day[:3]} 00:00-24:00 {zone}"]) for day in days]


def check_claim(sentence: str, before: Decision, after: Decision, rollout: Rollout) -> None:
    given = re.search(r" gives (\S+)$", sentence)
    queued = after.reason is Reason.MAX_CONCURRENT
    if given and after.action in STARTED:
        assert given[1] == ceiled(rollout.now)
    elif given:
        assert after.until is not None and given[1] == ceiled(after.until)
        assert before.until is None or after.until < before.until
    elif sentence.endswith("leaves it waiting for a place (max-concurrent)"):
        assert queued
    elif sentence.endswith("changes nothing"):
        assert (after.until, after.target) == (before.until, before.target)
    else:
        assert sentence.endswith(("makes it no earlier", "no window makes it earlier"))
        assert not queued and after.action not in STARTED
        assert after.until is None or (before.until is not None and after.until >= before.until)


@SLOW
@given(every_policy, every_fleet, st.data())
def test_every_release_that_was_passed_over_has_its_reason(
    written: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    for decision, found in explained(rolled(written, fleet, data)):
        for check in found["checks"]:
            if check["check"] == "release":
                _, *passed = check["value"].split("; ")
                assert all(re.match(r"\d\S+ \w+", one) for one in passed)
                if decision.reason in (Reason.NO_RELEASE, Reason.VERSION_NOT_ALLOWED):
                    assert passed or check["value"] == "none is known"


@given(releases, st.sampled_from(["2.4.4", "2.4.9", None]), st.sampled_from(["dev1", "prod2"]), st.data())
def test_a_release_fits_exactly_where_nothing_about_it_does_not(
    release: Release, version: str | None, name: str, data: st.DataObject
) -> None:
    regions = data.draw(st.sampled_from([(), ("cn-north-4",), ("cn-east-3",)]))
    kinds = data.draw(st.sampled_from([(), ("InMemory",), ("Persistence",)]))
    archs = data.draw(st.sampled_from([(), ("x86_64",), ("aarch64",)]))
    restricted = msgspec.structs.replace(release, regions=regions, product_types=kinds, arch=archs)
    assert fits(restricted, graph(name, version)) == (not list(misfits(restricted, graph(name, version))))
