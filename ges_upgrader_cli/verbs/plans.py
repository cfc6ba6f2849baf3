"""`ges-upgrader plan`, `explain` and `forecast`: what would be done, why, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.console import Console

from ges_upgrader_cli.fleets.sources import UseSimulator, ask, function_of
from ges_upgrader_cli.shown.calendars import show_calendar
from ges_upgrader_cli.shown.console import Exit, console, counted, fail, paragraph, show_json
from ges_upgrader_cli.shown.options import AsJson, At, FleetPath, PolicyPath
from ges_upgrader_cli.shown.results import Zones, moment, show_decisions, show_list, summary, versions


def plan(
    policy: PolicyPath = Path("policy.yaml"),
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    rule: Annotated[Optional[str], typer.Option("--rule", help="Only the graphs of this rule.")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show what would be done now with each graph, and why. Changes nothing."""
    function = function_of(policy, fleet, simulator, at)
    result = ask(function, _event("plan", rule=rule))
    if as_json:
        show_json(result)
    else:
        out = console()
        paragraph(out, summary(result["decisions"]), style="bold")
        show_decisions(out, result["decisions"], Zones(function.policy))
        show_list(out, "Errors", result["errors"])
        show_list(out, "Warnings", result.get("warnings", ()))
    if result["errors"]:
        raise typer.Exit(Exit.ATTENTION)


def explain(
    graph: Annotated[str, typer.Argument(help="The name or id of the graph.")],
    policy: PolicyPath = Path("policy.yaml"),
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show every gate of a graph in order, the one that decides, and what would make the start earlier."""
    function = function_of(policy, fleet, simulator, at)
    result = ask(function, _event("plan", graph=graph))
    if not result["decisions"]:
        fail(f"there is no graph {graph}; see ges-upgrader plan", Exit.ATTENTION)
    if as_json:
        show_json(result["decisions"])
        return
    out, zones = console(), Zones(function.policy)
    for one in result["decisions"]:
        _explain(out, one, zones)


def _explain(out: Console, one: dict[str, Any], zones: Zones) -> None:
    until = f" until {moment(one['until'], zones.of(one['rule']))}" if one["until"] else ""
    rule = f"rule {one['rule']}" if one["rule"] else "no rule"
    paragraph(out, f"{one['graph']} ({rule}), {versions(one)}: {one['action']}, {one['reason']}{until}", style="bold")
    for check in one["checks"]:
        mark = ">" if check["binding"] else " "
        word = "blocks" if check["blocks"] else "passes"
        ends = f"; until {moment(check['until'], zones.of(one['rule']))}" if check["until"] else ""
        paragraph(out, check["value"] + ends, indent=22, first=f"{mark} {word}  {check['check']}")
    if one["earlier"]:
        out.print("\nWhat would make it earlier", style="bold")
    for text in one["earlier"]:
        paragraph(out, text, indent=4, first="  -")
    out.print()


def forecast(
    policy: PolicyPath = Path("policy.yaml"),
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How far to look.")] = 90,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show a calendar of windows, freezes, soaks and starts, if every upgrade succeeds. Changes nothing."""
    function = function_of(policy, fleet, simulator, at)
    result = ask(function, _event("forecast", days=days))
    if as_json:
        show_json(result["forecast"])
        return
    out, zones = console(), Zones(function.policy)
    starts: list[dict[str, Any]] = result["forecast"]
    paragraph(out, f"{counted(len(starts), 'upgrade')} in the next {counted(days, 'day')}", style="bold")
    show_calendar(out, function.policy, starts, function.clock.now(), days)
    for one in starts:
        text = f"{one['graph']} {one['from_version']} to {one['to_version']}, rule {one['rule']}"
        paragraph(out, f"{moment(one['at'], zones.of(one['rule']))}: {text}", indent=2)
    show_list(out, "Errors", result["errors"])
    if result["errors"]:
        raise typer.Exit(Exit.ATTENTION)


def _event(command: str, **arguments: Any) -> dict[str, Any]:
    return {"command": command, **{name: value for name, value in arguments.items() if value is not None}}
