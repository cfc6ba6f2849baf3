"""How messages name graphs and rules: on one line, bounded, and in commands exactly. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Union

from ges_upgrader.domain.model import Decision, Operation, Start
from ges_upgrader.domain.plain_text import MOST_NAME, plain

MOST_NAMES = 20  # in one list

Work = Union[Operation, Start, Decision]


def name_of(work: Work) -> str:
    """The graph's name as it can be shown."""
    return plain(work.graph, MOST_NAME)


def argument_of(work: Work) -> str:
    """The graph in a command: its name, or its id if the name is too long for a message."""
    return work.graph if len(work.graph) <= MOST_NAME else work.graph_id


def names_of(group: Iterable[Work]) -> str:
    """The graphs' names in a list; of a long one the first."""
    return listed(sorted(name_of(work) for work in group))


def count_of(group: Sequence[Work]) -> str:
    """How many graphs, or the name of the only one."""
    return f"{len(group)} graphs" if len(group) > 1 else name_of(group[0])


def rule_of(name: str) -> str:
    """A rule's name as it can be shown."""
    return plain(name, MOST_NAME)


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
