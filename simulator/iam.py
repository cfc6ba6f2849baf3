"""IAM: the projects of a region, which the SDK looks up when it is not told a project id (smn-obs-core.md B1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud


def list_projects(cloud: Cloud, request: Request) -> Response:
    name = request.query.get("name")
    found = [
        {"id": project.id, "name": project.region, "domain_id": "d" * 32, "enabled": True, "is_domain": False}
        for project in cloud.projects.values()
        if name in (None, project.region)
    ]
    return Response.of(200, {"projects": found, "links": {"self": "", "previous": None, "next": None}})
