"""The control API: who needs it is a person with curl, or a test in another process. It asks for no credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import yaml

from ..cloud import Cloud
from ..wire import Request, Response
from . import acting, shown
from .page import index
from .seeding import seed

if TYPE_CHECKING:
    from ..functiongraph.runtime.platform import Platform

# What each answers, for the page. `…` stands for a name.
ENDPOINTS = {
    "GET /_control/clock": "the cloud's time",
    "POST /_control/clock": 'moves a virtual clock and fires due timers: {"advance": "1h"} or {"set": "2026-12-01T00:00:00Z"}',
    "POST /_control/seed": "adds a fleet: graphs, versions, topics, buckets",
    "POST /_control/reset": "empties the cloud",
    "GET /_control/graphs": "all graphs, as they are now",
    "POST /_control/graphs/…/…": "start, stop, restart, delete, rollback, change, next_upgrade",
    "GET /_control/calls": "the requests so far; ?operation=ges.* chooses",
    "GET /_control/messages": "what was published",
    "POST /_control/topics/…/publish": 'publishes as a person does: {"subject": "…", "message": "…"}',
    "GET /_control/subscriptions": "who subscribed to what",
    "POST /_control/subscriptions": 'confirms: {"endpoint": "ops@example.com"}',
    "GET /_control/outbox": "what subscribers received",
    "GET /_control/runs": "invocations of deployed functions, with their results and logs",
    "POST /_control/settle": "waits until no invocation is in progress",
    "POST /_control/instances/forget": "the next invocation starts cold",
    "POST /_control/faults": 'what goes wrong next: {"operation": "ges.*", "fault": "throttle", "times": 2}',
    "DELETE /_control/faults": "nothing goes wrong any more",
    "GET /_control/rights": "what agencies were granted, and what their calls needed",
    "POST /_control/rights": 'whether rights are checked: {"enforced": true}',
}


class Control:
    """`reset` empties the cloud and gives its new platform."""

    def __init__(self, cloud: Cloud, url: str, platform: Callable[[], Platform], reset: Callable[[], None]) -> None:
        self._cloud, self._url, self._platform, self._reset = cloud, url, platform, reset

    @staticmethod
    def is_meant(request: Request) -> bool:
        """Whether the request is for the control API. A signed `GET /` lists buckets."""
        is_root = (request.method, request.path) == ("GET", "/") and "authorization" not in request.headers
        return is_root or request.path.startswith("/_control")

    def handle(self, request: Request) -> Response:
        parts = [unquote(part) for part in request.path.strip("/").split("/")][1:]
        if not parts:
            return index(self._cloud, self._url, ENDPOINTS)
        try:
            content = self._answer(request, parts)
        except (ValueError, TypeError) as error:
            return Response.of(400, {"error": str(error)})
        except LookupError as error:
            return Response.of(404, {"error": str(error.args[0])})
        if content is None:
            return Response.of(404, {"error": f"there is no {request.method} {request.path}", "endpoints": ENDPOINTS})
        return Response.of(200, content)

    def _answer(self, request: Request, parts: list[str]) -> Any:
        fields = _fields(request)
        named = (request.method, parts[0]) if len(parts) == 3 else None
        if named == ("POST", "graphs"):
            return acting.operate(self._cloud, parts[1], parts[2], fields)
        if named == ("POST", "topics"):
            return acting.publish(self._cloud, parts[1], fields)
        answers = self._reading(request) if request.method == "GET" else self._writing(fields)
        found = answers.get(f"{request.method} {'/'.join(parts)}")
        return None if found is None else found()

    def _reading(self, request: Request) -> dict[str, Callable[[], Any]]:
        cloud = self._cloud
        return {
            "GET clock": lambda: {"now": cloud.clock.now().isoformat()},
            "GET graphs": lambda: shown.graphs(cloud),
            "GET calls": lambda: shown.calls(cloud, request.query),
            "GET messages": lambda: shown.messages(cloud),
            "GET subscriptions": lambda: shown.subscriptions(cloud),
            "GET outbox": lambda: shown.outbox(cloud),
            "GET runs": lambda: shown.runs(self._platform()),
            "GET rights": lambda: shown.rights(cloud),
        }

    def _writing(self, fields: dict[str, Any]) -> dict[str, Callable[[], Any]]:
        cloud = self._cloud
        return {
            "POST clock": lambda: acting.set_clock(cloud, self._platform(), fields),
            "POST seed": lambda: {"graphs": seed(cloud, fields)},
            "POST reset": lambda: _done(self._reset),
            "POST subscriptions": lambda: acting.confirm(cloud, fields),
            "POST settle": lambda: _done(self._platform().settle),
            "POST instances/forget": lambda: _done(self._platform().forget_instances),
            "POST faults": lambda: acting.add_fault(cloud, fields),
            "DELETE faults": lambda: _done(cloud.clear_faults),
            "POST rights": lambda: acting.set_rights(cloud, fields),
        }


def _done(act: Callable[[], None]) -> dict[str, Any]:
    act()
    return {}


def _fields(request: Request) -> dict[str, Any]:
    """Of a body in JSON, or in YAML, in which fleet files are written."""
    try:
        fields = yaml.safe_load(request.body) if request.body else {}
    except yaml.YAMLError as error:
        raise ValueError(f"the body is neither JSON nor YAML: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError("the body must be an object of JSON or YAML")
    return fields
