"""Keeps secrets out of every text that leaves the function: log lines, messages, results, errors and exceptions.

A service may repeat what it was sent: encoded, wrapped or cut. So each layer of encoding is undone, the text is folded, and
pieces of the secrets are looked up in it. Only what matches is replaced; the text around it, JSON too, stays as it is.
"""

from __future__ import annotations

import re
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

STARS = "***"
SHORTEST = 6  # characters: a shorter value is no secret of the cloud, and to mask it would mask words
FOUND = 15  # so many characters of a secret, wherever it is cut, are always found; a shorter form as a whole only
PIECE = 12  # what is found is masked as far as it matches, at least so many characters
LAYERS = 4  # of encoding that are undone, as percent in percent in JSON in HTML

_BLOCK = FOUND // 2 + 1  # the text is sampled in blocks of 8 bytes, read as one number each
_WINDOW, _OVERLAP = 1 << 18, 1 << 10  # bytes of a long text that are masked together
_HEXED = 64  # a longer secret is not looked for in hex: among so many pieces the ids of graphs would match by chance
_ESCAPE = re.compile(
    rb"[%\\&](?:(?<=%)([0-9A-Fa-f]{2})|(?<!&)u([0-9A-Fa-f]{4})|(?<=\\)x([0-9A-Fa-f]{2})|(?<=\\)([\x00-\x7f])"
    rb"|(?<=&)#[xX]([0-9A-Fa-f]{1,6});?|(?<=&)#([0-9]{1,7});?|(?<=&)([A-Za-z][A-Za-z0-9]{1,30};))"
)
_INDIVISIBLE = _ESCAPE.pattern + rb"|[\xc0-\xff][\x80-\xbf]*"  # compiled when a secret is found, which is rare
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_FOLDED = bytes.maketrans(_LETTERS.upper() + b"-_", _LETTERS + b"+/")  # case, and base64's two alphabets
_COMPARED = frozenset(_LETTERS + _LETTERS.upper() + b"0123456789+/-_")
_BLANK = frozenset({*range(0x21), 0x7F, *b"="})  # line breaks, and base64's padding
_USER_INFO = re.compile(r"""(?<=//)[^\s/"'<>\\]+(?=@)|(?<=\\/\\/)[^\s/"'<>\\]+(?=@)""")


