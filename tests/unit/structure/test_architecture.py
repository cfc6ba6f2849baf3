"""The layout: which room may import which, and what the pure rooms must not touch, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FUNCTION = ROOT / "function"
PACKAGE = "ges_upgrader"
MODULES = {".".join(path.relative_to(FUNCTION).with_suffix("").parts): path for path in FUNCTION.rglob("*.py")}
# A room imports only rooms that stand after it.
ROOMS = (
    *("running", "diagnosis", "notifications", "journal", "cloud", "planning", "events", "history"),
    *("policy", "schedule", "log", "domain", "redaction", "clock"),
)
PURE_ROOMS = ("domain", "schedule", "policy", "history", "events", "planning", "notifications", "diagnosis")
PURE = sorted(name for name in MODULES if name.startswith(tuple(f"{PACKAGE}.{room}." for room in PURE_ROOMS)))
IO = {"requests", "socket", "os", "time", "fcntl", "subprocess", "urllib3", "random"}


def imported(name: str) -> set[str]:
    """The modules that a module imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".")[: -node.level] if node.level else []
            module = ".".join([*package, *([node.module] if node.module else [])])
            submodules = {f"{module}.{alias.name}" for alias in node.names} & set(MODULES)
            found |= submodules or {module}
    return found


def room(name: str) -> str | None:
    """The room of one of our modules; None for what is not ours and for the package itself."""
    package, _, rest = name.partition(".")
    return rest.split(".")[0] if package == PACKAGE and rest != "__init__" and rest else None


def test_every_room_has_its_place() -> None:
    assert {room(name) for name in MODULES} - {None} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_deployed_code_imports_nothing_else_of_ours(name: str) -> None:
    outside = {"huaweicloud_simulator", "ges_upgrader_cli", "tests", "deploy", "benchmarks"}
    assert not {one.split(".")[0] for one in imported(name)} & outside


@pytest.mark.parametrize("name", sorted(name for name in MODULES if room(name)))
def test_rooms_import_only_rooms_below(name: str) -> None:
    allowed = ROOMS[ROOMS.index(str(room(name))) :]
    assert {room(one) for one in imported(name)} - {None} <= set(allowed)


def test_modules_import_in_no_circle() -> None:
    TopologicalSorter({name: imported(name) & set(MODULES) for name in MODULES}).prepare()


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_do_no_io(name: str) -> None:
    assert not {one.split(".")[0] for one in imported(name)} & IO


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_read_no_clock(name: str) -> None:
    clocks = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today"}
    tree = ast.parse(MODULES[name].read_text())
    assert not {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & clocks


def test_only_runs_and_transports_wait() -> None:
    sleepers = {name for name, path in MODULES.items() if ".sleep(" in path.read_text()}
    waiting = ("running.run", "running.start", "cloud.transport", "journal.storage", "clock")  # storage: for a lock
    assert sleepers == {f"{PACKAGE}.{name}" for name in waiting}


# A fork for each module: nothing of ours is imported in it before, and Python need not start again.
IMPORT_ALONE = """
import importlib, os, sys, traceback
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(name)
"""


def test_every_module_imports_alone() -> None:
    names = [name.removesuffix(".__init__") for name in sorted(MODULES)]
    command = [sys.executable, "-c", IMPORT_ALONE, *names]
    ran = subprocess.run(command, cwd=FUNCTION, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
