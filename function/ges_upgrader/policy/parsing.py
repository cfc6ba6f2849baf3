"""Policy text, YAML or JSON, to a `Policy`: strictly, and with all the errors at once (interface.md, Policy).

A policy with an error is never used.
"""

from __future__ import annotations

from itertools import islice

import msgspec

from ges_upgrader.policy.checks import contradictions
from ges_upgrader.policy.decoding import MOST_PROBLEMS, decode
from ges_upgrader.policy.schema import Policy
from ges_upgrader.policy.yaml_text import UnreadableText, read


class PolicyError(Exception):
    """The policy cannot be used. `problems` says for each error where, what was found and what is accepted."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse_policy(text: str) -> Policy:
    """The policy in `text`. Raises PolicyError with every problem found.

    The time is no part of it: a policy that can be read today can be read for ever. What depends on the clock is a warning.
    """
    try:
        raw = read(text)
    except UnreadableText as error:
        raise PolicyError([f"the policy cannot be read as YAML or JSON: {error}"]) from None
    if isinstance(raw, dict):
        for name in ("notify", "rules"):
            if raw.get(name, name) is None:
                del raw[name]
        if "notify" in raw and not isinstance(raw["notify"], dict):
            raw["notify"] = {"topic": raw["notify"]}
        for rule in raw["rules"] if isinstance(raw.get("rules"), list) else ():
            if isinstance(rule, dict) and rule.get("windows") == "always":
                rule["windows"] = ["always"]
    policy, problems, rule_numbers = decode(raw, Policy)
    if policy is not None:
        policy = _effective(policy)
        problems += islice(contradictions(policy, rule_numbers, tuple(problems)), MOST_PROBLEMS - len(problems))
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def _effective(policy: Policy) -> Policy:
    """The policy with the names filled in that depend on a rule's place."""
    rules = (msgspec.structs.replace(rule, name=rule.name or f"rule-{number}") for number, rule in enumerate(policy.rules, 1))
    return msgspec.structs.replace(policy, rules=tuple(rules))
