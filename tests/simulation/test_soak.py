"""A part of `make soak`: these fleet-months are lived without a violation, and a seed lives the same month again."""

from __future__ import annotations

from tests.simulation.world import World

SEEDS = range(1, 31)


def test_fleet_months_without_a_violation() -> None:
    tallies = [World(seed).live() for seed in SEEDS]
    assert [(tally.seed, tally.violation) for tally in tallies if tally.violation] == []
    assert sum(tally.jobs for tally in tallies) > 150
    assert sum(tally.kills for tally in tallies) > 50
    assert sum(tally.conflicts for tally in tallies) > 100


def test_a_seed_lives_the_same_month_again() -> None:
    assert World(7).live() == World(7).live()
