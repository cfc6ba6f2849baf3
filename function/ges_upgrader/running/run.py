"""One run, in reading order: learn, observe, obey, settle, plan, notify, act; again while something is in progress; hand over.

What it does depends on what it sees, not on the event that woke it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Decision, Operation, Reason, Start
from ges_upgrader.events.commands import Command
from ges_upgrader.history.records import AnyRecord
from ges_upgrader.notifications.notices import notices
from ges_upgrader.notifications.overdue import overdue_notices
from ges_upgrader.notifications.rollback import rollback_notices
from ges_upgrader.notifications.set_aside import set_aside_notices
from ges_upgrader.planning.planner import Plan, milestones, plan_of
from ges_upgrader.planning.roster import Roster
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.running.backup import BackupMaker
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.follow import Follower
from ges_upgrader.running.following.adoption import Adopter
from ges_upgrader.running.following.backups import BackupFollower
from ges_upgrader.running.instruct import Instructions
from ges_upgrader.running.observe import Observer
from ges_upgrader.running.outbox import Deliverer
from ges_upgrader.running.results.answers import add_answers, obstacles
from ges_upgrader.running.results.report import RunReport
from ges_upgrader.running.start import Grounds, Starter, Tried
from ges_upgrader.running.upkeep import JournalUpkeep, JournalWatch

# Seconds between looks: soon at first, every 30 s in the long run (ges.md 8).
TICKS = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
# What a run waits for, if it will be over in time. It does not wait for what needs a person, or the graph itself.
_WORTH_WAITING = (Reason.OUTSIDE_WINDOW, Reason.FROZEN, Reason.TOO_YOUNG, Reason.SOAKING, Reason.NOTICE, Reason.REFUSED)


class Unrecorded(Exception):
    """The platform should deliver the event again, which is safe: nothing of it was recorded."""


def run(command: Command, context: RunContext, watch: JournalWatch) -> dict[str, Any]:
    """Carries the command out; the handler's result (interface.md, Result). Raises Unrecorded."""
    return _Run(command, context, watch).carry_out()


