"""What an operator meant by a time zone that is none of IANA's. Imported only when one is refused. Pure."""

from __future__ import annotations

import re
import zoneinfo
from difflib import get_close_matches
from functools import lru_cache

_LONGEST_NAME = 60

# What operators write, by the lower-case name, and the zones that they may mean.
_SHANGHAI, _BERLIN, _KOLKATA, _NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "America/New_York"
_MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("beijing", "peking", "shenzhen", "guangzhou", "hangzhou", "nanjing", "chengdu", "wuhan"), (_SHANGHAI,)),
    **dict.fromkeys(("china", "china standard time", "beijing time", "北京时间", "中国标准时间"), (_SHANGHAI,)),
    **dict.fromkeys(("munich", "frankfurt", "hamburg", "cologne", "w. europe standard time"), (_BERLIN,)),
    **dict.fromkeys(("mumbai", "delhi", "new_delhi", "bangalore", "india standard time"), (_KOLKATA,)),
    **dict.fromkeys(("boston", "washington", "miami", "atlanta", "eastern standard time", "edt", "et"), (_NEW_YORK,)),
    **dict.fromkeys(("san_francisco", "seattle", "pacific standard time", "pst", "pdt", "pt"), ("America/Los_Angeles",)),
    **dict.fromkeys(("central standard time", "cdt", "dallas", "houston"), ("America/Chicago",)),
    **dict.fromkeys(("mountain standard time", "mdt"), ("America/Denver",)),
    **dict.fromkeys(("romance standard time",), ("Europe/Paris",)),
    **dict.fromkeys(("gmt standard time", "bst"), ("Europe/London",)),
    **dict.fromkeys(("singapore standard time", "sgt"), ("Asia/Singapore",)),
    **dict.fromkeys(("tokyo standard time", "jst", "osaka"), ("Asia/Tokyo",)),
    **dict.fromkeys(("korea standard time", "kst"), ("Asia/Seoul",)),
    **dict.fromkeys(("hkt", "hongkong standard time"), ("Asia/Hong_Kong",)),
    **dict.fromkeys(("russian standard time", "msk"), ("Europe/Moscow",)),
    **dict.fromkeys(("turkey standard time", "ankara"), ("Europe/Istanbul",)),
    **dict.fromkeys(("arab standard time", "jeddah"), ("Asia/Riyadh",)),
    **dict.fromkeys(("arabian standard time", "abu_dhabi"), ("Asia/Dubai",)),
    **dict.fromkeys(("se asia standard time", "hanoi"), ("Asia/Bangkok",)),
    **dict.fromkeys(("south africa standard time", "cape_town"), ("Africa/Johannesburg",)),
    **dict.fromkeys(("e. south america standard time", "rio_de_janeiro", "brt"), ("America/Sao_Paulo",)),
    **dict.fromkeys(("central europe standard time", "cest"), (_BERLIN, "Europe/Paris")),
    **dict.fromkeys(("aest", "aedt", "aus eastern standard time", "canberra"), ("Australia/Sydney",)),
    **dict.fromkeys(("utc standard time", "z", "coordinated universal time"), ("UTC",)),
    "cst": (_SHANGHAI, "America/Chicago"),
    "ist": (_KOLKATA, "Europe/Dublin", "Asia/Jerusalem"),
}
# Places whose clocks show the offset, in minutes, for the most part all year.
_PLACES = {
    -480: ("America/Los_Angeles",),
    -300: (_NEW_YORK,),
    -180: ("America/Sao_Paulo",),
    0: ("UTC",),
    60: (_BERLIN, "Africa/Lagos"),
    120: ("Africa/Johannesburg", "Africa/Cairo"),
    180: ("Asia/Riyadh", "Europe/Istanbul"),
    240: ("Asia/Dubai",),
    330: (_KOLKATA,),
    420: ("Asia/Bangkok", "Asia/Jakarta"),
    480: (_SHANGHAI, "Asia/Singapore"),
    540: ("Asia/Tokyo",),
}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?", re.IGNORECASE)


@lru_cache(maxsize=256)
def meant(name: str) -> str:
    """What to write instead; empty: unknown."""
    written = " ".join(name.split())
    if len(written) > _LONGEST_NAME:
        return ""
    if offset := _OFFSET.fullmatch(written):
        places = such_as(offset["sign"], offset["hours"], offset["minutes"])
        return f"an offset does not follow summer time: write the zone of a place{places}"
    key = written.lower()
    city = key.rpartition("/")[2].replace(" ", "_")
    found = _MEANT.get(key) or _MEANT.get(city)
    if found:
        several = "it stands for several: " if len(found) > 1 else ""
        return f"{several}write {' or '.join(found)}"
    near = _near(written.replace(" ", "_"), city)
    return f"did you mean {near}?" if near else ""


def such_as(sign: str, hours: str, minutes: str | None = None) -> str:
    """Places whose clocks show the offset."""
    offset = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    return f", such as {' or '.join(_PLACES.get(offset, (_SHANGHAI,)))}"


def _near(name: str, city: str) -> str | None:
    names = sorted(zoneinfo.available_timezones() - {"Factory"}, key=lambda one: (len(one), one))
    same = [one for one in names if one.lower() == name.lower()] or [
        one for one in names if one.lower().rpartition("/")[2] == city
    ]
    return next(iter(same or get_close_matches(name, names, 1, 0.75)), None)
