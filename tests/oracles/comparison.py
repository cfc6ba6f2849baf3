"""`Calendar` beside the oracle, minute by minute around a change of the clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from ges_upgrader.schedule.calendars import Calendar, Opening
from ges_upgrader.schedule.windows import Window

from .transitions import Behaviour, Change
from .window_cases import Case
from .window_oracle import Span, Start, starts

_COMPARED = (28 * 60, 36 * 60)
_WALKED = (_COMPARED[0] + 27 * 60, _COMPARED[1] + 48 * 60)
COMPARED = sum(_COMPARED)
_AFRESH = 241
_QUIET = datetime(2028, 2, 29, 18, tzinfo=timezone.utc)


def compared(change: Change, some: Sequence[Case]) -> list[str]:
    """The disagreements, the first of each case; from 28 hours before the change to 36 hours after it, COMPARED minutes.

    One calendar is asked at every minute; now and then, and where starts begin or cease to be allowed, also one that begins
    at that minute.
    """
    begin, end = _WALKED[0] - _COMPARED[0], _WALKED[0] + _COMPARED[1]
    span = Span(change.at - timedelta(minutes=_WALKED[0]), sum(_WALKED))
    disagreements = []
    for case in some:
        expected = starts(span, case.windows, case.cutoff)
        windows, cutoff = [Window(window.written) for window in case.windows], timedelta(minutes=case.cutoff)
        known = span.minutes[-1] - cutoff
        calendar = Calendar(windows, cutoff, (), span.minutes[begin])
        allowed = [start is not None and start.start == minute for start, minute in zip(expected, span.minutes)]
        for index in range(begin, end):
            minute = span.minutes[index]
            afresh = index % _AFRESH == 0 or not allowed[index - 1] == allowed[index] == allowed[index + 1]
            calendars = [calendar, Calendar(windows, cutoff, (), minute)] if afresh else [calendar]
            for one in calendars:
                found, wanted = one.first(minute), expected[index]
                if not _agree(found, wanted, known):
                    disagreements.append(f"{case}: at {minute:%Y-%m-%d %H:%M} {found}, but {wanted}")
                    break
            else:
                continue
            break
    return disagreements


def _agree(found: Opening | None, wanted: Start | None, known: datetime) -> bool:
    """`known`: the last minute of which the oracle is sure."""
    if wanted is None or wanted.start > known:
        return found is None or found.start > known
    return found is not None and found.start == wanted.start and wanted.before in (None, found.before)


def looked_at(behaviour: Behaviour) -> Sequence[Change]:
    """The changes of its zones or, where the clocks never change, an arbitrary instant at which they do not."""
    return behaviour.changes or (Change(_QUIET, behaviour.offset, behaviour.offset),)
