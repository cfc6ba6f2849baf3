"""Fills a cloud from a fleet: graphs, and the versions that GES accepts. The form is that of ges-upgrader's fleet files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import demo
from ..cloud import Cloud

_FIELDS = ("version", "status", "enterprise_project", "product_type", "arch")


def seed(cloud: Cloud, fleet: Mapping[str, Any]) -> int:
    """Adds the fleet. Returns the number of its graphs. Raises ValueError for what is no fleet."""
    graphs = fleet.get("graphs", [])
    if not isinstance(graphs, list) or not all(isinstance(one, dict) and one.get("name") for one in graphs):
        raise ValueError("graphs must be a list of objects with a name")
    releases = [one["version"] if isinstance(one, dict) else one for one in fleet.get("releases", [])]
    cloud.release(*map(str, fleet.get("versions", [])), *map(str, releases))
    for one in graphs:
        _add(cloud, one)
    for name in fleet.get("topics", []):
        cloud.project(demo.REGION, demo.PROJECT_ID).topic(name)
    for name in fleet.get("buckets", []):
        cloud.bucket(name, demo.REGION)
    return len(graphs)


def _add(cloud: Cloud, graph: Mapping[str, Any]) -> None:
    project = cloud.project(graph.get("region") or demo.REGION, graph.get("project_id") or demo.PROJECT_ID)
    fields = {name: str(graph[name]) for name in _FIELDS if graph.get(name)}
    tags = {str(key): str(value) for key, value in (graph.get("tags") or {}).items()}
    project.graph(graph["name"], id=graph.get("id") or None, tags=tags, **fields)
