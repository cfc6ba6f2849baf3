"""What people do beside the function, and what becomes of upgrades: each act is drawn from the fleet-month's seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

from huaweicloud_simulator.ges.models import Fate, Graph
from huaweicloud_simulator.ges.operations import Operation
from huaweicloud_simulator.projects import Project
from tests.announcements.corpus import samples
from tests.builders import PROJECT_ID
from tests.simulation.checks import Checks
from tests.simulation.policies import BUCKET, Policy

FATES: tuple[Fate, ...] = (
    *("failed", "failed", "failed", "vanish", "vanish", "hang"),
    *("success-without-new-version", "partially-failed", "stuck", "faulty"),
)
JOBS: tuple[Operation, ...] = ("ImportGraph", "ExportGraph", "StopGraph", "StartGraph", "RestartGraph", "ResizeGraph")
REGION = "cn-north-4"
ELSEWHERE = "ap-southeast-1"


@cache
def teaches_nothing() -> Sequence[tuple[str, str]]:
    """Texts of the corpus, with their subjects, that announce and withdraw nothing. Some hold a version that they warn of."""
    return [(one.text, one.subject) for one in samples() if one.reading.startswith(("unclear", "foreign"))]


class Operators:
    """They act on the graphs of one project; `trace` says what they do, `invoke` gives the function an event."""

    def __init__(
        self,
        random: Random,
        project: Project,
        checks: Checks,
        versions: Sequence[str],
        invoke: Callable[[str, dict[str, Any]], None],
        trace: Callable[[str], None],
    ) -> None:
        self.random, self.project, self.checks, self.versions = random, project, checks, versions
        self.invoke, self.trace = invoke, trace
        self.fates = FATES
        self.unreadable = False

    @property
    def policy(self) -> Policy:
        return self.checks.policy

    def create(self, name: str, version: str) -> Graph:
        graph = self.project.graph(name, version=version)
        self.checks.exists(graph)
        return graph

    def graph(self) -> Graph | None:
        graphs = list(self.project.graphs.values())
        return self.random.choice(graphs) if graphs else None

    def operate(self) -> None:
        """Somebody's hand on a graph."""
        graph = self.graph()
        if graph is None:
            return
        act = self.random.choice(["upgrade", "stop", "restart", "delete", "create", "backup"])
        self.trace(f"by hand: {act} {graph.name}")
        if act == "upgrade" and graph.status == "200" and not graph.is_backing_up:
            newer = [version for version in self.versions if order(version) > order(graph.version)]
            if newer:
                graph.next_upgrade("success", timedelta(minutes=self.random.choice([5, 30])))
                self.checks.by_hand(graph.begin_upgrade(self.random.choice(newer), force=False))
        elif act == "stop" and graph.status == "200":
            graph.status = "900"
        elif act == "restart" and graph.status in ("900", "300"):
            graph.status = "200"
        elif act == "delete" and self.random.random() < 0.3:
            self.delete()
        elif act == "create":
            rule = self.random.choice(self.policy.rules)
            self.create(f"{rule.prefix}_new{self.random.randrange(1000)}", "2.4.4")
        elif act == "backup" and graph.status == "200" and not graph.is_backing_up:
            graph.begin_backup()

    def delete(self) -> None:
        graph = self.graph()
        if graph is not None and len(self.project.graphs) > 2:
            self.trace(f"by hand: {graph.name} is deleted")
            self.project.delete(graph)
            self.checks.deleted(graph)

    def job(self) -> None:
        """Another operator's job of any kind, where the graph's status allows it."""
        graph = self.graph()
        if graph is None or graph.is_backing_up:
            return
        kind = self.random.choice(JOBS)
        try:
            graph.operate(kind, timedelta(minutes=self.random.choice([1, 5, 40])), self.random.choice(["success", "failed"]))
        except ValueError:
            return
        self.trace(f"by hand: {kind} of {graph.name}")

    def roll_back(self) -> None:
        """The console takes a graph back to what it was before its last upgrade."""
        for graph in self.random.sample([*self.project.graphs.values()], len(self.project.graphs)):
            upgraded = graph.version
            try:
                graph.roll_back(timedelta(minutes=self.random.choice([1, 10])))
            except ValueError:
                continue
            self.trace(f"by hand: {graph.name} is rolled back from {upgraded}")
            self.checks.rolled_back(graph, upgraded)
            return

    def command(self) -> None:
        """What a person tells the function."""
        rule = self.random.choice(self.policy.rules).name
        version = self.random.choice(self.versions)
        graph = self.graph()
        scope: dict[str, Any] = self.random.choice([{}, {"rule": rule}, {"graph": graph.id} if graph else {}])
        commands: list[dict[str, Any]] = [
            {"command": "approve", "version": version, "rule": rule},
            {"command": "approve", "version": version, "rule": rule},
            {"command": "approve", "version": version, **(scope or {"rule": rule})},
            {"command": "pause", **scope},
            {"command": "resume", **scope},
            {"command": "resume"},
            {"command": "retry", "rule": rule},
            {"command": "withdraw", "version": version},
            {"command": "plan"},
        ]
        self.invoke("operator", self.random.choice(commands))

    def misfortune(self) -> None:
        """What the next upgrade or backup of a graph will come to."""
        graph = self.graph()
        if graph is None:
            return
        fate = self.random.choice(self.fates)
        unreadable = self.random.choice([None, 403, 500]) if self.unreadable else None
        self.trace(f"the next upgrade of {graph.name}: {fate}{f', its job answers {unreadable}' if unreadable else ''}")
        graph.next_upgrade(fate, timedelta(minutes=self.random.choice([3, 3, 12, 50, 150])), unreadable=unreadable)
        if self.random.random() < 0.3:
            graph.next_backup("failed")

    def damage(self) -> None:
        """Something writes into the journal what nobody understands."""
        objects = self.checks.cloud.buckets[BUCKET].objects
        names = [name for name in objects if "journal-" in name]
        if names:
            newest = max(names, key=lambda name: int(name.rsplit("-", 1)[1].split(".")[0]))
            objects[newest].data += b"\x00garbage\n"
            self.checks.damaged()
            self.trace("the journal is damaged")

    def talk(self) -> None:
        """A message on the topic that announces nothing: a withdrawal in words, an incident, another product, a question."""
        text, subject = self.random.choice(teaches_nothing())
        self.trace(f"somebody writes: {text[:60]!r}")
        self.invoke("talk", message(text, subject))

    def announce_elsewhere(self) -> None:
        """A version for another region, or for a graph that is not here: nothing to learn for this fleet."""
        version = self.random.choice(self.versions)
        bounds: dict[str, Any] = self.random.choice([{"regions": [ELSEWHERE]}, {"targets": {"graph_names": ["nowhere"]}}])
        self.invoke("message", release(version, **bounds))


def release(version: str, **fields: Any) -> dict[str, Any]:
    return message(json.dumps({"schema": "ges.release/1", "version": version, **fields}))


def message(text: str, subject: str = "") -> dict[str, Any]:
    urn = f"urn:smn:{REGION}:{PROJECT_ID}:ges-releases"
    smn = {"type": "notification", "topic_urn": urn, "message_id": "m", "timestamp": "2026-10-12T00:00:00Z"}
    return {"record": [{"event_source": "smn", "smn": {**smn, "message": text, "subject": subject}}]}


def order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
