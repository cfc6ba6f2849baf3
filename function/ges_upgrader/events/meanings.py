"""What a message turns out to be. One of four values, and the error that parts of the reading raise in doubt."""

from __future__ import annotations

from typing import Union

import msgspec

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.version import Version

MAX_VERSIONS = 20  # a message that names more is no announcement (interface.md, Announcements)


class Announced(msgspec.Struct, frozen=True):
    """Releases to learn. `dry_run`: the publisher asks what would happen, and nothing is recorded."""

    releases: tuple[Release, ...]
    dry_run: bool = False


class Withdrawal(msgspec.Struct, frozen=True):
    """Versions to which nothing more is started. `unread` are names of versions in it that cannot be read."""

    versions: tuple[Version, ...]
    dry_run: bool = False
    unread: tuple[str, ...] = ()


class Unclear(msgspec.Struct, frozen=True):
    """Meant for us, perhaps, and not understood: nothing is learned.

    `named` are the versions that it names. `questioned` are those of them that it may withdraw or warn of.
    """

    why: str
    named: tuple[Version, ...] = ()
    questioned: tuple[Version, ...] = ()


class Foreign(msgspec.Struct, frozen=True):
    """Not meant for us: an alarm, a confirmation, a message of this product, another service."""

    what: str


Meaning = Union[Announced, Withdrawal, Unclear, Foreign]


class Doubt(Exception):
    """A part of the message cannot be relied on, so nothing of it is. The text says why."""


class NotOurs(Exception):
    """The message is foreign. The text says what it is."""
