"""The command line as a person or a pipeline runs it: no terminal, 80 columns."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from ges_upgrader_cli.app import app

ESCAPE = "\x1b"


def run(*arguments: str | Path, columns: int = 80, **variables: str) -> Result:
    """The result of a command. No line of it has colours."""
    environment = {"COLUMNS": str(columns), **variables}
    result = CliRunner().invoke(app, list(map(str, arguments)), env=environment, prog_name="ges-upgrader")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert ESCAPE not in result.output
    return result
