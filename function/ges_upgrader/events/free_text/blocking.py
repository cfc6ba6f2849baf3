"""The words of a text that speak against a release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Union

import msgspec

from ges_upgrader.events.free_text.lexing import Item, Lexicon, Text, sign_kind
from ges_upgrader.events.free_text.vocabulary import ADVERSE, BLOCKING, HARMLESS, REPAIRABLE, REPAIRING, Blocking

_LETTERS = re.compile("[a-z]+")


class _Role(Enum):
    """What a word does that blocks nothing by itself."""

    HARMLESS = 1
    REPAIRING = 2  # the faults that follow in its sentence were repaired
    ADVERSE = 3  # the faults that follow are others
    END = 4  # no word: the sentence ends


_Meaning = Union[_Role, Blocking]
_LISTS: dict[_Meaning, str] = {_Role.HARMLESS: HARMLESS}
for _against, _words in BLOCKING.items():
    _LISTS[_against] = _words
_LISTS |= {_Role.REPAIRING: REPAIRING, _Role.ADVERSE: ADVERSE}
_MEANINGS: Lexicon[_Meaning] = Lexicon(_LISTS)
_REPAIRABLE = Lexicon({True: REPAIRABLE})
_CONTRACTIONS = {"n't": Blocking.NEGATION, "'ll": Blocking.FUTURE}
# Whether the faults that follow were repaired. Any other word leaves that as it was.
_REPAIRED_AFTER: dict[_Meaning, bool] = {_Role.REPAIRING: True, _Role.ADVERSE: False, _Role.END: False}


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
        repaired = _REPAIRED_AFTER.get(found.meaning, repaired)
        if isinstance(found.meaning, Blocking) and not _was_repaired(found, repaired):
            yield Word(found.text, found.meaning)


def _was_repaired(found: _Found, repaired: bool) -> bool:
    """Whether a word means a fault of which the text says that it was repaired."""
    return (repaired or found.repaired_next) and _is_repairable(found.text)


def _is_repairable(text: str) -> bool:
    return _REPAIRABLE.word(text) is not None or (not text.isascii() and _REPAIRABLE.characters(text, 0) is not None)


def _meanings(text: Text) -> Iterator[_Found]:
    """The words with a meaning and the ends of the sentences, in order."""
    index = 0
    while index < len(text.items):
        length, found = _meanings_at(text, index)
        yield from found
        index += length


def _meanings_at(text: Text, index: int) -> tuple[int, Iterable[_Found]]:
    """What stands at a piece, and how many pieces that is."""
    item = text.items[index]
    if item.sort == "word":
        return _of_words(text, index)
    if _ends_sentence(text, item):
        return 1, (*_of_characters(item.text), _Found(item.text, _Role.END))
    return 1, _of_characters(item.text)


def _ends_sentence(text: Text, item: Item) -> bool:
    return item.sort == "line" or (item.sort == "sign" and sign_kind(text.text, item) == ".")


def _of_words(text: Text, index: int) -> tuple[int, Iterable[_Found]]:
    """The meaning of the phrase that begins at a piece, or of its word."""
    words = text.words(index)
    phrase = _MEANINGS.phrase(words)
    if phrase is None:
        return 1, _of_word(words[0], _repairs_next(text, index + 1))
    length, meaning = phrase
    return length, (_Found(" ".join(words[:length]), meaning),)


def _of_word(word: str, repaired_next: bool) -> Iterable[_Found]:
    """The meaning of a word; of one with hyphens or digits in it the meanings of its parts."""
    meaning = _MEANINGS.word(word)
    if meaning is not None:
        return (_Found(word, meaning, repaired_next),)
    contracted = _CONTRACTIONS.get(word[-3:])
    return _of_parts(word) if contracted is None else (_Found(word, contracted),)


def _of_parts(word: str) -> Iterator[_Found]:
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
