"""Which decisions a result shows: those that a command asks for, a page at a time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ges_upgrader.domain.model import Action, Decision, GraphKey, Verdict
from ges_upgrader.events.commands import LOOKING, Command
from ges_upgrader.running.results.sizes import MOST_BYTES, cursor_of, size_of

MOST_IN_TURN = 1000  # more are listed by project and id, as their turns change between two pages

Shown = dict[str, Any]
Explain = Callable[[GraphKey], Shown]


class Page(msgspec.Struct, frozen=True):
    """Decisions as they are shown; `cursor` is where the next page begins, if there is one."""

    decisions: list[Shown]
    cursor: str | None


def selected(command: Command, decisions: Iterable[Decision]) -> list[Decision]:
    """The decisions about the rule and the graph that the command names, on any page."""
    return [one for one in decisions if fits(command, one.rule, one.graph_id, one.graph)]


def fits(command: Command, rule: str | None, graph_id: str, graph: str) -> bool:
    """Whether the command asks for it. Only `plan`, `status` and `forecast` ask for less than everything."""
    if command.word not in LOOKING:
        return True
    return command.rule in (None, rule) and command.graph in (None, graph_id, graph)


def page_of(command: Command, decisions: Sequence[Decision], show: Callable[[Decision], Shown]) -> Page:
    """The part of the decisions that the command asks for. `show` is asked only for as many as a result can hold."""
    looks = command.word in LOOKING
    paged = looks and (command.limit is not None or command.cursor is not None or len(decisions) > MOST_IN_TURN)
    if paged:
        after = tuple((command.cursor or "").partition("/")[::2])
        decisions = sorted((one for one in decisions if one.key > after), key=lambda one: one.key)
    page: list[Shown] = []
    size = 0
    for decision in decisions[: command.limit]:
        page.append(show(decision))
        size += size_of(page[-1])
        if paged and size > MOST_BYTES:
            break
    return Page(page, cursor_of(page[-1]) if paged and page and len(page) < len(decisions) else None)


def summary(decisions: Iterable[Decision], outcomes: Iterable[str]) -> dict[str, dict[str, int]]:
    """How many decisions there are of each action, and how many upgrades ended how."""
    actions = {action.value: 0 for action in Action}
    for decision in decisions:
        actions[decision.action.value] += 1
    ended = {verdict.value: 0 for verdict in Verdict}
    for outcome in outcomes:
        ended[outcome] += 1
    return {"actions": actions, "outcomes": ended}
