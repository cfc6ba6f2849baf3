"""The root of a simulated cloud: its services, projects and faults, and the one `handle` behind both doors."""

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
from .functiongraph.api import responses as functiongraph
from .functiongraph.runtime.platform import Platform
from .functiongraph.state import State as FunctionGraph
from .gateway.accesses import permitted
from .gateway.addresses import Target, target_of
from .gateway.admission import Admission, Admit, admit_all
from .gateway.envelopes import refused
from .ges import engine
from .ges import responses as ges
from .ges.models import Upgrade
from .ges.state import State
from .iam import responses as iam
from .iam.state import State as Iam
from .lts import responses as lts
from .lts.state import State as Lts
from .obs import responses as obs
from .obs.models import Bucket
from .projects import Project
from .smn import responses as smn
from .smn.models import State as Smn
from .smn.models import Topic
from .wire import Answer, Refusal, Request, Response, no_such_api

ACCESS_KEY, SECRET_KEY = "SIMULATORAK", "SIMULATORSK"

T = TypeVar("T")

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
        self._clock = clock or RealClock()
        self.empty()

    def empty(self) -> None:
        """Makes it a cloud without projects again. The clock stays."""
        self.ges = State(self._clock)
        self.projects: dict[str, Project] = {}
        self.regions_without_v2: set[str] = set()
        self.buckets: dict[str, Bucket] = {}
        self.requests: list[Request] = []
        self.invocations: list[Invocation] = []
        self.on_invoke: Callable[[Invocation], None] | None = None
        self.on_call: Callable[[str, Any], Any] | None = None
        self.platform: Platform | None = None  # runs deployed code; a server sets it
        self._faults: list[Switch[Fault]] = []
        self._acts: list[Switch[Callable[[], object]]] = []
        self._undelivered: list[Invocation] = []
        self._lock = threading.RLock()
        self.iam, self.lts = Iam(self.clock), Lts(self.clock)
        self.smn = Smn(self.clock, self._topics, self.invoke)
        self.functions = FunctionGraph(
            self.clock, self.iam, self.smn, self.buckets, self.invoke, self._run, lambda project: self.projects[project].region
        )
        self.functions.deliver = self.deliver
        self.credentials(ACCESS_KEY, SECRET_KEY)
        door = Admission(self.iam, self.projects, self.regions_without_v2)
        self._services: dict[str, tuple[Admit, Route]] = {
            "ges": (door.of_project, partial(ges.route, self.projects)),
            "smn": (door.of_project, partial(smn.api(self.projects.__getitem__).route, self.smn)),
            "functiongraph": (door.of_project, partial(functiongraph.API.route, self.functions)),
            "iam": (door.of_service, partial(iam.api(lambda: self.projects).route, self.iam)),
            "sts": (door.of_service, partial(iam.STS.route, self.iam)),
            "lts": (door.of_project, partial(lts.API.route, self.lts)),
            "cts": (door.of_project, partial(lts.CTS.route, self.lts)),
            "ces": (door.of_project, partial(lts.CES.route, self.lts)),
            "obs": (door.of_obs, partial(obs.route, self.buckets)),
            "engine": (admit_all, partial(engine.route, self.projects, self.iam.tokens, self.clock)),
            "apigw": (door.of_service, lambda *_: ("unknown", no_such_api)),
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
        self.iam.keys[ak] = (sk, security_token)

    def token(self, text: str) -> None:
        """Registers an IAM token."""
        self.iam.tokens.add(text)

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

    def bucket(self, name: str, region: str = "cn-north-4") -> Bucket:
        """Gets or creates a bucket."""
        return self.buckets.setdefault(name, Bucket(name, region))

    def topic(self, urn: str) -> Topic | None:
        return self.smn.topic(urn)

    def _topics(self) -> Iterator[Topic]:
        return (topic for project in self.projects.values() for topic in project.topics.values())

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
                response = self._handle(request)
            return response if response.later is None else self._finished(request, response.later)
        finally:
            self.deliver()

    def _finished(self, request: Request, later: Answer) -> Response:
        try:
            response = later()
        except Refusal as refusal:
            response = refused(request, refusal)
        response.headers.setdefault("X-Request-Id", request.id)
        request.status = response.status
        return response

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
            return permitted(self.iam, self.projects, request, target, answer)

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
        self._undelivered.append(invocation)

    def _run(self, function_urn: str, event: Any) -> tuple[Any, str]:
        """The result of a synchronous invocation, and its log."""
        if self.on_call is not None:
            return self.on_call(function_urn, event), ""
        if self.platform is None:
            raise Refusal(404, "FSS.1051", "Not found the function")
        return self.platform.run_now(function_urn, event)

    def deliver(self) -> None:
        """Passes accepted invocations to `on_invoke`, or to the code that was deployed, without holding the lock."""
        while True:
            with self._lock:
                if not self._undelivered:
                    return
                invocation = self._undelivered.pop(0)
            if self.on_invoke is not None:
                self.on_invoke(invocation)
            elif self.platform is not None and self.functions.by_urn(invocation.function_urn) is not None:
                self.platform.accept(invocation.function_urn, invocation.event)


def _taken(switches: Iterable[Switch[T]], request: Request) -> Iterator[T]:
    return (switch.what for switch in switches if switch.takes(request))


def _answered(answer: Answer, fault: Fault | None) -> Response:
    if fault is None:
        return answer()
    if fault.acts:
        with suppress(Refusal):  # the client does not see a refusal either
            answer()
    return fault.strike()
