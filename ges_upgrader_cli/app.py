"""The verbs of `ges-upgrader`, wired up."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from ges_upgrader_cli.verbs import commands
from ges_upgrader_cli.verbs.check import check
from ges_upgrader_cli.verbs.demonstration import try_it
from ges_upgrader_cli.verbs.diff import diff
from ges_upgrader_cli.verbs.events import event, invoke_event
from ges_upgrader_cli.verbs.files import fleet, freezes
from ges_upgrader_cli.verbs.package import package_function
from ges_upgrader_cli.verbs.past import history, status
from ges_upgrader_cli.verbs.plans import explain, forecast, plan
from ges_upgrader_cli.verbs.simulator import simulator
from ges_upgrader_cli.verbs.testing import run_tests

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"ges-upgrader {version('ges-upgrader')}")
        except PackageNotFoundError:
            typer.echo("ges-upgrader (a checkout)")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keeps graphs of Huawei Cloud's Graph Engine Service up to date, unattended.

    Exit codes: 0 fine, 1 something needs attention, 2 the command cannot be carried out as it was given.
    """


app.command("try")(try_it)
app.command()(check)
app.command("test")(run_tests)
app.command()(plan)
app.command()(explain)
app.command()(forecast)
app.command()(diff)
app.command()(status)
app.command()(history)
app.command()(event)
app.command("invoke")(invoke_event)
app.command()(simulator)
for command in (
    *(commands.release, commands.withdraw, commands.reinstate),
    *(commands.approve, commands.pause, commands.resume, commands.retry),
):
    app.command(rich_help_panel="The deployed function")(command)
app.add_typer(fleet, name="fleet")
app.add_typer(freezes, name="freezes")
app.command("package")(package_function)
