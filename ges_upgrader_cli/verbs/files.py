"""`ges-upgrader freezes import` and `fleet export`: a calendar as freezes, and an account as a fleet file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
import yaml

from ges_upgrader.schedule.zones import zone
from ges_upgrader_cli.checking.calendar_files import CalendarError, freezes_of
from ges_upgrader_cli.fleets.files import write_fleet
from ges_upgrader_cli.fleets.functions import FunctionError
from ges_upgrader_cli.fleets.sources import UseSimulator, function_of
from ges_upgrader_cli.shown.console import Exit, fail, progress, show_json
from ges_upgrader_cli.shown.options import POLICY, AsJson, At, FleetPath, PolicyPath, time_of

freezes = typer.Typer(no_args_is_help=True, help="Freezes of a policy.")


@freezes.callback()
def about_freezes() -> None:
    """Freezes of a policy."""


@freezes.command("import")
def import_freezes(
    file: Annotated[Path, typer.Argument(help="A calendar, as FILE.ics.")],
    timezone: Annotated[str, typer.Option("--timezone", help="The zone of whole days.")] = "UTC",
    rules: Annotated[
        Optional[list[str]], typer.Option("--rule", help="Only for this rule; may be given several times.")
    ] = None,
    containing: Annotated[str, typer.Option("--containing", help="Only events whose title contains this text.")] = "",
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Print the events of a calendar as `freezes` for the policy, to be reviewed like any change."""
    try:
        zone(timezone)
        found = freezes_of(file.read_bytes(), time_of(at), timezone, tuple(rules or ()), containing)
    except FileNotFoundError:
        fail(f"there is no file {file}")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except CalendarError as error:
        fail(f"{file}: {error}")
    except ValueError as error:
        fail(f"--timezone: {error}")
    if as_json:
        show_json(found)
    elif found:
        typer.echo(yaml.safe_dump({"freezes": found}, sort_keys=False, allow_unicode=True, width=120), nl=False)
    else:
        typer.echo(f"# {file} has no event that is still to come")


fleet = typer.Typer(no_args_is_help=True, help="Fleets as files.")


@fleet.callback()
def about_fleets() -> None:
    """Fleets as files."""


@fleet.command("export")
def export(policy: PolicyPath = POLICY, fleet: FleetPath = None, simulator: UseSimulator = False) -> None:
    """Print the graphs that the policy's projects hold, and the journal, as a file for --fleet.

    It holds names, ids, tags and versions of graphs, and what operators wrote as reasons. It holds no credentials.
    """
    try:
        with progress("Listing graphs"):
            exported = function_of(policy, fleet, simulator, None).export()
    except FunctionError as error:
        fail(str(error), Exit.ATTENTION)
    typer.echo(write_fleet(exported), nl=False)
