"""What the product says must stand in its documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from upgrader.model import Reason, Verdict

OPERATING = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


@pytest.mark.parametrize("word", [*Reason, *Verdict])
def test_every_reason_and_outcome_is_explained(word: Reason | Verdict) -> None:
    assert f"| `{word.value}` |" in OPERATING
