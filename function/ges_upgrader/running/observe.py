"""Observing: the graphs of all projects, as GES lists them; and what is reported if it does not."""

from __future__ import annotations

from datetime import timedelta

from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.ges.client import Listing
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Project
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord
from ges_upgrader.notifications.sight import sightings
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import RunReport


class Observer:
    """Lists projects, again and again in one run.

    Beside others, a project that does not answer takes at most a third of the run's time, however often it is asked, and
    several take two thirds: so the others are served in the same run.
    """

    def __init__(self, context: RunContext, report: RunReport) -> None:
        self._context, self._report = context, report
        self._share = context.left() / (3 if len(context.projects) > 1 else 1)
        self._lost: dict[Project, timedelta] = {}  # what the calls took that did not list a project
        self._errors: dict[Project, str] = {}  # why, if that was not mended since

    def observe(self, fleet: Fleet) -> Fleet:
        """The fleet as it is listed now. A project that cannot be listed is left alone, and reported."""
        for project in self._context.projects:
            listing = self._listing(project)
            if listing is None:
                fleet = fleet.lost(project)
            else:
                self._errors.pop(project, None)
                fleet = fleet.listed(project, listing.graphs, partial=bool(listing.problems))
                self._complain(project, listing)
        self._context.log.info("fleet.observed", graphs=len(fleet.visible), projects_unseen=len(fleet.unseen))
        return fleet

    def _complain(self, project: Project, listing: Listing) -> None:
        for problem in listing.problems:
            self._report.complain(f"{problem}; rules that count their graphs, or wait for others, start nothing")
        for name in (graph.name for graph in listing.graphs if graph.version is None):
            self._report.complain(f"ges list_graphs in {project.region}: {name} has no version that can be read")

    def sightings(self, history: History) -> list[AnyRecord]:
        """What is to be recorded of the projects that were listed last, and of those that could not be."""
        context = self._context
        seen = [project for project in context.projects if project not in self._errors]
        return [*sightings(history, seen, self._errors, context.policy.alert_after, context.clock.now())]

    def _listing(self, project: Project) -> Listing | None:
        """None: the project's graphs are unknown, and that was reported."""
        lost, began = self._lost.get(project, timedelta()), self._context.clock.now()
        if lost and lost >= self._share:
            return None
        try:
            return self._context.ges.list_graphs(project, began + self._patience(lost))
        except CloudError as error:
            self._complain_unseen(project, error)
            self._lost[project] = lost + (self._context.clock.now() - began)
            return None

    def _complain_unseen(self, project: Project, error: CloudError) -> None:
        silent_again = isinstance(error, Unreachable) and project in self._lost
        if not silent_again:
            self._report.complain(f"{error}; nothing was started in project {project.project_id}")
        self._errors[project] = str(error)

    def _patience(self, lost: timedelta) -> timedelta:
        """For one more call about a project that `lost` so much. The tenth lets a healthy project answer after silent ones."""
        common = self._share - sum(self._lost.values(), timedelta()) / 2
        return min(self._share - lost, max(common, self._context.left() / 10))
