"""The effective policy: what was written, with every default in its place, as a policy that can be used."""

from __future__ import annotations

from typing import Any

import yaml

from ges_upgrader.policy.schema import Policy, plain
from ges_upgrader_cli.checking.window_words import written_form


def effective(policy: Policy) -> dict[str, Any]:
    """In plain data. Fields that say nothing unless they are given are left out."""
    shown = _given({name: value for name, value in plain(policy).items() if name != "tests"})
    for freeze, held in zip(shown.get("freezes", ()), policy.freezes):
        if held.when is not None:
            freeze["when"] = written_form(held.when)
    for rule, written in zip(shown["rules"], policy.rules):
        if written.windows:
            rule["windows"] = [written_form(window) for window in written.windows]
    return dict(shown)


def as_yaml(shown: dict[str, Any]) -> str:
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100)


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _given(item) for name, item in value.items() if item is not None and item not in ([], {}, ())}
    return [_given(item) for item in value] if isinstance(value, (list, tuple)) else value
