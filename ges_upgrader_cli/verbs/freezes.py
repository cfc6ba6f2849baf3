"""`ges-upgrader freezes import`: events of a calendar as freezes for the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
import yaml

from ges_upgrader.schedule.zones import zone
from ges_upgrader_cli.checking.calendar_files import CalendarError, freezes_of
from ges_upgrader_cli.shown.console import fail, show_json
from ges_upgrader_cli.shown.options import AsJson, At, time_of

freezes = typer.Typer(no_args_is_help=True, help="Freezes of a policy.")


@freezes.callback()
def main() -> None:
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
