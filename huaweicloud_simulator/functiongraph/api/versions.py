"""Versions, aliases and test events on the wire (deploy.md 1.3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from ...gateway.routes import Call
from ...wire import Response
from ..errors import refusal
from ..models import Function, Version
from ..state import State
from .shapes import code_shown, function_shown, time

MAX_VERSIONS, MAX_ALIASES = 20, 10


def publish(state: State, call: Call) -> Response:
    """A frozen copy of code and settings. Nothing changed is a refusal."""
    function, body = state.find(*call.values[:2]), call.fields()
    name = str(body.get("version") or f"v{state.clock.now():%Y%m%d-%H%M%S}")
    last = next(reversed(function.versions.values()), None)
    if last is not None and (last.code, last.settings) == (function.code, function.settings):
        raise refusal("FSS.1016")
    if name in function.versions or name == "latest":
        raise refusal("FSS.1062")
    if len(function.versions) + 1 >= MAX_VERSIONS:
        raise refusal("FSS.0400", f"A function has at most {MAX_VERSIONS} versions.")
    version = Version(name, str(body.get("description") or ""), function.code, dict(function.settings))
    function.versions[name] = version
    return Response.of(201, _shown(state, function, version))


def list_(state: State, call: Call) -> Response:
    function = state.find(*call.values[:2])
    latest = function_shown(function, state.iam.domain_id)
    shown = [_shown(state, function, one) for one in function.versions.values()]
    return Response.of(200, {"versions": [latest, *shown], "next_marker": len(shown) + 1, "count": len(shown) + 1})


def _shown(state: State, function: Function, version: Version) -> dict[str, Any]:
    code = code_shown(function, state.iam.domain_id, version.code)
    own = {"version": version.name, "version_description": version.description, "func_urn": f"{function.urn}:{version.name}"}
    return {**function_shown(function, state.iam.domain_id), **code, **own}


def create_alias(state: State, call: Call) -> Response:
    function, body = state.find(*call.values[:2]), call.fields()
    name = str(body.get("name") or "")
    if name in function.aliases:
        raise refusal("FSS.1063")
    if not name or len(function.aliases) >= MAX_ALIASES:
        raise refusal("FSS.0400", f"An alias needs a name; a function has at most {MAX_ALIASES}.")
    _check_version(function, body.get("version"), name)
    return _store(state, function, name, body, 201)


def update_alias(state: State, call: Call) -> Response:
    function, body, name = state.find(*call.values[:2]), call.fields(), call.values[2]
    if name not in function.aliases:
        raise refusal("FSS.1053")
    _check_version(function, body.get("version"), name)
    return _store(state, function, name, body, 200)


def _check_version(function: Function, version: Any, alias: str) -> None:
    if version not in (*function.versions, "latest"):
        raise refusal("FSS.1052")
    if any(one["version"] == version for name, one in function.aliases.items() if name != alias):
        raise refusal("FSS.1066")


def _store(state: State, function: Function, name: str, body: dict[str, Any], status: int) -> Response:
    function.aliases[name] = {
        "name": name,
        "version": body["version"],
        "description": str(body.get("description") or ""),
        "last_modified": time(state.clock.now()),
        "alias_urn": f"{function.urn}:!{name}",
    }
    return Response.of(status, function.aliases[name])


def list_aliases(state: State, call: Call) -> Response:
    return Response.of(200, list(state.find(*call.values[:2]).aliases.values()))


def delete_alias(state: State, call: Call) -> Response:
    if state.find(*call.values[:2]).aliases.pop(call.values[2], None) is None:
        raise refusal("FSS.1053")
    return Response(204)


def create_event(state: State, call: Call) -> Response:
    """An event for the console's test button."""
    function, name = state.find(*call.values[:2]), str(call.fields().get("name"))
    function.test_events[name] = call.fields().get("content")
    return Response.of(200, {"id": str(uuid4()), "name": name})
