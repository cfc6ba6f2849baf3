"""Policy text to plain data: YAML 1.2's scalars and JSON, without the surprises of YAML 1.1.

In YAML 1.1 a key `on` is true, `02:00` is 120 and `2026-10-01` is a date; and a key given twice is silently the last
one. Here they are text, and the second is an error.
"""

from __future__ import annotations

import json
from typing import Any

_SCALARS = (
    ("tag:yaml.org,2002:null", r"(?:~|null|Null|NULL|)", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
)


class UnreadableText(ValueError):
    """The text is neither YAML nor JSON, or gives a key twice; the message says where."""


def read(text: str) -> Any:
    """Raises UnreadableText."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_unique)
        except (json.JSONDecodeError, RecursionError):
            pass  # a flow mapping of YAML starts like JSON
    return _read_yaml(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise UnreadableText(f"the key {twice!r} is given twice in one mapping")
    return mapping


def _read_yaml(text: str) -> Any:
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys: list[Any] = []
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if not isinstance(key, str):
                    raise UnreadableText(f"line {key_node.start_mark.line + 1}: the key {key!r} is not text")
                if key in keys:
                    raise UnreadableText(f"line {key_node.start_mark.line + 1}: the key {key!r} is given twice")
                keys.append(key)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in _SCALARS:
        Loader.add_implicit_resolver(tag, re.compile(rf"^{pattern}$", re.ASCII), [*first.replace("\0", ""), ""])
    try:
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UnreadableText(f"{line}{error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableText(" ".join(str(error).split())[:200]) from None
