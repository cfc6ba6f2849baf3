"""The grammar of an announcement.

A part of a sentence announces a version in one of two orders, and every word up to there is known:

    The new version 2.4.15 of GES  is now            available         the version, then what is so of it
    Huawei Cloud has               released  GES version 2.4.15        what somebody did, then the version

Or two neighbouring parts do so together, if every word of both is known: `New GES version released: please upgrade to 2.4.15`.
An unknown word at such a place may name what the version is really of: `GES dashboard 2.4.15`, `the GES 2.4.15 manual`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from typing import NamedTuple

_NAMING = frozenset("NMPO")  # words that name the version as a thing
_BETWEEN = frozenset("LHD")  # words between the version and what is so of it
_PLACE = frozenset("DNQMPLOW")  # words after a preposition
_TIMES = frozenset("LD")  # words that may follow what is so of the version, as `released today`
_ONWARD = frozenset("KGYT")  # words with which the sentence may go on
_POSITIVE = frozenset("ABZ")
_GOVERNING = frozenset("ARBZ")
_OBJECT = frozenset("NMPOLDGCHUK")  # words between what somebody did and the version
_NO_LEAD = frozenset("WQKY")  # words that do not stand directly before the version's name
_NO_OWNER = frozenset("GQ")  # … nor, if the name has no product in it: `GES bulletin 2.4.15`
_THINGS = re.compile("W[DNQMPLOWI]*|I")  # things that have versions of their own, with the place in which they stand
_MOST_MENTIONS = 20
_MOST_PARTS = 6  # how far apart two parts may stand


class _Part(NamedTuple):
    """A part of a sentence. `plain`: every word of it is known. `conditional`: its sentence takes back what it says."""

    kinds: str
    plain: bool
    conditional: bool


def announces(kinds: str) -> bool:
    """Whether the tokens, one letter each, announce their version."""
    parts = _parts(kinds)
    product_known = any(part.plain and "P" in part.kinds for part in parts)
    mentions = ((index, at) for index, part in enumerate(parts) for at, kind in enumerate(part.kinds) if kind == "V")
    return any(_announced(parts, index, at, product_known) for index, at in islice(mentions, _MOST_MENTIONS))


def _announced(parts: Sequence[_Part], index: int, at: int, product_known: bool) -> bool:
    """Whether the version that a part mentions is announced there, or by its part and a neighbouring one together."""
    part = parts[index]
    first, last = _name(part.kinds, at)
    head, name = part.kinds[:first], part.kinds[first:last]
    if part.conditional or not _may_lead(head, name):
        return False
    if _has_predicate(part.kinds, last) or (_is_governed(head) and _may_go_on(part.kinds, last)):
        return product_known or "P" in part.kinds[:last]
    return part.plain and product_known and any(_announces_unnamed(one) for one in _partners(parts, index))


def _parts(kinds: str) -> list[_Part]:
    kinds = _THINGS.sub(lambda found: found[0].replace("I", "Q") if found[0] != "I" else "X", kinds)
    found: list[_Part] = []
    for sentence in kinds.split("."):
        parts = sentence.split("|")
        # a condition, somebody else's word, or an unknown place
        conditional = any("S" in part or (part[:1] == "W" and "X" in part) for part in parts)
        found += [_Part(part, "X" not in part, conditional) for part in parts]
    return found


def _name(part: str, at: int) -> tuple[int, int]:
    """From where to where the version's name goes: `the new GES version 2.4.15 of`."""
    first, last = at, at + 1
    while first > 0 and part[first - 1] in _NAMING:
        first -= 1
    while last < len(part) and part[last] in _NAMING:
        last += 1
    return first, last


def _may_lead(words: str, name: str) -> bool:
    """Whether the words before the name are known, ask nothing, and neither place nor own what is named."""
    if "X" in words or words[:1] == "H" or words[-1:] in tuple(_NO_LEAD):
        return False
    return "P" in name or words[-1:] not in tuple(_NO_OWNER)


def _has_predicate(part: str, at: int) -> bool:
    """Whether what follows the name says that the version is released or available."""
    in_place = False
    while at < len(part) and (part[at] in _BETWEEN or part[at] == "W" or (in_place and part[at] in _PLACE)):
        in_place = in_place or part[at] == "W"
        at += 1
    return at < len(part) and part[at] in _POSITIVE and _may_go_on(part, at + 1)


def _is_governed(words: str) -> bool:
    """Whether the words before the name say that the version is released or available."""
    at = len(words)
    while at > 0 and words[at - 1] in _OBJECT:
        at -= 1
    return at > 0 and words[at - 1] in _GOVERNING and _is_said_of_version(words[: at - 1], words[at - 1], words[at:])


def _announces_unnamed(part: _Part) -> bool:
    """Whether a part without a version says that one is released or available."""
    words = part.kinds
    at = max(words.rfind(kind) for kind in _GOVERNING)
    asks = words[:1] == "H" and set("NMPG") & set(words[:at])
    if at < 0 or "V" in words or asks or part.conditional:
        return False
    onward = not words[at + 1 :].strip("NMPOC") if words[at] == "R" else _may_go_on(words, at + 1)
    return onward and _is_said_of_version(words[:at], words[at], words[at + 1 :])


def _is_said_of_version(before: str, kind: str, after: str) -> bool:
    """Whether a positive word between other known words speaks of a version, and is neither a request nor a state of GES."""
    if before.rstrip("L")[-1:] == "Y":  # `please release`
        return False
    if kind == "Z":  # a Chinese verb, which by itself may be a request
        return bool(set("PMLN") & set(before) or set("LMG") & set(after))
    if kind == "A":  # of the product alone it says that the service works
        return "P" not in before or bool({"M", "R"} & set(before))
    return True


def _may_go_on(part: str, at: int) -> bool:
    """Whether what follows the announcement takes nothing back: it is nothing, a known word, or a known place."""
    while at < len(part) and part[at] in _POSITIVE:
        at += 1
    at += part[at : at + 1] == "C"
    while at < len(part) and part[at] in _TIMES:
        at += 1
    if at == len(part) or part[at] in _ONWARD:
        return True
    return part[at] == "W" and _names_place(part, at)


def _names_place(part: str, at: int) -> bool:
    """Whether the preposition at a place of the part begins a place or a time of which every word is known."""
    end = at
    while end < len(part) and part[end] in _PLACE:
        end += 1
    return part[end - 1] != "W" and (end == len(part) or part[end] == "K")


def _partners(parts: Sequence[_Part], index: int) -> Iterator[_Part]:
    """The parts around one, as far as every word up to there is known."""
    yield from takewhile(lambda part: part.plain, reversed(parts[max(index - _MOST_PARTS, 0) : index]))
    yield from takewhile(lambda part: part.plain, parts[index + 1 : index + 1 + _MOST_PARTS])
