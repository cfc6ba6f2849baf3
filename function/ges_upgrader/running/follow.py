"""What became of the upgrades that were started: looked at until they are over, and recorded."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Attempt, Graph, Verdict
from ges_upgrader.domain.plain_text import MOST_DETAIL, plain
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Ended, Intended, Refused, Started
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.matching import govern
from ges_upgrader.planning.verdicts import (
    DEFAULT_JOB_TIMEOUT,
    JOBS_BEGIN,
    SLACK,
    Judgement,
    Sightings,
    judge,
    judge_without_job,
    of_other_operator,
    overdue,
)
from ges_upgrader.policy.schema import Rule
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.following.health import examined
from ges_upgrader.running.following.jobs import Jobs
from ges_upgrader.running.results.report import RunReport, names


class Follower:
    """Settles the attempts that are open."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report
        self.jobs = Jobs(context, writer)
        self.ended: set[str] = set()  # attempts whose end the run knows
        self._sightings = Sightings(lambda: writer.history, writer.note)
        self._watched: set[str] = set()  # attempts that were seen in progress, so that their end is near when it is seen

    @property
    def _history(self) -> History:
        return self._writer.history

    def settle(self, fleet: Fleet) -> None:
        """Looks at everything open, but in projects that could not be seen, and records what is over.

        Upgrades in a project that the policy no longer names are followed to their end too.
        """
        most_failures = self._most_failures(fleet)
        for attempt in self._history.attempts.open():
            if attempt.project not in fleet.unseen:
                self._settle(attempt, fleet, most_failures.get(attempt.rule, 1))

    def _most_failures(self, fleet: Fleet) -> dict[str, int | None]:
        """With how many failures each rule halts; None: unknown, as they are a part of a fleet that is not complete."""
        rules = self._context.policy.rules
        governs = Counter(one.rule.name for one in govern(rules, fleet.visible) if one.rule and not one.opted_out)

        def most_of(rule: Rule) -> int | None:
            known = fleet.complete or not rule.max_failures.relative
            return rule.max_failures.of(governs[rule.name]) if known else None

        return {rule.name: most_of(rule) for rule in rules}

    def began(self, attempt: Attempt, job_id: str, inferred: bool) -> None:
        """Records the job of an attempt; and the attempt again, if another run took it for never begun."""
        began = Started(at=self._context.clock.now(), attempt_id=attempt.id, job_id=job_id, inferred=inferred)
        intended = Intended(at=attempt.began_at, attempt=attempt)
        self._writer.write(lambda history: [began] if attempt.id in history.attempts.by_id else [intended, began])

    def refused(self, attempt: Attempt, code: str, detail: str, unknown_target: bool = False) -> None:
        """Records that no call of the attempt acted, unless another run has seen what became of it."""
        now = self._context.clock.now()
        refused = Refused(at=now, attempt_id=attempt.id, code=code, detail=detail, unknown_target=unknown_target)

        def as_known(history: History) -> list[AnyRecord]:
            there = history.attempts.open_of(attempt.key)
            same = there and (there.id, there.job_id, there.seen_in_flight) == (attempt.id, attempt.job_id, False)
            return [refused] if same else []

        self._writer.write(as_known)
        self._context.log.warning("upgrade.refused", code=code, detail=detail, **names(attempt))

    def _settle(self, attempt: Attempt, fleet: Fleet, most_failures: int | None) -> None:
        """A graph that the list left out is asked for by itself before it counts as deleted."""
        try:
            graph = fleet.get(attempt.key) or self._context.ges.show_graph(attempt.project, attempt.graph_id)
        except CloudError as error:
            self._look_again(attempt, error)
            rule, judgement = self._rule(attempt, None), None
        else:
            rule = self._rule(attempt, graph)
            attempt, judgement = self._judged(self._learned(attempt, graph), graph)
            judgement = judgement and self._believed(attempt, graph, rule, judgement)
        now = self._context.clock.now()
        end = self._timed(attempt, judgement, now) or _late(attempt, rule, now)
        if end is not None:
            self._end(attempt, end, most_failures)

    def _timed(self, attempt: Attempt, judgement: Judgement | None, now: datetime) -> Judgement | None:
        """The judgement with the time of the end: now, if this run watched the upgrade and GES does not say."""
        if judgement is None or judgement.job_ended_at is not None or attempt.id not in self._watched:
            return judgement
        return msgspec.structs.replace(judgement, job_ended_at=now)

    def _look_again(self, attempt: Attempt, error: CloudError) -> None:
        self._report.complain(f"{error}; the upgrade of {attempt.graph} is looked at again")

    def _learned(self, attempt: Attempt, graph: Graph | None) -> Attempt:
        """The attempt with what the graph shows of it: the target of one that was adopted, and that it is in progress."""
        if graph is None:
            return attempt
        if graph.status.in_flight:
            self._watched.add(attempt.id)
            self._sightings.contradict(attempt.id, self._context.clock.now())
        news = {"to_version": _target_shown(attempt, graph), "seen_in_flight": _seen_in_flight(attempt, graph)}
        changed = msgspec.structs.replace(attempt, **news)
        if changed == attempt:
            return attempt

        def still_open(history: History) -> list[AnyRecord]:
            known = history.attempts.by_id.get(attempt.id)
            if known is None or not known.open:
                return []
            return [Intended(at=known.began_at, attempt=msgspec.structs.replace(known, **news))]

        self._writer.write(still_open)
        return self._history.attempts.by_id.get(attempt.id, changed)

    def _judged(self, attempt: Attempt, graph: Graph | None) -> tuple[Attempt, Judgement | None]:
        """The attempt with its job, and the verdict, if there is one."""
        try:
            found = self._with_job(attempt, graph)
        except CloudError as error:
            return attempt, self._judged_without_job(attempt, graph, error)
        return (attempt, None) if found is None else (found, self._judged_by_job(found, graph))

    def _judged_by_job(self, attempt: Attempt, graph: Graph | None) -> Judgement | None:
        try:
            job = self.jobs.show(attempt, graph)
        except CloudError as error:
            return self._judged_without_job(attempt, graph, error)
        judgement = judge(attempt, graph, job, self._context.clock.now())
        if judgement is None:
            self._sightings.contradict(attempt.id, self._context.clock.now())
        return judgement

    def _judged_without_job(self, attempt: Attempt, graph: Graph | None, error: CloudError) -> Judgement | None:
        self._look_again(attempt, error)
        if attempt.job_id is None and self._context.clock.now() < attempt.began_at + JOBS_BEGIN:
            return None
        return judge_without_job(attempt, graph)

    def _believed(self, attempt: Attempt, graph: Graph | None, rule: Rule | None, judgement: Judgement) -> Judgement | None:
        """The judgement, examined; None: it is not believed yet, or the attempt was closed as one that never began."""
        now = self._context.clock.now()
        if of_other_operator(attempt, graph, judgement):
            may_arrive = now < attempt.began_at + JOBS_BEGIN
            if not may_arrive and self._sightings.suffice(attempt.id, Verdict.VANISHED, now):
                self._never_began(attempt, "the job that was taken for it is not its own, and it left no trace in GES")
            return None
        if not judgement.sure and not self._sightings.suffice(attempt.id, judgement.verdict, now):
            return None
        return self._examined(attempt, graph, rule, judgement)

    def _examined(self, attempt: Attempt, graph: Graph | None, rule: Rule | None, judgement: Judgement) -> Judgement | None:
        """Success, if the graph passes the rule's health check; every other judgement as it is."""
        if graph is None or judgement.verdict is not Verdict.SUCCEEDED or rule is None or not rule.health_check:
            return judgement
        return examined(self._context, self._sightings, attempt, graph, rule.health_check, judgement)

    def _never_began(self, attempt: Attempt, detail: str) -> None:
        self.refused(attempt, "never-began", detail)
        self._report.complain(
            f"whether GES began the upgrade of {attempt.graph} to {attempt.to_version} at {iso(attempt.began_at)} was unknown, "
            f"as the answer was lost or the run ended: {detail}; it counts as never begun, and is tried again"
        )

    def _end(self, attempt: Attempt, judgement: Judgement, most_failures: int | None) -> None:
        """Records how an attempt ended. With as many failures as the rule allows, the rule halts at the version.

        None: how many those are is unknown, as the fleet is not complete.
        """
        verdict, now = judgement.verdict, self._context.clock.now()
        detail = judgement.detail and plain(judgement.detail, MOST_DETAIL)
        ended_at = _by_our_clock(attempt, judgement.job_ended_at, now)

        def still_open(history: History) -> list[AnyRecord]:
            known = history.attempts.by_id.get(attempt.id)
            if known is None or not known.open or (known.timed_out and not verdict.ends):
                return []
            failures = len(history.attempts.failures(known.rule, attempt.to_version)) + 1
            halts = _counts(attempt, verdict) and most_failures is not None and failures >= most_failures
            return [
                Ended(
                    at=now,
                    attempt_id=attempt.id,
                    verdict=verdict,
                    detail=detail,
                    halts=halts,
                    job_ended_at=ended_at,
                    after=judgement.after,
                )
            ]

        if self._writer.write(still_open):
            self.ended |= {attempt.id} if verdict.ends else set()
            self._report.end(attempt, verdict, detail)

    def _rule(self, attempt: Attempt, graph: Graph | None) -> Rule | None:
        """The attempt's rule; if that was removed, the one that governs the graph now."""
        policy = self._context.policy
        named = policy.rules_by_name.get(attempt.rule)
        return named or (govern(policy.rules, [graph])[0].rule if graph else None)

    def _with_job(self, attempt: Attempt, graph: Graph | None) -> Attempt | None:
        """The attempt, with its job id if that can be found. None: not known yet, or closed as it left no trace in GES.

        While the run that intended it may still make its call, that there is no trace says nothing. Raises CloudError.
        """
        if attempt.job_id is not None:
            return attempt
        job_id = self.jobs.job_of(attempt)
        if job_id is None:
            return self._without_trace(attempt, graph)
        self.began(attempt, job_id, inferred=True)
        return self._history.attempts.by_id.get(attempt.id)

    def _without_trace(self, attempt: Attempt, graph: Graph | None) -> Attempt | None:
        """The attempt, if the graph alone shows its end. None: not known yet, or closed as one that never began."""
        now = self._context.clock.now()
        if now < attempt.began_at + JOBS_BEGIN:
            return None
        if graph is None or _changed(attempt, graph):
            return attempt
        if graph.status.running and self._sightings.suffice(attempt.id, Verdict.VANISHED, now):
            self._never_began(attempt, "its call left no trace in GES")
        return None  # other work in progress on the graph says nothing about it


