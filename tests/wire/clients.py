"""Every client of the function as one call each, so that a rule about the wire is tried with all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.engine import Engine
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.transport import Transport
from ges_upgrader.domain.model import Graph, Status
from ges_upgrader.domain.version import Version
from tests.builders import PROJECT, PROJECT_ID, TOPIC

REGION = "cn-north-4"
SECRETS = ("HOSTILEAK", "HOSTILESK", "HOSTILETOKEN")
KEYS = Credentials(*SECRETS)
FUNCTION = f"urn:fss:{REGION}:{PROJECT_ID}:function:default:ges-upgrader:latest"
TARGET = Version("2.4.15")


class Clients:
    """The clients of a run that has `left` to go, with every service at one address."""

    def __init__(self, url: str, clock: Clock, left: timedelta) -> None:
        end = clock.now() + left

        def remaining() -> timedelta:
            return end - clock.now()

        transport = Transport(KEYS, lambda *_: url, clock, remaining)
        self.ges, self.smn, self.functiongraph = Ges(transport, "v2"), Smn(transport), FunctionGraph(transport)
        self.obs = Obs(KEYS, "state", REGION, f"{url}/state", clock, lambda: 4 * remaining())  # of which it takes a quarter
        self.engine = Engine(SECRETS[2], clock, remaining, lambda _: url)
        self.graph = Graph(PROJECT, "graph-1", "demo", TARGET, Status("200"))

    def call(self, name: str) -> Any:
        return CALLS[name](self)


CALLS: dict[str, Callable[[Clients], Any]] = {
    "list_graphs": lambda one: one.ges.list_graphs(PROJECT),
    "show_job": lambda one: one.ges.show_job(PROJECT, "graph-1", "job-1"),
    "upgrade": lambda one: one.ges.upgrade_graph(PROJECT, "graph-1", TARGET, force=False),
    "create_backup": lambda one: one.ges.create_backup(PROJECT, "graph-1"),
    "publish": lambda one: one.smn.publish(REGION, PROJECT_ID, TOPIC, "subject", {"default": "{}"}),
    "invoke": lambda one: one.functiongraph.invoke_async(REGION, PROJECT_ID, FUNCTION, {}),
    "read": lambda one: one.obs.read("ges/journal-1.jsonl", 0),
    "append": lambda one: one.obs.append("ges/journal-1.jsonl", 0, b"one\n"),
    "engine": lambda one: one.engine.health_problem(one.graph, TARGET),
}
ACTING = ("upgrade", "create_backup", "publish", "append")
