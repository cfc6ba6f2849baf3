"""`ges-upgrader package` and `terraform`: the zip that FunctionGraph runs, and its deployment for Terraform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ges_upgrader_cli.deploying.template import TemplateError, read_template
from ges_upgrader_cli.deploying.terraform import terraform
from ges_upgrader_cli.packaged.zip import BUDGET, PackageError, package
from ges_upgrader_cli.shown.console import Exit, fail, progress, show_json
from ges_upgrader_cli.shown.options import read_text

_TARGET = Path("dist/function.zip")
_TEMPLATE = Path("template.yaml")


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


def show_terraform(
    template: Annotated[Path, typer.Argument(help="The template of the deployment.")] = _TEMPLATE,
) -> None:
    """Print the template as main.tf.json, for Terraform and Huawei Cloud's Resource Formation Service.

    A parameter without a value becomes a variable that Terraform asks for. Nothing is changed in the cloud.
    """
    try:
        read = read_template(read_text(template, "; give the path of the template"), is_filled_in=False)
    except TemplateError as error:
        for problem in error.problems[:-1]:
            typer.echo(f"{template}: {problem}", err=True)
        fail(f"{template}: {error.problems[-1]}", Exit.ATTENTION)
    show_json(terraform(read))
