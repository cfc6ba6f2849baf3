"""Upgrades in progress that no journal knows of: taken up from what GES shows."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.jobs import Job
from ges_upgrader.domain.model import Attempt, Graph
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Intended
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.planning.matching import govern
from ges_upgrader.policy.schema import Rule
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import RunReport, names


class Adopter:
    """Records upgrades in progress as attempts, from where they are followed like our own."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report

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
        job = self._job_in_progress(graph, began)
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

    def _job_in_progress(self, graph: Graph, began: datetime) -> Job | None:
        try:
            jobs = self._context.ges.list_jobs(graph.project, graph.name, began - timedelta(days=1))
        except CloudError as error:
            self._report.complain(f"{error}; the upgrade of {graph.name} in progress could not be adopted")
            return None
        return next((job for job in jobs if not job.ended), None)

    def _likely_target(self, version: Version) -> Version:
        """The newest release that is known; the version itself if none is, or if only a part of them is known."""
        if not self._history.readable:
            return version
        known = {*self._history.releases.known, *(release.version for release in self._context.policy.releases)}
        return max({version, *known})
