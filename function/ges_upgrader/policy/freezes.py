"""Freezes: times in which nothing starts (interface.md, Policy)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from ges_upgrader.domain.version import Version
from ges_upgrader.policy.decoding import Strict
from ges_upgrader.policy.fields import Moment, Versions
from ges_upgrader.schedule.calendars import Frozen
from ges_upgrader.schedule.windows import Window
from ges_upgrader.schedule.zones import zone


class Allowed(Strict, frozen=True):
    """What may start in a freeze all the same."""

    versions: Annotated[Versions, Meta(description="PEP 440 specifiers")]


class Freeze(Strict, frozen=True, rename={"begins": "from"}):
    """A time in which nothing starts, whatever the windows say; what `allow` names apart.

    It has a beginning and an end, where a date is its first instant in `timezone` (UTC), or it recurs as a window does.
    """

    begins: Annotated[Moment | None, Meta(description="a date, or a date and time")] = None
    until: Annotated[Moment | None, Meta(description="a date, which is its first instant, or a date and time")] = None
    timezone: Annotated[str | None, Meta(description="an IANA time zone, as Asia/Shanghai")] = None
    when: Annotated[
        Window | None, Meta(description="a window, as `Fri 00:00-24:00 Asia/Shanghai`, or {rrule, start, duration, timezone}")
    ] = None
    allow: Annotated[Allowed | None, Meta(description="what may start all the same, as {versions: '~=2.4.0'}")] = None
    reason: Annotated[str, Meta(description="a text")] = ""
    rules: Annotated[tuple[str, ...], Meta(min_length=1, description="a list of names of rules")] | None = None

    @property
    def period(self) -> tuple[datetime, datetime]:
        """From when until when, of a freeze that does not recur."""
        assert self.begins is not None and self.until is not None  # or the policy was refused
        where = zone(self.timezone or "UTC")
        return self.begins.at(where), self.until.at(where, last=True)

    @property
    def held(self) -> Frozen:
        """The time in which it holds."""
        return self.when or self.period

    def is_over(self, now: datetime) -> bool:
        """Whether it was there and does not come again; what recurs may always do so."""
        return self.when is None and self.period[1] <= now

    def holds(self, rule: str, version: Version | None = None) -> bool:
        """Whether it is for the rule, and the version is none of those that it allows."""
        allowed = self.allow is not None and version is not None and self.allow.versions.allow(version)
        return not allowed and (self.rules is None or rule in self.rules)
