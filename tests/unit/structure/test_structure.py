"""The structure of our packages: circles of imports, what the simulator may import, and limits of size and complexity."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import mean, median
from typing import TypeVar

import pytest

from benchmarks.structure import PRODUCT as PACKAGES
from benchmarks.structure import ROOT, TESTS, Tree

T = TypeVar("T")

SIMULATOR = ROOT / "huaweicloud_simulator"
WITHOUT_CIRCLES = (SIMULATOR, ROOT / "function" / "ges_upgrader", ROOT / "ges_upgrader_cli")
PRODUCT, OF_TESTS = Tree(PACKAGES), Tree([TESTS])
MAX_MODULES, MAX_TEST_FILES, MAX_LINES = 11, 15, 300  # in a folder, in a folder of tests, in a module
MAX_COMPLEXITY, AIMED_COMPLEXITY, MAX_AVERAGE = 12, 10, 3.0  # of a function, with and without a reason; of all functions
MAX_WORDS = 8  # of the names of tests, in the median

# What is still over a limit. This list only shrinks: an entry that is no longer needed fails.
STILL_OVER = {
    "average complexity",
    "function/ges_upgrader/diagnosis/calendar_warnings.py _timers",
    "function/ges_upgrader/diagnosis/calendar_warnings.py rule_warnings",
    "function/ges_upgrader/diagnosis/rollout_warnings.py _expiring",
    "function/ges_upgrader/events/reading.py _mistyped_value",
    "function/ges_upgrader/events/reading.py _of_timer",
    "function/ges_upgrader/journal/compaction.py __init__",
    "function/ges_upgrader/journal/remembered.py _is_news",
    "function/ges_upgrader/journal/segments.py tidy",
    "function/ges_upgrader/notifications/messages.py compose",
    "function/ges_upgrader/notifications/set_aside.py set_aside_notices",
    "function/ges_upgrader/notifications/stalled.py stalled",
    "function/ges_upgrader/planning/command_records.py _in_trouble",
    "function/ges_upgrader/planning/command_records.py moved",
    "function/ges_upgrader/policy/decoding.py decode",
    "function/ges_upgrader/policy/parsing.py _spell_out",
    "function/ges_upgrader/schedule/cron.py __init__",
    "function/ges_upgrader/schedule/cron.py _numbers",
    "function/ges_upgrader/schedule/cron.py firings",
    "function/ges_upgrader/schedule/recurrence.py __init__",
    "function/ges_upgrader/schedule/recurrence.py _parts",
    "ges_upgrader_cli/packaged/zip.py _place",
    "ges_upgrader_cli/shown/results.py show_decisions",
    "ges_upgrader_cli/shown/results.py summary",
    "ges_upgrader_cli/verbs/check.py check",
    "ges_upgrader_cli/verbs/commands.py _carry_out",
    "ges_upgrader_cli/verbs/diff.py diff",
    "ges_upgrader_cli/verbs/testing.py run_tests",
}
LIBRARIES = {"greenlet", "msgspec", "requests", "responses", "urllib3", "werkzeug", "yaml"}


def over_limits() -> set[str]:
    """The folders, modules and functions over a limit, and the averages that are."""
    averages = {
        "average complexity": mean(PRODUCT.complexity.values()) > MAX_AVERAGE,
        "words in the names of tests": median(map(len, OF_TESTS.test_names)) > MAX_WORDS,
    }
    folders_of_tests = {path.relative_to(ROOT).as_posix() for path in over(OF_TESTS.folders, MAX_TEST_FILES)}
    return places_over(PRODUCT, MAX_MODULES) | folders_of_tests | {name for name, is_over in averages.items() if is_over}


def places_over(tree: Tree, most_modules: int) -> set[str]:
    paths = [*over(tree.folders, most_modules), *over(tree.lines, MAX_LINES)]
    functions = [place for place in over(tree.complexity, AIMED_COMPLEXITY) if not is_excused(tree, place)]
    return {*map(label, functions), *(path.relative_to(tree.root).as_posix() for path in paths)}


def is_excused(tree: Tree, place: str) -> bool:
    """Whether the docstring of a function over the aim says what its branches are for, and it is within the limit."""
    return tree.complexity[place] <= MAX_COMPLEXITY and "branch" in tree.docstrings.get(place, "")


def over(figures: Mapping[T, int], most: int) -> list[T]:
    return [place for place, figure in figures.items() if figure > most]


def label(place: str) -> str:
    """A function's place without its line, which changes too often."""
    return re.sub(r":[0-9]+ ", " ", place)


