"""The front of the command line: help, version, exit codes."""

from __future__ import annotations

import pytest

from tests.cli.commands import run

VERBS = (
    *("try", "check", "test", "plan", "explain", "forecast", "diff", "status", "history"),
    *("event", "invoke", "simulator", "package"),
    *("release", "withdraw", "reinstate", "approve", "pause", "resume", "retry"),
)


def test_help_names_every_verb_in_a_line() -> None:
    lines = run("--help").stdout.splitlines()[1:]
    assert [line for line in lines if len(line) > 80 or line.endswith("...")] == []
    assert [verb for verb in VERBS if not any(line.startswith(f"  {verb} ") for line in lines)] == []


@pytest.mark.parametrize("verb", [*VERBS, "fleet", "freezes"])
def test_every_verb_has_help(verb: str) -> None:
    assert run(verb, "--help").exit_code == 0


_WRONG = (("nothing",), ("plan", "--nothing"), ("forecast", "--days", "0"), ("plan", "--at", "soon"))


@pytest.mark.parametrize("arguments", _WRONG)
def test_wrong_usage_is_two(arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")


def test_version_is_shown() -> None:
    assert run("--version").stdout.startswith("ges-upgrader ")
