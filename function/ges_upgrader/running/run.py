"""One run, in reading order: learn, observe, settle, plan, tell, act, and again while something is on its way; hand on.

What it does depends on what it sees, not on the event that woke it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.model import Action, Attempt, BackupAttempt, Decision, Graph, Project, Reason
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import Command, Word, command
from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, AnyRecord, Noticed, Released, Withdrawn
from ges_upgrader.journal.storage import JournalError
from ges_upgrader.notifications.notices import notices, told_of, unwritten
from ges_upgrader.planning.command_records import Unclear, moved, news, records_of
from ges_upgrader.planning.matching import govern
from ges_upgrader.planning.planner import Survey, milestones
from ges_upgrader.running.backup import BackingUp
from ges_upgrader.running.context import Shell
from ges_upgrader.running.follow import Following
from ges_upgrader.running.outbox import tell
from ges_upgrader.running.report import Account
from ges_upgrader.running.start import Starting
from ges_upgrader.schedule.windows import Calendar

if TYPE_CHECKING:
    from typing import TypeGuard

# Seconds between looks: soon at first, every 30 s in the long run (ges.md 8).
TICKS = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
_STARTS = (Action.UPGRADE, Action.BACKUP)
# What a run waits for, where it will be over in time. What needs a person, or the graph itself, it does not wait for.
_WORTH_WAITING = (Reason.OUTSIDE_WINDOW, Reason.FROZEN, Reason.TOO_YOUNG, Reason.SOAKING, Reason.NOTICE, Reason.REFUSED)


def run(command: Command, shell: Shell) -> dict[str, Any]:
    """Carries the command out; the handler's result (interface.md, Result). Raises Forgotten."""
    return _Run(command, shell).carry_out()


class Forgotten(Exception):
    """The platform should deliver the event again, which is safe: nothing of it was written down."""


