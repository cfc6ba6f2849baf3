"""A run's account of itself: what it writes into the journal, what it complains of, and the result that it returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ges_upgrader.domain.model import Action, Attempt, BackupAttempt, Decision, Reason, Verdict
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.events.commands import Command
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Ended
from ges_upgrader.journal.storage import JournalError
from ges_upgrader.planning.verdicts import SLACK, Judgement
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.running.context import Shell


class Account:
    """Filled while the run goes on; `result` closes it.

    `ended` are the attempts whose end this run wrote down, `untold` the events that it could not tell;
    `may_have_written`: whether the write after which the journal was out of reach may stand there.
    """

    def __init__(self, command: Command, shell: Shell) -> None:
        self.notified = 0
        self.ended: set[str] = set()
        self.untold: set[str] = set()
        self.may_have_written = False
        self.errors: list[str] = list(command.remarks)
        self._complaints: set[str] = set(self.errors)
        self._command = command
        self._shell = shell
        self._began = shell.clock.now()
        self._decided: dict[str, Decision] = {}
        self._started: dict[str, Decision] = {}
        self._outcomes: dict[tuple[str, Verdict], dict[str, Any]] = {}
        self._explained: dict[str, dict[str, Any]] = {}
        self._added: dict[str, Any] = {}

    def write(self, wanted: Callable[[History], list[AnyRecord]]) -> list[AnyRecord]:
        """Writes into the journal. Where that fails this run alone remembers it, and starts nothing more."""
        journal = self._shell.journal
        if journal.history.readable:
            try:
                return journal.commit(wanted)
            except JournalError as error:
                self.lose_journal(error)
        return journal.remember(wanted)

    def note(self, record: AnyRecord) -> None:
        """Writes what is so, whatever other runs have written."""
        self.write(lambda _: [record])

    def intend(
        self,
        decision: Decision,
        still: Callable[[Decision], Decision | None],
        intent: Callable[[Decision], AnyRecord],
    ) -> Decision | None:
        """Writes the intent down, if the decision still stands at this instant, after all that others have written.

        The decision as it is then, which `still` says; None: it does not stand, or could not be written.
        """
        fresh: Decision | None = None

        def wanted(history: History) -> list[AnyRecord]:
            nonlocal fresh
            fresh = still(decision) if history.readable else None
            return [intent(fresh)] if fresh else []

        return fresh if self.write(wanted) else None

    def lose_journal(self, error: JournalError) -> None:
        self._shell.journal.history.readable = False
        self.may_have_written = error.may_have_written
        self.complain(f"the journal at {self._shell.policy.state.text}: {error}; nothing is started until it can be read")

    def complain(self, text: str) -> None:
        same = re.sub(r"request [0-9a-f-]+", "request", text)
        if same not in self._complaints:
            self._complaints.add(same)
            self.errors.append(text)
            self._shell.log.error("run.error", error=text)

    def explain(self, explained: dict[str, dict[str, Any]]) -> None:
        """What is added to each graph's decision: its checks, and what would make it earlier."""
        self._explained = explained

    def add(self, name: str, value: Any) -> None:
        """A part of the result that only this command has."""
        self._added[name] = value

    def decide(self, decisions: Iterable[Decision]) -> None:
        """The latest decision about each graph stands, unless it was started; a backup that failed started nothing."""
        for decision in decisions:
            self._decided[decision.graph_id] = decision
            if decision.reason is Reason.BACKUP_FAILED:
                self._started.pop(decision.graph_id, None)

    def start(self, decision: Decision) -> None:
        self._started[decision.graph_id] = decision

    def postpone(self, decisions: Iterable[Decision]) -> None:
        """What was due, and not started for want of time, waits for a later run."""
        self.decide(msgspec.structs.replace(decision, action=Action.WAIT) for decision in decisions)

    def end(self, attempt: Attempt, judgement: Judgement, most_failures: int | None) -> None:
        """Writes down how an attempt ended. With as many failures as the rule bears, the rule halts at the version.

        None: how many those are is not known, as the fleet was not seen as a whole.
        """
        verdict, detail, ended_at = judgement.verdict, judgement.detail, judgement.job_ended_at
        counts = verdict.ends and verdict is not Verdict.SUCCEEDED and attempt.target is not None
        now = self._shell.clock.now()
        if ended_at is not None:  # by GES's clock
            ended_at = min(ended_at, now) if attempt.began_at < ended_at <= now + SLACK else None

        def still_open(history: History) -> list[AnyRecord]:
            known = history.attempts.by_id.get(attempt.id)
            if known is None or not known.open or (known.timed_out and not verdict.ends):
                return []
            failures = len(history.attempts.failures(known.rule, attempt.to_version)) + 1
            halts = counts and most_failures is not None and failures >= most_failures
            ended = Ended(at=now, attempt_id=attempt.id, verdict=verdict, detail=detail, halts=halts, job_ended_at=ended_at)
            return [ended]

        if self.write(still_open):
            self.ended |= {attempt.id} if verdict.ends else set()
            self._outcomes[attempt.job_id or attempt.id, verdict] = {
                "graph_id": attempt.graph_id,
                "job_id": attempt.job_id,
                "from_version": attempt.from_version.text,
                "to_version": _text(attempt.target),
                "outcome": verdict.value,
                "detail": detail,
            }
            self._shell.log.info("upgrade.ended", outcome=verdict.value, detail=detail, **names(attempt))

    def _kept(self) -> str:
        """Whether what was found out is remembered."""
        journal = self._shell.journal
        if not journal.lasting:
            return "none: forgotten when this process of the function ends, so that results may be repeated or lost"
        return "kept" if journal.history.readable else "unavailable"

    def result(self, pending: Iterable[Attempt | BackupAttempt]) -> dict[str, Any]:
        """The handler's return value (interface.md, Result). `pending` is still on its way."""
        for decision in self._decided.values():
            self._shell.log.info(
                "graph.decided",
                region=decision.project.region,
                project=decision.project.project_id,
                graph=decision.graph,
                action=decision.action.value,
                reason=decision.reason.value,
            )
        result = {
            "run_id": self._shell.run_id,
            "policy": fingerprint(self._shell.policy),
            "command": self._command.word.value,
            "dry_run": self._command.changes_nothing,
            "now": iso(self._began),
            "decisions": [
                {**_shown(self._started.get(graph_id, decision)), **self._explained.get(graph_id, {})}
                for graph_id, decision in self._decided.items()
            ],
            "outcomes": list(self._outcomes.values()),
            "notified": self.notified,
            "pending": [_pending(attempt) for attempt in pending],
            "errors": self.errors,
            "journal": self._kept(),
            **self._added,
        }
        self._shell.log.info("run.ended", outcomes=len(self._outcomes), notified=self.notified, errors=len(self.errors))
        return result