def _target_shown(attempt: Attempt, graph: Graph) -> Version:
    """The target; that of an adopted upgrade shows only once the graph has reached it."""
    reached = graph.version is not None and graph.version > attempt.from_version
    return graph.version if attempt.adopted and reached and graph.version else attempt.to_version


def _seen_in_flight(attempt: Attempt, graph: Graph) -> bool:
    """Whether the upgrade was ever seen in progress, which matters later only if its job is uncertain."""
    uncertain = attempt.inferred or attempt.job_id is None
    return attempt.seen_in_flight or (graph.status.in_flight and uncertain)


def _changed(attempt: Attempt, graph: Graph) -> bool:
    """Whether the graph is no longer as it was when the upgrade was to begin."""
    return graph.status.broken or graph.status.deleted or graph.version != attempt.from_version


def _late(attempt: Attempt, rule: Rule | None, now: datetime) -> Judgement | None:
    timeout = rule.job_timeout if rule else DEFAULT_JOB_TIMEOUT
    if not overdue(attempt, now, timeout):
        return None
    return Judgement(Verdict.TIMED_OUT, f"in progress for longer than {spelled(timeout)}")


def _counts(attempt: Attempt, verdict: Verdict) -> bool:
    """Whether the verdict is a failure that counts for the rule."""
    return verdict.ends and verdict is not Verdict.SUCCEEDED and attempt.target is not None


def _by_our_clock(attempt: Attempt, ended_at: datetime | None, now: datetime) -> datetime | None:
    """When the job ended, which GES says by its own clock; None if that cannot be so."""
    if ended_at is None or not attempt.began_at < ended_at <= now + SLACK:
        return None
    return min(ended_at, now)
