"""What each field of a policy means, from policy_fields.yaml: for the schema, and as the tables of docs/policy.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ges_upgrader.policy import freezes
from ges_upgrader.policy import schema as policies
from ges_upgrader.policy.yaml_text import read

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "policy.md"
_TABLE = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`example` is the field as a policy has it. `absent`: what holds without it, if that is not its default."""

    means: str
    example: str
    absent: str | None = None

    @property
    def value(self) -> Any:
        (value,) = read(self.example).values()
        return value


def fields() -> dict[str, dict[str, Field]]:
    """By the names of the types."""
    text = (Path(__file__).parent / "policy_fields.yaml").read_text()
    return msgspec.convert(yaml.load(text, yaml.BaseLoader), dict[str, dict[str, Field]])


def type_of(owner: str) -> Any:
    return getattr(policies if hasattr(policies, owner) else freezes, owner)


def describe(definitions: Mapping[str, Any]) -> None:
    """Adds to each field of a schema what it means, and its example."""
    for owner, described in fields().items():
        properties = definitions[owner]["properties"]
        for name, field in described.items():
            accepted = properties[name].get("description")
            means = field.means.replace("`", "'")
            properties[name]["description"] = f"{means} Accepted: {accepted}." if accepted else means
            properties[name]["examples"] = [field.value]


def document(text: str) -> str:
    """The text of docs/policy.md with its tables made anew."""
    return _TABLE.sub(lambda match: f"{match[1]}{_table(match[2])}{match[3]}", text)


def _table(owner: str) -> str:
    rows = (
        f"| `{name}` | {one.means} | {_default(owner, name, one)} | `{one.example}` |\n"
        for name, one in fields()[owner].items()
    )
    return "| field | what it means | default | example |\n|---|---|---|---|\n" + "".join(rows)


def _default(owner: str, name: str, field: Field) -> str:
    if field.absent is not None:
        return field.absent
    found = next(one for one in msgspec.structs.fields(type_of(owner)) if one.encode_name == name)
    value = found.default if found.default_factory is msgspec.NODEFAULT else found.default_factory()
    plain = msgspec.to_builtins(value, enc_hook=policies.plain_value)
    if isinstance(plain, dict):  # an age by severity, of which one is given
        plain = plain["default"]
    shown = "0d" if plain == "0s" else plain if isinstance(plain, str) else json.dumps(plain)
    return "–" if plain in (None, "", [], ()) else f"`{shown}`"
