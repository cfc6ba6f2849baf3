"""Compare-and-swap, and what becomes of half-written and foreign records."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, attempt, graph
from upgrader.history import AnyRecord, Claimed, History, Intended, Noticed, Told
from upgrader.journal import Journal
from upgrader.storage import Conflict, Folder, JournalError, Memory, Storage

MAKERS: list[Callable[[Path], Storage]] = [Folder, lambda _: Memory()]


def notice(number: int) -> Noticed:
    return Noticed(at=NOW, notice_id=f"n{number}", text="…")


@pytest.mark.parametrize("make", MAKERS)
def test_an_append_at_another_place_than_the_end_is_a_conflict(tmp_path: Path, make: Callable[[Path], Storage]) -> None:
    storage = make(tmp_path)
    storage.append(0, b"one\n")
    with pytest.raises(Conflict):
        storage.append(0, b"two\n")
    storage.append(4, b"two\n")
    assert storage.read(0) == b"one\ntwo\n"
    assert storage.read(4) == b"two\n"


@pytest.mark.parametrize("make", MAKERS)
def test_what_was_written_is_the_history_of_the_next_run(tmp_path: Path, make: Callable[[Path], Storage]) -> None:
    storage, one = make(tmp_path), attempt(graph("a"), job_id=None)
    Journal(storage).write(Intended(at=NOW, attempt=one))
    later = Journal(storage)
    later.refresh()
    assert later.history.open_attempt(one.graph_id) == one


def test_of_two_overlapping_runs_one_starts_a_graph(tmp_path: Path) -> None:
    one = attempt(graph("a"), job_id=None)

    def free(history: History) -> list[AnyRecord]:
        return [] if history.open_attempt(one.graph_id) else [Intended(at=NOW, attempt=one)]

    first, second = Journal(Folder(tmp_path)), Journal(Folder(tmp_path))
    first.refresh()
    second.refresh()
    assert len(first.commit(free)) == 1
    assert second.commit(free) == []


def test_a_lease_keeps_others_out_until_it_ends_and_a_told_event_for_ever() -> None:
    history = History([notice(1), Claimed(at=NOW, event_id="n1", run_id="r1", until=NOW + timedelta(minutes=5))])
    assert history.untold(NOW) == []
    assert [event.id for event in history.untold(NOW + timedelta(minutes=5))] == ["n1"]
    history.apply(Told(at=NOW, event_id="n1", message_id="m"))
    assert history.untold(NOW + timedelta(days=1)) == []
    history.apply(notice(1))
    assert history.told("n1")


def test_a_half_written_record_at_the_end_was_never_acknowledged_and_goes(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1))
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind": "noticed", "at"')
    again = Journal(Folder(tmp_path))
    again.refresh()
    again.write(notice(2))
    last = Journal(Folder(tmp_path))
    last.refresh()
    assert [event.id for event in last.history.untold(NOW)] == ["n1", "n2"]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b'{"kind": "of tomorrow", "at": "2026-11-23T00:00:00Z"}\n',
        b'{"kind": "started", "at": "2026-11-23T00:00:00Z", "attempt_id": "x", "job_id": "y"}\n',
        b'{"kind": "backup-ended", "at": "2026-11-23T00:00:00Z", "backup_id": "x"}\n',
    ],
)
def test_a_record_that_cannot_be_understood_is_an_error_and_not_ignored(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(line)
    with pytest.raises(JournalError):
        Journal(Folder(tmp_path)).refresh()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError):
        Folder(tmp_path / "file").read(0)


def _write_many(folder: str, writer: int) -> None:
    journal = Journal(Folder(Path(folder)))
    for number in range(20):
        journal.write(Noticed(at=NOW, notice_id=f"{writer}-{number}", text=""))


def test_concurrent_processes_lose_no_record(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    journal = Journal(Folder(tmp_path))
    journal.refresh()
    assert {event.id for event in journal.history.untold(NOW)} == {f"{w}-{n}" for w in range(3) for n in range(20)}
