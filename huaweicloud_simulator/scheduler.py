"""A seeded scheduler: processes on one virtual clock that take turns at every I/O.

The seed decides how long each I/O takes, and so which process is next. The clock moves only while all of them wait.
A process can be killed at an I/O. Nothing in it catches `Killed`.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import greenlet


class Killed(BaseException):
    """Ends a process that is killed."""


class Process:
    """One invocation. Its clock is wrong by `skew`. The platform kills it at `deadline`."""

    def __init__(
        self, scheduler: Scheduler, name: str, work: Callable[[Process], Any], deadline: datetime, skew: timedelta
    ) -> None:
        self.name, self.deadline, self.skew = name, deadline, skew
        self.began = scheduler.now()
        self.ended: datetime | None = None
        self.result: Any = None
        self.killed = False
        self._scheduler = scheduler
        self._work = work
        self._greenlet = _Greenlet(self._run)
        self._greenlet.process = self

    def now(self) -> datetime:
        return self._scheduler.now() + self.skew

    def sleep(self, seconds: float) -> None:
        self.point(seconds, self._scheduler.kills())

    def point(self, seconds: float, killed: bool = False) -> None:
        """An I/O of this length; other processes run meanwhile. Raises Killed if `killed`, or if the deadline is earlier."""
        end = self._scheduler.now() + timedelta(seconds=max(seconds, 0.0))
        killed = killed or end >= self.deadline
        self._scheduler.at(min(end, self.deadline), self._resume)
        self._scheduler.main.switch()
        if killed:
            self.killed = True
            raise Killed

    def _resume(self) -> None:
        self._greenlet.switch()

    def _run(self) -> None:
        with suppress(Killed):
            self.result = self._work(self)
        self.ended = self._scheduler.now()
        self._scheduler.processes.discard(self)


class _Greenlet(greenlet.greenlet):
    process: Process


class Scheduler:
    """`kill` is the probability, at each request and each sleep, that the process is killed."""

    def __init__(self, now: datetime, random: Random, kill: float = 0.0) -> None:
        self.random, self.kill = random, kill
        self.kills_made = 0
        self.main = greenlet.getcurrent()
        self.processes: set[Process] = set()  # in progress
        self._now = now
        self._order = itertools.count()
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("only processes sleep")

    def kills(self) -> bool:
        struck = self.kill > 0 and self.random.random() < self.kill
        self.kills_made += struck
        return struck

    def at(self, when: datetime, act: Callable[[], object]) -> None:
        """Adds an act to the agenda. Acts of the same instant run in the order in which they were added."""
        heapq.heappush(self._agenda, (when, next(self._order), act))

    def spawn(self, name: str, work: Callable[[Process], Any], limit: timedelta, skew: timedelta = timedelta()) -> Process:
        """Starts a process now."""
        process = Process(self, name, work, self._now + limit, skew)
        self.processes.add(process)
        self.at(self._now, process._resume)
        return process

    def run(self, until: datetime) -> None:
        """Runs the agenda up to an instant."""
        while self._agenda and self._agenda[0][0] <= until:
            self._now, _, act = heapq.heappop(self._agenda)
            act()
        self._now = max(self._now, until)


def current() -> Process:
    """The process in progress."""
    running = greenlet.getcurrent()
    assert isinstance(running, _Greenlet), "not within a process"
    return running.process
