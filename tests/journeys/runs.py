"""Runs of the real function against the simulated cloud, on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.engine import Engine
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.transport import Transport
from ges_upgrader.domain.model import Project
from ges_upgrader.events.reading import read_event
from ges_upgrader.events.smn import Trust
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Bucket, Folder, Memory, Storage
from ges_upgrader.log import start_log
from ges_upgrader.policy.schema import Policy
from ges_upgrader.running.context import Shell, reserve_of
from ges_upgrader.running.run import run
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, mock_huaweicloud
from huaweicloud_simulator.ges.models import Graph
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, PROJECT, PROJECT_ID, RELEASES_TOPIC, TOPIC, policy

REGION = "cn-north-4"
FUNCTION = f"urn:fss:{REGION}:{PROJECT_ID}:function:default:ges-upgrader:latest"
TOKEN = "MIIEtokenOfTheAgency"
RUN_NUMBERS = itertools.count(1)


class World:
    """A cloud with one project, a policy and a journal; `run` is one invocation."""

    def __init__(self, policy_: Policy | None = None, storage: Storage | None = None) -> None:
        self.clock = VirtualClock(NOW)
        self.cloud = Cloud(self.clock)
        self.cloud.release("2.4.9", "2.4.15")
        self.project = self.cloud.project(REGION, PROJECT_ID)
        self.topic = self.project.topic("ges-upgrades")
        self.token: str | None = TOKEN
        self.function_urn: str | None = FUNCTION
        self.cloud.token(TOKEN)
        self.policy = policy_ or policy()
        self.storage = storage or (Folder(self.policy.state.folder) if self.policy.state.folder else Memory())
        if self.policy.state.bucket:
            self.cloud.bucket(self.policy.state.bucket)

    def graph(self, name: str = "demo", version: str = "2.4.4", **fields: Any) -> Graph:
        return self.project.graph(name, version=version, **fields)

    def run(self, event: object = None, seconds: float = 3600, projects: tuple[Project, ...] = (PROJECT,)) -> dict[str, Any]:
        """One invocation that the platform would kill after `seconds`."""
        end = self.clock.now() + timedelta(seconds=seconds)

        def remaining() -> timedelta:
            return end - self.clock.now()

        assert self.policy.notify
        topics = None if self.policy.release_topics is None else [topic.urn for topic in self.policy.release_topics]
        event = release("2.4.15") if event is None else event
        command = read_event(event, Trust(topics, self.policy.notify.topic.urn), self.clock.now())
        credentials = Credentials(ACCESS_KEY, SECRET_KEY)
        storage, state = self.storage, self.policy.state
        if state.bucket:
            base = f"https://{state.bucket}.obs.{REGION}.myhuaweicloud.com"
            storage = Bucket(Obs(credentials, state.bucket, REGION, base, self.clock, remaining), state.prefix)
        with mock_huaweicloud(self.cloud):
            reserve = reserve_of(remaining())

            def left() -> timedelta:
                return remaining() - reserve

            def transport(left: Callable[[], timedelta]) -> Transport:
                return Transport(credentials, lambda s, r: f"https://{s}.{r}.myhuaweicloud.com", self.clock, left)

            shell = Shell(
                policy=self.policy,
                projects=projects,
                home=PROJECT,
                ges=Ges(transport(left), self.policy.api),
                smn=Smn(transport(remaining)),
                engine=Engine(self.token, self.clock, left),
                functiongraph=FunctionGraph(transport(remaining)),
                function_urn=self.function_urn,
                journal=Journal(storage),
                clock=self.clock,
                remaining=remaining,
                reserve=reserve,
                log=start_log("ERROR", credentials.secrets, {}),
                run_id=f"run-{next(RUN_NUMBERS)}",
            )
            return run(command, shell)

    def later(self, **length: float) -> None:
        self.clock.sleep(timedelta(**length).total_seconds())

    def told(self) -> list[str]:
        """The outcomes that subscribers were told of, in order."""
        return [json.loads((message.structure or {})["default"]).get("outcome", "notice") for message in self.topic.messages]


def release(version: str, **fields: Any) -> dict[str, Any]:
    return message(json.dumps({"schema": "ges.release/1", "version": version, **fields}))


def message(text: str, message_id: str = "m1") -> dict[str, Any]:
    smn = {"type": "notification", "topic_urn": RELEASES_TOPIC, "message_id": message_id, "message": text}
    return {"record": [{"event_source": "smn", "smn": {**smn, "timestamp": "2026-11-23T01:59:00Z", "subject": ""}}]}


def fall_silent(monkeypatch: pytest.MonkeyPatch, world: World, service: str, begin: datetime = NOW) -> None:
    """A service takes requests and answers none; who waits for it waits as long as it has said."""
    send = requests.Session.send

    def silent(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if service in (request.url or "") and world.clock.now() >= begin:
            world.clock.sleep(options["timeout"][1])
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request)
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", silent)


TIMER = {"version": "v1.0", "trigger_type": "TIMER", "trigger_name": "nightly", "user_event": ""}


def only(result: dict[str, Any]) -> dict[str, Any]:
    """The one decision of a result."""
    (decision,) = result["decisions"]
    return dict(decision)


__all__ = ["NOW", "TIMER", "TOPIC", "World", "fall_silent", "message", "only", "release"]


def alter(world: World, monkeypatch: pytest.MonkeyPatch, operation: str, change: Callable[[bytes], bytes]) -> None:
    """Every answer to the operation has another body."""
    handle = world.cloud.handle

    def altered(request: Request) -> Response:
        response = handle(request)
        if request.operation == operation:
            response.body = change(response.body)
        return response

    monkeypatch.setattr(world.cloud, "handle", altered)
