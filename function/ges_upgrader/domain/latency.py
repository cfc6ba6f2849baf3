"""What a health check measures."""

from __future__ import annotations

import msgspec


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an engine takes for a statement of the health check: the median of several runs, in milliseconds."""

    name: str
    milliseconds: float
