"""Everything that IAM knows: keys, agencies, policies and grants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from ..clock import Clock
from .models import FUNCTIONGRAPH, Agency, Credentials, Role, Scope, ScopeKind, Session
from .system_roles import SYSTEM_ROLES

DOMAIN_ID, DOMAIN_NAME = "d" * 32, "simulated-account"
LIFETIME = timedelta(hours=24)  # of the credentials that a function gets


class State:
    """`domains` are the accounts by their ids, the first one ours.

    `enforced`: calls with temporary credentials need the actions that their agency was granted. `refuses_unknown`: so do
    calls for which no document names an action, and they fail. `needed` are the actions that calls needed, by agency,
    whether enforced or not. A new grant works `grant_delay` later (deploy.md 4.3).
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.domains: dict[str, str] = {DOMAIN_ID: DOMAIN_NAME}
        self.keys: dict[str, tuple[str, str | None]] = {}  # secret key and security token by access key
        self.tokens: set[str] = set()
        self.sessions: dict[str, Session] = {}  # by access key, or token
        self.agencies: dict[str, Agency] = {}  # by id
        self.roles: dict[str, Role] = {role.id: role for role in SYSTEM_ROLES}
        self.grants: dict[tuple[str, Scope, str], datetime] = {}  # agency, scope, role: since when
        self.grant_delay = timedelta()
        self.enforced, self.refuses_unknown = False, False
        self.needed: dict[str, set[str]] = {}

    @property
    def domain_id(self) -> str:
        return next(iter(self.domains))

    def agency(self, name: str, domain_id: str | None = None) -> Agency | None:
        """The agency of that name in an account, ours by default."""
        domain_id = domain_id or self.domain_id
        return next((one for one in self.agencies.values() if (one.name, one.domain_id) == (name, domain_id)), None)

    def add_agency(self, name: str, trusts: str = FUNCTIONGRAPH, domain_id: str | None = None, **fields: str) -> Agency:
        """Gets or creates an agency."""
        found = self.agency(name, domain_id)
        if found is None:
            found = Agency(name, domain_id or self.domain_id, trusts, self.clock.now(), **fields)
            self.agencies[found.id] = found
        return found

    def grant(self, agency: Agency, role: Role, kind: ScopeKind = "all", project_id: str = "") -> None:
        """Binds a policy to an agency. To repeat it is harmless."""
        self.roles.setdefault(role.id, role)
        self.grants.setdefault((agency.id, Scope(kind, project_id), role.id), self.clock.now())

    def allow(self, agency: Agency, *actions: str) -> Role:
        """Grants actions everywhere, as a person on the console does."""
        kind = "AX" if actions and actions[0].split(":")[0] in ("obs", "iam") else "XA"
        policy = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": list(actions)}]}
        role = Role(f"allowed-{uuid4().hex[:8]}", kind, policy, domain_id=self.domain_id)
        self.grant(agency, role)
        return role

    def restrict(self, access_key: str, *actions: str) -> None:
        """A person's key may do these actions and no others, if permissions are `enforced`."""
        self.sessions[access_key] = Session("", datetime.max.replace(tzinfo=self.clock.now().tzinfo), actions)

    def revoke(self, agency_id: str) -> None:
        """Deletes an agency and its grants. Credentials that it gave out stay valid, and may do nothing."""
        self.agencies.pop(agency_id, None)
        self.grants = {grant: since for grant, since in self.grants.items() if grant[0] != agency_id}

    def roles_of(self, agency_id: str) -> Iterator[tuple[Scope, Role]]:
        """The policies in force for an agency, and where."""
        now = self.clock.now()
        for (holder, scope, role_id), since in self.grants.items():
            if holder == agency_id and role_id in self.roles and now >= since + self.grant_delay:
                yield scope, self.roles[role_id]

    def credentials_for(self, agency: Agency, lifetime: timedelta = LIFETIME) -> Credentials:
        """New temporary credentials of an agency. Its security token is an IAM token, too."""
        expires = self.clock.now() + lifetime
        found = Credentials(f"HST{uuid4().hex[:17].upper()}", uuid4().hex, f"ggpj{uuid4().hex}{uuid4().hex}", expires)
        self.keys[found.access] = (found.secret, found.security_token)
        self.sessions[found.access] = self.sessions[found.security_token] = Session(agency.id, expires)
        self.tokens.add(found.security_token)
        return found

    def forget_expired(self) -> None:
        now = self.clock.now()
        for name in [name for name, session in self.sessions.items() if session.expires <= now]:
            del self.sessions[name]
            self.keys.pop(name, None)
            self.tokens.discard(name)
