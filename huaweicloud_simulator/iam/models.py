"""Agencies, policies, grants, and the sessions of temporary credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

FUNCTIONGRAPH = "op_svc_cff"  # the account that an agency of a function trusts (deploy.md 4.1)
ScopeKind = Literal["project", "domain", "all"]


@dataclass(slots=True)
class Agency:
    """`domain_id` is the account it belongs to, `trusts` the name of the account that may assume it."""

    name: str
    domain_id: str
    trusts: str
    created: datetime
    description: str = ""
    duration: str = "FOREVER"
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(slots=True)
class Role:
    """A policy. `type` is XA (project level) or AX (global). `domain_id` is empty for those of the system."""

    display_name: str
    type: str
    policy: dict[str, Any]
    description: str = ""
    domain_id: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a grant holds: in one project, for global services, or everywhere (`all`)."""

    kind: ScopeKind
    id: str = ""  # of the project


@dataclass(frozen=True, slots=True)
class Session:
    """Who holds temporary credentials, and until when. `agency_id` empty: a person with `actions` only."""

    agency_id: str
    expires: datetime
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    access: str
    secret: str
    security_token: str
    expires: datetime
