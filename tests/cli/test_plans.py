"""`plan`, `explain`, `forecast`, `status`, `history`, `diff` and `test` over fleets of files, without a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.cells import cell_len

from ges_upgrader_cli.fleets.files import FileGraph, FleetFile, read_fleet, write_fleet
from ges_upgrader_cli.fleets.functions import SimulatedFunction
from ges_upgrader_cli.packaged.files import events
from tests.builders import TOPIC
from tests.cli.commands import run

POLICY = f"""\
notify: {TOPIC}
state: obs://kept/journal
freezes: [{{from: 2026-12-24, until: 2027-01-04, timezone: Asia/Shanghai}}]
rules:
  - {{name: dev, match: {{tags: {{env: dev}}}}, windows: ["* 10:00-16:00 Asia/Shanghai"]}}
  - name: prod
    match: {{tags: {{env: prod}}}}
    windows: ["Sat 02:00-06:00 Asia/Shanghai"]
    after: [dev]
    soak: 48h
  - {{name: held, match: {{tags: {{env: held}}}}}}
"""
FLEET = """\
graphs:
  - {name: demo, version: 2.4.9, tags: {env: dev}}
  - {name: orders, version: 2.4.9, tags: {env: prod}}
  - {name: legal, version: 2.4.9, tags: {env: held}}
  - {name: done, version: 2.4.15}
releases: [{version: 2.4.15, seen: 2026-11-20}]
journal:
  - {kind: paused, at: "2026-11-25T00:00:00Z", rule: held, reason: audit}
