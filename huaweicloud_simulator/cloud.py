"""The root of a simulated cloud: its projects, keys, clock and faults, and the one door behind both doors."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote

from . import functiongraph, iam, obs, signature, smn
from .clock import RealClock
from .envelopes import refused
from .faults import Fault, Switch
from .ges import engine
from .ges import responses as ges
from .ges.models import Graph, Upgrade
from .wire import NoAnswer, Refusal, Request, Response, no_such_api

ACCESS_KEY, SECRET_KEY = "SIMULATORAK", "SIMULATORSK"
_HOST = re.compile(
    r"((?P<bucket>[a-z0-9.-]+)\.)??(?P<service>ges|smn|iam|obs|functiongraph)(\.(?P<region>[a-z0-9-]+))?"
    r"\.myhuaweicloud\.(com|eu)(:\d+)?"
)


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
        self.tokens: set[str] = set()
        self.numbers = itertools.count()  # of graphs, never given again
        self._switches: list[Switch] = []
        self._undelivered: list[Invocation] = []
        self._lock = threading.RLock()

    def credentials(self, ak: str, sk: str, security_token: str | None = None) -> None:
        self._keys[ak] = (sk, security_token)

    def token(self, text: str) -> None:
        self.tokens.add(text)

    def release(self, *versions: str) -> None:
        """GES accepts these as targets from now on."""
        self.releases.update(versions)

    def project(self, region: str, project_id: str, has_v2: bool = True) -> Project:
        """Gets or creates a project; its id belongs to one region. Without v2 is a property of the region."""
        project = self.projects.setdefault(project_id, Project(self, region, project_id))
        if project.region != region:
            raise ValueError(f"project {project_id} is in {project.region}, not in {region}")
        if not has_v2:
            self.regions_without_v2.add(region)
        return project

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
        try:
            with self._lock:
                self.requests.append(request)
                request.id = f"{len(self.requests):032x}"
                route = self._route(request)
                fault = next((switch.fault for switch in self._switches if switch.takes(request)), None)
                try:
                    response = self._respond(route, fault)
                except Refusal as refusal:
                    response = refused(request, refusal)
                response.headers.setdefault("X-Request-Id", request.id)
                request.status = response.status
                return response
        finally:
            self._deliver()

    def invoke(self, function_urn: str, event: Any) -> None:
        """Accepts an asynchronous invocation."""
        invocation = Invocation(function_urn, event, self.clock.now())
        self.invocations.append(invocation)
        if self.on_invoke is not None:
            self._undelivered.append(invocation)

    def _deliver(self) -> None:
        """Hands accepted invocations on without holding the lock: who gets one may call the cloud from another thread."""
        while True:
            with self._lock:
                if not self._undelivered or self.on_invoke is None:
                    return
                invocation, receive = self._undelivered.pop(0), self.on_invoke
            receive(invocation)

    def _respond(self, route: Callable[[], Response], fault: Fault | None) -> Response:
        if fault is None:
            return route()
        if fault.acts:
            with suppress(Refusal):  # what the service would have said is lost too
                route()
        return fault.strike()

    def _route(self, request: Request) -> Callable[[], Response]:
        """What the request asks for; sets its service, operation and API."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        host = _HOST.fullmatch(request.headers.get("host", ""))
        respond: Callable[[Project, Request, list[str]], Response]
        if not host and parts[:2] == ["ges", "v1.0"] and parts[3:4] == ["graphs"] and len(parts) > 4:
            return engine.answer(self, request, parts)
        if host and host["service"] == "obs":
            return self._route_obs(request, host["bucket"])
        if re.fullmatch(r"v2|v1\.0", parts[0]) and parts[2:3] == ["graphs"]:
            operation, respond = ges.route(request, parts)
            request.service, request.api = "ges", parts[0]
        elif parts[0] == "v2" and parts[2:4] == ["notifications", "topics"]:
            operation, respond = smn.route(request, parts)
            request.service = "smn"
        elif parts == ["v3", "projects"] and request.method == "GET":
            operation = "list_projects"
            request.service = "iam"
        elif parts[0] == "v2" and parts[2:4] == ["fgs", "functions"]:
            operation, respond = functiongraph.route(request, parts)
            request.service = "functiongraph"
        elif host or re.fullmatch(r"v\d(\.\d)?", parts[0]):
            operation = "unknown"
            request.service = "apigw"
        else:
            return self._route_obs(request, None)
        request.operation = f"{request.service}.{operation}"

        def answer() -> Response:
            signature.check(request, self._keys, self.tokens, self.clock.now())
            if request.service == "apigw" or (host and host["service"] != request.service):
                raise no_such_api()
            if request.service == "iam":
                return iam.list_projects(self, request)
            project = self.projects.get(parts[1])
            if project is None or not _reached(project, request, host["region"] if host else None):
                raise _foreign_project(request)
            request.region = project.region
            if request.api == "v2" and project.region in self.regions_without_v2:
                raise no_such_api()
            return respond(project, request, parts)

        return answer

    def _route_obs(self, request: Request, bucket: str | None) -> Callable[[], Response]:
        """The bucket stands in the host, or before the key in the path."""
        key = unquote(request.path).lstrip("/")
        if bucket is None:
            bucket, _, key = key.partition("/")
        request.service = "obs"
        request.operation = f"obs.{obs.operation(request)}"

        def answer() -> Response:
            signature.check_obs(request, bucket, key, self._keys, self.clock.now())
            return obs.respond(self.buckets.get(bucket), key, request)

        return answer


def _reached(project: Project, request: Request, region: str | None) -> bool:
    """Whether the call went to the project's own region and names the same project all over (ges.md 1)."""
    return region in (None, project.region) and request.headers.get("x-project-id", project.id) == project.id


def _foreign_project(request: Request) -> Refusal:
    """A project that the caller has not got. What FunctionGraph says is not documented; this is the gateway's (ges.md 5.3)."""
    if request.service == "ges":
        return Refusal(400, "GES.0016", "Resource not found")
    if request.service == "smn":
        return Refusal(403, "SMN.0001", "No permission.")
    return Refusal(403, "APIGW.0302", "The request is not authorised")


__all__ = ["ACCESS_KEY", "SECRET_KEY", "Cloud", "Invocation", "NoAnswer", "Project"]
