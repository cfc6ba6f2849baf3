"""Which decisions a result shows, and how much of everything fits into it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action, Decision, Reason
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.running.results.pages import fits, page_of, selected, summary
from ges_upgrader.running.results.sizes import MOST_BYTES, bounded, size_of
from tests.builders import PROJECT


def decision(number: int, action: Action = Action.WAIT, rule: str | None = "prod") -> Decision:
    return Decision(
        project=PROJECT,
        graph_id=f"id-{number:05}",
        graph=f"graph {number}",
        rule=rule,
        from_version=None,
        target=None,
        action=action,
        reason=Reason.OUTSIDE_WINDOW,
    )


def shown(one: Decision, weight: int = 0) -> dict[str, Any]:
    return {
        "project_id": one.project.project_id,
        "graph_id": one.graph_id,
        "action": one.action.value,
        "checks": "x" * weight,
    }


def result(word: str, decisions: list[dict[str, Any]], **lists: Any) -> dict[str, Any]:
    whole = summary([], [])
    return {"command": word, "summary": whole, "decisions": decisions, "cursor": None, "errors": [], **lists}


def ids(decisions: list[dict[str, Any]]) -> list[str]:
    return [one["graph_id"] for one in decisions]


# Pages


@given(st.integers(0, 40), st.integers(1, 15), st.randoms())
def test_pages_show_each_graph_once(count: int, limit: int, random: Any) -> None:
    decisions = [decision(number) for number in range(count)]
    found: list[str] = []
    cursor = None
    while True:
        random.shuffle(decisions)  # their turns change in between
        page = page_of(Command(Word.PLAN, limit=limit, cursor=cursor), decisions, shown)
        assert len(page.decisions) <= limit
        found += ids(page.decisions)
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [f"id-{number:05}" for number in range(count)]


def test_small_plan_keeps_the_order_of_turns() -> None:
    decisions = [decision(number) for number in (3, 1, 2)]
    assert ids(page_of(Command(Word.PLAN), decisions, shown).decisions) == ["id-00003", "id-00001", "id-00002"]


def test_no_more_is_explained_than_fits() -> None:
    asked: list[str] = []

    def heavy(one: Decision) -> dict[str, Any]:
        asked.append(one.graph_id)
        return shown(one, MOST_BYTES // 100)

    page = page_of(Command(Word.PLAN), [decision(number) for number in range(2000)], heavy)
    assert len(asked) <= 101
    assert page.cursor is not None


@pytest.mark.parametrize("word", Word)
def test_only_looking_filters(word: Word) -> None:
    some = selected(Command(word, rule="dev"), [decision(1), decision(2, rule="dev")])
    assert len(some) == (1 if word in (Word.PLAN, Word.STATUS, Word.FORECAST) else 2)


@pytest.mark.parametrize(("graph", "found"), [("id-00001", True), ("graph 1", True), ("graph 2", False)])
def test_filter_takes_ids_and_names(graph: str, found: bool) -> None:
    assert fits(Command(Word.PLAN, graph=graph), "prod", "id-00001", "graph 1") is found


# Size


LISTS = st.dictionaries(
    st.sampled_from(["errors", "outcomes", "pending", "warnings", "forecast", "done"]), st.integers(0, 9_000)
)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["plan", "forecast", "reconcile"]), LISTS, st.integers(0, 4000), st.integers(0, 3000), st.text(max_size=5)
)
def test_no_result_is_too_large(word: str, lists: dict[str, int], count: int, weight: int, text: str) -> None:
    entry = f"图{text}" * 60
    long = {name: [entry] * length for name, length in lists.items()}
    large = result(
        word, [shown(decision(number), weight) for number in range(count)], **long, state={"releases": [entry] * 9000}
    )
    fitting = bounded(large)
    assert len(json.dumps(fitting)) <= MOST_BYTES
    assert fitting["summary"] == large["summary"]
    if size_of(large) <= MOST_BYTES:
        assert fitting == large
    for name, length in lists.items():
        assert len(fitting[name]) + fitting.get("cut", {}).get(name, 0) == length


def test_cut_plan_continues_at_its_cursor() -> None:
    decisions = [decision(number) for number in range(3000)]
    found: list[str] = []
    cursor = None
    while cursor is not None or not found:
        page = page_of(Command(Word.PLAN, cursor=cursor), decisions, lambda one: shown(one, 5000))
        fitting = bounded({**result("plan", page.decisions, errors=["图" * 4000] * 900), "cursor": page.cursor})
        assert size_of(fitting) <= MOST_BYTES
        found += ids(fitting["decisions"])
        cursor = fitting["cursor"]
    assert found == [one.graph_id for one in decisions]


def test_reconcile_leaves_out_skipped_graphs_first() -> None:
    actions = [Action.SKIP, Action.WAIT, Action.BLOCKED, Action.UPGRADE]
    decisions = [shown(decision(number, actions[number % 4]), 2000) for number in range(2800)]
    fitting = bounded(result("reconcile", decisions))
    left_out = len(decisions) - len(fitting["decisions"])
    assert [one for one in fitting["decisions"] if one["action"] != "skip"] == [
        one for one in decisions if one["action"] != "skip"
    ]
    assert (fitting["cut"], fitting["cursor"]) == ({"decisions": left_out}, None)


def test_summary_counts_every_action_and_outcome() -> None:
    counted = summary([decision(1), decision(2), decision(3, Action.SKIP)], ["succeeded", "failed", "failed"])
    assert {name: count for name, count in counted["actions"].items() if count} == {"wait": 2, "skip": 1}
    assert {name: count for name, count in counted["outcomes"].items() if count} == {"succeeded": 1, "failed": 2}
    assert set(counted["actions"]) == {action.value for action in Action}