def modules(package: Path) -> dict[str, Path]:
    """The package's modules by their full names. A folder's name stands for its `__init__`."""
    names = {path: [package.name, *path.relative_to(package).with_suffix("").parts] for path in package.rglob("*.py")}
    return {".".join(name[:-1] if name[-1] == "__init__" else name): path for path, name in names.items()}


def imports(package: Path) -> dict[str, set[str]]:
    """What each module imports, at the top, inside functions, or only for types."""
    known = modules(package)
    return {name: _imports_of(name, path, known) for name, path in known.items()}


def _imports_of(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = name.split(".") + ["__init__"] * (path.name == "__init__.py")
            base = ".".join([*(here[: -node.level] if node.level else []), *([node.module] if node.module else [])])
            submodules = {f"{base}.{alias.name}" for alias in node.names} & set(known)
            others = any(f"{base}.{alias.name}" not in known for alias in node.names)
            found |= submodules | ({base} if others else set())
    return found


def circle(package: Path) -> list[str]:
    """Modules of a circle of imports, in order; empty if there is none."""
    graph = imports(package)
    try:
        TopologicalSorter({name: found & set(graph) for name, found in graph.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", WITHOUT_CIRCLES, ids=lambda package: package.name)
def test_imports_have_no_circle(package: Path) -> None:
    assert circle(package) == []


@pytest.mark.parametrize("hint", ["", "if TYPE_CHECKING:\n    ", "def later():\n    "], ids=["plain", "types only", "later"])
def test_circle_is_found_however_it_is_imported(tmp_path: Path, hint: str) -> None:
    package = tmp_path / "shop"
    (package / "back").mkdir(parents=True)
    (package / "__init__.py").write_text("from .till import Till\n")
    (package / "till.py").write_text("from .back import store\nclass Till: ...\n")
    (package / "back" / "__init__.py").write_text("")
    (package / "back" / "store.py").write_text("import json\n")
    assert circle(package) == []
    (package / "back" / "store.py").write_text(f"from typing import TYPE_CHECKING\n{hint}from ..till import Till\n")
    assert set(circle(package)) == {"shop.till", "shop.back.store"}


def test_simulator_imports_nothing_else_of_ours() -> None:
    found = {one.split(".")[0] for names in imports(SIMULATOR).values() for one in names}
    assert found - set(sys.stdlib_module_names) == LIBRARIES | {SIMULATOR.name}


def test_only_known_places_are_over_limits() -> None:
    assert over_limits() - STILL_OVER == set()


def test_list_of_exceptions_only_shrinks() -> None:
    """Whoever brings a place within the limits takes it off the list."""
    assert STILL_OVER - over_limits() == set()


@pytest.mark.parametrize(
    ("branches", "docstring", "is_over"),
    [
        (MAX_COMPLEXITY, "A branch for each coin.", True),
        (MAX_COMPLEXITY - 1, "A branch for each coin.", False),
        (MAX_COMPLEXITY - 1, "Pays.", True),
        (AIMED_COMPLEXITY - 1, "Pays.", False),
    ],
)
def test_limits_find_branching_functions(tmp_path: Path, branches: int, docstring: str, is_over: bool) -> None:
    body = "".join(f"        if coin == {number}:\n            return\n" for number in range(branches))
    (tmp_path / "till.py").write_text(f'class Till:\n    def pay(self, coin):\n        """{docstring}"""\n{body}')
    assert places_over(Tree([tmp_path], tmp_path), MAX_MODULES) == ({"till.py pay"} if is_over else set())


def test_limits_find_large_folders_and_modules(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for number in range(MAX_MODULES + 1):
        (tmp_path / "shop" / f"till{number}.py").write_text("")
    (tmp_path / "long.py").write_text("\n" * (MAX_LINES + 1))
    (tmp_path / "fitting.py").write_text("\n" * MAX_LINES)
    assert places_over(Tree([tmp_path], tmp_path), MAX_MODULES) == {"shop", "long.py"}
