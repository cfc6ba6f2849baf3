"""Lengths of time as an operator writes them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)


class Duration(timedelta):
    """A length of time with its unit: `90m`, `36h`, `7d`. A bare number is refused: of what?"""

    @classmethod
    def parse(cls, value: object) -> Duration:
        """Raises ValueError."""
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("expected a number with its unit (s, m, h, d or w), as 90m, 36h or 7d")
        return cls(**{_UNITS[match[2]]: int(match[1])})


def spelled(length: timedelta) -> str:
    """A length as an operator would write it, in the largest unit that measures it: `90m`, `36h`, `7d`."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
