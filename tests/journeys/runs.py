"""Invocations of the real function against the simulated cloud, on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from ges_upgrader.cloud.sockets import LimitedAdapter
from ges_upgrader.domain.model import Project
from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.meanings import Announced, Foreign, Withdrawal
from ges_upgrader.history.records import Told
from ges_upgrader.journal.lines import encoded
from ges_upgrader.journal.storage import Folder
from ges_upgrader.running.invocation import Instance
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, mock_huaweicloud
from huaweicloud_simulator.ges.models import Graph
from huaweicloud_simulator.obs.models import Object
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, PROJECT, PROJECT_ID, RELEASES_TOPIC, TOPIC, policy_text

REGION = "cn-north-4"
FUNCTION = f"urn:fss:{REGION}:{PROJECT_ID}:function:default:ges-upgrader:latest"
TOKEN = "MIIEtokenOfTheAgency"


class Context:
    """What FunctionGraph hands to the handler. `package` None: an image that does not tell it.

    `keys`: the agency gives keys; else only its token signs, and the keys in the variables serve OBS.
    """

    def __init__(
        self,
        variables: dict[str, str],
        remaining: Callable[[], timedelta],
        token: str | None = TOKEN,
        package: str | None = "default",
        keys: bool = True,
    ) -> None:
        given = {"HUAWEICLOUD_SDK_AK": ACCESS_KEY, "HUAWEICLOUD_SDK_SK": SECRET_KEY}
        self._variables, self._remaining = {**given, **variables}, remaining
        answers = {
            "getToken": token,
            "getProjectID": PROJECT_ID,
            "getPackage": package,
            "getFunctionName": "ges-upgrader",
            "getSecurityAccessKey": ACCESS_KEY if keys else None,
            "getSecuritySecretKey": SECRET_KEY if keys else None,
        }
        for name, answer in answers.items():
            setattr(self, name, lambda answer=answer: answer)

    def getUserData(self, name: str) -> str | None:
        return self._variables.get(name)

    def getRemainingTimeInMilliSeconds(self) -> float:
        return self._remaining() / timedelta(milliseconds=1)


class World:
    """A cloud with one project, and the function with a policy, whose text is read at each event; `run` is one invocation.

    `new`: no journal was begun yet; else there is one in which nothing stands that matters.
    """

    def __init__(self, policy: str | None = None, now: datetime = NOW, new: bool = False) -> None:
        self.new = new
        self.clock = VirtualClock(now)
        self.cloud = Cloud(self.clock)
        self.cloud.release("2.4.9", "2.4.15")
        self.project = self.cloud.project(REGION, PROJECT_ID)
        self.topic = self.project.topic("ges-upgrades")
        self.cloud.bucket("state")
        self.token: str | None = TOKEN
        self.package: str | None = "default"
        self.cloud.token(TOKEN)
        self.policy = policy or policy_text()
        self.variables: dict[str, str] = {}
        self.forget()

    def forget(self) -> None:
        """The next run is in another instance of the function."""
        self.instance = Instance(Path(__file__).parent, self.clock)

    def graph(self, name: str = "demo", version: str = "2.4.4", **fields: Any) -> Graph:
        return self.project.graph(name, version=version, **fields)

    def run(self, event: object = None, seconds: float = 3600, projects: tuple[Project, ...] = (PROJECT,)) -> dict[str, Any]:
        """One invocation that the platform would kill after `seconds`."""
        end = self.clock.now() + timedelta(seconds=seconds)
        named = ", ".join(f"{{region: {one.region}, project_id: '{one.project_id}'}}" for one in projects)
        text = self.policy + (f"\nprojects: [{named}]" if projects != (PROJECT,) else "")
        variables = {"POLICY": text, "LOG_LEVEL": "ERROR", **self.variables}
        context = Context(variables, lambda: end - self.clock.now(), self.token, self.package)
        if not self.new:
            self._begin_journal()
        sent = len(self.topic.messages)
        with mock_huaweicloud(self.cloud):
            result = self.instance.invoke(release("2.4.15") if event is None else event, context)
        for one in self.topic.messages[sent:]:
            must_teach_nothing(one.subject or "", one.structure or {})
        return result

    def _begin_journal(self) -> None:
        """Puts a journal where the policy wants it, unless something is there."""
        self.new = True
        line = encoded(Told(at=self.clock.now(), event_id="journal-started", message_id="")) + b"\n"
        state = re.search(r"^state: *(obs|file)://(\S+)", self.policy, re.MULTILINE)
        if state is None:
            return
        if state[1] == "file":
            if not any(Path(state[2]).glob("*")):
                Folder(Path(state[2])).append("journal-1.jsonl", 0, line)
            return
        name, _, prefix = state[2].partition("/")
        if name in self.cloud.buckets and not self.cloud.buckets[name].objects:
            self.cloud.buckets[name].objects[f"{prefix}/journal-1.jsonl"] = Object(line, appendable=True, appends=1)

    def later(self, **length: float) -> None:
        self.clock.sleep(timedelta(**length).total_seconds())

    def told(self) -> list[str]:
        """The outcomes that subscribers were told of, in order."""
        return [json.loads((message.structure or {})["default"]).get("outcome", "notice") for message in self.topic.messages]


def must_teach_nothing(subject: str, texts: Mapping[str, str]) -> None:
    """Another function that receives one of our messages, by whatever channel, must learn nothing from it."""
    for channel, text in texts.items():
        reading = read_announcement(text, subject, NOW, named_topic=True)
        assert not isinstance(reading, (Announced, Withdrawal)), text
        assert channel == "sms" or isinstance(reading, Foreign), text


def release(version: str, **fields: Any) -> dict[str, Any]:
    return message(json.dumps({"schema": "ges.release/1", "version": version, **fields}))


def message(text: str, message_id: str = "m1") -> dict[str, Any]:
    smn = {"type": "notification", "topic_urn": RELEASES_TOPIC, "message_id": message_id, "message": text}
    return {"record": [{"event_source": "smn", "smn": {**smn, "timestamp": "2026-11-23T01:59:00Z", "subject": ""}}]}


def fall_silent(monkeypatch: pytest.MonkeyPatch, world: World, service: str, begin: datetime = NOW) -> None:
    """A service takes requests and answers none; who waits for it waits as long as it has said."""

    def silent(adapter: LimitedAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if service in (request.url or "") and world.clock.now() >= begin:
            world.clock.sleep(options["timeout"][1])
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request)
        return HTTPAdapter.send(adapter, request, **options)

    monkeypatch.setattr(LimitedAdapter, "send", silent)


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
