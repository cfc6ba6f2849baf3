"""`ges-upgrader status` and `history`: what needs a person, first; and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Optional

import typer
from rich.console import Console

from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.model import Attempt
from ges_upgrader.domain.timestamps import iso
from ges_upgrader_cli.fleets.functions import FunctionError
from ges_upgrader_cli.fleets.sources import UseSimulator, ask, function_of
from ges_upgrader_cli.shown.console import Exit, console, counted, fail, paragraph, show_json
from ges_upgrader_cli.shown.options import POLICY, AsJson, At, FleetPath, PolicyPath
from ges_upgrader_cli.shown.results import Zones, moment, show_decisions, show_list, summary
from ges_upgrader_cli.shown.times import both

_WAITS_FOR_A_PERSON = ("awaiting-approval", "notify-only")


def status(
    policy: PolicyPath = POLICY,
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show what needs a person, then what the journal holds: releases, pauses, approvals, failures.

    Exit codes: 0 if nothing needs a person, else 1.
    """
    function = function_of(policy, fleet, simulator, at)
    result = ask(function, {"command": "status"})
    decisions = result["decisions"]
    urgent = [one for one in decisions if one["action"] == "blocked" or one["reason"] in _WAITS_FOR_A_PERSON]
    if as_json:
        show_json(result)
    else:
        out = console()
        paragraph(out, summary(decisions), style="bold")
        paragraph(out, f"{counted(len(urgent), 'graph')} for a person to decide about" if urgent else "Nothing needs a person.")
        show_decisions(out, urgent, Zones(function.policy))
        show_list(out, "Errors", result["errors"])
        _show_state(out, result.get("state", {}))
    if urgent or result["errors"]:
        raise typer.Exit(Exit.ATTENTION)


def _show_state(out: Console, state: Mapping[str, list[Any]]) -> None:
    """What the journal holds, a heading each."""
    for name, entries in state.items():
        if entries:
            out.print(f"\n{name.capitalize()}", style="bold")
        for entry in entries:
            paragraph(out, _entry(entry), indent=4, first="  -")


def _entry(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    given = {name: value for name, value in entry.items() if value not in (None, False, "")}
    return ", ".join(name if value is True else f"{name.replace('_', ' ')} {_value(value)}" for name, value in given.items())


def _value(value: Any) -> str:
    try:
        return moment(value)
    except (TypeError, ValueError):
        return str(value)


def history(
    policy: PolicyPath = POLICY,
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    graph: Annotated[Optional[str], typer.Option("--graph", help="Only this graph, by its name or id.")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the upgrades that the journal holds: graph, from, to, when, how long, outcome and why; the latest last."""
    function = function_of(policy, fleet, simulator, at)
    try:
        attempts = function.history().attempts.by_id.values()
    except FunctionError as error:
        fail(str(error))
    found = sorted((one for one in attempts if graph in (None, one.graph, one.graph_id)), key=lambda one: one.began_at)
    if as_json:
        show_json([_data(one) for one in found])
        return
    out, zones = console(), Zones(function.policy)
    paragraph(out, counted(len(found), "upgrade"), style="bold")
    for one in found:
        ended = one.verdict.value if one.verdict else "in progress"
        detail = f": {one.detail}" if one.detail else ""
        text = (
            f"{one.graph} {one.from_version} to {one.to_version}, rule {one.rule}: {ended}{_lasted(one.began_at, one.ended_at)}"
        )
        paragraph(out, f"{both(one.began_at, zones.of(one.rule))}: {text}{detail}", indent=2)


def _lasted(began: datetime, ended: datetime | None) -> str:
    return f" after {spelled(ended.replace(microsecond=0) - began.replace(microsecond=0))}" if ended else ""


def _data(one: Attempt) -> dict[str, Any]:
    return {
        "graph": one.graph,
        "graph_id": one.graph_id,
        "rule": one.rule,
        "from_version": one.from_version.text,
        "to_version": one.to_version.text,
        "began_at": iso(one.began_at),
        "ended_at": iso(one.ended_at) if one.ended_at else None,
        "outcome": one.verdict.value if one.verdict else None,
        "detail": one.detail,
    }
