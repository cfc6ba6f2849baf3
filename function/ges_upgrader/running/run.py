"""One run, in reading order: learn, observe, obey, settle, plan, notify, act; again while something is in progress; hand over.

What it does depends on what it sees, not on the event that woke it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Action, Decision, Operation, Reason, Start
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import Command, Word, command
from ges_upgrader.history.records import UNWRITTEN
from ges_upgrader.journal.storage import JournalError
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import journal_started, notices, told_of
from ges_upgrader.notifications.set_aside import set_aside_notices
from ges_upgrader.planning.planner import Plan, milestones, plan_of
from ges_upgrader.planning.roster import Roster
from ges_upgrader.planning.survey import Survey
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.running.backup import BackupMaker
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.follow import Follower
from ges_upgrader.running.instruct import Instructions
from ges_upgrader.running.observe import JournalWatch, Observer
from ges_upgrader.running.outbox import Deliverer
from ges_upgrader.running.report import RunReport
from ges_upgrader.running.results.pages import fits
from ges_upgrader.running.start import Grounds, Starter, Tried

# Seconds between looks: soon at first, every 30 s in the long run (ges.md 8).
TICKS = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
# What a run waits for, if it will be over in time. It does not wait for what needs a person, or the graph itself.
_WORTH_WAITING = (Reason.OUTSIDE_WINDOW, Reason.FROZEN, Reason.TOO_YOUNG, Reason.SOAKING, Reason.NOTICE, Reason.REFUSED)


class Forgotten(Exception):
    """The platform should deliver the event again, which is safe: nothing of it was recorded."""


def run(command: Command, context: RunContext, watch: JournalWatch) -> dict[str, Any]:
    """Carries the command out; the handler's result (interface.md, Result). Raises Forgotten."""
    return _Run(command, context, watch).carry_out()


