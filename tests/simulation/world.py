"""A fleet-month by its seed: a cloud, its operators, its faults, and invocations of the real function that overlap and die.

Everything is drawn from the seed, so a seed is replayed exactly (with PYTHONHASHSEED=0, which `make soak` sets).
"""

from __future__ import annotations

import json
import os
import random as global_random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from ges_upgrader.running.invocation import Instance
from ges_upgrader.running.run import Unrecorded
from huaweicloud_simulator import Cloud
from huaweicloud_simulator.cloud import Invocation
from huaweicloud_simulator.faults import later_page
from huaweicloud_simulator.mock import failure, received
from huaweicloud_simulator.scheduler import Process, Scheduler, current
from huaweicloud_simulator.wire import Request, Response
from tests.builders import PROJECT_ID, TOPIC
from tests.journeys.runs import Context
from tests.simulation.checks import Checks, Violation
from tests.simulation.faults import HOSTILE, Faults, Outage
from tests.simulation.operators import REGION, Operators, release
from tests.simulation.policies import BEGIN, BUCKET, DAY, HOUR, Policy, Window, change, draw

VERSIONS = ("2.4.9", "2.4.15", "2.4.16", "2.5.0")
LAST = "2.5.1"  # announced when everything is well again
SAFE_ONLY = timedelta(seconds=20)  # a run that has less time is safe, but need not arrive
RETRY = timedelta(minutes=1)  # after which FunctionGraph delivers again what failed, once by default (functiongraph.md)
TOKEN = "MIIEtokenOfTheAgency"
TIMER = {"version": "v1.0", "trigger_type": "TIMER", "trigger_name": "nightly", "user_event": ""}


@dataclass(frozen=True)
class Span:
    """How long the chaos takes, and the whole at least and at most."""

    chaos: timedelta
    least: timedelta
    most: timedelta


MONTHS = Span(15 * DAY, 30 * DAY, 90 * DAY)
YEARS = Span(730 * DAY, 740 * DAY, 4000 * DAY)


@dataclass(frozen=True)
class Tally:
    """What a fleet-month came to."""

    seed: int
    days: float
    runs: int
    requests: int
    jobs: int
    troubled: int  # of the jobs, those that began before all was made well
    results: int
    repeats: int
    kills: int
    told: int  # results of the troubled ones, repeats not counted
    killing: bool  # whatever was made of the chance
    failing: bool  # calls were throttled, answers were lost, or a service was out of reach
    conflicts: int
    violation: str | None


class ProcessClock:
    """The clock of the process in progress: an instance outlives the process that began with it."""

    def now(self) -> datetime:
        return current().now()

    def sleep(self, seconds: float) -> None:
        current().sleep(seconds)


