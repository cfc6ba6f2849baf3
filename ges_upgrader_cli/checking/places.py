"""Where in a policy's text something stands that a message names by its path, as `rules[0].windows[1]`."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

_TOKEN = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


class Place(msgspec.Struct, frozen=True):
    """A stretch of a line; both counted from 1. `width` is at least 1."""

    line: int
    column: int
    width: int = 1


class Source:
    """A text of YAML or JSON. What cannot be parsed has only lines."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines() or [""]
        self.broken: Place | None = None
        self._root: Any = None
        try:
            # YAML takes no tab between the parts of JSON.
            self._root = yaml.compose(text.replace("\t", " ") if text.lstrip().startswith("{") else text, yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.broken = self._place(mark.line, mark.column) if mark else None
        except (yaml.YAMLError, RecursionError, ValueError):
            pass

    def at(self, path: str, text: str = "") -> Place | None:
        """The place of what stands at the path, or of what holds it if it does not stand there.

        Of an unknown field the place is its name. If `text` begins with something in quotes, it is that within the value.
        """
        key, value, found = self._walk(path)
        if value is None:
            return None
        if key is not None and (not found or text.startswith("unknown field") or "has no value" in text[:12]):
            return self._node(key)
        quoted = _QUOTED.match(text)
        return (quoted and self._within(value, quoted[1] or quoted[2])) or self._node(value, key)

    def line(self, number: int) -> Place:
        """A whole line without its indentation."""
        text = self.lines[number - 1] if number <= len(self.lines) else ""
        start = len(text) - len(text.lstrip())
        return Place(number, start + 1, max(1, len(text.rstrip()) - start))

    def name_of(self, path: str) -> str | None:
        """The name of the rule that a path lies in."""
        match = re.match(r"rules\[(\d+)\]", path)
        if match is None:
            return None
        _, value, found = self._walk(f"{match[0]}.name")
        return value.value if found and isinstance(value, yaml.ScalarNode) else f"rule-{int(match[1]) + 1}"

    def _walk(self, path: str) -> tuple[Any, Any, bool]:
        """The key and the value as far as the path leads; whether it leads to its end."""
        key, value = None, self._root
        for name, number in _TOKEN.findall(path):
            if number and isinstance(value, yaml.SequenceNode) and int(number) < len(value.value):
                key, value = None, value.value[int(number)]
                continue
            if number == "0" and isinstance(value, yaml.ScalarNode):  # one value where a list of them is accepted
                continue
            entry = next((pair for pair in _entries(value) if pair[0].value == name), None)
            if entry is None:
                return key, value, path.split(".")[-1] == "topic"
            key, value = entry
        return key, value, True

    def _within(self, node: Any, part: str) -> Place | None:
        """The first place of a text within a value."""
        first, last = node.start_mark, node.end_mark
        for number in range(first.line, min(last.line + 1, len(self.lines))):
            begin = first.column if number == first.line else 0
            column = self.lines[number].find(part, begin)
            if column >= 0 and (number < last.line or column < last.column):
                return Place(number + 1, column + 1, len(part))
        return None

    def _node(self, node: Any, key: Any = None) -> Place:
        """The first line of a node; of a value that spans lines, its key."""
        first, last = node.start_mark, node.end_mark
        if last.line != first.line and key is not None:
            return self._node(key)
        end = last.column if last.line == first.line else len(self.lines[first.line].rstrip())
        return self._place(first.line, first.column, end - first.column)

    def _place(self, line: int, column: int, width: int = 1) -> Place:
        return Place(min(line, len(self.lines) - 1) + 1, column + 1, max(1, width))


def _entries(node: Any) -> list[tuple[Any, Any]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []
