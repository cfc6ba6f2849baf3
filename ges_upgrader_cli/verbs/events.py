"""`ges-upgrader event` and `invoke`: example events, and the packaged function on the simulated cloud, with state between."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader_cli.packaged.files import events
from ges_upgrader_cli.packaged.invocation import InvocationError, invoke, packaged
from ges_upgrader_cli.packaged.zip import PackageError
from ges_upgrader_cli.shown.console import Exit, fail, progress, show_json
from ges_upgrader_cli.shown.options import POLICY, AsJson, FleetPath, load_fleet, read_text
from ges_upgrader_cli.shown.results import show_result
from ges_upgrader_cli.shown.run_log import RunLog

KEPT = Path(".try")


def event(
    kind: Annotated[Optional[str], typer.Argument(help="The kind of event; without it, all kinds are listed.")] = None,
) -> None:
    """Print an example event, to edit and to pass to `invoke`, the console or a timer."""
    known = events()
    if kind is None:
        typer.echo("\n".join(known))
        return
    if kind not in known:
        fail(f"there is no event {kind}; the kinds are {', '.join(known)}")
    typer.echo(known[kind].read_text(encoding="utf-8").rstrip())


def invoke_event(
    given: Annotated[str, typer.Argument(metavar="EVENT", help="A file of JSON, a kind of event, or - for stdin.")],
    policy: Annotated[Optional[Path], typer.Option("--policy", help="Default: policy.yaml, else a demo.")] = None,
    fleet: FleetPath = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier invocations left in .try/.")] = False,
    seconds: Annotated[float, typer.Option("--upgrade-seconds", help="How long an upgrade takes on the simulated cloud.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Invoke the packaged function on this machine, on the simulated cloud.

    The graphs and the journal stay in .try/, so that a later `approve`, `pause`, `resume` or `retry` finds what it is about.
    """
    event, text = _event(given), _policy_text(policy)
    if fresh or fleet is not None:
        shutil.rmtree(KEPT, ignore_errors=True)
    log = RunLog(quiet=as_json)
    try:
        result = _invoke(event, text, fleet, timedelta(seconds=seconds), log)
    except (InvocationError, PackageError) as error:
        fail(str(error), Exit.ATTENTION)
    if as_json:
        show_json(result)
    else:
        show_result(result)
    if result["errors"]:
        raise typer.Exit(Exit.ATTENTION)


def _invoke(event: Any, text: str, fleet: Path | None, length: timedelta, log: RunLog) -> dict[str, Any]:
    from ges_upgrader_cli.fleets import simulated
    from ges_upgrader_cli.fleets.demo import OPEN_POLICY
    from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, RealClock, demo, serve

    cloud, clock = Cloud(), RealClock()
    cloud.upgrade_duration = cloud.backup_duration = length
    try:
        parsed = parse_policy(text)
    except PolicyError:
        parsed = parse_policy(OPEN_POLICY)  # the function itself says what is wrong
    home = simulated.home_of(parsed)
    source = KEPT / "fleet.yaml" if (KEPT / "fleet.yaml").exists() else fleet
    simulated.furnish(cloud, parsed)
    if source is None:
        demo.add_fleet(cloud)
    else:
        simulated.populate(cloud, load_fleet(source), home)
    simulated.load_buckets(cloud, KEPT / "buckets")
    with progress("Building the zip"):
        function = packaged()
    with serve(cloud) as server:
        variables = {
            "POLICY": text,
            "REGION": home.region,
            "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
            "HUAWEICLOUD_SDK_SK": SECRET_KEY,
            **server.environment(home.region),
        }
        result = invoke(function, event, home.project_id, variables, log.line)
        simulated.settle(cloud, clock)
    simulated.keep(cloud, KEPT)
    for topic in (topic for project in cloud.projects.values() for topic in project.topics.values()):
        log.messages(topic.messages)
    return result


def _event(given: str) -> Any:
    path = events().get(given.removesuffix(".json"), Path(given))
    text = sys.stdin.read() if given == "-" else read_text(path, f"; the kinds of events are {', '.join(events())}")
    try:
        return json.loads(text)
    except ValueError as error:
        fail(f"{given} is no JSON: {error}")


def _policy_text(policy: Path | None) -> str:
    from ges_upgrader_cli.fleets.demo import OPEN_POLICY

    if policy is None and not POLICY.exists():
        return OPEN_POLICY
    return read_text(policy or POLICY)
