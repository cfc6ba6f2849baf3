"""The kinds of values that a policy is made of.

Each is made from what was written, or raises ValueError saying what is accepted; `text` is what was written. `pattern` is
what a text must look like, here and in policy.schema.json, and so in the regular expressions that ECMAScript has too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ges_upgrader.domain.duration import Duration, spelled
from ges_upgrader.domain.model import Severity
from ges_upgrader.domain.version import Version
from ges_upgrader.schedule.wallclock import DATE, TIME, instant

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

MIN_AUTO_CUTOFF = timedelta(minutes=30)

# What a glob has no use for, and no name of a graph has in it.
_REGULAR_EXPRESSION = re.compile(r"^\^|\$$|\.[*+]|\\[dwsb.]|\[\^?[a-z0-9]-[a-z0-9]\][*+]|\(.*\|.*\)")

_CLOCK = rf"{TIME}(?::[0-5][0-9])?"
_OFFSET = rf"(?:[Zz]|[+-]{TIME})"
_FIRST, _NEXT = r"\s*[vV]?[0-9]{1,9}", r"(?:\.[0-9]{1,9})"
_SPECIFIER = rf"\s*(?:~={_FIRST}{_NEXT}+|[!=]={_FIRST}{_NEXT}*(?:\.\*)?|[<>]=?{_FIRST}{_NEXT}*)\s*"


class Instant:
    """A date, which means its midnight in UTC, or an instant with its offset; `at` is it in UTC."""

    __slots__ = ("at", "text")

    pattern = rf"{DATE}(?:[T ]{_CLOCK}{_OFFSET})?"

    def __init__(self, value: object) -> None:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError("expected a date from 2000 to 2099, as 2026-10-01, or an instant, as 2026-10-01T02:00:00Z")
        self.at = Moment(value).at(ZoneInfo("UTC"))
        self.text = self.at.isoformat()


class Moment:
    """A date, which means its midnight, or a time of a day; in the zone that stands beside it, or at an offset of its own."""

    __slots__ = ("_written", "text")

    pattern = rf"{DATE}(?:[T ]{_CLOCK}{_OFFSET}?)?"

    def __init__(self, value: object) -> None:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError("expected a date from 2000 to 2099, as 2026-12-24, or one with its time, as 2026-12-24T18:00")
        self.text = value
        try:
            self._written = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value))
        except ValueError:
            raise ValueError(f"expected a date; there is no {value[:10]}") from None

    @property
    def needs_zone(self) -> bool:
        return self._written.tzinfo is None

    def at(self, zone: ZoneInfo, last: bool = False) -> datetime:
        """The instant in UTC. `last`: the later one, where a clock change shows that time twice."""
        return instant(self._written, zone, last) if self.needs_zone else self._written.astimezone(timezone.utc)


class Topic:
    """The URN of an SMN topic (smn-obs-core.md A7)."""

    __slots__ = ("name", "project_id", "region", "urn")

    pattern = r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]{1,64}):([A-Za-z0-9][A-Za-z0-9_-]{0,254})"

    def __init__(self, value: object) -> None:
        match = re.fullmatch(self.pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("expected the URN of a topic, as urn:smn:cn-north-4:<project_id>:ges-upgrades")
        self.urn = match[0]
        self.region, self.project_id, self.name = match.groups()


class State:
    """Where the journal is: `none`, `obs://bucket/prefix`, or `file:///path` of a folder. `given`: the operator wrote it."""

    __slots__ = ("bucket", "folder", "given", "prefix", "text")

    pattern = r"none|obs://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^\0]*))?|file://(/[^\0]+)"

    def __init__(self, value: object, given: bool = True) -> None:
        match = re.fullmatch(self.pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("expected none, obs://bucket/prefix, or file:///path with the absolute path of a folder")
        self.text, self.given = match[0], given
        self.bucket: str | None = match[1]
        self.prefix = (match[2] or "").strip("/")
        self.folder = Path(match[3]) if match[3] else None


class Versions:
    """PEP 440 specifiers, as `>=2.4.4,<3,!=2.4.9`, of numbers alone, as GES's versions are."""

    __slots__ = ("_allowed", "_specifiers", "text")

    pattern = rf"{_SPECIFIER}(?:,{_SPECIFIER})*"

    def __init__(self, value: object) -> None:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError('expected version specifiers of PEP 440 in quotes, as ">=2.4.4,<3,!=2.4.9" or "~=2.4"')
        self.text = value
        self._specifiers = self._parse(value)
        self._allowed: dict[str, bool] = {}

    @staticmethod
    def _parse(text: str) -> SpecifierSet:
        from packaging.specifiers import SpecifierSet

        specifiers = SpecifierSet(text)
        if specifiers.is_unsatisfiable():
            raise ValueError("expected version specifiers that a version can meet; none can meet all of these")
        return specifiers

    def allow(self, version: Version) -> bool:
        if version.text not in self._allowed:
            self._allowed[version.text] = self._specifiers.contains(version.text)
        return self._allowed[version.text]


