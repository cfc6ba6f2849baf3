"""A project in its region, with its graphs and topics."""

from __future__ import annotations

from typing import Any

from .ges.models import Graph
from .ges.state import State
from .smn.models import Topic


class Project:
    """A project of IAM. `ges` is what all graphs of the cloud share. `domain_id` is set if it belongs to another account."""

    def __init__(self, ges: State, region: str, project_id: str) -> None:
        self.ges, self.region, self.id = ges, region, project_id
        self.graphs: dict[str, Graph] = {}
        self.topics: dict[str, Topic] = {}
        self.domain_id = ""

    def graph(self, name: str, **fields: Any) -> Graph:
        """Creates a graph, in one moment. `fields` are those of `Graph`."""
        graph = Graph(self.ges, self.region, self.id, name, **fields)
        self.graphs[graph.id] = graph
        return graph

    def delete(self, graph: Graph) -> None:
        """Deletes a graph, in one moment. GES no longer knows its jobs and backups."""
        del self.graphs[graph.id]

    def topic(self, name: str) -> Topic:
        """Gets or creates a topic."""
        urn = f"urn:smn:{self.region}:{self.id}:{name}"
        return self.topics.setdefault(urn, Topic(urn))
