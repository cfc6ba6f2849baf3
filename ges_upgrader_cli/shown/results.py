"""The result of a run as a person reads it: what needs a person first, then the decisions by rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone, tzinfo
from typing import Any

from rich.console import Console
from rich.table import Table

from ges_upgrader.policy.schema import Policy
from ges_upgrader_cli.shown.console import console, counted, paragraph
from ges_upgrader_cli.shown.times import UTC, both, zone_of

_NO_RULE = "no rule"
Shown = Mapping[str, Any]


def show_result(result: Shown) -> None:
    """The whole result of a run."""
    out = console()
    paragraph(out, summary(result["decisions"]), style="bold")
    show_decisions(out, result["decisions"])
    for one in result["outcomes"]:
        detail = f": {one['detail']}" if one["detail"] else ""
        name = _names(result).get(one["graph_id"], one["graph_id"])
        paragraph(out, f"{name}: {one['from_version']} to {one['to_version']} {one['outcome']}{detail}", indent=2)
    for done in result.get("done", ()):
        paragraph(out, f"Recorded: {done_words(done)}")
    for name in ("errors", "warnings"):
        show_list(out, name.capitalize(), result.get(name, ()))


def done_words(done: Shown) -> str:
    """What a command recorded: `approve version 2.4.15, rule prod`."""
    said = ", ".join(f"{name} {value}" for name, value in done.items() if name != "command" and value)
    return f"{done['command']} {said}".rstrip()


def show_list(out: Console, title: str, texts: Iterable[str]) -> None:
    texts = list(texts)
    if texts:
        out.print(f"\n{title}", style="bold red" if title == "Errors" else "bold yellow")
    for text in texts:
        paragraph(out, text, indent=4, first="  -")


def summary(decisions: Iterable[Shown]) -> str:
    """`8 graphs: 1 starts now, 3 wait, 1 needs a person, 3 left alone`."""
    actions = [one["action"] for one in decisions]
    starting, waiting = sum(one in ("upgrade", "backup") for one in actions), actions.count("wait")
    blocked, alone = actions.count("blocked"), actions.count("skip")
    parts = [
        f"{starting} {'starts' if starting == 1 else 'start'} now" if starting else "",
        f"{waiting} {'waits' if waiting == 1 else 'wait'}" if waiting else "",
        f"{blocked} {'needs' if blocked == 1 else 'need'} a person" if blocked else "",
        f"{alone} left alone" if alone else "",
    ]
    return f"{counted(len(actions), 'graph')}: {', '.join(filter(None, parts)) or 'nothing to do'}"


class Zones:
    """In which zone the times of a rule are shown, and the order of the rules. Without a policy: UTC."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._zones = {rule.name: zone_of(rule) for rule in policy.rules} if policy else {}

    def of(self, rule: str | None) -> tzinfo:
        return self._zones.get(rule or "", UTC)

    @property
    def rules(self) -> list[str]:
        return list(self._zones)


def show_decisions(out: Console, decisions: Iterable[Shown], zones: Zones | None = None) -> None:
    """A table by rule, in the order of the policy."""
    zones = zones or Zones()
    by_rule: dict[str, list[Shown]] = {rule: [] for rule in zones.rules}
    for one in decisions:
        by_rule.setdefault(one["rule"] or _NO_RULE, []).append(one)
    last = by_rule.pop(_NO_RULE, None)
    for rule, found in [*by_rule.items(), (_NO_RULE, last or [])]:
        if not found:
            continue
        out.print(f"\n{'Rule ' + rule if rule != _NO_RULE else 'No rule'}", style="bold", soft_wrap=True)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(overflow="fold")
        for one in sorted(found, key=lambda one: str(one["graph"])):
            table.add_row(f"  {one['graph']}", versions(one), one["action"], _why(one, zones))
        _print(out, table)


def versions(one: Shown) -> str:
    """`2.4.4 to 2.4.15`."""
    return f"{one['from_version']} to {one['target']}" if one["target"] else str(one["from_version"] or "unknown")


def _why(one: Shown, zones: Zones) -> str:
    return str(one["reason"]) + (f" until {moment(one['until'], zones.of(one['rule']))}" if one["until"] else "")


def instant(text: str) -> datetime:
    """An instant of a result."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def moment(text: str, zone: tzinfo = UTC) -> str:
    """An instant of a result: `Sat 2026-12-05 02:00 Asia/Shanghai (Fri 18:00 UTC)`."""
    return both(instant(text), zone)


def _names(result: Shown) -> dict[str, str]:
    return {one["graph_id"]: one["graph"] for one in result["decisions"]}


def _print(out: Console, table: Table) -> None:
    """The table without blanks at the ends of its lines."""
    with out.capture() as captured:
        out.print(table)
    for line in captured.get().splitlines():
        out.print(line.rstrip(), soft_wrap=True)
