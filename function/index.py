"""The entry points that FunctionGraph calls: `index.handler` and `index.initializer`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ges_upgrader.clock import SystemClock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.engine import Engine
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.transport import Transport
from ges_upgrader.domain.model import Project
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import EventError
from ges_upgrader.events.reading import read_event
from ges_upgrader.events.smn import Trust
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Bucket, Folder, Memory, Storage
from ges_upgrader.log import start_log
from ges_upgrader.policy.schema import Policy, PolicyError, fingerprint, parse_policy
from ges_upgrader.running.context import Shell, reserve_of
from ges_upgrader.running.platform import DEFAULT_TIME, Platform
from ges_upgrader.running.run import Forgotten, run

if TYPE_CHECKING:
    from ges_upgrader.log import Log

_MEMORY = Memory()
_cold = True


def initializer(context: object) -> None:
    """Called once an instance. What every run needs came with the import of this module; the rest is imported when needed."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Called for each event; the result that interface.md describes. Faults are entries of its `errors`.

    Raises Forgotten, so that the platform delivers the event again where it would be lost.
    """
    global _cold
    platform = Platform(context)
    run_id = os.urandom(16).hex()
    log = _log(platform, run_id)
    _cold = False
    try:
        return _handle(event, platform, run_id, log)
    except Forgotten as error:
        log.error("event.forgotten", error=str(error))
        raise
    except Exception as error:
        log.error("run.broke", exc_info=True)
        return _refusal(run_id, None, [f"a fault of the function itself: {type(error).__name__}; see run.broke in the log"])


def _handle(event: object, platform: Platform, run_id: str, log: Log) -> dict[str, Any]:
    clock = SystemClock()
    told = platform.remaining()
    end = clock.now() + (DEFAULT_TIME if told is None else told)

    def remaining() -> timedelta:
        counted, told = end - clock.now(), platform.remaining()
        return counted if told is None else min(counted, told)

    try:
        policy = _policy(platform, clock.now())
    except PolicyError as error:
        log.error("policy.refused", problems=error.problems)
        return _refusal(run_id, None, [f"policy: {problem}" for problem in error.problems])
    topics = None if policy.release_topics is None else [topic.urn for topic in policy.release_topics]
    try:
        command = read_event(event, Trust(topics, policy.outlet.topic.urn), clock.now())
    except EventError as error:
        log.error("event.refused", error=str(error))
        return _refusal(run_id, policy, [str(error)])
    credentials = platform.credentials()
    if credentials is None:
        problem = "no credentials: give the function an agency, or HUAWEICLOUD_SDK_AK and _SK; nothing was called"
        log.error("run.refused", error=problem)
        return _refusal(run_id, policy, [*command.remarks, problem])
    home = _home(platform, policy, command.region, command.project_id)
    if not home.region or not home.project_id:
        problem = (
            "the function's own region or project is not known: set REGION, or `projects` in the policy; nothing was called"
        )
        log.error("run.refused", error=problem)
        return _refusal(run_id, policy, [*command.remarks, problem])
    reserve = reserve_of(remaining())

    def left() -> timedelta:
        return remaining() - reserve

    telling = Transport(credentials, platform.endpoint, clock, remaining)
    shell = Shell(
        policy=policy,
        projects=tuple(sorted({Project(one.region, one.project_id) for one in policy.projects})) or (home,),
        home=home,
        ges=Ges(Transport(credentials, platform.endpoint, clock, left), policy.api),
        smn=Smn(telling),
        engine=Engine(platform.token, clock, left),
        functiongraph=FunctionGraph(telling),
        function_urn=platform.function_urn(home.region),
        journal=Journal(_storage(policy, platform, home, clock, remaining)),
        clock=clock,
        remaining=remaining,
        reserve=reserve,
        log=log.bind(policy=fingerprint(policy), region=home.region, project=home.project_id),
        run_id=run_id,
    )
    return run(command, shell)


def _storage(
    policy: Policy,
    platform: Platform,
    home: Project,
    clock: SystemClock,
    remaining: Callable[[], timedelta],
) -> Storage:
    state = policy.state
    if state.folder is not None:
        return Folder(state.folder)
    if state.bucket is None:
        return _MEMORY
    base = platform.bucket(state.bucket, home.region)
    return Bucket(Obs(platform.keys(), state.bucket, home.region, base, clock, remaining), state.prefix)


def _home(platform: Platform, policy: Policy, region: str | None, project_id: str | None) -> Project:
    """The function's own region and project: by the event, `projects`, the topic of `notify`, or REGION, in this order."""
    own_id = platform.project_id or project_id
    listed = next((one for one in policy.projects if own_id in (None, one.project_id)), None)
    if listed:
        return Project(region or listed.region, listed.project_id)
    topic = policy.outlet.topic
    told = topic.region if own_id in (None, topic.project_id) else platform.variable("REGION") or topic.region
    return Project(region or told, own_id or topic.project_id)


def _policy(platform: Platform, now: datetime) -> Policy:
    try:
        return parse_policy(platform.policy_text(Path(__file__).parent), now)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError([f"the policy file cannot be read: {error}; set POLICY, or POLICY_FILE to its path"]) from None


def _log(platform: Platform, run_id: str | None) -> Log:
    credentials = (platform.credentials(), platform.keys(), Credentials(token=platform.token or ""))
    secrets = [secret for one in credentials if one for secret in one.secrets]
    context = {
        "request_id": platform.request_id,
        "run_id": run_id,
        "function": platform.function_name,
        "cold_start": _cold,
    }
    return start_log(platform.variable("LOG_LEVEL") or "INFO", secrets, context)


def _refusal(run_id: str, policy: Policy | None, errors: list[str]) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "policy": fingerprint(policy) if policy else None,
        "command": None,
        "dry_run": True,
        "now": iso(SystemClock().now()),
        "decisions": [],
        "outcomes": [],
        "notified": 0,
        "pending": [],
        "errors": errors,
    }