def _shown(decision: Decision) -> dict[str, Any]:
    return {
        "region": decision.project.region,
        "project_id": decision.project.project_id,
        "graph_id": decision.graph_id,
        "graph": decision.graph,
        "rule": decision.rule,
        "from_version": _text(decision.from_version),
        "target": _text(decision.target),
        "action": decision.action.value,
        "reason": decision.reason.value,
        "until": ceiled(decision.until) if decision.until else None,
        "job_id": decision.job_id,
    }


def _pending(attempt: Attempt | BackupAttempt) -> dict[str, Any]:
    return {
        "region": attempt.project.region,
        "project_id": attempt.project.project_id,
        "graph_id": attempt.graph_id,
        "graph": attempt.graph,
        "job": "upgrade" if isinstance(attempt, Attempt) else "backup",
        "job_id": attempt.job_id,
        "from_version": attempt.from_version.text if isinstance(attempt, Attempt) else None,
        "to_version": _text(attempt.target if isinstance(attempt, Attempt) else attempt.to_version),
        "began_at": iso(attempt.began_at),
    }


def names(attempt: Attempt) -> dict[str, Any]:
    """What a log line says about an attempt."""
    return {
        "region": attempt.project.region,
        "project": attempt.project.project_id,
        "graph": attempt.graph,
        "job": attempt.job_id,
    }


def _text(version: Any) -> str | None:
    return None if version is None else str(version)
