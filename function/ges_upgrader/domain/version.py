"""GES versions: three or four decimal components, ordered by number (ges.md 6)."""

from __future__ import annotations

import re
from functools import total_ordering


@total_ordering
class Version:
    """A version, parsed once. `2.4.9` comes before `2.4.15`, and `2.4.15.0` equals `2.4.15`.

    `text` is the spelling as it was read, without a leading v. It is what the upgrade call sends to GES.
    """

    __slots__ = ("_parts", "text")

    pattern = r"[vV]?([0-9]{1,9}(?:\.[0-9]{1,9}){2,3})"

    def __init__(self, text: str) -> None:
        """Reads what GES shows or a journal holds. Raises ValueError for anything but three or four decimal components."""
        match = re.fullmatch(self.pattern, text.strip())
        if match is None:
            raise ValueError(f"expected a version of three or four numbers, as 2.4.15; found {text[:80]!r}")
        self.text = match[1]
        self._parts = tuple(int(part) for part in [*self.text.split("."), "0"][:4])

    @property
    def major(self) -> int:
        return self._parts[0]

    @property
    def shortest(self) -> Version:
        """The same version as GES writes it: three components, unless the fourth counts."""
        return self if len(self.text.split(".")) == 3 or self._parts[3] else Version(self.text.rpartition(".")[0])

    @classmethod
    def written(cls, text: str) -> Version:
        """Reads what a person or a pipeline writes: in announcements, commands and the policy.

        Raises ValueError for leading zeros too, as GES refuses such a spelling of a version that it knows.
        """
        version = cls(text)
        plain = ".".join(str(int(part)) for part in version.text.split("."))
        if version.text != plain:
            raise ValueError(f"expected a version without leading zeros, as {plain}; found {version.text!r}")
        return version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._parts == other._parts

    def __lt__(self, other: Version) -> bool:
        return self._parts < other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"
