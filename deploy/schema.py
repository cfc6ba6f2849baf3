"""policy.schema.json: what an editor checks a policy against, made from the types that decode it.

An editor finds it by a first line `# yaml-language-server: $schema=policy.schema.json`. It says less than the function:
what only fits or does not fit together (names of rules, cycles, windows that never open) is checked when a policy is read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "policy.schema.json"
sys.path.insert(0, str(ROOT / "function"))

from upgrader.durations import Duration  # noqa: E402
from upgrader.policy import Policy  # noqa: E402
from upgrader.policy_fields import (  # noqa: E402
    Ages,
    Cutoff,
    Force,
    Instant,
    Moment,
    Share,
    State,
    Tags,
    Topic,
    Versions,
)
from upgrader.recurrence import SHAPE  # noqa: E402
from upgrader.timers import Timer  # noqa: E402
from upgrader.versions import Version  # noqa: E402
from upgrader.wallclock import DATE, TIME  # noqa: E402
from upgrader.windows import Window  # noqa: E402

_DURATION = {"type": "string", "pattern": r"^\d{1,6}[smhdw]$"}
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$"}
_TOPIC = {"type": "string", "pattern": r"^urn:smn:[a-z0-9-]+:[A-Za-z0-9]{1,64}:[A-Za-z0-9][A-Za-z0-9_-]{0,254}$"}
_SHORT_WINDOW = {"type": "string", "pattern": r"^(always|\S+\s+\d\d:\d\d-\d\d:\d\d\s+\S+)$"}
_RULE_WINDOW = {
    "type": "object",
    "properties": {
        "rrule": {"type": "string", "pattern": f"^{SHAPE}$"},
        "start": {"type": "string", "pattern": f"^({DATE}[T ])?{TIME}$"},
        "duration": _DURATION,
        "timezone": {"type": "string"},
    },
    "required": ["rrule", "start", "duration", "timezone"],
    "additionalProperties": False,
}
_AGES = {
    "type": "object",
    "properties": dict.fromkeys(("default", "normal", "security", "critical"), _DURATION),
    "additionalProperties": False,
    "minProperties": 1,
}
_KINDS: dict[type, dict[str, Any]] = {
    Duration: _DURATION,
    Instant: _MOMENT,
    Moment: _MOMENT,
    Topic: _TOPIC,
    Version: {"type": "string", "pattern": r"^[vV]?\d{1,9}(\.\d{1,9}){2,3}$"},
    Versions: {"type": "string", "minLength": 1},
    State: {"type": "string", "pattern": r"^(none|obs://[a-z0-9][a-z0-9.-]+(/.*)?|file:///.+)$"},
    Tags: {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
    Share: {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^(100|[1-9]\d?)%$"}]},
    Ages: {"anyOf": [_DURATION, _AGES]},
    Cutoff: {"anyOf": [_DURATION, {"const": "auto"}]},
    Force: {
        "anyOf": [
            {"enum": ["never", "always"]},
            {"type": "object", "properties": {"after": _DURATION}, "required": ["after"], "additionalProperties": False},
        ]
    },
    Timer: {"type": "string", "minLength": 1},
    Window: {"anyOf": [_SHORT_WINDOW, _RULE_WINDOW]},
}


def main() -> None:
    TARGET.write_text(text())
    print(TARGET.relative_to(ROOT))


def text() -> str:
    (reference,), definitions = msgspec.json.schema_components(
        [Policy], schema_hook=_KINDS.__getitem__, ref_template="#/$defs/{name}"
    )
    policy = definitions["Policy"]["properties"]
    policy["notify"] = {"anyOf": [_TOPIC, policy["notify"]]}
    windows = definitions["Rule"]["properties"]["windows"]
    definitions["Rule"]["properties"]["windows"] = {"anyOf": [{"const": "always"}, windows]}
    for definition in definitions.values():
        for field in definition.get("properties", {}).values():
            field.pop("default", None)
    definitions["Policy"]["required"] = ["notify", "rules"]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ges-upgrader policy", **reference}
    return json.dumps({**schema, "$defs": definitions}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
