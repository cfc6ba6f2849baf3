"""The same planner run forward, on a clock of its own and with a model of how long upgrades take. Pure.

It assumes that every upgrade and backup succeeds, that nobody approves, pauses or announces anything, and that a run begins
whenever something can start. What another operator began ends too, and leaves the graph at the version that it shows. A
state that only a person ends stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

import msgspec

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Attempt, BackupAttempt, Decision, GraphKey, Reason, Start, Status, Verdict
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import BackedUp, BackupEnded, Ended, Intended, Noticed, Told
from ges_upgrader.planning.budget import Budget, Occupied
from ges_upgrader.planning.matching import Governed, govern
from ges_upgrader.planning.planner import decide, milestones
from ges_upgrader.planning.roster import Roster
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.schema import Policy
from ges_upgrader.schedule.calendars import Calendar

USUAL_DURATION = timedelta(minutes=15)
_FINAL = (
    Reason.UP_TO_DATE,
    Reason.NO_RELEASE,
    Reason.NO_RULE,
    Reason.OPTED_OUT,
    Reason.VERSION_NOT_ALLOWED,
    Reason.NOTIFY_ONLY,
)


class Forecast(msgspec.Struct, frozen=True):
    """An upgrade that would be started at `at`."""

    at: datetime
    graph_id: str
    graph: str
    rule: str
    from_version: Version
    to_version: Version


def forecast(policy: Policy, fleet: Fleet, history: History, now: datetime, days: int) -> list[Forecast]:
    """What would be started when within the days to come, in the order of time."""
    future = _Future(policy, Fleet.of(fleet.visible), deepcopy(history), now)
    return list(future.until(now + timedelta(days=days)))


def shown(one: Forecast) -> dict[str, str]:
    """As the result of the command `forecast` lists it."""
    return {
        "at": ceiled(one.at),
        "graph_id": one.graph_id,
        "graph": one.graph,
        "rule": one.rule,
        "from_version": one.from_version.text,
        "to_version": one.to_version.text,
    }


class _Round:
    """What happens at one instant: the upgrades that start, and the later instants at which more could."""

    def __init__(self) -> None:
        self.started: list[Forecast] = []
        self.following: list[datetime] = []
        self.backed_up = False

    @property
    def changed_something(self) -> bool:
        """Whether more may be to do at the same instant."""
        return self.backed_up or bool(self.started)


class _Future:
    def __init__(self, policy: Policy, fleet: Fleet, history: History, now: datetime) -> None:
        self._policy, self._fleet, self._history, self._now = policy, fleet, history, now
        self._governed = govern(policy.rules, fleet.visible)
        self._places = {one.graph.key: place for place, one in enumerate(self._governed)}
        self._active = dict.fromkeys(self._places)
        self._calendars: dict[tuple[str, timedelta, tuple[int, ...]], Calendar] = {}
        self._duration = _median(history.attempts.durations) or USUAL_DURATION
        self._ends = [*self._ends_of_ours(), *self._ends_of_others()]
        heapify(self._ends)

    def _ends_of_ours(self) -> Iterator[tuple[datetime, GraphKey]]:
        """When the upgrades and backups end that this tool began."""
        for one in (*self._history.attempts.open(), *self._history.backups.open()):
            yield max(self._now, one.began_at + self._duration), one.key

    def _ends_of_others(self) -> Iterator[tuple[datetime, GraphKey]]:
        """When the states end by themselves that graphs show and this tool did not cause."""
        for one in self._governed:
            if _passing(one.graph.status) and not self._history.in_progress(one.graph.key):
                yield self._now + self._duration, one.graph.key

    def until(self, end: datetime) -> Iterable[Forecast]:
        moment: datetime | None = self._now
        while moment is not None and moment < end:
            self._now = moment
            self._finish()
            round_ = self._round(self._survey())
            yield from round_.started
            moment = self._now if round_.changed_something else self._next_moment(round_.following)

    def _next_moment(self, following: Iterable[datetime]) -> datetime | None:
        """The next instant at which something ends or may start; None: never again."""
        moments = (*following, *(at for at, _ in self._ends[:1]))
        return min((moment for moment in moments if moment > self._now), default=None)

    def _survey(self) -> Survey:
        while True:
            roster = Roster(self._policy, self._fleet, self._governed)
            roster.calendars = self._calendars
            survey = Survey(roster, self._history, self._now)
            passed = milestones(survey)
            if not passed:
                return survey
            for record in passed:
                self._history.apply(record)

    def _round(self, survey: Survey) -> _Round:
        round_ = _Round()
        budget = Budget(survey, Occupied.under(survey))
        for key in list(self._active):
            one = self._governed[self._places[key]]
            if _cannot_start(one, budget):
                continue
            decision, start = decide(survey, one, budget)
            if start is None:
                round_.following += self._wait(one, decision)
            elif start.action is Action.BACKUP:
                self._back_up(start)
                round_.backed_up = True
            else:
                round_.started.append(self._start(start))
        return round_

    def _wait(self, one: Governed, decision: Decision) -> Iterator[datetime]:
        """The instants at which a graph that does not start now may do so; none: it need not be asked again."""
        if decision.reason in _FINAL:
            del self._active[one.graph.key]
        elif decision.until is not None:
            yield decision.until
        yield from self._announced(one, decision)

    def _announced(self, one: Governed, decision: Decision) -> Iterator[datetime]:
        """Announces the start if the decision asks for it; the instant at which the notice is over."""
        if one.rule and one.rule.notice and decision.announce and decision.target:
            self._announce(one, decision.target, decision.announce)
            yield self._now + one.rule.notice

    def _back_up(self, start: Start) -> None:
        made = BackedUp(at=self._now, graph_id=start.graph_id, project_id=start.project.project_id, made_at=self._now)
        self._history.apply(made)

    def _start(self, start: Start) -> Forecast:
        attempt = start.attempt(f"{start.graph_id}:{start.to_version}", self._now)
        self._history.apply(Intended(at=self._now, attempt=attempt))
        heappush(self._ends, (self._now + self._duration, start.key))
        return Forecast(self._now, start.graph_id, start.graph, start.rule, start.from_version, start.to_version)

    def _announce(self, one: Governed, version: Version, start: datetime) -> None:
        notice_id = f"forecast:{one.graph.id}:{version}:{start.isoformat()}"
        notice = Noticed(
            at=self._now,
            notice_id=notice_id,
            text="",
            notice_kind="planned",
            version=version,
            graphs=(one.graph.id,),
            starts=(start,),
        )
        self._history.apply(notice)
        self._history.apply(Told(at=self._now, event_id=notice_id, message_id=""))

    def _finish(self) -> None:
        while self._ends and self._ends[0][0] <= self._now:
            _, key = heappop(self._ends)
            attempt = self._history.attempts.open_of(key)
            self._end(attempt, self._history.backups.open_of(key))
            if key in self._places:
                self._arrive(key, attempt)

    def _end(self, attempt: Attempt | None, backup: BackupAttempt | None) -> None:
        """Records that the upgrade has ended, or else the backup; neither, if another operator began what ends."""
        now = self._now
        if attempt is not None:
            self._history.apply(Ended(at=now, attempt_id=attempt.id, verdict=Verdict.SUCCEEDED, job_ended_at=now))
        elif backup is not None:
            self._history.apply(BackupEnded(at=now, backup_id=backup.id, made_at=now))

    def _arrive(self, key: GraphKey, attempt: Attempt | None) -> None:
        """What the graph is like once what went on is over."""
        place = self._places[key]
        one = self._governed[place]
        version = attempt.to_version if attempt else one.graph.version
        status = Status("200") if attempt or _passing(one.graph.status) else one.graph.status
        graph = msgspec.structs.replace(one.graph, version=version, status=status)
        self._governed[place] = msgspec.structs.replace(one, graph=graph)


def _cannot_start(one: Governed, budget: Budget) -> bool:
    """Whether no place is free for the graph, and no notice of it is due either."""
    return one.rule is not None and not one.rule.notice and budget.full(one.rule)


def _passing(status: Status) -> bool:
    """Whether the state ends by itself."""
    return status.in_flight or status.backing_up


def _median(durations: list[timedelta]) -> timedelta | None:
    return sorted(durations)[len(durations) // 2] if durations else None
