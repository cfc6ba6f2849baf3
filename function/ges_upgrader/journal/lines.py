"""The lines of the journal's files: records as JSON, where a file begins and ends, and what a damaged line is about."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any, Union

import msgspec

from ges_upgrader.domain.timestamps import Instant
from ges_upgrader.domain.version import Version
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Record


class Sealed(Record, frozen=True, tag="sealed"):
    """The last record of a file. What was over before `horizon` is not taken into the next."""

    horizon: Instant


class Begun(Record, frozen=True, tag="begun"):
    """The first record of every file but the first: it begins with so many `lines` of the one before.

    `marked`: the journal's first file, its marker, was there then.
    """

    lines: int
    marked: bool = False


class Marked(Record, frozen=True, tag="marked"):
    """The journal reached the file of this `number`. It stands behind the seal of the first file, or instead of it."""

    number: int


class Gap(Record, frozen=True, tag="gap"):
    """A part of the journal was found missing: a file, or lines of one. It is damage from here on."""

    where: str
    why: str

    @property
    def damage(self) -> Damage:
        return Damage(digest(f"{self.where}: {self.why}".encode()), self.where, self.why)


def digest(data: bytes) -> str:
    """The id of a damage."""
    return sha256(data).hexdigest()[:12]


def encoded(record: Record) -> bytes:
    """The line of a record, without its end."""
    return _ENCODER.encode(record)


def decoded(line: bytes) -> Any:
    """The record of a line. Raises ValueError, RecursionError."""
    return _DECODER.decode(line)


def ends_or_begins_a_file(line: bytes) -> bool:
    """Whether it says where the journal continues, which cannot be passed over as damage."""
    try:
        raw = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and raw.get("kind") in ("sealed", "begun")


def scoped(line: bytes, damage: Damage, history: History) -> Damage:
    """The damage, with what the line says it is about."""
    try:
        raw = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return damage
    if not isinstance(raw, dict):
        return damage
    begun: dict[str, Any] = next((raw[name] for name in ("attempt", "backup") if isinstance(raw.get(name), dict)), {})
    about = {**raw, **begun}
    later = next((raw[name] for name in ("attempt_id", "backup_id") if isinstance(raw.get(name), str)), None)
    graph_id = about.get("graph_id") or (history.graph_of(later) if later else None)
    rule = None if graph_id else about.get("rule")
    return msgspec.structs.replace(damage, graph_id=_text(graph_id), rule=_text(rule), subject=_text(begun.get("id")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _plain(value: Any) -> Any:
    if isinstance(value, Version):
        return value.text
    raise TypeError(f"no plain form of {type(value)}")


def _custom(_: type, value: object) -> Version:
    if not isinstance(value, str):
        raise ValueError(f"expected a version, found {value!r}")
    return _version(value)


_version = lru_cache(maxsize=1024)(Version)  # the same few stand in most records


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
_DECODER = msgspec.json.Decoder(Union[AnyRecord, Sealed, Begun, Marked, Gap], dec_hook=_custom)
