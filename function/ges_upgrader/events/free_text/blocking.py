"""The words of a text that speak against a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Union

import msgspec

from ges_upgrader.events.free_text.lexing import Lexicon, Text, sign_kind
from ges_upgrader.events.free_text.vocabulary import ADVERSE, BLOCKING, HARMLESS, REPAIRABLE, REPAIRING, Blocking

_LETTERS = re.compile("[a-z]+")


class _Role(Enum):
    """What a word does that blocks nothing by itself."""

    HARMLESS = 1
    REPAIRING = 2  # the faults that follow in its sentence were repaired
    ADVERSE = 3  # the faults that follow are others


_Meaning = Union[_Role, Blocking]
_LISTS: dict[_Meaning, str] = {_Role.HARMLESS: HARMLESS}
for _against, _words in BLOCKING.items():
    _LISTS[_against] = _words
_LISTS |= {_Role.REPAIRING: REPAIRING, _Role.ADVERSE: ADVERSE}
_MEANINGS: Lexicon[_Meaning] = Lexicon(_LISTS)
_REPAIRABLE = Lexicon({True: REPAIRABLE})


class Word(msgspec.Struct, frozen=True):
    """A word that speaks against a release, and in what way."""

    text: str
    against: Blocking


class _Found(msgspec.Struct, frozen=True):
    """A word with a meaning. `repaired_next`: a word of repair follows directly, as in `bug fixes`."""

    text: str
    meaning: _Meaning
    repaired_next: bool = False


def words_against(text: Text) -> Iterator[Word]:
    """The words that speak against a release, less the faults of which the text says that they were repaired."""
    repaired = False
    for found in _meanings(text):
        if found is None:
            repaired = False
        elif found.meaning in (_Role.REPAIRING, _Role.ADVERSE):
            repaired = found.meaning is _Role.REPAIRING
        elif isinstance(found.meaning, Blocking):
            if (repaired or found.repaired_next) and _is_repairable(found.text):
                continue
            yield Word(found.text, found.meaning)


def _is_repairable(text: str) -> bool:
    return _REPAIRABLE.word(text) is not None or (not text.isascii() and _REPAIRABLE.characters(text, 0) is not None)


def _meanings(text: Text) -> Iterator[_Found | None]:
    """The words with a meaning, in order; None at the end of a sentence."""
    index = 0
    while index < len(text.items):
        item = text.items[index]
        length = 1
        if item.sort == "word":
            words = text.words(index)
            phrase = _MEANINGS.phrase(words)
            if phrase is not None:
                length = phrase[0]
                yield _Found(" ".join(words[:length]), phrase[1])
            else:
                yield from _of_word(item.text, _repairs_next(text, index + 1))
        elif item.sort == "han":
            yield from _of_characters(item.text)
        else:
            yield from _of_characters(item.text)
            if item.sort == "line" or sign_kind(text.text, item) == ".":
                yield None
        index += length


def _of_word(word: str, repaired_next: bool) -> Iterator[_Found]:
    """The meaning of a word; of one with hyphens or digits in it the meanings of its parts."""
    meaning = _MEANINGS.word(word)
    if meaning is not None:
        yield _Found(word, meaning, repaired_next)
    elif word.endswith("n't"):
        yield _Found(word, Blocking.NEGATION)
    elif word.endswith("'ll"):
        yield _Found(word, Blocking.FUTURE)
    elif not word.isalpha():
        for part in _LETTERS.findall(word):
            meaning = _MEANINGS.word(part)
            if isinstance(meaning, Blocking):
                yield _Found(part, meaning)


def _of_characters(text: str) -> Iterator[_Found]:
    at = 0
    while at < len(text):
        found = _MEANINGS.characters(text, at)
        if found is None:
            at += 1
            continue
        length, meaning = found
        yield _Found(text[at : at + length], meaning, _repairs_at(text, at + length))
        at += length


def _repairs_next(text: Text, index: int) -> bool:
    """Whether a piece begins with a word of repair."""
    if index >= len(text.items):
        return False
    item = text.items[index]
    if item.sort == "word":
        return _MEANINGS.word(item.text) is _Role.REPAIRING
    return item.sort == "han" and _repairs_at(item.text, 0)


def _repairs_at(text: str, at: int) -> bool:
    """Whether a Chinese word of repair stands at a place of the text. 修复中 says that the repair is still to come."""
    found = _MEANINGS.characters(text, at) if at < len(text) else None
    return found is not None and found[1] is _Role.REPAIRING and text[at + found[0] : at + found[0] + 1] != "中"
