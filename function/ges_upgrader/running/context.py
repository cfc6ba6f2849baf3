"""What a run works with: the policy, and everything that touches the world; wired up from the platform's context."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.engine import Engine
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.platform import Platform
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.transport import Transport
from ges_upgrader.domain.model import Project
from ges_upgrader.events.commands import Command
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Bucket, Folder, Memory, Storage
from ges_upgrader.policy.schema import Policy, fingerprint
from ges_upgrader.redaction import Secrets

if TYPE_CHECKING:
    from ges_upgrader.log import Log

DEFAULT_TIME = timedelta(seconds=60)  # of a run that the platform sets no limit to


class ContextError(Exception):
    """A run cannot be made; the message says what the function lacks."""


class Deadline:
    """When the platform kills the run: by its own count, and by the clock since the run began."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform, self._clock = platform, clock
        left = platform.remaining()
        self._end: datetime = clock.now() + (DEFAULT_TIME if left is None else left)

    def remaining(self) -> timedelta:
        by_clock, by_platform = self._end - self._clock.now(), self._platform.remaining()
        return by_clock if by_platform is None else min(by_clock, by_platform)


class RunContext(msgspec.Struct, frozen=True):
    """`home` is the function's own project; `remaining` is the time until the platform kills the run.

    `reserve` is the last part of it, in which nothing is started. `function_urn` is the function's own, if the platform
    shows it. `secrets` must be masked in every text that leaves.
    """

    policy: Policy
    projects: tuple[Project, ...]
    home: Project
    ges: Ges
    smn: Smn
    engine: Engine
    functiongraph: FunctionGraph
    function_urn: str | None
    journal: Journal
    clock: Clock
    remaining: Callable[[], timedelta]
    reserve: timedelta
    log: Log
    secrets: Secrets
    run_id: str

    def left(self) -> timedelta:
        """The time that may still be spent on looking, waiting and starting."""
        return self.remaining() - self.reserve


def wire(
    policy: Policy, command: Command, platform: Platform, clock: Clock, memory: Memory, log: Log, run_id: str
) -> RunContext:
    """The context of one run. `memory` is the journal of `state: none`. Raises ContextError."""
    deadline = Deadline(platform, clock)
    credentials = platform.credentials()
    if credentials is None:
        raise ContextError("no credentials: give the function an agency, or HUAWEICLOUD_SDK_AK and _SK; nothing was called")
    credentials = credentials.masking(platform.secrets)
    home = home_of(platform, policy, command)
    if not home.region or not home.project_id:
        raise ContextError(
            "the function's own region or project is unknown: set REGION, or `projects` in the policy; nothing was called"
        )
    reserve = reserve_of(deadline.remaining())

    def left() -> timedelta:
        return deadline.remaining() - reserve

    reporting = Transport(credentials, platform.endpoint, clock, deadline.remaining)
    return RunContext(
        policy=policy,
        projects=tuple(sorted({Project(one.region, one.project_id) for one in policy.projects})) or (home,),
        home=home,
        ges=Ges(Transport(credentials, platform.endpoint, clock, left), policy.api),
        smn=Smn(reporting),
        engine=Engine(platform.token, clock, left),
        functiongraph=FunctionGraph(reporting),
        function_urn=platform.function_urn(home.region),
        journal=Journal(storage_of(policy, platform, home, clock, memory, deadline.remaining)),
        clock=clock,
        remaining=deadline.remaining,
        reserve=reserve,
        log=log.bind(policy=fingerprint(policy), region=home.region, project=home.project_id),
        secrets=Secrets.of(platform.secrets),
        run_id=run_id,
    )


def reserve_of(whole: timedelta) -> timedelta:
    """What a run of that length keeps for recording, notifying and handing over: nothing is looked at or started in it."""
    return min(max(whole / 10, timedelta(seconds=1)), timedelta(seconds=15), whole / 2)


def storage_of(
    policy: Policy, platform: Platform, home: Project, clock: Clock, memory: Memory, remaining: Callable[[], timedelta]
) -> Storage:
    state = policy.state
    if state.folder is not None:
        return Folder(state.folder, clock, remaining)
    if state.bucket is None:
        return memory
    base, keys = platform.bucket(state.bucket, home.region), platform.keys().masking(platform.secrets)
    return Bucket(Obs(keys, state.bucket, home.region, base, clock, remaining), state.prefix)


def home_of(platform: Platform, policy: Policy, command: Command) -> Project:
    """The function's own region and project: by the event, `projects`, the topic of `notify`, or REGION, in this order."""
    own_id = platform.project_id or command.project_id
    listed = next((one for one in policy.projects if own_id in (None, one.project_id)), None)
    found = Project(listed.region, listed.project_id) if listed else _home_by_topic(platform, policy, own_id)
    return Project(command.region or found.region, found.project_id)


def _home_by_topic(platform: Platform, policy: Policy, own_id: str | None) -> Project:
    """The topic of another project may be in another region than REGION says."""
    topic = policy.outlet.topic
    region = None if own_id in (None, topic.project_id) else platform.variable("REGION")
    return Project(region or topic.region, own_id or topic.project_id)
