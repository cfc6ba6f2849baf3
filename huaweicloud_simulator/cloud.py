"""The root of a simulated cloud: its projects, keys, buckets and faults, and the one `handle` behind both doors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from .clock import Clock, RealClock
from .faults import Fault, Switch
from .gateway import signature
from .gateway.addresses import Target, target_of
from .gateway.envelopes import refused
from .ges import engine
from .ges import responses as ges
from .ges.models import Upgrade
from .ges.state import State
from .projects import Project
from .services import functiongraph, iam, obs, smn
from .wire import Answer, Refusal, Request, Response, no_such_api

ACCESS_KEY, SECRET_KEY = "SIMULATORAK", "SIMULATORSK"

T = TypeVar("T")

Admit = Callable[[Request, Target], None]  # raises Refusal
Route = Callable[[Request, Target], tuple[str, Answer]]  # the name of the operation, and its answer


@dataclass(frozen=True, slots=True)
class Invocation:
    """An accepted asynchronous invocation of a function."""

    function_urn: str
    event: Any
    at: datetime


class Cloud:
    """A cloud with one key pair and no projects. `requests` are all that reached it, in order.

    `ges` holds what all graphs share, such as how long an upgrade takes; tests set its most used values on the cloud itself.
    `on_invoke` receives accepted invocations. It runs without the cloud's lock, and may call the cloud from any thread.
    `on_call` runs a function for a synchronous invocation: by its URN and event to its result, in the thread of the call.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.ges = State(clock or RealClock())
        self.projects: dict[str, Project] = {}
        self.regions_without_v2: set[str] = set()
        self.buckets: dict[str, obs.Bucket] = {}
        self.tokens: set[str] = set()
        self.requests: list[Request] = []
        self.invocations: list[Invocation] = []
        self.on_invoke: Callable[[Invocation], None] | None = None
        self.on_call: Callable[[str, Any], Any] | None = None
        self._keys: dict[str, tuple[str, str | None]] = {ACCESS_KEY: (SECRET_KEY, None)}
        self._faults: list[Switch[Fault]] = []
        self._acts: list[Switch[Callable[[], object]]] = []
        self._undelivered: list[Invocation] = []
        self._lock = threading.RLock()
        self._services: dict[str, tuple[Admit, Route]] = {
            "ges": (self._admit, partial(ges.route, self.projects)),
            "smn": (self._admit, partial(smn.route, self.topic)),
            "functiongraph": (self._admit, partial(functiongraph.route, self.invoke, self._run)),
            "iam": (self._authenticate, partial(iam.route, self.projects)),
            "obs": (self._authenticate_obs, partial(obs.route, self.buckets)),
            "engine": (_admit_all, partial(engine.route, self.projects, self.tokens, self.clock)),
            "apigw": (self._authenticate, lambda *_: ("unknown", no_such_api)),
        }

    # What is in the cloud

    @property
    def clock(self) -> Clock:
        return self.ges.clock

    @property
    def upgrades(self) -> list[Upgrade]:
        """Every accepted upgrade, in order."""
        return self.ges.upgrades

    @property
    def upgrade_duration(self) -> timedelta:
        return self.ges.upgrade_duration

    @upgrade_duration.setter
    def upgrade_duration(self, duration: timedelta) -> None:
        self.ges.upgrade_duration = duration

    @property
    def backup_duration(self) -> timedelta:
        return self.ges.backup_duration

    @backup_duration.setter
    def backup_duration(self, duration: timedelta) -> None:
        self.ges.backup_duration = duration

    @property
    def backup_quota(self) -> int:
        return self.ges.backup_quota

    @backup_quota.setter
    def backup_quota(self, backups: int) -> None:
        self.ges.backup_quota = backups

    def credentials(self, ak: str, sk: str, security_token: str | None = None) -> None:
        """Registers a key pair, a temporary one if it has a security token."""
        self._keys[ak] = (sk, security_token)

    def token(self, text: str) -> None:
        """Registers an IAM token."""
        self.tokens.add(text)

    def release(self, *versions: str) -> None:
        """GES accepts these versions as targets from now on."""
        self.ges.releases.update(versions)

    def project(self, region: str, project_id: str, has_v2: bool = True) -> Project:
        """Gets or creates a project. Raises ValueError if it is in another region.

        Without `has_v2` the whole region lacks v2 of GES.
        """
        project = self.projects.setdefault(project_id, Project(self.ges, region, project_id))
        if project.region != region:
            raise ValueError(f"project {project_id} is in {project.region}, not in {region}")
        if not has_v2:
            self.regions_without_v2.add(region)
        return project

    def bucket(self, name: str, region: str = "cn-north-4") -> obs.Bucket:
        """Gets or creates a bucket."""
        return self.buckets.setdefault(name, obs.Bucket(name, region))

    def topic(self, urn: str) -> smn.Topic | None:
        return next((project.topics[urn] for project in self.projects.values() if urn in project.topics), None)

    # What happens to requests

    def fault(
        self,
        operation: str,
        fault: Fault,
        times: int | None = 1,
        after: int = 0,
        where: Callable[[Request], bool] | None = None,
    ) -> None:
        """Lets a fault strike `times` requests of the operations (a glob) that fulfil `where`, after `after` of them."""
        self._faults.append(Switch(operation, fault, times, after, where))

    def meanwhile(
        self,
        operation: str,
        act: Callable[[], object],
        times: int | None = 1,
        after: int = 0,
        where: Callable[[Request], bool] | None = None,
    ) -> None:
        """Does something in the cloud just before it answers such requests. The other arguments are those of `fault`.

        An operator deletes a graph between two pages of the list:
        `cloud.meanwhile("ges.list_graphs", lambda: project.delete(graph), where=faults.later_page)`.
        """
        self._acts.append(Switch(operation, act, times, after, where))

    def clear_faults(self) -> None:
        """Ends every `fault` and every `meanwhile`."""
        self._faults.clear()
        self._acts.clear()

    def calls(self, operation: str) -> list[Request]:
        """The requests of an operation that reached the cloud, in order."""
        return [request for request in self.requests if request.operation == operation]

    def handle(self, request: Request) -> Response:
        """Answers a request under the cloud's lock. Raises NoAnswer if the client gets no answer."""
        try:
            with self._lock:
                return self._handle(request)
        finally:
            self._deliver()

    def _handle(self, request: Request) -> Response:
        self.requests.append(request)
        request.id = f"{len(self.requests):032x}"
        target = target_of(request)
        request.service, request.api = target.service, target.api
        admit, route = self._services[target.service]
        operation, answer = route(request, target)
        request.operation = f"{target.service}.{operation}"

        def admitted() -> Response:
            admit(request, target)
            return answer()

        fault = next(_taken(self._faults, request), None)
        for act in list(_taken(self._acts, request)):
            act()
        try:
            response = _answered(admitted, fault)
        except Refusal as refusal:
            response = refused(request, refusal)
        response.headers.setdefault("X-Request-Id", request.id)
        request.status = response.status
        return response

    def invoke(self, function_urn: str, event: Any) -> None:
        """Accepts an asynchronous invocation."""
        invocation = Invocation(function_urn, event, self.clock.now())
        self.invocations.append(invocation)
        if self.on_invoke is not None:
            self._undelivered.append(invocation)

    def _run(self, function_urn: str, event: Any) -> Any:
        """The result of a synchronous invocation."""
        if self.on_call is None:
            raise Refusal(404, "FSS.1051", "Not found the function")
        return self.on_call(function_urn, event)

    def _deliver(self) -> None:
        """Passes accepted invocations to `on_invoke` without holding the lock."""
        while True:
            with self._lock:
                if not self._undelivered or self.on_invoke is None:
                    return
                invocation, receive = self._undelivered.pop(0), self.on_invoke
            receive(invocation)

    # Who may ask

    def _authenticate(self, request: Request, target: Target) -> None:
        """Admits a signed request at a host of its service."""
        signature.check(request, self._keys, self.tokens, self.clock.now())
        if target.host_service not in (None, target.service):
            no_such_api()

    def _admit(self, request: Request, target: Target) -> None:
        """Admits a signed request for a project at a host of its region, if a header names no other project (ges.md 1)."""
        self._authenticate(request, target)
        project = self.projects.get(target.parts[1])
        if project is None or not _is_addressed(project, request, target):
            raise _foreign_project(request)
        request.region = project.region
        if target.api == "v2" and project.region in self.regions_without_v2:
            no_such_api()

    def _authenticate_obs(self, request: Request, target: Target) -> None:
        signature.check_obs(request, target.bucket, target.key, self._keys, self.clock.now())


def _taken(switches: Iterable[Switch[T]], request: Request) -> Iterator[T]:
    return (switch.what for switch in switches if switch.takes(request))


def _is_addressed(project: Project, request: Request, target: Target) -> bool:
    """Whether the host is of the project's region, and no header names another project."""
    return target.region in (None, project.region) and request.headers.get("x-project-id", project.id) == project.id


def _admit_all(*_: object) -> None:
    """The engine checks tokens itself, and words refusals in its own way."""


def _answered(answer: Answer, fault: Fault | None) -> Response:
    if fault is None:
        return answer()
    if fault.acts:
        with suppress(Refusal):  # the client does not see a refusal either
            answer()
    return fault.strike()


def _foreign_project(request: Request) -> Refusal:
    """A project that does not belong to the caller. FunctionGraph's code is inferred from the gateway's (ges.md 5.3)."""
    return Refusal(*_FOREIGN_PROJECT.get(request.service, (403, "APIGW.0302", "The request is not authorised")))


_FOREIGN_PROJECT = {
    "ges": (400, "GES.0016", "Resource not found"),
    "smn": (403, "SMN.0001", "No permission."),
}