class _Run:
    def __init__(self, command: Command, context: RunContext, watch: JournalWatch) -> None:
        self.command, self.context = command, context
        self.began, self.full = context.clock.now(), context.left()
        self.report = RunReport(command, self.began, context.log)
        self.upkeep = JournalUpkeep(context, watch, self.report)
        self.writer = self.upkeep.writer
        self.observer = Observer(context, self.report)
        self.instructions = Instructions(command, context, self.writer, self.report)
        self.follower = Follower(context, self.writer, self.report)
        self.starter = Starter(context, self.writer, self.report, self.follower, TICKS)
        self.backup_follower = BackupFollower(context, self.writer, self.report)
        self.backup_maker = BackupMaker(context, self.writer, self.report, self.backup_follower)
        self.deliverer = Deliverer(context, self.writer, self.report)
        self.roster = Roster(context.policy, Fleet())
        self.plan: Plan
        self.postponed: list[Start] = []
        self.looks = 0
        self.outdated = False
        self.idle = True

    def carry_out(self) -> dict[str, Any]:
        command = self.command
        self.context.log.info(
            "run.started", command=command.word.value, dry_run=command.changes_nothing, foreign_messages=command.foreign
        )
        self.upkeep.find(command.changes_nothing)
        obeyed = self.take_in()
        if self.acts(obeyed):
            self.reconcile()
        else:
            self.answer(obeyed)
        add_answers(self.report, command, self.survey(), self.instructions.assumed)
        return self.result()

    def take_in(self) -> bool:
        """Learns what the event says, observes the fleet and obeys the command. Whether the command was obeyed.

        A command that is refused records nothing at all, so that it comes before all else.
        """
        if not self.command.records:
            self.learn()
        self.observe()
        obeyed = self.instructions.obey(self.roster.fleet)
        if self.command.records:
            self.learn()
        self.instructions.adopt_rules(self.roster.fleet)
        return obeyed

    def learn(self) -> None:
        if not self.instructions.only_answers:
            self.upkeep.begin()
        self.instructions.learn()

    def acts(self, obeyed: bool) -> bool:
        """Whether the run works on the fleet, and does not only answer. A timer does even if its command is refused."""
        if self.command.changes_nothing or self.command.record_only:
            return False
        return obeyed or self.command.from_timer

    def answer(self, obeyed: bool) -> None:
        """Plans, and sends only the notices about the event itself."""
        self.decide()
        self.deliverer.deliver(only={notice.id for notice in self.command.notices})
        self.report.postpone(self.plan.starts if self.command.record_only and obeyed else ())

    def reconcile(self) -> None:
        if not self.writer.lasting or not self.writer.history.readable:
            Adopter(self.context, self.writer, self.report).adopt(self.roster.fleet, self.began)
        self.pursue()
        self.report.postpone(self.plan.starts if self.starts_nothing else self.postponed)
        self.hand_over()
        self.upkeep.tidy()
        self.upkeep.report_outage(self.deliverer)

    def result(self) -> dict[str, Any]:
        policy, dry = fingerprint(self.context.policy), self.instructions.only_answers
        result = self.report.result(self.context.run_id, policy, dry, self.upkeep.state(), self.in_progress())
        if self.upkeep.loses_the_event(self.instructions.unrecorded):
            raise Unrecorded("what the event announced could not be recorded; deliver the event again")
        return result

    @property
    def starts_nothing(self) -> bool:
        return self.command.starts_nothing or self.command.record_only or self.instructions.refused

    def pursue(self) -> None:
        """Settles, plans, notifies and acts; again as long as something is in progress or soon to start, and there is time."""
        while self.advance():
            self.look_again()
        if self.plan.starts:  # what kept them from starting is known by now
            self.decide()

    def advance(self) -> bool:
        """Settles, and does what can be done now. Whether the run looks again, which it does after a pause."""
        self.follower.settle(self.roster.fleet)
        self.backup_follower.settle(self.roster.fleet)
        self.plan_and_notify()
        while self.act():
            self.looks, self.idle = 0, False
            self.plan_and_notify()
        return self.outdated or self.rest()

    def plan_and_notify(self) -> None:
        self.decide()
        self.notify()

    def rest(self) -> bool:
        """Sleeps until the next look. False: there is none in this run."""
        pause = self.pause()
        if pause is None:
            return False
        self.looks, self.idle = self.looks + 1, False
        self.context.clock.sleep(pause)
        self.upkeep.recall_if_lost()
        return True

    def observe(self) -> None:
        self.outdated = False
        ended = {attempt.id for attempts in self.writer.history.attempts.all_ended() for attempt in attempts}
        self.follower.ended = ended  # what this run ends itself, the fleet shows
        fleet = self.observer.observe(self.roster.fleet)
        self.roster = Roster(self.context.policy, fleet, ended=ended)

    def look_again(self) -> None:
        self.observe()
        self.instructions.adopt_rules(self.roster.fleet)

    def decide(self) -> None:
        """The plan, after what the fleet has reached was recorded."""
        survey = self.survey()
        if milestones(survey) and not self.instructions.assumed:
            self.writer.write(lambda _: [*milestones(self.survey())])
            survey = self.survey()
        self.plan = plan_of(survey)
        self.report.decide(self.plan.decisions)
        for obstacle in obstacles(survey, self.writer.history):
            self.report.complain(obstacle)

    def survey(self) -> Survey:
        return Survey(self.roster, self.writer.history, self.context.clock.now())

    def notify(self) -> None:
        """Records what is to be reported, and sends it."""
        now, fleet = self.context.clock.now(), self.roster.fleet
        self.writer.write(lambda history: [*notices(self.context.policy, history, self.plan.decisions, fleet.complete, now)])
        self.writer.write(self.observer.sightings)
        if self.found(self.survey()):
            self.writer.write(lambda history: self.found(Survey(self.roster, history, now)))
        self.deliverer.deliver()

    def found(self, survey: Survey) -> list[AnyRecord]:
        """What is to be reported of the fleet beside the decisions."""
        return [*set_aside_notices(survey), *overdue_notices(survey, self.plan.decisions), *rollback_notices(survey)]

    def act(self) -> bool:
        """Starts what is due, each checked again at the last instant. Whether any was tried."""
        self.postponed = []
        if self.starts_nothing:
            return False
        grounds = Grounds(self.roster, self.plan.occupied)
        tried = [self.start(start, grounds) for start in self.plan.starts]
        self.outdated = self.outdated or Tried.OUTDATED in tried
        return Tried.YES in tried

    def start(self, start: Start, grounds: Grounds) -> Tried:
        if self.context.clock.now() >= start.start_before:
            return Tried.NO
        if self.context.left() <= self.context.reserve:
            self.postpone(start)
            return Tried.NO
        make = self.starter.upgrade if start.action is Action.UPGRADE else self.backup_maker.back_up
        tried = make(start, grounds)
        if tried is Tried.LATER:
            self.postpone(start)
        return tried

    def postpone(self, start: Start) -> None:
        self.context.log.info("upgrade.postponed", graph=start.graph, why="the run's time nears its end")
        self.postponed.append(start)

    def pause(self) -> float | None:
        """Seconds to the next look: soon while something is in progress, else when a start is due; None: not in this run."""
        now, left = self.context.clock.now(), self.context.left() - self.context.reserve / 2  # a look takes time too
        pauses = [timedelta(seconds=TICKS[min(self.looks, len(TICKS) - 1)])] if self.in_progress() else []
        pauses += [one.until - now for one in self.waiting() if one.until and one.until > now]
        soonest = min(pauses, default=left)
        return soonest.total_seconds() if soonest < left else None

    def waiting(self) -> list[Decision]:
        """What the run may still start if it waits."""
        if self.starts_nothing:
            return []
        return [one for one in self.plan.decisions if one.action is Action.WAIT and one.reason in _WORTH_WAITING]

    def in_progress(self) -> list[Operation]:
        history = self.writer.history
        return [*history.attempts.open(), *history.backups.open()]

    def hand_over(self) -> None:
        """If the policy says so, what the run leaves unfinished continues at once in a run of its own."""
        if self.context.policy.follow_up != "invoke":
            return
        from ges_upgrader.running.hand_over import Rest, hand_over, unfinished  # most policies leave it to timers

        rest = Rest(self.in_progress(), self.postponed, self.waiting(), self.began, self.full, self.idle)
        work = unfinished(rest, self.context.policy, self.writer.history, self.context.clock.now())
        if work:
            hand_over(self.context, self.writer, self.report, self.deliverer, work, self.full)
