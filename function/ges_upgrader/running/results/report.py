"""A run's report: errors, what was decided and started, how upgrades ended; the result that the handler returns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ges_upgrader.domain.model import Action, Attempt, Decision, GraphKey, Operation, Reason, Start, Verdict
from ges_upgrader.domain.plain_text import MOST_DETAIL, plain
from ges_upgrader.domain.timestamps import ceiled, iso
from ges_upgrader.events.commands import Command
from ges_upgrader.running.results.pages import Explain, page_of, selected, summary

if TYPE_CHECKING:
    from ges_upgrader.log import Log


class RunReport:
    """Filled while the run continues; `result` closes it. `notified` counts the messages that were delivered."""

    def __init__(self, command: Command, began: datetime, log: Log) -> None:
        self.notified = 0
        self.errors: list[str] = list(command.remarks)
        self._complaints: set[str] = set(self.errors)
        self._command, self._began, self._log = command, began, log
        self._decided: dict[GraphKey, Decision] = {}
        self._started: dict[GraphKey, Decision] = {}
        self._outcomes: dict[tuple[str, Verdict], dict[str, Any]] = {}
        self._explain: Explain = lambda _: {}
        self._done: list[Mapping[str, Any]] = []
        self._added: dict[str, Any] = {}

    def complain(self, text: str) -> None:
        """Adds an error, once."""
        text = plain(text, MOST_DETAIL)
        same = re.sub(r"request [0-9a-f-]+", "request", text)
        if same not in self._complaints:
            self._complaints.add(same)
            self.errors.append(text)
            self._log.error("error.reported", error=text)

    def explain(self, explain: Explain) -> None:
        """What is added to each graph's decision that the result shows: its checks, and what would make it earlier."""
        self._explain = explain

    def do(self, done: Mapping[str, Any]) -> None:
        """What a command recorded."""
        self._done.append(done)

    def add(self, name: str, value: Any) -> None:
        """A part of the result that only this command has."""
        self._added[name] = value

    def decide(self, decisions: Iterable[Decision]) -> None:
        """The latest decision about each graph stands, unless it was started; a backup that failed started nothing."""
        for decision in decisions:
            self._decided[decision.key] = decision
            if decision.reason is Reason.BACKUP_FAILED:
                self._started.pop(decision.key, None)

    def start(self, start: Start, job_id: str | None = None) -> None:
        """The decision about the graph is that it was started."""
        self._started[start.key] = Decision(
            project=start.project,
            graph_id=start.graph_id,
            graph=start.graph,
            rule=start.rule,
            from_version=start.from_version,
            target=start.to_version,
            action=start.action,
            reason=Reason.DUE,
            job_id=job_id,
        )

    def postpone(self, starts: Iterable[Start]) -> None:
        """What was due, and not started for lack of time, waits for a later run."""
        for start in starts:
            decision = self._decided.get(start.key)
            if decision is not None:
                self._decided[start.key] = msgspec.structs.replace(decision, action=Action.WAIT)

    def end(self, attempt: Attempt, verdict: Verdict, detail: str | None) -> None:
        """An upgrade ended, or timed out."""
        self._outcomes[attempt.job_id or attempt.id, verdict] = {
            "graph_id": attempt.graph_id,
            "job_id": attempt.job_id,
            "from_version": attempt.from_version.text,
            "to_version": _text(attempt.target),
            "outcome": verdict.value,
            "detail": detail,
        }
        self._log.info("upgrade.ended", outcome=verdict.value, detail=detail, **names(attempt))

    def result(self, run_id: str, policy: str, dry: bool, journal: str, pending: Iterable[Operation]) -> dict[str, Any]:
        """The handler's return value (interface.md, Result). `pending` is still in progress."""
        for decision in self._decided.values():
            self._log.info(
                "graph.decided",
                region=decision.project.region,
                project=decision.project.project_id,
                graph=decision.graph,
                action=decision.action.value,
                reason=decision.reason.value,
            )
        command = self._command
        decided = [self._started.get(key, decision) for key, decision in self._decided.items()]
        asked = selected(command, decided)
        page = page_of(command, asked, lambda one: {**_shown(one), **self._explain(one.key)})
        outcomes = list(self._outcomes.values())
        result = {
            "schema": "ges.upgrade.run/1",
            "run_id": run_id,
            "policy": policy,
            "command": command.word.value,
            "dry_run": dry,
            "now": iso(self._began),
            "done": self._done,
            "summary": summary(asked, [outcome["outcome"] for outcome in outcomes]),
            "decisions": page.decisions,
            "cursor": page.cursor,
            "outcomes": outcomes,
            "notified": self.notified,
            "pending": [_pending(operation) for operation in pending],
            "errors": self.errors,
            "journal": journal,
            **self._added,
        }
        self._log.info("run.ended", outcomes=len(self._outcomes), notified=self.notified, errors=len(self.errors))
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


def _pending(operation: Operation) -> dict[str, Any]:
    upgrade = operation if isinstance(operation, Attempt) else None
    return {
        "region": operation.project.region,
        "project_id": operation.project.project_id,
        "graph_id": operation.graph_id,
        "graph": operation.graph,
        "job": "upgrade" if upgrade else "backup",
        "job_id": operation.job_id,
        "from_version": upgrade.from_version.text if upgrade else None,
        "to_version": _text(upgrade.target if upgrade else operation.to_version),
        "began_at": iso(operation.began_at),
    }


def names(operation: Operation) -> dict[str, Any]:
    """What a log line says about an upgrade or a backup."""
    return {
        "region": operation.project.region,
        "project": operation.project.project_id,
        "graph": operation.graph,
        "job": operation.job_id,
    }


def _text(version: Any) -> str | None:
    return None if version is None else str(version)
