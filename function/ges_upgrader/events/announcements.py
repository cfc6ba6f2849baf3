"""The text of an SMN message to what it announces (smn-obs-core.md E). Knows every tolerated form, decides nothing.

A message is a hint by a person or a pipeline: it can name a release and narrow where it goes, never force anything.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Union

import msgspec

from ges_upgrader.domain.model import Release, Severity, Targets
from ges_upgrader.domain.version import Version

MAX_MESSAGE = 64 * 1024

_ALIASES = (
    "version",
    "target_version",
    "targetVersion",
    "upgrade_version",
    "upgradeVersion",
    "new_version",
    "newVersion",
    "latest_version",
)
_WRAPPERS = ("data", "detail", "message", "default")
_PRODUCT_TYPES, _ARCHITECTURES = ("InMemory", "Persistence"), ("x86_64", "aarch64")  # ges.md 2.3
_ALARM_KEYS = ("alarm_id", "alarm_name", "alarm_status", "metric_name")
_SOMEBODY_ELSES = ("cts", "alarm", "event_type")
_KEYWORDS = re.compile(r"\bGES\b|GES(?=[^A-Za-z])|graph\s*engine|图引擎", re.IGNORECASE)
_IN_TEXT = re.compile(r"(?<![0-9.])[vV]?([0-9]{1,2}(?:\.[0-9]{1,3}){2,3})(?![-.]?[0-9A-Za-z])")
_FROM_TO = re.compile(
    r"(?:\bfrom\s+|从\s*)[vV]?[0-9]{1,2}(?:\.[0-9]{1,3}){2,3}\s*.{0,20}?(?:\bto\s+|到|至)\s*[vV]?([0-9]{1,2}(?:\.[0-9]{1,3}){2,3})",
    re.IGNORECASE | re.DOTALL,
)


class Announced(msgspec.Struct, frozen=True):
    """Releases to learn. `dry_run`: the publisher wants to see what would happen, and nothing more."""

    releases: tuple[Release, ...]
    dry_run: bool = False


class Retracted(msgspec.Struct, frozen=True):
    """A version to start nothing more to. `dry_run` as with Announced."""

    version: Version
    dry_run: bool = False


class Unclear(msgspec.Struct, frozen=True):
    """Meant for us, perhaps, but not understood: to be told once."""

    why: str


class Foreign(msgspec.Struct, frozen=True):
    """Not meant for us: an alarm, a confirmation, our own result."""

    what: str


Announcement = Union[Announced, Retracted, Unclear, Foreign]


class _Doubt(Exception):
    """A part of the message cannot be relied on, so nothing of it is."""


def read_announcement(message: str, subject: str, received: datetime) -> Announcement:
    """What `message` announces. `received` is the time at which SMN delivered it."""
    if len(message.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
        return Unclear(f"the message is over {MAX_MESSAGE // 1024} KB")
    content = _decoded(message)
    if not _is_unicode(content):
        return Unclear("the message holds a half of a surrogate pair, which is no character")
    if isinstance(content, Mapping) and not _named(content):
        content = next((_decoded(content[key]) for key in _WRAPPERS if content.get(key)), content)
    try:
        if isinstance(content, Mapping):
            return _read_object(content, received)
        if isinstance(content, str):
            return _read_text(content, subject)
    except _Doubt as doubt:
        return Unclear(str(doubt))
    return Unclear("the message is neither a JSON object nor text")


def _is_unicode(content: Any) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _decoded(content: Any) -> Any:
    """Undoes JSON in text, twice at the most, with the padding that editors and chat programs leave."""
    for _ in range(2):
        if not isinstance(content, str):
            return content
        text = content.strip("\ufeff \t\r\n")
        fenced = re.fullmatch(r"```[A-Za-z]*\s*\n(.*?)\n?```", text, re.DOTALL)
        content = fenced[1].strip() if fenced else text
        if not content.startswith(("{", "[", '"')):
            return content
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return content
    return content


def _named(content: Mapping[str, Any]) -> bool:
    return any(content.get(name) is not None for name in ("versions", *_ALIASES))


def _read_object(content: Mapping[str, Any], received: datetime) -> Announcement:
    schema = content.get("schema")
    if isinstance(schema, str) and schema.startswith("ges.upgrade."):
        return Foreign("a result or notice of this function")
    if not _named(content):
        if any(key in content for key in (*_ALARM_KEYS, *_SOMEBODY_ELSES)):
            return Foreign("an alarm or an audit record")
        return Unclear("the message names no version")
    if schema is not None and not re.fullmatch(r"ges\.release/1(?:\.[0-9]+)*", str(schema)):
        return Unclear(f"the schema {schema!r} is not known; expected ges.release/1")
    service = content.get("service")
    if service is not None and str(service).upper() != "GES":
        return Foreign(f"a release of {service!r}")
    event = content.get("event") or "ges.version.released"
    versions = _versions(content)
    if event == "ges.version.withdrawn":
        if len(versions) != 1:
            raise _Doubt("a withdrawal names one version")
        return Retracted(versions[0], _flag(content, "dry_run"))
    if event != "ges.version.released":
        return Unclear(f"the event {event!r} is not known; expected ges.version.released or ges.version.withdrawn")
    return Announced(
        releases=tuple(_release(version, content, received) for version in versions),
        dry_run=_flag(content, "dry_run"),
    )


def _versions(content: Mapping[str, Any]) -> list[Version]:
    named = {_version(content[alias], alias) for alias in _ALIASES if content.get(alias) is not None}
    if len(named) > 1:
        raise _Doubt(f"the message names several versions: {', '.join(str(version) for version in sorted(named))}")
    if content.get("versions") is None:
        return list(named)
    if not isinstance(content["versions"], list) or not content["versions"]:
        raise _Doubt("`versions` is not a list of versions")
    listed = [_version(item, "versions") for item in content["versions"]]
    if named and named != set(listed):
        raise _Doubt("`version` and `versions` name different versions")
    return listed


def _version(value: Any, name: str) -> Version:
    if not isinstance(value, str):
        raise _Doubt(f"`{name}` is not a version in quotes")
    try:
        return Version(value)
    except ValueError as error:
        raise _Doubt(f"`{name}`: {error}") from None


def _release(version: Version, content: Mapping[str, Any], received: datetime) -> Release:
    """Restrictions that cannot be read make the whole message unclear; a bad `released_at` is only ignored."""
    released_at = _instant(content.get("released_at"))
    if released_at is not None and released_at > received + timedelta(hours=24):
        released_at = None
    not_before = _bound(content, "not_before")
    soak = content.get("soak_hours")
    if soak is not None:
        if isinstance(soak, bool) or not isinstance(soak, (int, float)) or not 0 <= soak <= 24 * 365:
            raise _Doubt("`soak_hours` is not a number of hours")
        soaked = received + timedelta(hours=soak)
        not_before = max(not_before, soaked) if not_before else soaked
    minimum = content.get("min_source_version")
    return Release(
        version=version,
        released_at=released_at,
        regions=_texts(content, "regions"),
        product_types=_some(_texts(content, "product_types"), _PRODUCT_TYPES),
        arch=_some(_texts(content, "arch"), _ARCHITECTURES),
        min_source_version=_version(minimum, "min_source_version") if minimum is not None else None,
        not_before=not_before,
        not_after=_bound(content, "not_after"),
        targets=_targets(content.get("targets")),
        severity=_severity(content.get("severity")),
    )


def _severity(value: Any) -> Severity:
    """What is not one of the three is the ordinary one, which waits the longest."""
    return Severity(value) if isinstance(value, str) and value in tuple(Severity) else Severity.NORMAL


def _targets(value: Any) -> Targets:
    if value is None:
        return Targets()
    if not isinstance(value, Mapping):
        raise _Doubt("`targets` is not an object")
    tags = value.get("tags") or {}
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for text in tags.values()):
        raise _Doubt("`targets.tags` is not an object of texts")
    return Targets(_texts(value, "graph_ids"), _texts(value, "graph_names"), dict(tags))


def _texts(content: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = content.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Doubt(f"`{name}` is not a list of texts")
    return tuple(value)


def _some(names: tuple[str, ...], of: tuple[str, ...]) -> tuple[str, ...]:
    """To name all that there are restricts nothing, also where GES does not tell which of them a graph is."""
    return () if set(of) <= set(names) else names


def _flag(content: Mapping[str, Any], name: str) -> bool:
    value = content.get(name)
    if value not in (None, True, False):
        raise _Doubt(f"`{name}` is neither true nor false")
    return bool(value)


def _bound(content: Mapping[str, Any], name: str) -> datetime | None:
    value = content.get(name)
    instant = _instant(value)
    if value is not None and instant is None:
        raise _Doubt(f"`{name}` is not an instant with its offset, from 2000 to 2099")
    return instant


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", value.strip()))
        instant = instant.astimezone(timezone.utc) if instant.tzinfo else instant
        return instant if instant.tzinfo and 2000 <= instant.year < 2100 else None
    except (ValueError, OverflowError):
        return None


def _read_text(text: str, subject: str) -> Announcement:
    text = unicodedata.normalize("NFKC", text)
    bare = re.fullmatch(r"[vV]?[0-9]{1,2}(?:\.[0-9]{1,3}){2,3}", text)
    if bare is None and not _KEYWORDS.search(f"{unicodedata.normalize('NFKC', subject)}\n{text}"):
        return Unclear("the message is free text without the word GES, Graph Engine or 图引擎")
    steps = _FROM_TO.findall(text)
    versions = {Version(found) for found in steps or _IN_TEXT.findall(text) if not _address(found)}
    if not versions:
        return Unclear("the message names no version")
    if len(versions) > 1:
        return Unclear(f"the message names several versions: {', '.join(str(version) for version in sorted(versions))}")
    return Announced((Release(versions.pop()),))


def _address(text: str) -> bool:
    """Four numbers of which the first is 10 or more are rather an IP address."""
    first, *rest = text.split(".")
    return len(rest) == 3 and int(first) >= 10
