"""A seeded scheduler: processes on one virtual clock that take turns at every point of I/O.

Each point takes a time that the seed gives, so the seed decides who comes first. The clock moves only when everybody waits.
A process can be killed at a point; it never sees it, as nothing catches `Killed`.
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
    """What ends a process that is killed."""


class Process:
    """One invocation. `clock` is what it takes for the time, wrong by `skew`; at `deadline` the platform kills it."""

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
        """A point of I/O that takes so long; others go on meanwhile. Raises Killed, also where the time limit comes first."""
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
    """`kill` is the chance, at each request and each sleep, that the process is killed."""

    def __init__(self, now: datetime, random: Random, kill: float = 0.0) -> None:
        self.random, self.kill = random, kill
        self.kills_made = 0
        self.main = greenlet.getcurrent()
        self.processes: set[Process] = set()  # that are under way
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
        """Puts something on the agenda; what is due at the same instant goes in the order in which it was put there."""
        heapq.heappush(self._agenda, (when, next(self._order), act))

    def spawn(self, name: str, work: Callable[[Process], Any], limit: timedelta, skew: timedelta = timedelta()) -> Process:
        """Begins a process now."""
        process = Process(self, name, work, self._now + limit, skew)
        self.processes.add(process)
        self.at(self._now, process._resume)
        return process

    def run(self, until: datetime) -> None:
        """Goes through the agenda up to an instant."""
        while self._agenda and self._agenda[0][0] <= until:
            self._now, _, act = heapq.heappop(self._agenda)
            act()
        self._now = max(self._now, until)


def current() -> Process:
    """The process that is under way."""
    running = greenlet.getcurrent()
    assert isinstance(running, _Greenlet), "not within a process"
    return running.process
