"""Functions and triggers as FunctionGraph shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..models import Code, Function, Trigger

_OPTIONAL = (
    *("user_data", "encrypted_user_data", "xrole", "app_xrole", "description", "initializer_handler"),
    *("initializer_timeout", "pre_stop_handler", "pre_stop_timeout", "enterprise_project_id", "enable_lts_log", "func_vpc"),
    *("depend_version_list",),
)


def function_shown(function: Function, domain_id: str) -> dict[str, Any]:
    settings = function.settings
    log = settings.get("log_config") or {}
    shown = {
        **code_shown(function, domain_id),
        "func_id": function.urn,
        "namespace": function.project_id,
        "project_name": function.region,
        "package": function.package,
        "timeout": settings["timeout"],
        "handler": settings["handler"],
        "memory_size": settings["memory_size"],
        "cpu": 300,
        "version": "latest",
        "image_name": f"latest-{function.modified:%y%m%d%H%M%S}",
        "type": "v2",
        "long_time": settings["timeout"] > 900,
        "log_group_id": log.get("group_id"),
        "log_stream_id": log.get("stream_id"),
    }
    return {**shown, **{name: settings[name] for name in _OPTIONAL if name in settings}}


def code_shown(function: Function, domain_id: str, code: Code | None = None) -> dict[str, Any]:
    code = code or function.code
    return {
        "func_urn": f"{function.urn}:latest",
        "func_name": function.name,
        "domain_id": domain_id,
        "runtime": function.settings["runtime"],
        "code_type": code.type,
        "code_url": code.url,
        "code_filename": code.filename,
        "code_size": len(code.content),
        "digest": code.digest,
        "last_modified": time(function.modified),
        "strategy_config": function.strategy,
    }


def trigger_shown(trigger: Trigger) -> dict[str, Any]:
    data = dict(trigger.data)
    if trigger.type == "SMN":
        data["subscription_status"] = "Confirmed"
    created = time(trigger.created)
    return {
        "trigger_id": trigger.id,
        "trigger_type_code": trigger.type,
        "trigger_status": trigger.status,
        "event_data": data,
        "created_time": created,
        "last_updated_time": created,
    }


def time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
