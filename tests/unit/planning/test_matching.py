"""A rule governs what all the fields of its match fit."""

from __future__ import annotations

import pytest

from ges_upgrader.planning.matching import govern
from tests.builders import graph, policy

FLEET = [graph("dev_a"), graph("test_b", env="staging"), graph("prod_c", env="prod")]


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ("{name: 'dev_*'}", {"dev_a"}),
        ("{name: ['dev_*', test_b]}", {"dev_a", "test_b"}),
        ("{name: [x, y]}", set()),
        ("{tags: {env: [prod, 'stag*']}}", {"test_b", "prod_c"}),
        ("{tags: {env: [prod, staging]}, name: [test_b, dev_a]}", {"test_b"}),
        ("{region: [cn-east-3, 'cn-north-*'], product_type: InMemory}", {"dev_a", "test_b", "prod_c"}),
    ],
)
def test_one_of_a_list_must_fit(match: str, names: set[str]) -> None:
    governed = govern(policy(f"[{{match: {match}}}]").rules, FLEET)
    assert {one.graph.name for one in governed if one.rule} == names
