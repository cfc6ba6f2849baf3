"""Instants, and how results and messages write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # a decoded instant names its zone

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)
FAR = datetime.max.replace(tzinfo=timezone.utc)


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ceiled(moment: datetime) -> str:
    """The first whole second that is not before the instant: what holds from then on holds at what is written."""
    return iso(moment + timedelta(microseconds=-moment.microsecond % 1_000_000))
