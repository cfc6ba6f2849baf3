"""A text to tokens. English words are separated by what is no letter; Chinese ones match by the longest known word.

A token has one letter for its kind: those of `vocabulary.GRAMMAR`, `V` a GES version, `X` an unknown word, `C` a colon,
`|` and `.` the ends of a part and of a whole sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

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
_BLANK_FOLLOWS = (",", ";")
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
            for entry in _entries(text):
                self._add(entry, meaning)
        _put_longest_first(self._phrases.values())
        _put_longest_first(self._characters.values())

    def _add(self, entry: str, meaning: T) -> None:
        if not _is_latin(entry):
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
        return any(self.word(word) is not None for word in words) or any(entry in text for entry in self._written_whole())

    def _written_whole(self) -> Iterator[str]:
        """The entries that are looked for as they are: Chinese words, signs and phrases."""
        for characters in self._characters.values():
            yield from (word for word, _ in characters)
        for first, phrases in self._phrases.items():
            yield from (" ".join((first, *rest)) for rest, _ in phrases)


def _entries(text: str) -> Iterator[str]:
    """The entries of a list that commas separate."""
    return filter(None, (" ".join(entry.split()) for entry in text.split(",")))


def _is_latin(entry: str) -> bool:
    return entry[0].isascii() and any(map(str.isalnum, entry))


def _put_longest_first(entries: Iterable[list[Any]]) -> None:
    for alike in entries:
        alike.sort(key=lambda entry: -len(entry[0]))


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
    return Text(text, tuple(_items(text)))


def _items(text: str) -> Iterator[Item]:
    line = 0  # where the line begins
    for found in _ITEM.finditer(text):
        item = Item(found.lastgroup or "", found[0], found.start(), found.end())
        if item.sort == "line":
            begun, line = line, item.end
            if _is_wrapped(text, begun, item):
                continue
        if item.text not in _QUOTES:
            yield item


def _is_wrapped(text: str, begun: int, line_break: Item) -> bool:
    """Whether a line that began there is long and the next one begins in small letters, so that a sentence was broken."""
    following = text[line_break.end : line_break.end + 1]
    return line_break.begin - begun >= _LONG_LINE and following.islower() and following.isascii()


def sign_kind(text: str, item: Item) -> str:
    """The kind of a sign: the end of a sentence or of a part, a colon, or something unknown."""
    sign = item.text
    before, after = text[item.begin - 1 : item.begin], text[item.end : item.end + 1]
    if sign == "-":
        return _dash_kind(before, after)
    if sign in _BLANK_FOLLOWS and _is_letter(after):  # without a blank it is data
        return "X"
    return _SIGNS.get(sign) or ("|" if _is_picture(sign) else "X")


def _dash_kind(before: str, after: str) -> str:
    """A dash between blanks, or a part of a line, separates parts."""
    return "|" if _is_open(before) and _is_open(after) else "X"


def _is_letter(neighbour: str) -> bool:
    return neighbour.isascii() and neighbour.isalnum()


def _is_picture(sign: str) -> bool:
    return ord(sign) >= _FIRST_PICTURE and not sign.isalnum() and sign != LOST


def _is_open(neighbour: str) -> bool:
    return not neighbour.strip() or neighbour == "-"
