"""`ges-upgrader diff`: what two policies would do differently, as Markdown for a review comment."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ges_upgrader_cli.checking.differences import differences, sentence
from ges_upgrader_cli.fleets.functions import Function
from ges_upgrader_cli.fleets.sources import UseSimulator, ask, function_of
from ges_upgrader_cli.shown.console import Exit, show_json
from ges_upgrader_cli.shown.options import AsJson, At, FleetPath
from ges_upgrader_cli.shown.results import Zones


def diff(
    old: Annotated[Path, typer.Argument(help="The policy as it is.")],
    new: Annotated[Path, typer.Argument(help="The policy as it would be.")],
    fleet: FleetPath = None,
    simulator: UseSimulator = False,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How far to look.")] = 90,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything differs.")] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show what two policies would do differently with each graph, in one sentence and as a table in Markdown."""
    moment = at or (datetime.now(timezone.utc) if fleet is not None or simulator else None)
    functions = [function_of(path, fleet, simulator, moment) for path in (old, new)]
    before, after = (_ask(function, days) for function in functions)
    found = differences(before, after)
    if as_json:
        show_json(msgspec.to_builtins(found))
    else:
        typer.echo(sentence(found, len(after["decisions"]), days))
    if found and not as_json:
        typer.echo("\n| graph | | before | after |\n|---|---|---|---|")
        zones = [Zones(function.policy) for function in functions]
        for one in found:
            typer.echo(f"| {one.graph} | {one.kind} | {one.before.words(zones[0])} | {one.after.words(zones[1])} |")
    if found and exit_code:
        raise typer.Exit(Exit.ATTENTION)


def _ask(function: Function, days: int) -> dict[str, Any]:
    return ask(function, {"command": "forecast", "days": days})
