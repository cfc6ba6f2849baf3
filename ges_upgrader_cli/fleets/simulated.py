"""A fleet on the simulated cloud, and back: what is kept between two commands."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote
from uuid import UUID, uuid5

import msgspec

from ges_upgrader.domain.model import Project
from ges_upgrader.policy.schema import Policy
from ges_upgrader_cli.fleets.files import FileGraph, FileRelease, FleetFile, write_fleet
from huaweicloud_simulator import demo
from huaweicloud_simulator.clock import Clock
from huaweicloud_simulator.cloud import Cloud
from huaweicloud_simulator.ges.models import Graph
from huaweicloud_simulator.obs.models import Object

_NAMES = UUID("7c307f6a-cf68-4e65-8be0-4c77405a1b2c")  # a graph of a file without an id has the same one each time


def home_of(policy: Policy) -> Project:
    """The function's own project, as far as the policy shows it."""
    topic = policy.outlet.topic
    listed = [Project(one.region, one.project_id) for one in policy.projects]
    return listed[0] if listed else Project(topic.region, topic.project_id)


def furnish(cloud: Cloud, policy: Policy) -> None:
    """Adds what the policy names: its projects, topics and the journal's bucket."""
    home, topic = home_of(policy), policy.outlet.topic
    for project in policy.projects:
        cloud.project(project.region, project.project_id)
    cloud.project(home.region, home.project_id)
    for one in (topic, *(policy.release_topics or ())):
        cloud.project(one.region, one.project_id).topic(one.name)
    if policy.state.bucket is not None:
        cloud.bucket(policy.state.bucket, home.region)


def populate(cloud: Cloud, fleet: FleetFile, home: Project) -> None:
    """Adds the fleet's graphs, and the versions that its GES accepts."""
    cloud.release(*fleet.versions, *(release.version for release in fleet.releases))
    for number, one in enumerate(fleet.graphs):
        project = cloud.project(one.region or home.region, one.project_id or home.project_id)
        project.graph(
            one.name,
            version=one.version,
            status=one.status,
            tags=one.tags,
            enterprise_project=one.enterprise_project,
            product_type=one.product_type,
            arch=one.arch,
            id=one.id or str(uuid5(_NAMES, f"{project.id}/{number}/{one.name}")),
        )


def demo_fleet() -> FleetFile:
    """The fleet of the demonstration, and its release."""
    cloud = demo.demo_cloud()
    return FleetFile(
        graphs=tuple(msgspec.structs.replace(graph, id="") for graph in fleet_of(cloud).graphs),
        versions=tuple(sorted(cloud.ges.releases)),
        releases=(FileRelease(demo.VERSION, seen=demo.BEGIN.date().isoformat()),),
    )


def fleet_of(cloud: Cloud) -> FleetFile:
    """The graphs as GES shows them now."""
    graphs = (graph for project in cloud.projects.values() for graph in project.graphs.values())
    return FleetFile(graphs=tuple(_graph(graph) for graph in graphs), versions=tuple(sorted(cloud.ges.releases)))


def _graph(graph: Graph) -> FileGraph:
    return FileGraph(
        name=graph.name,
        version=graph.version,
        id=graph.id,
        status=graph.status,
        tags=graph.tags,
        region=graph.region,
        project_id=graph.project_id,
        enterprise_project=graph.enterprise_project,
        product_type=graph.product_type,
        arch=graph.arch,
    )


def settle(cloud: Cloud, clock: Clock, most: int = 60) -> None:
    """Waits until no upgrade is in progress, so that the graphs can be kept without their jobs."""
    graphs = [graph for project in cloud.projects.values() for graph in project.graphs.values()]
    for _ in range(most):
        if not any(graph.status in ("201", "203") for graph in graphs):
            return
        clock.sleep(1)


def store_buckets(cloud: Cloud, folder: Path) -> None:
    for bucket in cloud.buckets.values():
        for key, stored in bucket.objects.items():
            path = folder / bucket.name / quote(key, safe="")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stored.data)


def load_buckets(cloud: Cloud, folder: Path) -> None:
    for path in sorted(folder.glob("*/*")):
        cloud.bucket(path.parent.name).objects[unquote(path.name)] = Object(path.read_bytes(), appendable=True)


def keep(cloud: Cloud, folder: Path) -> None:
    """Stores the graphs as they are now, and the buckets, which hold the journal."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fleet.yaml").write_text(write_fleet(fleet_of(cloud)), encoding="utf-8")
    store_buckets(cloud, folder / "buckets")
