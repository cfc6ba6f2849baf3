"""One run, in reading order: learn, observe, settle, tell, plan, act, and again while something is on its way.

The only place that loops or waits. What it does depends on what it sees, not on the event that woke it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from .account import Account, names
from .cloud.errors import CloudError
from .events import Command
from .history import (
    AnyRecord,
    History,
    Intended,
    Noticed,
    Refused,
    Released,
    Started,
    Withdrawn,
)
from .journal import JournalError
from .model import Action, Attempt, Decision, Graph, Job, Project, Verdict
from .outbox import tell
from .planner import govern, plan
from .policy import Duration
from .settle import LOOKS, Judgement, judge, overdue
from .shell import Shell

# Seconds between looks: soon at first, every 30 s in the long run (ges.md 8).
TICKS = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
CALLS_OF_AN_UPGRADE = 3


def run(command: Command, shell: Shell) -> dict[str, Any]:
    """Carries the command out; the handler's result (interface.md, Result)."""
    return _Run(command, shell).carry_out()


class _Run:
    def __init__(self, command: Command, shell: Shell) -> None:
        self.command = command
        self.shell = shell
        self.policy = shell.policy
        self.journal = shell.journal
        self.log = shell.log
        self.account = Account(command, shell)
        self.began = shell.clock.now()
        self.reserve = min(max(shell.remaining() / 10, timedelta(seconds=1)), timedelta(seconds=15))
        self.fleet: dict[str, Graph] = {}
        self.unseen: set[Project] = set()
        self.plan: tuple[Decision, ...] = ()
        self.looks: dict[str, tuple[Verdict, int]] = {}

    def carry_out(self) -> dict[str, Any]:
        self.log.info("run.began", command=self.command.word.value, dry_run=self.command.changes_nothing)
        self.recall()
        self.learn()
        self.observe()
        if self.command.changes_nothing:
            self.assume()
            self.decide()
            tell(self.shell, self.account, only={notice.id for notice in self.command.notices})
        else:
            self.adopt()
            self.pursue()
        return self.account.result(pending=self.in_flight())

    def recall(self) -> None:
        try:
            self.journal.refresh()
        except JournalError as error:
            self.account.lose_journal(error)

    def learn(self) -> None:
        """Writes down what the event announced. Of a dry run only the notices are remembered, so that they are told once."""
        now = self.shell.clock.now()
        for notice in self.command.notices:
            self.account.errors.append(notice.text)

        def news(history: History) -> list[AnyRecord]:
            records: list[AnyRecord] = [
                Noticed(at=now, notice_id=notice.id, text=notice.text)
                for notice in self.command.notices
                if not history.knows(notice.id)
            ]
            if not self.command.changes_nothing:
                for release in self.command.releases:
                    if release.version not in history.releases:
                        records.append(Released(at=now, release=release))
                for version in self.command.withdrawn:
                    if version not in history.withdrawn:
                        records.append(Withdrawn(at=now, version=version))
            return records

        for record in self.account.write(news):
            if isinstance(record, Released):
                self.log.info("release.learned", version=record.release.version.text)

    def observe(self) -> None:
        """All graphs of all projects. A project that cannot be listed is left alone, and told of."""
        for project in self.shell.projects:
            try:
                graphs, remarks = self.shell.ges.list_graphs(project)
            except CloudError as error:
                self.unseen.add(project)
                self.account.complain(f"{error}; nothing was started in project {project.project_id}")
                continue
            self.unseen.discard(project)
            for remark in remarks:
                self.account.complain(remark)
            self.fleet = {key: graph for key, graph in self.fleet.items() if graph.project != project}
            self.fleet.update({graph.id: graph for graph in graphs})
        self.log.info("fleet.observed", graphs=len(self.fleet), projects_unseen=len(self.unseen))

    def adopt(self) -> None:
        """Without a lasting journal, upgrades on their way are taken up from what GES shows."""
        if self.journal.lasting:
            return
        for graph in self.fleet.values():
            rule = govern(self.policy, graph)
            if not graph.status.in_flight or rule is None or self.journal.history.open_attempt(graph.id) or not graph.version:
                continue
            newest = max((version for version in self.known_versions() if version > graph.version), default=graph.version)
            try:
                jobs = self.shell.ges.list_jobs(graph.project, graph.name, self.began - timedelta(days=1))
            except CloudError as error:
                self.account.complain(f"{error}; the upgrade of {graph.name} on its way could not be taken up")
                continue
            job = next((job for job in jobs if not job.ended), None)
            if job is None:
                continue
            attempt = Attempt(
                id=os.urandom(16).hex(),
                project=graph.project,
                graph_id=graph.id,
                graph=graph.name,
                rule=rule.name,
                from_version=graph.version,
                to_version=newest,
                force=False,
                began_at=job.began_at or self.began,
                job_id=job.id,
                adopted=True,
            )
            self.account.note(Intended(at=attempt.began_at, attempt=attempt))
            self.log.info("upgrade.adopted", **names(attempt))

    def known_versions(self) -> list[Any]:
        return [*self.journal.history.releases, *(release.version for release in self.policy.releases)]

    def pursue(self) -> None:
        """Settle, tell, plan, act; again as long as something is on its way and there is time to follow it."""
        tick = 0
        while True:
            self.settle()
            tell(self.shell, self.account)
            self.decide()
            while self.act():
                tick = 0
                self.decide()
            if not self.in_flight():
                return
            pause = TICKS[min(tick, len(TICKS) - 1)]
            tick += 1
            if self.left() <= timedelta(seconds=pause):
                return
            self.shell.clock.sleep(pause)
            self.recall()
            self.observe()

    def settle(self) -> None:
        """Looks at every open attempt whose project was seen, and writes down those that are over."""
        now = self.shell.clock.now()
        for attempt in self.journal.history.open_attempts():
            if attempt.project in self.unseen or attempt.project not in self.shell.projects:
                continue
            graph = self.fleet.get(attempt.graph_id)
            if attempt.job_id is None:
                found = self.find_job(attempt, graph)
                if found is None:
                    continue
                attempt = found
            if attempt.adopted and graph and graph.version and graph.version > attempt.from_version:
                attempt = msgspec.structs.replace(attempt, to_version=graph.version)
                self.account.note(Intended(at=attempt.began_at, attempt=attempt))
            judgement = self.judgement(attempt, graph)
            if judgement is not None and self.believed(attempt, judgement):
                self.account.end(attempt, judgement.verdict, judgement.detail)
            elif overdue(attempt, now, self.job_timeout(attempt)):
                self.account.end(attempt, Verdict.TIMED_OUT, f"longer on its way than {self.job_timeout(attempt)}")

    def judgement(self, attempt: Attempt, graph: Graph | None) -> Judgement | None:
        """What became of the attempt. A graph that the list left out is asked for by itself before it is called gone."""
        if graph is not None and graph.status.in_flight:
            return None
        job: Job | None = None
        try:
            if graph is None:
                graph = self.shell.ges.show_graph(attempt.project, attempt.graph_id)
            if attempt.job_id is not None and graph is not None:
                job = self.shell.ges.show_job(attempt.project, attempt.graph_id, attempt.job_id)
        except CloudError as error:
            self.account.complain(f"{error}; the upgrade of {attempt.graph} is looked at again")
            return None
        self.log.info("job.seen", status=job.status if job else "unknown", **names(attempt))
        return judge(attempt, graph, job)

    def believed(self, attempt: Attempt, judgement: Judgement) -> bool:
        verdict, times = self.looks.get(attempt.id, (judgement.verdict, 0))
        times = times + 1 if verdict is judgement.verdict else 1
        self.looks[attempt.id] = (judgement.verdict, times)
        return judgement.sure or times >= LOOKS

    def job_timeout(self, attempt: Attempt) -> timedelta:
        return next((rule.job_timeout for rule in self.policy.rules if rule.name == attempt.rule), Duration(hours=2))

    def decide(self) -> None:
        self.plan = plan(self.policy, self.seen(), self.journal.history, self.shell.clock.now())
        self.account.decide(self.plan)

    def seen(self) -> Sequence[Graph]:
        return [graph for graph in self.fleet.values() if graph.project not in self.unseen]

    def assume(self) -> None:
        """Adds what the event announces to this run's history, and writes nothing down."""
        now = self.shell.clock.now()
        for release in self.command.releases:
            self.journal.history.apply(Released(at=now, release=release))
        for version in self.command.withdrawn:
            self.journal.history.apply(Withdrawn(at=now, version=version))

    def act(self) -> bool:
        """Starts what is due, each looked at again at the last instant: is it still allowed to start? Whether any was tried."""
        tried = False
        for decision in self.plan:
            if decision.action is not Action.UPGRADE:
                continue
            now = self.shell.clock.now()
            if decision.start_before is not None and now >= decision.start_before:
                continue
            if self.left() <= self.reserve:
                self.log.info("upgrade.postponed", graph=decision.graph, why="the run's time nears its end")
                continue
            tried = self.start(decision) or tried
        return tried

    def start(self, decision: Decision) -> bool:
        """Intent, call, job: in this order, so that whatever is lost can be found again. Whether the call was tried."""
        if decision.from_version is None or decision.target is None:
            return False
        attempt = Attempt(
            id=os.urandom(16).hex(),
            project=decision.project,
            graph_id=decision.graph_id,
            graph=decision.graph,
            rule=decision.rule or "",
            from_version=decision.from_version,
            to_version=decision.target,
            force=decision.force,
            began_at=self.shell.clock.now(),
        )

        def free(history: History) -> list[AnyRecord]:
            taken = history.open_attempt(attempt.graph_id) is not None
            return [] if taken or not history.readable else [Intended(at=attempt.began_at, attempt=attempt)]

        if not self.account.write(free):
            return False
        for number in range(CALLS_OF_AN_UPGRADE):
            late = decision.start_before is not None and self.shell.clock.now() >= decision.start_before
            if number and (late or self.left() <= self.reserve):
                self.refused(attempt, "too-late", "the window closed, or the run ended, before it could be started")
                return True
            try:
                job_id = self.shell.ges.upgrade_graph(
                    attempt.project, attempt.graph_id, attempt.to_version, attempt.force, decision.start_before
                )
            except CloudError as error:
                if not error.may_have_acted:
                    self.account.complain(f"{error}; {attempt.graph} was not upgraded to {attempt.to_version}")
                    self.refused(attempt, error.code, str(error))
                    return True
                self.log.warning("upgrade.answer_lost", error=str(error), **names(attempt))
                acted = self.look(attempt)
                if acted is None:
                    self.account.complain(
                        f"{error}; whether {attempt.graph} is upgraded is not known yet; it is looked at again"
                    )
                    self.account.start(decision)
                    return True
                if not acted:
                    continue
                job_id = acted
            self.account.note(Started(at=self.shell.clock.now(), attempt_id=attempt.id, job_id=job_id))
            self.account.start(msgspec.structs.replace(decision, job_id=job_id or None))
            self.log.info("upgrade.started", **{**names(attempt), "job": job_id}, to=attempt.to_version.text)
            return True
        self.refused(attempt, "no-answer", "the call was made several times and did not act")
        self.account.complain(
            f"{attempt.graph} was not upgraded to {attempt.to_version}: GES gave no answer, and nothing began"
        )
        return True

    def look(self, attempt: Attempt) -> str | None:
        """Whether a call without an answer acted: its job id, or "" for no, or None where that cannot be told."""
        for pause in TICKS[:LOOKS]:
            if self.left() <= timedelta(seconds=pause):
                return None
            self.shell.clock.sleep(pause)
            try:
                graph = self.shell.ges.show_graph(attempt.project, attempt.graph_id)
                job_id = self.job_of(attempt)
            except CloudError as error:
                self.log.warning("upgrade.look_failed", error=str(error), **names(attempt))
                return None
            if job_id is not None:
                return job_id
            if graph is None or not graph.status.running or graph.version != attempt.from_version:
                return None
        return ""

    def job_of(self, attempt: Attempt) -> str | None:
        """The job that the attempt began, by graph and time; job names are not documented (ges.md 4.2)."""
        known = {other.job_id for other in self.journal.history.attempts.values()}
        slack = timedelta(seconds=90)
        for job in self.shell.ges.list_jobs(attempt.project, attempt.graph, attempt.began_at - timedelta(days=1)):
            recent = job.began_at is None or job.began_at >= attempt.began_at - slack
            if job.id not in known and recent and (job.began_at is not None or not job.ended):
                return job.id
        return None

    def find_job(self, attempt: Attempt, graph: Graph | None) -> Attempt | None:
        """The attempt, with its job id if that can be found. None: not known yet, or closed as it left no trace in GES."""
        try:
            job_id = self.job_of(attempt)
        except CloudError as error:
            self.account.complain(f"{error}; whether {attempt.graph} is upgraded is not known yet; it is looked at again")
            return None
        if job_id is not None:
            self.account.note(Started(at=self.shell.clock.now(), attempt_id=attempt.id, job_id=job_id))
            return self.journal.history.attempts.get(attempt.id)
        if graph is None or not graph.status.running or graph.version != attempt.from_version:
            return attempt
        if self.believed(attempt, Judgement(Verdict.VANISHED, sure=False)):
            self.refused(attempt, "never-began", "its call left no trace in GES")
        return None

    def refused(self, attempt: Attempt, code: str, detail: str) -> None:
        self.account.note(Refused(at=self.shell.clock.now(), attempt_id=attempt.id, code=code, detail=detail))
        self.log.warning("upgrade.refused", code=code, detail=detail, **names(attempt))

    def in_flight(self) -> list[Attempt]:
        return [attempt for attempt in self.journal.history.open_attempts() if attempt.project in self.shell.projects]

    def left(self) -> timedelta:
        """The time that may still be spent on waiting and starting; the reserve is for writing down and telling."""
        return self.shell.remaining() - self.reserve
