"""What the holder of temporary credentials may do (deploy.md 4.2 and 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..wire import Refusal, Request
from .actions import ACTIONS, REFUSALS, UNKNOWN
from .models import Role, Scope, Session
from .policies import GLOBAL_SERVICES
from .state import State


@dataclass(frozen=True, slots=True)
class Access:
    """A call that needs rights: in which project, and on which resource, such as `object:state/journal-1.jsonl`."""

    operation: str
    project_id: str
    resource: str


def session_of(state: State, request: Request) -> Session | None:
    """The session of the credentials that signed the request; None for keys that may do everything."""
    given = request.headers.get("authorization", "")
    access = re.search(r"Access=([^,]+)|^(?:OBS|AWS) ([^:]+):", given)
    key = (access[1] or access[2]) if access else ""
    return state.sessions.get(request.headers.get("x-auth-token") or key)


def check(state: State, request: Request, access: Access) -> None:
    """Raises Refusal if permissions are enforced and an action was not granted. Notes what was needed in any case."""
    session = session_of(state, request)
    if session is None:
        return
    for action in ACTIONS.get(access.operation, ()):
        if not allowed(state, session, action, access):
            raise refused(request.service, action)


def allowed(state: State, session: Session, action: str, access: Access) -> bool:
    """Whether the call may go on, for all that this action decides."""
    if action == UNKNOWN:
        return not (state.enforced and state.refuses_unknown)
    agency = state.agencies.get(session.agency_id)
    state.needed.setdefault(agency.name if agency else "", set()).add(action)
    return not state.enforced or _is_granted(state, session, action, access)


def refused(service: str, action: str) -> Refusal:
    if service in REFUSALS:
        return Refusal(*REFUSALS[service])
    return Refusal(403, "PAP5.0001", f"Policy doesn't allow {action} to be performed.")


def granted(state: State, agency_name: str) -> set[str]:
    """The actions that an agency was granted, as they are written in its policies."""
    agency = state.agency(agency_name)
    roles = [role for _, role in state.roles_of(agency.id)] if agency else []
    return {action for role in roles for one in _statements(role, "Allow") for action in one["Action"]}


def unused(state: State, agency_name: str) -> set[str]:
    """The granted actions that no call has needed so far."""
    needed = state.needed.get(agency_name, set())
    return {one for one in granted(state, agency_name) if not any(_is_like(action, one) for action in needed)}


def _is_granted(state: State, session: Session, action: str, access: Access) -> bool:
    """Deny wins."""
    if not session.agency_id:
        return any(_is_like(action, one) for one in session.actions)
    roles = [role for scope, role in state.roles_of(session.agency_id) if _reaches(scope, role, action, access)]
    effects = {effect for role in roles for effect in ("Allow", "Deny") if _says(role, effect, action, access)}
    return effects == {"Allow"}


def _reaches(scope: Scope, role: Role, action: str, access: Access) -> bool:
    """A policy of a project reaches that project. One of global services must be bound to all resources, or the domain.

    OBS needs it for all resources: whether the domain alone suffices is unknown.
    """
    service = action.split(":")[0]
    if service not in GLOBAL_SERVICES:
        return role.type == "XA" and (scope.kind == "all" or scope == Scope("project", access.project_id))
    return role.type == "AX" and (scope.kind == "all" or (scope.kind == "domain" and service != "obs"))


def _says(role: Role, effect: str, action: str, access: Access) -> bool:
    return any(
        any(_is_like(action, one) for one in statement["Action"]) and _covers(statement.get("Resource"), action, access)
        for statement in _statements(role, effect)
    )


def _statements(role: Role, effect: str) -> Iterator[dict[str, Any]]:
    """Those with a condition apply to nothing: the simulator does not know what is true of a call."""
    return (one for one in role.policy["Statement"] if one["Effect"] == effect and not one.get("Condition"))


def _is_like(action: str, pattern: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _covers(resources: Any, action: str, access: Access) -> bool:
    """No resource means all. `service:region:account:type:path`, each of which may be `*`."""
    if not resources or isinstance(resources, dict):
        return True
    for one in resources:
        service, _, _, kind_and_path = one.split(":", 3)
        if service.lower() in ("*", action.split(":")[0]) and _path_fits(kind_and_path, access.resource):
            return True
    return False


def _path_fits(pattern: str, resource: str) -> bool:
    kind, _, path = pattern.partition(":")
    own_kind, _, own_path = resource.partition(":")
    return kind in ("*", own_kind) and fnmatchcase(own_path or "*", path)
