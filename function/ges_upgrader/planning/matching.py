"""Which rule governs a graph, and in which order graphs take their turns. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from hashlib import sha256

import msgspec

from ges_upgrader.domain.model import Graph
from ges_upgrader.policy.schema import Match, Rule

Test = Callable[[str], object]


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
    tests = [(rule, *_tests(rule.match)) for rule in rules]
    governed = [Governed(graph, _first(tests, graph), sha256(graph.id.encode()).digest()) for graph in fleet]
    return sorted(governed, key=lambda one: one.turn)


def _first(tests: list[tuple[Rule, list[tuple[int, Test]], list[tuple[str, Test]]]], graph: Graph) -> Rule | None:
    project = graph.project
    fields = (graph.name, graph.id, project.region, project.project_id, graph.enterprise_project, graph.product_type)
    for rule, globs, tags in tests:
        for index, test in globs:
            text = fields[index]
            if text is None or not test(text):
                break
        else:
            for tag, test in tags:
                text = graph.tags.get(tag)
                if text is None or not test(text):
                    break
            else:
                return rule
    return None


def _tests(match: Match) -> tuple[list[tuple[int, Test]], list[tuple[str, Test]]]:
    globs = (match.name, match.id, match.region, match.project_id, match.enterprise_project, match.product_type)
    tags = match.tags.wanted.items() if match.tags else ()
    return [(index, _test(glob)) for index, glob in enumerate(globs) if glob is not None], [
        (tag, _test(glob)) for tag, glob in tags
    ]


@lru_cache(maxsize=1024)
def _test(glob: str) -> Test:
    return re.compile(translate(glob)).match if re.search(r"[*?\[]", glob) else glob.__eq__