class _Run:
    def __init__(self, command: Command, shell: Shell) -> None:
        self.command = command
        self.shell = shell
        self.policy = shell.policy
        self.journal = shell.journal
        self.log = shell.log
        self.account = Account(command, shell)
        self.began = shell.clock.now()
        self.following = Following(shell, self.account)
        self.starting = Starting(shell, self.account, self.following, TICKS, self.stands)
        self.backing_up = BackingUp(shell, self.account, self.stands)
        self.fleet: dict[str, Graph] = {}
        self.over: set[str] = set()  # the attempts that were known to have ended when the fleet was seen
        self.outdated = False
        self.unseen: set[Project] = set()
        self.partly_seen: set[Project] = set()
        self.calendars: dict[str, Calendar] = {}
        self.plan: tuple[Decision, ...] = ()
        self.postponed: list[Decision] = []
        self.full = shell.left()
        self.idle = True

    def carry_out(self) -> dict[str, Any]:
        self.log.info("run.began", command=self.command.word.value, dry_run=self.command.changes_nothing)
        self.recall()
        self.learn()
        self.observe()
        obeyed = self.obey()
        if self.command.changes_nothing or not obeyed:
            self.decide()
            tell(self.shell, self.account, only={notice.id for notice in self.command.notices})
            self.explain()
        else:
            if not self.journal.lasting or not self.journal.history.readable:
                self.following.adopt(self.fleet, self.began)
            self.pursue()
            self.account.postpone(self.postponed)
            self.hand_on()
            self.tidy()
        result = self.account.result(pending=self.in_flight())
        if self.forgets():
            raise Forgotten("what the event announced could neither be written down nor told; it has to be delivered again")
        return result

    def forgets(self) -> bool:
        """Whether what the event announced is lost when this run ends: not in the journal, and told to nobody."""
        history = self.journal.history
        return not history.readable and any(event_id.startswith(UNWRITTEN) for event_id in history.outbox.pending_ids())

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

        def wanted(history: History) -> list[AnyRecord]:
            records: list[AnyRecord] = [
                Noticed(at=now, notice_id=notice.id, text=notice.text, notice_kind="unclear")
                for notice in self.command.notices
                if not history.outbox.knows(notice.id)
            ]
            return records if self.command.changes_nothing else [*records, *news(self.command, self.policy, history, now)]

        for version in sorted(self.journal.history.releases.withdrawn & {release.version for release in self.command.releases}):
            self.account.complain(f"{version} was withdrawn; it was announced again, and is not started all the same")
        for record in self.account.write(wanted):
            if isinstance(record, Released):
                self.log.info("release.learned", version=record.release.version.text)
            if not self.journal.history.readable and self.is_of_the_event(record):
                self.account.note(unwritten(record))
        if self.command.changes_nothing:
            self.assume(news(self.command, self.policy, self.journal.history, now))

    def is_of_the_event(self, record: AnyRecord) -> TypeGuard[Released | Withdrawn]:
        """Whether only this event tells of it, so that it is forgotten where it is not written down."""
        if isinstance(record, Released):
            return record.release in self.command.releases
        return isinstance(record, Withdrawn)

    def observe(self) -> None:
        """All graphs of all projects. A project that cannot be listed is left alone, and told of."""
        self.outdated = False
        self.over = {attempt.id for ended in self.journal.history.attempts.all_ended() for attempt in ended}
        for project in self.shell.projects:
            try:
                graphs, remarks = self.shell.ges.list_graphs(project)
            except CloudError as error:
                self.unseen.add(project)
                self.account.complain(f"{error}; nothing was started in project {project.project_id}")
                continue
            self.unseen.discard(project)
            self.partly_seen = self.partly_seen - {project} | ({project} if remarks else set())
            for remark in remarks:
                self.account.complain(f"{remark}; rules that count their graphs, or wait for others, start nothing")
            self.fleet = {key: graph for key, graph in self.fleet.items() if graph.project != project}
            self.fleet.update({graph.id: graph for graph in graphs})
            for name in (graph.name for graph in graphs if graph.version is None):
                self.account.complain(f"ges list_graphs in {project.region}: {name} has no version that can be read")
        self.log.info("fleet.observed", graphs=len(self.fleet), projects_unseen=len(self.unseen))
        self.move()

    def move(self) -> None:
        """What was begun under a rule that is gone from the policy counts under the one that took its place."""
        now = self.shell.clock.now()

        def wanted(history: History) -> list[AnyRecord]:
            return moved(self.policy, self.fleet.values(), history, now)

        if self.command.changes_nothing:
            self.assume(wanted(self.journal.history))
        else:
            self.account.write(wanted)

    def obey(self) -> bool:
        """Writes down what the command says about rules, graphs and versions. Whether it was clear, and written."""
        now = self.shell.clock.now()
        try:
            records = records_of(self.command, self.policy, self.fleet.values(), self.journal.history, now)
        except Unclear as problem:
            self.account.complain(str(problem))
            return False
        if not records:
            return True
        if self.command.changes_nothing:
            self.assume(records)
            return True
        if not self.account.write(lambda _: records) or not self.journal.history.readable:
            known = not self.account.may_have_written
            fate = "was not written down; nothing was changed" if known else "may have been written down, or not; give it again"
            self.account.complain(f"the command {self.command.word.value} {fate}")
            return False
        self.log.info("command.recorded", command=self.command.word.value, reason=self.command.reason)
        if not self.journal.lasting:
            self.account.complain(
                f"state is none: the {self.command.word.value} is forgotten when this process of the function ends"
            )
        return True

    def assume(self, records: Iterable[AnyRecord]) -> None:
        """Adds records to this run's history, and writes nothing down."""
        for record in records:
            self.journal.history.apply(record)

    def pursue(self) -> None:
        """Settle, plan, tell, act; again as long as something is on its way or soon to start, and there is time."""
        tick = 0
        while True:
            self.following.settle(self.fleet, self.unseen, self.complete)
            self.backing_up.settle(self.fleet, self.unseen)
            self.decide()
            self.announce()
            while self.act():
                tick, self.idle = 0, False
                self.decide()
                self.announce()
            if self.outdated:
                self.observe()
                continue
            pause = self.pause(tick)
            if pause is None:
                if any(one.action in _STARTS for one in self.plan):  # what kept it from starting is seen by now
                    self.decide()
                return
            tick, self.idle = tick + 1, False
            self.shell.clock.sleep(pause)
            if not self.journal.history.readable:
                self.recall()
            self.observe()

    def tidy(self) -> None:
        """Keeps the journal small. What this run could not write it tries once more."""
        if not self.journal.history.readable:
            self.recall()
        if self.journal.history.readable and self.shell.remaining() > timedelta():
            try:
                self.journal.tidy(self.shell.clock.now(), self.policy.memory)
            except JournalError as error:
                self.log.warning("journal.untidy", error=str(error))

    def decide(self) -> None:
        """The plan, after what the fleet has reached was written down."""
        survey = self.survey()
        if milestones(survey) and not self.command.changes_nothing:
            self.account.write(lambda _: [*milestones(self.survey())])
            survey = self.survey()
        self.plan = survey.decisions()
        self.account.decide(self.plan)
        for damage in self.journal.history.controls.damages.values():
            self.account.complain(told_of(damage))
        for failed in (one for one in survey.stranded if one.verdict):
            self.account.complain(
                f"{failed.graph} failed at {failed.to_version} under the rule {failed.rule}, which is gone from the policy, "
                "and the graph is not to be seen; that counts under every rule until somebody says "
                + command("resume", rule=failed.rule)
            )
        for pause in self.journal.history.controls.orphaned(survey.stages):
            self.account.complain(
                f"the rule {pause.rule}, paused since {iso(pause.at)}, is not in the policy any more; as nobody can tell which "
                f"graphs were meant, nothing is started until somebody says {command('resume', rule=pause.rule or '')}"
            )

    @property
    def complete(self) -> bool:
        """Whether the fleet was seen as a whole."""
        return not self.unseen and not self.partly_seen

    def survey(self) -> Survey:
        seen = [graph for graph in self.fleet.values() if graph.project not in self.unseen]
        governed = govern(self.policy.rules, seen)
        return Survey(self.policy, governed, self.journal.history, self.shell.clock.now(), self.complete, self.calendars)

    def stands(self, decision: Decision) -> Decision | None:
        """What the planner says by now, if it is the same start, and no other run upgraded the graph since this one looked."""
        ended = {one.id for one in self.journal.history.attempts.ended_of(decision.key)}
        if not ended <= self.over | self.account.ended:
            self.outdated = True
            return None
        said = (decision.graph_id, decision.action, decision.target)
        return next((one for one in self.survey().decisions() if (one.graph_id, one.action, one.target) == said), None)

    def announce(self) -> None:
        """Writes down what is to be told, and tells it."""
        now = self.shell.clock.now()
        self.account.write(lambda history: list(notices(self.policy, history, self.plan, self.complete, now)))
        tell(self.shell, self.account)

    def explain(self) -> None:
        """Adds to a result that changes nothing why each graph waits, and what lies ahead."""
        from ges_upgrader.diagnosis.explain import explain, state_of  # only looking needs these: a cold start does not
        from ges_upgrader.diagnosis.forecast import forecast, shown
        from ges_upgrader.diagnosis.lint import warnings

        survey = self.survey()
        self.account.explain(explain(survey, survey.decisions()))
        self.account.add("warnings", warnings(survey))
        history, now = self.journal.history, self.shell.clock.now()
        if self.command.word is Word.STATUS:
            self.account.add("state", state_of(history))
        if self.command.word is Word.FORECAST:
            seen = [graph for graph in self.fleet.values() if graph.project not in self.unseen]
            self.account.add("forecast", [shown(one) for one in forecast(self.policy, seen, history, now, self.command.days)])

    def act(self) -> bool:
        """Starts what is due, each looked at again at the last instant: is it still allowed to start? Whether any was tried."""
        tried = False
        self.postponed = []
        for decision in self.plan:
            if decision.action not in _STARTS:
                continue
            now = self.shell.clock.now()
            if decision.start_before is not None and now >= decision.start_before:
                continue
            if self.shell.left() <= self.shell.reserve:
                self.log.info("upgrade.postponed", graph=decision.graph, why="the run's time nears its end")
                self.postponed.append(decision)
                continue
            start = self.starting.upgrade if decision.action is Action.UPGRADE else self.backing_up.back_up
            tried = start(decision) or tried
        return tried

    def pause(self, tick: int) -> float | None:
        """Seconds to the next look: soon while something is on its way, else when a start is due; None: not in this run."""
        now, left = self.shell.clock.now(), self.shell.left() - self.shell.reserve / 2  # a look takes time too
        pauses = [timedelta(seconds=TICKS[min(tick, len(TICKS) - 1)])] if self.in_flight() else []
        pauses += [one.until - now for one in self.waiting() if one.until and one.until > now]
        soonest = min(pauses, default=left)
        return soonest.total_seconds() if soonest < left else None

    def waiting(self) -> list[Decision]:
        return [one for one in self.plan if one.action is Action.WAIT and one.reason in _WORTH_WAITING]

    def hand_on(self) -> None:
        """Where the policy says it, what the run leaves unfinished goes on at once in a run of its own."""
        if self.policy.follow_up != "invoke":
            return
        from ges_upgrader.running.hand_over import (  # most policies leave it to timers: a cold start does not need it
            Rest,
            hand_on,
            unfinished,
        )

        rest = Rest(self.in_flight(), self.postponed, self.waiting(), self.began, self.full, self.idle)
        work = unfinished(rest, self.policy, self.journal.history, self.shell.clock.now())
        if work:
            hand_on(self.shell, self.account, work, self.full)

    def in_flight(self) -> list[Attempt | BackupAttempt]:
        history = self.journal.history
        under_way: list[Attempt | BackupAttempt] = [*history.attempts.open(), *history.backups.open()]
        return [one for one in under_way if one.id not in self.account.ended]
