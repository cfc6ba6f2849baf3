"""The commands to the deployed function, through FunctionGraph of the simulated cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.clock import SystemClock
from ges_upgrader.running.invocation import Instance
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, RealClock, mock_huaweicloud
from tests.builders import TOPIC
from tests.cli.commands import run
from tests.journeys.runs import FUNCTION, REGION, Context

POLICY = f"""\
notify: {TOPIC}
state: obs://kept/journal
releases: [{{version: 2.4.15}}]
rules: [{{name: prod, mode: approve}}]
"""


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A cloud with one graph and the function, and this machine's credentials."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", ACCESS_KEY)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", SECRET_KEY)
    made = Cloud(RealClock())
    made.release("2.4.15")
    made.bucket("kept")
    project = made.project(REGION, FUNCTION.split(":")[3])
    project.topic("ges-upgrades")
    project.graph("demo", version="2.4.9")
    instance = Instance(tmp_path, SystemClock())
    context = Context({"POLICY": POLICY, "LOG_LEVEL": "CRITICAL"}, lambda: timedelta(seconds=60), token=None)
    made.on_call = lambda urn, event: instance.invoke(event, context)
    with mock_huaweicloud(made):
        yield made


def command(*arguments: str) -> Any:
    return run(*arguments, "--function", FUNCTION)


def test_command_is_recorded_then_carried_out(cloud: Cloud) -> None:
    ran = command("approve", "2.4.15", "--rule", "prod", "--by", "night shift")
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.startswith("Recorded: approve version 2.4.15, rule prod")
    (given,) = cloud.calls("functiongraph.invoke")
    assert given.json == {"command": "approve", "version": "2.4.15", "rule": "prod", "by": "night shift", "record_only": True}
    assert [one.event for one in cloud.invocations] == [{"command": "reconcile"}]
    assert cloud.upgrades == []


@pytest.mark.parametrize("arguments", [("pause",), ("withdraw", "2.4.15")])
def test_nothing_runs_after_what_stops(cloud: Cloud, arguments: tuple[str, ...]) -> None:
    assert command(*arguments).exit_code == 0
    assert cloud.invocations == []


@pytest.mark.parametrize(
    "arguments",
    [("release", "2.4.15"), ("resume",), ("retry", "--rule", "prod"), ("withdraw", "2.4.15"), ("pause", "--graph", "demo")],
)
def test_every_command_is_understood(cloud: Cloud, arguments: tuple[str, ...]) -> None:
    ran = command(*arguments, "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["errors"]) == (0, [])


def test_refused_command_needs_attention(cloud: Cloud) -> None:
    ran = command("approve", "2.4.15", "--rule", "none")
    assert (ran.exit_code, cloud.invocations, "Errors" in ran.stdout) == (1, [], True)


def test_missing_function_is_one_line(cloud: Cloud) -> None:
    cloud.on_call = None
    ran = command("pause")
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


def test_wrong_urn_and_missing_keys_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for urn in ("urn:fss:x", FUNCTION):
        ran = run("pause", "--function", urn)
        assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


def test_keys_come_from_the_file_of_the_sdk(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_AK")
    monkeypatch.delenv("HUAWEICLOUD_SDK_SK")
    (tmp_path / ".huaweicloud").mkdir()
    (tmp_path / ".huaweicloud" / "credentials").write_text(f"[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\n")
    assert command("pause").exit_code == 0
