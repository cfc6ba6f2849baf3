"""Policies bound to agencies: in a project, for global services, or for all resources (deploy.md 4.3)."""

from __future__ import annotations

from collections.abc import Callable

from ..gateway.routes import Call
from ..wire import Response
from .agencies import found
from .errors import forbidden, not_found
from .models import Scope
from .policies import shown
from .state import State

FindScope = Callable[[State, Call], Scope]


def in_project(state: State, call: Call) -> Scope:
    return Scope("project", call.values[0])


def in_domain(state: State, call: Call) -> Scope:
    _must_be_own(state, call.values[0])
    return Scope("domain")


def everywhere(state: State, call: Call) -> Scope:
    _must_be_own(state, call.values[0])
    return Scope("all")


def _must_be_own(state: State, domain_id: str) -> None:
    if domain_id != state.domain_id:
        raise forbidden("The domain is not that of the caller's account.")


def bind(find: FindScope, state: State, call: Call) -> Response:
    """204, also if it was bound before."""
    agency, role_id = found(state, call.values[1]), call.values[2]
    if role_id not in state.roles:
        raise not_found("the policy")
    scope = find(state, call)
    state.grant(agency, state.roles[role_id], scope.kind, scope.id)
    return Response(204)


def check(find: FindScope, state: State, call: Call) -> Response:
    if _grant(find, state, call) not in state.grants:
        raise not_found("the binding")
    return Response(204)


def unbind(find: FindScope, state: State, call: Call) -> Response:
    if state.grants.pop(_grant(find, state, call), None) is None:
        raise not_found("the binding")
    return Response(204)


def list_(find: FindScope, state: State, call: Call) -> Response:
    agency, scope = found(state, call.values[1]), find(state, call)
    roles = [state.roles[role] for holder, where, role in state.grants if (holder, where) == (agency.id, scope)]
    return Response.of(200, {"roles": [shown(role) for role in roles]})


def _grant(find: FindScope, state: State, call: Call) -> tuple[str, Scope, str]:
    return found(state, call.values[1]).id, find(state, call), call.values[2]
