"""Which fleet a command is about: `--fleet FILE`, `--simulator`, or the live cloud."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ges_upgrader.policy.parsing import PolicyError
from ges_upgrader_cli.fleets.functions import Function, FunctionError, LiveFunction, SimulatedFunction
from ges_upgrader_cli.shown.console import Exit, fail, progress
from ges_upgrader_cli.shown.options import POLICY, load_fleet, read_text, time_of

UseSimulator = Annotated[bool, typer.Option("--simulator", help="The demo's fleet, on the simulated cloud.")]


def function_of(policy: Path, fleet: Path | None, simulator: bool, at: datetime | None) -> Function:
    """The function under the policy, over the fleet that the options name. Ends the command if they do not fit."""
    text = _text(policy, simulator)
    if fleet is not None and simulator:
        fail("--fleet and --simulator name two fleets; give one of them")
    if at is not None and fleet is None and not simulator:
        fail("--at needs a fleet that does not change: give --fleet FILE or --simulator")
    try:
        if fleet is not None:
            return SimulatedFunction(text, time_of(at), load_fleet(fleet))
        if simulator:
            from ges_upgrader_cli.fleets.simulated import demo_fleet

            return SimulatedFunction(text, time_of(at), demo_fleet())
        return LiveFunction(text)
    except PolicyError as error:
        fail(f"{policy} has errors, the first of {len(error.problems)}: {error.problems[0]}; see ges-upgrader check {policy}")


def _text(policy: Path, simulator: bool) -> str:
    """The policy; for the demo's fleet that of the demo, if there is no policy.yaml."""
    if simulator and policy == POLICY and not policy.exists():
        from ges_upgrader_cli.fleets.demo import POLICY as demo_policy

        return demo_policy
    return read_text(policy, "; give the path of the policy with --policy")


def ask(function: Function, event: dict[str, Any]) -> dict[str, Any]:
    """The function's result; of all pages of it. Ends the command if there is none."""
    try:
        with progress("Asking the function"):
            result = function.ask(event)
            while result["cursor"]:
                more = function.ask({**event, "cursor": result["cursor"]})
                result = {**result, "decisions": [*result["decisions"], *more["decisions"]], "cursor": more["cursor"]}
    except FunctionError as error:
        fail(str(error))
    if not result["decisions"] and result["errors"]:
        fail(result["errors"][0], Exit.ATTENTION)
    return result
