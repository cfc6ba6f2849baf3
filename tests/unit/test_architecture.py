"""The house of the design: who may import whom, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION = ROOT / "function"
MODULES = {".".join(path.relative_to(FUNCTION).with_suffix("").parts): path for path in FUNCTION.rglob("*.py")}
PURE = (
    *("model", "versions", "wallclock", "recurrence", "windows", "timers", "policy", "governing", "choice", "gates", "planner"),
    *("explain", "forecast", "lint", "notices", "settle", "records", "history", "folding", "announcements"),
    *("instructions", "messages", "events", "gate_values", "openings", "passed_over", "what_if"),
)
IO = {"requests", "socket", "os", "time", "fcntl", "subprocess", "urllib3", "random"}


def imported(name: str) -> set[str]:
    """The modules that a module imports, at the top or inside functions, our own by their full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".")[: -node.level] if node.level else []
            found.add(".".join([*package, *([node.module] if node.module else [])]))
    return found


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_deployed_knows_the_simulator_the_command_line_or_the_tests(name: str) -> None:
    assert not {one.split(".")[0] for one in imported(name)} & {"simulator", "cli", "tests", "deploy", "benchmarks"}


@pytest.mark.parametrize("name", PURE)
def test_the_core_does_no_io(name: str) -> None:
    names = imported(f"upgrader.{name}")
    assert not {one.split(".")[0] for one in names} & IO
    edges = {f"upgrader.{edge}" for edge in ("journal", "storage", "platform")}
    assert not [one for one in names if one.startswith("upgrader.cloud") or one in edges]


@pytest.mark.parametrize("name", PURE)
def test_the_core_reads_no_clock(name: str) -> None:
    clocks = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today"}
    tree = ast.parse(MODULES[f"upgrader.{name}"].read_text())
    assert not {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & clocks


def test_imports_run_one_way() -> None:
    order = list(TopologicalSorter({name: imported(name) & set(MODULES) for name in MODULES}).static_order())
    assert order.index("upgrader.model") < order.index("upgrader.planner") < order.index("upgrader.run") < order.index("index")


def test_only_the_run_and_the_transport_wait() -> None:
    sleepers = {name for name, path in MODULES.items() if ".sleep(" in path.read_text()}
    assert sleepers == {"upgrader.run", "upgrader.starting", "upgrader.cloud.transport", "upgrader.cloud.obs", "upgrader.clock"}


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name != "upgrader.__init__"))
def test_every_module_can_be_imported_alone(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", f"import {name.removesuffix('.__init__')}"],
        cwd=FUNCTION,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
