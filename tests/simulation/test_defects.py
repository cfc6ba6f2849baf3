"""The checks of the simulation find defects: each one that is put in, within 200 fleet-months."""

from __future__ import annotations

import pytest

from tests.simulation.defects import DEFECTS, FOUND, MOST, found
from tests.simulation.world import World


def test_every_defect_is_found_soon_enough() -> None:
    assert set(FOUND) == set(DEFECTS)
    assert max(FOUND.values()) <= MOST


@pytest.mark.parametrize(("name", "seed"), FOUND.items())
def test_a_defect_is_found(name: str, seed: int) -> None:
    assert found(name, seed) is not None
    assert World(seed).live().violation is None
