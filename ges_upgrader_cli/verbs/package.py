"""`ges-upgrader package`: the zip that FunctionGraph runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ges_upgrader_cli.packaged.zip import BUDGET, PackageError, package
from ges_upgrader_cli.shown.console import fail, progress

_TARGET = Path("dist/function.zip")


def package_function(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the zip is written.")] = _TARGET,
) -> None:
    """Build the zip that FunctionGraph runs.

    The same inputs give the same bytes. The first build downloads the pinned libraries with pip.
    """
    try:
        with progress("Building the zip"):
            files = package(output)
    except (OSError, PackageError) as error:
        fail(str(error))
    size = output.stat().st_size
    typer.echo(f"{output}: {files} files, {size:,} bytes ({size / BUDGET:.0%} of the budget)")
