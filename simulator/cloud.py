"""The root of a simulated cloud: its projects, keys, clock and faults, and the one door behind both doors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote

from . import functiongraph, iam, obs, signature, smn
from .clock import RealClock
from .faults import Fault, Switch
from .ges import responses as ges
from .ges.models import Graph, Upgrade
from .wire import NoAnswer, Refusal, Request, Response

ACCESS_KEY, SECRET_KEY = "SIMULATORAK", "SIMULATORSK"


class Clock(Protocol):
    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Invocation:
    function_urn: str
    event: Any
    at: datetime


class Project:
    """A project of IAM in its region, with what is in it."""

    def __init__(self, cloud: Cloud, region: str, project_id: str) -> None:
        self.cloud, self.region, self.id = cloud, region, project_id
        self.graphs: dict[str, Graph] = {}
        self.topics: dict[str, smn.Topic] = {}

    def graph(self, name: str, **fields: Any) -> Graph:
        graph = Graph(self.cloud, self, name, **fields)
        self.graphs[graph.id] = graph
        return graph

    def delete(self, graph: Graph) -> None:
        del self.graphs[graph.id]

    def topic(self, name: str) -> smn.Topic:
        """Gets or creates a topic."""
        urn = f"urn:smn:{self.region}:{self.id}:{name}"
        return self.topics.setdefault(urn, smn.Topic(urn))


class Cloud:
    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or RealClock()
        self.upgrade_duration = timedelta(minutes=12)
        self.backup_duration = timedelta(minutes=1)
        self.backup_quota = 7
        self.releases: set[str] = set()
        self.projects: dict[str, Project] = {}
        self.regions_without_v2: set[str] = set()
        self.buckets: dict[str, obs.Bucket] = {}
        self.requests: list[Request] = []
        self.upgrades: list[Upgrade] = []
        self.invocations: list[Invocation] = []
        self.on_invoke: Callable[[Invocation], None] | None = None
        self._keys: dict[str, tuple[str, str | None]] = {ACCESS_KEY: (SECRET_KEY, None)}
        self._tokens: set[str] = set()
        self._switches: list[Switch] = []
        self._lock = threading.RLock()

    def credentials(self, ak: str, sk: str, security_token: str | None = None) -> None:
        self._keys[ak] = (sk, security_token)

    def token(self, text: str) -> None:
        self._tokens.add(text)

    def release(self, *versions: str) -> None:
        """GES accepts these as targets from now on."""
        self.releases.update(versions)

    def project(self, region: str, project_id: str, has_v2: bool = True) -> Project:
        """Gets or creates a project."""
        if not has_v2:
            self.regions_without_v2.add(region)
        return self.projects.setdefault(project_id, Project(self, region, project_id))

    def bucket(self, name: str, region: str = "cn-north-4") -> obs.Bucket:
        return self.buckets.setdefault(name, obs.Bucket(name, region))

    def topic(self, urn: str) -> smn.Topic | None:
        return next((project.topics[urn] for project in self.projects.values() if urn in project.topics), None)

    def fault(
        self,
        operation: str,
        fault: Fault,
        times: int | None = 1,
        after: int = 0,
        where: Callable[[Request], bool] | None = None,
    ) -> None:
        """Switches a fault on for `times` requests of the operations (a glob), after letting `after` of them pass."""
        self._switches.append(Switch(operation, fault, times, after, where))

    def clear_faults(self) -> None:
        self._switches.clear()

    def calls(self, operation: str) -> list[Request]:
        """The requests of an operation that reached the cloud, in order."""
        return [request for request in self.requests if request.operation == operation]

    def handle(self, request: Request) -> Response:
        """Answers a request, or raises NoAnswer. What it does is done under one lock."""
        with self._lock:
            self.requests.append(request)
            route = self._route(request)
            fault = next((switch.fault for switch in self._switches if switch.takes(request)), None)
            try:
                response = self._respond(request, route, fault)
            except Refusal as refusal:
                response = _refused(request, refusal)
            response.headers.setdefault("X-Request-Id", f"{len(self.requests):032x}")
            request.status = response.status
            return response

    def _respond(self, request: Request, route: Callable[[], Response], fault: Fault | None) -> Response:
        if fault is None:
            return route()
        if fault.acts:
            try:
                route()
            except Refusal:
                return route()
        return fault.strike()

    def _route(self, request: Request) -> Callable[[], Response]:
        """What the request asks for; sets its service, operation and API."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        respond: Callable[[Project, Request, list[str]], Response]
        if re.fullmatch(r"v2|v1\.0", parts[0]) and parts[2:3] == ["graphs"]:
            operation, respond = ges.route(request, parts)
            request.service, request.api = "ges", parts[0]
        elif parts[0] == "v2" and parts[2:4] == ["notifications", "topics"]:
            operation, respond = smn.route(request, parts)
            request.service = "smn"
        elif parts[:2] == ["v3", "projects"]:
            operation = "list_projects"
            request.service = "iam"
        elif parts[0] == "v2" and parts[2:4] == ["fgs", "functions"]:
            operation, respond = "invoke_async", functiongraph.invoke_async
            request.service = "functiongraph"
        elif re.fullmatch(r"v\d(\.\d)?", parts[0]):
            operation = "unknown"
            request.service = "apigw"
        else:
            return self._route_obs(request, parts)
        request.operation = f"{request.service}.{operation}"

        def answer() -> Response:
            signature.check(request, self._keys, self._tokens, self.clock.now())
            if request.service == "iam":
                return iam.list_projects(self, request)
            if request.service == "apigw":
                raise _no_such_api()
            project = self.projects.get(parts[1])
            if project is None:
                raise Refusal(400, "GES.0016", "Resource not found")
            request.region = project.region
            if request.api == "v2" and project.region in self.regions_without_v2:
                raise _no_such_api()
            return respond(project, request, parts)

        return answer

    def _route_obs(self, request: Request, parts: list[str]) -> Callable[[], Response]:
        host = re.match(r"([a-z0-9.-]+)\.obs\.", request.headers.get("host", ""))
        path = unquote(request.path).lstrip("/")
        bucket, key = (host[1], path) if host else (parts[0], path.partition("/")[2])
        request.service = "obs"
        request.operation = f"obs.{obs.operation(request)}"

        def answer() -> Response:
            signature.check_obs(request, bucket, key, self._keys)
            return obs.respond(self.buckets.get(bucket), key, request)

        return answer


def _no_such_api() -> Refusal:
    return Refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def _refused(request: Request, refusal: Refusal) -> Response:
    """The envelope of the layer that refuses (ges.md 5.1, smn-obs-core.md A4)."""
    request_id = "cb141a91c945e68714a8eff5d62dc001"
    code, message = refusal.code, refusal.message
    if request.service == "obs":
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Response(refusal.status, text.encode(), {"Content-Type": "application/xml"})
    if code.startswith("APIGW."):
        return Response.of(refusal.status, {"error_msg": message, "error_code": code, "request_id": request_id})
    if request.service == "smn":
        return Response.of(refusal.status, {"request_id": request_id, "code": code, "message": message})
    if request.api == "v1.0":
        return Response.of(refusal.status, {"errorCode": code, "errorMessage": message})
    return Response.of(refusal.status, {"error_code": code, "error_msg": message})


__all__ = ["ACCESS_KEY", "SECRET_KEY", "Cloud", "Invocation", "NoAnswer", "Project"]
