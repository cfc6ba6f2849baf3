"""The grammar of an announcement.

A part of a sentence announces a version in one of two orders, and every word up to there is known:

    The new version 2.4.15 of GES  is now            available         the version, then what is so of it
    Huawei Cloud has               released  GES version 2.4.15        what somebody did, then the version

Or two neighbouring parts do so together, if every word of both is known: `New GES version released: please upgrade to 2.4.15`.
An unknown word at such a place may name what the version is really of: `GES dashboard 2.4.15`, `the GES 2.4.15 manual`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile
from typing import NamedTuple

# Sets of kinds, one letter each (vocabulary.GRAMMAR).
_NAMING = "NMPO"  # words that name the version as a thing
_BETWEEN = "LHD"  # words between the version and what is so of it
_PLACE = "DNQMPLOW"  # words after a preposition
_TIMES = "LD"  # words that may follow what is so of the version, as `released today`
_ONWARD = "KGYT"  # words with which the sentence may go on
_POSITIVE = "ABZ"
_GOVERNING = "ARBZ"
_OBJECT = "NMPOLDGCHUK"  # words between what somebody did and the version
_NO_LEAD = tuple("WQKY")  # words that do not stand directly before the version's name
_NO_OWNER = tuple("GQ")  # … nor, if the name has no product in it: `GES bulletin 2.4.15`
_THINGS = re.compile("W[DNQMPLOWI]*|I")  # things that have versions of their own, with the place in which they stand
_MOST_MENTIONS = 20
_MOST_PARTS = 6  # how far apart two parts may stand


class _Part(NamedTuple):
    """A part of a sentence. `plain`: every word of it is known. `conditional`: its sentence takes back what it says."""

    kinds: str
    plain: bool
    conditional: bool


class _Mention(NamedTuple):
    """A version in a part: its name, as `the new GES version 2.4.15 of`, and the words around it."""

    before: str
    name: str
    after: str


def announces(kinds: str) -> bool:
    """Whether the tokens, one letter each, announce their version."""
    parts = _parts(kinds)
    product_known = any(part.plain and "P" in part.kinds for part in parts)
    return any(_announced(parts, index, at, product_known) for index, at in islice(_mentions(parts), _MOST_MENTIONS))


def _mentions(parts: Sequence[_Part]) -> Iterator[tuple[int, int]]:
    """Each version: the index of its part, and its place there."""
    return ((index, at) for index, part in enumerate(parts) for at, kind in enumerate(part.kinds) if kind == "V")


def _announced(parts: Sequence[_Part], index: int, at: int, product_known: bool) -> bool:
    """Whether the version that a part mentions is announced there, or by its part and a neighbouring one together."""
    part = parts[index]
    mention = _mention(part.kinds, at)
    if part.conditional or not _may_lead(mention):
        return False
    if _has_predicate(mention.after) or _is_object(mention):
        return product_known or "P" in mention.before + mention.name
    return part.plain and product_known and any(map(_announces_unnamed, _partners(parts, index)))


def _parts(kinds: str) -> list[_Part]:
    sentences = _THINGS.sub(_with_known_things, kinds).split(".")
    return [part for sentence in sentences for part in _parts_of(sentence)]


def _with_known_things(place: re.Match[str]) -> str:
    """Things that have versions of their own are known in a place, and unknown by themselves."""
    return "X" if place[0] == "I" else place[0].replace("I", "Q")


def _parts_of(sentence: str) -> list[_Part]:
    parts = sentence.split("|")
    conditional = any(map(_is_conditional, parts))
    return [_Part(part, "X" not in part, conditional) for part in parts]


def _is_conditional(part: str) -> bool:
    """Whether a part is a condition, somebody else's word, or an unknown place."""
    return "S" in part or (part.startswith("W") and "X" in part)


def _mention(part: str, at: int) -> _Mention:
    before, after = part[:at].rstrip(_NAMING), part[at + 1 :].lstrip(_NAMING)
    return _Mention(before, part[len(before) : len(part) - len(after)], after)


