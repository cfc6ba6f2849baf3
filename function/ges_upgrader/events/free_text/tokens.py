"""The pieces of a text to the letters that the grammar reads, with the versions and regions that they name."""

from __future__ import annotations

from ges_upgrader.domain.version import Version
from ges_upgrader.events.free_text.lexing import Item, Lexicon, Text, sign_kind
from ges_upgrader.events.free_text.numbers import names_product, numeral, region_of, version_of
from ges_upgrader.events.free_text.vocabulary import GRAMMAR, REGIONS

_KINDS = Lexicon(GRAMMAR)
_REGIONS = Lexicon(REGIONS)
_UNITS = frozenset("年月日时分点")  # only after a number; 时间 is no time
_FRESH = frozenset(("new", "newest", "latest"))


class Tokens:
    """`kinds` has one letter a token. `strange` are words that are like a version and none."""

    def __init__(self, text: Text) -> None:
        self.versions: set[Version] = set()
        self.regions: set[str] = set()
        self.strange: list[str] = []
        self._kinds: list[str] = []
        self._fresh = False  # `new` was said in this part of the sentence, so that `release` is a positive word
        index = 0
        while index < len(text.items):
            index += self._take(text, index)
        self.kinds = "".join(self._kinds)

    def _take(self, text: Text, index: int) -> int:
        """Takes the token at a piece; how many pieces it has."""
        item = text.items[index]
        if item.sort == "word":
            return self._word(text, index)
        if item.sort == "han":
            self._characters(item.text)
        else:
            self._sign(text, item)
        return 1

    def _word(self, text: Text, index: int) -> int:
        item = text.items[index]
        number = numeral(item, text.text)
        if number is not None:
            self._number(number, item)
            return 1
        words = text.words(index)
        length, kind = _REGIONS.phrase(words) or _KINDS.phrase(words) or (1, self._kind_of(item))
        self._add(kind)
        return length

    def _kind_of(self, item: Item) -> str:
        """The kind of a single word, or the region that it names."""
        self._fresh = self._fresh or item.text in _FRESH
        region = region_of(item) or _REGIONS.word(item.text)
        if region is not None:
            return region
        return "R" if self._fresh and item.text == "release" else _KINDS.word(item.text) or "X"

    def _number(self, sort: str, item: Item) -> None:
        if sort == "V" or (sort == "A" and self._follows_product):
            self.versions.add(version_of(item))
            self._kinds += ["P", "V"] if names_product(item) else ["V"]
        elif sort == "?":
            self.strange.append(item.text)
            self._add("X")
        else:
            self._add("D")

    @property
    def _last(self) -> str:
        return self._kinds[-1] if self._kinds else ""

    @property
    def _follows_product(self) -> bool:
        """Whether the product or the word `version` was the last token."""
        return self._last in ("P", "M")

    def _characters(self, text: str) -> None:
        at = 0
        while at < len(text):
            length, kind = _REGIONS.characters(text, at) or _KINDS.characters(text, at) or (1, "X")
            self._add("X" if self._is_stray_unit(text[at]) else kind)
            at += length

    def _is_stray_unit(self, character: str) -> bool:
        return character in _UNITS and self._last != "D"

    def _sign(self, text: Text, item: Item) -> None:
        found = _KINDS.characters(item.text, 0)
        kind = found[1] if found else _separator_kind(text, item)
        self._fresh = self._fresh and kind not in "|."
        self._add(kind)

    def _add(self, kind: str) -> None:
        """Adds a kind, or the region that stands for a place."""
        if len(kind) > 1:
            self.regions.add(kind)
            kind = "Q"
        self._kinds.append(kind)


def _separator_kind(text: Text, item: Item) -> str:
    return "." if item.sort == "line" else sign_kind(text.text, item)
