"""What the command `doctor` found, a line for each thing that the function needs (docs/schemas/doctor.schema.json)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from ges_upgrader.domain.plain_text import MOST_DETAIL, plain


class Proof(str, Enum):
    """What became of a check."""

    OK = "ok"
    FAILED = "failed"
    NOT_PROVED = "not-proved"  # it could only be proved by acting, or another check failed first


class Finding(msgspec.Struct, frozen=True):
    """`remedy` is what to do, empty if that is nothing."""

    name: str
    result: Proof
    detail: str
    remedy: str = ""

    def shown(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "result": self.result.value,
            "detail": plain(self.detail, MOST_DETAIL),
            "remedy": self.remedy,
        }


def ok(name: str, detail: str) -> Finding:
    return Finding(name, Proof.OK, detail)


def failed(name: str, detail: str, remedy: str) -> Finding:
    return Finding(name, Proof.FAILED, detail, remedy)


def not_proved(name: str, detail: str, remedy: str = "") -> Finding:
    return Finding(name, Proof.NOT_PROVED, detail, remedy)
