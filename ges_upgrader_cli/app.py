"""The verbs of `ges-upgrader`, wired up."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from ges_upgrader_cli.verbs import commands
from ges_upgrader_cli.verbs.check import check
from ges_upgrader_cli.verbs.demonstration import try_it
from ges_upgrader_cli.verbs.diff import diff
from ges_upgrader_cli.verbs.events import event, invoke_event
from ges_upgrader_cli.verbs.files import fleet, freezes
from ges_upgrader_cli.verbs.package import package_function, show_terraform
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


# In the order of a newcomer's questions. What `--help` says of each fits a line of 80 columns.
_VERBS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("try", try_it, "Watch five days of a small fleet, on a simulated cloud."),
    ("check", check, "Check a policy: errors, warnings, what its windows mean."),
    ("test", run_tests, "Run the tests that a policy holds."),
    ("plan", plan, "Show what would be done now with each graph."),
    ("explain", explain, "Show why a graph waits, and what would be earlier."),
    ("forecast", forecast, "Show a calendar of windows, freezes, soaks and starts."),
    ("diff", diff, "Show what two policies would do differently."),
    ("status", status, "Show what needs a person, and what the journal holds."),
    ("history", history, "Show the upgrades that the journal holds."),
    ("release", commands.release, "Make a release known to the deployed function."),
    ("withdraw", commands.withdraw, "Stop every further start to a version."),
    ("reinstate", commands.reinstate, "Take a withdrawal back."),
    ("approve", commands.approve, "Approve a version for a rule or a graph."),
    ("pause", commands.pause, "Start nothing more: at all, under a rule, with a graph."),
    ("resume", commands.resume, "End pauses."),
    ("retry", commands.retry, "Clear failures of a rule, a graph or a version."),
    ("event", event, "Print an example event."),
    ("invoke", invoke_event, "Invoke the packaged function on this machine."),
    ("simulator", simulator, "Serve the simulated cloud on this machine."),
    ("package", package_function, "Build the zip that FunctionGraph runs."),
    ("terraform", show_terraform, "Print the deployment for Terraform."),
)
for _name, _verb, _words in _VERBS:
    app.command(_name, short_help=_words)(_verb)
app.add_typer(fleet, name="fleet", short_help="Export an account's fleet as a file.")
app.add_typer(freezes, name="freezes", short_help="Import freezes from a calendar.")
