"""Instants, and how results and messages write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # where it is decoded, it names its zone


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ceiled(moment: datetime) -> str:
    """The first whole second that is not before the instant: what is so from then on is so at what is written."""
    return iso(moment + timedelta(microseconds=-moment.microsecond % 1_000_000))
