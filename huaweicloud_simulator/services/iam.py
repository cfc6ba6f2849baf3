"""IAM: the projects of a region. The SDK looks them up if it has no project id (smn-obs-core.md B1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..gateway.addresses import Target
from ..projects import Project
from ..wire import Answer, Request, Response, no_such_api


def route(projects: Mapping[str, Project], request: Request, _: Target) -> tuple[str, Answer]:
    if request.method == "GET":
        return "list_projects", lambda: _list_projects(projects.values(), request)
    return "unknown", no_such_api


def _list_projects(projects: Iterable[Project], request: Request) -> Response:
    """Only the first project of a region has the region's name. Later ones are sub-projects, named `<region>_<suffix>`."""
    wanted, names = request.query.get("name"), set()
    found = []
    for project in projects:
        name = project.region if project.region not in names else f"{project.region}_{project.id[:8]}"
        names.add(name)
        if wanted in (None, name):
            found.append({"id": project.id, "name": name, "domain_id": "d" * 32, "enabled": True, "is_domain": False})
    return Response.of(200, {"projects": found, "links": {"self": "", "previous": None, "next": None}})