"""
THERE = ("--fleet", "fleet.yaml", "--at", "2026-12-01T01:00:00Z")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "fleet.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plan_says_what_waits_until_when() -> None:
    ran = run("plan", *THERE, columns=120)
    lines = ran.stdout.splitlines()
    assert (ran.exit_code, lines[0]) == (0, "4 graphs: 2 wait, 1 needs a person, 1 left alone")
    assert [line for line in lines if line.startswith(("Rule", "No rule"))] == ["Rule dev", "Rule prod", "Rule held", "No rule"]
    assert "  demo  2.4.9 to 2.4.15  wait  outside-window until Tue 2026-12-01 10:00 Asia/Shanghai (Tue 02:00 UTC)" in lines


def test_explain_marks_the_gate_that_decides() -> None:
    ran = run("explain", "legal", *THERE)
    assert (ran.exit_code, ran.stdout.splitlines()[0]) == (0, "legal (rule held), 2.4.9 to 2.4.15: blocked, paused")
    assert [line for line in ran.stdout.splitlines() if line.startswith(">")] == [next(_lines(ran.stdout, "> blocks  pause"))]


def test_explain_says_what_would_be_earlier() -> None:
    assert "What would make it earlier" in run("explain", "demo", *THERE).stdout


def test_unknown_graph_is_one_line() -> None:
    ran = run("explain", "nothing", *THERE)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


def test_forecast_draws_windows_freezes_soaks_and_starts() -> None:
    out = run("forecast", *THERE, "--days", "40").stdout
    prod = [line.removeprefix("prod").strip() for line in out.splitlines() if line.startswith("prod")]
    assert prod[0] == "ss..U. .....w. .....w. .....F."
    assert "2 upgrades in the next 40 days" in out
    assert "Sat 2026-12-05 02:00 Asia/Shanghai (Fri 18:00 UTC): orders 2.4.9 to 2.4.15" in out


def test_status_shows_first_what_needs_a_person() -> None:
    ran = run("status", *THERE)
    assert ran.exit_code == 1
    assert "1 graph for a person to decide about" in ran.stdout
    assert "  - rule held, since Wed 2026-11-25 00:00 UTC, reason audit" in ran.stdout
    assert "demo" not in ran.stdout


def test_history_shows_attempts(folder: Path) -> None:
    run("invoke", "smn_release", "--fleet", "fleet.yaml", "--upgrade-seconds", "0.1", "--json")
    attempt = {
        "id": "a",
        "graph_id": "g",
        "graph": "demo",
        "rule": "dev",
        "from_version": "2.4.4",
        "to_version": "2.4.9",
        "project": {"region": "cn-north-4", "project_id": "p"},
        "began_at": "2026-11-20T02:00:00Z",
        "force": False,
    }
    journal = [
        {"kind": "intended", "at": "2026-11-20T02:00:00Z", "attempt": attempt},
        {"kind": "ended", "at": "2026-11-20T02:12:00Z", "attempt_id": "a", "verdict": "rolled-back", "detail": "no ECS"},
    ]
    (folder / "fleet.yaml").write_text(yaml.safe_dump({"graphs": [], "journal": journal}))
    ran = run("history", *THERE, columns=160)
    said = "demo 2.4.4 to 2.4.9, rule dev: rolled-back after 12m: no ECS"
    assert ran.stdout == f"1 upgrade\n  Fri 2026-11-20 10:00 Asia/Shanghai (Fri 02:00 UTC): {said}\n"
    assert json.loads(run("history", *THERE, "--json").stdout)[0]["outcome"] == "rolled-back"


def test_diff_is_a_sentence_and_a_table(folder: Path) -> None:
    (folder / "new.yaml").write_text(POLICY.replace("Sat 02:00", "Sun 02:00").replace("held}}, ", "x}}, "))
    ran = run("diff", "policy.yaml", "new.yaml", *THERE)
    first, _, *table = ran.stdout.splitlines()
    assert first == "1 of 4 graphs changes over the next 90 days: 1 upgraded later."
    assert table[2].startswith("| orders | later | to 2.4.15 on Sat 2026-12-05 02:00 Asia/Shanghai")
    assert run("diff", "policy.yaml", "new.yaml", *THERE, "--exit-code").exit_code == 1


def test_diff_of_the_same_policy_is_nothing() -> None:
    ran = run("diff", "policy.yaml", "policy.yaml", *THERE, "--exit-code")
    assert (ran.exit_code, ran.stdout) == (0, "Nothing changes for 4 graphs over the next 90 days.\n")


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "examples" / "policies").glob("*.yaml")), ids=lambda one: one.stem
)
def test_example_is_checked_and_passes_its_tests(path: Path) -> None:
    assert run("check", "--strict", path, "--at", "2026-10-01").exit_code == 0
    ran = run("test", path)
    assert (ran.exit_code, " 0 failed" in ran.stdout, "0 tests" in ran.stdout) == (0, True, False)


def test_failing_test_shows_expected_and_found(folder: Path) -> None:
    test = {"name": "t", "at": "2026-12-01T01:00:00Z", "graphs": [{"name": "demo", "version": "2.4.9", "tags": {"env": "dev"}}]}
    expect = {"demo": {"action": "upgrade", "reason": "no-release", "target": None}}
    (folder / "policy.yaml").write_text(POLICY + yaml.safe_dump({"tests": [{**test, "expect": expect}]}))
    ran = run("test")
    assert ran.exit_code == 1
    assert [line for line in ran.stdout.splitlines() if "upgrade" in line] == ["    action  upgrade   skip"]
    assert "> blocks  release" in ran.stdout


@pytest.mark.parametrize("command", [("plan",), ("status",), ("forecast",), ("explain", "orders")])
@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit_the_terminal(command: tuple[str, ...], columns: int) -> None:
    out = run(*command, *THERE, columns=columns).stdout
    assert [line for line in out.splitlines() if cell_len(line) > columns or line.endswith(" ")] == []


def test_policy_with_errors_is_one_line(folder: Path) -> None:
    (folder / "policy.yaml").write_text("rules: [{}]")
    ran = run("plan", *THERE)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("arguments", [(), ("--fleet", "fleet.yaml", "--simulator"), ("--fleet", "missing.yaml")])
def test_fleet_that_is_not_there_is_one_line(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = run("plan", *arguments)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


def test_file_is_read_as_it_is_written() -> None:
    fleet = FleetFile(
        (FileGraph("图", "2.4.0", tags={"a": "1"}),), ("2.10",), (), ({"kind": "paused", "at": "2026-11-25T00:00:00Z"},)
    )
    assert read_fleet(write_fleet(fleet)) == fleet


def test_exported_fleet_is_answered_alike(folder: Path) -> None:
    exported = run("fleet", "export", "--fleet", "fleet.yaml").stdout
    (folder / "exported.yaml").write_text(exported)
    answers = [
        json.loads(run("plan", "--fleet", name, *THERE[2:], "--json").stdout) for name in ("fleet.yaml", "exported.yaml")
    ]
    assert answers[0]["decisions"] == answers[1]["decisions"]


@pytest.mark.parametrize("state", ["none", "obs://kept/journal", "file:///nowhere/at/all"])
def test_state_of_the_policy_is_left_alone(state: str) -> None:
    function = SimulatedFunction(POLICY.replace("obs://kept/journal", state), datetime.now(timezone.utc), read_fleet(FLEET))
    result = function.ask({"command": "plan"})
    assert ({one["graph"]: one["reason"] for one in result["decisions"]}["legal"], result["errors"]) == ("paused", [])
    assert not Path("/nowhere").exists()


@pytest.mark.parametrize("event", sorted(events()))
def test_file_is_answered_as_by_the_packaged_function(event: str, folder: Path) -> None:
    (folder / "policy.yaml").write_text(
        POLICY.replace("from: 2026-12-24, until: 2027-01-04", "from: 2000-01-01, until: 2099-01-01")
    )
    (folder / "fleet.yaml").write_text(
        FLEET.partition("journal:")[0].replace("releases: [{version: 2.4.15, seen: 2026-11-20}]", "")
    )
    packaged = json.loads(run("invoke", event, "--fleet", "fleet.yaml", "--json").stdout)
    text, fleet = (folder / "policy.yaml").read_text(), read_fleet((folder / "fleet.yaml").read_text())
    mine = SimulatedFunction(text, datetime.now(timezone.utc), fleet).ask(json.loads(events()[event].read_text()))
    assert {name: _timeless(packaged[name]) for name in _SAME} == {name: _timeless(mine[name]) for name in _SAME}


_SAME = ("command", "dry_run", "policy", "decisions", "errors", "summary", "done")


def _timeless(value: Any) -> Any:
    """Without the ids and times that differ between two clouds."""
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name not in ("until", "value", "earlier")}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _lines(text: str, begin: str) -> Any:
    return (line for line in text.splitlines() if line.startswith(begin))