def _may_lead(mention: _Mention) -> bool:
    """Whether the words before the name are known, ask nothing, and neither place nor own what is named."""
    words = mention.before
    barred = _NO_LEAD if "P" in mention.name else _NO_LEAD + _NO_OWNER
    return not ("X" in words or words.startswith("H") or words.endswith(barred))


def _has_predicate(after: str) -> bool:
    """Whether what follows the name says that the version is released or available."""
    rest = after.lstrip(_BETWEEN)
    if rest.startswith("W"):
        rest = rest.lstrip(_BETWEEN + _PLACE)
    return rest.startswith(tuple(_POSITIVE)) and _may_go_on(rest[1:])


def _is_object(mention: _Mention) -> bool:
    """Whether the words before the name say that the version is released or available."""
    return _is_governed(mention.before) and _may_go_on(mention.after)


def _is_governed(words: str) -> bool:
    head = words.rstrip(_OBJECT)
    return head.endswith(tuple(_GOVERNING)) and _is_said_of_version(head[:-1], head[-1], words[len(head) :])


def _announces_unnamed(part: _Part) -> bool:
    """Whether a part without a version says that one is released or available."""
    words = part.kinds
    at = max(map(words.rfind, _GOVERNING))
    if at < 0 or "V" in words or part.conditional:
        return False
    before, kind, after = words[:at], words[at], words[at + 1 :]
    return not _asks(before) and _ends_unnamed(kind, after) and _is_said_of_version(before, kind, after)


def _asks(before: str) -> bool:
    """Whether these words begin a question, as `is the new version`."""
    return before.startswith("H") and _has_any(before, "NMPG")


def _ends_unnamed(kind: str, after: str) -> bool:
    """Whether nothing is taken back, and what somebody did has no other object than a version."""
    return not after.strip("NMPOC") if kind == "R" else _may_go_on(after)


def _is_said_of_version(before: str, kind: str, after: str) -> bool:
    """Whether a positive word between other known words speaks of a version, and is neither a request nor a state of GES."""
    is_request = before.rstrip("L").endswith("Y")  # `please release`
    return not is_request and _SAID_OF_VERSION[kind](before, after)


def _verb_tells(before: str, after: str) -> bool:
    """A Chinese verb by itself may be a request."""
    return _has_any(before, "PMLN") or _has_any(after, "LMG")


def _state_is_of_version(before: str, after: str) -> bool:
    """Of the product alone, `available` says that the service works."""
    return "P" not in before or _has_any(before, "MR")


def _always(before: str, after: str) -> bool:
    return True


_SAID_OF_VERSION: dict[str, Callable[[str, str], bool]] = {
    "Z": _verb_tells,
    "A": _state_is_of_version,
    "R": _always,
    "B": _always,
}


def _has_any(words: str, kinds: str) -> bool:
    return not set(kinds).isdisjoint(words)


def _may_go_on(words: str) -> bool:
    """Whether what follows the announcement takes nothing back: it is nothing, a known word, or a known place."""
    rest = words.lstrip(_POSITIVE).removeprefix("C").lstrip(_TIMES)
    return not rest or rest[0] in _ONWARD or _begins_with_place(rest)


def _begins_with_place(words: str) -> bool:
    """Whether a preposition begins a place or a time of which every word is known."""
    after = words.lstrip(_PLACE)
    place = words[: len(words) - len(after)]
    return words.startswith("W") and not place.endswith("W") and after[:1] in ("", "K")


def _partners(parts: Sequence[_Part], index: int) -> Iterator[_Part]:
    """The parts around one, as far as every word up to there is known."""
    yield from takewhile(_is_plain, reversed(parts[max(index - _MOST_PARTS, 0) : index]))
    yield from takewhile(_is_plain, parts[index + 1 : index + 1 + _MOST_PARTS])


def _is_plain(part: _Part) -> bool:
    return part.plain
