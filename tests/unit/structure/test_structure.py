"""The structure of our packages, read from their imports: circles, sizes, and what the simulator may import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SIMULATOR = ROOT / "huaweicloud_simulator"
WITHOUT_CIRCLES = (SIMULATOR, ROOT / "function" / "ges_upgrader", ROOT / "ges_upgrader_cli")
WITHIN_LIMITS = (SIMULATOR, ROOT / "ges_upgrader_cli")
MAX_MODULES, MAX_LINES = 11, 300  # in a folder, in a module
LIBRARIES = {"greenlet", "msgspec", "requests", "responses", "urllib3", "werkzeug"}


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


@pytest.mark.parametrize("package", WITHIN_LIMITS, ids=lambda package: package.name)
def test_folders_and_modules_stay_small(package: Path) -> None:
    paths = [path for path in modules(package).values() if path.name != "__init__.py"]
    folders = {folder: sum(path.parent == folder for path in paths) for folder in {path.parent for path in paths}}
    assert {folder: count for folder, count in folders.items() if count > MAX_MODULES} == {}
    lengths = {path: len(path.read_text().splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}
