"""Policies of the system, as far as an upgrader or its deployer may be given them (ges.md 7, deploy.md 4.4).

What they allow is inferred from their names and descriptions.
"""

from __future__ import annotations

from .models import Role


def _role(name: str, kind: str, *actions: str) -> Role:
    policy = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": list(actions)}]}
    return Role(name, kind, policy, id=name.lower().replace(" ", "_"), name=name.lower().replace(" ", "_"))


SYSTEM_ROLES = (
    _role("GES FullAccess", "XA", "ges:*:*", "vpc:*:get*"),
    _role("GES Development", "XA", "ges:*:*", "vpc:*:get*"),
    _role("GES ReadOnlyAccess", "XA", "ges:*:get*", "ges:*:list*", "vpc:*:get*"),
    _role("SMN FullAccess", "XA", "smn:*:*"),
    _role("FunctionGraph FullAccess", "XA", "functiongraph:*:*"),
    _role("FunctionGraph CommonOperations", "XA", "functiongraph:*:get*", "functiongraph:*:list*", "functiongraph:*:invoke*"),
    _role("LTS FullAccess", "XA", "lts:*:*"),
    _role("CTS FullAccess", "XA", "cts:*:*"),
    _role("OBS OperateAccess", "AX", "obs:object:*", "obs:bucket:ListBucket", "obs:bucket:HeadBucket"),
    _role("OBS Administrator", "AX", "obs:*:*"),
    _role("Agent Operator", "AX", "iam:agencies:assume", "iam:tokens:assume"),
    _role("Security Administrator", "AX", "iam:*:*"),
)