class _Run:
    def __init__(self, command: Command, context: RunContext, watch: JournalWatch) -> None:
        self.command, self.context, self.watch = command, context, watch
        self.journal_error: JournalError | None = None
        self.began, self.full = context.clock.now(), context.left()
        self.report = RunReport(command, self.began, context.log)
        self.writer = JournalWriter(context.journal, self.journal_failed)
        self.observer = Observer(context, self.report)
        self.instructions = Instructions(command, context, self.writer, self.report)
        self.follower = Follower(context, self.writer, self.report)
        self.starter = Starter(context, self.writer, self.report, self.follower, TICKS)
        self.backups = BackupMaker(context, self.writer, self.report)
        self.deliverer = Deliverer(context, self.writer, self.report)
        self.roster = Roster(context.policy, Fleet())
        self.plan: Plan
        self.postponed: list[Start] = []
        self.outdated = False
        self.idle = True
        self.begins = False

    def carry_out(self) -> dict[str, Any]:
        command = self.command
        self.context.log.info(
            "run.started", command=command.word.value, dry_run=command.changes_nothing, foreign_messages=command.foreign
        )
        self.writer.recall()
        self.find_journal()
        if not command.records:
            self.begin_journal()
            self.instructions.learn()
        self.observe()
        obeyed = self.instructions.obey(self.roster.fleet)
        if command.records:  # a command that is refused records nothing at all, so that it comes before all else
            self.begin_journal()
            self.instructions.learn()
        self.instructions.adopt_rules(self.roster.fleet)
        if self.acts(obeyed):
            self.reconcile()
        else:
            self.decide()
            self.deliverer.deliver(only={notice.id for notice in self.command.notices})
            self.report.postpone(self.plan.starts if command.record_only and obeyed else ())
        self.explain()
        policy = fingerprint(self.context.policy)
        dry = command.changes_nothing or (self.instructions.refused and not command.from_timer)
        result = self.report.result(self.context.run_id, policy, dry, self.journal_state(), self.in_progress())
        if self.forgets():
            raise Forgotten("what the event announced could not be recorded; deliver the event again")
        return result

    def acts(self, obeyed: bool) -> bool:
        """Whether the run works on the fleet, and does not only answer. A timer does even if its command is refused."""
        if self.command.changes_nothing or self.command.record_only:
            return False
        return obeyed or self.command.from_timer

    def reconcile(self) -> None:
        if not self.writer.lasting or not self.writer.history.readable:
            self.follower.adopt(self.roster.fleet, self.began)
        self.pursue()
        self.report.postpone(self.plan.starts if self.starts_nothing else self.postponed)
        self.hand_over()
        self.tidy()
        self.watch_journal()

    @property
    def starts_nothing(self) -> bool:
        return self.command.starts_nothing or self.command.record_only or self.instructions.refused

    def find_journal(self) -> None:
        """A run that only looks begins no journal, and so cannot find out whether there is one."""
        self.begins = self.context.journal.new
        if self.command.changes_nothing and self.context.journal.doubt:
            self.writer.doubt(self.context.journal.doubt)

    def begin_journal(self) -> None:
        """A journal that begins anew is reported: what an earlier one held is forgotten."""
        answers_only = self.command.changes_nothing or (self.instructions.refused and not self.command.from_timer)
        if self.begins and not answers_only:
            state, now = self.context.policy.state.text, self.context.clock.now()
            self.writer.write(lambda history: journal_started(state, history, now))

    def pursue(self) -> None:
        """Settle, plan, notify, act; again as long as something is in progress or soon to start, and there is time."""
        tick = 0
        while True:
            self.follower.settle(self.roster.fleet)
            self.backups.settle(self.roster.fleet)
            self.decide()
            self.notify()
            while self.act():
                tick, self.idle = 0, False
                self.decide()
                self.notify()
            if self.outdated:
                self.look_again()
                continue
            pause = self.pause(tick)
            if pause is None:
                if self.plan.starts:  # what kept them from starting is known by now
                    self.decide()
                return
            tick, self.idle = tick + 1, False
            self.context.clock.sleep(pause)
            if not self.writer.history.readable:
                self.writer.recall()
            self.look_again()

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
        if milestones(survey) and not (self.command.changes_nothing or self.instructions.refused):
            self.writer.write(lambda _: [*milestones(self.survey())])
            survey = self.survey()
        self.plan = plan_of(survey)
        self.report.decide(self.plan.decisions)
        self.complain(survey)

    def survey(self) -> Survey:
        return Survey(self.roster, self.writer.history, self.context.clock.now())

    def complain(self, survey: Survey) -> None:
        """Reports what blocks graphs and is no decision about a single one."""
        controls = self.writer.history.controls
        for damage in controls.damages.values():
            self.report.complain(told_of(damage))
        for failed in (one for one in survey.stranded if one.verdict):
            self.report.complain(
                f"{failed.graph} failed at {failed.to_version} under the rule {failed.rule}, which was removed from the "
                "policy, and the graph is not visible; the failure counts under every rule until an operator runs "
                + command("retry", rule=failed.rule)
            )
        for pause in controls.orphaned(survey.steps):
            self.report.complain(
                f"the rule {pause.rule}, paused since {iso(pause.at)}, was removed from the policy; as it is unknown which "
                f"graphs were meant, nothing is started until an operator runs {command('resume', rule=pause.rule or '')}"
            )

    def notify(self) -> None:
        """Records what is to be reported, and sends it."""
        now, fleet = self.context.clock.now(), self.roster.fleet
        self.writer.write(lambda history: [*notices(self.context.policy, history, self.plan.decisions, fleet.complete, now)])
        self.writer.write(self.observer.sightings)
        if set_aside_notices(self.survey()):
            self.writer.write(lambda history: [*set_aside_notices(Survey(self.roster, history, now))])
        self.deliverer.deliver()

    def act(self) -> bool:
        """Starts what is due, each checked again at the last instant. Whether any was tried."""
        tried = False
        self.postponed = []
        if self.starts_nothing:
            return tried
        grounds = Grounds(self.roster, self.plan.occupied)
        for start in self.plan.starts:
            if self.context.clock.now() >= start.start_before:
                continue
            if self.context.left() <= self.context.reserve:
                self.context.log.info("upgrade.postponed", graph=start.graph, why="the run's time nears its end")
                self.postponed.append(start)
                continue
            make = self.starter.upgrade if start.action is Action.UPGRADE else self.backups.back_up
            done = make(start, grounds)
            tried = tried or done is Tried.YES
            self.outdated = self.outdated or done is Tried.OUTDATED
        return tried

    def pause(self, tick: int) -> float | None:
        """Seconds to the next look: soon while something is in progress, else when a start is due; None: not in this run."""
        now, left = self.context.clock.now(), self.context.left() - self.context.reserve / 2  # a look takes time too
        pauses = [timedelta(seconds=TICKS[min(tick, len(TICKS) - 1)])] if self.in_progress() else []
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

    def explain(self) -> None:
        """Adds to the result why each graph waits, and what lies ahead, if the command asks for it."""
        command = self.command
        if command.word in (Word.PLAN, Word.STATUS) or command.checks:
            from ges_upgrader.diagnosis.explain import explainer  # a cold start needs none of these

            survey = self.survey()
            self.report.explain(explainer(survey, plan_of(survey)))
        if command.changes_nothing or self.instructions.refused:
            from ges_upgrader.diagnosis.lint import warnings

            self.report.add("warnings", warnings(self.survey()))
        if command.word is Word.STATUS:
            from ges_upgrader.diagnosis.explain import state_of

            self.report.add("state", state_of(self.writer.history))
        if command.word is Word.FORECAST:
            self.report.add("forecast", self.forecast())

    def forecast(self) -> list[dict[str, str]]:
        from ges_upgrader.diagnosis.forecast import forecast, shown

        policy, now, command = self.context.policy, self.context.clock.now(), self.command
        found = forecast(policy, self.roster.fleet, self.writer.history, now, command.days)
        return [shown(one) for one in found if fits(command, one.rule, one.graph_id, one.graph)]

    def hand_over(self) -> None:
        """If the policy says so, what the run leaves unfinished continues at once in a run of its own."""
        if self.context.policy.follow_up != "invoke":
            return
        from ges_upgrader.running.hand_over import Rest, hand_over, unfinished  # most policies leave it to timers

        rest = Rest(self.in_progress(), self.postponed, self.waiting(), self.began, self.full, self.idle)
        work = unfinished(rest, self.context.policy, self.writer.history, self.context.clock.now())
        if work:
            hand_over(self.context, self.writer, self.report, self.deliverer, work, self.full)

    def tidy(self) -> None:
        """Keeps the journal small. What this run could not write, it tries again."""
        if not self.writer.history.readable:
            self.writer.recall()
        if self.writer.history.readable and self.context.remaining() > timedelta():
            try:
                self.context.journal.tidy(self.context.clock.now(), self.context.policy.memory)
            except JournalError as error:
                self.context.log.warning("journal.compaction_failed", error=str(error))

    def journal_failed(self, error: JournalError) -> None:
        self.journal_error = error
        state = self.context.policy.state.text
        self.report.complain(f"the journal at {state}: {error}; nothing is started until it can be read")

    def watch_journal(self) -> None:
        """Reports that the journal cannot be reached, or can be again."""
        state, now = self.context.policy.state.text, self.context.clock.now()
        error = None if self.writer.history.readable else str(self.journal_error or "it cannot be read")
        notice = self.watch.notice(state, error, now)
        if notice is None:
            return
        self.writer.write(lambda history: [] if history.outbox.knows(notice.notice_id) else [notice])
        self.deliverer.deliver(only={notice.notice_id})
        if self.writer.history.outbox.delivered(notice.notice_id):
            self.watch.delivered(notice)

    def journal_state(self) -> str:
        """Whether what was found out is remembered."""
        if not self.writer.lasting:
            return "none: forgotten when this process of the function ends, so that results may be repeated or lost"
        return "kept" if self.writer.history.readable else "unavailable"

    def forgets(self) -> bool:
        """Whether what the event announced is lost when this run ends, and a repeat may help.

        Not recorded while the journal is unavailable for a while; or not even reported.
        """
        history = self.writer.history
        unreported = any(event_id.startswith(UNWRITTEN) for event_id in history.outbox.pending_ids())
        unrecorded = self.instructions.unrecorded and self.writer.passing
        return not history.readable and (unrecorded or unreported)
