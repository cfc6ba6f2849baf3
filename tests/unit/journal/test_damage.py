"""Whatever stands in the journal: reading it, planning with it and folding it do not fail."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import reduce
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action, Reason, Release, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackedUp,
    BackupEnded,
    BackupIntended,
    BackupStarted,
    Claimed,
    Ended,
    FellBehind,
    Intended,
    Moved,
    Noticed,
    Observed,
    Paused,
    Questioned,
    Refused,
    Reinstated,
    Released,
    Resumed,
    Retried,
    Sighted,
    Started,
    Told,
    Unobserved,
    Unpaused,
    Verified,
    Withdrawn,
)
from ges_upgrader.journal.compaction import fold
from ges_upgrader.journal.lines import decoded, encoded
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Memory
from tests.builders import NOW, attempt, backup_attempt, graph, plan, policy

GRAPHS = [graph("a"), graph("b"), graph("c")]
POLICY = policy("[{name: dev, match: {name: a}, backup: required, notice: 1h}, {name: prod, after: [dev], mode: approve}]")
A, B, C = (attempt(one, rule="dev", job_id=None) for one in GRAPHS)
BACKUP = backup_attempt(GRAPHS[2], id="backup-c", rule="prod")
VERSION = C.to_version
RECORDS: list[AnyRecord] = [
    Released(at=NOW, release=Release(VERSION, NOW, ("cn-north-4",), min_source_version=Version("2.3.1"), not_before=NOW)),
    Withdrawn(at=NOW, version=Version("2.4.9")),
    Reinstated(at=NOW, version=Version("2.4.9")),
    Questioned(at=NOW, version=Version("2.4.9"), notice_id="unclear:2.4.9"),
    Approved(at=NOW, version=VERSION, rule="prod"),
    Paused(at=NOW, rule="prod", reason="Diwali"),
    Resumed(at=NOW, rule="prod"),
    Unpaused(at=NOW, rule="prod"),
    Intended(at=NOW, attempt=A),
    Started(at=NOW, attempt_id=A.id, job_id="job-a"),
    Sighted(at=NOW, subject=A.id, verdict=Verdict.VANISHED),
    Ended(at=NOW, attempt_id=A.id, verdict=Verdict.FAILED, detail="no memory"),
    Moved(at=NOW, attempt_id=A.id, rule="prod"),
    Retried(at=NOW, graph_id=A.graph_id),
    Verified(at=NOW, rule="dev", version=VERSION),
    FellBehind(at=NOW, rule="dev", version=Version("2.4.4")),
    Intended(at=NOW, attempt=B),
    Refused(at=NOW, attempt_id=B.id, code="GES.8011", detail="not now"),
    BackupIntended(at=NOW, backup=BACKUP),
    BackupStarted(at=NOW, backup_id=BACKUP.id, job_id="job-b"),
    BackupEnded(at=NOW, backup_id=BACKUP.id, made="backup-1"),
    Unobserved(at=NOW, region="cn-north-4", project_id="p", error="HTTP 503"),
    Observed(at=NOW, region="cn-north-4", project_id="p"),
    BackedUp(at=NOW, graph_id=C.graph_id, made_at=NOW),
    Noticed(at=NOW, notice_id="n", text="soon", notice_kind="planned", rule="dev", version=VERSION, graphs=(A.graph_id,)),
    Claimed(at=NOW, event_id="n", run_id="r", until=NOW),
    Told(at=NOW, event_id="n", message_id="m"),
]
STRANGE = st.one_of(
    st.sampled_from([None, True, 0, -1, 1e300, 10**30, "", "x", "2.4.15", "2026-11-23T00:00:00", [], [1], {}, {"id": "x"}]),
    st.text(max_size=3),
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, inner in items for place in places(inner, (*way, key)))]


def changed(value: Any, way: tuple[Any, ...], to: Any) -> Any:
    if not way:
        return to
    inner = changed(value[way[0]], way[1:], to)
    if isinstance(value, dict):
        return {**value, way[0]: inner}
    return [*value[: way[0]], inner, *value[way[0] + 1 :]]


def understood(lines: list[bytes]) -> Journal:
    """A journal of these lines, after all that is done with one."""
    storage = Memory()
    storage.append("journal-1.jsonl", 0, b"".join(line + b"\n" for line in lines))
    journal = Journal(storage)
    journal.refresh()
    later = NOW + timedelta(days=30)
    assert len(plan(POLICY, GRAPHS, journal.history, later)) == len(GRAPHS)
    journal.history.outbox.deliverable(later)
    fold(journal._file.entries, journal.history, later)
    return journal


def test_the_records_are_of_every_kind_and_whole() -> None:
    assert {type(record) for record in RECORDS} == set(get_args(AnyRecord))
    assert understood([encoded(record) for record in RECORDS]).history.controls.damages == {}


@given(data=st.data())
def test_a_record_in_which_a_value_was_changed_is_no_crash(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(RECORDS) - 1))
    raw = json.loads(encoded(RECORDS[number]))
    other = json.dumps(changed(raw, data.draw(st.sampled_from(places(raw))), data.draw(STRANGE))).encode()
    lines = [encoded(record) for record in RECORDS]
    understood([*lines[:number], other, *lines[number + 1 :]])


@given(garbage=st.binary(max_size=40), number=st.integers(0, len(RECORDS)))
def test_a_line_of_garbage_is_held_against_everything(garbage: bytes, number: int) -> None:
    lines = [encoded(record) for record in RECORDS]
    journal = understood([*lines[:number], b"\xff" + garbage.replace(b"\n", b""), *lines[number:]])
    decisions = plan(POLICY, GRAPHS, journal.history, NOW + timedelta(days=30))
    assert {decision.reason for decision in decisions} == {Reason.STATE_UNAVAILABLE}
    assert {decision.action for decision in decisions} == {Action.BLOCKED}


def test_a_record_that_is_nested_too_deep_is_held_against_everything() -> None:
    assert len(understood([b"[" * 100_000]).history.controls.damages) == 1


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_unknown_field_at_any_depth_is_damage(record: AnyRecord) -> None:
    """A later version may restrict with it; what is not understood is not passed over."""
    raw = json.loads(encoded(record))
    for way in places(raw):
        found = reduce(lambda value, key: value[key], way, raw)
        if isinstance(found, dict) and way[-1:] != ("tags",):  # whose keys are the operator's own
            with pytest.raises(ValueError, match="unknown field"):
                decoded(json.dumps(changed(raw, way, {**found, "of_tomorrow": 1})).encode())
