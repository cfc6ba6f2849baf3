"""One invocation of the function: policy and event to a run, and what is returned if there can be no run."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.platform import Platform, libraries
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import Command, EventError, Word
from ges_upgrader.events.reading import read_event
from ges_upgrader.events.smn import Trust, function_region
from ges_upgrader.history.records import Noticed
from ges_upgrader.journal.storage import Memory
from ges_upgrader.log import start_log
from ges_upgrader.policy.parsing import PolicyError
from ges_upgrader.policy.schema import Policy, fingerprint
from ges_upgrader.redaction import Secrets
from ges_upgrader.running.context import ContextError, RunContext, storage_of, wire
from ges_upgrader.running.policies.refusal import legible_policy, refused_notice, send_refusal, unreachable_notice
from ges_upgrader.running.policies.source import PolicySource, PolicyUnreachable
from ges_upgrader.running.results.pages import summary
from ges_upgrader.running.results.sizes import bounded, presentable
from ges_upgrader.running.run import Unrecorded, run
from ges_upgrader.running.upkeep import JournalWatch
from ges_upgrader.schedule import zones

if TYPE_CHECKING:
    from ges_upgrader.log import Log


class Instance:
    """What one instance of the function keeps between its invocations: the journal of `state: none`, and when it last
    reported that the policy is refused or the journal cannot be reached.

    `code` is the folder of the handler, beside which the policy file is looked for.
    """

    def __init__(self, code: Path, clock: Clock) -> None:
        self._code, self._clock = code, clock
        self._memory = Memory()
        self._watch = JournalWatch()
        self._source = PolicySource(code, clock)
        self._refusal_sent_on: date | None = None
        self._cold = True

    def invoke(self, event: object, context: object) -> dict[str, Any]:
        """The result that interface.md describes; faults are entries of its `errors`.

        Raises Unrecorded and PolicyUnreachable, so that the platform delivers the event again if it would be lost otherwise.
        """
        platform = Platform(context)
        run_id, secrets = os.urandom(16).hex(), Secrets.of(platform.secrets)
        log = self._log(platform, run_id, secrets)
        try:
            return bounded(presentable(self._run(event, platform, run_id, log), secrets))
        except (Unrecorded, PolicyUnreachable) as error:
            log.error("event.returned", error=str(error))
            raise
        except Exception as error:
            log.error("run.crashed", exc_info=True)
            fault = f"a fault of the function itself: {type(error).__name__}; see run.crashed in the log"
            return bounded(presentable(self._refusal(run_id, None, [fault]), secrets))

    def _run(self, event: object, platform: Platform, run_id: str, log: Log) -> dict[str, Any]:
        try:
            policy = self._source.policy(platform, function_region(event), log)
        except PolicyError as error:
            log.error("policy.refused", problems=error.problems)
            notice, whom = refused_notice(error.problems, self._clock.now()), legible_policy(self._source.text)
            return self._refused(error.problems, notice, whom, platform, run_id, log)
        except PolicyUnreachable as error:
            log.error("policy.unreachable", error=str(error))
            if self._source.last is None:  # nobody can be notified but by the platform
                raise
            notice = unreachable_notice(str(error), self._clock.now())
            return self._refused([str(error)], notice, self._source.last, platform, run_id, log)
        topics = None if policy.release_topics is None else [topic.urn for topic in policy.release_topics]
        try:
            command = read_event(event, Trust(topics, policy.outlet.topic.urn), self._clock.now())
        except EventError as error:
            log.error("event.refused", error=str(error))
            return self._refusal(run_id, policy, [str(error)])
        try:
            run_context = wire(policy, command, platform, self._clock, self._memory, log, run_id)
        except ContextError as error:
            log.error("run.refused", error=str(error))
            return self._refusal(run_id, policy, [*command.remarks, str(error)])
        if command.word is Word.DOCTOR:
            return self._examined(policy, command, run_context, platform)
        return run(command, run_context, self._watch)

    def _examined(self, policy: Policy, command: Command, context: RunContext, platform: Platform) -> dict[str, Any]:
        """The answer of the command `doctor`, which is no run."""
        from ges_upgrader.running.doctor.examination import Examination, Patient  # seldom needed

        storage = storage_of(policy, platform, context.home, self._clock, self._memory, context.remaining)
        found = Examination(Patient(context, platform, self._clock, self._code, storage)).findings()
        answer = self._refusal(context.run_id, policy, list(command.remarks))
        return {**answer, "command": command.word.value, "doctor": [one.shown() for one in found]}

    def _refused(
        self, problems: list[str], notice: Noticed, whom: Policy | None, platform: Platform, run_id: str, log: Log
    ) -> dict[str, Any]:
        """The result of a run without a policy, which does nothing but send a notice, once a day, as `whom` says."""
        errors, notified = [f"policy: {problem}" for problem in problems], 0
        today = self._clock.now().date()
        if whom is not None:
            try:
                run_context = wire(whom, Command(Word.PLAN), platform, self._clock, self._memory, log, run_id)
                sent = send_refusal(notice, run_context, again=self._refusal_sent_on != today)
                errors, notified = [*errors, *sent.errors], sent.notified
            except ContextError as error:
                errors.append(str(error))
        if notified:
            self._refusal_sent_on = today
        return {**self._refusal(run_id, None, errors), "notified": notified}

    def policy_of(self, platform: Platform) -> Policy:
        """The policy, which is parsed only if its text changed. Raises PolicyError, PolicyUnreachable."""
        return self._source.policy(platform)

    def _refusal(self, run_id: str, policy: Policy | None, errors: list[str]) -> dict[str, Any]:
        return {
            "schema": "ges.upgrade.run/1",
            "run_id": run_id,
            "policy": fingerprint(policy) if policy else None,
            "command": None,
            "dry_run": True,
            "now": iso(self._clock.now()),
            "done": [],
            "summary": summary([], []),
            "decisions": [],
            "cursor": None,
            "outcomes": [],
            "notified": 0,
            "pending": [],
            "errors": errors,
        }

    def _log(self, platform: Platform, run_id: str, secrets: Secrets) -> Log:
        """The run's log. The first run of an instance logs which libraries it has, and warns of those that are not ours."""
        cold, self._cold = self._cold, False
        context = {
            "request_id": platform.request_id,
            "run_id": run_id,
            "function": platform.function_name,
            "cold_start": cold,
        }
        log = start_log(platform.variable("LOG_LEVEL") or "INFO", secrets, context)
        if cold:
            found, foreign = libraries(self._code)
            write = log.warning if foreign else log.info
            write(
                "instance.started",
                python=sys.version.split()[0],
                libraries=found,
                time_zones=zones.source(),
                **({"foreign": foreign} if foreign else {}),
            )
        return log
