"""Who is asking, and temporary credentials of other accounts' agencies (deploy.md 4.5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ..gateway.routes import Call
from ..wire import Refusal, Response
from .errors import bad_request, forbidden, not_found
from .models import Agency
from .permissions import session_of
from .state import State

_SESSION_NAME = r"[A-Za-z][A-Za-z0-9_-]{4,63}"


def assume_v3(state: State, call: Call) -> Response:
    identity = (call.fields().get("auth") or {}).get("identity") or {}
    role = identity.get("assume_role")
    if identity.get("methods") != ["assume_role"] or not isinstance(role, dict):
        raise bad_request("the simulator knows only the method assume_role")
    domain = _domain(state, role)
    agency = _assumable(state, str(role.get("agency_name")), domain)
    seconds = _seconds(role.get("duration_seconds", 900), 900, 86_400)
    name = (role.get("session_user") or {}).get("name")
    if name is not None and not re.fullmatch(_SESSION_NAME, name):
        raise bad_request("session_user.name")
    found = state.credentials_for(agency, timedelta(seconds=seconds))
    shown = {"access": found.access, "secret": found.secret, "securitytoken": found.security_token}
    expires = found.expires.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    return Response.of(201, {"credential": {**shown, "expires_at": expires}})


def _domain(state: State, role: dict[str, Any]) -> str:
    wanted = role.get("domain_id")
    if wanted is None:
        wanted = next((id for id, name in state.domains.items() if name == role.get("domain_name")), None)
    if wanted not in state.domains:
        raise not_found("the account")
    return str(wanted)


def _assumable(state: State, name: str, domain_id: str) -> Agency:
    """An agency of another account that trusts ours."""
    agency = state.agency(name, domain_id)
    if agency is None:
        raise not_found("the agency")
    if agency.trusts not in (state.domain_id, state.domains[state.domain_id]):
        raise forbidden("The agency does not trust the caller's account.")
    return agency


def _seconds(value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise bad_request("duration_seconds")
    return value


def assume_v5(state: State, call: Call) -> Response:
    """With temporary credentials, for an hour at most."""
    fields = call.fields()
    urn = re.fullmatch(r"iam::([^:]+):agency:([^:]+)", str(fields.get("agency_urn")))
    if urn is None or not re.fullmatch(r"[\w+=,.@-]{2,64}", str(fields.get("agency_session_name", ""))):
        raise bad_request("agency_urn or agency_session_name")
    if urn[1] not in state.domains:
        raise not_found("the account")
    agency = _assumable(state, urn[2], urn[1])
    most = 43_200 if session_of(state, call.request) is None else 3_600
    seconds = _seconds(fields.get("duration_seconds", 3_600), 900, most)
    found = state.credentials_for(agency, timedelta(seconds=seconds))
    credentials = {
        "access_key_id": found.access,
        "secret_access_key": found.secret,
        "security_token": found.security_token,
        "expiration": found.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assumed = {"urn": f"sts::{urn[1]}:assumed-agency:{urn[2]}/{fields['agency_session_name']}", "id": agency.id}
    return Response.of(200, {"source_identity": "", "assumed_agency": assumed, "credentials": credentials})


def caller_identity(state: State, call: Call) -> Response:
    """It needs no right (deploy.md 4.5, inferred)."""
    session = session_of(state, call.request)
    if session is None or not session.agency_id:
        identity = {"account_id": state.domain_id, "principal_urn": f"iam::{state.domain_id}:user:simulator"}
        return Response.of(200, {**identity, "principal_id": "u" * 32})
    agency = state.agencies.get(session.agency_id)
    if agency is None:
        raise Refusal(401, "APIGW.0301", "Incorrect IAM authentication information: the agency was deleted")
    urn = f"sts::{agency.domain_id}:assumed-agency:{agency.name}/functiongraph"
    return Response.of(
        200, {"account_id": agency.domain_id, "principal_urn": urn, "principal_id": f"{agency.id}:functiongraph"}
    )
