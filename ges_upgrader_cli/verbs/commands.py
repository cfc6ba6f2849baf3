"""`ges-upgrader release`, `withdraw`, `reinstate`, `approve`, `pause`, `resume`, `retry`: commands to the deployed function."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from ges_upgrader_cli.fleets.deployed import DeployedFunction
from ges_upgrader_cli.fleets.functions import FunctionError
from ges_upgrader_cli.shown.console import Exit, console, fail, paragraph, show_json
from ges_upgrader_cli.shown.options import AsJson
from ges_upgrader_cli.shown.results import done_words, show_list

_STOPPING = ("pause", "withdraw")  # after these nothing is to be started

Version = Annotated[str, typer.Argument(help="The version, as 2.4.15.")]
OptionalVersion = Annotated[Optional[str], typer.Option("--version", help="Only this version.")]
Rule = Annotated[Optional[str], typer.Option("--rule", help="A rule of the policy.")]
Graph = Annotated[Optional[str], typer.Option("--graph", help="A graph, by its name or id.")]
Urn = Annotated[str, typer.Option("--function", envvar="GES_UPGRADER_FUNCTION", help="The URN of the deployed function.")]
Reason = Annotated[Optional[str], typer.Option("--reason", help="Why; it is recorded.")]
By = Annotated[Optional[str], typer.Option("--by", help="Who you are; it is recorded as a claim.")]


def release(version: Version, function: Urn, reason: Reason = None, by: By = None, as_json: AsJson = False) -> None:
    """Make a release known, as an announcement does."""
    _carry_out(function, as_json, command="release", version=version, reason=reason, by=by)


def withdraw(version: Version, function: Urn, reason: Reason = None, by: By = None, as_json: AsJson = False) -> None:
    """Stop every further start to a version."""
    _carry_out(function, as_json, command="withdraw", version=version, reason=reason, by=by)


def reinstate(version: Version, function: Urn, reason: Reason = None, by: By = None, as_json: AsJson = False) -> None:
    """Take a withdrawal back."""
    _carry_out(function, as_json, command="reinstate", version=version, reason=reason, by=by)


def approve(
    version: Version,
    function: Urn,
    rule: Rule = None,
    graph: Graph = None,
    reason: Reason = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Let a rule in mode `approve`, or one graph, start upgrades to a version."""
    _carry_out(function, as_json, command="approve", version=version, rule=rule, graph=graph, reason=reason, by=by)


def pause(
    function: Urn, rule: Rule = None, graph: Graph = None, reason: Reason = None, by: By = None, as_json: AsJson = False
) -> None:
    """Start nothing more: at all, under a rule, or with a graph. `enabled: false` in the policy needs no journal."""
    _carry_out(function, as_json, command="pause", rule=rule, graph=graph, reason=reason, by=by)


def resume(
    function: Urn, rule: Rule = None, graph: Graph = None, reason: Reason = None, by: By = None, as_json: AsJson = False
) -> None:
    """End pauses, and lift damage of the journal."""
    _carry_out(function, as_json, command="resume", rule=rule, graph=graph, reason=reason, by=by)


def retry(
    function: Urn,
    rule: Rule = None,
    graph: Graph = None,
    version: OptionalVersion = None,
    reason: Reason = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Clear failures, halts, refusals and failed backups of a rule, a graph or a version."""
    _carry_out(function, as_json, command="retry", rule=rule, graph=graph, version=version, reason=reason, by=by)


def _carry_out(urn: str, as_json: bool, **command: Any) -> None:
    """Records the command, shows what was recorded, and has it carried out by a run of its own."""
    event = {name: value for name, value in command.items() if value is not None}
    try:
        function = DeployedFunction(urn)
        result = function.invoke({**event, "record_only": True})
        recorded = not result["errors"]
        follows = recorded and event["command"] not in _STOPPING
        request = function.reconcile() if follows else None
    except FunctionError as error:
        fail(str(error), Exit.ATTENTION)
    if as_json:
        show_json({"done": result["done"], "errors": result["errors"], "reconcile": request})
    else:
        out = console()
        for done in result["done"]:
            paragraph(out, f"Recorded: {done_words(done)}")
        show_list(out, "Errors", result["errors"])
        if follows:
            paragraph(out, f"A run that acts on it was started{f', request {request}' if request else ''}.")
    if not recorded:
        raise typer.Exit(Exit.ATTENTION)
