"""`make mutants`: breaks the planner, the windows and the choice of versions in two thousand small ways; do the tests see it?

mutmut wants the code where it is imported from, so the tree is laid out anew in build/mutants. A mutant that no test
kills must stand in docs/development/mutants.md, with the reason why that is right. Else this fails, as it does below 90%.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
STAGE = ROOT / "build" / "mutants"
REASONS = ROOT / "docs" / "development" / "mutants.md"
MODULES = (
    *("planning/releases", "planning/gates", "planning/matching", "planning/planner", "planning/survey", "planning/budget"),
    *("schedule/recurrence", "schedule/wallclock", "schedule/windows", "domain/version"),
)
TESTS = (
    "tests/unit/planning/test_gates.py",
    "tests/unit/planning/test_planner.py",
    "tests/properties/test_planner.py",
    "tests/unit/schedule/test_recurrence.py",
    "tests/unit/schedule/test_wallclock.py",
    "tests/unit/schedule/test_windows.py",
    "tests/unit/domain/test_versions.py",
    "tests/unit/diagnosis/test_explain.py",
)
LEAST = 0.9


def main() -> int:
    lay_out()
    mutmut = [sys.executable, "-m", "mutmut"]
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutants"}
    ran = subprocess.run([*mutmut, "run"], cwd=STAGE, env=environment, check=False)
    if ran.returncode:
        return ran.returncode
    listed = subprocess.run([*mutmut, "results", "--all", "true"], cwd=STAGE, capture_output=True, text=True, check=True)
    results = dict(re.findall(r"^\s*(\S+): (.+)$", listed.stdout, re.MULTILINE))
    counts = Counter(results.values())
    killed = (counts["killed"] + counts["timeout"]) / len(results)
    print(
        f"{len(results)} mutants: {', '.join(f'{count} {what}' for what, count in counts.most_common())}; {killed:.1%} killed"
    )
    explained = set(re.findall(r"^\| `(\S+)`", REASONS.read_text(), re.MULTILINE))
    left = [name for name, result in results.items() if result not in ("killed", "timeout") and name not in explained]
    for name in left:
        print(f"without a reason: {name} ({results[name]})")
    return int(killed < LEAST or bool(left))


def lay_out() -> None:
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(
        ROOT / "function" / "ges_upgrader", STAGE / "src" / "ges_upgrader", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in ("tests", "huaweicloud_simulator"):
        shutil.copytree(ROOT / folder, STAGE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (ROOT / "pyproject.toml").read_text().replace('pythonpath = [".", "function"]', 'pythonpath = [".", "src"]')
    lines = [
        "[tool.mutmut]",
        'source_paths = ["src"]',
        f"only_mutate = {[f'src/ges_upgrader/{name}.py' for name in MODULES]}",
        'also_copy = ["huaweicloud_simulator"]',
        f"pytest_add_cli_args_test_selection = {list(TESTS)}",
        "timeout_multiplier = 4",
    ]
    (STAGE / "pyproject.toml").write_text(settings + "\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
