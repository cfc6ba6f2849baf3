"""From whatever wakes the function to a command, or to a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.events.commands import Command, EventError, Word
from ges_upgrader.events.reading import read_event
from ges_upgrader.events.smn import Trust
from tests.builders import NOW, RELEASES_TOPIC, TOPIC

EVENTS = Path(__file__).parents[3] / "events"


def read(event: object, topics: list[str] | None = None) -> Command:
    return read_event(event, Trust(topics, TOPIC), NOW)


def smn(message: str, **fields: Any) -> dict[str, Any]:
    return {
        "record": [
            {
                "smn": {
                    "type": "notification",
                    "topic_urn": RELEASES_TOPIC,
                    "message_id": "m1",
                    "message": message,
                    **fields,
                }
            }
        ]
    }


def test_the_official_smn_event_names_its_release_region_and_project() -> None:
    command = read(json.loads((EVENTS / "smn_release.json").read_text()))
    assert command.word is Word.RECONCILE
    assert [release.version.text for release in command.releases] == ["2.4.15"]
    assert (command.region, command.project_id) == ("cn-north-4", "0123456789abcdef0123456789abcdef")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("timer_nightly", Word.RECONCILE),
        ("timer_plan", Word.PLAN),
        ("console_blank", Word.PLAN),
        ("command_reconcile", Word.RECONCILE),
        ("command_plan", Word.PLAN),
        ("command_status", Word.STATUS),
        ("command_release", Word.RELEASE),
    ],
)
def test_every_event_of_the_folder_is_its_command(name: str, word: Word) -> None:
    assert read(json.loads((EVENTS / f"{name}.json").read_text())).word is word


@pytest.mark.parametrize("event", [None, [], [1], {}, {"cts": {}}, {"httpMethod": "GET"}, 5, "", True, {"specversion": "1.0"}])
def test_anything_else_is_a_plan(event: object) -> None:
    assert read(event).word is Word.PLAN


def test_an_event_may_come_as_text_or_bytes() -> None:
    assert read('{"command": "status"}').word is Word.STATUS
    assert read(b'\xef\xbb\xbf{"command": "reconcile"}').word is Word.RECONCILE


@pytest.mark.parametrize(
    "event",
    [
        {"command": "upgrade"},
        {"command": 5},
        {"command": None},
        {"command": "approve", "version": "2.4.15"},
        {"command": "reconcile", "dry_run": "yes"},
        {"command": "reconcile", "graph": "demo"},
        {"command": "plan", "version": "2.4.15"},
        {"command": "release"},
        {"command": "release", "version": 2.4},
        {"command": "release", "version": "latest"},
        {"trigger_type": "TIMER", "user_event": "{broken"},
        {"trigger_type": "TIMER", "user_event": 5},
        {"trigger_type": "TIMER", "user_event": '{"comand": "plan"}'},
        {"trigger_type": 7},
        {"a": "x" * 300_000},
        "x" * 300_000,
    ],
)
def test_what_is_wrong_is_refused_and_says_that_nothing_was_changed(event: object) -> None:
    with pytest.raises(EventError, match="nothing was changed"):
        read(event)


@pytest.mark.parametrize(
    "event",
    [
        b"\xff\xfe\x00",
        "\x00\x01",
        "not json",
        {"record": None},
        {"record": "x"},
        {"record": [5]},
        {"record": [{"smn": []}]},
        {"record": [{"smn": {"message": {"version": "2.4.15"}}}]},
    ],
)
def test_junk_is_a_plan_and_told_of(event: object) -> None:
    command = read(event)
    assert command.word is Word.PLAN
    assert "nothing" in command.remarks[0]


def test_an_event_nested_beyond_reason_is_a_plan_and_told_of() -> None:
    event: Any = {}
    for _ in range(100_000):
        event = {"a": event}
    assert read(event).remarks


@pytest.mark.parametrize(
    "event", ['{"command": "pause", "reason": "\\ud800"}', '{"record": [{"smn": {"message_id": "\\ud800", "message": "GES"}}]}']
)
def test_a_half_of_a_surrogate_pair_is_no_json(event: str) -> None:
    command = read(event)
    assert command.changes_nothing
    assert "the event is not JSON" in command.remarks[0]


@pytest.mark.parametrize("note", ["nightly", '{"note": "nightly"}', {"job": "nightly"}, " "])
def test_a_note_in_a_timer_is_no_command(note: object) -> None:
    assert read({"trigger_type": "TIMER", "user_event": note}).word is Word.RECONCILE


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["record", "smn", "command", "version", "dry_run", "trigger_type", "user_event", "message"]


@given(st.dictionaries(st.sampled_from(KEYS), json_values) | json_values)
def test_no_event_is_another_exception(event: object) -> None:
    try:
        read(event)
    except EventError as error:
        refusal = str(error)
    else:
        refusal = "nothing was changed"
    assert "nothing was changed" in refusal
