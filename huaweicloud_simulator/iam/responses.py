"""The API of IAM, and that of STS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ..gateway.routes import Api, Call, Respond
from ..projects import Project
from ..wire import Response
from . import agencies, bindings, policies, tokens
from .state import State

_AGENCY = "v3.0/OS-AGENCY"
_ALL = "v3.0/OS-INHERIT/domains/*/agencies/*/roles"


def api(projects: Callable[[], Mapping[str, Project]]) -> Api[State]:
    def list_projects(state: State, call: Call) -> Response:
        return _list_projects(projects().values(), state, call)

    return Api(
        {
            "GET v3/projects": ("list_projects", list_projects),
            "GET v3/auth/projects": ("list_projects", list_projects),
            "GET v3/auth/domains": ("list_domains", _list_domains),
            f"POST {_AGENCY}/agencies": ("create_agency", agencies.create),
            f"GET {_AGENCY}/agencies": ("list_agencies", agencies.list_),
            f"GET {_AGENCY}/agencies/*": ("show_agency", agencies.show),
            f"PUT {_AGENCY}/agencies/*": ("update_agency", agencies.update),
            f"DELETE {_AGENCY}/agencies/*": ("delete_agency", agencies.delete),
            "POST v3.0/OS-ROLE/roles": ("create_policy", policies.create),
            "GET v3.0/OS-ROLE/roles": ("list_custom_policies", policies.list_custom),
            "GET v3.0/OS-ROLE/roles/*": ("show_policy", policies.show),
            "PATCH v3.0/OS-ROLE/roles/*": ("update_policy", policies.update),
            "DELETE v3.0/OS-ROLE/roles/*": ("delete_policy", policies.delete),
            "GET v3/roles": ("list_policies", policies.list_all),
            "GET v3/roles/*": ("show_policy", policies.show),
            **_bindings(f"{_AGENCY}/projects/*/agencies/*/roles", "", "project", bindings.in_project),
            **_bindings(f"{_AGENCY}/domains/*/agencies/*/roles", "", "domain", bindings.in_domain),
            **_bindings(_ALL, "/inherited_to_projects", "all_projects", bindings.everywhere),
            "POST v3.0/OS-CREDENTIAL/securitytokens": ("assume_agency", tokens.assume_v3),
        }
    )


STS: Api[State] = Api(
    {
        "POST v5/agencies/assume": ("assume_agency", tokens.assume_v5),
        "GET v5/caller-identity": ("get_caller_identity", tokens.caller_identity),
    }
)


def _bindings(path: str, rest: str, where: str, find: bindings.FindScope) -> dict[str, tuple[str, Respond[State]]]:
    return {
        f"PUT {path}/*{rest}": (f"grant_in_{where}", partial(bindings.bind, find)),
        f"HEAD {path}/*{rest}": (f"check_in_{where}", partial(bindings.check, find)),
        f"DELETE {path}/*{rest}": (f"revoke_in_{where}", partial(bindings.unbind, find)),
        f"GET {path}{rest}": (f"list_grants_in_{where}", partial(bindings.list_, find)),
    }


def _list_projects(projects: Iterable[Project], state: State, call: Call) -> Response:
    """Only the first project of a region has the region's name. Later ones are sub-projects, named `<region>_<suffix>`."""
    wanted, names = call.request.query.get("name"), set()
    found = []
    for project in projects:
        name = project.region if project.region not in names else f"{project.region}_{project.id[:8]}"
        names.add(name)
        if wanted in (None, name):
            domain = project.domain_id or state.domain_id
            found.append({"id": project.id, "name": name, "domain_id": domain, "enabled": True, "is_domain": False})
    return Response.of(200, {"projects": found, "links": {"self": "", "previous": None, "next": None}})


def _list_domains(state: State, _: Call) -> Response:
    domain = {"id": state.domain_id, "name": state.domains[state.domain_id], "enabled": True}
    return Response.of(200, {"domains": [domain], "links": {"self": ""}})
