"""A request and a response, the same for both doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

import msgspec


@dataclass(slots=True)
class Request:
    """A request that reached the cloud. `status` is the answer's, None if the client got none."""

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
    scheme: str = ""  # of the URL, if it came in the process; empty for the server

    @property
    def json(self) -> Any:
        """The body, None if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True)
class Response:
    """`later` gives the response itself, once the cloud's lock is free."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    later: Callable[[], Response] | None = None

    @classmethod
    def of(cls, status: int, content: Any, **headers: str) -> Response:
        """A response with JSON."""
        return cls(status, msgspec.json.encode(content), {"Content-Type": "application/json", **headers})


Answer = Callable[[], Response]  # raises Refusal, or NoAnswer


class Refusal(Exception):
    """A service's error. The gateway puts it into the envelope of the service and API in use."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code, message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def no_such_api() -> NoReturn:
    """The gateway does not know the path, or not with this method, or not in this region (ges.md 5.3)."""
    raise Refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


class InternalError(Refusal):
    """A service's internal error, for which each service has its own code."""

    def __init__(self, status: int) -> None:
        super().__init__(status, "", "")


class NoAnswer(Exception):
    """The door closes the connection instead of answering: `how` is "reset", "timeout" or "refuse"."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how
