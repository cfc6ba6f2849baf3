"""The same planner run forward, on a clock of its own and with a model of how long upgrades take. Pure.

What it cannot know it assumes to go well: every upgrade succeeds, every backup is made, nobody approves, pauses or
announces anything, and a run is there whenever something can start. What another hand has begun ends too, and leaves the
graph at the version that it shows; a state that only a person ends stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime, timedelta
from heapq import heappop, heappush

import msgspec

from ges_upgrader.domain.model import Action, Attempt, BackupAttempt, Decision, Graph, GraphKey, Reason, Status, Verdict
from ges_upgrader.domain.timestamps import ceiled
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import BackedUp, BackupEnded, Ended, Intended, Noticed, Told
from ges_upgrader.planning.matching import Governed, govern
from ges_upgrader.planning.planner import Survey, milestones
from ges_upgrader.policy.schema import Policy
from ges_upgrader.schedule.windows import Calendar

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


def forecast(policy: Policy, fleet: Iterable[Graph], history: History, now: datetime, days: int) -> list[Forecast]:
    """What would be started when within the days to come, in the order of time."""
    future = _Future(policy, govern(policy.rules, fleet), deepcopy(history), now)
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


class _Future:
    def __init__(self, policy: Policy, governed: list[Governed], history: History, now: datetime) -> None:
        self._policy, self._history, self._now = policy, history, now
        self._governed = governed
        self._places = {one.graph.key: place for place, one in enumerate(governed)}
        self._active = dict.fromkeys(self._places)
        self._calendars: dict[str, Calendar] = {}
        self._duration = _median(history.attempts.durations) or USUAL_DURATION
        self._ends: list[tuple[datetime, GraphKey]] = []
        under_way: list[Attempt | BackupAttempt] = [*history.attempts.open(), *history.backups.open()]
        for one in under_way:
            heappush(self._ends, (max(now, one.began_at + self._duration), one.key))
        ours = {one.key for one in under_way}
        for graph in (one.graph for one in governed):
            if graph.key not in ours and _passing(graph.status):
                heappush(self._ends, (now + self._duration, graph.key))

    def until(self, end: datetime) -> Iterable[Forecast]:
        while self._now < end:
            self._finish()
            survey = self._survey()
            started, following, again = self._step(survey)
            yield from started
            if again:
                continue
            moments = [moment for moment in (*following, *(at for at, _ in self._ends[:1])) if moment > self._now]
            if not moments:
                return
            self._now = min(moments)

    def _survey(self) -> Survey:
        while True:
            survey = Survey(self._policy, self._governed, self._history, self._now, calendars=self._calendars)
            passed = milestones(survey)
            if not passed:
                return survey
            for record in passed:
                self._history.apply(record)

    def _step(self, survey: Survey) -> tuple[list[Forecast], list[datetime], bool]:
        """What starts now, the instants at which more could, and whether there is more to do now."""
        started: list[Forecast] = []
        following: list[datetime] = []
        backed_up = False
        for key in list(self._active):
            one = self._governed[self._places[key]]
            if one.rule is not None and not one.rule.notice and survey.budget.full(one.rule):
                continue
            decision = survey.decide(one)
            if decision.reason in _FINAL:
                del self._active[key]
            elif decision.action is Action.UPGRADE:
                started.append(self._start(decision))
            elif decision.action is Action.BACKUP:
                self._history.apply(BackedUp(at=self._now, graph_id=key[1], project_id=key[0], made_at=self._now))
                backed_up = True
            elif decision.until is not None:
                following.append(decision.until)
            if one.rule is not None and one.rule.notice and decision.announce and decision.target:
                following.append(self._announce(one, decision.target))
        return started, following, bool(started) or backed_up

    def _start(self, decision: Decision) -> Forecast:
        assert decision.from_version and decision.target and decision.rule
        attempt = Attempt(
            id=f"{decision.graph_id}:{decision.target}",
            project=decision.project,
            graph_id=decision.graph_id,
            graph=decision.graph,
            rule=decision.rule,
            from_version=decision.from_version,
            to_version=decision.target,
            force=decision.force,
            began_at=self._now,
        )
        self._history.apply(Intended(at=self._now, attempt=attempt))
        heappush(self._ends, (self._now + self._duration, decision.key))
        return Forecast(self._now, decision.graph_id, decision.graph, decision.rule, decision.from_version, decision.target)

    def _announce(self, one: Governed, version: Version) -> datetime:
        """Tells the start beforehand, and says when the notice is over."""
        assert one.rule is not None
        notice_id = f"forecast:{one.graph.id}:{version}"
        notice = Noticed(
            at=self._now, notice_id=notice_id, text="", notice_kind="planned", version=version, graphs=(one.graph.id,)
        )
        self._history.apply(notice)
        self._history.apply(Told(at=self._now, event_id=notice_id, message_id=""))
        return self._now + one.rule.notice

    def _finish(self) -> None:
        while self._ends and self._ends[0][0] <= self._now:
            _, key = heappop(self._ends)
            attempt, backup = self._history.attempts.open_of(key), self._history.backups.open_of(key)
            if attempt is not None:
                self._history.apply(
                    Ended(at=self._now, attempt_id=attempt.id, verdict=Verdict.SUCCEEDED, job_ended_at=self._now)
                )
            elif backup is not None:
                self._history.apply(BackupEnded(at=self._now, backup_id=backup.id, made_at=self._now))
            if key in self._places:
                self._arrive(key, attempt)

    def _arrive(self, key: GraphKey, attempt: Attempt | None) -> None:
        """What the graph is like once what went on is over."""
        place = self._places[key]
        one = self._governed[place]
        version = attempt.to_version if attempt else one.graph.version
        status = Status("200") if attempt or _passing(one.graph.status) else one.graph.status
        graph = msgspec.structs.replace(one.graph, version=version, status=status)
        self._governed[place] = msgspec.structs.replace(one, graph=graph)


def _passing(status: Status) -> bool:
    """Whether the state ends by itself."""
    return status.in_flight or status.backing_up


def _median(durations: list[timedelta]) -> timedelta | None:
    return sorted(durations)[len(durations) // 2] if durations else None
