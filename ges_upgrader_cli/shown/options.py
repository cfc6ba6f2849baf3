"""Options that several verbs share."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Optional

import typer

from ges_upgrader.policy.fields import Instant
from ges_upgrader_cli.fleets.files import FleetError, FleetFile, read_fleet
from ges_upgrader_cli.shown.console import fail

POLICY = Path("policy.yaml")


def _instant(text: str) -> datetime:
    try:
        return Instant(text).at
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


At = Annotated[
    Optional[datetime],
    typer.Option("--at", parser=_instant, metavar="INSTANT", help="The time to look from, as 2026-12-05T02:00Z; else now."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Show JSON.")]

FleetPath = Annotated[
    Optional[Path], typer.Option("--fleet", metavar="FILE", help="Graphs, versions, releases and journal as YAML.")
]

PolicyPath = Annotated[Path, typer.Option("--policy", help="The policy's file.")]


def load_fleet(path: Path) -> FleetFile:
    """The fleet of a file, or the end of the command with a line that says what is wrong."""
    try:
        return read_fleet(read_text(path))
    except FleetError as error:
        fail(f"{path}: {error}")


def time_of(at: datetime | None) -> datetime:
    return datetime.now(timezone.utc) if at is None else at


def read_text(path: Path, hint: str = "") -> str:
    """The text of a file, or the end of the command with a line that names it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        fail(f"there is no file {path}{hint}")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {error}")
