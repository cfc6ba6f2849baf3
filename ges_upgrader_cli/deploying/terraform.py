"""The template as Terraform's JSON, for Terraform and Huawei Cloud's Resource Formation Service (deploy.md 5). Pure.

The parameters are Terraform's variables. Each text from the template is a literal: `${` and `%{` in it are escaped.
"""

from __future__ import annotations

import json
from typing import Any

from ges_upgrader_cli.deploying.rights import POLICIES, policy
from ges_upgrader_cli.deploying.template import Alarm, Template, Timer

_PROVIDER = {"source": "huaweicloud/huaweicloud", "version": ">= 1.80.4, < 2.0.0"}
_ALARMS = '${var.alarm_user == "" ? 0 : 1}'
_ALARM_RULE = "${huaweicloud_aom_alarm_action_rule.operators[0].name}"


def literal(value: Any) -> Any:
    """The value, with nothing in it that Terraform would take for an expression."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {literal(key): literal(one) for key, one in value.items()}
    return [literal(one) for one in value] if isinstance(value, list) else value


def terraform(template: Template) -> dict[str, Any]:
    """The content of main.tf.json."""
    return {
        "terraform": {"required_version": ">= 1.3", "required_providers": {"huaweicloud": _PROVIDER}},
        "variable": _variables(template),
        "provider": {"huaweicloud": {"region": "${var.region}"}},
        "resource": {
            **_topics(template),
            **_state(),
            **_agency(template),
            **_logs(template),
            **_function(template),
            **_triggers(template),
            **_alarms(template),
        },
    }


def _variables(template: Template) -> dict[str, Any]:
    given = template.parameters
    bucket = {"default": given.bucket} if given.bucket else {}
    return {
        "region": {"type": "string", "default": given.region, "description": "Where the function runs"},
        "bucket": {"type": "string", **bucket, "description": "The bucket of the state"},
        "prefix": {"type": "string", "default": given.prefix, "description": "Where in the bucket the state is"},
        "policy": {"type": "string", "default": literal(given.policy), "description": "The file of the policy"},
        "package": {"type": "string", "default": "function.zip", "description": "The zip of ges-upgrader package"},
        "operators": {
            "type": "list(string)",
            "default": list(given.operators),
            "description": "E-mail addresses for results",
        },
        "alarm_user": {
            "type": "string",
            "default": literal(given.alarm_user),
            "description": "Owner of the alarms' notification",
        },
    }


def _topics(template: Template) -> dict[str, Any]:
    results = {"topic_urn": "${huaweicloud_smn_topic.results.id}", "protocol": "email", "endpoint": "${each.value}"}
    return {
        "huaweicloud_smn_topic": {
            "results": {"name": template.topics.results, "display_name": "GES upgrades"},
            "releases": {"name": template.topics.releases, "display_name": "GES releases"},
        },
        "huaweicloud_smn_subscription": {"operators": {"for_each": "${toset(var.operators)}", **results}},
    }


def _state() -> dict[str, Any]:
    """No lifecycle rule: nothing of the journal may expire."""
    kept = {"storage_class": "STANDARD", "acl": "private", "versioning": False, "force_destroy": False}
    encrypted = {"encryption": True, "sse_algorithm": "AES256"}
    return {"huaweicloud_obs_bucket": {"state": {"bucket": "${var.bucket}", **kept, **encrypted}}}


def _agency(template: Template) -> dict[str, Any]:
    name = template.function.agency
    values = {"bucket": "${var.bucket}", "prefix": "${var.prefix}", "function_name": template.function.name}
    roles = {
        key: {
            "name": f"{name}-{key}",
            "description": f"What the function {template.function.name} needs",
            "type": kind,
            "policy": json.dumps(policy(key, **values)),
        }
        for key, (kind, _) in POLICIES.items()
    }
    agency = {
        "name": name,
        "description": "FunctionGraph acts for ges-upgrader",
        "delegated_domain_name": "op_svc_cff",
        "duration": "FOREVER",
        "project_role": [{"project": "${var.region}", "roles": ["${huaweicloud_identity_role.project.name}"]}],
        "all_resources_roles": ["${huaweicloud_identity_role.obs.name}"],
    }
    return {"huaweicloud_identity_role": roles, "huaweicloud_identity_agency": {"function": agency}}


def _logs(template: Template) -> dict[str, Any]:
    group = template.logs.group
    return {
        "huaweicloud_lts_group": {"function": {"group_name": group, "ttl_in_days": template.logs.days}},
        "huaweicloud_lts_stream": {"function": {"group_id": "${huaweicloud_lts_group.function.id}", "stream_name": group}},
    }


def _function(template: Template) -> dict[str, Any]:
    function = template.function
    agency = "${huaweicloud_identity_agency.function.name}"
    variables = (
        f"merge(jsondecode({json.dumps(json.dumps(function.environment))}), {{POLICY=file(var.policy),REGION=var.region}})"
    )
    described = {
        "name": function.name,
        "app": "default",
        "description": literal(function.description),
        "functiongraph_version": "v2",
        "runtime": function.runtime,
        "handler": function.handler,
        "initializer_handler": function.initializer,
        "initializer_timeout": function.initializer_timeout,
        "memory_size": function.memory,
        "timeout": function.timeout,
        "max_instance_num": str(function.instances),
        "agency": agency,
        "app_agency": agency,
        "code_type": "zip",
        "code_filename": "function.zip",
        "func_code": "${filebase64(var.package)}",
        "user_data": "${jsonencode(" + literal(variables) + ")}",
        "enable_lts_log": True,
        "log_group_id": "${huaweicloud_lts_group.function.id}",
        "log_group_name": "${huaweicloud_lts_group.function.group_name}",
        "log_stream_id": "${huaweicloud_lts_stream.function.id}",
        "log_stream_name": "${huaweicloud_lts_stream.function.stream_name}",
    }
    retrying = {
        "function_urn": "${huaweicloud_fgs_function.function.urn}",
        "max_async_retry_attempts": function.asynchronous.attempts,
        "max_async_event_age_in_seconds": function.asynchronous.maximum_age,
        "on_failure": [{"destination": "SMN", "param": "${jsonencode({topic_urn=huaweicloud_smn_topic.results.topic_urn})}"}],
    }
    return {
        "huaweicloud_fgs_function": {"function": described},
        "huaweicloud_fgs_async_invoke_configuration": {"function": retrying},
    }


def event_data(timer: Timer) -> dict[str, Any]:
    """What FunctionGraph takes for a timer (deploy.md 1.4)."""
    return {
        "name": timer.name,
        "schedule_type": "Cron",
        "schedule": timer.schedule,
        "user_event": timer.event,
        "sync_execution": False,
    }


def _triggers(template: Template) -> dict[str, Any]:
    urn = "${huaweicloud_fgs_function.function.urn}"
    timers = {
        timer.name: {
            "function_urn": urn,
            "type": "TIMER",
            "status": "ACTIVE",
            "event_data": literal(json.dumps(event_data(timer))),
        }
        for timer in template.timers
    }
    topic = "${jsonencode({topic_urn=huaweicloud_smn_topic.releases.topic_urn})}"
    return {
        "huaweicloud_fgs_function_trigger": {
            **timers,
            "smn-releases": {"function_urn": urn, "type": "SMN", "event_data": topic},
        }
    }


def _alarms(template: Template) -> dict[str, Any]:
    if not template.alarms:
        return {}
    rule = {
        "count": _ALARMS,
        "name": template.function.name,
        "user_name": "${var.alarm_user}",
        "type": "1",
        "notification_template": "aom.built-in.template.en",
        "smn_topics": [{"topic_urn": "${huaweicloud_smn_topic.results.topic_urn}"}],
    }
    return {
        "huaweicloud_aom_alarm_action_rule": {"operators": rule},
        "huaweicloud_lts_keywords_alarm_rule": {alarm.name: _alarm(alarm) for alarm in template.alarms},
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    request = {
        "keywords": literal(alarm.keyword),
        "condition": ">=",
        "number": 1,
        "search_time_range": alarm.minutes,
        "search_time_range_unit": "minute",
        "log_group_id": "${huaweicloud_lts_group.function.id}",
        "log_stream_id": "${huaweicloud_lts_stream.function.id}",
    }
    return {
        "count": _ALARMS,
        "name": alarm.name,
        "alarm_level": alarm.level,
        "send_notifications": True,
        "alarm_action_rule_name": _ALARM_RULE,
        "notification_frequency": 30,
        "keywords_requests": [request],
        "frequency": [{"type": "FIXED_RATE", "fixed_rate": 5, "fixed_rate_unit": "minute"}],
    }
