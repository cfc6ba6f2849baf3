"""The platform: it delivers events to instances, fires timers, retries, and serves destinations (deploy.md 1.4 and 1.5)."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from ...clock import VirtualClock
from ...iam.models import Credentials, Session
from ...iam.permissions import Access, allowed
from ...obs.models import Object
from ...wire import Refusal
from ..errors import FunctionError, refusal
from ..models import Function, Trigger
from ..schedules import Schedule
from ..state import State
from .calls import Run, Target, destination_event, handed_over, is_too_old, timer_event
from .instances import Instance

RETRY_DELAY = timedelta(minutes=1)  # between attempts (inferred)
KEYS_LIFE = timedelta(minutes=10)  # for so long the platform hands out the same credentials (functiongraph.md, context)
_RIGHTS = {
    "SMN": ("smn:topic:publish", "smn:topic:list"),
    "OBS": ("obs:bucket:HeadBucket", "obs:bucket:CreateBucket", "obs:object:PutObject"),
}
_POLL = 0.2  # seconds between looks at the machine's clock


class Platform:
    """`runs` are all deliveries in order. On a virtual clock one function runs at a time, so that time is that of the run."""

    def __init__(self, state: State, environment: Callable[[str], Mapping[str, str]]) -> None:
        self._state, self._environment = state, environment
        self.runs: list[Run] = []
        self._is_virtual = isinstance(state.clock, VirtualClock)
        self._workers = ThreadPoolExecutor(1 if self._is_virtual else 8, thread_name_prefix="function")
        self._turn = threading.RLock()  # of the virtual clock
        self._turns: dict[str, threading.RLock] = {}  # by function
        self._live: set[Instance] = set()
        self._pending, self._changed = 0, threading.Condition()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []  # retries
        self._numbers = itertools.count()
        self._idle: dict[tuple[str, str, str], list[Instance]] = {}
        self._keys: dict[str, Credentials] = {}
        self._stopped = threading.Event()

    def start(self) -> None:
        """Follows the machine's clock from now on. A virtual one moves by `advance`."""
        if not self._is_virtual:
            threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        for instance in list(self._live):
            instance.close()

    def forget_instances(self) -> None:
        """The next invocation of each function starts cold."""
        instances, self._idle = self._idle, {}
        for instance in itertools.chain.from_iterable(instances.values()):
            instance.close()
            self._live.discard(instance)

    def _follow(self) -> None:
        while not self._stopped.wait(_POLL):
            while self._take_due(self._state.clock.now()):
                pass

    def advance(self, until: datetime) -> datetime:
        """Moves the virtual clock, and everything that is due on the way. A run may take longer than that."""
        assert isinstance(self._state.clock, VirtualClock)
        self.settle()
        while (due := self._next_due()) is not None and due <= until:
            self._state.clock.move_to(due)
            self._take_due(due)
            self.settle()
        self._state.clock.move_to(until)
        return self._state.clock.now()

    def settle(self) -> None:
        """Waits until no accepted event waits for its run, or runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending == 0)

    def _next_due(self) -> datetime | None:
        """When the next timer fires, or the next retry is due."""
        dues = [when for when, _, _ in self._timers()] + [when for when, _, _ in self._agenda[:1]]
        return min(dues, default=None)

    def _timers(self) -> list[tuple[datetime, Function, Trigger]]:
        found = []
        for function in list(self._state.functions.values()):
            for trigger in list(function.triggers):
                if trigger.type == "TIMER" and trigger.status == "ACTIVE":
                    due = Schedule.of(trigger.data).next(trigger.fired_until or trigger.created)
                    found += [(due, function, trigger)] if due is not None else []
        return found

    def _take_due(self, now: datetime) -> bool:
        """Fires the earliest timers that are due, and retries. False if nothing was."""
        due = [one for one in self._timers() if one[0] <= now]
        for when, function, trigger in due:
            trigger.fired_until = when
            self.accept(f"{function.urn}:latest", timer_event(trigger, when))
        retries = 0
        while self._agenda and self._agenda[0][0] <= now:
            heapq.heappop(self._agenda)[2]()
            retries += 1
        return bool(due or retries)

    def accept(self, urn: str, event: Any) -> None:
        """Takes an asynchronous invocation."""
        self._queue(urn, event, self._state.clock.now(), 1)

    def _queue(self, urn: str, event: Any, accepted: datetime, attempt: int) -> None:
        with self._changed:
            self._pending += 1
        self._workers.submit(self._deliver, urn, event, accepted, attempt)

    def _deliver(self, urn: str, event: Any, accepted: datetime, attempt: int) -> None:
        try:
            run = self._run(urn, event, attempt)
            function = self._state.by_urn(urn)
            if function is not None and function.asynchronous is not None:
                self._conclude(function, run, accepted)
                self._state.deliver()
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _conclude(self, function: Function, run: Run, accepted: datetime) -> None:
        """Without a configuration of asynchronous invocations nothing is retried (deploy.md 1.5)."""
        config = function.asynchronous or {}
        now, retries = self._state.clock.now(), config["max_async_retry_attempts"]
        if run.error and run.attempt <= retries and not is_too_old(function, accepted, now + RETRY_DELAY):
            retry = (run.urn, run.event, accepted, run.attempt + 1)
            heapq.heappush(self._agenda, (now + RETRY_DELAY, next(self._numbers), lambda: self._queue(*retry)))
            return
        destination = config["destination_config"].get("on_failure" if run.error else "on_success")
        if destination:
            self._send(function, destination, run)

    def _send(self, function: Function, destination: Mapping[str, str], run: Run) -> None:
        """Without the target's rights the configuration agency delivers nothing, and nobody learns it (deploy.md 1.5)."""
        if not self._may_send(function, destination["destination"]):
            return
        content, where = destination_event(run), json.loads(destination["param"])
        if destination["destination"] == "SMN":
            topic = self._state.smn.topic(where["topic_urn"])
            if topic is not None:
                self._state.smn.send(topic, "", json.dumps(content))
        elif destination["destination"] == "FunctionGraph":
            self._state.accept(where["func_urn"], content)
        elif destination["destination"] == "OBS" and where["bucket"] in self._state.buckets:
            key = f"{where.get('prefix', '')}{content['request_context']['request_id']}.json"
            self._state.buckets[where["bucket"]].objects[key] = Object(json.dumps(content).encode(), appendable=False)

    def _may_send(self, function: Function, kind: str) -> bool:
        agency_id = self._state.trusted_agency(str(function.settings.get("xrole") or function.agency))
        session = Session(agency_id or "", self._state.clock.now())
        access = Access("destination", function.project_id, "")
        return all(allowed(self._state.iam, session, action, access) for action in _RIGHTS.get(kind, ()))

    def call(self, urn: str, event: Any) -> Any:
        """The result of a synchronous invocation. Raises FunctionError or Refusal."""
        return self.run_now(urn, event)[0]

    def run_now(self, urn: str, event: Any) -> tuple[Any, str]:
        """The result of a synchronous invocation, and its log. Raises FunctionError or Refusal."""
        function = self._state.by_urn(urn)
        if function is None:
            raise refusal("FSS.1051")
        Target.of(function, urn)  # a version or an alias that does not exist is the caller's error
        run = self._run(urn, event, 1)
        if run.error:
            raise FunctionError(run.error, run.log)
        return run.result, run.log

    def _run(self, urn: str, event: Any, attempt: int) -> Run:
        run = Run(urn, event, self._state.clock.now(), attempt=attempt)
        self.runs.append(run)
        try:
            with self._turn_of(urn):
                run.begin = self._state.clock.now()
                run.result, run.log = self._in_instance(urn, event)
        except FunctionError as error:
            run.error, run.log = str(error), error.log
        except Refusal as refused:
            run.error = f"{refused.code}: {refused.message}"
        run.end = self._state.clock.now()
        return run

    def _turn_of(self, urn: str) -> AbstractContextManager[Any]:
        """Events wait for each other if the function may have one instance only, or if the clock is virtual."""
        function = self._state.by_urn(urn)
        if self._is_virtual:
            return self._turn
        if function is None or function.strategy["concurrency"] != 1:
            return nullcontext()
        return self._turns.setdefault(function.urn, threading.RLock())

    def _in_instance(self, urn: str, event: Any) -> tuple[Any, str]:
        function = self._state.by_urn(urn)
        if function is None:
            raise refusal("FSS.1051")
        if function.strategy["concurrency"] == 0:
            raise FunctionError("the function is disabled: its number of instances is 0")
        target = Target.of(function, urn)
        instances = self._idle.setdefault(target.key, [])
        environment = self._environment(function.region)
        instance = instances.pop() if instances else Instance(target.code.content, environment)
        self._live.add(instance)
        if self._stopped.is_set():  # meanwhile: nobody else would end this process
            instance.close()
        begin = self._state.clock.now()
        now = begin.timestamp() if self._is_virtual else None
        limit = target.settings["timeout"]

        def sleep(seconds: float) -> float:
            self._state.clock.sleep(seconds)
            if self._state.clock.now() - begin >= timedelta(seconds=limit):
                raise TimeoutError
            return self._state.clock.now().timestamp()

        try:
            return instance.invoke(handed_over(target, event, self._keys_for(function), now), limit, sleep)
        finally:
            if instance.is_alive and not self._stopped.is_set():
                instances.append(instance)
            else:
                instance.close()
                self._live.discard(instance)

    def _keys_for(self, function: Function) -> Credentials | None:
        agency_id = self._state.trusted_agency(function.agency)
        if agency_id is None:
            return None
        known = self._keys.get(agency_id)
        now = self._state.clock.now()
        if known is None or now >= known.expires - timedelta(hours=24) + KEYS_LIFE:
            known = self._keys[agency_id] = self._state.iam.credentials_for(self._state.iam.agencies[agency_id])
        return known
