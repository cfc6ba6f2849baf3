"""Starting an upgrade that is due: intent, call, job, in this order, so that whatever is lost can be found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import msgspec

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.model import Attempt, Decision
from ges_upgrader.history.records import AnyRecord, Intended
from ges_upgrader.notifications.notices import started
from ges_upgrader.planning.verdicts import CALLS_TAKE, LOOKS
from ges_upgrader.running.context import Shell
from ges_upgrader.running.follow import Following
from ges_upgrader.running.report import Account, names

CALLS_OF_AN_UPGRADE = 3
NEVER = datetime.max.replace(tzinfo=timezone.utc)


class Starting:
    """`looks` are the pauses before each look, in seconds.

    `still` gives a decision as it is under the history of by now, and at this time; None: it does not stand.
    """

    def __init__(
        self,
        shell: Shell,
        account: Account,
        following: Following,
        looks: tuple[float, ...],
        still: Callable[[Decision], Decision | None],
    ) -> None:
        self._shell, self._account, self._following = shell, account, following
        self._looks, self._still = looks, still

    def upgrade(self, decision: Decision) -> bool:
        """Starts an upgrade. Whether the call was tried."""
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
            began_at=self._shell.clock.now(),
        )

        def intended(decision: Decision) -> AnyRecord:
            nonlocal attempt
            attempt = msgspec.structs.replace(attempt, force=decision.force, closes=decision.closes)
            return Intended(at=attempt.began_at, attempt=attempt)

        fresh = self._account.intend(decision, self._still, intended)
        if fresh is None:
            return False
        decision, may_act = fresh, False
        before = min(attempt.began_at + CALLS_TAKE, decision.start_before or NEVER)
        for number in range(CALLS_OF_AN_UPGRADE):
            if self._late(before) or (number and self._shell.left() <= timedelta()):
                if may_act:
                    break
                detail = "its time was over before it could be started: the window's, the run's, or that of its calls"
                self._account.complain(f"{attempt.graph} was not upgraded to {attempt.to_version}: {detail}")
                self._following.refused(attempt, "too-late", detail)
                return True
            try:
                job_id = self._shell.ges.upgrade_graph(
                    attempt.project, attempt.graph_id, attempt.to_version, attempt.force, before
                )
            except CloudError as error:
                self._shell.log.warning("upgrade.call_failed", error=str(error), **names(attempt))
                may_act = may_act or error.may_have_acted
                acted = self._look(attempt) if may_act else ""
                if acted is None:
                    self._account.complain(
                        f"{error}; whether {attempt.graph} is upgraded is not known yet; it is looked at again"
                    )
                    self._account.start(decision)
                    return True
                if not acted and error.may_have_acted:
                    continue
                if not acted and may_act:
                    break
                if not acted:
                    self._account.complain(f"{error}; {attempt.graph} was not upgraded to {attempt.to_version}")
                    self._following.refused(attempt, error.code, str(error))
                    return True
                job_id = acted
            self._following.began(attempt, job_id)
            if "started" in self._shell.policy.outlet.on:
                self._account.note(started(attempt, self._shell.clock.now()))
            self._account.start(msgspec.structs.replace(decision, job_id=job_id or None))
            self._shell.log.info("upgrade.started", **{**names(attempt), "job": job_id}, to=attempt.to_version.text)
            return True
        self._account.complain(
            f"GES gave no answer to a call that upgrades {attempt.graph} to {attempt.to_version}, and nothing began; it is "
            "looked at again, as the call may still arrive"
        )
        return True

    def _late(self, before: datetime) -> bool:
        return self._shell.clock.now() >= before

    def _look(self, attempt: Attempt) -> str | None:
        """Whether a call without an answer acted: its job id, or "" for no, or None where that cannot be told."""
        for pause in self._looks[:LOOKS]:
            if self._shell.left() <= timedelta(seconds=pause):
                return None
            self._shell.clock.sleep(pause)
            try:
                graph = self._shell.ges.show_graph(attempt.project, attempt.graph_id)
                job_id = self._following.job_of(attempt)
            except CloudError as error:
                self._shell.log.warning("upgrade.look_failed", error=str(error), **names(attempt))
                return None
            if job_id is not None:
                return job_id
            if graph is None or not graph.status.running or graph.version != attempt.from_version:
                return None
        return ""