class Globs:
    """A text in which * and ? stand for any text and any character, or a list of which one must fit."""

    __slots__ = ("text", "texts")

    def __init__(self, value: object) -> None:
        texts: list[Any] = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text for text in texts):
            raise ValueError("expected a text, in which * and ? stand for any text and any character, or a list of such")
        for text in texts:
            if _REGULAR_EXPRESSION.search(text):
                raise ValueError(f"{text!r} looks like a regular expression; expected a glob, as 'dev_*'")
        self.texts: tuple[str, ...] = tuple(texts)
        self.text = texts[0] if len(texts) == 1 else texts


class Tags:
    """Tags that a graph must have, all of them, each with this value or one of these; values may be globs."""

    __slots__ = ("text", "wanted")

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict) or not value:
            raise ValueError("expected tags and their values, as {env: prod}")
        for tag, wanted in value.items():
            texts = wanted if isinstance(wanted, list) else [wanted]
            if not texts or not all(isinstance(text, str) for text in texts):
                raise ValueError(f"expected text as the value of the tag {tag!r}, in quotes if need be, or a list of texts")
        self.wanted: Mapping[str, str | list[str]] = value
        self.text = value


class Share:
    """A number of graphs, or a part of them as `10%`, rounded down, and at least one."""

    __slots__ = ("_number", "_percent", "text")

    pattern = r"(100|[1-9][0-9]?)%"

    def __init__(self, value: object) -> None:
        percent = re.fullmatch(self.pattern, value) if isinstance(value, str) else None
        whole = value if isinstance(value, int) and not isinstance(value, bool) else 0
        self._percent = int(percent[1]) if percent else None
        if percent is None and whole < 1:
            raise ValueError("expected a whole number from 1, or a part from 1% to 100%, as 10%")
        self._number = whole
        self.text = value

    @property
    def relative(self) -> bool:
        return self._percent is not None

    def of(self, count: int) -> int:
        return self._number if self._percent is None else max(1, count * self._percent // 100)


class Ages:
    """How old a release must be: one duration, or one by severity, as `{default: 7d, security: 1d}`.

    What is critical is a matter of security too: where it has no age of its own, that of security is its own.
    """

    __slots__ = ("_default", "_own", "text")

    def __init__(self, value: object) -> None:
        names = ("default", *(severity.value for severity in Severity))
        given = value if isinstance(value, Mapping) else {"default": value}
        if not given or not set(given) <= set(names):
            raise ValueError(f"expected a duration, as 7d, or durations by severity; accepted are {', '.join(names)}")
        if "default" not in given:
            raise ValueError("expected a default beside the severities, as {default: 7d, security: 1d}")
        self._own = {name: Duration.parse(length) for name, length in given.items()}
        self._default = self._own.pop("default")
        if "security" in self._own:
            self._own.setdefault("critical", self._own["security"])
        self.text = {name: spelled(length) for name, length in {"default": self._default, **self._own}.items()}

    def of(self, severity: Severity) -> timedelta:
        return self._own.get(severity.value, self._default)

    def __bool__(self) -> bool:
        return bool(self._default or any(self._own.values()))


class Cutoff:
    """How long before a window's end or a freeze nothing starts. `length` None is `auto`: by the fleet's own upgrades."""

    __slots__ = ("length", "text")

    def __init__(self, value: object) -> None:
        self.length = None if value == "auto" else _duration(value, "auto")
        self.text = "auto" if self.length is None else spelled(self.length)

    @property
    def least(self) -> timedelta:
        return MIN_AUTO_CUTOFF if self.length is None else self.length


class Force:
    """Whether an upgrade interrupts running work: `never`, `always`, or `{after: 24h}` of waiting for it."""

    __slots__ = ("after", "always", "text")

    def __init__(self, value: object) -> None:
        self.always = value == "always"
        self.after: timedelta | None = None
        if isinstance(value, Mapping) and set(value) == {"after"}:
            self.after = Duration.parse(value["after"])
        elif value not in ("never", "always"):
            raise ValueError("expected never, always or {after: 24h}")
        self.text = {"after": spelled(self.after)} if self.after is not None else value


def _duration(value: object, word: str) -> Duration:
    try:
        return Duration.parse(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {word}") from None
