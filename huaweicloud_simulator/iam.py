"""IAM: the projects of a region, which the SDK looks up when it is not told a project id (smn-obs-core.md B1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud


def list_projects(cloud: Cloud, request: Request) -> Response:
    """Only a region's first project bears the region's name; later ones are sub-projects, `<region>_<what one likes>`."""
    wanted, names = request.query.get("name"), set()
    found = []
    for project in cloud.projects.values():
        name = project.region if project.region not in names else f"{project.region}_{project.id[:8]}"
        names.add(name)
        if wanted in (None, name):
            found.append({"id": project.id, "name": name, "domain_id": "d" * 32, "enabled": True, "is_domain": False})
    return Response.of(200, {"projects": found, "links": {"self": "", "previous": None, "next": None}})
