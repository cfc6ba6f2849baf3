"""Buckets and the objects in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timezone

LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)  # of buckets that a test puts there


@dataclass(slots=True)
class Object:
    data: bytes
    appendable: bool
    appends: int = 0
    modified: datetime = LONG_AGO

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'


@dataclass(slots=True)
class Bucket:
    """`list_allowed`: the caller has `obs:bucket:ListBucket`. Without it OBS hides that an object is missing (C1).

    `read_allowed`: the caller has `obs:object:GetObject`. `foreign`: it belongs to another account. `settings` holds the XML
    of what was put under a sub-resource, such as `lifecycle`.
    """

    name: str
    region: str
    objects: dict[str, Object] = field(default_factory=dict)
    list_allowed: bool = True
    read_allowed: bool = True
    foreign: bool = False
    storage_class: str = "STANDARD"
    versioning: str = ""  # Enabled or Suspended; empty if it never was
    settings: dict[str, bytes] = field(default_factory=dict)
    created: datetime = LONG_AGO

    def delete(self, key: str) -> None:
        """Deletes an object, as an operator or a lifecycle rule does. A missing one is no error."""
        self.objects.pop(key, None)
