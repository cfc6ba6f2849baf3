"""Policy text, YAML or JSON, to a `Policy`: strictly, and with all the errors at once (interface.md, Policy).

A policy with an error is never used.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from ges_upgrader.policy.checks import contradictions
from ges_upgrader.policy.decoding import MOST_PROBLEMS, decode
from ges_upgrader.policy.places import Places
from ges_upgrader.policy.schema import Policy
from ges_upgrader.policy.yaml_hints import hint_of
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
    if not isinstance(raw, dict):
        raise PolicyError([Places(text).placed(_no_policy(text, raw))])
    _spell_out(raw)
    policy, problems, rule_numbers = decode(raw, Policy)
    if policy is not None:
        policy = _effective(policy)
        problems += islice(contradictions(policy, rule_numbers, tuple(problems)), MOST_PROBLEMS - len(problems))
    if policy is None or problems:
        places = Places(text)
        raise PolicyError([places.placed(problem) for problem in problems])
    return policy


def _no_policy(text: str, raw: Any) -> str:
    smallest = "expected at least `notify: <URN of a topic>` and `rules:`"
    if raw is None:
        return f"the policy is empty; {smallest}"
    kind = "a list" if isinstance(raw, list) else "a single value"
    return f"the policy is {kind}, not a mapping of fields to values; {smallest}{hint_of(text)}"


def _spell_out(raw: dict[str, Any]) -> None:
    """Short forms: a topic alone as `notify`, and a single value in the place of a list of one."""
    for name in ("notify", "rules"):
        if raw.get(name, name) is None:
            del raw[name]
    if "notify" in raw and not isinstance(raw["notify"], dict):
        raw["notify"] = {"topic": raw["notify"]}
    parts: list[tuple[Any, tuple[str, ...]]] = [(raw, ("release_topics", "timers")), (raw.get("notify"), ("on",))]
    parts += [(freeze, ("rules",)) for freeze in _items(raw.get("freezes"))]
    parts += [(rule, ("windows", "after")) for rule in _items(raw.get("rules"))]
    for part, names in parts:
        for name in names if isinstance(part, dict) else ():
            single = isinstance(part.get(name), str) or (name == "windows" and isinstance(part.get(name), dict))
            if single:
                part[name] = [part[name]]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _effective(policy: Policy) -> Policy:
    """The policy with the names filled in that depend on a rule's place."""
    rules = (msgspec.structs.replace(rule, name=rule.name or f"rule-{number}") for number, rule in enumerate(policy.rules, 1))
    return msgspec.structs.replace(policy, rules=tuple(rules))