class Secrets(msgspec.Struct, frozen=True):
    """What must not be shown. It is found as it is, in hex, and in base64 at each alignment, whatever the case.

    A value of fewer than SHORTEST characters is not masked. Make it with `of`, once a run.
    """

    forms: tuple[bytes, ...] = ()  # folded, and long enough to be found by a block
    blocks: frozenset[int] = frozenset()  # every block of `forms`
    wholes: tuple[bytes, ...] = ()  # the shorter forms, folded
    ignored: bytes = b""  # the bytes that are passed over when a text is compared

    @classmethod
    def of(cls, values: Iterable[str]) -> Secrets:
        """Of these values, with and without the white space in them."""
        return _made(frozenset(value for value in values if len(value) >= SHORTEST))

    def __repr__(self) -> str:
        return "Secrets(…)"

    def mask(self, text: str) -> str:
        """The text with STARS for each secret, and for the user info of URLs.

        Mask before you cut: the end of a text that was cut may show FOUND - 1 characters of a secret.
        """
        raw = text.encode("utf-8", "surrogatepass")
        if self._may_be_in(raw):
            text = self._masked(raw).decode("utf-8", "surrogatepass")
        return _USER_INFO.sub(STARS, text) if "@" in text else text

    def mask_all(self, value: Any) -> Any:
        """The same for every text in lists and mappings, keys included."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return self._mask_mapping(value)
        return list(map(self.mask_all, value)) if isinstance(value, (list, tuple)) else value

    def _mask_mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}

    def _may_be_in(self, raw: bytes) -> bool:
        """Quick, and now and then true without cause."""
        return len(raw) >= SHORTEST and self._knows_any and any(map(self._may_be_in_layer, _layers(raw)))

    @property
    def _knows_any(self) -> bool:
        return bool(self.forms or self.wholes)

    def _may_be_in_layer(self, layer: bytes) -> bool:
        folded = self._folded(layer)
        return not self.blocks.isdisjoint(_blocks(folded)) or any(whole in folded for whole in self.wholes)

    def _folded(self, layer: bytes) -> bytes:
        """The layer as it is compared with the forms."""
        return layer.translate(_FOLDED, self.ignored)

    def _masked(self, raw: bytes) -> bytes:
        marks = self._marks(raw)
        _extend_to_whole_characters(marks, raw)
        return _starred(raw, marks)

    def _marks(self, raw: bytes) -> bytearray:
        """A 1 for each byte that belongs to a secret."""
        marks = bytearray(len(raw))
        for start in range(0, len(raw), _WINDOW):
            window = raw[start : start + _WINDOW + _OVERLAP]
            if self._may_be_in(window):
                for first, end in self._spans(window):
                    marks[start + first : start + end] = b"\x01" * (end - first)
        return marks

    def _spans(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """Where secrets stand, from byte to byte."""
        for layer, origins in _traced_layers(raw):
            places = self._compared_places(layer)
            for at, end in self._matches(self._folded(layer)):
                yield from _spans_without_quotes(raw, origins, places[at:end])

    def _compared_places(self, layer: bytes) -> array[int]:
        """The place in the layer of each byte that stays when it is folded."""
        passed = frozenset(self.ignored)
        return array("I", (place for place, byte in enumerate(layer) if byte not in passed))

    def _matches(self, folded: bytes) -> Iterator[tuple[int, int]]:
        yield from _piece_matches(folded, _pieces(self.forms))
        for whole in self.wholes:
            yield from _whole_matches(folded, whole)


@lru_cache(maxsize=16)
def _made(values: frozenset[str]) -> Secrets:
    secrets = [text.encode("utf-8", "surrogatepass") for text in _spellings(values)]
    ignored = _ignored_for(secrets)
    forms = sorted({form.translate(_FOLDED, ignored) for secret in secrets for form in _forms(secret)})
    long = tuple(filter(_is_long, forms))
    return Secrets(long, _all_blocks(long), tuple(filter(_is_short, forms)), ignored)


def _spellings(values: Iterable[str]) -> set[str]:
    """Each value as it is, and without the white space in it."""
    return {text for value in values for text in (value, "".join(value.split()))}


def _ignored_for(secrets: Iterable[bytes]) -> bytes:
    """The bytes that are passed over: neither compared always nor part of a secret. Blanks are passed over always."""
    return bytes({*range(256)} - _COMPARED - ({byte for secret in secrets for byte in secret} - _BLANK))


def _is_long(form: bytes) -> bool:
    return len(form) >= FOUND


def _is_short(form: bytes) -> bool:
    return SHORTEST <= len(form) < FOUND


def _all_blocks(forms: Iterable[bytes]) -> frozenset[int]:
    return frozenset(block for form in forms for start in range(_BLOCK) for block in _blocks(form[start:]))


def _forms(secret: bytes) -> Iterator[bytes]:
    """A secret as it may be written: of base64 that part which does not depend on what stands before and after it."""
    yield secret
    if len(secret) <= _HEXED:
        yield secret.hex().encode()
    for before in range(3):
        whole = b64encode(bytes(before) + secret)
        yield whole[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]


@lru_cache(maxsize=16)
def _pieces(forms: tuple[bytes, ...]) -> frozenset[bytes]:
    return frozenset(form[at : at + PIECE] for form in forms for at in range(len(form) - PIECE + 1))


def _blocks(folded: bytes) -> memoryview:
    return memoryview(folded)[: len(folded) // _BLOCK * _BLOCK].cast("Q")


def _piece_matches(folded: bytes, pieces: frozenset[bytes]) -> Iterator[tuple[int, int]]:
    for at in range(len(folded) - PIECE + 1):
        if folded[at : at + PIECE] in pieces:
            yield at, at + PIECE


def _whole_matches(folded: bytes, whole: bytes) -> Iterator[tuple[int, int]]:
    at = folded.find(whole)
    while at >= 0:
        yield at, at + len(whole)
        at = folded.find(whole, at + 1)


def _spans_without_quotes(raw: bytes, origins: array[int], places: array[int]) -> Iterator[tuple[int, int]]:
    """Where the bytes at these places of a layer stand in the text. Quotes in between are left out, so that JSON stays JSON."""
    first, last = origins[places[0]], origins[places[-1] + 1]
    if b'"' not in raw[first:last]:
        yield first, last
    else:
        yield from ((origins[place], origins[place + 1]) for place in places)


def _extend_to_whole_characters(marks: bytearray, raw: bytes) -> None:
    """Marks a character or an escape as a whole if a part of it is marked."""
    for one in re.finditer(_INDIVISIBLE, raw):
        if 1 in marks[one.start() : one.end()]:
            marks[one.start() : one.end()] = b"\x01" * len(one[0])


def _starred(raw: bytes, marks: bytearray) -> bytes:
    """The text with STARS for each run of marked bytes."""
    masked, end = bytearray(), 0
    for run in re.finditer(rb"\x01+", marks):
        masked += raw[end : run.start()] + STARS.encode()
        end = run.end()
    return bytes(masked + raw[end:])


def _layers(raw: bytes) -> Iterator[bytes]:
    """The text, and what it is with one layer of encoding undone, with two, and so on."""
    yield raw
    for _ in range(LAYERS):
        encoded, raw = raw, _decoded(raw)
        if raw == encoded:
            return
        yield raw


def _decoded(raw: bytes) -> bytes:
    """The text with one layer of encoding undone. Few texts have any, and to look for its marks is quick."""
    return _ESCAPE.sub(_unescaped, raw) if any(mark in raw for mark in b"%\\&") else raw


def _traced_layers(raw: bytes) -> Iterator[tuple[bytes, array[int]]]:
    """The same, each with the place of every byte in the first, and at the end the place where that one ends."""
    origins = array("I", range(len(raw) + 1))
    yield raw, origins
    for _ in range(LAYERS):
        if not _ESCAPE.search(raw):
            return
        raw, origins = _traced(raw, origins)
        yield raw, origins


def _traced(raw: bytes, origins: array[int]) -> tuple[bytes, array[int]]:
    """The text with one layer of encoding undone, and the origin of each byte."""
    layer, places, end = bytearray(), array("I"), 0
    for escape in _ESCAPE.finditer(raw):
        meant = _unescaped(escape)
        layer += raw[end : escape.start()] + meant
        places += origins[end : escape.start()] + array("I", [origins[escape.start()]]) * len(meant)
        end = escape.end()
    return bytes(layer + raw[end:]), places + origins[end:]


def _unescaped(escape: re.Match[bytes]) -> bytes:
    """What an escape stands for. One that stands for nothing stays as it is."""
    form = escape.lastindex
    assert form is not None  # exactly one group of the expression has matched
    return _MEANT[form](escape[form]) or escape[0]


def _byte(digits: bytes) -> bytes:
    return bytes([int(digits, 16)])


def _hexadecimal(digits: bytes) -> bytes:
    return _character(int(digits, 16))


def _decimal(digits: bytes) -> bytes:
    return _character(int(digits))


def _character(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b""


def _escaped_character(character: bytes) -> bytes:
    return _CONTROLS.get(character, character)


def _entity(name: bytes) -> bytes:
    from html.entities import html5  # rare

    return html5.get(name.decode(), "").encode()


# The groups of _ESCAPE: %41, \u0041 or %u0041, \x41, \n, &#x41;, &#65; and &amp;
_MEANT: dict[int, Callable[[bytes], bytes]] = {
    1: _byte,
    2: _hexadecimal,
    3: _byte,
    4: _escaped_character,
    5: _hexadecimal,
    6: _decimal,
    7: _entity,
}
