"""The stretches of time in which upgrades may start: what windows leave open and no freeze blocks. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from typing import Literal, Union

import msgspec

from ges_upgrader.schedule.windows import EVER, HORIZON, Window

Span = tuple[datetime, datetime]
Frozen = Union[Span, Window]  # a freeze: a period, or a window if it recurs
FOREVER = EVER[1]


class Opening(msgspec.Struct, frozen=True):
    """A start is allowed from `start` up to, and not at, `before`. `closes`: the window's end; None: it has none in sight."""

    start: datetime
    before: datetime
    closes: datetime | None


class Stretches:
    """Times in order that do not touch. What was looked at is kept, so that each is worked out once and only if needed."""

    def __init__(self, more: Iterator[Span]) -> None:
        self._more = more
        self._found: list[Span] = []
        self._ends: list[datetime] = []

    def since(self, after: datetime) -> Iterator[Span]:
        """Those that are not over at `after`."""
        while not self._ends or self._ends[-1] <= after:
            if not self._look_further():
                return
        index = bisect_right(self._ends, after)
        while index < len(self._found) or self._look_further():
            yield self._found[index]
            index += 1

    def _look_further(self) -> bool:
        following = next(self._more, None)
        if following is None:
            return False
        self._found.append(following)
        self._ends.append(following[1])
        return True


class Calendar:
    """When something may start: within the union of the windows, in no freeze, and `cutoff` before either's edge at the latest.

    No windows: always. Looks ahead from `now` for HORIZON. Windows that touch or overlap are one. `spread` is the time
    after an opening over which the starts are spread; where the window is shorter, over what there is.
    """

    def __init__(
        self,
        windows: Sequence[Window],
        cutoff: timedelta,
        freezes: Sequence[Frozen],
        now: datetime,
        spread: timedelta = timedelta(),
    ) -> None:
        self._cutoff, self._spread = cutoff, spread
        self._now, self._end = now, now + HORIZON
        self._frozen = Stretches(blocked_by(freezes, cutoff, now))
        opened = _union(windows, now - spread, self._end) if windows else iter((EVER,))
        self._open = Stretches(filter(self._lets_start, opened))

    def first(self, after: datetime, place: float = 0.0) -> Opening | None:
        """The first time, not before `after`, at which something of that place in the spread, 0 to 1, may start.

        None: none within HORIZON.
        """
        for opened, closed in self._open.since(after):
            if opened > self._end:
                return None
            last = self._last((opened, closed))
            found = self._thawed(max(after, self._turn(opened, last, place)), last)
            if found is not None:
                closes = None if self._is_endless((opened, closed)) else closed
                return Opening(found[0], found[1], closes) if found[0] <= self._end else None
        return None

    def frozen(self, at: datetime) -> Span | None:
        """The freeze, with the cutoff before it, that covers the instant. Without an end within HORIZON it ends FOREVER."""
        begin, end = next(self._frozen.since(at), (FOREVER, FOREVER))
        return (begin, end if end <= self._end else FOREVER) if begin <= at else None

    def frozen_until(self, at: datetime) -> datetime | None:
        """The end of the freeze that covers the instant."""
        found = self.frozen(at)
        return found and found[1]

    def thaws_and_frosts(self, after: datetime) -> Iterator[datetime]:
        """The instants after `after` at which freezes, each with its cutoff, begin and end to block."""
        return (edge for stretch in self._frozen.since(after) for edge in stretch if after < edge < FOREVER)

    def _is_endless(self, opened: Span) -> bool:
        """Whether a window is open as far as can be seen."""
        return opened[0] <= self._now and opened[1] >= self._end

    def _last(self, opened: Span) -> datetime:
        """From when on nothing starts in a window any more."""
        return opened[1] if self._is_endless(opened) else opened[1] - self._cutoff

    def _lets_start(self, opened: Span) -> bool:
        return self._thawed(opened[0], self._last(opened)) is not None

    def _turn(self, opened: datetime, last: datetime, place: float) -> datetime:
        """From when on something of that place may start in a window."""
        spread = self._spread if opened > EVER[0] else timedelta()
        return opened + place * min(spread, max(last - opened, timedelta())) if spread else opened

    def _thawed(self, start: datetime, last: datetime) -> Span | None:
        """The first part of [start, last) that no freeze blocks."""
        for begin, end in self._frozen.since(start):
            if begin > start:
                last = min(last, begin)
                break
            start = end
        return (start, last) if start < last else None


def blocked_by(freezes: Sequence[Frozen], cutoff: timedelta, now: datetime) -> Iterator[Span]:
    """The times in which freezes let nothing start, in order: each, and the cutoff before it. Those that touch are one.

    What recurs is looked at for HORIZON, and as much longer as its cutoff reaches back.
    """
    recurring = [freeze for freeze in freezes if isinstance(freeze, Window)]
    periods = sorted(freeze for freeze in freezes if not isinstance(freeze, Window))
    held = merge(periods, *(window.openings(now, now + HORIZON + cutoff) for window in recurring))
    return _joined(((max(begin, EVER[0] + cutoff) - cutoff, end) for begin, end in held), now)


def why_never(
    windows: Sequence[Window], cutoff: timedelta, freezes: Sequence[Frozen], now: datetime
) -> Literal["cutoff", "freezes", "windows"] | None:
    """What lets nothing start within HORIZON of `now`; None: something can."""
    if Calendar(windows, cutoff, freezes, now).first(now) is not None:
        return None
    if Calendar(windows, cutoff, (), now).first(now) is not None:
        return "freezes"
    return "cutoff" if Calendar(windows, timedelta(), (), now).first(now) is not None else "windows"


def _union(windows: Sequence[Window], now: datetime, end: datetime) -> Iterator[Span]:
    """The stretches in which at least one window is open, in order, to `end`."""
    return _joined(merge(*(window.openings(now, end) for window in windows)), now)


def _joined(spans: Iterable[Span], now: datetime) -> Iterator[Span]:
    """Spans in the order of their beginnings, those that touch as one, without those that were over before `now`."""
    current: Span | None = None
    for begin, end in spans:
        if end <= now:
            continue
        if current is None:
            current = (begin, end)
        elif begin <= current[1]:
            current = (current[0], max(current[1], end))
        else:
            yield current
            current = (begin, end)
    if current is not None:
        yield current
