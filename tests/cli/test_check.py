"""`ges-upgrader check` through the real command line, at 80 columns and without a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.schedule.windows import Window
from ges_upgrader_cli.checking.window_words import in_words, written_form
from tests.builders import TOPIC
from tests.cli.commands import run

ROOT = Path(__file__).parents[2]
CANARY = ROOT / "examples" / "policies" / "canary.yaml"
WRONG = f"""\
notify: {TOPIC}
state: none
rules:
  - name: dev
    windows: ["Sun 02:00-06:00 Asia/Shangai"]
    soak: 3
  - name: 图库
    windws: [always]
    after: [dev, staging]
freezes:
  - {{from: 2026-12-24, reason: "年终", until: 2026-13-01}}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A file for a policy, with the wrong one in it."""
    path = tmp_path / "policy.yaml"
    path.write_text(WRONG, encoding="utf-8")
    return path


def test_good_policy_shows_windows_and_next_starts() -> None:
    ran = run("check", CANARY, "--at", "2026-12-01")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert "  windows  Saturdays and Sundays, 00:00 to 06:00 (Asia/Shanghai)\n" in ran.stdout
    starts = [line for line in ran.stdout.splitlines() if "2026-12-" in line and " 00:00 to " in line]
    assert starts[0] == "  starts   Sat 2026-12-05 00:00 to 05:30 Asia/Shanghai (Fri 16:00 UTC)"
    assert len(starts) == 3


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(policy: Path, columns: int) -> None:
    out = run("check", CANARY, columns=columns).stdout + run("check", policy, columns=columns).stdout.replace(str(policy), "P")
    assert [line for line in out.splitlines() if cell_len(line) > columns and str(CANARY) not in line] == []


def test_errors_show_place_rule_and_caret(policy: Path) -> None:
    ran = run("check", policy)
    lines = ran.stdout.splitlines()
    assert ran.exit_code == 1
    first = lines.index(f"{policy}:5:32: error in rule dev, rules[0].windows[0]")
    assert lines[first + 1].endswith('windows: ["Sun 02:00-06:00 Asia/Shangai"]')
    assert lines[first + 2].index("^") == lines[first + 1].index("Asia/Shangai")
    assert "Asia/Shanghai" in " ".join(lines[first + 3 : first + 5])


@pytest.mark.parametrize(
    ("path", "place"),
    [("rules[0].soak", "6:11"), ("rules[1].windws", "8:5"), ("rules[1].after", "9:18"), ("freezes[0].until", "11:45")],
)
def test_caret_is_under_what_is_wrong(policy: Path, path: str, place: str) -> None:
    (finding,) = (one for one in found(policy) if one["path"] == path)
    assert f"{finding['line']}:{finding['column']}" == place


def test_caret_counts_wide_characters_twice(policy: Path) -> None:
    lines = run("check", policy).stdout.splitlines()
    line = next(line for line in lines if "年终" in line)
    caret = lines[lines.index(line) + 1].index("^")
    assert caret == cell_len(line[: line.index("2026-13-01")])


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [\n", 1), ("notify: x\nnotify: y\n", 2), ("", 1), ("- x", 1), ("a: 1\n\tb: 2", 2), ("rules: !!int 3", 1)],
)
def test_unreadable_policy_has_a_line(policy: Path, text: str, line: int) -> None:
    policy.write_text(text)
    assert found(policy)[0]["line"] == line


def test_missing_policy_is_one_line(tmp_path: Path) -> None:
    ran = run("check", tmp_path / "policy.yaml")
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


def test_strict_makes_warnings_count(policy: Path) -> None:
    policy.write_text(f"notify: {TOPIC}\nstate: none\nrules: [{{soak: 2d}}]\n")
    assert [run("check", policy, *more).exit_code for more in ((), ("--strict",))] == [0, 1]


def test_fleet_shows_what_each_rule_governs() -> None:
    ran = run("check", CANARY, "--fleet", ROOT / "examples" / "fleet.yaml", "--at", "2026-12-01")
    assert (ran.exit_code, ran.stdout.count("  governs  1 graph: recommend")) == (0, 3)


def test_several_policies_are_checked(policy: Path) -> None:
    ran = run("check", CANARY, policy, "--json")
    assert (ran.exit_code, [one["policy"] for one in json.loads(ran.stdout)]) == (1, [str(CANARY), str(policy)])


def test_long_line_is_cut_around_the_caret(policy: Path) -> None:
    policy.write_text(f"notify: {TOPIC}\nstate: none\nrules: [{{name: {'x' * 200}, soak: 3, match: {{name: {'y' * 200}}}}}]\n")
    lines = run("check", policy).stdout.splitlines()
    shown = next(line for line in lines if "soak: 3" in line)
    assert len(shown) <= 80
    assert lines[lines.index(shown) + 1].index("^") == shown.index("3", 8)


def test_effective_policy_has_the_same_fingerprint(policy: Path) -> None:
    window = '{rrule: "FREQ=MONTHLY;BYDAY=3TH", start: "23:00", duration: 3h, timezone: Asia/Shanghai}'
    rule = f'{{windows: [{window}, always], versions: "<3", match: {{name: "a*"}}, max_concurrent: 10%}}'
    freeze = "{from: 2026-12-24, until: 2027-01-04}"
    text = f"notify: {TOPIC}\nstate: none\nrules: [{rule}, {{}}]\nfreezes: [{freeze}]\nreleases: [{{version: 2.4.9}}]"
    policy.write_text(text)
    shown = run("check", policy, "--effective", columns=200).stdout.rpartition("\n\n")[2]
    assert fingerprint(parse_policy(shown)) == fingerprint(parse_policy(text))


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("always", "always"),
        ("Mon-Fri 22:00-02:00 Europe/Berlin", "Monday to Friday, 22:00 to 02:00 the next day (Europe/Berlin)"),
        ("* 00:00-24:00 UTC", "every day, 00:00 to 24:00 (UTC)"),
        ("FREQ=MONTHLY;BYDAY=3TH 23:00", "the third Thursday of every month, from 23:00 for 3h (UTC)"),
        ("FREQ=MONTHLY;BYDAY=-1FR 23:00", "the last Friday of every month, from 23:00 for 3h (UTC)"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA 2026-01-03T02:00",
            "every second week on Saturday, counted from 2026-01-03, from 02:00 for 3h (UTC)",
        ),
        ("FREQ=YEARLY;BYMONTH=3,6;BYMONTHDAY=1 02:00", "day 1 of every year in March and June, from 02:00 for 3h (UTC)"),
        ("FREQ=DAILY;BYHOUR=2,4 02:00", "by the rule FREQ=DAILY;BYHOUR=2,4, from 02:00 for 3h (UTC)"),
    ],
)
def test_window_in_words(window: str, words: str) -> None:
    rrule, _, start = window.rpartition(" ")
    by_rule = {"rrule": rrule, "start": start, "duration": "3h", "timezone": "UTC"}
    made = Window(by_rule if rrule.startswith("FREQ") else window)
    assert in_words(made) == words
    assert written_form(made) == (by_rule if rrule.startswith("FREQ") else window)


def test_terminal_is_not_steered_by_a_policy(policy: Path) -> None:
    policy.write_text("rules:\n  - name: x\x1b[2J\u202e\n    soak: 3\u202e\n")
    shown = run("check", policy).output  # which must have no escape in it
    assert "\u202e" not in shown


def test_terminal_without_chinese_shows_the_rest(policy: Path) -> None:
    command = [sys.executable, "-m", "ges_upgrader_cli", "check", str(policy)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'function'}", "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (ran.returncode, b"Traceback" in ran.stderr, b"\\u56fe" in ran.stdout) == (1, False, True)


def found(policy: Path) -> list[dict[str, object]]:
    """The findings as JSON."""
    return list(json.loads(run("check", policy, "--json").stdout)[0]["findings"])
