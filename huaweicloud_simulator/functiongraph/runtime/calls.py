"""What an instance is given for an invocation, and the events that triggers and destinations make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from ...iam.models import Credentials
from ..api.checks import variables_of
from ..errors import refusal
from ..models import Code, Function, Trigger
from ..schedules import DEFAULT_ZONE


@dataclass(slots=True)
class Run:
    """One delivery of an event to a function, and what became of it."""

    urn: str
    event: Any
    begin: datetime
    end: datetime | None = None
    result: Any = None
    error: str = ""
    log: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """The code and settings that a URN names: the latest, those of a version, or those of an alias."""

    function: Function
    version: str
    code: Code
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, function: Function, urn: str) -> Target:
        name = urn.split(":")[7] if urn.count(":") > 6 else "latest"
        if name.startswith("!"):
            alias = function.aliases.get(name[1:])
            if alias is None:
                raise refusal("FSS.1053")
            name = str(alias["version"])
        if name == "latest":
            return cls(function, name, function.code, function.settings)
        if name not in function.versions:
            raise refusal("FSS.1052")
        frozen = function.versions[name]
        return cls(function, name, frozen.code, frozen.settings)

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for what one instance can serve."""
        return self.function.urn, self.code.digest, json.dumps(self.settings, sort_keys=True)


def handed_over(target: Target, event: Any, keys: Credentials | None, now: float | None) -> dict[str, Any]:
    """Without an agency that trusts FunctionGraph there are no keys (deploy.md 10)."""
    settings, function = target.settings, target.function
    variables = variables_of(settings.get("user_data")) | variables_of(settings.get("encrypted_user_data"))
    answers = {
        "getRequestID": str(uuid4()),
        "getFunctionName": function.name,
        "getPackage": function.package,
        "getVersion": target.version,
        "getAlias": "",
        "getProjectID": function.project_id,
        "getRunningTimeInSeconds": settings["timeout"],
        "getMemorySize": settings["memory_size"],
        "getCPUNumber": 300,
        "getSecurityAccessKey": keys.access if keys else "",
        "getSecuritySecretKey": keys.secret if keys else "",
        "getSecurityToken": keys.security_token if keys else "",
        "getToken": keys.security_token if keys else "",
    }
    return {
        "event": event,
        "now": now,
        "handler": settings["handler"],
        "initializer": settings.get("initializer_handler") or "",
        "timeout": settings["timeout"],
        "variables": variables,
        "answers": answers,
    }


def timer_event(trigger: Trigger, at: datetime) -> dict[str, Any]:
    local = at.astimezone(ZoneInfo(DEFAULT_ZONE))
    return {
        "version": "v1.0",
        "time": local.isoformat(timespec="seconds"),
        "trigger_type": "TIMER",
        "trigger_name": trigger.name,
        "user_event": str(trigger.data.get("user_event") or ""),
    }


def destination_event(run: Run) -> dict[str, Any]:
    """What on_success and on_failure deliver. Which values `condition` takes is unknown (deploy.md 1.5)."""
    context: dict[str, Any] = {"status_code": 200}
    if run.error:
        context["function_error"] = "function invocation exception"
    return {
        "timestamp": (run.end or run.begin).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "request_context": {
            "request_id": str(uuid4()),
            "function_urn": run.urn,
            "condition": "",
            "approximate_invoke_count": run.attempt,
        },
        "request_payload": json.dumps(run.event),
        "response_context": context,
        "response_payload": run.error or json.dumps(run.result),
    }


def is_too_old(function: Function, accepted: datetime, now: datetime) -> bool:
    age = (function.asynchronous or {}).get("max_async_event_age_in_seconds")
    return age is not None and now > accepted + timedelta(seconds=age)
