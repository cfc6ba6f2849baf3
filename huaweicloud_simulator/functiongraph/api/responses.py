"""The API of FunctionGraph."""

from __future__ import annotations

from ...gateway.routes import Api
from ..state import State
from . import asynchronous, functions, invoking, triggers, versions

_FGS, _FUNCTIONS, _TRIGGERS = "v2/*/fgs", "v2/*/fgs/functions", "v2/*/fgs/triggers"

API: Api[State] = Api(
    {
        f"POST {_FUNCTIONS}": ("create_function", functions.create),
        f"GET {_FUNCTIONS}": ("list_functions", functions.list_),
        f"DELETE {_FUNCTIONS}/*": ("delete_function", functions.delete),
        f"GET {_FUNCTIONS}/*/config": ("show_config", functions.show),
        f"PUT {_FUNCTIONS}/*/config": ("update_config", functions.configure),
        f"PUT {_FUNCTIONS}/*/config-max-instance": ("update_instances", functions.set_instances),
        f"GET {_FUNCTIONS}/*/code": ("show_code", functions.show_code),
        f"PUT {_FUNCTIONS}/*/code": ("update_code", functions.change_code),
        f"POST {_FUNCTIONS}/*/versions": ("create_version", versions.publish),
        f"GET {_FUNCTIONS}/*/versions": ("list_versions", versions.list_),
        f"POST {_FUNCTIONS}/*/aliases": ("create_alias", versions.create_alias),
        f"GET {_FUNCTIONS}/*/aliases": ("list_aliases", versions.list_aliases),
        f"PUT {_FUNCTIONS}/*/aliases/*": ("update_alias", versions.update_alias),
        f"DELETE {_FUNCTIONS}/*/aliases/*": ("delete_alias", versions.delete_alias),
        f"POST {_FUNCTIONS}/*/events": ("create_event", versions.create_event),
        f"GET {_FUNCTIONS}/*/async-invoke-config": ("show_async_config", asynchronous.show),
        f"PUT {_FUNCTIONS}/*/async-invoke-config": ("update_async_config", asynchronous.configure),
        f"DELETE {_FUNCTIONS}/*/async-invoke-config": ("delete_async_config", asynchronous.delete),
        f"POST {_FUNCTIONS}/*/invocations": ("invoke", invoking.invoke),
        f"POST {_FUNCTIONS}/*/invocations-async": ("invoke_async", invoking.invoke_async),
        f"POST {_TRIGGERS}/*": ("create_trigger", triggers.create),
        f"GET {_TRIGGERS}/*": ("list_triggers", triggers.list_),
        f"DELETE {_TRIGGERS}/*": ("delete_triggers", triggers.delete_all),
        f"GET {_TRIGGERS}/*/*/*": ("show_trigger", triggers.show),
        f"PUT {_TRIGGERS}/*/*/*": ("update_trigger", triggers.update),
        f"DELETE {_TRIGGERS}/*/*/*": ("delete_trigger", triggers.delete),
        f"GET {_FGS}/quotas": ("list_quotas", functions.list_quotas),
        f"GET {_FGS}/service-trusted-agencies": ("list_agencies", functions.list_agencies),
        "POST v2/*/functions/*/tags/create": ("create_tags", functions.tag),
        "DELETE v2/*/functions/*/tags/delete": ("delete_tags", functions.untag),
        "GET v2/*/functions/*/tags": ("list_tags", functions.list_tags),
    }
)
