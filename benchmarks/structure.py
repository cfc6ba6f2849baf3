"""The structure of the tree in figures: `python -m benchmarks.structure`.

Median / 90th percentile / maximum of what a reader meets: files a folder, lines a module and a function, imports a module,
arguments and complexity a function, docstrings, and words in the names of tests. tests/unit/structure/test_structure.py
holds limits over the same figures.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from statistics import mean, median
from typing import Union

from radon.visitors import ComplexityVisitor

ROOT = Path(__file__).parent.parent
PRODUCT = (ROOT / "function", ROOT / "huaweicloud_simulator", ROOT / "ges_upgrader_cli")
TESTS = ROOT / "tests"

AnyFunction = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class Tree:
    """The Python modules below some folders, `__init__.py` counted only where the text says so.

    Places are given from `root`.
    """

    def __init__(self, folders: Iterable[Path], root: Path = ROOT) -> None:
        self.root = root
        self._paths = [path for folder in folders for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts]

    @property
    def modules(self) -> list[Path]:
        """Without `__init__.py`."""
        return [path for path in self._paths if path.name != "__init__.py"]

    @cached_property
    def parsed(self) -> dict[Path, ast.Module]:
        return {path: ast.parse(path.read_text()) for path in self.modules}

    @property
    def folders(self) -> Counter[Path]:
        """How many modules each folder has."""
        return Counter(path.parent for path in self.modules)

    @property
    def lines(self) -> dict[Path, int]:
        """The lines of each module."""
        return {path: len(path.read_text().splitlines()) for path in self.modules}

    @property
    def functions(self) -> Iterator[AnyFunction]:
        for tree in self.parsed.values():
            yield from _functions_of(tree)

    @cached_property
    def complexity(self) -> dict[str, int]:
        """The cyclomatic complexity of each function and method, by its place."""
        found: dict[str, int] = {}
        for path, tree in self.parsed.items():
            visitor = ComplexityVisitor.from_ast(tree)
            methods = [method for one in visitor.classes for method in one.methods]
            for block in [*visitor.functions, *methods]:
                found[self._place(path, block.lineno, block.name)] = block.complexity
        return found

    @cached_property
    def docstrings(self) -> dict[str, str]:
        """The docstring of each function and method, empty if it has none, by its place."""
        functions = ((path, one) for path, tree in self.parsed.items() for one in _functions_of(tree))
        return {self._place(path, one.lineno, one.name): ast.get_docstring(one) or "" for path, one in functions}

    def _place(self, path: Path, line: int, name: str) -> str:
        return f"{path.relative_to(self.root)}:{line} {name}"

    @property
    def test_names(self) -> list[list[str]]:
        """The words of the name of each test, `test` left out."""
        return [re.split("_+", one.name)[1:] for one in self.functions if one.name.startswith("test_")]


def main() -> None:
    for name, tree in (("product", Tree(PRODUCT)), ("tests", Tree([TESTS]))):
        documented = [bool(ast.get_docstring(one)) for one in tree.parsed.values()]
        public = [one for one in tree.functions if not one.name.startswith("_")]
        rows: list[tuple[str, Sequence[float]]] = [
            ("modules a folder", list(tree.folders.values())),
            ("lines a module", list(tree.lines.values())),
            ("lines a function", [(one.end_lineno or one.lineno) - one.lineno + 1 for one in tree.functions]),
            ("imports a module", [_imports(one) for one in tree.parsed.values()]),
            ("arguments a function", [len(one.args.args) + len(one.args.kwonlyargs) for one in tree.functions]),
            ("complexity a function", list(tree.complexity.values())),
            ("words in the name of a test", [len(words) for words in tree.test_names]),
        ]
        print(f"{name}: {len(tree.modules)} modules, {sum(tree.lines.values()):,} lines")
        print(f"  {'':28}median  90th  most  average")
        for title, figures in rows:
            if figures:
                print(f"  {title:28}{_figures(figures)}")
        print(f"  modules with a docstring    {mean(documented):.0%}")
        print(f"  public functions with one   {mean(bool(ast.get_docstring(one)) for one in public):.0%}\n")


def _figures(figures: Sequence[float]) -> str:
    ordered = sorted(figures)
    ninetieth = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
    return f"{median(ordered):6g}  {ninetieth:4g}  {ordered[-1]:4g}  {mean(ordered):7.1f}"


def _functions_of(tree: ast.Module) -> Iterator[AnyFunction]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _imports(tree: ast.Module) -> int:
    return sum(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(tree))


if __name__ == "__main__":
    main()
