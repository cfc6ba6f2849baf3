"""What a text of any form names and warns of, whether it can be understood or not."""

from __future__ import annotations

import re

import msgspec

from ges_upgrader.domain.version import Version
from ges_upgrader.events.free_text.blocking import words_against
from ges_upgrader.events.free_text.lexing import Lexicon, pieces
from ges_upgrader.events.free_text.normalising import normalised
from ges_upgrader.events.free_text.numbers import mentioned
from ges_upgrader.events.free_text.vocabulary import BLOCKING, HOLDING

_MAX_LENGTH = 4000  # a longer text is searched for words without regard to their order
# The product's name, or one that may be meant so: no part of a longer name, as ges-agent is.
_PRODUCT = re.compile(r"图引擎|graph[ -]engine|(?<![a-z0-9])ges(?:(?![a-z0-9-])|[^a-z0-9\s]{0,2}v?[0-9])")
_WORD = re.compile("[a-z]+")
_HELD = Lexicon({True: ",".join(BLOCKING[category] for category in HOLDING)})


class Impression(msgspec.Struct, frozen=True):
    """`versions` are those that the text may name, `warns`: it has a word of withdrawal or warning."""

    names_product: bool
    versions: tuple[Version, ...]
    warns: bool


def impression_of(*texts: str) -> Impression:
    read = "\n\n".join(normalised(text).text for text in texts).lower()
    return Impression(nearly_names_product(read), tuple(mentioned(read)), _warns(read))


def nearly_names_product(text: str) -> bool:
    """Whether a text in small letters names the product, in whatever spelling. Such a text is not foreign."""
    return _PRODUCT.search(text) is not None


def _warns(text: str) -> bool:
    if len(text) > _MAX_LENGTH:
        return _HELD.occurs_in(text, set(_WORD.findall(text)))
    return any(word.against in HOLDING for word in words_against(pieces(text)))
