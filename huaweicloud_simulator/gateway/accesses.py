"""Whether a request may be answered, and the resource that it is about in the words of policies (deploy.md 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..iam import permissions
from ..iam.permissions import Access
from ..iam.state import State as Iam
from ..projects import Project
from ..wire import Answer, Refusal, Request, Response
from .addresses import Target


def permitted(iam: Iam, projects: Mapping[str, Project], request: Request, target: Target, answer: Answer) -> Response:
    """The answer, if the caller has the right. Without the right to list a bucket, OBS hides that an object is missing."""
    access = accessed(request, target, projects)
    permissions.check(iam, request, access)
    try:
        return answer()
    except Refusal as refusal:
        session = permissions.session_of(iam, request)
        if refusal.code != "NoSuchKey" or session is None:
            raise
        listed = replace(access, resource=f"bucket:{target.bucket}")
        if permissions.allowed(iam, session, "obs:bucket:ListBucket", listed):
            raise
        raise permissions.refused("obs", "obs:bucket:ListBucket") from None


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
