"""The command `doctor` inside the function: it proves what can be proved, changes nothing, and says what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from ges_upgrader.events.commands import EventError, read_command
from huaweicloud_simulator import faults
from huaweicloud_simulator.wire import Request, Response
from tests.builders import PROJECT_ID, policy_text
from tests.journeys.runs import World

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "doctor.schema.json").read_text())
LIST = f"list graphs of {PROJECT_ID} in cn-north-4"
DOCTOR = {"command": "doctor"}


def world_with(rules: str = "[{}]", state: str = "obs://state/ges", **fields: str) -> World:
    world = World(policy_text(rules, state=state, **fields))
    world.graph()
    return world


def examined(world: World) -> dict[str, dict[str, Any]]:
    result = world.run(DOCTOR)
    jsonschema.validate(result["doctor"], SCHEMA)
    assert (result["command"], result["dry_run"], result["errors"]) == ("doctor", True, [])
    assert all(one["remedy"] for one in result["doctor"] if one["result"] == "failed")
    return {one["name"]: one for one in result["doctor"]}


def results(world: World) -> dict[str, str]:
    return {name: one["result"] for name, one in examined(world).items()}


def test_sound_function_passes_every_check() -> None:
    found = results(world_with("[{backup: required}]", follow_up="invoke"))
    proved = ("credentials", "account", LIST, "journal read", "journal append", "journal list", "time zones", "libraries")
    assert {name: found[name] for name in proved} == dict.fromkeys(proved, "ok")
    acts = ("upgrade", "publish", "backup", "invoke")
    assert {name: found[name] for name in acts} == dict.fromkeys(acts, "not-proved")


def test_nothing_changes_but_the_scratch_key() -> None:
    world = world_with()
    world.run(DOCTOR)
    bucket = world.cloud.buckets["state"]
    before = {key: one.data for key, one in bucket.objects.items()}
    world.run(DOCTOR)
    changed = {key for key, one in bucket.objects.items() if one.data != before.get(key)}
    assert changed == {"ges/doctor-scratch"}
    assert (world.cloud.upgrades, world.topic.messages) == ([], [])


@pytest.mark.parametrize(
    ("operation", "fault", "name"),
    [
        ("ges.list_graphs", faults.error(403, "GES.8011", "no permission"), LIST),
        ("obs.append_object", faults.error(403, "AccessDenied", "Access Denied"), "journal append"),
        ("obs.append_object", faults.error(409, "ObjectNotAppendable", "no"), "journal append"),
    ],
)
def test_refused_call_is_its_line(operation: str, fault: faults.Fault, name: str) -> None:
    world = world_with()
    world.cloud.fault(operation, fault, times=50)
    found = examined(world)
    assert [one for one, finding in found.items() if finding["result"] == "failed"] == [name]


def test_missing_right_to_list_is_named() -> None:
    world = world_with()
    world.run(DOCTOR)
    world.cloud.buckets["state"].list_allowed = False
    found = examined(world)
    assert found["journal list"]["result"] == "failed" and "obs:bucket:ListBucket" in found["journal list"]["remedy"]


def test_missing_bucket_fails_what_is_in_it() -> None:
    found = results(world_with(state="obs://missing/ges"))
    assert [found[name] for name in ("journal read", "journal append", "journal list")] == ["failed"] * 3


@pytest.mark.parametrize(("seconds", "result"), [(2, "ok"), (-299, "ok"), (400, "failed"), (-400, "failed")])
def test_clock_is_compared_with_services(monkeypatch: pytest.MonkeyPatch, seconds: int, result: str) -> None:
    world = world_with()
    handle = world.cloud.handle

    def dated(request: Request) -> Response:
        response = handle(request)
        response.headers["Date"] = format_datetime(world.clock.now() + timedelta(seconds=seconds), usegmt=True)
        return response

    monkeypatch.setattr(world.cloud, "handle", dated)
    assert results(world)["clock"] == result


def test_way_into_the_vpc_is_tried_for_health_checks() -> None:
    world = world_with("[{health_check: true}]")
    assert results(world)["engine, rule rule-1"] in ("ok", "failed", "not-proved")
    assert not any(name.startswith("engine") for name in examined(world_with()))


def test_folder_is_examined_too(tmp_path: Path) -> None:
    found = results(world_with(state=f"file://{tmp_path}"))
    assert (found["journal read"], found["journal append"]) == ("ok", "ok")
    assert "journal list" not in found


@pytest.mark.parametrize("state", ["obs://state/ges", "file://{}"])
def test_journal_may_begin_after_doctor(tmp_path: Path, state: str) -> None:
    world = World(policy_text(state=state.format(tmp_path)), new=True)
    world.graph()
    world.run(DOCTOR)
    result = world.run()
    assert (result["errors"], [one["outcome"] for one in result["outcomes"]]) == ([], ["succeeded"])


def test_doctor_is_among_the_accepted_commands() -> None:
    with pytest.raises(EventError, match='"doctor"'):
        read_command({"command": "docter"})
    with pytest.raises(EventError, match="takes no 'rule'"):
        read_command({"command": "doctor", "rule": "prod"})
    assert msgspec.to_builtins(read_command(DOCTOR).word) == "doctor"
