"""`ges-upgrader check` through the real command line, at 80 columns and without a terminal."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import run

ROOT = Path(__file__).parents[2]


def test_good_policy_is_fine() -> None:
    ran = run("check", ROOT / "examples" / "policies" / "canary.yaml")
    assert ran.exit_code == 0


def test_error_needs_attention(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("rules: [{}]\n")
    ran = run("check", tmp_path / "policy.yaml")
    assert (ran.exit_code, "notify" in ran.stdout) == (1, True)


def test_missing_policy_is_one_line(tmp_path: Path) -> None:
    ran = run("check", tmp_path / "policy.yaml")
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
