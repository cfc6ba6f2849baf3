"""What became of the upgrades that were started: looked at until they are over, and recorded."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta

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
from ges_upgrader.running.report import RunReport, names


class Follower:
    """Settles the attempts that are open."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report
        self.jobs = Jobs(context, writer)
        self.ended: set[str] = set()  # attempts whose end the run knows
        self._sightings = Sightings(lambda: writer.history, writer.note)
        self._watched: set[str] = set()  # attempts that were seen on their way, so that their end is near when it is seen

    @property
    def _history(self) -> History:
        return self._writer.history

    def adopt(self, fleet: Fleet, began: datetime) -> None:
        """Takes up upgrades in progress from what GES shows, if no lasting journal knows of them.

        A graph that rolls back is left alone: its upgrade is over, or an operator rolls it back.
        """
        for one in govern(self._context.policy.rules, fleet.visible):
            open_already = self._history.attempts.open_of(one.graph.key) is not None
            if one.graph.status.upgrading and one.rule is not None and not open_already:
                self._adopt(one.graph, one.rule, began)

    def _adopt(self, graph: Graph, rule: Rule, began: datetime) -> None:
        try:
            jobs = self._context.ges.list_jobs(graph.project, graph.name, began - timedelta(days=1))
        except CloudError as error:
            self._report.complain(f"{error}; the upgrade of {graph.name} in progress could not be adopted")
            return
        job = next((job for job in jobs if not job.ended), None)
        if job is None or graph.version is None:
            return
        attempt = Attempt(
            id=os.urandom(16).hex(),
            project=graph.project,
            graph_id=graph.id,
            graph=graph.name,
            rule=rule.name,
            from_version=graph.version,
            to_version=self._likely_target(graph.version),
            force=False,
            began_at=job.began_at or began,
            job_id=job.id,
            adopted=True,
        )
        self._writer.note(Intended(at=attempt.began_at, attempt=attempt))
        self._context.log.info("upgrade.adopted", **names(attempt))

    def _likely_target(self, version: Version) -> Version:
        """The newest release that is known; the version itself if none is, or if only a part of them is known."""
        if not self._history.readable:
            return version
        known = {*self._history.releases.known, *(release.version for release in self._context.policy.releases)}
        return max({version, *known})

    def settle(self, fleet: Fleet) -> None:
        """Looks at everything open, but in projects that could not be seen, and writes down what is over.

        What was begun in a project that the policy no longer names is followed to its end too.
        """
        governed = govern(self._context.policy.rules, fleet.visible)
        governs = Counter(one.rule.name for one in governed if one.rule and not one.opted_out)
        most = {
            rule.name: rule.max_failures.of(governs[rule.name]) if fleet.complete or not rule.max_failures.relative else None
            for rule in self._context.policy.rules
        }
        for attempt in self._history.attempts.open():
            if attempt.project not in fleet.unseen:
                self._settle(attempt, fleet, most.get(attempt.rule, 1))

    def began(self, attempt: Attempt, job_id: str, inferred: bool) -> None:
        """Writes down the job of an attempt; and the attempt again, where another run took it for never begun."""
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
        """A graph that the list left out is asked for by itself before it is called gone."""
        graph, judgement = fleet.get(attempt.key), None
        try:
            graph = graph or self._context.ges.show_graph(attempt.project, attempt.graph_id)
        except CloudError as error:
            self._look_again(attempt, error)
            rule = self._rule(attempt, None)
        else:
            rule = self._rule(attempt, graph)
            attempt, judgement = self._judged(self._learned(attempt, graph), graph, rule)
        now, timeout = self._context.clock.now(), _timeout(rule)
        if judgement is not None:
            if judgement.job_ended_at is None and attempt.id in self._watched:
                judgement = msgspec.structs.replace(judgement, job_ended_at=now)
            self._end(attempt, judgement, most_failures)
        elif overdue(attempt, now, timeout):
            late = Judgement(Verdict.TIMED_OUT, f"in progress for longer than {spelled(timeout)}")
            self._end(attempt, late, most_failures)

    def _look_again(self, attempt: Attempt, error: CloudError) -> None:
        self._report.complain(f"{error}; the upgrade of {attempt.graph} is looked at again")

    def _learned(self, attempt: Attempt, graph: Graph | None) -> Attempt:
        """The attempt with what the graph shows of it: the target of one that was adopted, and that it is in progress.

        Whether it was ever seen in progress matters later only if its job is uncertain.
        """
        if graph is None:
            return attempt
        changed = attempt
        if attempt.adopted and graph.version and graph.version > attempt.from_version:
            changed = msgspec.structs.replace(changed, to_version=graph.version)
        if graph.status.in_flight:
            self._watched.add(attempt.id)
            self._sightings.contradict(attempt.id, self._context.clock.now())
            uncertain = attempt.inferred or attempt.job_id is None
            changed = msgspec.structs.replace(changed, seen_in_flight=attempt.seen_in_flight or uncertain)
        if changed == attempt:
            return attempt
        news = {"to_version": changed.to_version, "seen_in_flight": changed.seen_in_flight}

        def still_open(history: History) -> list[AnyRecord]:
            known = history.attempts.by_id.get(attempt.id)
            if known is None or not known.open:
                return []
            return [Intended(at=known.began_at, attempt=msgspec.structs.replace(known, **news))]

        self._writer.write(still_open)
        return self._history.attempts.by_id.get(attempt.id, changed)

    def _judged(self, attempt: Attempt, graph: Graph | None, rule: Rule | None) -> tuple[Attempt, Judgement | None]:
        """The attempt with its job, and the verdict if it can be believed by now."""
        judgement: Judgement | None
        try:
            if attempt.job_id is None:
                found = self._find_job(attempt, graph)
                if found is None:
                    return attempt, None
                attempt = found
            job = self.jobs.show(attempt, graph)
        except CloudError as error:
            self._look_again(attempt, error)
            if attempt.job_id is None and self._context.clock.now() < attempt.began_at + JOBS_BEGIN:
                return attempt, None
            judgement = judge_without_job(attempt, graph)
        else:
            judgement = judge(attempt, graph, job, self._context.clock.now())
            if judgement is None:
                self._sightings.contradict(attempt.id, self._context.clock.now())
        return attempt, judgement and self._believed(attempt, graph, rule, judgement)

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
        if judgement.verdict is Verdict.SUCCEEDED and rule and rule.health_check and graph is not None:
            return examined(self._context, self._sightings, attempt, graph, rule.health_check, judgement)
        return judgement

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
        verdict, ended_at = judgement.verdict, judgement.job_ended_at
        detail = judgement.detail and plain(judgement.detail, MOST_DETAIL)
        counts = verdict.ends and verdict is not Verdict.SUCCEEDED and attempt.target is not None
        now = self._context.clock.now()
        if ended_at is not None:  # by GES's clock
            ended_at = min(ended_at, now) if attempt.began_at < ended_at <= now + SLACK else None

        def still_open(history: History) -> list[AnyRecord]:
            known = history.attempts.by_id.get(attempt.id)
            if known is None or not known.open or (known.timed_out and not verdict.ends):
                return []
            failures = len(history.attempts.failures(known.rule, attempt.to_version)) + 1
            halts = counts and most_failures is not None and failures >= most_failures
            return [Ended(at=now, attempt_id=attempt.id, verdict=verdict, detail=detail, halts=halts, job_ended_at=ended_at)]

        if self._writer.write(still_open):
            self.ended |= {attempt.id} if verdict.ends else set()
            self._report.end(attempt, verdict, detail)

    def _rule(self, attempt: Attempt, graph: Graph | None) -> Rule | None:
        """The attempt's rule; if that was removed, the one that governs the graph now."""
        rules = self._context.policy.rules
        named = next((rule for rule in rules if rule.name == attempt.rule), None)
        return named or (govern(rules, [graph])[0].rule if graph else None)

    def _find_job(self, attempt: Attempt, graph: Graph | None) -> Attempt | None:
        """The attempt, with its job id if that can be found. None: not known yet, or closed as it left no trace in GES.

        While the run that intended it may still make its call, that there is no trace says nothing. Raises CloudError.
        """
        job_id = self.jobs.job_of(attempt)
        if job_id is not None:
            self.began(attempt, job_id, inferred=True)
            return self._history.attempts.by_id.get(attempt.id)
        if self._context.clock.now() < attempt.began_at + JOBS_BEGIN:
            return None
        if graph is None or graph.status.broken or graph.status.deleted or graph.version != attempt.from_version:
            return attempt
        now = self._context.clock.now()
        if graph.status.running and self._sightings.suffice(attempt.id, Verdict.VANISHED, now):
            self._never_began(attempt, "its call left no trace in GES")
        return None  # other work in progress on the graph says nothing about it


def _timeout(rule: Rule | None) -> timedelta:
    return rule.job_timeout if rule else DEFAULT_JOB_TIMEOUT
