"""Observing: the graphs of all projects, as GES lists them."""

from __future__ import annotations

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.report import RunReport


def observe(context: RunContext, fleet: Fleet, report: RunReport) -> Fleet:
    """The fleet as it is listed now. A project that cannot be listed is left alone, and reported."""
    for project in context.projects:
        try:
            graphs, problems = context.ges.list_graphs(project)
        except CloudError as error:
            fleet = fleet.lost(project)
            report.complain(f"{error}; nothing was started in project {project.project_id}")
            continue
        fleet = fleet.listed(project, graphs, partial=bool(problems))
        for problem in problems:
            report.complain(f"{problem}; rules that count their graphs, or wait for others, start nothing")
        for name in (graph.name for graph in graphs if graph.version is None):
            report.complain(f"ges list_graphs in {project.region}: {name} has no version that can be read")
    context.log.info("fleet.observed", graphs=len(fleet.visible), projects_unseen=len(fleet.unseen))
    return fleet
