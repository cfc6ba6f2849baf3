"""A request and a response, the same for both doors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


@dataclass(slots=True)
class Request:
    """One request that reached the cloud. `status` is what was answered, None where no answer got through."""

    method: str
    path: str  # percent-encoded, as it came
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: datetime
    service: str = ""
    operation: str = ""
    api: str = ""
    region: str = ""
    id: str = ""
    status: int | None = None
    scheme: str = ""  # that of the door in the process; the server's stands for all

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, content: Any, **headers: str) -> Response:
        return cls(status, msgspec.json.encode(content), {"Content-Type": "application/json", **headers})


class Refusal(Exception):
    """A service's error: turned into the envelope of the service and API in use."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code, message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def no_such_api() -> Refusal:
    """The gateway knows no such path, or not with this method, or not in this region (ges.md 5.3)."""
    return Refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


class InternalError(Refusal):
    """A service's own fault; the service in use has its own code for it."""

    def __init__(self, status: int) -> None:
        super().__init__(status, "", "")


class NoAnswer(Exception):
    """The door closes the connection in this way instead of answering."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how  # "reset", "timeout" or "refuse"
