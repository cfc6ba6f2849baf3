"""Where something stands in the text of a policy, for its errors. Pure.

A text is composed again for that, because only a refused policy needs it.
"""

from __future__ import annotations

import re
from typing import Any

from ges_upgrader.domain.plain_text import plain

MOST_NAME = 60
_TOKEN = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_OF_THE_KEY = ("unknown field", "has no value")


class Places:
    """The places in a text that can be read as YAML or JSON."""

    def __init__(self, text: str) -> None:
        import yaml

        try:
            # YAML takes no tab between the parts of JSON.
            self._root: Any = yaml.compose(text.replace("\t", " "), yaml.BaseLoader)
        except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
            self._root = None

    def placed(self, problem: str) -> str:
        """The problem, which begins with a path, with the rule's name, the line and the column of what it is about.

        What the text does not have is about the text.
        """
        path, _, text = problem.partition(": ")
        where = [self._rule(path), self._place(path, text.startswith(_OF_THE_KEY))]
        return f"{problem} ({', '.join(filter(None, where))})"

    def _place(self, path: str, of_key: bool) -> str:
        """The line and the column of what the path leads to, or of the part that it leads to."""
        found = self._root
        key, value = None, self._root
        for name, number in _TOKEN.findall(path):
            following = _step(value, name, number)
            if following is None:
                break
            key, value = following
            found = key if of_key and key is not None else value
        line, column = (found.start_mark.line, found.start_mark.column) if found else (0, 0)
        return f"line {line + 1}, column {column + 1}"

    def _rule(self, path: str) -> str | None:
        match = re.match(r"rules\[(\d+)\]", path)
        node = self._root
        for name, number in (("rules", ""), ("", match[1]), ("name", "")) if match else ():
            following = _step(node, name, number)
            node = following[1] if following else None
        named = match is not None and node is not None and node.id == "scalar" and node.value
        return f"rule {plain(node.value, MOST_NAME)}" if named else None


def _step(node: Any, name: str, number: str) -> tuple[Any, Any] | None:
    """The key, if there is one, and the value of a part of a node."""
    if node is None or node.id == "scalar":
        return None
    if node.id == "sequence":
        return (None, node.value[int(number)]) if number and int(number) < len(node.value) else None
    return next(((key, value) for key, value in node.value if key.value == name), None)
