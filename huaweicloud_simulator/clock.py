"""The time of a simulated cloud: the machine's, or one that moves only when a client sleeps."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualClock:
    """Stands still at `now` until something moves it: a month passes in a moment.

    `is_served`: other programs reach the cloud. They sign with the machine's time, so the cloud takes that, too.
    """

    def __init__(self, now: datetime) -> None:
        self._now, self.is_served = now, False
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def move_to(self, now: datetime) -> None:
        """Never back."""
        with self._lock:
            self._now = max(self._now, now)


def signing_times(clock: Clock) -> tuple[datetime, ...]:
    """What clients may take for the present when they sign."""
    if isinstance(clock, VirtualClock) and clock.is_served:
        return clock.now(), datetime.now(timezone.utc)
    return (clock.now(),)
