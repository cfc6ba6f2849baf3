"""A text as a person sees it: without markup, addresses and invisible characters, in one form of each character.

What makes the text unreliable is returned beside it and not raised, as a doubtful text may still warn of a version.
Each step costs time in proportion to the text, whatever the text is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from ges_upgrader.events.free_text.lexing import LOST

_TAG = re.compile(r"<[^<>]*>")
_TAG_NAME = re.compile(r"<[/!?]?([A-Za-z][A-Za-z0-9:-]*)(?=[\s/>])")
_INLINE = re.compile("a|abbr|b|big|code|em|font|i|ins|label|mark|nobr|small|span|strong|tt|u|var")
_RAISED = re.compile("sub|sup")
_STRUCK = re.compile("blockquote|del|s|strike")
_HIDDEN = re.compile("script|style")
_BLOCK = re.compile(
    "address|area|article|aside|body|br|center|col|colgroup|dd|details|div|dl|doctype|dt|fieldset|figure|footer|form|h[1-6]|"
    "head|header|hr|html|img|input|legend|li|link|main|map|meta|nav|o:p|ol|p|pre|section|summary|table|tbody|td|tfoot|th|"
    "thead|title|tr|ul"
)
_HTML = (_INLINE, _RAISED, _STRUCK, _HIDDEN, _BLOCK)

_ADDRESSES = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[!#-&(-;=?-~]*"  # a URL, up to a quote or an angle bracket
    r"|(?<![A-Za-z0-9])www\.[!#-&(-;=?-~]*"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+"  # an e-mail address
    r"|(?<![!-~])@[A-Za-z0-9_.-]+"  # a mention in a chat
)
_OF_ADDRESSES = ("://", "www.", "@")
_EMOJI_NAME = re.compile(r"(?<![A-Za-z0-9:]):([a-z][a-z0-9_+-]{1,30}):(?![A-Za-z0-9:])")  # as chats write them
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they make a text look other than it reads
_CONTROLS = re.compile("\x1b\\[[0-9;]{0,9}m|[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_IN_NUMBER = re.compile("[0-9.][\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff][0-9.]")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_TRADE_MARKS = re.compile("[\u2120\u2122\u00a9\u00ae]")
# Superscripts, subscripts, fractions, and digits in circles, brackets or with a full stop.
_ORNAMENTS = re.compile("[\u00aa\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u2070-\u209f\u2150-\u2189\u2460-\u24ff\u2776-\u2793]")
_WIDE_PUNCTUATION = str.maketrans(
    {"，": ", ", "；": "; ", "：": ": ", "！": "! ", "？": "? ", "（": " (", "）": ") ", "［": " [", "］": "] "}
)
_MOST_MARKS = 8  # combining marks on one character; to sort long runs of them takes long
_MOST_GROWTH = 3


class Normalised(msgspec.Struct, frozen=True):
    """A text to read, and why it is in doubt: reasons that begin with a verb, as `holds control characters`."""

    text: str
    doubts: tuple[str, ...] = ()


@lru_cache(maxsize=4)  # a message that is not understood is read twice
def normalised(raw: str) -> Normalised:
    doubts: list[str] = []
    text = _without_addresses(raw)
    for step in (_without_markup, _without_controls, _in_plain_characters):
        text = step(text, doubts)
    return Normalised(_without_emoji_names(text.replace("**", "").replace("`", "")), tuple(doubts))


def _without_addresses(text: str) -> str:
    return _ADDRESSES.sub(_in_place_of_address, text) if any(sign in text for sign in _OF_ADDRESSES) else text


def _without_controls(text: str, doubts: list[str]) -> str:
    if not _CONTROLS.search(text):
        return text
    doubts.append("holds control characters")
    return _CONTROLS.sub(" ", text)


def _without_emoji_names(text: str) -> str:
    return _EMOJI_NAME.sub(r", \1 ,", text) if ":" in text else text


def _in_plain_characters(text: str, doubts: list[str]) -> str:
    """Without invisible characters, and each of the others in one form."""
    if text.isascii():
        return text
    if _DIRECTIONS.search(text):
        doubts.append("changes the direction of writing")
    if _IN_NUMBER.search(text):
        doubts.append("hides characters in a number")
    text = _ORNAMENTS.sub(LOST, _TRADE_MARKS.sub("", text)).translate(_WIDE_PUNCTUATION)
    return _INVISIBLE.sub("", _composed(text, doubts))


def _composed(text: str, doubts: list[str]) -> str:
    """In Unicode's form NFKC."""
    kept = "".join(_with_few_marks(text))
    if len(kept) < len(text):
        doubts.append("piles up accents")
    composed = unicodedata.normalize("NFKC", kept)
    if len(composed) > _MOST_GROWTH * len(text) + 100:
        doubts.append("uses ligatures of whole words")
        return kept
    return composed


def _with_few_marks(text: str) -> Iterator[str]:
    """The characters, with no more than _MOST_MARKS combining marks on each."""
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _MOST_MARKS:
            yield char


def _without_markup(text: str, doubts: list[str]) -> str:
    """The text of an HTML mail. What has other tags is no mail, and what has none is returned as it is."""
    text = _without_comments(text)
    tags = {name for _, name in _named_tags(text)}
    if not tags:
        return text
    if not all(map(_is_html, tags)):
        doubts.append("is markup that is not HTML")
        return text
    if any(map(_STRUCK.fullmatch, tags)):
        doubts.append("strikes text out or quotes it")
    from html import unescape  # its table of entities is needed only here

    return unescape("".join(_visible(text)))


def _is_html(tag: str) -> bool:
    return any(sort.fullmatch(tag) for sort in _HTML)


def _visible(html: str) -> Iterator[str]:
    """The parts of an HTML text that a reader sees, and what stands in place of the tags."""
    at, hidden = 0, False
    for tag, name in _named_tags(html):
        if not hidden:
            yield html[at : tag.start()].replace("\n", " ")
            yield _in_place_of(name)
        at = tag.end()
        if _HIDDEN.fullmatch(name):
            hidden = not tag[0].startswith("</")
    if not hidden:
        yield html[at:].replace("\n", " ")


def _named_tags(html: str) -> Iterator[tuple[re.Match[str], str]]:
    """The tags with their names. An angle bracket without a name is no tag."""
    for tag in _TAG.finditer(html):
        name = _name_of(tag[0])
        if name:
            yield tag, name


def _name_of(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found[1].lower() if found else ""


def _in_place_of_address(address: re.Match[str]) -> str:
    """A blank, and the end of the sentence that the address ends."""
    return f"{address[0][-1]} " if address[0][-1] in ".,;!?" else " "


def _in_place_of(tag: str) -> str:
    if _INLINE.fullmatch(tag):
        return ""
    return LOST if _RAISED.fullmatch(tag) else "\n"


def _without_comments(text: str) -> str:
    parts = []
    at, start = 0, text.find("<!--")
    while start >= 0:
        end = text.find("-->", start)
        parts.append(text[at:start])
        at = len(text) if end < 0 else end + 3
        start = text.find("<!--", at)
    return "".join([*parts, text[at:]])
