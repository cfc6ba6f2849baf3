"""Which decisions a result shows: those that a command asks for, a page at a time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    if not _is_paged(command, len(decisions)):
        return Page([show(decision) for decision in decisions[: command.limit]], None)
    after = tuple((command.cursor or "").partition("/")[::2])
    ahead = sorted((one for one in decisions if one.key > after), key=lambda one: one.key)
    page = list(_fitting(map(show, ahead[: command.limit])))
    return Page(page, cursor_of(page[-1]) if len(page) < len(ahead) and page else None)


def _is_paged(command: Command, decisions: int) -> bool:
    asked = command.limit is not None or command.cursor is not None
    return command.word in LOOKING and (asked or decisions > MOST_IN_TURN)


def _fitting(shown: Iterable[Shown]) -> Iterator[Shown]:
    """Up to the one with which a result would be too large."""
    size = 0
    for one in shown:
        yield one
        size += size_of(one)
        if size > MOST_BYTES:
            return


def summary(decisions: Iterable[Decision], outcomes: Iterable[str]) -> dict[str, dict[str, int]]:
    """How many decisions there are of each action, and how many upgrades ended how."""
    actions = Counter(decision.action.value for decision in decisions)
    ended = Counter(outcomes)
    return {
        "actions": {action.value: actions[action.value] for action in Action},
        "outcomes": {verdict.value: ended[verdict.value] for verdict in Verdict},
    }
