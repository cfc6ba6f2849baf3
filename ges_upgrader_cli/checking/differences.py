"""What two policies would do differently over the coming weeks, graph by graph. Pure but for asking the function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from ges_upgrader_cli.shown.console import counted
from ges_upgrader_cli.shown.results import Zones, instant, moment

Asked = Mapping[str, Any]  # the result of a forecast


class Future(msgspec.Struct, frozen=True):
    """What becomes of a graph: its rule, its upgrades (instant and version, in order), and else why there is none."""

    rule: str | None
    starts: tuple[tuple[str, str], ...]
    reason: str

    def words(self, zones: Zones) -> str:
        starts = [f"to {version} on {moment(at, zones.of(self.rule))}" for at, version in self.starts]
        rule = f" (rule {self.rule})" if self.rule else ""
        return ("; ".join(starts) or f"not upgraded: {self.reason}") + rule


class Difference(msgspec.Struct, frozen=True):
    """`kind` is earlier, later, new, dropped, or changed."""

    graph: str
    kind: str
    before: Future
    after: Future


def differences(old: Asked, new: Asked) -> list[Difference]:
    """Of the graphs that both results show, those whose future differs."""
    before, after = futures(old), futures(new)
    names = {one["graph_id"]: one["graph"] for one in new["decisions"]}
    found = [Difference(names[key], _kind(before[key], after[key]), before[key], after[key]) for key in after if key in before]
    return sorted((one for one in found if one.kind), key=lambda one: one.graph)


def futures(result: Asked) -> dict[str, Future]:
    """By graph id."""
    starts: dict[str, list[tuple[str, str]]] = {}
    for one in result["forecast"]:
        starts.setdefault(one["graph_id"], []).append((one["at"], one["to_version"]))
    return {
        one["graph_id"]: Future(one["rule"], tuple(starts.get(one["graph_id"], ())), one["reason"])
        for one in result["decisions"]
    }


def sentence(found: list[Difference], graphs: int, days: int) -> str:
    """All of it at a glance."""
    ahead = f"over the next {counted(days, 'day')}"
    if not found:
        return f"Nothing changes for {counted(graphs, 'graph')} {ahead}."
    kinds = Counter(one.kind for one in found)
    words = {
        "earlier": "upgraded earlier",
        "later": "upgraded later",
        "new": "upgraded that would not be",
        "dropped": "no longer upgraded",
        "changed": "treated differently",
    }
    parts = [f"{kinds[kind]} {text}" for kind, text in words.items() if kinds[kind]]
    return (
        f"{len(found)} of {counted(graphs, 'graph')} {'changes' if len(found) == 1 else 'change'} {ahead}: {', '.join(parts)}."
    )


def _kind(before: Future, after: Future) -> str:
    if before == after:
        return ""
    if bool(before.starts) != bool(after.starts):
        return "new" if after.starts else "dropped"
    if before.starts == after.starts or [version for _, version in before.starts] != [version for _, version in after.starts]:
        return "changed"
    return "earlier" if instant(after.starts[0][0]) < instant(before.starts[0][0]) else "later"
