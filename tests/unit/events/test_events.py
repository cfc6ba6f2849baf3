"""From whatever wakes the function to a command, or to a refusal."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.events.commands import Command, EventError, Word, example
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


def timer(user_event: object) -> dict[str, object]:
    return {"trigger_type": "TIMER", "trigger_name": "nightly", "user_event": user_event}


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_empty_timer_reconciles(nothing: object) -> None:
    command = read(timer(nothing))
    assert (command.word, command.starts_nothing, command.notices) == (Word.RECONCILE, False, ())


@pytest.mark.parametrize("given", ["plan", " plan\n", '{"command": "plan"}', {"command": "plan"}])
def test_timer_gives_a_command(given: object) -> None:
    command = read(timer(given))
    assert (command.word, command.notices, command.from_timer) == (Word.PLAN, (), True)


MISTAKES = [
    "nightly",
    "Plan",
    "PAUSE",
    " withdraw 2.4.15",
    "withdraw",
    "plan --dry-run",
    "pause;",
    '"plan"',
    "null",
    "{}",
    "[]",
    "{broken",
    '["plan"]',
    '{"dry_run":true}',
    '{"comand": "plan"}',
    '{"Command": "plan"}',
    '{"command": "Plan"}',
    '{"command": "approve", "version": "2.4.15"}',
    '{"command": "pause", "command": "plan"}',
    '{"command": "reconcile", "dry_run": 0.0}',
    '{"note": "nightly"}',
    {"job": "nightly"},
    5,
    True,
    ["plan"],
]


@pytest.mark.parametrize("given", MISTAKES)
def test_mistaken_timer_starts_nothing(given: object) -> None:
    command = read(timer(given))
    (notice,) = command.notices
    assert (command.word, command.starts_nothing, command.releases) == (Word.RECONCILE, True, ())
    assert notice.kind == "timer-mistake"
    assert '{"command": "plan"}' in notice.text


def test_one_mistake_is_one_notice_a_day() -> None:
    def notice_id(given: object, days: int = 0) -> str:
        return read_event(timer(given), Trust(None, TOPIC), NOW + timedelta(days=days)).notices[0].id

    assert notice_id("Plan") == notice_id("Plan")
    assert len({notice_id("Plan"), notice_id("Status"), notice_id("Plan", days=1)}) == 3


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one)))
def test_timer_acts_only_on_what_is_accepted(given: object) -> None:
    command = read(timer(given))
    empty = given is None or (isinstance(given, str) and (not given.strip() or given.strip() in tuple(Word)))
    assert empty or command.starts_nothing


# Commands


@pytest.mark.parametrize("word", Word)
def test_example_of_each_word_is_accepted(word: Word) -> None:
    assert read(json.loads(example(word))).word is word


WRONG: list[object] = [
    {"command": "upgrade"},
    {"command": "Pause"},
    {"command": " pause"},
    {"command": "release"},
    {"command": "release", "version": "02.4.15"},
    {"command": "approve", "rule": "prod"},
    {"command": "approve", "version": "2.4.15"},
    {"command": "approve", "version": "2.4.15", "rule": "prod", "graph": "g"},
    {"command": "retry"},
    {"command": "retry", "reason": "again"},
    {"command": "resume", "version": "2.4.15"},
    {"command": "pause", "rule": ""},
    {"command": "pause", "rules": "prod"},
    {"command": "pause", "reason": "x" * 501},
    {"command": "pause", "by": "x" * 257},
    {"command": "pause", "by": 5},
    {"command": "plan", "record_only": True},
    {"command": "reconcile", "limit": 5},
    {"command": "plan", "limit": 0},
    {"command": "plan", "limit": 2.5},
    {"command": "plan", "cursor": 5},
    {"command": "plan", "days": 3},
    {"command": "forecast", "days": 401},
    {"command": "forecast", "days": True},
    *({"command": "reconcile", "dry_run": wrong} for wrong in cast("list[object]", [0.0, 0, 1, "true", None, []])),
    {"command": "pause", "record_only": 1},
    {"command": "pause", "record": []},
    {"command": "reconcile", "trigger_type": "TIMER"},
    '{"command": "reconcile", "dry_run": true, "dry_run": false}',
    '{"command": "plan", "command": "pause"}',
]


@pytest.mark.parametrize("event", WRONG)
def test_wrong_command_shows_what_is_accepted(event: object) -> None:
    with pytest.raises(EventError, match="nothing was changed") as refused:
        read(event)
    shown = re.findall(r"{[^}]*}", str(refused.value))
    assert shown
    assert all(isinstance(read(one), Command) for one in shown)


@pytest.mark.parametrize("argument", ["reason", "by"])
def test_what_is_claimed_is_kept(argument: str) -> None:
    assert getattr(read({"command": "pause", argument: "month end"}), argument) == "month end"


@pytest.mark.parametrize(
    "event",
    [
        {"Command": "pause"},
        {"comand": "pause"},
        {"commands": "pause"},
        {"COMMAND ": "pause"},
        {"action": "pause"},
        {"cmd": "pause"},
        {"do": "Pause"},
        {"pause": True},
        {"dry_run": True},
        {"recordOnly": True},
        "pause",
        '"pause"',
        ["pause"],
        [{"command": "pause"}],
    ],
)
def test_mistyped_command_is_a_plan_that_says_so(event: object) -> None:
    command = read(event)
    (remark,) = command.remarks
    assert command.word is Word.PLAN
    assert "nothing was changed" in remark
    assert '{"command": "' in remark


@pytest.mark.parametrize("name", ["apig_get", "cts", "console_blank"])
def test_event_of_another_service_is_no_mistake(name: str) -> None:
    event = {
        "apig_get": {"httpMethod": "GET", "path": "/", "body": ""},
        "cts": {"cts": {"code": 200}},
        "console_blank": {"key": "value"},
    }
    assert read(event[name]) == Command(Word.PLAN)


MANY = 12_000


@pytest.mark.parametrize(
    "event",
    [
        json.dumps({f"k{number}": number for number in range(MANY)}),
        json.dumps([{f"comand{number}": 1} for number in range(MANY // 2)]),
        "{" + ",".join(f'"k{number}":1' for number in range(MANY)) + ',"k1":2}',
        timer("{" + ",".join(f'"k{number}":1' for number in range(MANY)) + ',"k1":2}'),
        {"command": "pause", **{f"k{number}": number for number in range(MANY)}},
        {"action" * 1000: "pause" * 10_000},
    ],
)
def test_large_event_is_read_quickly(event: object) -> None:
    began = time.process_time()
    with suppress(EventError):
        read(event)
    assert time.process_time() - began < 1


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
