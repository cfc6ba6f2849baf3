"""Lengths of time as an operator writes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

LONGEST = timedelta(days=3650)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Duration(timedelta):
    """A length of time with its unit: `90m`, `36h`, `7d`. A bare number is refused: of what?"""

    pattern = r"[0-9]{1,9}[smhdw]"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        if not isinstance(value, str) or not re.fullmatch(Duration.pattern, value):
            raise ValueError("expected a number with its unit (s, m, h, d or w), as 90m, 36h or 7d")
        seconds = int(value[:-1]) * _SECONDS[value[-1]]
        if seconds > LONGEST.total_seconds():
            raise ValueError(f"expected a duration of at most {spelled(LONGEST)}")
        return cls(seconds=seconds)


class Lifetime(Duration):
    """How long something holds that must hold for a while, as nothing could start otherwise."""

    pattern = rf"(?!0+[smhdw]){Duration.pattern}"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        length = super().parse(value)
        if not length:
            raise ValueError("expected a duration longer than zero, as 24h")
        return length


class Latency(Duration):
    """How long one answer may take: a duration, also in milliseconds, as 500ms."""

    pattern = r"0*[1-9][0-9]{0,6}(?:ms|s|m)"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        if not isinstance(value, str) or not re.fullmatch(cls.pattern, value):
            raise ValueError("expected a number above zero with its unit (ms, s or m), as 500ms or 2s")
        return cls(milliseconds=int(value[:-2])) if value.endswith("ms") else super().parse(value)


def spelled(length: timedelta) -> str:
    """A length as an operator would write it, in the largest unit that measures it: `90m`, `36h`, `7d`."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
