"""A service's API as a table: a method and a path to the name of an operation and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from ..wire import Answer, Request, Response, no_such_api
from .addresses import Target

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Call:
    """A request and the `values` of its path, one for each `*` of the route."""

    request: Request
    values: list[str]

    def fields(self) -> dict[str, Any]:
        """The body's fields; none if it is no JSON object."""
        body = self.request.json
        return body if isinstance(body, dict) else {}


Respond = Callable[[State, Call], Response]


class Api(Generic[State]):
    """`routes` are by method and path, such as `GET v2/*/fgs/functions`. Earlier routes come first."""

    def __init__(self, routes: Mapping[str, tuple[str, Respond[State]]]) -> None:
        self.routes = dict(routes)
        self._parts = [(shape.split(" ")[0], shape.split(" ")[1].split("/"), found) for shape, found in routes.items()]

    def route(self, state: State, request: Request, target: Target) -> tuple[str, Answer]:
        for method, shape, (name, respond) in self._parts:
            if method == request.method and _fits(shape, target.parts):
                values = [part for part, expected in zip(target.parts, shape, strict=True) if expected == "*"]
                return name, partial(respond, state, Call(request, values))
        return "unknown", no_such_api


def _fits(shape: list[str], parts: list[str]) -> bool:
    return len(shape) == len(parts) and all(
        part != "" if expected == "*" else part == expected for expected, part in zip(shape, parts, strict=True)
    )
