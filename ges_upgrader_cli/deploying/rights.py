"""What the function may do, one statement a need. IAM's JSON has no room for reasons, so they stand here.

IAM allows no policy with both project-level and global actions (deploy.md 4.2), so there are two. `code` marks what
the function itself calls; `platform` what FunctionGraph or the cloud calls with the function's agency.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Need:
    """`why` completes "The function needs this to …"."""

    why: str
    tag: Literal["code", "platform"]
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()

    def statement(self) -> dict[str, Any]:
        resources = {"Resource": list(self.resources)} if self.resources else {}
        return {"Effect": "Allow", "Action": list(self.actions), **resources}


# BUCKET and PREFIX stand for the parameters of the template, FUNCTION_NAME for the function's name: a person who replaces
# the word FUNCTION in the files would break FUNCTIONGRAPH.
PROJECT = (
    Need("see graphs, their versions and their jobs", "code", ("ges:graph:list", "ges:graph:getDetail", "ges:jobs:getDetail")),
    Need("list graphs with their addresses, which GES takes from VPC", "code", ("vpc:publicIps:get",)),
    Need("upgrade a graph", "code", ("ges:graph:operate",)),
    Need("find the job of a call whose answer was lost", "code", ("ges:jobs:list",)),
    Need(
        "make backups before upgrades and delete its own old ones",
        "code",
        ("ges:backup:list", "ges:backup:create", "ges:backup:delete"),
    ),
    Need("send notifications", "code", ("smn:topic:publish",)),
    Need("find the topic to which FunctionGraph reports a failed invocation", "platform", ("smn:topic:list",)),
    Need(
        "continue in a second invocation if its time ends",
        "code",
        ("functiongraph:function:invokeAsync",),
        ("FUNCTIONGRAPH:*:*:function:default/FUNCTION_NAME",),
    ),
)
OBS = (
    Need(
        "read and append to its journal, and delete files whose records stand in a newer one",
        "code",
        ("obs:object:GetObject", "obs:object:PutObject", "obs:object:DeleteObject"),
        ("obs:*:*:object:BUCKET/PREFIX/*",),
    ),
    Need(
        "tell a journal that does not exist from one that it may not read",
        "code",
        ("obs:bucket:ListBucket",),
        ("obs:*:*:bucket:BUCKET",),
    ),
)
_PLACEHOLDER = re.compile("BUCKET|PREFIX|FUNCTION_NAME")
POLICIES = {"project": ("XA", PROJECT), "obs": ("AX", OBS)}
# No document names an action for these calls. The function continues if they are refused.
WITHOUT_KNOWN_ACTION = ("ges.show_quotas",)


def policy(name: str, **values: str) -> dict[str, Any]:
    """The policy `project` or `obs` as IAM takes it. `values` replace BUCKET, PREFIX and FUNCTION_NAME."""
    _, needs = POLICIES[name]
    return {"Version": "1.1", "Statement": [_filled(need.statement(), values) for need in needs]}


def _filled(statement: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """In one pass, so that no value is taken for a placeholder."""
    if "Resource" not in statement:
        return statement
    given = {word.upper(): value for word, value in values.items()}
    resources = [_PLACEHOLDER.sub(lambda found: given.get(found[0], found[0]), one) for one in statement["Resource"]]
    return {**statement, "Resource": resources}
