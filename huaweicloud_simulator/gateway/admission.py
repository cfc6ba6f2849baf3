"""Who may ask: the checks that every request passes before its service answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..clock import signing_times
from ..iam.permissions import session_of
from ..iam.state import State as Iam
from ..projects import Project
from ..wire import Refusal, Request, no_such_api
from . import signature
from .addresses import Target

Admit = Callable[[Request, Target], None]  # raises Refusal

_FOREIGN_PROJECT = {
    "ges": (400, "GES.0016", "Resource not found"),
    "smn": (403, "SMN.0001", "No permission."),
}


class Admission:
    """`without_v2` are the regions in which v2 of GES is not published."""

    def __init__(self, iam: Iam, projects: Mapping[str, Project], without_v2: set[str]) -> None:
        self._iam, self._projects, self._without_v2 = iam, projects, without_v2

    def of_service(self, request: Request, target: Target) -> None:
        """Admits a signed request at a host of its service."""
        self._iam.forget_expired()
        signature.check(request, self._iam.keys, self._iam.tokens, signing_times(self._iam.clock))
        if target.host_service not in (None, target.service):
            no_such_api()

    def of_project(self, request: Request, target: Target) -> None:
        """Admits a signed request for a project at a host of its region, if a header names no other project (ges.md 1)."""
        self.of_service(request, target)
        project = self._projects.get(target.parts[1])
        if project is None or not _is_addressed(project, request, target) or not self._is_of_caller(project, request):
            raise _foreign_project(request)
        request.region = project.region
        if target.api == "v2" and project.region in self._without_v2:
            no_such_api()

    def _is_of_caller(self, project: Project, request: Request) -> bool:
        """A project of another account needs credentials of an agency there. The other keys belong to our account."""
        session = session_of(self._iam, request)
        agency = self._iam.agencies.get(session.agency_id) if session else None
        domain = agency.domain_id if agency else self._iam.domain_id
        return domain == (project.domain_id or self._iam.domain_id)

    def of_obs(self, request: Request, target: Target) -> None:
        self._iam.forget_expired()
        signature.check_obs(request, target.bucket, target.key, self._iam.keys, signing_times(self._iam.clock))
        request.region = target.region or ""


def admit_all(*_: object) -> None:
    """The engine checks tokens itself, and words refusals in its own way."""


def _is_addressed(project: Project, request: Request, target: Target) -> bool:
    """Whether the host is of the project's region, and no header names another project."""
    return target.region in (None, project.region) and request.headers.get("x-project-id", project.id) == project.id


def _foreign_project(request: Request) -> Refusal:
    """A project that does not belong to the caller. Other services' code is inferred from the gateway's (ges.md 5.3)."""
    return Refusal(*_FOREIGN_PROJECT.get(request.service, (403, "APIGW.0302", "The request is not authorised")))
