"""Policy text to plain data: YAML 1.2's scalars and JSON, without the surprises of YAML 1.1.

In YAML 1.1 a key `on` is true, `02:00` is 120, `010` is 8 and `2026-10-01` is a date; a key given twice is silently the last
one, and a tag or `<<` makes something else of what stands there. Here they are what is written, or an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ges_upgrader.policy.yaml_hints import explained

MOST_VALUES = 100_000
DEEPEST = 32
_DIGITS = 18


class UnreadableText(ValueError):
    """The text is neither YAML nor JSON, or says what is not accepted in them; the message says where."""


def _whole(text: str) -> int:
    if len(text.lstrip("-+")) > _DIGITS:
        raise UnreadableText(f"{text[:40]} has more than {_DIGITS} digits; text is written in quotes")
    return int(text)


_SCALARS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    (r"~|null|Null|NULL|", lambda _: None),
    (r"true|True|TRUE", lambda _: True),
    (r"false|False|FALSE", lambda _: False),
    (r"[-+]?[0-9]+", _whole),
    (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", float),
)


def read(text: str) -> Any:
    """Raises UnreadableText."""
    if text.lstrip().startswith("{"):
        try:
            return _checked(json.loads(text, object_pairs_hook=_unique, parse_int=_whole, parse_constant=_no_number))
        except (json.JSONDecodeError, RecursionError):
            pass  # a flow mapping of YAML starts like JSON
        except UnreadableText as error:
            _read_yaml(text)  # which says where it is, unless it takes it for text
            raise UnreadableText(f"{_line_of_constant(text)}{error}") from None
    return _read_yaml(text)


def _checked(value: Any, depth: int = 0) -> Any:
    """The value of JSON, unless what is made of it later could fail: it is not too deep for that, and its texts are Unicode."""
    _refuse_depth(depth)
    if isinstance(value, str):
        _refuse_surrogates(value)
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _checked(part, depth + 1)
    return value


def _refuse_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise UnreadableText(f"nested too deep; accepted are {DEEPEST} levels")


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableText(f"{text[:80]!r} is no text in Unicode") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise UnreadableText(f"the key {twice!r} is given twice in one mapping")
    return mapping


def _no_number(text: str) -> float:
    raise UnreadableText(f"{text} is no number")


def _read_yaml(text: str) -> Any:
    import yaml

    class Untagged(yaml.BaseLoader):
        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            tag = getattr(event, "tag", None)
            if tag is not None:
                shown = tag.replace("tag:yaml.org,2002:", "!!")
                raise UnreadableText(f"{_line(event)}the tag {shown}: there are no tags here; write text in quotes")
            return super().compose_node(parent, index)

    try:
        node = yaml.compose(text, Untagged)
        return None if node is None else _plain(node, iter(range(MOST_VALUES)))
    except UnreadableText:
        raise
    except RecursionError:
        raise UnreadableText(f"{_deepest(text)}nested too deep; accepted are {DEEPEST} levels") from None
    except yaml.MarkedYAMLError as error:
        raise UnreadableText(_explained(text, error)) from None
    except yaml.reader.ReaderError as error:
        raise UnreadableText(_control(text, error)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise UnreadableText(" ".join(str(error).split())[:200]) from None


def _plain(node: Any, left: Iterator[int], depth: int = 0) -> Any:
    """A node of PyYAML with its aliases written out; `left` is what that may come to."""
    try:
        if next(left, None) is None:
            raise UnreadableText(f"more than {MOST_VALUES} values, those counted that aliases repeat")
        _refuse_depth(depth)
        if node.id == "scalar":
            return _scalar(node)
    except UnreadableText as error:
        raise UnreadableText(f"{_line(node)}{error}") from None
    if node.id == "sequence":
        return [_plain(item, left, depth + 1) for item in node.value]
    return _mapping(node, left, depth + 1)


def _scalar(node: Any) -> Any:
    _refuse_surrogates(node.value)
    if node.style is not None:
        return node.value
    return next((make(node.value) for pattern, make in _SCALARS if re.fullmatch(pattern, node.value)), node.value)


def _mapping(node: Any, left: Iterator[int], depth: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _plain(key_node, left, depth)
        if not isinstance(key, str):
            raise UnreadableText(f"{_line(key_node)}the key {key!r} is not text")
        if key == "<<" and key_node.style is None:
            hint = "write the fields out, or give a whole value by its alias"
            raise UnreadableText(f"{_line(key_node)}<< merges nothing here; {hint}")
        if key in mapping:
            raise UnreadableText(f"{_line(key_node)}the key {key!r} is given twice")
        mapping[key] = _plain(value_node, left, depth)
    return mapping


def _deepest(text: str) -> str:
    """Where a text is nested too deep to be composed."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST + 1:  # the outermost is at no depth
            return _line(event)
    return ""


def _control(text: str, error: Any) -> str:
    """Where a character stands that YAML does not take."""
    where = _line_at(text, text.find(chr(error.character)))
    return f"{where}unacceptable character U+{error.character:04X}; remove it"


def _line_of_constant(text: str) -> str:
    """Where JSON has NaN or an Infinity that is no text."""
    words = re.finditer(r'"(?:\\.|[^"\\])*"|NaN|-?Infinity', text)
    return next((_line_at(text, one.start()) for one in words if not one[0].startswith('"')), "")


def _line_at(text: str, place: int) -> str:
    before = text[:place]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"line {line}, column {column}: "


def _line(where: Any) -> str:
    return _place(where.start_mark)


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: "


def _explained(text: str, error: Any) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return str(error.problem)
    lines = text.splitlines()
    line, before = (lines[number] if 0 <= number < len(lines) else "" for number in (mark.line, mark.line - 1))
    return f"{_place(mark)}{explained(error.problem, line, before)}"
