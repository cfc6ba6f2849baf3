"""policy.schema.json, what an editor checks a policy against, and the tables of docs/policy.md, from the types that decode it.

An editor finds it by a first line `# yaml-language-server: $schema=policy.schema.json`. It says less than the function:
what only fits or does not fit together (names of rules, cycles, windows that never open) is checked when a policy is read.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "policy.schema.json"
sys.path.insert(0, str(ROOT / "function"))

from deploy.policy_fields import DOCUMENT, describe, document  # noqa: E402
from ges_upgrader.domain.duration import Duration, Latency, Lifetime  # noqa: E402
from ges_upgrader.domain.version import Version  # noqa: E402
from ges_upgrader.policy.fields import (  # noqa: E402
    Ages,
    Cutoff,
    Force,
    Globs,
    Instant,
    Moment,
    Share,
    State,
    Tags,
    Topic,
    Versions,
)
from ges_upgrader.policy.schema import Policy  # noqa: E402
from ges_upgrader.schedule.cron import Timer  # noqa: E402
from ges_upgrader.schedule.recurrence import SHAPE  # noqa: E402
from ges_upgrader.schedule.wallclock import DATE, TIME  # noqa: E402
from ges_upgrader.schedule.windows import DAYS, Window  # noqa: E402


def _matching(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


_DURATION = _matching(Duration.pattern)
_TOPIC = _matching(Topic.pattern)
_DAY = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in day) for day in DAYS)
_DAYS = rf"(?:{_DAY})(?:-(?:{_DAY}))?"
_SHORT_WINDOW = _matching(rf"\s*(?:always|(?:\*|{_DAYS}(?:,{_DAYS})*)\s+{TIME}-(?:{TIME}|24:00)\s+\S+)\s*")
_RATE = r"(?:@every\s+)?(?=.*[1-9])(?:[0-9]+[smhd])+"
_FIELD = r"[0-9A-Za-z*?,/#-]+"
_SCHEDULE = rf"\s*(?:CRON_TZ=\S+\s+)?(?:{_RATE}|{_FIELD}(?:\s+{_FIELD}){{5}}(?:\s.*)?)\s*"
_RULE_WINDOW = {
    "type": "object",
    "properties": {
        "rrule": _matching(SHAPE),
        "start": _matching(rf"(?:{DATE}[T ])?{TIME}"),
        "duration": _matching(Lifetime.pattern),
        "timezone": {"type": "string"},
    },
    "required": ["rrule", "start", "duration", "timezone"],
    "additionalProperties": False,
}
_AGES = {
    "type": "object",
    "properties": dict.fromkeys(("default", "normal", "security", "critical"), _DURATION),
    "required": ["default"],
    "additionalProperties": False,
}
_GLOB = {"type": "string", "minLength": 1}
_KINDS: dict[type, dict[str, Any]] = {
    Duration: _DURATION,
    Lifetime: _matching(Lifetime.pattern),
    Latency: _matching(Latency.pattern),
    Instant: _matching(Instant.pattern),
    Moment: _matching(Moment.pattern),
    Topic: _TOPIC,
    Version: _matching(rf"\s*{Version.pattern}\s*"),
    Versions: _matching(Versions.pattern),
    State: _matching(State.pattern),
    Globs: {"anyOf": [_GLOB, {"type": "array", "items": _GLOB, "minItems": 1}]},
    Tags: {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
        "minProperties": 1,
    },
    Share: {"anyOf": [{"type": "integer", "minimum": 1}, _matching(Share.pattern)]},
    Ages: {"anyOf": [_DURATION, _AGES]},
    Cutoff: {"anyOf": [_DURATION, {"const": "auto"}]},
    Force: {
        "anyOf": [
            {"enum": ["never", "always"]},
            {"type": "object", "properties": {"after": _DURATION}, "required": ["after"], "additionalProperties": False},
        ]
    },
    Timer: _matching(_SCHEDULE),
    Window: {"anyOf": [_SHORT_WINDOW, _RULE_WINDOW]},
}

# Lists in the place of which a single value is accepted.
_SINGLES = {
    "Policy": ("release_topics", "timers"),
    "Notify": ("on",),
    "Freeze": ("rules",),
    "Rule": ("windows", "after"),
}


def main() -> None:
    TARGET.write_text(text())
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
    print(*(path.relative_to(ROOT) for path in (TARGET, DOCUMENT)), sep="\n")


def text() -> str:
    (reference,), definitions = msgspec.json.schema_components(
        [Policy], schema_hook=_KINDS.__getitem__, ref_template="#/$defs/{name}"
    )
    policy = definitions["Policy"]["properties"]
    policy["notify"] = {"anyOf": [_TOPIC, policy["notify"]]}
    for definition in definitions.values():
        if "description" in definition:  # a docstring, whose indentation depends on the version of Python
            definition["description"] = inspect.cleandoc(definition["description"])
        fields = definition.get("properties", {})
        for name, field in fields.items():
            field.pop("default", None)
            fields[name] = _with_a_value(field)
    describe(definitions)
    for owner, names in _SINGLES.items():
        fields = definitions[owner]["properties"]
        for name in names:
            fields[name] = {"anyOf": [fields[name]["items"], fields[name]]}
    definitions["Freeze"]["oneOf"] = [
        {"required": ["from", "until"], "properties": {"when": False}},
        {"required": ["when"], "properties": dict.fromkeys(("from", "until", "timezone"), False)},
    ]
    definitions["Policy"]["required"] = ["notify", "rules"]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ges-upgrader policy", **reference}
    return json.dumps({**schema, "$defs": definitions}, indent=1, ensure_ascii=False) + "\n"


def _with_a_value(field: dict[str, Any]) -> dict[str, Any]:
    """Where a field may be left out, its type has null; written, null is refused."""
    kinds = field.pop("anyOf", [])
    kept = [kind for kind in kinds if kind != {"type": "null"}]
    return {**field, **kept[0]} if len(kept) == 1 else {**field, "anyOf": kept} if kept else field


if __name__ == "__main__":
    main()