class World:
    def __init__(self, seed: int, trace: bool = False) -> None:
        self.seed, self.tracing = seed, trace
        self.random = random = Random(seed)
        self.hard, self.years = seed % 4 == 1, seed % 20 == 3
        self.span = YEARS if self.years else MONTHS
        self.policy: Policy = draw(random, self.years)
        self.often = 1 if self.years else random.choice([3] if self.hard else [1, 1, 1, 1, 1, 3])  # a short run does one thing
        killing = random.random() < 0.5
        self.faults = Faults(
            until=BEGIN + self.span.chaos,
            kill=0.02 if killing else 0.0,
            lost=random.choice([0.0, 0.0, 0.02, 0.1]),
            refused=random.choice([0.0, 0.0, 0.05]),
            hostile=random.choice([0.0, 0.02]) if self.hard else 0.0,
            outages=[self._outage() for _ in range(random.choice([0, 0, 1, 2]))],
        )
        self.losing = self.faults.lost > 0 or self.faults.hostile > 0 or bool(self.faults.outages)
        self.failing = self.losing or self.faults.refused > 0
        self.skew = random.choice([0, 0, 20])
        self.limit = timedelta(seconds=random.choice([3, 10, 20, 20, 30, 60] if self.hard else [180, 180, 300, 300, 900, 900]))
        self.arrives = self.limit >= SAFE_ONLY
        self.scheduler = Scheduler(BEGIN, random, self.faults.kill)
        self.cloud = Cloud(self.scheduler)
        self.cloud.release(*VERSIONS, LAST)
        self.cloud.backup_quota = 100
        self.cloud.on_invoke = self._invoked
        self.cloud.bucket(BUCKET)
        self.project = self.cloud.project(REGION, PROJECT_ID)
        self.topic = self.project.topic(TOPIC.rsplit(":", 1)[1])
        self.cloud.token(TOKEN)
        self.cloud.upgrade_duration = timedelta(minutes=random.choice([2, 2, 4, 12]))
        self.text = self.policy.text
        self.keys = seed % 10 == 0  # else the token serves, as signing takes time
        self.checks = Checks(self.policy, self.cloud, exact=not self.faults.kill and not self.losing)
        self.operators = Operators(random, self.project, self.checks, VERSIONS, self._invoke, self.trace)
        if self.hard:
            self.cloud.ges.largest_page = random.choice([None, 2])
            self.operators.fates += ("success-but-faulty",) * 3
            self.operators.unreadable = random.random() < 0.5
        self.runs = self.requests = self.conflicts = 0
        self._told = 0
        self._warm: list[Instance] = []
        self._ids = Random(seed)
        with self._seeded():
            for rule in self.policy.rules:
                for number in range(random.choice([1, 2, 2, 3])):
                    self.operators.create(f"{rule.prefix}_{number}", "2.4.4" if random.random() < 0.8 else "2.4.9")
            self.operators.create("other_1", "2.4.4")

    # What happens when

    def live(self) -> Tally:
        """A month: chaos first, then everything is made well, then the policy must get everybody to the last version."""
        violation = None
        with self._seeded():
            try:
                self._schedule()
                end = BEGIN + self.span.chaos
                self.scheduler.run(end)
                self._make_well()
                least, most = BEGIN + self.span.least, BEGIN + self.span.most
                while end < least or (end < most and self.arrives and not self.checks.everybody_is_at(LAST)):
                    end += DAY
                    self.scheduler.run(end)
                    if self.arrives:
                        self.checks.in_time(LAST, end)
                self._new_messages()
                if self.arrives:
                    self.checks.at_the_end(LAST, self.scheduler.now())
                self.checks.each_once(self.scheduler.now())
            except Violation as found:
                violation = str(found)
        lived = (self.scheduler.now() - BEGIN) / DAY
        checks = self.checks
        troubled = [job for job, (upgrade, _) in checks.started.items() if upgrade.at < self.faults.until]
        return Tally(
            seed=self.seed,
            days=lived,
            runs=self.runs,
            requests=self.requests,
            jobs=len(checks.started),
            troubled=len(troubled),
            told=sum(len(checks.outcomes[job]) for job in troubled),
            results=checks.results,
            repeats=checks.repeats,
            kills=self.scheduler.kills_made,
            killing=self.faults.kill > 0,
            failing=self.failing,
            conflicts=self.conflicts,
            violation=violation,
        )

    def _schedule(self) -> None:
        random, scheduler, people = self.random, self.scheduler, self.operators
        for day in range(self.span.most // DAY):
            scheduler.at(BEGIN + day * DAY, lambda day=day: self._set_timers(BEGIN + day * DAY))  # type: ignore[misc]
        for version in VERSIONS:
            if random.random() < 0.8:
                scheduler.at(self._some_time(), lambda version=version: self._announce(version))  # type: ignore[misc]
        acts: list[Callable[[], None]] = [
            *(people.operate,) * random.choice([0, 4, 10]),
            *(people.command,) * random.choice([0, 3, 8]),
            *(people.misfortune,) * random.choice([0, 3, 8]),
            *(people.damage,) * random.choice([0, 0, 0, 1]),
        ]
        if self.hard or self.years:
            acts += [
                *(people.roll_back,) * random.choice([0, 2, 5]),
                *(people.job,) * random.choice([0, 5, 15]),
                *(people.talk,) * random.choice([0, 3]),
                *(people.announce_elsewhere,) * random.choice([0, 2]),
                *(self._edit,) * random.choice([0, 1, 3]),
            ]
        for act in acts:
            scheduler.at(self._some_time(), act)
        if self.hard:
            self.cloud.meanwhile("ges.list_graphs", people.delete, after=random.randrange(40), where=later_page)

    def _set_timers(self, day: datetime) -> None:
        """Sets the timers of a day by the policy of that day."""
        for hour in self._hours(day):
            self.scheduler.at(day + hour, lambda: self._invoke("timer", TIMER))

    def _hours(self, day: datetime) -> list[timedelta]:
        """When the timer fires: nightly, and in each window; in some worlds every hour of it.

        Over years it fires weekly, in each rare window, and in the other windows of one week in four.
        """
        nightly = not self.years or (day - BEGIN).days % 7 == 0
        times = {timedelta(hours=2, minutes=5)} if nightly else set()
        for window in {window for rule in self.policy.rules for window in rule.windows}:
            if self.years and not (self._opens_near(window, day) if window.months else (day - BEGIN).days // 7 % 4 == 0):
                continue
            opened = datetime.combine(BEGIN.date(), window.opens, ZoneInfo(window.zone)) - BEGIN
            for hours in range(self.often):
                times.add((opened + timedelta(hours=hours, minutes=65)) % DAY)  # also when the clocks change
        return sorted(times)

    def _opens_near(self, window: Window, day: datetime) -> bool:
        return any(window.opens_on((day + shift * DAY).date()) for shift in (-1, 0, 1))

    def _some_time(self) -> datetime:
        """Within the chaos; half of it near the hours of a timer, so that it meets a run."""
        if self.random.random() < 0.5:
            day = BEGIN + self.random.randrange(self.span.chaos // DAY) * DAY
            hours = self._hours(day) or [timedelta(hours=2)]
            return day + self.random.choice(hours) + timedelta(seconds=self.random.uniform(-20, 1200))
        return BEGIN + timedelta(seconds=self.random.uniform(0, self.span.chaos / timedelta(seconds=1)))

    def _make_well(self) -> None:
        """All faults cease and the operators put everything right; from here on the policy must get everywhere."""
        self.trace("all is made well")
        self.checks.made_well(self.limit, 35 * DAY if self.years else DAY)
        self.scheduler.kill = 0.0
        self.cloud.clear_faults()
        for graph in list(self.project.graphs.values()):
            graph.next_upgrade("success")
            graph.next_backup("success")
            if graph.status in ("900", "300"):
                graph.status = "200"
            if graph.upgrade is not None and graph.upgrade.fate == "faulty":
                graph.upgrade.fate = "failed"
            if graph.upgrade is not None and graph.upgrade.fate in ("hang", "stuck") and graph.status == "201":
                self.checks.gave_up(graph.upgrade)
                graph.jobs[-1].end, graph.jobs[-1].ending = self.scheduler.now(), "failed"
                graph.upgrade.duration = self.scheduler.now() - graph.upgrade.at
                graph.upgrade.fate = "failed"
        after = self.scheduler.now() + HOUR
        self.scheduler.at(after, lambda: self._announce(LAST))
        for hours, command in enumerate(
            [
                {"command": "resume"},
                *({"command": "retry", "rule": rule.name} for rule in self.policy.rules),
                *({"command": "approve", "version": LAST, "rule": rule.name} for rule in self.policy.rules),
            ],
            1,
        ):
            self.scheduler.at(after + hours * HOUR, lambda command=command: self._invoke("operator", command))  # type: ignore[misc]
        times = range(4, (self.span.most - self.span.chaos) // DAY, 4)  # an approval expires, and what hung fails late
        for day in times if self.years else times[:5]:
            for rule in self.policy.rules:
                approve = {"command": "approve", "version": LAST, "rule": rule.name}
                for command in (approve, {"command": "retry", "rule": rule.name}):
                    self.scheduler.at(after + day * DAY, lambda command=command: self._invoke("operator", command))  # type: ignore[misc]
            self.scheduler.at(after + day * DAY, lambda: self._invoke("operator", {"command": "resume"}))

    def _announce(self, version: str) -> None:
        """A message about a release, which SMN may deliver twice. In hard months it may name the region, too."""
        self.checks.announced(version)
        event = release(version, **({"regions": [REGION]} if self.hard and self.random.random() < 0.5 else {}))
        self._invoke("message", event)
        if self.random.random() < 0.4:
            again = self.scheduler.now() + timedelta(seconds=self.random.choice([0, 0.1, 1, 30, 600]))
            self.scheduler.at(again, lambda: self._invoke("message again", event))

    def _edit(self) -> None:
        """An operator deploys another policy. Runs in progress keep theirs."""
        self.policy = change(self.policy, self.random)
        self.text = self.policy.text
        self.checks.policy = self.policy
        self.trace(f"the policy is now {[(rule.name, rule.prefix) for rule in self.policy.rules]}")

    def _outage(self) -> Outage:
        begins = self._some_time()
        length = timedelta(minutes=self.random.choice([2, 30, 600]))
        service = self.random.choice(["obs", "obs", "ges", "smn"])
        method = self.random.choice([None, None, "POST", "GET"])
        how = self.random.choice(["503", "503", "500", "429", "drop", "refuse"])
        return Outage(begins, begins + length, service, method, how)

    # The function

    def _invoked(self, invocation: Invocation) -> None:
        self.scheduler.at(self.scheduler.now(), lambda: self._invoke("invoked by itself", invocation.event))

    def _invoke(self, why: str, event: dict[str, Any], last: bool = False) -> None:
        self.runs += 1
        name = f"run {self.runs} ({why})"
        skew = timedelta(seconds=self.random.uniform(-self.skew, self.skew)) if self.skew else timedelta()

        def work(process: Process) -> None:
            try:
                self._function(process, event)
            except Unrecorded:
                self.trace(f"{name} asks for its event once more")
                if not last:
                    self.scheduler.at(self.scheduler.now() + RETRY, lambda: self._invoke("once more", event, last=True))

        process = self.scheduler.spawn(name, work, self.limit, skew)
        self.checks.invoked(process, event)
        self.trace(f"{name}: {json.dumps(event)[:150]}")

    def _function(self, process: Process, event: dict[str, Any]) -> None:
        """One invocation, as index.handler makes it."""

        def remaining() -> timedelta:
            return process.deadline - self.scheduler.now()

        context = Context({"POLICY": self.text, "LOG_LEVEL": "CRITICAL"}, remaining, TOKEN, "default", self.keys)
        instance = self._instance()
        try:
            result = instance.invoke(event, context)
            self._warm.append(instance)  # one that was killed is never used again
        except Violation:
            raise
        except Unrecorded:
            if self.failing:
                raise
            raise Violation(f"{process.name} forgot its event, though nothing was in its way") from None
        except Exception as failed:
            raise Violation(f"{process.name} broke down: {failed!r}") from failed
        crashed = [error for error in result["errors"] if "a fault of the function itself" in error or "policy:" in error[:8]]
        if crashed:
            raise Violation(f"{process.name} broke down: {crashed[0]}")
        self.checks.returned(process, event, result)
        if result["errors"]:
            self.trace(f"{process.name} says: {'; '.join(result['errors'])[:400]}")

    def _instance(self) -> Instance:
        """An instance that is warm and idle, or a new one."""
        if self._warm and self.random.random() < 0.7:
            return self._warm.pop()
        return Instance(Path(__file__).parent, ProcessClock())

    def exchange(self, sent: requests.PreparedRequest, patience: float) -> requests.Response:
        """One request on its way to the cloud and back; both ways take time, and after `patience` none is waited for."""
        process = current()
        self.requests += 1
        killed = self.scheduler.kills()
        before = killed and self.random.random() < 0.5
        process.point(self.random.uniform(0.01, 0.2), before)
        request = received(self.cloud, sent)
        fault = self.faults.of(_service(request.headers["host"]), request.method, self.scheduler.now(), self.random)
        if fault == "late":
            self.scheduler.at(
                self.scheduler.now() + timedelta(seconds=patience + self.random.uniform(0, 20)),
                lambda: self._arrive(process, received(self.cloud, sent)),
            )
        if fault in ("drop", "late"):
            process.point(patience)
            raise failure("timeout", sent)
        if fault == "refuse":
            raise failure("refuse", sent)
        if fault == "hostile":
            response = self.random.choice(HOSTILE)()
        elif fault == "abort":
            response = Response(409, b"<Error><Code>OperationAborted</Code></Error>")
        elif fault.isdecimal():
            response = Response(int(fault), b'{"error_code": "APIGW.0308", "error_msg": "busy"}')
        else:
            response = self._arrive(process, request)
        process.point(self.random.uniform(0.01, 0.2), killed)
        if fault == "lose":
            process.point(patience)
            raise failure("timeout", sent)
        if fault == "hostile, acted":
            response = self.random.choice(HOSTILE)()
        return _answer(sent, response)

    def _arrive(self, process: Process, request: Request) -> Response:
        response = self.cloud.handle(request)
        self.conflicts += response.status == 409
        self.trace(f"  {process.name} {request.operation} {request.path[-40:]} -> {response.status}")
        self.checks.acted(process, request, response)
        self._new_messages()
        return response

    def _new_messages(self) -> None:
        for message in self.topic.messages[self._told :]:
            self.checks.told(message)
        self._told = len(self.topic.messages)

    def trace(self, text: str) -> None:
        if self.tracing:
            print(f"{self.scheduler.now():%m-%d %H:%M:%S.%f} {text}")

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Everything that is random is the seed's, and every request of `requests` goes through `exchange`.

        Its adapter is not made ready for a network, nor its requests, which takes half of their time; tests/wire tests both.
        """
        with ExitStack() as replaced:
            for owner, name, replacement in (
                (HTTPAdapter, "__init__", lambda _: None),
                (HTTPAdapter, "send", lambda _, sent, **how: self.exchange(sent, how["timeout"][1])),
                (requests.PreparedRequest, "prepare", _prepare),
                (os, "urandom", self._ids.randbytes),
            ):
                replaced.enter_context(patch.object(owner, name, replacement))
            global_random.seed(self.seed)
            yield


def _prepare(sent: requests.PreparedRequest, method: str, url: str, headers: Any, data: Any, auth: Any) -> None:
    sent.method, sent.url, sent.body, sent.headers = method, url, data, CaseInsensitiveDict(headers)
    auth(sent)


def _service(host: str) -> str:
    return "obs" if ".obs." in host else host.split(".")[0]


def _answer(sent: requests.PreparedRequest, response: Response) -> requests.Response:
    answer = requests.Response()
    answer.status_code = response.status
    answer._content = response.body
    answer._content_consumed = True  # type: ignore[attr-defined]
    answer.headers = CaseInsensitiveDict(response.headers)
    answer.url = sent.url or ""
    answer.request = sent
    return answer
