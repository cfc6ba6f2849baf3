"""Keeps secrets out of every text that leaves the function: log lines, messages, results, errors and exceptions.

A service may repeat what it was sent: encoded, wrapped or cut. So each layer of encoding is undone, the text is folded, and
pieces of the secrets are looked up in it. Only what matches is replaced; the text around it, JSON too, stays as it is.
"""

from __future__ import annotations

import re
from array import array
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
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
        if (self.forms or self.wholes) and len(raw) >= SHORTEST and self._found_in(raw):
            text = self._masked(raw).decode("utf-8", "surrogatepass")
        return _USER_INFO.sub(STARS, text) if "@" in text else text

    def mask_all(self, value: Any) -> Any:
        """The same for every text in lists and mappings, keys included."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask_all(key): self.mask_all(item) for key, item in value.items()}
        return [self.mask_all(item) for item in value] if isinstance(value, (list, tuple)) else value

    def _found_in(self, raw: bytes) -> bool:
        """Quickly, and now and then true without cause."""
        for layer in _layers(raw):
            folded = layer.translate(_FOLDED, self.ignored)
            if not self.blocks.isdisjoint(_blocks(folded)) or any(whole in folded for whole in self.wholes):
                return True
        return False

    def _masked(self, raw: bytes) -> bytes:
        marks = bytearray(len(raw))
        for start in range(0, len(raw), _WINDOW):
            window = raw[start : start + _WINDOW + _OVERLAP]
            if self._found_in(window):
                for first, end in self._spans(window):
                    marks[start + first : start + end] = bytes([1]) * (end - first)
        for one in re.finditer(_INDIVISIBLE, raw):
            if 1 in marks[one.start() : one.end()]:
                marks[one.start() : one.end()] = bytes([1]) * len(one[0])
        masked, end = bytearray(), 0
        for run in re.finditer(rb"\x01+", marks):
            masked += raw[end : run.start()] + STARS.encode()
            end = run.end()
        return bytes(masked + raw[end:])

    def _spans(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """Where secrets stand, from byte to byte. Quotes in between are left out, so that JSON stays JSON."""
        for layer, origins in _traced_layers(raw):
            folded = layer.translate(_FOLDED, self.ignored)
            passed = frozenset(self.ignored)
            places = array("I", (place for place, byte in enumerate(layer) if byte not in passed))
            for at, end in self._matches(folded):
                first, last = origins[places[at]], origins[places[end - 1] + 1]
                if b'"' not in raw[first:last]:
                    yield first, last
                else:
                    yield from ((origins[place], origins[place + 1]) for place in places[at:end])

    def _matches(self, folded: bytes) -> Iterator[tuple[int, int]]:
        pieces = _pieces(self.forms)
        for at in range(len(folded) - PIECE + 1):
            if folded[at : at + PIECE] in pieces:
                yield at, at + PIECE
        for whole in self.wholes:
            at = folded.find(whole)
            while at >= 0:
                yield at, at + len(whole)
                at = folded.find(whole, at + 1)


@lru_cache(maxsize=16)
def _made(values: frozenset[str]) -> Secrets:
    texts = {text for value in values for text in (value, "".join(value.split()))}
    secrets = [text.encode("utf-8", "surrogatepass") for text in texts]
    ignored = bytes({*range(256)} - _COMPARED - ({byte for secret in secrets for byte in secret} - _BLANK))
    forms = {form.translate(_FOLDED, ignored) for secret in secrets for form in _forms(secret)}
    long = tuple(sorted(form for form in forms if len(form) >= FOUND))
    blocks = frozenset(block for form in long for start in range(_BLOCK) for block in _blocks(form[start:]))
    return Secrets(long, blocks, tuple(sorted(form for form in forms if SHORTEST <= len(form) < FOUND)), ignored)


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


def _layers(raw: bytes) -> Iterator[bytes]:
    """The text, and what it is with one layer of encoding undone, with two, and so on."""
    yield raw
    for _ in range(LAYERS):
        encoded, raw = raw, _ESCAPE.sub(_unescaped, raw) if any(mark in raw for mark in b"%\\&") else raw
        if raw == encoded:
            return
        yield raw


def _traced_layers(raw: bytes) -> Iterator[tuple[bytes, array[int]]]:
    """The same, each with the place of every byte in the first; one place more tells where that ends."""
    origins = array("I", range(len(raw) + 1))
    yield raw, origins
    for _ in range(LAYERS):
        layer, places, end = bytearray(), array("I"), 0
        for escape in _ESCAPE.finditer(raw):
            meant = _unescaped(escape)
            layer += raw[end : escape.start()] + meant
            places += origins[end : escape.start()] + array("I", [origins[escape.start()]]) * len(meant)
            end = escape.end()
        if not end:
            return
        raw, origins = bytes(layer + raw[end:]), places + origins[end:]
        yield raw, origins


def _unescaped(escape: re.Match[bytes]) -> bytes:
    percent, unit, byte, character, hexadecimal, decimal, entity = escape.groups()
    if percent or byte:
        return bytes([int(percent or byte, 16)])
    if character:
        return _CONTROLS.get(character, character)
    if entity:
        from html.entities import html5  # rare

        return html5.get(entity.decode(), "").encode() or escape[0]
    number = int(decimal) if decimal else int(unit or hexadecimal, 16)
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else escape[0]
