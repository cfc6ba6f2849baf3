"""`ges-upgrader check`: what is wrong with a policy, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader_cli.shown.console import Exit, fail

_POLICY = Path("policy.yaml")


def check(policy: Annotated[Path, typer.Argument(help="The policy's file.")] = _POLICY) -> None:
    """Check a policy: every error with its place and what to write instead."""
    try:
        text = policy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{policy} cannot be read: {error}")
    try:
        parsed = parse_policy(text)
    except PolicyError as error:
        for problem in error.problems:
            typer.echo(f"{policy}: {problem}")
        raise typer.Exit(Exit.ATTENTION) from None
    typer.echo(f"{policy}: fine, {len(parsed.rules)} rules")
