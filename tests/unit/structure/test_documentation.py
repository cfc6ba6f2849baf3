"""What the product says must stand in its documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ges_upgrader.domain.model import Reason, Verdict

TOP = Path(__file__).parents[3]
OPERATING = (TOP / "docs" / "operating.md").read_text()


@pytest.mark.parametrize("word", [*Reason, *Verdict])
def test_every_reason_and_outcome_is_explained(word: Reason | Verdict) -> None:
    assert f"| `{word.value}` |" in OPERATING


def test_architecture_names_files_that_exist() -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", (TOP / "docs" / "architecture.md").read_text()))
    assert len(named) > 20
    roots = (TOP, TOP / "function" / "ges_upgrader")
    assert {name for name in named if not any((root / name).exists() for root in roots)} == set()


def test_architecture_describes_every_room() -> None:
    rooms = {path.parent.name for path in (TOP / "function" / "ges_upgrader").glob("*/__init__.py")}
    text = (TOP / "docs" / "architecture.md").read_text()
    assert {room for room in rooms if f"| `{room}/` |" not in text} == set()


def test_security_names_licence_of_each_library() -> None:
    pins = re.findall(r"^([\w-]+)==", (TOP / "requirements.txt").read_text(), re.MULTILINE)
    text = (TOP / "SECURITY.md").read_text()
    assert pins and {pin for pin in pins if pin not in text} == set()


def test_index_lists_every_decision() -> None:
    folder = TOP / "docs" / "decisions"
    assert {path.name for path in folder.glob("0*.md")} == set(
        re.findall(r"\((\d+[^)]+)\)", (folder / "README.md").read_text())
    )
