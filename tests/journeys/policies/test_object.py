"""The policy as an object of OBS: read once a run, transferred if it changed, and never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ges_upgrader.running.policies.source import PolicyUnreachable
from huaweicloud_simulator import faults
from huaweicloud_simulator.obs.models import Object
from huaweicloud_simulator.wire import Request, Response
from tests.builders import policy_text
from tests.journeys.runs import FUNCTION, TIMER, World, only, release

PLACE = "obs://state/policy/ges.yaml"
PATH = "policy/ges.yaml"
AT_STATE = policy_text("[{name: prod}]", state="obs://state/journal")


class Reads:
    """The requests for the policy, and what they were answered."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statuses: list[int] = []
        handle = world.cloud.handle

        def watched(request: Request) -> Response:
            response = handle(request)
            if request.path.endswith(PATH):
                self.statuses.append(response.status)
            return response

        monkeypatch.setattr(world.cloud, "handle", watched)


def world_with(text: str | bytes, **variables: str) -> World:
    world = World(policy_text("[{name: other}]", state="obs://state/journal"))  # the state that is set up
    world.variables = {"POLICY": "", "POLICY_FILE": PLACE, "REGION": "cn-north-4", **variables}
    put(world, text)
    return world


def put(world: World, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    world.cloud.buckets["state"].objects[PATH] = Object(content, appendable=False)


def notices(world: World) -> list[dict[str, Any]]:
    contents = [json.loads((message.structure or {})["default"]) for message in world.topic.messages]
    return [content for content in contents if content.get("kind") == "policy-refused"]


def test_policy_of_an_object_governs() -> None:
    world = world_with(AT_STATE)
    one = world.graph()
    result = world.run()
    assert (result["errors"], only(result)["rule"], one.version) == ([], "prod", "2.4.15")


def test_unchanged_object_is_transferred_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_with(AT_STATE)
    reads = Reads(world, monkeypatch)
    world.graph()
    for _ in range(3):
        world.run(TIMER)
    assert reads.statuses == [200, 304, 304]
    put(world, AT_STATE.replace("prod", "renamed"))
    assert only(world.run(TIMER))["rule"] == "renamed"
    world.forget()
    world.run(TIMER)
    assert reads.statuses == [200, 304, 304, 200, 200]


def test_its_etag_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_with(AT_STATE, LOG_LEVEL="INFO")
    world.run(TIMER)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"policy.read"' in line]
    assert [(line["source"], line["changed"]) for line in lines] == [(PLACE, True)]
    assert len(lines[0]["etag"]) == 34


@pytest.mark.parametrize("state", ["obs://state/policy", "obs://state"])
def test_object_inside_the_state_is_refused(state: str) -> None:
    world = world_with(policy_text(state=state))
    world.graph()
    result = world.run()
    (error,) = result["errors"]
    assert error.startswith(f"policy: state: {state} holds the policy's own object, {PLACE}; give the policy a key outside")
    assert (world.cloud.upgrades, result["decisions"], len(notices(world))) == ([], [], 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (AT_STATE.replace("name: prod", "nmae: prod"), "did you mean name?"),
        ("notify: x # \u56fe\u5e93".encode("gbk"), "not encoded in UTF-8"),
        (b"#" * 2**20 + b"\n" + AT_STATE.encode(), "larger than 1 MB"),
    ],
)
def test_wrong_content_is_refused(content: str | bytes, words: str) -> None:
    (error,) = world_with(content).run()["errors"]
    assert words in error


def lost(world: World) -> None:
    del world.cloud.buckets["state"].objects[PATH]


def forbidden(world: World) -> None:
    world.cloud.fault("obs.get_object", faults.error(403, "AccessDenied", "Access Denied"), times=1)


def silent(world: World) -> None:
    world.cloud.fault("obs.get_object", faults.error(503, "ServiceUnavailable", "no"), times=5)


@pytest.mark.parametrize(("breaks", "why"), [(lost, "NoSuchKey"), (forbidden, "AccessDenied"), (silent, "ServiceUnavailable")])
def test_unreachable_policy_starts_nothing_and_is_reported(breaks: Callable[[World], None], why: str) -> None:
    world = world_with(AT_STATE)
    world.run(TIMER)
    world.graph()
    breaks(world)
    result = world.run(release("2.4.15"))
    assert world.cloud.upgrades == [] and why in result["errors"][0]
    (notice,) = notices(world)
    assert f"{PLACE} cannot be read" in notice["detail"] and why in notice["detail"]
    world.cloud.clear_faults()
    put(world, AT_STATE)
    world.run(release("2.4.15"))
    assert len(world.cloud.upgrades) == 1


def test_unreachable_policy_is_reported_once_a_day() -> None:
    world = world_with(AT_STATE)
    world.run(TIMER)
    lost(world)
    for _ in range(6):
        world.later(hours=12)
        world.run(TIMER)
    assert len(notices(world)) == 4


def test_new_instance_raises_without_the_policy() -> None:
    """The platform tries again, and reports to the failure destination."""
    world = world_with(AT_STATE)
    world.run(TIMER)
    lost(world)
    world.forget()
    with pytest.raises(PolicyUnreachable, match=r"obs://state/policy/ges\.yaml cannot be read: .*NoSuchKey"):
        world.run(TIMER)
    assert notices(world) == []


@pytest.mark.parametrize("place", ["obs://state", "obs://state/", "obs:///x", "obs://State/x", "obs://state/a/../b"])
def test_address_of_no_object_is_named(place: str) -> None:
    with pytest.raises(PolicyUnreachable, match=r"obs://bucket/key|would lead to another path"):
        world_with(AT_STATE, POLICY_FILE=place).run()


def test_region_comes_from_the_event_or_the_variable() -> None:
    world = world_with(AT_STATE, REGION="")
    event = release("2.4.15")
    event["record"][0]["event_subscription_urn"] = FUNCTION
    assert world.run(event)["errors"] == []
    world.forget()
    with pytest.raises(PolicyUnreachable, match="set the variable REGION"):
        world.run(TIMER)


def test_policy_variable_wins_over_the_object() -> None:
    world = world_with("nonsense", POLICY=AT_STATE)
    assert world.run(TIMER)["errors"] == []
