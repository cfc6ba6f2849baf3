"""Plain data to structs of msgspec, with all the errors at once, each with its path and what is accepted.

msgspec stops at the first error. So that an operator sees all of them, what it objects to is taken out and the rest is
decoded again, until nothing is objected to.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from .durations import Duration
from .versions import Version

T = TypeVar("T", bound=msgspec.Struct)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator writes: an unknown field is an error."""


def decode(raw: Any, kind: type[T]) -> tuple[T | None, list[str], list[int]]:
    """The value less what is wrong with it, the problems, and the numbers that its `rules` have in what was written."""
    numbered: dict[int, list[int]] = {}
    problems: list[str] = []
    while True:
        try:
            value = msgspec.convert(raw, kind, dec_hook=made)
            rules = raw.get("rules")
            return value, problems, numbered.get(id(rules), list(range(len(rules or ()))))
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            tokens = re.findall(r"[^.\[\]`]+", path)
            unknown = re.match(r"Object contains unknown field `(.*)`", message)
            missing = re.match(r"Object missing required field `(.*)`", message)
            if unknown is not None:
                tokens.append(unknown[1])
            where, found = _remove(raw, tokens, numbered)
            consequence_of = f"{where}.{missing[1]}:" if missing else f"{where}["
            if not any(problem.startswith(consequence_of) for problem in problems):
                problems.append(_problem(kind, where, message, found, unknown is not None, missing[1] if missing else None))
            if not tokens:
                return None, problems, []


def made(kind: Any, value: Any) -> Any:
    """A value of one of our own kinds, by what was written. Raises ValueError."""
    if kind is Version:
        if not isinstance(value, str):
            raise ValueError("expected a version in quotes, as '2.4.15'")
        return Version(value)
    if issubclass(kind, Duration):
        return kind.parse(value)
    return kind(value)


def _remove(raw: Any, tokens: list[str], numbered: dict[int, list[int]]) -> tuple[str, Any]:
    """Takes what stands at `tokens` out of `raw`; its path in what the operator wrote, and the thing itself."""
    where, parent, value = "", None, raw
    key: Any = None
    for token in tokens:
        parent = value
        if isinstance(parent, list):
            key = int(token)
            where += f"[{numbered.setdefault(id(parent), list(range(len(parent))))[key]}]"
        else:
            key = token
            where += f".{token}" if where else token
        value = parent[key]
    if isinstance(parent, list):
        del numbered[id(parent)][key]
    if parent is not None:
        del parent[key]
    return where, value


def _problem(kind: Any, where: str, message: str, found: Any, unknown: bool, missing: str | None) -> str:
    names = re.findall(r"[a-z_]+", re.sub(r"\[\d+\]", "", where))
    name = names.pop() if names else ""
    owner = _owner(kind, names)
    if unknown and owner is not None:
        from difflib import get_close_matches

        fields = owner.__struct_encode_fields__
        meant = get_close_matches(name, fields, 1)
        return f"{where}: unknown field; " + (f"did you mean {meant[0]}?" if meant else f"accepted are {', '.join(fields)}")
    if missing:
        return f"{where}: the field {missing} is missing"
    accepted = _description(owner, name)
    if message.startswith(("Expected", "Invalid")):
        message = f"expected {accepted}" if accepted else message[0].lower() + message[1:]
    shown = repr(found)
    return f"{where or 'the policy'}: {message}; found {shown if len(shown) <= 80 else shown[:77] + '...'}"


def _owner(kind: Any, names: list[str]) -> Any:
    """The struct that a path of fields leads to."""
    for name in names:
        structs = [part for part in _parts(_hint(kind, name)) if isinstance(part, type) and issubclass(part, msgspec.Struct)]
        if not structs:
            return None
        kind = structs[0]
    return kind


def _description(owner: Any, name: str) -> str | None:
    """What a field accepts, in words: the description that stands nearest to it."""
    found = (part.description for part in _parts(_hint(owner, name)) if isinstance(part, Meta))
    return next(filter(None, found), None)


def _hint(owner: Any, name: str) -> Any:
    names = dict(zip(owner.__struct_encode_fields__, owner.__struct_fields__)) if owner is not None else {}
    return get_type_hints(owner, include_extras=True)[names[name]] if name in names else None


def _parts(hint: Any) -> list[Any]:
    """A type and everything that it is made of, the outermost first."""
    parts = [hint]
    for part in parts:
        parts += get_args(part)
    return parts
