"""IANA time zones by their names, from the data of the tzdata package, whatever the system has.

zoneinfo itself reads the system's files first. They may be years old, and the same policy would open its windows at other
times on another machine. Importing this module puts the packaged files in their place.
"""

from __future__ import annotations

import re
import zoneinfo
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

_NAME = re.compile(r"(?!posix/|right/|localtime$|posixrules$|Factory$)[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)

# Names of IANA that mislead: each is an offset without summer time.
_REVERSED = re.compile(r"Etc/GMT([+-])([1-9]\d?)")
_FIXED = {
    "EST": ("UTC-5 all year, without summer time", "America/New_York"),
    "MST": ("UTC-7 all year, without summer time", "America/Denver"),
    "HST": ("UTC-10 all year", "Pacific/Honolulu"),
}


def zone(name: object) -> ZoneInfo:
    """The zone that a policy names. Raises ValueError for what is no IANA zone, or misleads, with what may be meant."""
    found = named(name)
    misleads = _misleads(name) if found is not None and isinstance(name, str) else ""
    if found is not None and not misleads:
        return found
    shown = name[:80] if isinstance(name, str) else name
    raise ValueError(f"{shown!r} {misleads or f'is no IANA time zone; {_hint(name)}'}")


def named(name: object) -> ZoneInfo | None:
    """Any IANA zone, also one that misleads; None: there is none of that name."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and _NAME.fullmatch(name) else None
    except (KeyError, ValueError, OSError):
        return None


def source() -> str:
    """The version of the data and where they are, for the log."""
    folder = next(iter(zoneinfo.TZPATH), "")
    try:
        with open(Path(folder, "tzdata.zi"), encoding="utf-8") as data:
            return f"{data.readline().removeprefix('# version ').strip()} {folder}"
    except (OSError, ValueError):
        return f"unknown {folder}"


def _misleads(name: str) -> str:
    if name in _FIXED:
        meaning, place = _FIXED[name]
        return f"means {meaning}; write the zone of a place, such as {place}"
    if reversed_sign := _REVERSED.fullmatch(name):
        from ges_upgrader.schedule.zone_hints import such_as

        sign, hours = reversed_sign.groups()
        real = f"UTC{'-' if sign == '+' else '+'}{hours}"
        return f"means {real}, as its sign is reversed; write the zone of a place{such_as(sign, hours)}"
    return ""


def _hint(name: object) -> str:
    from ges_upgrader.schedule.zone_hints import meant

    return (meant(name) if isinstance(name, str) else "") or "accepted are names such as Asia/Shanghai or UTC"


def _packaged() -> Path | None:
    """The folder of the packaged data: beside this package, as in the function's zip, or where tzdata is installed."""
    try:
        spec = find_spec("tzdata")
    except ValueError:
        spec = None
    installed = [Path(spec.origin).parent] if spec and spec.origin else []
    folders = (package / "zoneinfo" for package in (Path(__file__).parents[2] / "tzdata", *installed))
    return next(filter(Path.is_dir, folders), None)


def _use_packaged() -> None:
    folder = _packaged()
    if folder is not None:
        zoneinfo.reset_tzpath([str(folder)])
        ZoneInfo.clear_cache()


_use_packaged()
