"""Plain data to structs of msgspec, with all the errors at once, each with its path and what is accepted.

msgspec stops at the first error. So that an operator sees all of them, what it objects to is taken out and the rest is
decoded again, until nothing is refused or MOST_PROBLEMS are found. What one round made of a value serves the next, so that
the work grows with the text and not with its errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from ges_upgrader.domain.duration import Duration
from ges_upgrader.domain.version import Version
from ges_upgrader.policy.yaml_hints import hint_of

T = TypeVar("T", bound=msgspec.Struct)
Tokens = Sequence[Union[str, int]]  # a path: names of fields, and numbers in lists

MOST_PROBLEMS = 50


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator writes: an unknown field is an error."""


def decode(raw: Any, kind: type[T]) -> tuple[T | None, list[str], list[int]]:
    """The value less what is wrong with it, the problems, and the numbers that its `rules` have in what was written."""
    numbered: dict[int, list[int]] = {}
    nulls = list(islice(_nulls(raw, kind), MOST_PROBLEMS))
    problems = [_valueless(kind, tokens, _remove(raw, tokens, numbered)[0]) for tokens in nulls]
    maker = _Maker()
    while len(problems) < MOST_PROBLEMS:
        try:
            value = msgspec.convert(raw, kind, dec_hook=maker)
            rules = raw.get("rules")
            return value, problems, numbered.get(id(rules), list(range(len(rules or ()))))
        except msgspec.ValidationError as error:
            objects = str(error).startswith("Object contains unknown field")
            unknown = list(islice(_unknown(raw, kind), MOST_PROBLEMS - len(problems))) if objects else []
            for tokens, fields in unknown:
                where, _ = _remove(raw, tokens, numbered)
                problems.append(f"{where}: unknown field; {_meant(str(tokens[-1]), fields)}")
            if unknown:
                continue
            tokens, message = _split(str(error))
            missing = re.match(r"Object missing required field `(.*)`", message)
            where, found = _remove(raw, tokens, numbered)
            consequence_of = f"{where}.{missing[1]}:" if missing else f"{where}["
            if not any(problem.startswith(consequence_of) for problem in problems):
                wrong = f"the field {missing[1]} is missing" if missing else _wrong(kind, tokens, message, found)
                problems.append(f"{where or 'the policy'}: {wrong}")
            if not tokens:
                break
    return None, problems, []


class _Maker:
    """Makes values of our own kinds, each once: the values stay as they are between the rounds."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, int], tuple[Any, Any]] = {}

    def __call__(self, kind: Any, value: Any) -> Any:
        key = (kind, id(value))
        if key not in self._made:
            self._made[key] = (value, made(kind, value))  # the value is kept, so that its id stays its own
        return self._made[key][1]


def made(kind: Any, value: Any) -> Any:
    """A value of one of our own kinds, by what was written. Raises ValueError."""
    if kind is Version:
        if not isinstance(value, str):
            raise ValueError("expected a version in quotes, as '2.4.15'")
        return Version.written(value)
    if issubclass(kind, Duration):
        return kind.parse(value)
    return kind(value)


def _split(message: str) -> tuple[Tokens, str]:
    """The path of what msgspec objects to, and what it says of it, which may quote anything that was written."""
    before, at, path = message.rpartition(" - at `$")
    return (re.findall(r"[^.\[\]`]+", path), before) if at else ([], message)


def _nulls(raw: Any, kind: Any, tokens: Tokens = ()) -> Iterator[Tokens]:
    """The paths of fields that are given without a value. Deep in what may be anything, null is a value."""
    for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ():
        path = (*tokens, key)
        if value is None and isinstance(raw, dict) and _hint(_owner(kind, _names(tokens)), str(key)) is not None:
            yield path
        yield from _nulls(value, kind, path)


def _unknown(raw: Any, kind: Any, tokens: Tokens = ()) -> Iterator[tuple[Tokens, tuple[str, ...]]]:
    """The paths of fields that there are none of, each with those that there are."""
    for key, value in raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ():
        path = (*tokens, key)
        owner = _owner(kind, _names(tokens)) if isinstance(raw, dict) else None
        if owner is not None and key not in owner.__struct_encode_fields__:
            yield path, owner.__struct_encode_fields__
        else:
            yield from _unknown(value, kind, path)


def _names(tokens: Tokens) -> list[str]:
    """The fields on a path, without the numbers in lists."""
    return [token for token in tokens if isinstance(token, str) and not token.isdigit()]


def _remove(raw: Any, tokens: Tokens, numbered: dict[int, list[int]]) -> tuple[str, Any]:
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
            where += f".{token}" if where else str(token)
        value = parent[key]
    if isinstance(parent, list):
        del numbered[id(parent)][key]
    if parent is not None:
        del parent[key]
    return where, value


def _valueless(kind: Any, tokens: Tokens, where: str) -> str:
    *names, name = _names(tokens)
    owner = _owner(kind, names)
    required = any(field.required for field in msgspec.structs.fields(owner) if field.encode_name == name)
    return f"{where}: has no value; {'' if required else 'leave the field out, or '}give {_description(owner, name)}"


def _meant(name: str, fields: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    spelled = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-\s]", "_", name).lower()
    meant = get_close_matches(spelled, fields, 1)
    return f"did you mean {meant[0]}?" if meant else f"accepted are {', '.join(fields)}"


def _wrong(kind: Any, tokens: Tokens, message: str, found: Any) -> str:
    *names, name = _names(tokens) or [""]
    accepted = _description(_owner(kind, names), name)
    if message.startswith(("Expected", "Invalid")):
        accepted = f"an item of {accepted}" if accepted and str(tokens[-1]).isdigit() else accepted
        message = f"expected {accepted}" if accepted else message[0].lower() + message[1:]
    if not isinstance(found, str):
        return f"{message}; found {_shown(found)}"
    if repr(found) in message:
        return message + hint_of(found)
    near = _near(found, _literals(kind, tokens))
    return f"{message}; found {_shown(found)}{f'; did you mean {near}?' if near else hint_of(found)}"


def _shown(found: Any) -> str:
    """What was written, as it was written."""
    shown = repr(found) if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    shown = "nothing" if found is None else shown
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _literals(kind: Any, tokens: Tokens) -> list[str]:
    """The words of which a field, or an item of it, takes one."""
    *names, name = _names(tokens) or [""]
    literals = [part for part in _parts(_hint(_owner(kind, names), name)) if get_origin(part) is Literal]
    return [word for literal in literals for word in get_args(literal) if isinstance(word, str)]


def _near(found: str, words: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(found[:80].strip().lower().replace("_", "-"), words, 1)), None)


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
    return _hints(owner)[names[name]] if name in names else None


@cache
def _hints(owner: Any) -> dict[str, Any]:
    return get_type_hints(owner, include_extras=True)


def _parts(hint: Any) -> list[Any]:
    """A type and everything that it is made of, the outermost first."""
    parts = [hint]
    for part in parts:
        parts += get_args(part)
    return parts
