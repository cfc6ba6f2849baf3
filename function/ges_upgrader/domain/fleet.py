"""The graphs that a run sees, and whether it sees them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from ges_upgrader.domain.model import Graph, GraphKey, Project


class Fleet(msgspec.Struct, frozen=True):
    """`projects` holds the graphs of each project by their ids, as it was last listed.

    `unseen` are projects whose last listing failed: their graphs may be outdated. `partial` are those whose last listing is
    known to lack graphs.
    """

    projects: Mapping[Project, Mapping[str, Graph]] = {}
    unseen: frozenset[Project] = frozenset()
    partial: frozenset[Project] = frozenset()

    @classmethod
    def of(cls, graphs: Iterable[Graph], complete: bool = True) -> Fleet:
        """A fleet of these graphs; not `complete`: their projects are listed in part."""
        projects: dict[Project, dict[str, Graph]] = {}
        for graph in graphs:
            projects.setdefault(graph.project, {})[graph.id] = graph
        return cls(projects, partial=frozenset() if complete else frozenset({*projects, Project("", "")}))

    @property
    def complete(self) -> bool:
        """Whether every graph of every project was listed."""
        return not self.unseen and not self.partial

    @property
    def visible(self) -> list[Graph]:
        """The graphs of the projects whose last listing succeeded."""
        listed = (graphs.values() for project, graphs in self.projects.items() if project not in self.unseen)
        return list(chain.from_iterable(listed))

    def get(self, key: GraphKey) -> Graph | None:
        """A graph as its project was last listed, even if that is outdated."""
        project_id, graph_id = key
        listed = (graphs for project, graphs in self.projects.items() if project.project_id == project_id)
        return next((graphs[graph_id] for graphs in listed if graph_id in graphs), None)

    def listed(self, project: Project, graphs: Iterable[Graph], partial: bool) -> Fleet:
        """The fleet after a project was listed."""
        return Fleet(
            {**self.projects, project: {graph.id: graph for graph in graphs}},
            self.unseen - {project},
            self.partial | {project} if partial else self.partial - {project},
        )

    def lost(self, project: Project) -> Fleet:
        """The fleet after a project could not be listed."""
        return Fleet(self.projects, self.unseen | {project}, self.partial)
