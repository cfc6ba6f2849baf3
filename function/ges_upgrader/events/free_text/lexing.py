"""A text to tokens. English words are separated by what is no letter; Chinese ones match by the longest known word.

A token has one letter for its kind: those of `vocabulary.GRAMMAR`, `V` a GES version, `X` an unknown word, `C` a colon,
`|` and `.` the ends of a part and of a whole sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

LOST = "\ufffd"  # stands for a character that has a form but no plain meaning: a superscript, a circled digit

T = TypeVar("T")

_ITEM = re.compile(
    r"(?P<word>[A-Za-z0-9]+(?:['_.+/@:~&=%#$\\-]+[A-Za-z0-9]+)*)"
    r"|(?P<han>[\u3400-\u9fff\uf900-\ufaff]+)|(?P<line>\n)|(?P<sign>\S)"
)
_HAN_HYPHEN = re.compile(r"(?<=[\u3400-\u9fff])-(?=[\u3400-\u9fff])")
_QUOTES = frozenset("\"'“”‘’«»*")
_SIGNS = {**dict.fromkeys(".!?;。", "."), **dict.fromkeys(",、()[]【】《》〈〉「」『』—–·•", "|"), ":": "C"}
_FIRST_PICTURE = 0x2600
_LONGEST_STEM, _LONGEST_PHRASE = 12, 6
_LONG_LINE = 40  # a line at least so long may have been broken inside a sentence


class Item(NamedTuple):
    """A piece of the text as it stands: a word or a number, a run of Chinese characters, a line break or a sign."""

    sort: str
    text: str
    begin: int
    end: int


class Lexicon(Generic[T]):
    """What words mean. Of several entries at one place the longest phrase counts, then the word, then the stem."""

    def __init__(self, lists: Mapping[T, str]) -> None:
        self._words: dict[str, T] = {}
        self._stems: dict[str, T] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        self._characters: dict[str, list[tuple[str, T]]] = {}
        for meaning, text in lists.items():
            for entry in text.replace("\n", " ").split(","):
                self._add(" ".join(entry.split()), meaning)
        for phrases in self._phrases.values():
            phrases.sort(key=lambda phrase: -len(phrase[0]))
        for words in self._characters.values():
            words.sort(key=lambda word: -len(word[0]))

    def _add(self, entry: str, meaning: T) -> None:
        if not entry:
            return
        if not entry[0].isascii() or not any(char.isalnum() for char in entry):
            self._characters.setdefault(entry[0], []).append((entry, meaning))
        elif entry.endswith("*"):
            self._stems.setdefault(entry[:-1], meaning)
        elif " " in entry:
            first, *rest = entry.split()
            self._phrases.setdefault(first, []).append((tuple(rest), meaning))
        else:
            self._words.setdefault(entry, meaning)

    def word(self, word: str) -> T | None:
        if word in self._words:
            return self._words[word]
        for length in range(min(len(word), _LONGEST_STEM), 2, -1):
            if word[:length] in self._stems:
                return self._stems[word[:length]]
        return None

    def phrase(self, words: Sequence[str]) -> tuple[int, T] | None:
        """The longest phrase at the beginning of `words`, and how many words it has."""
        for rest, meaning in self._phrases.get(words[0], ()):
            if tuple(words[1 : 1 + len(rest)]) == rest:
                return 1 + len(rest), meaning
        return None

    def characters(self, text: str, at: int) -> tuple[int, T] | None:
        """The longest Chinese word, or the sign, that stands at a place of the text."""
        for word, meaning in self._characters.get(text[at], ()):
            if text.startswith(word, at):
                return len(word), meaning
        return None

    def occurs_in(self, text: str, words: Collection[str]) -> bool:
        """Whether any entry occurs in a text of these words, in whatever order."""
        if any(self.word(word) is not None for word in words):
            return True
        if any(word in text for entries in self._characters.values() for word, _ in entries):
            return True
        phrases = (" ".join((first, *rest)) for first, entries in self._phrases.items() for rest, _ in entries)
        return any(phrase in text for phrase in phrases)


class Text(msgspec.Struct, frozen=True):
    """A text, normalised and in small letters, and its pieces."""

    text: str
    items: tuple[Item, ...]

    def words(self, index: int) -> list[str]:
        """The words that follow each other from a piece on, as many as a phrase may have."""
        found = []
        for item in self.items[index : index + _LONGEST_PHRASE]:
            if item.sort != "word":
                break
            found.append(item.text)
        return found


def pieces(text: str) -> Text:
    """Takes the text apart. Quotation marks are left out; a line break inside a sentence is no piece."""
    text = _HAN_HYPHEN.sub("", text).replace("’", "'").lower()
    items: list[Item] = []
    line = 0
    for found in _ITEM.finditer(text):
        sort, begin, end = found.lastgroup or "", found.start(), found.end()
        if sort == "line":
            wrapped = begin - line >= _LONG_LINE and text[end : end + 1].islower() and text[end : end + 1].isascii()
            line = end
            if wrapped:
                continue
        if found[0] not in _QUOTES:
            items.append(Item(sort, found[0], begin, end))
    return Text(text, tuple(items))


def sign_kind(text: str, item: Item) -> str:
    """The kind of a sign: the end of a sentence or of a part, a colon, or something unknown."""
    sign = item.text
    before, after = text[item.begin - 1 : item.begin], text[item.end : item.end + 1]
    if sign in (",", ";") and after.isascii() and after.isalnum():  # without a blank it is data
        return "X"
    if sign == "-":  # a dash between blanks, or a part of a line
        return "|" if _is_open(before) and _is_open(after) else "X"
    return _SIGNS.get(sign) or ("|" if _is_picture(sign) else "X")


def _is_picture(sign: str) -> bool:
    return ord(sign) >= _FIRST_PICTURE and not sign.isalnum() and sign != LOST


def _is_open(neighbour: str) -> bool:
    return not neighbour.strip() or neighbour == "-"
