"""Agencies on the wire (deploy.md 4.1)."""

from __future__ import annotations

import re
from typing import Any

from ..gateway.routes import Call
from ..wire import Response
from .errors import bad_request, conflict, forbidden, not_found
from .models import Agency
from .state import State

MAX_NAME, MAX_DESCRIPTION, MAX_AGENCIES = 64, 255, 50


def create(state: State, call: Call) -> Response:
    """409 if there is one of that name, even if it is the same."""
    fields = call.fields().get("agency") or {}
    _check(fields)
    if fields.get("domain_id") != state.domain_id:
        raise forbidden("The domain_id is not that of the caller's account.")
    if state.agency(fields["name"]) is not None:
        raise conflict("the agency")
    trusts = fields.get("trust_domain_name") or fields.get("trust_domain_id")
    if not isinstance(trusts, str):
        raise bad_request("trust_domain_name")
    duration, description = str(fields.get("duration") or "FOREVER"), str(fields.get("description") or "")
    agency = state.add_agency(fields["name"], trusts, duration=duration, description=description)
    return Response.of(201, {"agency": _shown(agency)})


def _check(fields: dict[str, Any]) -> None:
    name, description = fields.get("name"), fields.get("description") or ""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise bad_request("name")
    if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
        raise bad_request("description")
    if not re.fullmatch(r"FOREVER|ONEDAY|[0-9]+", str(fields.get("duration") or "FOREVER")):
        raise bad_request("duration")


def list_(state: State, call: Call) -> Response:
    query = call.request.query
    if query.get("domain_id") != state.domain_id:
        raise forbidden("The domain_id is not that of the caller's account.")
    own = [one for one in state.agencies.values() if one.domain_id == state.domain_id]
    return Response.of(200, {"agencies": [_shown(one) for one in own if query.get("name", one.name) == one.name]})


def show(state: State, call: Call) -> Response:
    return Response.of(200, {"agency": _shown(found(state, call.values[0]))})


def update(state: State, call: Call) -> Response:
    agency, fields = found(state, call.values[0]), call.fields().get("agency") or {}
    _check({"name": agency.name, **fields})
    agency.description = str(fields.get("description", agency.description))
    agency.duration = str(fields.get("duration", agency.duration))
    agency.trusts = str(fields.get("trust_domain_name", agency.trusts))
    return Response.of(200, {"agency": _shown(agency)})


def delete(state: State, call: Call) -> Response:
    state.revoke(found(state, call.values[0]).id)
    return Response(204)


def found(state: State, agency_id: str) -> Agency:
    agency = state.agencies.get(agency_id)
    if agency is None or agency.domain_id != state.domain_id:
        raise not_found("the agency")
    return agency


def _shown(agency: Agency) -> dict[str, Any]:
    return {
        "id": agency.id,
        "name": agency.name,
        "domain_id": agency.domain_id,
        "trust_domain_id": agency.trusts.ljust(32, "0"),
        "trust_domain_name": agency.trusts,
        "description": agency.description,
        "duration": agency.duration if agency.duration != "ONEDAY" else "24",
        "expire_time": None,
        "create_time": agency.created.strftime("%Y-%m-%dT%H:%M:%S.000000"),
    }
