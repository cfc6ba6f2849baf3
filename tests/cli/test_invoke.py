"""`ges-upgrader event` and `invoke`: the packaged function on the simulated cloud, with state between the calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import TOPIC
from tests.cli.commands import run

FLEET = """\
graphs:
  - {name: demo, version: 2.4.9, tags: {env: prod}}
versions: [2.4.15]
"""
POLICY = f"notify: {TOPIC}\nstate: obs://kept/journal\nrules: [{{name: prod, mode: approve}}]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy and a fleet, in which the commands run."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "fleet.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(event: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    ran = run("invoke", event, *arguments, "--upgrade-seconds", "0.2", "--json")
    assert ran.exit_code == code, ran.output
    return dict(json.loads(ran.stdout))


def reasons(result: dict[str, Any]) -> list[str]:
    return [one["reason"] for one in result["decisions"]]


def test_state_is_kept_between_invocations() -> None:
    assert reasons(invoke("smn_release", "--fleet", "fleet.yaml")) == ["awaiting-approval"]
    assert [one["outcome"] for one in invoke("command_approve")["outcomes"]] == ["succeeded"]
    assert reasons(invoke("timer_nightly")) == ["up-to-date"]
    assert reasons(invoke("timer_nightly", "--fleet", "fleet.yaml")) == ["no-release"]


def test_run_shows_progress_decisions_and_messages() -> None:
    ran = run("invoke", "smn_release", "--fleet", "fleet.yaml")
    assert ran.exit_code == 0
    for text in (
        "learned of release 2.4.15",
        "Message  GES waits for approval",
        "1 graph: 1 waits",
        "Rule prod",
        "awaiting-approval",
    ):
        assert text in ran.stdout


def test_file_and_stdin_are_events(folder: Path) -> None:
    (folder / "mine.json").write_text('{"command": "plan"}')
    assert invoke("mine.json", "--fleet", "fleet.yaml")["command"] == "plan"


def test_error_of_the_run_needs_attention() -> None:
    (Path("policy.yaml")).write_text("rules: []")
    assert invoke("timer_nightly", "--fleet", "fleet.yaml", code=1)["errors"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("invoke", "missing.json"),
        ("invoke", "fleet.yaml"),
        ("invoke", "timer_nightly", "--fleet", "missing.yaml"),
        ("invoke", "timer_nightly", "--policy", "missing.yaml"),
        ("event", "missing"),
    ],
)
def test_wrong_argument_is_one_line(arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("graphs: [{name: demo}]", "graphs[0]"),
        ("graphs: [{name: demo, version: x}]", "graphs[0].version"),
        ("graphs: [{name: demo, version: 2.4.9, colour: red}]", "colour"),
        ("journal: [{kind: unheard}]", "journal[0]"),
        ("releases: [{version: 2.4.15, seen: soon}]", "releases[0]"),
        ("a: [", "line 1"),
    ],
)
def test_wrong_fleet_is_one_line(folder: Path, text: str, said: str) -> None:
    (folder / "fleet.yaml").write_text(text)
    ran = run("invoke", "timer_nightly", "--fleet", "fleet.yaml")
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert said in ran.stderr


def test_each_kind_of_event_is_json() -> None:
    kinds = run("event").stdout.split()
    assert "smn_release" in kinds
    for kind in kinds:
        json.loads(run("event", kind).stdout)
