"""The resource that a request is about, in the words of policies (deploy.md 4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from ..iam.permissions import Access
from ..projects import Project
from ..wire import Request
from .addresses import Target


def accessed(request: Request, target: Target, projects: Mapping[str, Project]) -> Access:
    if request.service == "obs":
        resource = f"object:{target.bucket}/{target.key}" if target.key else f"bucket:{target.bucket}"
        return Access(request.operation, "", resource)
    project_id = target.parts[1] if len(target.parts) > 1 else ""
    return Access(request.operation, project_id, _resource(request, target, projects.get(project_id)))


def _resource(request: Request, target: Target, project: Project | None) -> str:
    """Such as `graphName:demo`; empty if the call is about no single one."""
    parts = target.parts
    if request.service == "ges" and project is not None and len(parts) > 3 and parts[3] in project.graphs:
        return f"graphName:{project.graphs[parts[3]].name}"
    if request.service == "functiongraph" and len(parts) > 4:
        fields = parts[4].split(":")
        return f"function:{'/'.join(fields[5:7])}" if len(fields) > 6 else f"function:default/{parts[4]}"
    if request.service == "smn" and len(parts) > 4:
        return f"topic:{parts[4].rpartition(':')[2]}"
    return ""
