"""Which rule governs a graph, and in which order graphs take their turns. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from hashlib import sha256
from typing import Union

import msgspec

from ges_upgrader.domain.model import Graph
from ges_upgrader.policy.schema import Match, Rule

Test = Callable[[str], object]
Place = Union[int, str]  # the number of a field, or the name of a tag
Tests = list[tuple[Place, Test]]


class Governed(msgspec.Struct, frozen=True):
    """A graph, the rule that governs it, and its turn: a hash of its id, so that the order is stable and means nothing."""

    graph: Graph
    rule: Rule | None
    turn: bytes

    @property
    def place(self) -> float:
        """The turn as a number from 0 to 1, for spreading starts."""
        return int.from_bytes(self.turn[:4], "big") / 2**32

    @property
    def opted_out(self) -> bool:
        return self.graph.tags.get("ges-upgrader", "").strip().lower() == "off"


def govern(rules: Iterable[Rule], fleet: Iterable[Graph]) -> list[Governed]:
    """Each graph under the first rule that matches it, in the order of their turns."""
    tested = [(rule, _tests(rule.match)) for rule in rules]
    governed = [Governed(graph, _first(tested, graph), sha256(graph.id.encode()).digest()) for graph in fleet]
    return sorted(governed, key=lambda one: one.turn)


def _first(tested: list[tuple[Rule, Tests]], graph: Graph) -> Rule | None:
    texts = _texts(graph)
    for rule, tests in tested:
        for place, test in tests:
            text = texts.get(place)
            if text is None or not test(text):
                break
        else:
            return rule
    return None


def _texts(graph: Graph) -> dict[Place, str | None]:
    """What the rules may look at: the fields by their numbers, in the order of `_tests`, and the tags by their names."""
    project = graph.project
    fields = (graph.name, graph.id, project.region, project.project_id, graph.enterprise_project, graph.product_type)
    texts: dict[Place, str | None] = dict(enumerate(fields))
    texts.update(graph.tags.items())
    return texts


def _tests(match: Match) -> Tests:
    fields = (match.name, match.id, match.region, match.project_id, match.enterprise_project, match.product_type)
    tests: Tests = [(number, _test(globs.texts)) for number, globs in enumerate(fields) if globs is not None]
    for tag, wanted in match.tags.wanted.items() if match.tags else ():
        tests.append((tag, _test((wanted,) if isinstance(wanted, str) else tuple(wanted))))
    return tests


@lru_cache(maxsize=1024)
def _test(globs: tuple[str, ...]) -> Test:
    """Whether one of the globs fits."""
    tests = [_test_of(glob) for glob in globs]
    return tests[0] if len(tests) == 1 else lambda text: any(test(text) for test in tests)


def _test_of(glob: str) -> Test:
    return re.compile(translate(glob)).match if re.search(r"[*?\[]", glob) else glob.__eq__
