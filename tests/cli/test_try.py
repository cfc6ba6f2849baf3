"""`ges-upgrader try`: the demonstration, in a pipe and in a terminal; and what its last lines promise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from ges_upgrader_cli.app import app
from tests.cli.commands import run

SUMMARY = "2 upgraded, 1 rolled back, 1 waiting for approval, 4 left alone"


@pytest.mark.parametrize("columns", [80, 120])
def test_demonstration_tells_its_story(columns: int) -> None:
    ran = run("try", columns=columns)
    lines = ran.stdout.splitlines()
    assert (ran.exit_code, SUMMARY in lines) == (0, True)
    story = [
        "is announced",
        "dev_movies upgraded",
        "dev_social rolled back",
        "orders waiting for approval",
        "message: GES succeeded",
    ]
    assert [part for part in story if part not in ran.stdout] == []
    assert [line for line in lines if cell_len(line) > columns or line.endswith(" ")] == []


def test_terminal_shows_a_live_table() -> None:
    environment = {"COLUMNS": "100", "LINES": "40", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    ran = CliRunner().invoke(app, ["try", "--fast"], env=environment)
    assert ran.exit_code == 0
    assert "\x1b[" in ran.stdout
    assert SUMMARY in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", ran.stdout)


def test_demonstration_is_data_too() -> None:
    shown = json.loads(run("try", "--json").stdout)
    assert (shown["summary"], len(shown["decisions"])) == (SUMMARY, 8)


def test_last_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = run("try").stdout
    commands = re.findall(r"^  ges-upgrader (.*)$", out, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert run(*command.split(), *(["--upgrade-seconds", "0.1"] if command.startswith("invoke") else [])).exit_code == 0
