"""Wall-clock times to instants, in any IANA zone.

A time that a clock change skips becomes the first instant that exists after it; one that it repeats is its first
occurrence, or its last where that is asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DATE = r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


def instant(wall: datetime, where: ZoneInfo, last: bool = False) -> datetime:
    """The instant in UTC at which the clocks of the zone show `wall`, which is naive."""
    local = wall.replace(tzinfo=where, fold=int(last))
    found = local.astimezone(timezone.utc)
    if found.astimezone(where).replace(tzinfo=None, fold=0) == wall:
        return found
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """The instant at which the clocks jump over `local`."""
    before = local.replace(fold=1).astimezone(timezone.utc)
    after = local.replace(fold=0).astimezone(timezone.utc)
    new_offset = after.astimezone(local.tzinfo).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(local.tzinfo).utcoffset() == new_offset:
            after = middle
        else:
            before = middle
    return after
