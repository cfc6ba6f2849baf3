"""A fleet as a file: graphs, the versions that GES accepts, the releases that were announced, and the journal.

    graphs:
      - {name: orders, version: 2.4.9, tags: {env: prod}}
    versions: [2.4.15]
    releases: [{version: 2.4.15, seen: 2026-11-20T02:00:00Z}]
    journal: []          # records, as the journal's lines hold them

A review pipeline plans with it and needs no credentials.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Graph, Project, Release, Severity, Status
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import AnyRecord, Record, Released, ReleaseSource
from ges_upgrader.journal.lines import decoded, encoded
from ges_upgrader.policy.fields import Instant
from ges_upgrader.policy.yaml_text import UnreadableText, read


class FleetError(Exception):
    """The file cannot be used; the message says where and what is accepted."""


class FileGraph(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A graph as GES shows it. Without a region and project it is in the function's own."""

    name: str
    version: str
    id: str = ""
    status: str = "200"
    tags: dict[str, str] = {}
    region: str = ""
    project_id: str = ""
    enterprise_project: str = "0"
    product_type: str = "InMemory"
    arch: str = "x86_64"


class FileRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An announced release. `seen`: when its first message came; without it, long ago."""

    version: str
    seen: str = "2000-01-01"
    released_at: str = ""
    severity: Severity = Severity.NORMAL

    @property
    def record(self) -> Released:
        released_at = Instant(self.released_at).at if self.released_at else None
        release = Release(Version.written(self.version), released_at, severity=self.severity)
        return Released(at=Instant(self.seen).at, release=release, source=ReleaseSource.MESSAGE)


class FleetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`versions` are those that GES accepts as targets, beside those of the graphs and the releases."""

    graphs: tuple[FileGraph, ...] = ()
    versions: tuple[str, ...] = ()
    releases: tuple[FileRelease, ...] = ()
    journal: tuple[dict[str, Any], ...] = ()

    @property
    def records(self) -> list[AnyRecord]:
        """The journal, with the announced releases, in the order of time."""
        found: list[AnyRecord] = [release.record for release in self.releases]
        found += [decoded(json.dumps(record).encode()) for record in self.journal]
        return sorted(found, key=lambda record: record.at)


def read_fleet(text: str) -> FleetFile:
    """Raises FleetError."""
    try:
        raw = read(text)
        return read_fleet_data(msgspec.convert({} if raw is None else raw, FleetFile))
    except UnreadableText as error:
        raise FleetError(str(error)) from None
    except msgspec.ValidationError as error:
        raise FleetError(f"{error}; a fleet file has graphs, versions, releases and journal") from None


def read_fleet_data(fleet: FleetFile) -> FleetFile:
    """The same fleet. Raises FleetError if a version, a time or a record in it cannot be read."""
    for problem in _problems(fleet):
        raise FleetError(problem)
    return fleet


def seen(fleet: FleetFile, home: Project) -> Fleet:
    """The fleet as a run sees it. `home` is the project of graphs that name none."""
    return Fleet.of(
        Graph(
            project=Project(one.region or home.region, one.project_id or home.project_id),
            id=one.id or one.name,
            name=one.name,
            version=Version(one.version),
            status=Status(one.status),
            tags=one.tags,
            enterprise_project=one.enterprise_project,
            product_type=one.product_type,
            arch=one.arch,
        )
        for one in fleet.graphs
    )


def listed(graph: Graph) -> FileGraph:
    """A graph of a run as the file holds it; one whose version GES does not show is as good as none."""
    return FileGraph(
        name=graph.name,
        version=graph.version.text if graph.version else "0.0.0",
        id=graph.id,
        status=graph.status.code,
        tags=dict(graph.tags),
        region=graph.project.region,
        project_id=graph.project.project_id,
        enterprise_project=graph.enterprise_project or "0",
        product_type=graph.product_type or "InMemory",
        arch=graph.arch or "x86_64",
    )


def write_fleet(fleet: FleetFile) -> str:
    return yaml.safe_dump(msgspec.to_builtins(fleet), sort_keys=False, allow_unicode=True, width=120)


def as_entry(record: Record) -> dict[str, Any]:
    """A record as the file's `journal` holds it."""
    return dict(json.loads(encoded(record)))


def _problems(fleet: FleetFile) -> Iterator[str]:
    for number, graph in enumerate(fleet.graphs):
        yield from _wrong(f"graphs[{number}].version", Version, graph.version)
    for number, release in enumerate(fleet.releases):
        yield from _wrong(f"releases[{number}]", lambda one: one.record, release)
    for number, record in enumerate(fleet.journal):
        yield from _wrong(f"journal[{number}]", lambda one: decoded(json.dumps(one).encode()), record)


def _wrong(path: str, make: Any, value: Any) -> Iterator[str]:
    try:
        make(value)
    except (ValueError, TypeError) as error:
        yield f"{path}: {error}"
