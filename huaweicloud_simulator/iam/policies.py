"""Policies on the wire: custom ones and those of the system (deploy.md 4.2)."""

from __future__ import annotations

import re
from typing import Any

from ..gateway.routes import Call
from ..wire import Response
from .errors import bad_request, conflict, not_found
from .models import Role
from .state import State

GLOBAL_SERVICES = ("obs", "iam", "sts")
MAX_STATEMENTS, MAX_ACTIONS, MAX_RESOURCES, MAX_RESOURCE = 8, 100, 10, 128


def create(state: State, call: Call) -> Response:
    fields = _checked(call)
    if any(role.domain_id and role.display_name == fields["display_name"] for role in state.roles.values()):
        raise conflict("the policy: its display name is in use")
    role = Role(fields["display_name"], fields["type"], fields["policy"], fields.get("description") or "", state.domain_id)
    role.name = f"custom_{state.domain_id}_{len(state.roles)}"
    state.roles[role.id] = role
    return Response.of(201, {"role": shown(role)})


def update(state: State, call: Call) -> Response:
    """The whole body, as for a new one."""
    role, fields = _custom(state, call.values[0]), _checked(call)
    role.display_name, role.type, role.policy = fields["display_name"], fields["type"], fields["policy"]
    role.description = fields.get("description") or ""
    return Response.of(200, {"role": shown(role)})


def _checked(call: Call) -> dict[str, Any]:
    fields = call.fields().get("role")
    if not isinstance(fields, dict) or not fields.get("display_name") or fields.get("type") not in ("XA", "AX"):
        raise bad_request("display_name and type (XA or AX)")
    policy = fields.get("policy")
    if not isinstance(policy, dict) or policy.get("Version") != "1.1":
        raise bad_request("policy")
    statements = policy.get("Statement")
    if not isinstance(statements, list) or not 0 < len(statements) <= MAX_STATEMENTS:
        raise bad_request("policy")
    for statement in statements:
        _check_statement(statement, fields["type"])
    return fields


def _check_statement(statement: dict[str, Any], kind: str) -> None:
    """A policy has either actions of global services or those of projects (deploy.md 4.2)."""
    actions = statement.get("Action") or []
    if statement.get("Effect") not in ("Allow", "Deny") or not 0 < len(actions) <= MAX_ACTIONS:
        raise bad_request("Effect or Action")
    for action in actions:
        _check_action(action, kind)
    resources = statement.get("Resource") or []
    if len(resources) > MAX_RESOURCES or any(len(one) > MAX_RESOURCE for one in resources):
        raise bad_request("Resource")


def _check_action(action: str, kind: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+(:[A-Za-z0-9*_-]+){2}", action):
        raise bad_request(f"action {action}")
    if (action.split(":")[0].lower() in GLOBAL_SERVICES) != (kind == "AX"):
        raise bad_request(f"action {action} is not of a policy of type {kind}")


def list_custom(state: State, _: Call) -> Response:
    custom = [role for role in state.roles.values() if role.domain_id]
    return Response.of(200, {"roles": [shown(role) for role in custom], "total_number": len(custom), "links": {}})


def list_all(state: State, call: Call) -> Response:
    """Those of the system, or with `domain_id` the custom ones."""
    query = call.request.query
    wanted = [role for role in state.roles.values() if role.domain_id == query.get("domain_id", "")]
    for name in ("display_name", "name", "type"):
        if query.get(name):
            wanted = [role for role in wanted if getattr(role, name) == query[name]]
    return Response.of(200, {"roles": [shown(role) for role in wanted], "total_number": len(wanted), "links": {}})


def show(state: State, call: Call) -> Response:
    return Response.of(200, {"role": shown(_found(state, call.values[0]))})


def delete(state: State, call: Call) -> Response:
    role = _custom(state, call.values[0])
    del state.roles[role.id]
    state.grants = {grant: since for grant, since in state.grants.items() if grant[2] != role.id}
    return Response(200)


def _found(state: State, role_id: str) -> Role:
    if role_id not in state.roles:
        raise not_found("the policy")
    return state.roles[role_id]


def _custom(state: State, role_id: str) -> Role:
    role = _found(state, role_id)
    if not role.domain_id:
        raise bad_request("a policy of the system cannot be changed")
    return role


def shown(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "name": role.name,
        "display_name": role.display_name,
        "type": role.type,
        "description": role.description,
        "domain_id": role.domain_id or None,
        "catalog": "CUSTOMED" if role.domain_id else "BASE",
        "policy": role.policy,
        "references": 0,
        "links": {"self": f"https://iam.myhuaweicloud.com/v3/roles/{role.id}"},
    }
